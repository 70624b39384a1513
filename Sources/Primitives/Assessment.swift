/// How much one finding says.
package enum EvidenceStrength: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  case weak, strong, conclusive

  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
  private var rank: Int {
    switch self {
    case .weak: 0
    case .strong: 1
    case .conclusive: 2
    }
  }
}

/// What a finding speaks for. `provenance` tells how a file was made without speaking for or against generation.
package enum Implication: String, Codable, Hashable, Sendable, CaseIterable {
  case generated, assisted, human, provenance
}

/// One thing found in a picture, in words a person can check.
package struct Evidence: Codable, Hashable, Sendable {
  /// A stable code such as `png.stable_diffusion_webui`.
  package var kind: String
  package var strength: EvidenceStrength
  package var implies: Implication
  /// One plain sentence: what was found and where. It says what the file declares, never what the picture is.
  package var text: String
  /// Where it was found, such as `PNG tEXt parameters`.
  package var place: String

  package init(kind: String, strength: EvidenceStrength, implies: Implication, text: String, place: String) {
    self.kind = kind
    self.strength = strength
    self.implies = implies
    self.text = text
    self.place = place
  }
}

/// What a detector may say of one picture.
///
/// `inconclusive` is the normal state of a human picture: analysed, nothing found. `notAnalysed` is not a score of
/// zero and only it meets the policy's rule for pictures nobody could look at.
package enum Opinion: Codable, Hashable, Sendable {
  /// 1 minus the share of human calibration pictures that look at least so generated; 0...1.
  case concluded(score: Double)
  case inconclusive
  /// A stable code such as `image.truncated`.
  case notAnalysed(reason: String)

  package var score: Double? {
    if case .concluded(let score) = self { return score }
    return nil
  }
}

package enum AssessmentVerdict: String, Codable, Hashable, Sendable {
  case generated, likely, assisted, none
  case notAnalysed = "not_analysed"
}

/// All opinions on one picture, with what they rest on.
package struct Assessment: Codable, Hashable, Sendable {
  package var opinion: Opinion
  package var verdict: AssessmentVerdict
  package var evidence: [Evidence]
  /// Names and versions, such as `evidence/1` or `evidence/1+pixels/NAME`. Stored with every decision.
  package var detector: String
  /// What each detector beside the file's own evidence said; empty in what was stored before there were any.
  package var layers: [LayerOpinion]

  package init(
    opinion: Opinion, verdict: AssessmentVerdict, evidence: [Evidence], detector: String, layers: [LayerOpinion] = []
  ) {
    self.opinion = opinion
    self.verdict = verdict
    self.evidence = evidence
    self.detector = detector
    self.layers = layers
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    opinion = try container.decode(Opinion.self, forKey: .opinion)
    verdict = try container.decode(AssessmentVerdict.self, forKey: .verdict)
    evidence = try container.decode([Evidence].self, forKey: .evidence)
    detector = try container.decode(String.self, forKey: .detector)
    layers = try container.decodeIfPresent([LayerOpinion].self, forKey: .layers) ?? []
  }

  /// The strongest evidence, else the layers: conclusive evidence of generation scores 1; strong evidence reads
  /// `likely` whatever the number, because no calibration stands behind it; a declared composite reads `assisted`.
  /// Only layers with a score give a number: see `combinedScore`.
  package init(evidence: [Evidence], layers: [LayerOpinion] = [], detector: String) {
    let ordered = evidence.sorted { $0.strength > $1.strength }
    func strongest(_ implication: Implication) -> EvidenceStrength? {
      ordered.first { $0.implies == implication }?.strength
    }
    let score = Self.combinedScore(layers.compactMap(\.outcome.score))
    let isConclusive = strongest(.generated) == .conclusive
    let isUnusual = score.map { $0 >= Self.labelScore } ?? false
    let verdict: AssessmentVerdict =
      if isConclusive {
        .generated
      } else if strongest(.generated) == .strong || isUnusual {
        .likely
      } else if let assisted = strongest(.assisted), assisted >= .strong {
        .assisted
      } else {
        .none
      }
    let opinion: Opinion =
      if isConclusive { .concluded(score: 1) } else if let score { .concluded(score: score) } else { .inconclusive }
    self.init(opinion: opinion, verdict: verdict, evidence: ordered, detector: detector, layers: layers)
  }

  /// At and above it a score reads `likely`: at most 5 in 1,000 human calibration pictures look so.
  package static let labelScore = 0.995

  /// Holm's correction: the smallest of m chances counts m times, so that asking more detectors accuses nobody more
  /// often. Nil without any.
  package static func combinedScore(_ scores: [Double]) -> Double? {
    guard let highest = scores.max(), highest.isFinite else { return nil }
    // One score stays exactly itself: 1 - (1 - x) is not always x.
    return scores.count == 1 ? highest : max(0, 1 - Double(scores.count) * (1 - highest))
  }

  package static func notAnalysed(reason: String, detector: String) -> Assessment {
    Assessment(opinion: .notAnalysed(reason: reason), verdict: .notAnalysed, evidence: [], detector: detector)
  }
}

/// What one detector beside the file's own evidence says of one picture.
package struct LayerOpinion: Codable, Hashable, Sendable {
  package enum Outcome: Codable, Hashable, Sendable {
    /// 1 minus the share of human calibration pictures that look at least so generated; 0..<1.
    case scored(Double)
    /// A stable code such as `pixels.too_small`. Never a score of zero.
    case noOpinion(reason: String)

    package var score: Double? {
      if case .scored(let score) = self { return score }
      return nil
    }
  }

  /// The human pictures a score is measured against.
  package struct Calibration: Codable, Hashable, Sendable {
    package var images: Int
    package var sources: Int

    package init(images: Int, sources: Int) {
      self.images = images
      self.sources = sources
    }
  }

  /// How much one group of features spoke for generation (above 0) or against it.
  package struct Contribution: Codable, Hashable, Sendable {
    /// A stable code such as `co_occurrence`.
    package var group: String
    /// What the group looks at, as a plain phrase.
    package var text: String
    /// In units of log-odds.
    package var weight: Double

    package init(group: String, text: String, weight: Double) {
      self.group = group
      self.text = text
      self.weight = weight
    }
  }

  /// A stable code: `pixels` for our own model.
  package var detector: String
  package var model: String
  package var version: String
  /// Of the model, as a day: `2026-11-21`.
  package var date: String
  package var outcome: Outcome
  package var calibration: Calibration
  /// At most three, the strongest first; empty where a detector can not say.
  package var contributions: [Contribution]

  package init(
    detector: String, model: String, version: String, date: String, outcome: Outcome, calibration: Calibration,
    contributions: [Contribution] = []
  ) {
    self.detector = detector
    self.model = model
    self.version = version
    self.date = date
    self.outcome = outcome
    self.calibration = calibration
    self.contributions = contributions
  }
}

/// 64 bits that stay close under resizing and recompression. Compared by Hamming distance.
package struct PerceptualHash: RawRepresentable, Hashable, Codable, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package func distance(to other: PerceptualHash) -> Int { (rawValue ^ other.rawValue).nonzeroBitCount }
}
