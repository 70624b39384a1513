import Primitives

/// Gradient-boosted trees in flat arrays. Every index was checked when it was made, so that asking it can neither trap
/// nor run in circles.
package struct TreeEnsemble: Hashable, Sendable {
  /// One tree as it comes from a trainer or a file; nothing is checked yet.
  package struct Tree: Hashable, Sendable {
    /// For every node: the feature asked about; at or below the threshold goes left.
    package var features: [UInt16]
    package var thresholds: [Float]
    /// A node of this tree, always a later one; or, below zero, the leaf with the number of its complement.
    package var left: [Int16]
    package var right: [Int16]
    /// For every node: the mean margin of the training pictures that reach it, for explanations.
    package var values: [Float]
    /// One more than nodes.
    package var leaves: [Float]

    package init(
      features: [UInt16], thresholds: [Float], left: [Int16], right: [Int16], values: [Float], leaves: [Float]
    ) {
      self.features = features
      self.thresholds = thresholds
      self.left = left
      self.right = right
      self.values = values
      self.leaves = leaves
    }
  }

  let nodeCounts: [UInt16]
  let features: [UInt16]
  let thresholds: [Float]
  let left: [Int16]
  let right: [Int16]
  let values: [Float]
  let leaves: [Float]

  package var treeCount: Int { nodeCounts.count }
  package var nodeCount: Int { features.count }

  package init(_ trees: [Tree], featureCount: Int) throws(ModelFailure) {
    guard trees.count <= Limits.modelTrees, trees.allSatisfy({ $0.features.count <= Limits.treeNodes }) else {
      throw .malformed("more trees or nodes than are read here")
    }
    for tree in trees { try Self.check(tree, featureCount) }
    nodeCounts = trees.map { UInt16(clamping: $0.features.count) }
    features = trees.flatMap(\.features)
    thresholds = trees.flatMap(\.thresholds)
    left = trees.flatMap(\.left)
    right = trees.flatMap(\.right)
    values = trees.flatMap(\.values)
    leaves = trees.flatMap(\.leaves)
  }

  private static func check(_ tree: Tree, _ featureCount: Int) throws(ModelFailure) {
    let count = tree.features.count
    guard tree.thresholds.count == count, tree.left.count == count, tree.right.count == count,
      tree.values.count == count, tree.leaves.count == count + 1
    else { throw .malformed("a tree whose lists differ in length") }
    guard tree.features.allSatisfy({ Int($0) < featureCount }) else {
      throw .malformed("a tree that asks about a feature that is not there")
    }
    guard (tree.thresholds + tree.values + tree.leaves).allSatisfy(\.isFinite) else {
      throw .malformed("a tree with a number that is none")
    }
    for (node, children) in zip(tree.left, tree.right).enumerated() {
      for child in [Int(children.0), Int(children.1)] {
        // A child that is always a later node can not lead back.
        guard child < 0 ? -child <= tree.leaves.count : child > node && child < count else {
          throw .malformed("a tree whose branches lead nowhere or back")
        }
      }
    }
  }

  /// The sum of one leaf of every tree; above 0 speaks for generation. Features that are missing count as 0.
  package func margin(_ row: [Float]) -> Double {
    var sum = 0.0
    walk(row) { _, _, leaf in sum += Double(leaf) }
    return sum
  }

  /// Adds, for every feature, what its questions changed on the way from the roots to the leaves, times `weight`.
  func addContributions(_ row: [Float], weight: Double, to sums: inout [Double]) {
    walk(row) { path, start, leaf in
      for (place, node) in path.enumerated() {
        let next = place + 1 < path.count ? values[start + path[place + 1]] : leaf
        let feature = Int(features[start + node])
        guard sums.indices.contains(feature) else { continue }
        sums[feature] += weight * Double(next - values[start + node])
      }
    }
  }

  /// Tells, for every tree, the nodes that were passed, where the tree begins, and the leaf.
  @inline(__always) private func walk(_ row: [Float], _ visit: (_ path: [Int], _ start: Int, _ leaf: Float) -> Void) {
    var start = 0
    var path: [Int] = []
    for (tree, count) in nodeCounts.enumerated() {
      path.removeAll(keepingCapacity: true)
      var node = count == 0 ? -1 : 0
      while node >= 0 {
        path.append(node)
        let feature = Int(features[start + node])
        let value = feature < row.count ? row[feature] : 0
        node = Int(value <= thresholds[start + node] ? left[start + node] : right[start + node])
      }
      visit(path, start, leaves[start + tree - node - 1])
      start += Int(count)
    }
  }
}

/// A weighted sum over standardised features: what a linear discriminant or a logistic regression learns.
package struct LinearScorer: Hashable, Sendable {
  package let means: [Float]
  package let scales: [Float]
  package let weights: [Float]
  package let bias: Double
  /// Standardised values are held within minus and plus this, so that one odd feature can not decide alone.
  package let bound: Double

  package init(
    means: [Float], scales: [Float], weights: [Float], bias: Double, bound: Double, featureCount: Int
  ) throws(ModelFailure) {
    guard means.count == featureCount, scales.count == featureCount, weights.count == featureCount,
      (means + scales + weights).allSatisfy(\.isFinite), scales.allSatisfy({ $0 > 0 }), bias.isFinite, bound > 0,
      bound.isFinite
    else { throw .malformed("a linear part whose lists do not fit the features") }
    self.means = means
    self.scales = scales
    self.weights = weights
    self.bias = bias
    self.bound = bound
  }

  private func term(_ index: Int, _ row: [Float]) -> Double {
    let value = Double(index < row.count ? row[index] : 0)
    let standard = (value - Double(means[index])) / Double(scales[index])
    return min(max(standard, -bound), bound) * Double(weights[index])
  }

  package func margin(_ row: [Float]) -> Double { weights.indices.reduce(bias) { $0 + term($1, row) } }

  func addContributions(_ row: [Float], weight: Double, to sums: inout [Double]) {
    for index in weights.indices where sums.indices.contains(index) { sums[index] += weight * term(index, row) }
  }
}
