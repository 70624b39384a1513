import Primitives

/// A payload in the last bits of the pixels, as NovelAI writes it into alpha and extensions of the WebUI into alpha or
/// colour: fifteen letters, a length in bits, then text, plain or gzipped. Columns first, from the top left.
func stealthEvidence(_ traces: Traces) -> [Evidence] {
  guard let pixels = traces.pixels else { return [] }
  return [stealth(pixels, .alpha), stealth(pixels, .colour)].compactMap { $0 }
}

private enum StealthBand { case alpha, colour }

private func stealth(_ pixels: PixelView, _ band: StealthBand) -> Evidence? {
  guard band == .colour || pixels.channels == 4 else { return nil }
  var bits = StealthBits(pixels: pixels, band: band)
  guard let signature = bits.bytes(15)?[...].text else { return nil }
  let isGzipped: Bool
  switch (signature, band) {
  case ("stealth_pnginfo", .alpha), ("stealth_rgbinfo", .colour): isGzipped = false
  case ("stealth_pngcomp", .alpha), ("stealth_rgbcomp", .colour): isGzipped = true
  default: return nil
  }
  let place = band == .alpha ? "last bits of the alpha channel" : "last bits of the colour channels"
  let kind = band == .alpha ? "novelai.alpha_payload" : "stealth.colour_payload"
  guard let text = payload(&bits, isGzipped: isGzipped) else {
    return Evidence(
      kind: kind, strength: .strong, implies: .generated,
      text: "The \(place) begin with the mark '\(signature)' that picture generators write.", place: place)
  }
  let tree = DataTree(json: text.utf8)
  let comment = tree?["Comment"]?.text.flatMap { DataTree(json: $0.utf8) }
  let settings =
    comment.flatMap(GenerationSettings.init(novelAI:)) ?? tree.flatMap(GenerationSettings.init(object:))
    ?? GenerationSettings(settingsLine: text)
  let holds = settings.map { " with \($0.phrase)" } ?? ""
  return Evidence(
    kind: kind, strength: .conclusive, implies: .generated,
    text: "The \(place) hold the hidden message that picture generators write\(holds).", place: place)
}

private func payload(_ bits: inout StealthBits, isGzipped: Bool) -> String? {
  guard let head = bits.bytes(4), let length = head[...].number32(0), length > 0, length % 8 == 0,
    length / 8 <= Limits.metadataText, let body = bits.bytes(length / 8)
  else { return nil }
  guard isGzipped else { return String(validating: body, as: UTF8.self) }
  return Inflate.gzip(body[...], limit: Limits.metadataText).flatMap { String(validating: $0, as: UTF8.self) }
}

private struct StealthBits {
  let pixels: PixelView
  let band: StealthBand
  private var column = 0
  private var row = 0
  private var channel = 0

  init(pixels: PixelView, band: StealthBand) {
    self.pixels = pixels
    self.band = band
  }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    let perPixel = band == .alpha ? 1 : 3
    // Fewer pixels than bits: do not even begin.
    guard count <= pixels.bytes.count / pixels.channels * perPixel / 8 else { return nil }
    var result: [UInt8] = []
    for _ in 0..<count {
      var byte: UInt8 = 0
      for _ in 0..<8 {
        guard let bit = next() else { return nil }
        byte = byte << 1 | bit
      }
      result.append(byte)
    }
    return result
  }

  private mutating func next() -> UInt8? {
    guard column < pixels.width else { return nil }
    let start = (row * pixels.width + column) * pixels.channels
    let bit = pixels.bytes[start + (band == .alpha ? 3 : channel)] & 1
    if band == .colour, channel < 2 {
      channel += 1
      return bit
    }
    channel = 0
    row += 1
    if row == pixels.height {
      row = 0
      column += 1
    }
    return bit
  }
}
