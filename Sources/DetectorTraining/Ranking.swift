import Foundation

/// A score with what it is known to be and the source it comes from.
package struct Scored: Hashable, Sendable {
  package var score: Double
  package var isGenerated: Bool
  package var source: String

  package init(score: Double, isGenerated: Bool, source: String) {
    self.score = score
    self.isGenerated = isGenerated
    self.source = source
  }
}

/// A figure with its 95 % interval.
package struct Estimate: Hashable, Codable, Sendable {
  package var value: Double
  package var lower: Double
  package var upper: Double

  package init(_ value: Double, _ lower: Double, _ upper: Double) {
    self.value = value
    self.lower = lower
    self.upper = upper
  }
}

/// How well scores tell the two classes apart.
package struct Ranking: Sendable {
  /// Ascending.
  package let human: [Double]
  package let generated: [Double]
  private let scored: [Scored]

  /// Nil unless there are scores of both classes.
  package init?(_ scored: [Scored]) {
    human = scored.filter { !$0.isGenerated }.map(\.score).sorted()
    generated = scored.filter(\.isGenerated).map(\.score).sorted()
    self.scored = scored
    guard !human.isEmpty, !generated.isEmpty else { return nil }
  }

  /// The chance that a generated picture scores above a human one, ties halved, with DeLong's interval on the scale of
  /// log-odds.
  package var auroc: Estimate {
    let (area, variance) = Ranking.delong(human, generated)
    guard area > 0, area < 1, variance > 0 else {
      // No variance is seen in a perfect order; what so few pictures leave open is that of the smaller class.
      let count = min(human.count, generated.count)
      let open = Rate(area >= 0.5 ? count : 0, of: count)
      return Estimate(area, area >= 0.5 ? open.lower : area, area >= 0.5 ? area : open.upper)
    }
    let reach = 1.959963984540054 * variance.squareRoot() / (area * (1 - area))
    let odds = log(area / (1 - area))
    let share = { (odds: Double) in 1 / (1 + exp(-odds)) }
    return Estimate(area, share(odds - reach), share(odds + reach))
  }

  /// DeLong, DeLong and Clarke-Pearson 1988, by ranks.
  static func delong(_ human: [Double], _ generated: [Double]) -> (area: Double, variance: Double) {
    let above = generated.map { below($0, in: human) }
    let under = human.map { 1 - below($0, in: generated) }
    let area = above.reduce(0, +) / Double(above.count)
    let spread = { (values: [Double]) in
      values.count < 2
        ? 0
        : values.reduce(0) { $0 + ($1 - area) * ($1 - area) } / Double(values.count - 1) / Double(values.count)
    }
    return (area, spread(above) + spread(under))
  }

  /// The share of an ascending list that lies below a value, ties halved.
  private static func below(_ value: Double, in sorted: [Double]) -> Double {
    let less = sorted.firstIndex(atLeast: value)
    let atMost = sorted.firstIndex(above: value)
    return (Double(less) + Double(atMost)) / 2 / Double(sorted.count)
  }

  /// The lowest threshold that at most the share `rate` of the human scores exceed. A picture is flagged above it.
  package func threshold(atFalseAlarms rate: Double) -> Double {
    Ranking.threshold(of: human, atFalseAlarms: rate)
  }

  private static func threshold(of human: [Double], atFalseAlarms rate: Double) -> Double {
    guard !human.isEmpty else { return .infinity }
    let allowed = Int(exactly: (rate * Double(human.count) + 1e-9).rounded(.down)) ?? 0
    return human[max(0, human.count - 1 - min(allowed, human.count - 1))]
  }

  /// The share of generated pictures flagged where the share `rate` of these very human pictures is: the best any
  /// threshold could do here. The interval comes from drawing whole sources again 400 times, since pictures of one
  /// source resemble each other; with fewer than five sources of a class, single pictures.
  package func caught(atFalseAlarms rate: Double, seed: UInt64 = 1) -> Estimate {
    let limit = threshold(atFalseAlarms: rate)
    let value = share(above: limit)
    let humans = Ranking.groups(scored.filter { !$0.isGenerated })
    let others = Ranking.groups(scored.filter(\.isGenerated))
    var chance = SeededChance(seed)
    var seen: [Double] = []
    for _ in 0..<400 {
      let drawn = Ranking.draw(humans, &chance).sorted()
      let limit = Ranking.threshold(of: drawn, atFalseAlarms: rate)
      let against = Ranking.draw(others, &chance)
      seen.append(Double(against.lazy.filter { $0 > limit }.count) / Double(max(1, against.count)))
    }
    seen.sort()
    return Estimate(value, min(value, seen[10]), max(value, seen[389]))
  }

  private func share(above limit: Double) -> Double {
    Double(generated.count - generated.firstIndex(above: limit)) / Double(generated.count)
  }

  private static func groups(_ scored: [Scored]) -> [[Double]] {
    let bySource = Dictionary(grouping: scored, by: \.source).sorted { $0.key < $1.key }.map { $0.value.map(\.score) }
    return bySource.count >= 5 ? bySource : scored.map { [$0.score] }
  }

  private static func draw(_ groups: [[Double]], _ chance: inout SeededChance) -> [Double] {
    var out: [Double] = []
    for _ in groups.indices { out += groups[chance.below(groups.count)] }
    return out
  }

  /// Corners of the curve of caught against false alarms, from (0, 0) to (1, 1).
  package var curve: [(falseAlarms: Double, caught: Double)] {
    var out: [(falseAlarms: Double, caught: Double)] = [(0, 0)]
    var h = human.count
    var g = generated.count
    while h > 0 || g > 0 {
      let next = max(h > 0 ? human[h - 1] : -.infinity, g > 0 ? generated[g - 1] : -.infinity)
      let (oldH, oldG) = (h, g)
      while h > 0, human[h - 1] >= next { h -= 1 }
      while g > 0, generated[g - 1] >= next { g -= 1 }
      if h == oldH, g == oldG { break }
      out.append(
        (Double(human.count - h) / Double(human.count), Double(generated.count - g) / Double(generated.count)))
    }
    return out
  }
}

extension [Double] {
  /// In an ascending list; its count when there is none.
  func firstIndex(atLeast value: Double) -> Int { partitioned { $0 >= value } }
  func firstIndex(above value: Double) -> Int { partitioned { $0 > value } }

  private func partitioned(_ isRight: (Double) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isRight(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
