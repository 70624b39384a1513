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

/// The opinion of one detector version on one picture, with what it rests on.
package struct Assessment: Codable, Hashable, Sendable {
  package var opinion: Opinion
  package var verdict: AssessmentVerdict
  package var evidence: [Evidence]
  /// Name and version, such as `evidence/1`. Stored with every decision.
  package var detector: String

  package init(opinion: Opinion, verdict: AssessmentVerdict, evidence: [Evidence], detector: String) {
    self.opinion = opinion
    self.verdict = verdict
    self.evidence = evidence
    self.detector = detector
  }

  /// What findings alone conclude: conclusive evidence of generation scores 1; strong evidence reads `likely`
  /// without a number, because no calibration stands behind one; a declared composite reads `assisted`.
  package init(evidence: [Evidence], detector: String) {
    let ordered = evidence.sorted { $0.strength > $1.strength }
    func strongest(_ implication: Implication) -> EvidenceStrength? {
      ordered.first { $0.implies == implication }?.strength
    }
    let generated = strongest(.generated)
    let assisted = strongest(.assisted)
    if generated == .conclusive {
      self.init(opinion: .concluded(score: 1), verdict: .generated, evidence: ordered, detector: detector)
    } else if generated == .strong {
      self.init(opinion: .inconclusive, verdict: .likely, evidence: ordered, detector: detector)
    } else if let assisted, assisted >= .strong {
      self.init(opinion: .inconclusive, verdict: .assisted, evidence: ordered, detector: detector)
    } else {
      self.init(opinion: .inconclusive, verdict: .none, evidence: ordered, detector: detector)
    }
  }

  package static func notAnalysed(reason: String, detector: String) -> Assessment {
    Assessment(opinion: .notAnalysed(reason: reason), verdict: .notAnalysed, evidence: [], detector: detector)
  }
}

/// 64 bits that stay close under resizing and recompression. Compared by Hamming distance.
package struct PerceptualHash: RawRepresentable, Hashable, Codable, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package func distance(to other: PerceptualHash) -> Int { (rawValue ^ other.rawValue).nonzeroBitCount }
}
