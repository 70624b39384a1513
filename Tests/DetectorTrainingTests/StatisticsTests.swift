import DetectorTraining
import Foundation
import Testing

@Suite struct StatisticsTests {
  /// The table of the study, section 3.4.
  @Test(arguments: [
    (0.01, [299, 473, 913]), (0.005, [598, 947, 1_829]), (0.001, [2_995, 4_742, 9_151]),
  ])
  func `so many pictures prove a rate`(rate: Double, needed: [Int]) {
    #expect([0, 1, 4].map { Certificate.needed(for: rate, alarms: $0) } == needed)
    for (alarms, count) in zip([0, 1, 4], needed) {
      #expect(Certificate.bound(alarms: alarms, of: count) <= rate)
      #expect(Certificate.bound(alarms: alarms, of: count - 1) > rate)
    }
  }

  /// Against the sum of the binomial probabilities themselves.
  @Test func `the bound is that at which so few alarms are rare`() {
    for (alarms, count) in [(0, 1), (1, 2), (2, 10), (7, 30), (29, 30), (5, 982)] {
      let rate = Certificate.bound(alarms: alarms, of: count)
      var sum = 0.0
      for k in 0...alarms {
        var term = 1.0
        for i in 0..<k { term *= Double(count - i) / Double(i + 1) * rate }
        sum += term * pow(1 - rate, Double(count - k))
      }
      #expect(abs(sum - 0.05) < 1e-9, "\(alarms) of \(count)")
    }
    #expect(Certificate.bound(alarms: 0, of: 0) == 1)
    #expect(Certificate.bound(alarms: 3, of: 3) == 1)
  }

  @Test func `Wilson's interval is that of the textbooks`() {
    let rate = Rate(5, of: 982)
    #expect(abs(rate.lower - 0.00218) < 0.00005 && abs(rate.upper - 0.01186) < 0.00005)
    #expect(Rate(0, of: 0).upper == 1 && Rate(0, of: 10).lower == 0 && Rate(10, of: 10).upper == 1)
  }

  private func scored(_ human: [Double], _ generated: [Double]) -> [Scored] {
    human.enumerated().map { Scored(score: $1, isGenerated: false, source: "h\($0)") }
      + generated.enumerated().map { Scored(score: $1, isGenerated: true, source: "g\($0)") }
  }

  @Test func `the area is the share of pairs in the right order`() throws {
    let human = [0.1, 0.4, 0.35, 0.8]
    let generated = [0.9, 0.4, 0.7, 0.2, 0.8]
    var wins = 0.0
    for h in human { for g in generated { wins += g > h ? 1 : g == h ? 0.5 : 0 } }
    let area = try #require(Ranking(scored(human, generated))).auroc
    #expect(abs(area.value - wins / 20) < 1e-12)
    #expect(area.lower < area.value && area.upper > area.value && area.lower > 0 && area.upper < 1)
    let perfect = try #require(Ranking(scored([1, 2, 3], [4, 5]))).auroc
    #expect(perfect.value == 1 && perfect.upper == 1 && perfect.lower < 0.9)
    #expect(Ranking(scored([], [1])) == nil)
  }

  @Test func `the area's interval holds the truth about as often as it says`() throws {
    // Two normal distributions a distance of 1 apart: the area is 0.7602.
    var chance = SeededChance(5)
    func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + chance.unit() } }
    var held = 0
    for _ in 0..<200 {
      let human = (0..<60).map { _ in normal() }
      let generated = (0..<40).map { _ in normal() + 1 }
      let area = try #require(Ranking(scored(human, generated))).auroc
      if area.lower <= 0.7602, area.upper >= 0.7602 { held += 1 }
    }
    #expect((180...200).contains(held))
  }

  @Test func `at a share of false alarms at most that share is flagged`() throws {
    let human = (0..<1_000).map { Double($0) }
    let generated = (0..<100).map { Double($0) * 20 }
    let ranking = try #require(Ranking(scored(human, generated)))
    for rate in [0.0, 0.001, 0.005, 0.01, 0.5] {
      let limit = ranking.threshold(atFalseAlarms: rate)
      #expect(human.filter { $0 > limit }.count == Int(rate * 1_000))
    }
    let caught = ranking.caught(atFalseAlarms: 0.01)
    #expect(caught.value == 0.5 && caught.lower < 0.5 && caught.upper > 0.5)
    let ends = ranking.curve
    #expect(ends.first?.caught == 0 && ends.last?.falseAlarms == 1 && ends.last?.caught == 1)
  }

  @Test func `all pictures of a source fall together, and the folds are even`() {
    let folds = Folds(["a": 50, "b": 20, "c": 20, "d": 10, "e": 1, "f": 1], atMost: 3)
    #expect(folds.count == 3 && folds.bySource["a"] == 0)
    var load = [0, 0, 0]
    for (source, size) in ["a": 50, "b": 20, "c": 20, "d": 10, "e": 1, "f": 1] {
      load[folds.bySource[source] ?? 0] += size
    }
    #expect(load.max() == 50 && load.min() == 22)
    #expect(Folds(["a": 1], atMost: 6).count == 1)
  }

  @Test func `a large source speaks for less than its number, and both kinds weigh the same`() {
    let items =
      Array(repeating: ("big", false), count: 900) + Array(repeating: ("small", false), count: 100)
      + Array(repeating: ("model", true), count: 250)
    let weights = balancedWeights(items.map { (source: $0.0, isGenerated: $0.1) })
    #expect(abs(weights.reduce(0, +) - 1_250) < 1e-6)
    #expect(abs(weights.suffix(250).reduce(0, +) - 625) < 1e-6)
    let ratio = weights.prefix(900).reduce(0, +) / weights[900..<1_000].reduce(0, +)
    #expect(abs(ratio - pow(9, 0.6)) < 1e-9)
  }
}
