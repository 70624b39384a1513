import Foundation

/// A share with the limits between which it lies with 95 % confidence.
package struct Rate: Hashable, Codable, Sendable {
  package var hits: Int
  package var of: Int
  package var lower: Double
  package var upper: Double

  package var share: Double { of == 0 ? 0 : Double(hits) / Double(of) }

  /// Wilson's score interval. Nothing counted leaves everything open.
  package init(_ hits: Int, of count: Int) {
    self.hits = hits
    of = count
    guard count > 0 else {
      lower = 0
      upper = 1
      return
    }
    let n = Double(count)
    let z = 1.959963984540054
    let share = Double(hits) / n
    let scale = 1 + z * z / n
    let middle = (share + z * z / (2 * n)) / scale
    let reach = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot() / scale
    lower = hits == 0 ? 0 : max(0, middle - reach)
    upper = hits == count ? 1 : min(1, middle + reach)
  }
}

/// What so many pictures with so many false alarms prove of a false-alarm rate: one-sided, exact (Clopper and Pearson
/// 1934). It holds for independent pictures, which those of one artist are not.
package enum Certificate {
  package static let confidence = 0.95

  /// The rate above which so few alarms would be seen in fewer than 5 of 100 trials. 1 without pictures.
  package static func bound(alarms: Int, of count: Int) -> Double {
    guard count > 0, alarms < count else { return 1 }
    guard alarms > 0 else { return 1 - pow(1 - confidence, 1 / Double(count)) }
    var low = Double(alarms) / Double(count)
    var high = 1.0
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if chance(ofAtMost: alarms, of: count, rate: middle) > 1 - confidence { low = middle } else { high = middle }
    }
    return high
  }

  /// The fewest pictures that prove `rate` with so many alarms.
  package static func needed(for rate: Double, alarms: Int) -> Int {
    guard rate > 0, rate < 1 else { return 0 }
    var low = alarms
    var high = alarms + 1
    while bound(alarms: alarms, of: high) > rate, high < 1 << 40 { (low, high) = (high, high * 2) }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if bound(alarms: alarms, of: middle) > rate { low = middle } else { high = middle }
    }
    return high
  }

  /// P(X <= alarms) for X binomial.
  static func chance(ofAtMost alarms: Int, of count: Int, rate: Double) -> Double {
    guard alarms < count else { return 1 }
    guard alarms >= 0 else { return 0 }
    return regularisedBeta(1 - rate, Double(count - alarms), Double(alarms) + 1)
  }
}

/// The regularised incomplete beta function I_x(a, b) by its continued fraction (Lentz's method), a and b above 0.
func regularisedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
  // The fraction converges fast only on this side of the mean.
  return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b
}

private func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  let tiny = 1e-300
  var c = 1.0
  var d = 1 - (a + b) * x / (a + 1)
  d = 1 / (abs(d) < tiny ? tiny : d)
  var sum = d
  for step in 1...10_000 {
    let m = Double(step)
    for term in [
      m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
      -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
    ] {
      d = 1 + term * d
      d = 1 / (abs(d) < tiny ? tiny : d)
      c = 1 + term / c
      if abs(c) < tiny { c = tiny }
      sum *= d * c
    }
    if abs(d * c - 1) < 1e-15 { break }
  }
  return sum
}

/// Lanczos' approximation (g = 7, nine terms), good to 15 digits. The C library's writes a global variable.
func logGamma(_ x: Double) -> Double {
  let terms = [
    676.5203681218851, -1_259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ]
  guard x >= 0.5 else { return log(Double.pi / abs(sin(Double.pi * x))) - logGamma(1 - x) }
  let shifted = x - 1
  let base = shifted + 7.5
  let sum = terms.enumerated().reduce(0.9999999999998099) { $0 + $1.element / (shifted + Double($1.offset + 1)) }
  return 0.5 * log(2 * Double.pi) + (shifted + 0.5) * log(base) - base + log(sum)
}
