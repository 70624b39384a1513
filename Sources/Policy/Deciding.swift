import Primitives

/// The rules, one by one. Each looks at the facts alone, so adding one never makes a decision milder.
package enum Rule: String, Codable, Hashable, Sendable, CaseIterable {
  case conclusiveEvidence, strongEvidence, declaredGenerated, declaredAssisted, score, notAnalysed, peerAssessments
}

extension PolicyDocument {
  /// What to do with a picture, and why. Total; the same facts always give the same decision.
  ///
  /// A cleared work is accepted. A picture without a score is never treated as a score of zero: `inconclusive` meets no
  /// rule, and only `notAnalysed` meets `whenUnanalysed`.
  package func decide(_ facts: ImageFacts) -> Decision { decide(facts, by: Rule.allCases) }

  package func decide(_ facts: ImageFacts, by rules: some Sequence<Rule>) -> Decision {
    facts.isCleared ? .accept : Decision(reasons: rules.compactMap { reason(of: $0, for: facts) })
  }

  private func reason(of rule: Rule, for facts: ImageFacts) -> Reason? {
    switch rule {
    case .conclusiveEvidence:
      guard facts.strongest(.generated) == .conclusive else { return nil }
      return Reason(
        code: .conclusiveEvidence, verdict: conclusive,
        sentence: "The file carries conclusive evidence that it was made by an image generator.")
    case .strongEvidence:
      guard let strength = facts.strongest(.generated), strength >= .strong else { return nil }
      return Reason(
        code: .strongEvidence, verdict: strong,
        sentence: "The file carries strong evidence that it was made by an image generator.")
    case .declaredGenerated:
      guard facts.declaration == .generated else { return nil }
      return Reason(
        code: .declaredGenerated, verdict: declared,
        sentence: "The author or the file declares that the picture was made by an image generator.")
    case .declaredAssisted:
      let isAssisted = facts.declaration == .assisted || (facts.strongest(.assisted) ?? .weak) >= .strong
      guard isAssisted else { return nil }
      return Reason(
        code: .declaredAssisted, verdict: assisted,
        sentence: "The author or the file declares that parts of the picture were made with an image generator.")
    case .score:
      return scoreReason(for: facts)
    case .notAnalysed:
      guard case .notAnalysed = facts.opinion else { return nil }
      return Reason(code: .notAnalysed, verdict: whenUnanalysed, sentence: "The picture could not be analysed yet.")
    case .peerAssessments:
      guard let verdict = facts.peers else { return nil }
      // However stored facts came about: nobody's picture is refused on the word of another server.
      return Reason(
        code: .peerAssessments, verdict: min(verdict, .hold),
        sentence: "Detectors of other servers that this instance trusts flagged the picture. This is not proof.")
    }
  }

  private func scoreReason(for facts: ImageFacts) -> Reason? {
    guard let value = facts.opinion.score, value >= threshold else { return nil }
    // Strong evidence of human work against an estimate from pixels: a person looks, no machine refuses.
    let isContested =
      (facts.strongest(.human) ?? .weak) >= .strong
      && facts.findings.allSatisfy { finding in
        finding.implies != .generated || finding.strength < .strong
      }
    if isContested && score == .refuse {
      return Reason(
        code: .scoreContested, verdict: .hold,
        sentence: "A detector flagged the picture, and the file carries evidence of human work: a person decides.")
    }
    return Reason(
      code: .score, verdict: score,
      sentence: "A detector flagged the picture: few human pictures look like this to it. This is not proof.")
  }
}

/// What another policy would have done.
package struct Comparison<Key: Hashable & Sendable>: Hashable, Sendable {
  package struct Change: Hashable, Sendable {
    package let key: Key
    package let old: Decision
    package let new: Decision

    package var isStricter: Bool { new.verdict > old.verdict }
  }

  package let examined: Int
  /// In the order of the facts; only those whose verdict differs.
  package let changes: [Change]

  package var stricter: Int { changes.count(where: \.isStricter) }
  package var milder: Int { changes.count - stricter }
}

/// What `new` would have done to what `old` decided: the dry run over stored history.
package func compare<Key>(
  _ old: PolicyDocument, _ new: PolicyDocument, over cases: some Sequence<(key: Key, facts: ImageFacts)>
) -> Comparison<Key> {
  var examined = 0
  var changes: [Comparison<Key>.Change] = []
  for (key, facts) in cases {
    examined += 1
    let before = old.decide(facts)
    let after = new.decide(facts)
    if before.verdict != after.verdict { changes.append(.init(key: key, old: before, new: after)) }
  }
  return Comparison(examined: examined, changes: changes)
}
