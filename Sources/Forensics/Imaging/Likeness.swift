import Foundation
import Primitives

extension PerceptualHash {
  /// The sign pattern of the 64 lowest frequencies but the mean of a 32 × 32 luminance picture, against their median.
  /// Nil unless there are 32 × 32 × 3 sRGB samples.
  package init?(samples: [UInt8]) {
    let side = 32
    guard samples.count == side * side * 3 else { return nil }
    var light: [Double] = []
    for pixel in 0..<side * side {
      let red = 0.299 * Double(samples[pixel * 3])
      let green = 0.587 * Double(samples[pixel * 3 + 1])
      let blue = 0.114 * Double(samples[pixel * 3 + 2])
      light.append(red + green + blue)
    }
    let waves: [[Double]] = (1...8).map { u in
      (0..<side).map { x -> Double in cos(Double.pi * Double(u) * Double(2 * x + 1) / 64) }
    }
    var coefficients: [Double] = []
    for down in waves {
      // Columns first: 8 × 32 sums instead of 64 × 1024.
      var columns = [Double](repeating: 0, count: side)
      for y in 0..<side {
        for x in 0..<side { columns[x] += light[y * side + x] * down[y] }
      }
      for across in waves {
        var sum = 0.0
        for x in 0..<side { sum += columns[x] * across[x] }
        coefficients.append(sum)
      }
    }
    let sorted = coefficients.sorted()
    let median = (sorted[31] + sorted[32]) / 2
    var bits: UInt64 = 0
    // A flat picture leaves rounding noise only, which must not become 64 random bits.
    for coefficient in coefficients { bits = bits << 1 | (coefficient > median + 1e-6 ? 1 : 0) }
    self.init(rawValue: bits)
  }
}

/// A colour for the space a picture will take, as `#rrggbb` in sRGB.
package struct PictureColours: Codable, Hashable, Sendable {
  package var average: String
  /// The middle of the most frequent of 512 boxes of colour.
  package var dominant: String

  /// `samples` are sRGB, three a pixel. Nil when there are none.
  package init?(samples: [UInt8]) {
    let pixels = samples.count / 3
    guard pixels >= 1, pixels <= 1 << 24 else { return nil }
    var boxes = [Int](repeating: 0, count: 512)
    var sums = [(Int, Int, Int)](repeating: (0, 0, 0), count: 512)
    for pixel in 0..<pixels {
      let (r, g, b) = (Int(samples[pixel * 3]), Int(samples[pixel * 3 + 1]), Int(samples[pixel * 3 + 2]))
      let box = (r >> 5) * 64 + (g >> 5) * 8 + (b >> 5)
      boxes[box] += 1
      sums[box] = (sums[box].0 + r, sums[box].1 + g, sums[box].2 + b)
    }
    let total = sums.reduce((0, 0, 0)) { ($0.0 + $1.0, $0.1 + $1.1, $0.2 + $1.2) }
    average = Self.text(total, pixels)
    let fullest = boxes.indices.max { boxes[$0] < boxes[$1] } ?? 0
    dominant = Self.text(sums[fullest], max(1, boxes[fullest]))
  }

  private static func text(_ sum: (Int, Int, Int), _ count: Int) -> String {
    "#" + Hex.encode([sum.0, sum.1, sum.2].map { UInt8(clamping: ($0 + count / 2) / count) })
  }
}
