/// What is learned from: one row a crop, one column a feature.
package struct TrainingTable: Sendable {
  package let columns: Int
  /// Row after row.
  package private(set) var values: [Float] = []
  /// True for pictures made by a generator.
  package private(set) var labels: [Bool] = []
  package private(set) var weights: [Double] = []

  package var rows: Int { labels.count }

  package init(columns: Int) { self.columns = columns }

  /// A row whose length differs, or that holds no number somewhere, or with a weight that is none, is refused.
  package mutating func append(_ row: some Collection<Float>, label: Bool, weight: Double = 1) throws(TrainingFailure) {
    guard row.count == columns else { throw .columns(expected: columns, found: row.count) }
    guard row.allSatisfy(\.isFinite), weight.isFinite, weight >= 0 else { throw .notFinite }
    values.append(contentsOf: row)
    labels.append(label)
    weights.append(weight)
  }
}

package enum TrainingFailure: Error, Hashable, Sendable {
  case columns(expected: Int, found: Int)
  case notFinite
  /// Only one of the two classes is there, or nothing at all.
  case oneClass
  /// Fewer human sources than out-of-fold scoring needs.
  case sources(found: Int, needed: Int)
  case tooManyRows

  package var code: String {
    switch self {
    case .columns: "training.columns"
    case .notFinite: "training.not_finite"
    case .oneClass: "training.one_class"
    case .sources: "training.sources"
    case .tooManyRows: "training.rows"
    }
  }

  package var sentence: String {
    switch self {
    case .columns(let expected, let found): "A row has \(found) features where \(expected) are expected."
    case .notFinite: "A feature or a weight is not a finite number."
    case .oneClass: "There must be pictures of both kinds: human work and generated ones."
    case .sources(let found, let needed):
      "There must be pictures by at least \(needed) artists, each in a folder of their own; there are \(found)."
    case .tooManyRows: "There are more pictures than one training can take."
    }
  }
}

/// A table cut into bins, column after column, which is what trees are grown from.
struct BinnedTable {
  let rows: Int
  let columns: Int
  /// `bins[column * rows + row]`.
  let bins: [UInt8]
  /// `cuts[column][b]` is the largest value that still belongs to bin `b`; the last bin has none.
  let cuts: [[Float]]

  /// At most 127 bins a column, cut where the pictures are, so that each holds about the same number of rows.
  static let most = 127

  init(_ table: TrainingTable) {
    let rows = table.rows
    let columns = table.columns
    var cuts: [[Float]] = []
    cuts.reserveCapacity(columns)
    var bins = [UInt8](repeating: 0, count: rows * columns)
    var column = [Float](repeating: 0, count: rows)
    table.values.withUnsafeBufferPointer { values in
      bins.withUnsafeMutableBufferPointer { bins in
        for feature in 0..<columns {
          for row in 0..<rows { column[row] = values[row * columns + feature] }
          let ends = BinnedTable.cuts(of: column.sorted())
          for row in 0..<rows { bins[feature * rows + row] = BinnedTable.bin(of: column[row], ends) }
          cuts.append(ends)
        }
      }
    }
    self.rows = rows
    self.columns = columns
    self.bins = bins
    self.cuts = cuts
  }

  /// Halfway between neighbours that differ, wherever a bin has its share.
  static func cuts(of sorted: [Float]) -> [Float] {
    var distinct = sorted.isEmpty ? 0 : 1
    for (left, right) in zip(sorted, sorted.dropFirst()) where left != right { distinct += 1 }
    var ends: [Float] = []
    var inBin = 0
    var left = sorted.count
    for index in sorted.indices.dropLast() {
      inBin += 1
      guard sorted[index] != sorted[index + 1] else { continue }
      let isFull = distinct <= most || inBin * (most - ends.count) >= left
      guard isFull, ends.count < most - 1 else { continue }
      ends.append(between(sorted[index], sorted[index + 1]))
      left -= inBin
      inBin = 0
    }
    return ends
  }

  /// At least `low` and below `high` in single precision, so that `value <= threshold` parts exactly these two.
  static func between(_ low: Float, _ high: Float) -> Float {
    let middle = low + (high - low) / 2
    return middle.isFinite && middle >= low && middle < high ? middle : low
  }

  static func bin(of value: Float, _ ends: [Float]) -> UInt8 {
    var low = 0
    var high = ends.count
    while low < high {
      let middle = (low + high) / 2
      if value <= ends[middle] { high = middle } else { low = middle + 1 }
    }
    return UInt8(truncatingIfNeeded: low)
  }
}
