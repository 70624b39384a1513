/// What an instance does with a picture, from mild to strict.
package enum Verdict: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  case accept, label, hold, refuse

  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .accept: 0
    case .label: 1
    case .hold: 2
    case .refuse: 3
    }
  }
}

/// Why. One rule of the policy that applied to a picture.
package struct Reason: Hashable, Codable, Sendable, Comparable {
  /// Stable: stored, sent to clients and translated by it.
  package enum Code: String, Codable, Hashable, Sendable, CaseIterable {
    case conclusiveEvidence = "evidence.conclusive"
    case strongEvidence = "evidence.strong"
    case declaredGenerated = "declared.generated"
    case declaredAssisted = "declared.assisted"
    case score = "score.threshold"
    case scoreContested = "score.contested"
    case notAnalysed = "not_analysed"
    /// Assessors of other servers that an admin here trusts.
    case peerAssessments = "peers.assessments"
    /// A moderator looked and decided. Made by operations, never by `decide`.
    case moderator
  }

  package let code: Code
  /// What this reason alone asks for; never `accept`.
  package let verdict: Verdict
  /// One plain sentence for the artist.
  package let sentence: String

  package init(code: Code, verdict: Verdict, sentence: String) {
    self.code = code
    self.verdict = verdict
    self.sentence = sentence
  }

  /// The strictest first, then by code.
  package static func < (left: Reason, right: Reason) -> Bool {
    guard left.verdict == right.verdict else { return left.verdict > right.verdict }
    guard left.code == right.code else { return left.code.rawValue < right.code.rawValue }
    return left.sentence < right.sentence
  }
}

/// A set of reasons. Joining is union, so decisions form a lattice: it is associative, commutative and idempotent,
/// `accept` is its identity, and joining never makes a verdict milder. Every verdict but `accept` has a reason.
package struct Decision: Hashable, Sendable {
  package let reasons: Set<Reason>

  package static let accept = Decision(reasons: [])

  /// Reasons that ask for nothing are no reasons.
  package init(reasons: some Sequence<Reason>) {
    self.reasons = Set(reasons.filter { $0.verdict != .accept })
  }

  /// The strictest that any reason asks for.
  package var verdict: Verdict { reasons.map(\.verdict).max() ?? .accept }

  /// In a stable order, the strictest first.
  package var ordered: [Reason] { reasons.sorted() }

  /// What a person is told, the strictest first: conclusive evidence is strong evidence too, and both set a score, so
  /// what a stronger finding includes is not said again.
  package var told: [Reason] {
    let inclusion: [Reason.Code] = [.conclusiveEvidence, .strongEvidence, .score]
    return ordered.filter { reason in
      guard let place = inclusion.firstIndex(of: reason.code) else { return true }
      return !reasons.contains { inclusion[..<place].contains($0.code) && $0.verdict >= reason.verdict }
    }
  }

  package func joined(_ other: Decision) -> Decision { Decision(reasons: reasons.union(other.reasons)) }
}

extension Decision: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(reasons: try decoder.singleValueContainer().decode([Reason].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(ordered)
  }
}
