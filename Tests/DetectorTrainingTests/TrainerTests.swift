import DetectorTraining
import Foundation
import Testing

@Suite struct TrainerTests {
  private func table(
    _ rows: Int, columns: Int = 4, seed: UInt64 = 7, _ label: ([Float], inout SeededChance) -> Bool
  ) throws -> TrainingTable {
    var chance = SeededChance(seed)
    var table = TrainingTable(columns: columns)
    for _ in 0..<rows {
      let row = (0..<columns).map { _ in Float(chance.unit() * 2 - 1) }
      let isGenerated = label(row, &chance)
      try table.append(row, label: isGenerated)
    }
    return table
  }

  private func small(trees: Int = 40) -> Trainer.Settings {
    var settings = Trainer.Settings()
    settings.trees = trees
    settings.leaves = 8
    settings.learningRate = 0.2
    settings.featureFraction = 1
    settings.leastInLeaf = 10
    return settings
  }

  private func share(of grown: GrownTrees, rightIn table: TrainingTable) -> Double {
    let right = (0..<table.rows).filter { row in
      let values = table.values[row * table.columns..<(row + 1) * table.columns]
      return (grown.margin(values) > 0) == table.labels[row]
    }
    return Double(right.count) / Double(table.rows)
  }

  @Test func `a pattern that no single feature shows is learned`() throws {
    let exclusive = { (row: [Float], _: inout SeededChance) in (row[0] > 0) != (row[2] > 0) }
    let grown = try Trainer(small()).train(try table(600, exclusive))
    #expect(share(of: grown, rightIn: try table(400, seed: 8, exclusive)) > 0.95)
    #expect(grown.gains[0] > grown.gains[1] && grown.gains[2] > grown.gains[3])
  }

  @Test func `a sum of features is learned, and the margin follows its log-odds`() throws {
    let additive = { (row: [Float], chance: inout SeededChance) in
      chance.unit() < 1 / (1 + exp(-Double(3 * row[0] + 2 * row[1])))
    }
    let grown = try Trainer(small(trees: 60)).train(try table(1_500, additive))
    #expect(share(of: grown, rightIn: try table(600, seed: 9, additive)) > 0.75)
    let low = grown.margin([-0.8, -0.8, 0, 0] as [Float])
    let high = grown.margin([0.8, 0.8, 0, 0] as [Float])
    #expect(low < -1.5 && high > 1.5)
  }

  @Test func `the same seed gives the same trees, another one others`() throws {
    let noisy = { (row: [Float], chance: inout SeededChance) in chance.unit() < (row[0] > 0 ? 0.8 : 0.3) }
    let data = try table(300, noisy)
    var settings = small(trees: 10)
    settings.featureFraction = 0.5
    let first = try Trainer(settings).train(data)
    #expect(try Trainer(settings).train(data) == first)
    settings.seed = 2
    #expect(try Trainer(settings).train(data) != first)
  }

  @Test func `no leaf holds fewer rows than it must`() throws {
    let data = try table(500) { row, chance in chance.unit() < Double(row[0] * row[0]) }
    for least in [5, 30, 120, 400] {
      var settings = small(trees: 5)
      settings.leastInLeaf = least
      for tree in try Trainer(settings).train(data).trees {
        #expect(tree.counts.allSatisfy { $0 >= least } || tree.nodes.isEmpty)
        #expect(tree.leaves.count == tree.nodes.count + 1 && tree.leaves.count <= settings.leaves)
        #expect(tree.counts.reduce(0, +) == 350)
      }
    }
  }

  /// Every cut of every feature tried by hand. Few distinct values, so that each has a bin of its own.
  @Test(arguments: 1...12)
  func `the first split is the best there is`(seed: Int) throws {
    var chance = SeededChance(UInt64(seed))
    var data = TrainingTable(columns: 3)
    var rows: [[Float]] = []
    for _ in 0..<60 {
      let row = (0..<3).map { _ in Float(chance.below(7)) }
      rows.append(row)
      try data.append(row, label: chance.unit() < 0.2 + Double(row[1]) / 10, weight: 0.5 + chance.unit())
    }
    var settings = small(trees: 1)
    settings.leaves = 2
    settings.bagFraction = 1
    settings.leastInLeaf = 5
    let grown = try Trainer(settings).train(data)
    let share = 1 / (1 + exp(-grown.base))
    func sums(_ isIn: ([Float]) -> Bool) -> (g: Double, h: Double, n: Int) {
      rows.indices.filter { isIn(rows[$0]) }.reduce((0, 0, 0)) {
        let weight = data.weights[$1]
        return ($0.0 + (share - (data.labels[$1] ? 1 : 0)) * weight, $0.1 + share * (1 - share) * weight, $0.2 + 1)
      }
    }
    let worth = { (part: (g: Double, h: Double, n: Int)) in part.g * part.g / (part.h + settings.l2) }
    var best = 0.0
    for feature in 0..<3 {
      for cut in 0..<6 {
        let left = sums { $0[feature] <= Float(cut) + 0.5 }
        let right = sums { $0[feature] > Float(cut) + 0.5 }
        guard left.n >= 5, right.n >= 5 else { continue }
        best = max(best, worth(left) + worth(right) - worth(sums { _ in true }))
      }
    }
    let tree = try #require(grown.trees.first)
    #expect(abs(grown.gains.reduce(0, +) - best) < 1e-9)
    if let node = tree.nodes.first {
      let left = sums { $0[node.feature] <= node.threshold }
      #expect(abs(tree.leaves[0] + settings.learningRate * left.g / (left.h + settings.l2)) < 1e-9)
    }
  }

  @Test func `what can not be learned from is refused`() throws {
    var data = TrainingTable(columns: 2)
    #expect(throws: TrainingFailure.columns(expected: 2, found: 1)) { try data.append([1], label: true) }
    #expect(throws: TrainingFailure.notFinite) { try data.append([1, .nan], label: true) }
    #expect(throws: TrainingFailure.oneClass) { try Trainer().train(data) }
    try data.append([1, 2], label: true)
    #expect(throws: TrainingFailure.oneClass) { try Trainer().train(data) }
    try data.append([2, 1], label: false)
    #expect(try Trainer(small(trees: 3)).train(data).trees.count == 3)
  }

  @Test func `training stops when it is told to`() throws {
    let data = try table(100) { row, _ in row[0] > 0 }
    #expect(try Trainer(small()).train(data) { $0 < 4 }.trees.count == 4)
  }
}
