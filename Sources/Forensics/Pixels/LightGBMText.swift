import Foundation
import Primitives

/// Reads what LightGBM writes with `save_model`: one margin a picture, numerical questions only.
extension TreeEnsemble {
  package init(lightGBM text: String, featureCount: Int) throws(ModelFailure) {
    guard text.utf8.count <= Limits.modelText else { throw .tooLarge }
    var header: [Substring: Substring] = [:]
    var trees: [Tree] = []
    var current: [Substring: Substring]?
    lines: for line in text.split(whereSeparator: \.isNewline) {
      if line == "end of trees" { break lines }
      // LightGBM marks a forest of averaged trees with a line of its own.
      if line == "average_output" { throw .malformed("averaged trees are not read here") }
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      if parts[0] == "Tree" {
        if let current { trees.append(try Tree(current)) }
        guard trees.count < Limits.modelTrees else { throw .malformed("too many trees") }
        current = [:]
      } else if current != nil {
        current?[parts[0]] = parts[1]
      } else {
        header[parts[0]] = parts[1]
      }
    }
    if let current { trees.append(try Tree(current)) }
    guard header["num_class"] == "1", header["num_tree_per_iteration"] == "1", !trees.isEmpty else {
      throw .malformed("no LightGBM model of one class")
    }
    guard let last = header["max_feature_idx"].flatMap({ Int($0) }), last + 1 == featureCount else {
      throw .featureSet("\(header["max_feature_idx"] ?? "?") as last index")
    }
    try self.init(trees, featureCount: featureCount)
  }
}

extension TreeEnsemble.Tree {
  fileprivate init(_ fields: [Substring: Substring]) throws(ModelFailure) {
    func numbers<Number>(_ key: Substring, _ read: (Substring) -> Number?) throws(ModelFailure) -> [Number] {
      let words = (fields[key] ?? "").split(separator: " ")
      let numbers = words.compactMap(read)
      guard numbers.count == words.count else { throw .malformed("a tree with an unreadable \(key)") }
      return numbers
    }
    guard fields["num_cat"] == "0", fields["is_linear"] ?? "0" == "0" else {
      throw .malformed("trees with categories or linear leaves are not read here")
    }
    // Bit 0 asks for a category; bits 2 and 3 say what stands for a missing value, and 1 would be zero.
    let kinds = try numbers("decision_type") { Int($0) }
    guard kinds.allSatisfy({ $0 & 1 == 0 && $0 >> 2 & 3 != 1 }) else {
      throw .malformed("trees that read zero as missing are not read here")
    }
    self.init(
      features: try numbers("split_feature") { UInt16($0) },
      // Rounded down: then no 32-bit feature falls on another side than with the 64-bit threshold.
      thresholds: try numbers("threshold") { Double($0).map(Self.roundedDown) },
      left: try numbers("left_child") { Int16($0) }, right: try numbers("right_child") { Int16($0) },
      values: try numbers("internal_value") { Float($0) }, leaves: try numbers("leaf_value") { Float($0) })
  }

  private static func roundedDown(_ value: Double) -> Float {
    let near = Float(value)
    return Double(near) > value ? near.nextDown : near
  }
}
