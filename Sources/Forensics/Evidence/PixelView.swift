/// Decoded pixels, row by row from the top left.
///
/// Alpha must be as stored, not multiplied into the colours, and no colour conversion may have touched the values:
/// hidden messages live in the last bit.
package struct PixelView: Sendable {
  package let width: Int
  package let height: Int
  /// 3 for RGB, 4 for RGBA.
  package let channels: Int
  /// `width * height * channels` bytes.
  package let bytes: [UInt8]

  /// Nil unless the numbers agree.
  package init?(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    let (area, overflowed) = width.multipliedReportingOverflow(by: height)
    let (size, spilled) = area.multipliedReportingOverflow(by: channels)
    guard width > 0, height > 0, channels == 3 || channels == 4, !overflowed, !spilled, size == bytes.count else {
      return nil
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }
}
