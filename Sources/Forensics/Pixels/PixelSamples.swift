/// A rectangle of whole pixels.
package struct PixelCrop: Codable, Hashable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// Borrowed 8-bit samples, rows top to bottom. Valid as long as what they were borrowed from.
package struct PixelSamples {
  package let width: Int
  package let height: Int
  /// 3 for RGB, 4 for RGBA with alpha not multiplied in.
  package let channels: Int
  private let start: UnsafePointer<UInt8>

  /// Nil unless the numbers agree.
  package init?(_ samples: UnsafeBufferPointer<UInt8>, width: Int, height: Int, channels: Int) {
    let (area, overflowed) = width.multipliedReportingOverflow(by: height)
    let (size, spilled) = area.multipliedReportingOverflow(by: channels)
    guard let start = samples.baseAddress, width > 0, height > 0, channels == 3 || channels == 4, !overflowed,
      !spilled, size == samples.count
    else { return nil }
    self.width = width
    self.height = height
    self.channels = channels
    self.start = start
  }

  package func contains(_ crop: PixelCrop) -> Bool {
    crop.x >= 0 && crop.y >= 0 && crop.width > 0 && crop.height > 0 && crop.x <= width && crop.y <= height
      && crop.width <= width - crop.x && crop.height <= height - crop.y
  }

  /// One row of a crop that is known to lie in the picture, over white.
  func row(
    _ crop: PixelCrop, _ y: Int, red: UnsafeMutablePointer<Float>, green: UnsafeMutablePointer<Float>,
    blue: UnsafeMutablePointer<Float>
  ) {
    var from = start + ((crop.y + y) * width + crop.x) * channels
    if channels == 3 {
      for x in 0..<crop.width {
        red[x] = Float(from[0])
        green[x] = Float(from[1])
        blue[x] = Float(from[2])
        from += 3
      }
    } else {
      for x in 0..<crop.width {
        red[x] = Float(Self.overWhite(from[0], from[3]))
        green[x] = Float(Self.overWhite(from[1], from[3]))
        blue[x] = Float(Self.overWhite(from[2], from[3]))
        from += 4
      }
    }
  }

  /// Rounded as everywhere else in the product.
  @inline(__always) private static func overWhite(_ value: UInt8, _ alpha: UInt8) -> UInt32 {
    let alpha = UInt32(alpha)
    return (UInt32(value) * alpha + 255 * (255 - alpha) + 127) / 255
  }

  /// Brightness in whole steps, 0...255, over white, for choosing places and for the flat share.
  @inline(__always) func brightness(_ x: Int, _ y: Int) -> Int {
    let from = start + (y * width + x) * channels
    let alpha = channels == 4 ? from[3] : 255
    let red = Int(Self.overWhite(from[0], alpha))
    let green = Int(Self.overWhite(from[1], alpha))
    let blue = Int(Self.overWhite(from[2], alpha))
    return (77 * red + 150 * green + 29 * blue + 128) >> 8
  }
}
