import Foundation

/// Which pictures are scored by a model that never saw them. All pictures of a source fall together: pictures by one
/// artist resemble each other, and a model that knows an artist says nothing of the next one.
package struct Folds: Hashable, Sendable {
  package let count: Int
  package let bySource: [String: Int]

  /// Largest sources first, each to the fold with the fewest pictures; of equals the first by name.
  package init(_ sizes: [String: Int], atMost most: Int) {
    count = max(1, min(most, sizes.count))
    var load = [Int](repeating: 0, count: count)
    var bySource: [String: Int] = [:]
    for (source, size) in sizes.sorted(by: { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }) {
      let least = load.indices.min { load[$0] < load[$1] } ?? 0
      bySource[source] = least
      load[least] += size
    }
    self.bySource = bySource
  }
}

/// Weights of pictures, so that no source speaks for more than its number to the power 0.6, and both classes weigh the
/// same; the mean is 1.
package func balancedWeights(_ sources: [(source: String, isGenerated: Bool)]) -> [Double] {
  struct Key: Hashable {
    var source: String
    var isGenerated: Bool
  }
  var counts: [Key: Int] = [:]
  for item in sources { counts[Key(source: item.source, isGenerated: item.isGenerated), default: 0] += 1 }
  let raw = sources.map { item in
    pow(Double(counts[Key(source: item.source, isGenerated: item.isGenerated)] ?? 1), -0.4)
  }
  let sum = { (kind: Bool) in zip(raw, sources).reduce(0.0) { $0 + ($1.1.isGenerated == kind ? $1.0 : 0) } }
  let totals = (human: sum(false), generated: sum(true))
  let half = Double(sources.count) / 2
  return zip(raw, sources).map { weight, item in
    let total = item.isGenerated ? totals.generated : totals.human
    return total > 0 ? weight * half / total : 0
  }
}
