import Primitives

extension Limits {
  /// Segments, chunks or blocks kept from one file. Pixel data is counted past, not kept.
  package static let containerParts = 8_192
  /// One textual metadata field, and everything inflated from one file. ComfyUI graphs reach a few hundred KiB.
  package static let metadataText = 4 << 20
  /// One XMP packet, extension included.
  package static let xmpPacket = 4 << 20
  package static let xmlDepth = 64
  package static let xmlProperties = 4_096
  package static let iccProfile = 16 << 20
  package static let exifDirectories = 8
  package static let exifEntries = 512
  /// Frames counted before counting stops.
  package static let countedFrames = 10_000
  /// Scans of one progressive JPEG: each costs a pass over the whole picture.
  package static let jpegScans = 100
}
