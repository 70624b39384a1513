import Primitives

/// One textual entry of a PNG.
package struct PNGText: Hashable, Sendable {
  /// `tEXt`, `zTXt` or `iTXt`.
  package var chunk: String
  package var keyword: String
  package var text: String

  package init(chunk: String, keyword: String, text: String) {
    self.chunk = chunk
    self.keyword = keyword
    self.text = text
  }
}

/// Everything a file carries beside its pixels, the same for every container.
///
/// It may hold places and names of people: read it before the file is stripped, keep the findings, drop this.
package struct EmbeddedMetadata: Sendable {
  package var format: ImageFormat
  package var exif: Exif?
  /// XMP packets as they are in the file, the extension of a JPEG joined to one packet of its own.
  package var xmp: [[UInt8]] = []
  package var iptc: IPTCRecord?
  package var pngText: [PNGText] = []
  package var icc: [UInt8]?
  /// Top-level JUMBF boxes, reassembled.
  package var jumbf: [[UInt8]] = []
  /// JPEG COM segments and GIF comment extensions.
  package var comments: [String] = []
  /// GIF application extensions by their eleven-byte name.
  package var applications: [String] = []

  package init(format: ImageFormat) { self.format = format }

  package init(reading bytes: [UInt8]) throws(ImageRefusal) {
    self = try ImageContainer(reading: bytes).metadata
  }

  /// The profile, unless it is longer than any real one: 16 MiB of profile is an attack on the colour engine.
  mutating func takeICC(_ bytes: [UInt8]) {
    if icc == nil, !bytes.isEmpty, bytes.count <= Limits.iccProfile { icc = bytes }
  }

  mutating func takeXMP(_ bytes: ArraySlice<UInt8>) {
    if xmp.count < 16, !bytes.isEmpty, bytes.count <= Limits.xmpPacket { xmp.append(Array(bytes)) }
  }

  /// Exif as found in a segment or chunk, with or without its six-byte name. The first one wins.
  mutating func takeExif(_ bytes: ArraySlice<UInt8>) {
    guard exif == nil else { return }
    exif = Exif(reading: bytes.hasPrefix("Exif\0\0") ? bytes.rest(from: 6) : bytes)
  }
}
