import Primitives

/// The open messages that the `invisible-watermark` library (method dwtDct) lays into pictures of Stable Diffusion and
/// FLUX.
///
/// It survives no recompression, so that its absence says nothing.
func invisibleWatermarkEvidence(_ traces: Traces) -> [Evidence] {
  // The library refuses anything smaller.
  guard let pixels = traces.pixels, pixels.width >= 256, pixels.height >= 256 else { return [] }
  let blocks = watermarkBits(pixels)
  return WatermarkMessage.known.compactMap { message in
    guard let agreeing = message.agreement(with: blocks), agreeing >= message.needed else { return nil }
    return Evidence(
      kind: "invisible_watermark", strength: .conclusive, implies: .generated,
      text: "The pixels hold the invisible watermark of \(message.name), \(agreeing) of \(message.bits.count) bits.",
      place: "pixels, U channel")
  }
}

private struct WatermarkMessage: Sendable {
  var name: String
  var bits: [UInt8]
  /// Chosen so that chance agreement stays below one in a hundred million.
  var needed: Int

  static let known: [WatermarkMessage] = [
    WatermarkMessage(
      name: "Stable Diffusion XL", bits: bits("101100111110110010010000011110111011000110011110"), needed: 44),
    // The published constant loses its two leading zeros on the way to bits: 46 of them are written.
    WatermarkMessage(name: "FLUX", bits: bits("1010101111111010000111100111001111010100101110"), needed: 43),
    WatermarkMessage(name: "Stable Diffusion 2", bits: bits(of: "SDV2"), needed: 32),
    WatermarkMessage(name: "Stable Diffusion 1", bits: bits(of: "StableDiffusionV1"), needed: 118),
  ]

  private static func bits(_ digits: String) -> [UInt8] { digits.utf8.map { $0 & 1 } }
  private static func bits(of text: String) -> [UInt8] {
    text.utf8.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
  }

  /// How many bits of the message the blocks vote for; nil when there are fewer than three votes for each.
  func agreement(with blocks: [Bool]) -> Int? {
    let count = bits.count
    let rounds = blocks.count / count
    guard rounds >= 3 else { return nil }
    var votes = [Int](repeating: 0, count: count)
    for index in 0..<(rounds * count) where blocks[index] { votes[index % count] += 1 }
    // The library's own threshold: a mean of votes times 255 above 127.
    return bits.indices.count { (votes[$0] * 255 > 127 * rounds ? 1 : 0) == bits[$0] }
  }
}

/// One vote for each 4×4 block of the half-size U channel, rows first.
private func watermarkBits(_ pixels: PixelView) -> [Bool] {
  // Past a quarter of a million votes more of them change nothing but the time it takes.
  let columns = pixels.width / 4 * 4 / 2 / 4
  let rows = min(pixels.height / 4 * 4 / 2 / 4, 262_144 / max(columns, 1))
  var votes: [Bool] = []
  votes.reserveCapacity(columns * rows)
  for row in 0..<rows {
    for column in 0..<columns {
      var largest: Float = -1
      for index in 1..<16 {
        let value = abs(haar(pixels, column * 4 + index % 4, row * 4 + index / 4))
        if value > largest { largest = value }
      }
      votes.append(largest.truncatingRemainder(dividingBy: 36) > 18)
    }
  }
  return votes
}

/// The approximation band of one Haar step over the U channel.
private func haar(_ pixels: PixelView, _ column: Int, _ row: Int) -> Float {
  let x = column * 2
  let y = row * 2
  return (chroma(pixels, x, y) + chroma(pixels, x, y + 1) + chroma(pixels, x + 1, y) + chroma(pixels, x + 1, y + 1)) / 2
}

private func chroma(_ pixels: PixelView, _ x: Int, _ y: Int) -> Float {
  let start = (y * pixels.width + x) * pixels.channels
  let red = Float(pixels.bytes[start])
  let green = Float(pixels.bytes[start + 1])
  let blue = Float(pixels.bytes[start + 2])
  let luma = (0.299 * red + 0.587 * green + 0.114 * blue).rounded(.toNearestOrEven)
  return min(max((0.492 * (blue - luma) + 128).rounded(.toNearestOrEven), 0), 255)
}
