import Primitives

/// How an instance treats pictures: one action for each class of finding. An immutable, numbered revision; a change
/// is a new document.
package struct PolicyDocument: Hashable, Sendable {
  package let revision: Int64
  /// A score at or above it meets `score`. Above 0, at most 1.
  package let threshold: Double
  /// Conclusive evidence that a picture was generated.
  package let conclusive: Verdict
  /// Strong evidence of it.
  package let strong: Verdict
  /// What a detector of pixels alone reads. More than a label needs `acceptsFalseRefusals`.
  package let score: Verdict
  /// The author or the file declares that the picture was generated.
  package let declared: Verdict
  /// The author or the file declares the help of a generator.
  package let assisted: Verdict
  /// Nobody could look at the picture yet.
  package let whenUnanalysed: Verdict
  /// The admin was told that scores hit human artists, and holds or refuses by score nevertheless.
  package let acceptsFalseRefusals: Bool

  /// The policy of a new instance: every value absent, every default in place.
  package static let standard = PolicyDocument(checked: Draft())

  /// A document as an admin writes it, in JSON or TOML; what is absent takes its default.
  package struct Draft: Codable, Hashable, Sendable {
    package var revision: Int64?
    package var threshold: Double?
    package var conclusive: String?
    package var strong: String?
    package var score: String?
    package var declared: String?
    package var assisted: String?
    package var whenUnanalysed: String?
    package var acceptsFalseRefusals: Bool?

    package init() {}

    private enum CodingKeys: String, CodingKey {
      case revision, threshold, conclusive, strong, score, declared, assisted
      case whenUnanalysed = "when_unanalysed"
      case acceptsFalseRefusals = "accepts_false_refusals"
    }
  }

  /// Everything that is wrong with a draft, in words for the admin who wrote it.
  package struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
    package struct Problem: Hashable, Sendable {
      package let key: String
      package let sentence: String
    }

    package let problems: [Problem]

    package var description: String { problems.map { "\($0.key): \($0.sentence)" }.joined(separator: " ") }
  }

  package init(_ draft: Draft) throws(Invalid) {
    let problems = draft.problems
    guard problems.isEmpty else { throw Invalid(problems: problems) }
    self.init(checked: draft)
  }

  private init(checked draft: Draft) {
    func verdict(_ name: String?, _ standard: Verdict) -> Verdict { name.flatMap(Verdict.init(rawValue:)) ?? standard }
    revision = draft.revision ?? 0
    threshold = draft.threshold ?? Self.standardThreshold
    conclusive = verdict(draft.conclusive, .refuse)
    strong = verdict(draft.strong, .label)
    score = verdict(draft.score, .label)
    declared = verdict(draft.declared, .refuse)
    assisted = verdict(draft.assisted, .label)
    whenUnanalysed = verdict(draft.whenUnanalysed, .accept)
    acceptsFalseRefusals = draft.acceptsFalseRefusals ?? false
  }

  /// One human picture in 200 scores as high.
  package static let standardThreshold = 0.995

  /// This document, written out in full.
  package var draft: Draft {
    var draft = Draft()
    draft.revision = revision
    draft.threshold = threshold
    draft.conclusive = conclusive.rawValue
    draft.strong = strong.rawValue
    draft.score = score.rawValue
    draft.declared = declared.rawValue
    draft.assisted = assisted.rawValue
    draft.whenUnanalysed = whenUnanalysed.rawValue
    draft.acceptsFalseRefusals = acceptsFalseRefusals
    return draft
  }

  /// Whether the consent to hit human artists was given for what `draft` does: a lower threshold or a harsher answer
  /// hits more of them, so it needs a new one.
  package func isConsentEnough(for draft: Draft) -> Bool {
    let verdict = draft.score.flatMap(Verdict.init(rawValue:)) ?? score
    return acceptsFalseRefusals && verdict <= score && (draft.threshold ?? threshold) >= threshold
  }

  /// The same rules under another number.
  package func numbered(_ revision: Int64) -> PolicyDocument {
    var draft = draft
    draft.revision = revision
    return PolicyDocument(checked: draft)
  }
}

extension PolicyDocument.Draft {
  fileprivate var problems: [PolicyDocument.Invalid.Problem] {
    var problems: [PolicyDocument.Invalid.Problem] = []
    if let revision, revision < 0 { problems.append(.init(key: "revision", sentence: "A revision is 0 or more.")) }
    if let threshold, !(threshold > 0 && threshold <= 1) {
      problems.append(.init(key: "threshold", sentence: "A threshold is above 0 and at most 1."))
    }
    let verdicts: KeyValuePairs<String, String?> = [
      "conclusive": conclusive, "strong": strong, "score": score, "declared": declared, "assisted": assisted,
      "when_unanalysed": whenUnanalysed,
    ]
    let names = Verdict.allCases.map(\.rawValue).joined(separator: ", ")
    for (key, value) in verdicts {
      guard let value, Verdict(rawValue: value) == nil else { continue }
      problems.append(.init(key: key, sentence: "\"\(value.prefix(40))\" is none of \(names)."))
    }
    let scoreVerdict = score.flatMap(Verdict.init(rawValue:)) ?? .label
    if scoreVerdict > .label && acceptsFalseRefusals != true {
      problems.append(
        .init(
          key: "score",
          sentence: "A score is an estimate from pixels. At this threshold up to "
            + "\(perThousand(1 - (threshold ?? PolicyDocument.standardThreshold))) of 1,000 human pictures would be "
            + "held or refused. \(ScoreMeaning.clusters) To hold or refuse by score nevertheless, set "
            + "accepts_false_refusals to true as well."))
    }
    return problems
  }
}

// The stored form is the draft, so a stored document is validated again when it is read.
extension PolicyDocument: Codable {
  package init(from decoder: any Decoder) throws { try self.init(Draft(from: decoder)) }
  package func encode(to encoder: any Encoder) throws { try draft.encode(to: encoder) }
}
