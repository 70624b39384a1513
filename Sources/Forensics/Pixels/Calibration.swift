import Primitives

/// How human pictures score: the margins of pictures that the scoring model had seen neither themselves nor anything
/// else of their source. Holds quantiles only, nothing of any picture.
package struct Calibration: Hashable, Sendable {
  /// Ascending margins. The highest ones are kept one by one, the rest at even steps, the lowest always.
  package let knots: [Double]
  /// For each knot, how many of `count` margins reach it.
  package let reaching: [UInt32]
  package var count: Int { Int(reaching.first ?? 0) }
  /// A picture may stand for several margins: as found, recompressed, made smaller.
  package let images: Int
  package let sources: Int

  /// Nil without margins, or with one that is no number.
  package init?(margins: [Double], images: Int, sources: Int) {
    guard !margins.isEmpty, margins.count <= Int(UInt32.max), margins.allSatisfy(\.isFinite) else { return nil }
    let descending = margins.sorted(by: >)
    let tail = Limits.calibrationKnots / 2
    var ranks = Set(0..<min(tail, descending.count))
    let rest = descending.count - tail
    if rest > 0 {
      let steps = min(Limits.calibrationKnots - tail, rest)
      for step in 1...steps { ranks.insert(tail - 1 + rest * step / steps) }
    }
    // Of equal margins the last rank counts them all.
    var reaching: [Double: UInt32] = [:]
    var last = 0
    for rank in ranks.sorted() {
      last = max(last, rank)
      while last + 1 < descending.count, descending[last + 1] == descending[rank] { last += 1 }
      reaching[descending[rank]] = UInt32(clamping: last + 1)
    }
    let knots = reaching.keys.sorted()
    self.knots = knots
    self.reaching = knots.map { reaching[$0] ?? 0 }
    self.images = images
    self.sources = sources
  }

  init(knots: [Double], reaching: [UInt32], images: Int, sources: Int) throws(ModelFailure) {
    guard !knots.isEmpty, knots.count <= Limits.calibrationKnots, knots.count == reaching.count, images > 0,
      sources > 0, knots.allSatisfy(\.isFinite), zip(knots, knots.dropFirst()).allSatisfy({ $0 < $1 }),
      zip(reaching, reaching.dropFirst()).allSatisfy({ $0 > $1 }), reaching.last ?? 0 > 0
    else { throw .malformed("a calibration that does not rise") }
    self.knots = knots
    self.reaching = reaching
    self.images = images
    self.sources = sources
  }

  /// How many calibration margins reach `margin`; between two knots, never fewer than do.
  package func reaching(_ margin: Double) -> Int {
    // The first knot that is not below.
    var (low, high) = (0, knots.count)
    while low < high {
      let middle = (low + high) / 2
      if knots[middle] < margin { low = middle + 1 } else { high = middle }
    }
    guard low < knots.count else { return 0 }
    guard low > 0, knots[low] != margin else { return Int(reaching[low]) }
    return max(Int(reaching[low]), Int(reaching[low - 1]) - 1)
  }

  /// The share of human pictures that look at least so generated, counting this one as another. Above 0, at most 1.
  package func chance(_ margin: Double) -> Double {
    guard !margin.isNaN else { return 1 }
    return Double(1 + reaching(margin)) / Double(count + 1)
  }

  /// 0..<1: never 1, however odd the picture.
  package func score(_ margin: Double) -> Double { 1 - chance(margin) }
}
