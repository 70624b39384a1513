/// Grows one tree: always the leaf whose best split gains most.
struct TreeGrowth {
  let table: BinnedTable
  let settings: Trainer.Settings

  /// Sums of one leaf: gradient, hessian, rows. `histogram[position of the feature * 128 + bin]`.
  private typealias Sums = SIMD4<Double>
  private static let stride = 128

  struct Split: Equatable {
    var gain: Double
    var feature: Int
    var bin: Int
  }

  private struct Leaf {
    var rows: Range<Int>
    var sums: SIMD4<Double>
    var histogram: [SIMD4<Double>]
    var split: Split?
    /// Where the tree points at it: a node and whether on its left.
    var parent: (node: Int, isLeft: Bool)?
  }

  func grow(
    _ bag: [Int32], _ features: [Int], _ gradients: [SIMD4<Double>], gains: inout [Double]
  ) -> GrownTree {
    var rows = bag
    var tree = GrownTree()
    var leaves = [leaf(0..<rows.count, rows, features, gradients, parent: nil)]
    while leaves.count < settings.leaves {
      // The first of equals, so that the tree does not depend on anything but the data.
      var chosen: Int?
      for index in leaves.indices {
        guard let split = leaves[index].split else { continue }
        if let best = chosen.flatMap({ leaves[$0].split }), best.gain >= split.gain { continue }
        chosen = index
      }
      guard let chosen, let split = leaves[chosen].split else { break }
      gains[split.feature] += split.gain
      let old = leaves[chosen]
      let middle = part(&rows, old.rows, split)
      let node = tree.nodes.count
      tree.nodes.append(
        .init(
          feature: split.feature, threshold: table.cuts[split.feature][split.bin],
          bin: UInt8(truncatingIfNeeded: split.bin), left: 0, right: 0, value: value(old.sums)))
      point(old.parent, at: node, in: &tree)
      let (left, right) = children(of: old, middle, rows, features, gradients, node: node)
      leaves[chosen] = left
      leaves.append(right)
    }
    for (index, leaf) in leaves.enumerated() {
      point(leaf.parent, at: -1 - index, in: &tree)
      tree.leaves.append(value(leaf.sums))
      tree.counts.append(leaf.rows.count)
    }
    return tree
  }

  /// What a leaf with these rows adds to the log-odds.
  private func value(_ sums: Sums) -> Double { -settings.learningRate * sums.x / (sums.y + settings.l2) }

  private func point(_ parent: (node: Int, isLeft: Bool)?, at child: Int, in tree: inout GrownTree) {
    guard let parent else { return }
    if parent.isLeft { tree.nodes[parent.node].left = child } else { tree.nodes[parent.node].right = child }
  }

  private func leaf(
    _ range: Range<Int>, _ rows: [Int32], _ features: [Int], _ gradients: [SIMD4<Double>],
    parent: (node: Int, isLeft: Bool)?
  ) -> Leaf {
    let histogram = histogram(rows[range], features, gradients)
    return leaf(range, histogram, features, parent)
  }

  private func leaf(
    _ range: Range<Int>, _ histogram: [SIMD4<Double>], _ features: [Int], _ parent: (node: Int, isLeft: Bool)?
  ) -> Leaf {
    // Every row is in exactly one bin of each feature, so any feature adds up to the whole leaf.
    let sums = histogram.prefix(TreeGrowth.stride).reduce(.zero, +)
    return Leaf(
      rows: range, sums: sums, histogram: histogram, split: bestSplit(histogram, sums, features), parent: parent)
  }

  /// Counts the smaller child and takes the larger from what remains of the parent.
  private func children(
    of old: Leaf, _ middle: Int, _ rows: [Int32], _ features: [Int], _ gradients: [SIMD4<Double>], node: Int
  ) -> (Leaf, Leaf) {
    let ranges = (old.rows.lowerBound..<middle, middle..<old.rows.upperBound)
    let leftIsSmaller = ranges.0.count <= ranges.1.count
    let counted = histogram(rows[leftIsSmaller ? ranges.0 : ranges.1], features, gradients)
    var rest = old.histogram
    for index in rest.indices { rest[index] -= counted[index] }
    return (
      leaf(ranges.0, leftIsSmaller ? counted : rest, features, (node, true)),
      leaf(ranges.1, leftIsSmaller ? rest : counted, features, (node, false))
    )
  }

  private func histogram(
    _ rows: ArraySlice<Int32>, _ features: [Int], _ gradients: [SIMD4<Double>]
  ) -> [SIMD4<Double>] {
    var out = [SIMD4<Double>](repeating: .zero, count: features.count * TreeGrowth.stride)
    // In the order of the leaf's rows, so that the inner loop reads them one after another.
    let own = gradients.withUnsafeBufferPointer { all in rows.map { all[Int($0)] } }
    out.withUnsafeMutableBufferPointer { out in
      table.bins.withUnsafeBufferPointer { bins in
        rows.withUnsafeBufferPointer { rows in
          own.withUnsafeBufferPointer { own in
            for (position, feature) in features.enumerated() {
              let start = position * TreeGrowth.stride
              let column = feature * table.rows
              for index in 0..<rows.count { out[start + Int(bins[column + Int(rows[index])])] += own[index] }
            }
          }
        }
      }
    }
    return out
  }

  /// The split that gains most, or nil when none gains anything with enough rows on both sides.
  private func bestSplit(_ histogram: [SIMD4<Double>], _ total: SIMD4<Double>, _ features: [Int]) -> Split? {
    let least = Double(settings.leastInLeaf)
    let l2 = settings.l2
    guard total.z >= 2 * least else { return nil }
    let whole = total.x * total.x / (total.y + l2)
    var best: Split?
    // Below this a gain is rounding.
    var most = 1e-10
    histogram.withUnsafeBufferPointer { histogram in
      for (position, feature) in features.enumerated() {
        var left = Sums.zero
        for bin in 0..<table.cuts[feature].count {
          left += histogram[position * TreeGrowth.stride + bin]
          guard left.z >= least else { continue }
          let right = total - left
          guard right.z >= least else { break }
          let gain = left.x * left.x / (left.y + l2) + right.x * right.x / (right.y + l2) - whole
          if gain > most {
            most = gain
            best = Split(gain: gain, feature: feature, bin: bin)
          }
        }
      }
    }
    return best
  }

  /// Moves the rows of the left child to the front, in their old order, and returns where the right child begins.
  private func part(_ rows: inout [Int32], _ range: Range<Int>, _ split: Split) -> Int {
    let column = split.feature * table.rows
    let goesLeft = { (row: Int32) in Int(table.bins[column + Int(row)]) <= split.bin }
    let left = rows[range].filter(goesLeft)
    let right = rows[range].filter { !goesLeft($0) }
    rows.replaceSubrange(range, with: left + right)
    return range.lowerBound + left.count
  }
}
