import Primitives

/// Why a file is not an image Atelier opens. Codes are stable and go into answers and stored opinions.
package enum ImageRefusal: Error, Hashable, Sendable {
  /// No magic we know.
  case unrecognized
  case unsupported(ImageFormat)
  /// The file ends before its format says it does.
  case truncated
  case malformed
  case tooManyPixels
  case sideTooLong
  /// More than one frame: what the first one shows says nothing about the rest.
  case animated
  /// Built to cost more to decode than its size suggests.
  case tooCostly

  package var code: String {
    switch self {
    case .unrecognized: "image.unrecognized"
    case .unsupported: "image.unsupported"
    case .truncated: "image.truncated"
    case .malformed: "image.malformed"
    case .tooManyPixels: "image.too_many_pixels"
    case .sideTooLong: "image.side_too_long"
    case .animated: "image.animated"
    case .tooCostly: "image.too_costly"
    }
  }
}

package enum ColourModel: String, Codable, Hashable, Sendable { case grey, rgb, palette, cmyk, other }

/// What a file says about its picture, read without decoding a pixel.
package struct ImageHeader: Codable, Hashable, Sendable {
  package var format: ImageFormat
  /// Stored pixels, before `orientation` is applied; both at least 1.
  package var width: Int
  package var height: Int
  /// 1 for a still.
  package var frames: Int
  package var hasAlpha: Bool
  /// Bits of one sample: 1, 2, 4, 8, 12 or 16.
  package var bitDepth: Int
  package var colourModel: ColourModel
  /// Exif orientation, 1...8; anything else in the file reads as 1.
  package var orientation: Int
  /// Whether the format's own end was reached (JPEG EOI, PNG IEND, RIFF length, GIF trailer). libvips fills what is
  /// missing with grey and calls it a success, so this is the only witness of a cut file.
  package var isComplete: Bool
  /// Bytes after that end.
  package var trailingBytes: Int
  /// Passes over the picture that decoding takes; above 1 only in progressive JPEG.
  package var scans: Int

  package init(reading bytes: [UInt8]) throws(ImageRefusal) {
    self = try ImageContainer(reading: bytes).header
  }

  init(
    format: ImageFormat, width: Int, height: Int, frames: Int = 1, hasAlpha: Bool = false, bitDepth: Int = 8,
    colourModel: ColourModel = .rgb, isComplete: Bool, trailingBytes: Int = 0, scans: Int = 1
  ) {
    self.format = format
    self.width = width
    self.height = height
    self.frames = frames
    self.hasAlpha = hasAlpha
    self.bitDepth = bitDepth
    self.colourModel = colourModel
    self.orientation = 1
    self.isComplete = isComplete
    self.trailingBytes = trailingBytes
    self.scans = scans
  }

  /// Refuses what must not reach a decoder, cheapest reason first.
  package func requireDecodable() throws(ImageRefusal) {
    guard width >= 1, height >= 1 else { throw .malformed }
    guard width <= Limits.imageSide, height <= Limits.imageSide else { throw .sideTooLong }
    // Both sides fit in 15 bits here, so that the product cannot overflow.
    guard width * height <= Limits.imagePixels else { throw .tooManyPixels }
    guard frames <= 1 else { throw .animated }
    guard scans <= Limits.jpegScans else { throw .tooCostly }
    guard isComplete else { throw .truncated }
  }
}

/// One accepted file taken apart: its header, and everything in it that is not the picture.
package struct ImageContainer: Sendable {
  package var header: ImageHeader
  package var metadata: EmbeddedMetadata

  package init(reading bytes: [UInt8]) throws(ImageRefusal) {
    guard let format = ImageFormat.sniff(bytes) else { throw .unrecognized }
    switch format {
    case .jpeg: self = try ImageContainer(jpeg: bytes[...])
    case .png: self = try ImageContainer(png: bytes[...])
    case .webp: self = try ImageContainer(webp: bytes[...])
    case .gif: self = try ImageContainer(gif: bytes[...])
    case .tiff, .svg, .pdf, .avif, .heif, .bmp, .jpegXL, .jpeg2000, .photoshop, .postScript:
      throw .unsupported(format)
    }
    if let orientation = metadata.exif?.orientation, (1...8).contains(orientation) {
      header.orientation = orientation
    }
  }

  init(header: ImageHeader, metadata: EmbeddedMetadata) {
    self.header = header
    self.metadata = metadata
  }
}
