import Forensics
import Primitives
import Testing

@Suite struct LikenessTests {
  @Test func `plain black and white have the blurhashes other implementations give`() {
    let black = [UInt8](repeating: 0, count: 32 * 32 * 3)
    #expect(Blurhash.encode(black, width: 32, height: 32) == "L00000fQfQfQfQfQfQfQfQfQfQfQ")
    // Four pixels a side: with more, the unbalanced first sample of each cosine weighs less.
    let white = [UInt8](repeating: 255, count: 4 * 4 * 3)
    #expect(Blurhash.encode(white, width: 4, height: 4) == "L~TSUA~qfQ~q~q%MfQ%MfQfQfQfQ")
    #expect(Blurhash.encode(black, width: 32, height: 31) == nil)
    #expect(Blurhash.encode([255, 0, 0], width: 1, height: 1, across: 1, down: 1) == "00TI:j")
  }

  @Test func `the blurhash describes the picture: read back, its mean and its slope are those drawn`() throws {
    var dots: [UInt8] = []
    for _ in 0..<40 { for x in 0..<60 { dots += [UInt8(x * 4), 40, UInt8(236 - x * 4)] } }
    let hash = try #require(Blurhash.encode(dots, width: 60, height: 40))
    let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~")
    let digits = hash.compactMap { alphabet.firstIndex(of: $0) }
    #expect(digits.count == 28)
    let mean = digits[2...5].reduce(0) { $0 * 83 + $1 }
    #expect(abs((mean >> 8 & 255) - 40) <= 1)
    // Red rises to the right, so its first horizontal cosine is negative; blue falls.
    let detail = digits[6...7].reduce(0) { $0 * 83 + $1 }
    #expect(detail / 361 < 9)
    #expect(detail % 19 > 9)
  }

  @Test func `the perceptual hash survives resizing and recompression and tells pictures apart`() throws {
    func hash(_ picture: Picture) throws -> PerceptualHash {
      let dots = try picture.resized(width: 32, height: 32).withSamples { Array($0) }
      return try #require(PerceptualHash(samples: dots))
    }
    var hashes: [PerceptualHash] = []
    for seed in 1...12 {
      let original = try Drawing.picture(width: 640, height: 480, seed: seed)
      let base = try hash(original)
      let smaller = try original.fitted(within: 200)
      #expect(try hash(smaller).distance(to: base) <= 6)
      let pressed = try Picture.decode(try original.encoded(as: .jpeg, quality: 40), as: .jpeg)
      #expect(try hash(pressed).distance(to: base) <= 6)
      hashes.append(base)
    }
    for (index, one) in hashes.enumerated() {
      for other in hashes[(index + 1)...] { #expect(one.distance(to: other) > 8) }
    }
  }

  @Test func `a flat picture has an empty hash, not a random one`() {
    #expect(PerceptualHash(samples: [UInt8](repeating: 77, count: 32 * 32 * 3))?.rawValue == 0)
  }

  @Test func `colours are the mean and the most frequent`() {
    let dots = [UInt8](repeating: 0, count: 30) + [UInt8](repeating: 255, count: 60)
    let colours = PictureColours(samples: dots)
    #expect(colours?.average == "#aaaaaa")
    #expect(colours?.dominant == "#ffffff")
  }
}
