import Primitives

/// One picture to learn from: where it comes from, and its features under each treatment.
package struct Example: Sendable {
  package var source: String
  package var isGenerated: Bool
  /// The file as found first, then what became of it on its way; one row a crop.
  package var takes: [[[Float]]]

  package init(source: String, isGenerated: Bool, takes: [[[Float]]]) {
    self.source = source
    self.isGenerated = isGenerated
    self.takes = takes
  }
}

/// Log-odds of every picture by a model that never saw its source.
package struct OutOfFold: Sendable {
  /// By example, then take.
  package let margins: [[Double]]
  /// The trees of a model that saw everything.
  package let final: GrownTrees
  package let folds: Int
  /// Whether generated pictures were parted by source too; false when there are too few generators for that, and then
  /// what is caught reads better than it is.
  package let generatorsAreParted: Bool

  /// Artists from whom calibration can be learned at all: the model that scores one must have seen another.
  package static let leastSources = 2

  /// - Parameters:
  ///   - start: Log-odds of one row by a model to grow on; nil starts from nothing.
  ///   - combine: Log-odds of a picture from those of its crops.
  ///   - width: Models grown at a time.
  ///   - progress: Called with trees done and trees in all, from any thread.
  package init(
    _ examples: [Example], settings: Trainer.Settings, folds most: Int = 6, width: Int,
    start: (@Sendable ([Float]) -> Double)?, combine: @escaping @Sendable ([Double]) -> Double,
    progress: @escaping @Sendable (_ fold: Int, _ trees: Int) -> Bool = { _, _ in true }
  ) async throws {
    let humans = OutOfFold.sizes(examples) { !$0.isGenerated }
    let generators = OutOfFold.sizes(examples) { $0.isGenerated }
    guard humans.count >= OutOfFold.leastSources else {
      throw TrainingFailure.sources(found: humans.count, needed: OutOfFold.leastSources)
    }
    guard !generators.isEmpty else { throw TrainingFailure.oneClass }
    let humanFolds = Folds(humans, atMost: most)
    let count = humanFolds.count
    let parted = generators.count >= count
    let generatorFolds = Folds(generators, atMost: count)
    let fold = examples.enumerated().map { index, example in
      if !example.isGenerated { return humanFolds.bySource[example.source] ?? 0 }
      return parted ? generatorFolds.bySource[example.source] ?? 0 : index % count
    }
    let known = start.map { start in examples.map { $0.takes.map { $0.map(start) } } }
    let grown = try await OutOfFold.grow(
      examples, fold, count: count, known: known, settings, width: width, progress: progress)
    guard let final = grown[count] else { throw TrainingFailure.oneClass }
    margins = examples.indices.map { index in
      guard let trees = grown[fold[index]] else { return [] }
      return examples[index].takes.indices.map { take in
        combine(
          examples[index].takes[take].indices.map { crop in
            trees.margin(examples[index].takes[take][crop]) + (known?[index][take][crop] ?? 0)
          })
      }
    }
    self.final = final
    folds = count
    generatorsAreParted = parted
  }

  private static func sizes(_ examples: [Example], _ isWanted: (Example) -> Bool) -> [String: Int] {
    examples.reduce(into: [:]) { sizes, example in if isWanted(example) { sizes[example.source, default: 0] += 1 } }
  }

  /// A model for each fold without that fold's pictures, and under `count` one with all.
  private static func grow(
    _ examples: [Example], _ fold: [Int], count: Int, known: [[[Double]]]?, _ settings: Trainer.Settings, width: Int,
    progress: @escaping @Sendable (Int, Int) -> Bool
  ) async throws -> [Int: GrownTrees] {
    try await withThrowingTaskGroup(of: (Int, GrownTrees).self) { group in
      var grown: [Int: GrownTrees] = [:]
      var next = 0
      while next <= count || grown.count <= count {
        while next <= count, next - grown.count < max(1, width) {
          let out = next
          let kept = examples.indices.filter { fold[$0] != out }
          let (table, margins) = try OutOfFold.table(examples, kept, known)
          group.addTask {
            var settings = settings
            settings.seed &+= UInt64(out)
            return (out, try Trainer(settings).train(table, from: margins) { progress(out, $0) })
          }
          next += 1
        }
        guard let (fold, trees) = try await group.next() else { break }
        grown[fold] = trees
      }
      return grown
    }
  }

  private static func table(
    _ examples: [Example], _ kept: [Int], _ known: [[[Double]]]?
  ) throws(TrainingFailure) -> (TrainingTable, [Double]?) {
    guard let columns = kept.lazy.compactMap({ examples[$0].takes.first?.first?.count }).first else {
      throw .oneClass
    }
    var table = TrainingTable(columns: columns)
    var margins: [Double] = []
    let weights = balancedWeights(kept.map { (examples[$0].source, examples[$0].isGenerated) })
    for (index, weight) in zip(kept, weights) {
      let takes = examples[index].takes
      for take in takes.indices {
        for crop in takes[take].indices {
          // A picture counts once, however many crops of it there are.
          let share = weight / Double(takes.count * takes[take].count)
          try table.append(takes[take][crop], label: examples[index].isGenerated, weight: share)
          if let known { margins.append(known[index][take][crop]) }
        }
      }
    }
    return (table, known == nil ? nil : margins)
  }
}
