import Forensics
import Primitives
import Testing

struct EvidencePixelTests {
  private func evidence(_ pixels: PixelView) throws -> [Evidence] {
    try Reading(Fixture.png(width: pixels.width, height: pixels.height), pixels: pixels).evidence
  }

  /// Colours without structure, the same on every run.
  private func noise(_ side: Int, channels: Int) -> [UInt8] {
    var generator = SplitMix(seed: 11)
    return (0..<(side * side * channels)).map { _ in UInt8(64 + generator.next() % 128) }
  }

  private func bits(_ bytes: [UInt8]) -> [UInt8] { bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } } }

  private func hidden(_ mark: String, _ body: [UInt8], inColour: Bool = false) throws -> PixelView {
    let side = 96
    var pixels = noise(side, channels: 4)
    let message = bits(Array(mark.utf8) + Fixture.big32(body.count * 8) + body)
    for (index, bit) in message.enumerated() {
      let pixel = inColour ? index / 3 : index
      let start = (pixel % side * side + pixel / side) * 4
      let place = start + (inColour ? index % 3 : 3)
      pixels[place] = pixels[place] & 0xFE | bit
    }
    return try #require(PixelView(width: side, height: side, channels: 4, bytes: pixels))
  }

  private static let settings = #"{"Software":"NovelAI","Comment":"{\"steps\":28,\"sampler\":\"k_euler\",\"seed\":5}"}"#

  @Test func `a payload in the alpha channel concludes`() throws {
    let plain = try evidence(hidden("stealth_pnginfo", Array(Self.settings.utf8)))
    #expect(plain.map(\.kind) == ["novelai.alpha_payload"])
    #expect(plain.first?.strength == .conclusive)
    #expect(plain.first?.text.contains("seed 5, 28 steps and sampler 'k_euler'") == true)
    let stored: [UInt8] = Array(Fixture.stored(Array(Self.settings.utf8)).dropFirst(2).dropLast(4))
    let count = Fixture.little32(Self.settings.utf8.count)
    let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + stored + [0, 0, 0, 0] + count
    #expect(try evidence(hidden("stealth_pngcomp", gzip)).first?.strength == .conclusive)
    #expect(try evidence(hidden("stealth_rgbinfo", Array(Self.settings.utf8), inColour: true)).count == 1)
  }

  @Test func `a mark without a payload is only strong`() throws {
    #expect(try evidence(hidden("stealth_pngcomp", [1, 2, 3])).first?.strength == .strong)
    #expect(try evidence(hidden("stealth_pngxxxx", [1, 2, 3])).isEmpty)
  }

  @Test func `noise, flat colour and tiny pictures hold nothing`() throws {
    for side in [1, 2, 255, 256, 320] {
      let noisy = try #require(PixelView(width: side, height: side, channels: 4, bytes: noise(side, channels: 4)))
      #expect(try evidence(noisy).isEmpty)
      for value: UInt8 in [0, 127, 255] {
        let flat = [UInt8](repeating: value, count: side * side * 3)
        #expect(try evidence(try #require(PixelView(width: side, height: side, channels: 3, bytes: flat))).isEmpty)
      }
    }
  }

  @Test func `a view whose numbers disagree cannot be made`() {
    #expect(PixelView(width: 2, height: 2, channels: 3, bytes: [0]) == nil)
    #expect(PixelView(width: .max, height: .max, channels: 4, bytes: []) == nil)
    #expect(PixelView(width: 0, height: 1, channels: 3, bytes: []) == nil)
    #expect(PixelView(width: 1, height: 1, channels: 2, bytes: [0, 0]) == nil)
  }

  /// Lays a message as the library does: the largest coefficient of each block is moved to a quarter or to three
  /// quarters of its step, here by shifting the blue of the four pixels under it.
  private func marked(_ message: [UInt8], side: Int) throws -> PixelView {
    var pixels = [UInt8](repeating: 128, count: side * side * 3)
    for block in 0..<(side / 8 * (side / 8)) {
      let column = block % (side / 8) * 8 + 2
      let row = block / (side / 8) * 8
      // U of 128 on grey makes a coefficient of 256; 36 * 7 + 9 and 36 * 7 + 27 are its neighbours for 0 and 1.
      let target: Float = message[block % message.count] == 1 ? 279 : 261
      for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let start = ((row + y) * side + column + x) * 3
        pixels[start + 2] = try blue(forChroma: target / 2)
        // The first coefficient is larger still, and the library passes over it.
        pixels[start - 4] = 200
      }
    }
    return try #require(PixelView(width: side, height: side, channels: 3, bytes: pixels))
  }

  private func blue(forChroma chroma: Float) throws -> UInt8 {
    let grey: Float = 128
    let found = (0...255).min { left, right in
      func distance(_ blue: Int) -> Float {
        let luma = (0.299 * grey + 0.587 * grey + 0.114 * Float(blue)).rounded()
        return abs((0.492 * (Float(blue) - luma) + 128).rounded() - chroma)
      }
      return distance(left) < distance(right)
    }
    return UInt8(try #require(found))
  }

  @Test(arguments: [
    ("101100111110110010010000011110111011000110011110", "Stable Diffusion XL"),
    ("1010101111111010000111100111001111010100101110", "FLUX"),
  ])
  func `an open watermark concludes`(digits: String, name: String) throws {
    let found = try evidence(marked(digits.utf8.map { $0 & 1 }, side: 256))
    #expect(found.map(\.kind) == ["invisible_watermark"])
    #expect(found.first?.text.contains(name) == true)
  }

  @Test func `the watermark of Stable Diffusion 1 is a hundred and thirty-six bits`() throws {
    let found = try evidence(marked(bits(Array("StableDiffusionV1".utf8)), side: 320))
    #expect(found.first?.text.contains("of 136 bits") == true)
    let other = try evidence(marked(bits(Array("SomebodyElsesMark".utf8)), side: 320))
    #expect(other.isEmpty)
  }
}

/// SplitMix64: the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
