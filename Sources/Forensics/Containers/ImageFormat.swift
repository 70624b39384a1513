/// What a file is by its first bytes alone. Names and declared types lie.
package enum ImageFormat: String, Codable, Hashable, Sendable, CaseIterable {
  case jpeg, png, webp, gif
  /// Known, named in the refusal, and never opened.
  case tiff, svg, pdf, avif, heif, bmp, jpegXL, jpeg2000, photoshop, postScript

  /// Whether Atelier opens it at all.
  package var isAccepted: Bool {
    switch self {
    case .jpeg, .png, .webp, .gif: true
    case .tiff, .svg, .pdf, .avif, .heif, .bmp, .jpegXL, .jpeg2000, .photoshop, .postScript: false
    }
  }

  /// The type to serve it as; nil for what is never served.
  package var mediaType: String? {
    switch self {
    case .jpeg: "image/jpeg"
    case .png: "image/png"
    case .webp: "image/webp"
    case .gif: "image/gif"
    case .tiff, .svg, .pdf, .avif, .heif, .bmp, .jpegXL, .jpeg2000, .photoshop, .postScript: nil
    }
  }

  /// The name a person knows.
  package var name: String {
    switch self {
    case .jpeg: "JPEG"
    case .png: "PNG"
    case .webp: "WebP"
    case .gif: "GIF"
    case .tiff: "TIFF"
    case .svg: "SVG"
    case .pdf: "PDF"
    case .avif: "AVIF"
    case .heif: "HEIF"
    case .bmp: "BMP"
    case .jpegXL: "JPEG XL"
    case .jpeg2000: "JPEG 2000"
    case .photoshop: "Photoshop"
    case .postScript: "PostScript"
    }
  }

  package static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  package static func sniff(_ bytes: [UInt8]) -> ImageFormat? {
    let head = bytes.prefix(512)
    if head.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if head.starts(with: pngSignature) { return .png }
    if head.hasPrefix("GIF87a") || head.hasPrefix("GIF89a") { return .gif }
    if head.hasPrefix("RIFF"), head.hasPrefix("WEBP", at: 8) { return .webp }
    return sniffRefused(head)
  }

  private static func sniffRefused(_ head: ArraySlice<UInt8>) -> ImageFormat? {
    let starts: [([UInt8], ImageFormat)] = [
      ([0x49, 0x49, 0x2A, 0x00], .tiff), ([0x4D, 0x4D, 0x00, 0x2A], .tiff), ([0x49, 0x49, 0x2B, 0x00], .tiff),
      ([0x4D, 0x4D, 0x00, 0x2B], .tiff), (Array("%PDF-".utf8), .pdf), (Array("%!PS".utf8), .postScript),
      (Array("8BPS".utf8), .photoshop), ([0xFF, 0x0A], .jpegXL),
      ([0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20], .jpegXL),
      ([0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50, 0x20, 0x20], .jpeg2000), ([0xFF, 0x4F, 0xFF, 0x51], .jpeg2000),
      (Array("BM".utf8), .bmp),
    ]
    for (start, format) in starts where head.starts(with: start) { return format }
    if head.hasPrefix("ftyp", at: 4) {
      return head.hasPrefix("avif", at: 8) || head.hasPrefix("avis", at: 8) ? .avif : .heif
    }
    let start = head.drop { $0 == 0x20 || (0x09...0x0D).contains($0) || [0xEF, 0xBB, 0xBF].contains($0) }
    if start.hasPrefix("<svg") { return .svg }
    if start.hasPrefix("<?xml") || start.hasPrefix("<!"), start.offset(of: "<svg".utf8) != nil { return .svg }
    return nil
  }
}
