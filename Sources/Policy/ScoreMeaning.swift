import Primitives

/// What stands behind the scores of one detector, for an admin who sets a threshold.
package struct DetectorBasis: Codable, Hashable, Sendable {
  /// As people are told, such as `pixels, model fs1-gbm 3 of 2026-11-21`.
  package let name: String
  /// Human pictures it was measured on.
  package let images: Int
  /// The artists and collections these are from.
  package let sources: Int

  package init(name: String, images: Int, sources: Int) {
    self.name = name
    self.images = max(1, images)
    self.sources = max(1, sources)
  }
}

/// A share of human pictures as a number out of 1,000: `5`, `0.5`.
package func perThousand(_ share: Double) -> String {
  guard share.isFinite, share > 0 else { return "0" }
  let hundredths = (min(share, 1) * 100_000).rounded()
  // At most 100,000, so the conversion is exact.
  guard let whole = Int(exactly: hundredths), whole > 0 else { return "fewer than 0.01" }
  let fraction = whole % 100
  let digits = fraction % 10 == 0 ? "\(fraction / 10)" : fraction < 10 ? "0\(fraction)" : "\(fraction)"
  return fraction == 0 ? "\(whole / 100)" : "\(whole / 100).\(digits)"
}

/// A threshold said in human pictures, and whether the detectors in use can tell so little.
package struct ScoreMeaning: Hashable, Sendable {
  package let threshold: Double
  package let detectors: [DetectorBasis]

  package init(threshold: Double, detectors: [DetectorBasis]) {
    self.threshold = threshold
    self.detectors = detectors
  }

  /// Of 1,000 human pictures at most.
  package var mostPerThousand: String { perThousand(1 - threshold) }

  /// For admins, wherever a threshold is shown.
  package var sentence: String {
    guard !detectors.isEmpty else {
      return "No detector that gives scores is in use, so only evidence in files and declarations count."
    }
    let behind = detectors.map { "\($0.name): \($0.images) pictures by \($0.sources) artists or collections" }
    return "At most \(mostPerThousand) of 1,000 human pictures reach a score of \(threshold), measured on human "
      + "pictures (\(behind.joined(separator: "; "))). " + Self.clusters
  }

  /// What an average hides.
  package static let clusters =
    "Such errors come by artist: one whose work a detector misreads is hit again and again, others never."

  /// The smallest share this detector can tell: with several, each answer counts as often as there are detectors.
  private func finest(_ detector: DetectorBasis) -> Double { Double(detectors.count) / Double(detector.images) }

  private func reaches(_ detector: DetectorBasis) -> Bool { 1 - threshold >= finest(detector) - 1e-9 }

  /// Those whose scores never come to the threshold, because they were measured on too few pictures.
  package var mute: [DetectorBasis] { detectors.filter { !reaches($0) } }

  /// Why the threshold can not be used with these detectors; nil when it can.
  package var objection: String? {
    guard let best = detectors.min(by: { finest($0) < finest($1) }), !reaches(best) else { return nil }
    return "A threshold of \(threshold) asks for less than \(perThousand(finest(best))) of 1,000 human pictures, and "
      + "\(best.name) was measured on \(best.images): no picture could ever reach it. Use at most "
      + "\(Self.roundedDown(1 - finest(best))), or --score accept to pay no heed to scores."
  }

  private static func roundedDown(_ value: Double) -> Double { max(0, (value * 10_000).rounded(.down) / 10_000) }
}
