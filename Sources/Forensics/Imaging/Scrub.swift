import Primitives

/// Rewrites a file at the level of its container: the picture's own bytes, its colour profile and its C2PA manifests
/// stay to the last bit; places, serial numbers, names, thumbnails, comments and whatever follows the end go; our
/// rights block comes in.
///
/// An allow-list: what is not known to be picture, colour or provenance is dropped. Orientation survives, because the
/// pixels are not turned here.
package enum Scrub {
  package static func rewrite(
    _ bytes: [UInt8], format: ImageFormat, orientation: Int = 1, rights: Rights = Rights()
  ) throws(ImageRefusal) -> [UInt8] {
    switch format {
    case .jpeg: try jpeg(bytes, orientation: orientation, xmp: rights.xmpPacket)
    case .png: try png(bytes, orientation: orientation, xmp: rights.xmpPacket)
    case .webp: try webp(bytes, orientation: orientation, xmp: rights.xmpPacket)
    case .gif, .tiff, .svg, .pdf, .avif, .heif, .bmp, .jpegXL, .jpeg2000, .photoshop, .postScript:
      throw .unsupported(format)
    }
  }

  /// A TIFF block of one directory with one entry, orientation (0x0112): all of Exif that is kept.
  static func exif(orientation: Int) -> [UInt8]? {
    guard (2...8).contains(orientation) else { return nil }
    let header: [UInt8] = [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8, 0, 1]
    return header + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(orientation), 0, 0, 0, 0, 0, 0]
  }

  package static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }
  package static func big32(_ value: Int) -> [UInt8] { big16(value >> 16 & 0xFFFF) + big16(value & 0xFFFF) }
  package static func little32(_ value: Int) -> [UInt8] { big32(value).reversed() }
}
