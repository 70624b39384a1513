import Forensics
import Foundation

/// Gradient-boosted trees over binned features: leaf-wise growth, second-order logistic loss, shrinkage. The same table,
/// settings and seed give the same trees to the last bit.
package struct Trainer: Sendable {
  package struct Settings: Hashable, Codable, Sendable {
    package var trees = 600
    package var leaves = 24
    package var learningRate = 0.04
    /// Of the features, for each tree.
    package var featureFraction = 0.25
    /// Of the rows, for each tree.
    package var bagFraction = 0.7
    package var leastInLeaf = 30
    package var l2 = 5.0
    package var seed: UInt64 = 1

    package init() {}
  }

  package let settings: Settings

  package init(_ settings: Settings = Settings()) { self.settings = settings }

  /// - Parameters:
  ///   - start: Log-odds of each row by a model to grow on; the trees then add to that model's.
  ///   - progress: Called after each tree with how many are done; false stops with what there is.
  package func train(
    _ table: TrainingTable, from start: [Double]? = nil, progress: (Int) -> Bool = { _ in true }
  ) throws(TrainingFailure) -> GrownTrees {
    guard table.rows < 1 << 24, table.columns < 1 << 16 else { throw .tooManyRows }
    guard start == nil || start?.count == table.rows, start?.allSatisfy(\.isFinite) != false else { throw .notFinite }
    guard table.labels.contains(true), table.labels.contains(false) else { throw .oneClass }
    let binned = BinnedTable(table)
    let (human, generated) = zip(table.labels, table.weights).reduce((0.0, 0.0)) {
      $1.0 ? ($0.0, $0.1 + $1.1) : ($0.0 + $1.1, $0.1)
    }
    guard human > 0, generated > 0 else { throw .oneClass }
    let base = start == nil ? log(generated / human) : 0
    var chance = SeededChance(settings.seed)
    var margins = start ?? [Double](repeating: base, count: table.rows)
    var gradients = [SIMD4<Double>](repeating: .zero, count: table.rows)
    var grown = GrownTrees(base: base, columns: table.columns)
    let columnsEach = max(1, Int(exactly: (Double(table.columns) * settings.featureFraction).rounded()) ?? 1)
    let rowsEach = max(1, Int(exactly: (Double(table.rows) * settings.bagFraction).rounded()) ?? 1)
    let growth = TreeGrowth(table: binned, settings: settings)
    for number in 1...max(1, settings.trees) {
      Trainer.derive(margins, table, into: &gradients)
      let features = chance.choose(columnsEach, of: table.columns)
      let bag = chance.choose(rowsEach, of: table.rows).map { Int32(truncatingIfNeeded: $0) }
      let tree = growth.grow(bag, features, gradients, gains: &grown.gains)
      tree.add(to: &margins, binned)
      grown.trees.append(tree)
      guard progress(number) else { break }
    }
    return grown
  }

  /// First and second derivative of the logistic loss at the present margins, times the weight, and a one to count.
  private static func derive(
    _ margins: [Double], _ table: TrainingTable, into gradients: inout [SIMD4<Double>]
  ) {
    gradients.withUnsafeMutableBufferPointer { out in
      margins.withUnsafeBufferPointer { margins in
        table.labels.withUnsafeBufferPointer { labels in
          table.weights.withUnsafeBufferPointer { weights in
            for row in 0..<out.count {
              let chance = 1 / (1 + exp(-margins[row]))
              let weight = weights[row]
              out[row] = SIMD4(
                (chance - (labels[row] ? 1 : 0)) * weight, max(chance * (1 - chance), 1e-16) * weight, 1, 0)
            }
          }
        }
      }
    }
  }
}

/// One tree, nodes in the order they were split. A child at or above zero is a node, below zero the leaf `-1 - child`.
package struct GrownTree: Hashable, Sendable {
  package struct Node: Hashable, Sendable {
    package var feature: Int
    /// Values up to and with it go left.
    package var threshold: Float
    package var bin: UInt8
    package var left: Int
    package var right: Int
    /// What the tree would say if it ended here: for explanations.
    package var value: Double
  }

  package internal(set) var nodes: [Node] = []
  package internal(set) var leaves: [Double] = []
  /// Rows of the bag in each leaf.
  package internal(set) var counts: [Int] = []

  package func value(_ row: some RandomAccessCollection<Float>) -> Double {
    var child = nodes.isEmpty ? -1 : 0
    while child >= 0 {
      let node = nodes[child]
      child = row[row.index(row.startIndex, offsetBy: node.feature)] <= node.threshold ? node.left : node.right
    }
    return leaves[-1 - child]
  }

  func add(to margins: inout [Double], _ table: BinnedTable) {
    let rows = table.rows
    nodes.withUnsafeBufferPointer { nodes in
      leaves.withUnsafeBufferPointer { leaves in
        table.bins.withUnsafeBufferPointer { bins in
          margins.withUnsafeMutableBufferPointer { margins in
            for row in 0..<rows {
              var child = nodes.isEmpty ? -1 : 0
              while child >= 0 {
                let node = nodes[child]
                child = bins[node.feature * rows + row] <= node.bin ? node.left : node.right
              }
              margins[row] += leaves[-1 - child]
            }
          }
        }
      }
    }
  }
}

package struct GrownTrees: Hashable, Sendable {
  /// The log-odds before any tree.
  package let base: Double
  package let columns: Int
  package internal(set) var trees: [GrownTree] = []
  /// What each feature gained over all splits, for the report.
  package internal(set) var gains: [Double]

  init(base: Double, columns: Int) {
    self.base = base
    self.columns = columns
    gains = [Double](repeating: 0, count: columns)
  }

  /// Log-odds that the row comes from a generated picture.
  package func margin(_ row: some RandomAccessCollection<Float>) -> Double {
    trees.reduce(base) { $0 + $1.value(row) }
  }
}

extension GrownTrees {
  /// As they are kept in a model. The log-odds before any tree go into the first.
  package func ensemble() throws(ModelFailure) -> TreeEnsemble {
    let flat = trees.enumerated().map { index, tree in
      let start = index == 0 ? base : 0
      return TreeEnsemble.Tree(
        features: tree.nodes.map { UInt16(clamping: $0.feature) }, thresholds: tree.nodes.map(\.threshold),
        left: tree.nodes.map { Int16(clamping: $0.left) }, right: tree.nodes.map { Int16(clamping: $0.right) },
        values: tree.nodes.map { Float($0.value + start) }, leaves: tree.leaves.map { Float($0 + start) })
    }
    return try TreeEnsemble(flat, featureCount: columns)
  }
}
