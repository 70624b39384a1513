import Foundation

/// The blurhash of woltapp/blurhash, algorithm document of 2021: a DCT of few components in linear light, in base 83.
package enum Blurhash {
  private static let digits = Array(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~".utf8)

  /// `samples` are sRGB, three a pixel, rows top to bottom. Nil when they do not fill the picture or the number of
  /// components is not 1...9. Give a small picture: the cost is pixels × components.
  package static func encode(
    _ samples: [UInt8], width: Int, height: Int, across: Int = 4, down: Int = 3
  ) -> String? {
    guard width >= 1, height >= 1, (1...9).contains(across), (1...9).contains(down), width <= 1_024, height <= 1_024,
      samples.count == width * height * 3
    else { return nil }
    let linear = (0..<256).map { toLinear(Double($0) / 255) }
    var factors: [(Double, Double, Double)] = []
    for j in 0..<down {
      for i in 0..<across {
        factors.append(factor(samples, width, height, i, j, linear))
      }
    }
    guard let average = factors.first else { return nil }
    let details = factors.dropFirst()
    var out = base83(across - 1 + (down - 1) * 9, 1)
    var largest = 1.0
    if details.isEmpty {
      out += base83(0, 1)
    } else {
      let peak = details.map { max(abs($0.0), abs($0.1), abs($0.2)) }.max() ?? 0
      let quantised = whole(max(0, min(82, (peak * 166 - 0.5).rounded(.down))))
      largest = Double(quantised + 1) / 166
      out += base83(quantised, 1)
    }
    out += base83(toSRGB(average.0) << 16 | toSRGB(average.1) << 8 | toSRGB(average.2), 4)
    for detail in details {
      let parts = [detail.0, detail.1, detail.2].map { quantise($0 / largest) }
      out += base83(parts.reduce(0) { $0 * 19 + $1 }, 2)
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func factor(
    _ samples: [UInt8], _ width: Int, _ height: Int, _ i: Int, _ j: Int, _ linear: [Double]
  ) -> (Double, Double, Double) {
    let columns = (0..<width).map { x -> Double in cos(Double.pi * Double(i) * Double(x) / Double(width)) }
    let rows = (0..<height).map { y -> Double in cos(Double.pi * Double(j) * Double(y) / Double(height)) }
    var sum = (0.0, 0.0, 0.0)
    for y in 0..<height {
      for x in 0..<width {
        let basis = columns[x] * rows[y]
        let at = (y * width + x) * 3
        sum.0 += basis * linear[Int(samples[at])]
        sum.1 += basis * linear[Int(samples[at + 1])]
        sum.2 += basis * linear[Int(samples[at + 2])]
      }
    }
    let scale = (i == 0 && j == 0 ? 1.0 : 2.0) / Double(width * height)
    return (sum.0 * scale, sum.1 * scale, sum.2 * scale)
  }

  private static func toLinear(_ value: Double) -> Double {
    value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
  }

  private static func toSRGB(_ value: Double) -> Int {
    let v = max(0, min(1, value))
    return whole((v <= 0.0031308 ? v * 12.92 * 255 : (1.055 * pow(v, 1 / 2.4) - 0.055) * 255) + 0.5)
  }

  private static func quantise(_ value: Double) -> Int {
    let root = value < 0 ? -pow(-value, 0.5) : pow(value, 0.5)
    return whole(max(0, min(18, (root * 9 + 9.5).rounded(.down))))
  }

  /// Cut to 0...255 or less by the callers; NaN reads as 0.
  private static func whole(_ value: Double) -> Int { Int(exactly: value.rounded(.down)) ?? 0 }

  private static func base83(_ value: Int, _ length: Int) -> [UInt8] {
    var rest = value
    var out: [UInt8] = []
    for _ in 0..<length {
      out.append(digits[rest % 83])
      rest /= 83
    }
    return out.reversed()
  }
}
