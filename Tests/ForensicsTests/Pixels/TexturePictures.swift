import Forensics
import Primitives
import Testing

/// Pictures drawn dot by dot in whole numbers, so that another language draws the very same.
enum TexturePictures {
  enum Kind { case noise, grey, shapes }

  static func samples(_ width: Int, _ height: Int, _ kind: Kind, seed: UInt32) -> [UInt8] {
    var state = seed
    var out: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        var first = 0
        for c in 0..<3 {
          state = state &* 1_664_525 &+ 1_013_904_223
          let n = Int(state >> 24)
          var value: Int
          switch kind {
          case .noise: value = (x * (c + 1) + y * 2) / 5 % 160 + n / 4
          case .grey: value = (x / 9 + y / 7) % 2 * 60 + x * y / 400 % 90 + n / 8
          case .shapes:
            let isInside = (x - 70) * (x - 70) + (y - 60) * (y - 60) < 2_500
            value = (isInside ? 200 : 40) + c * 10 + (x > 110 ? n / 64 : 0)
          }
          if c == 0 { first = value } else if kind == .grey { value = first }
          out.append(UInt8(min(value, 255)))
        }
      }
    }
    return out
  }

  /// The study's own formula; `k` in 0...5.
  static func synthetic(_ k: Int) -> (samples: [UInt8], width: Int, height: Int) {
    let (width, height) = (240 + 24 * k, 200 + 16 * k)
    var out: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let tiles = (x / 8 + y / 8) % 2 * 20 * k
        for c in 0..<3 {
          let ramp = x * (3 + k) + y * (5 + 2 * c)
          out.append(UInt8((ramp + x * y * (k + 1) / (7 + c) + tiles + 37 * c) % 256))
        }
      }
    }
    return (out, width, height)
  }

  /// RGBA from RGB, with the alpha of each pixel by its number.
  static func withAlpha(_ rgb: [UInt8], _ alpha: (Int) -> UInt8) -> [UInt8] {
    var out: [UInt8] = []
    for pixel in 0..<rgb.count / 3 { out += Array(rgb[pixel * 3..<pixel * 3 + 3]) + [alpha(pixel)] }
    return out
  }

  static func with<Result>(
    _ samples: [UInt8], _ width: Int, _ height: Int, channels: Int = 3, _ body: (PixelSamples) throws -> Result
  ) rethrows -> Result? {
    try samples.withUnsafeBufferPointer { buffer in
      try PixelSamples(buffer, width: width, height: height, channels: channels).map(body)
    }
  }
}

enum TestModel {
  /// Trees of no meaning, calibrated so that 0 is the median of a thousand.
  static func make(
    name: String = "test", crops: Int = 4, margins: [Double] = (0..<1_000).map { Double($0) / 250 - 2 },
    linear: Bool = false
  ) throws -> DetectorModel {
    var components: [DetectorModel.Component] = [
      .init(.trees(try TreeEnsemble(lightGBM: ModelVectors.lightGBM, featureCount: 318)))
    ]
    if linear {
      let scorer = try LinearScorer(
        means: [Float](repeating: 0.5, count: 318), scales: [Float](repeating: 2, count: 318),
        weights: (0..<318).map { Float($0 % 7) / 100 }, bias: -0.25, bound: 6, featureCount: 318)
      components.append(.init(.linear(scorer), weight: 0.5))
    }
    let card = try ModelCard(
      name: name, version: "1", date: "2026-11-21", crops: crops, manifest: "00ff",
      sources: [.init(name: "drawn", licence: "CC0", kind: "human", images: 3)],
      falseAlarms: [.init(category: "drawn", images: 3, score: 0.995, rate: 0)], note: "Says nothing.")
    let calibration = try #require(Calibration(margins: margins, images: margins.count, sources: 20))
    return try DetectorModel(card: card, featureSet: .fs1, components: components, calibration: calibration)
  }
}
