import Foundation
import Policy
import Primitives
import Testing

/// The published vectors are what this code says, and stay so. To write them anew after a deliberate change, run the
/// tests once with `ATELIER_WRITE_VECTORS=1`, and name the change in Vocab/CHANGES.md.
@Suite struct `The published vectors are what the code says` {
  @Test func `usage policies: signals, combination, ratchet`() throws {
    try check(
      "usage-policies.json",
      sections: [("signals", signalCases), ("combine", combineCases), ("ratchet", ratchetCases)])
  }

  @Test func `decisions: policy and facts in, verdict and reasons out`() throws {
    try check("decisions.json", sections: [("policies", policies), ("cases", decisionCases)])
  }

  private func check(_ name: String, sections: [(name: String, cases: [JSON])]) throws {
    var text = "{\n  \"table\": \"\(OutgoingSignals.tableVersion)\""
    for section in sections {
      let lines = section.cases.map { "    " + String(decoding: $0.bytes, as: UTF8.self) }
      text += ",\n  \"\(section.name)\": [\n" + lines.joined(separator: ",\n") + "\n  ]"
    }
    text += "\n}\n"
    let file = vocabulary.appending(path: "vectors/\(name)")
    if ProcessInfo.processInfo.environment["ATELIER_WRITE_VECTORS"] == "1" {
      try Data(text.utf8).write(to: file)
    }
    let published = try Data(contentsOf: file)
    #expect(String(decoding: published, as: UTF8.self) == text)
    #expect((try JSON(parsing: published)).pairs.map(\.key) == ["table"] + sections.map(\.name))
  }

  // Usage policies.

  private var samplePolicies: [UsagePolicy] {
    var chance = Seeded(2026)
    return UsagePolicy.Preset.allCases.map { UsagePolicy($0, basis: .explicit) }
      + UsagePolicy.Preset.allCases.map {
        UsagePolicy($0, basis: .explicit).setting(.searchIndexing, to: .disallow)
      } + (0..<40).map { _ in chance.policy(basis: .explicit).with(id: nil) }
  }

  private var signalCases: [JSON] {
    samplePolicies.map { policy in
      let signals = OutgoingSignals(policy)
      return .members([
        "policy": policy.wire,
        "xRobotsTag": signals.xRobotsTag.map { .string($0) },
        "contentUsage": signals.contentUsage.map { .string($0) },
        "contentSignal": signals.contentSignal.map { .string($0) },
        "tdmReservation": signals.tdmReservation.map { .integer($0 ? 1 : 0) },
        "tdmPolicyNeeded": .bool(signals.needsTDMPolicy),
        "plusDataMining": signals.dataMining.map { .string($0) },
        "plusOtherConstraints": signals.otherConstraints.map { .string($0) },
        "cawg": .array(
          signals.cawg.map {
            .members([
              "label": .string($0.label), "use": .string($0.use),
              "constraint_info": $0.constraintInfo.map { .string($0) },
            ])
          }),
        "rsl": .members([
          "permits": .array(signals.rsl.permits.map { .string($0) }),
          "prohibits": .array(signals.rsl.prohibits.map { .string($0) }),
        ]),
        "aiTxt": signals.aiTxtAllows.map { .string($0 ? "Allow" : "Disallow") },
      ])
    }
  }

  private var combineCases: [JSON] {
    var chance = Seeded(5)
    return (0..<60).map { _ in
      let stack = chance.stack()
      let result = combine(stack)
      return .members([
        "statements": .array(
          stack.map {
            .members([
              "party": .string($0.party.text), "channel": .string($0.channel.rawValue),
              "scope": .string($0.scope.rawValue), "policy": $0.policy.wire,
            ])
          }),
        "result": result.map(\.policy.wire) ?? .null,
      ])
    }
  }

  private var ratchetCases: [JSON] {
    let noon = Timestamp(secondsSince1970: 1_793_000_000)
    let strict = UsagePolicy(.noAI, basis: .explicit)
    let open = UsagePolicy(.open, basis: .explicit)
    var cases: [JSON] = []
    for (storedPolicy, wasProved) in [(strict, true), (strict, false), (open, true), (open, false)] {
      for standing in IncomingUsagePolicy.Standing.allCases {
        for (policy, seconds) in [(open, 60), (strict, 60), (open, -60), (strict, 0), (nil, 60)]
          as [(UsagePolicy?, Int)]
        {
          let statedAt = noon.adding(.seconds(seconds))
          let outcome = ratchet(
            stored: .init(policy: storedPolicy, wasProved: wasProved, statedAt: noon),
            incoming: .init(policy: policy, standing: standing, statedAt: statedAt),
            receivedAt: noon.adding(.seconds(120)))
          cases.append(
            .members([
              "stored": .string(storedPolicy.preset?.rawValue ?? ""), "storedAt": .string(noon.iso8601),
              "wasProved": .bool(wasProved), "incoming": policy.map { .string($0.preset?.rawValue ?? "") } ?? .null,
              "standing": .string(standing.rawValue), "statedAt": .string(statedAt.iso8601),
              "outcome": .string(name(of: outcome)),
            ]))
        }
      }
    }
    return cases
  }

  private func name(of outcome: RatchetOutcome) -> String {
    switch outcome {
    case .stored: "stored"
    case .lifted: "lifted"
    case .ignored(let why): "ignored:\(why.rawValue)"
    }
  }

  // Decisions.

  private var documents: [(name: String, document: PolicyDocument)] {
    var strict = PolicyDocument.Draft()
    strict.threshold = 0.9
    strict.strong = "hold"
    strict.score = "refuse"
    strict.assisted = "hold"
    strict.whenUnanalysed = "hold"
    strict.acceptsFalseRefusals = true
    var mild = PolicyDocument.Draft()
    mild.threshold = 1
    mild.conclusive = "label"
    mild.declared = "label"
    mild.assisted = "accept"
    do {
      return [
        ("standard", .standard), ("strict", try PolicyDocument(strict)), ("mild", try PolicyDocument(mild)),
      ]
    } catch { preconditionFailure("the sample policies are valid: \(error)") }
  }

  private var policies: [JSON] {
    documents.map { name, document in
      .members([
        "name": .string(name), "threshold": .double(document.threshold),
        "conclusive": .string(document.conclusive.rawValue), "strong": .string(document.strong.rawValue),
        "score": .string(document.score.rawValue), "declared": .string(document.declared.rawValue),
        "assisted": .string(document.assisted.rawValue), "when_unanalysed": .string(document.whenUnanalysed.rawValue),
        "accepts_false_refusals": .bool(document.acceptsFalseRefusals),
      ])
    }
  }

  private var decisionCases: [JSON] {
    let opinions: [(Opinion, JSON)] = [
      (.inconclusive, "inconclusive"), (.notAnalysed(reason: "image.truncated"), "not_analysed"),
      (.concluded(score: 0.5), .double(0.5)), (.concluded(score: 0.9), .double(0.9)),
      (.concluded(score: 0.995), .double(0.995)), (.concluded(score: 1), .double(1)),
    ]
    let findings: [[Finding]] = [
      [], [.init(strength: .weak, implies: .generated)], [.init(strength: .strong, implies: .generated)],
      [.init(strength: .conclusive, implies: .generated)], [.init(strength: .strong, implies: .assisted)],
      [.init(strength: .strong, implies: .human)], [.init(strength: .conclusive, implies: .provenance)],
    ]
    var facts: [(ImageFacts, JSON)] = []
    for (opinion, name) in opinions {
      for finding in findings { facts.append((ImageFacts(opinion: opinion, findings: finding), name)) }
    }
    for declaration in Declaration.allCases where declaration != .none {
      facts.append((ImageFacts(opinion: .inconclusive, findings: [], declaration: declaration), "inconclusive"))
    }
    facts.append((ImageFacts(opinion: .concluded(score: 1), findings: findings[3], isCleared: true), .double(1)))
    return documents.flatMap { name, document in
      facts.map { facts, opinion in
        let decision = document.decide(facts)
        return .members([
          "policy": .string(name), "opinion": opinion,
          "findings": .array(facts.findings.map { .string("\($0.strength.rawValue) \($0.implies.rawValue)") }),
          "declaration": .string(facts.declaration.rawValue), "cleared": .bool(facts.isCleared),
          "verdict": .string(decision.verdict.rawValue),
          "reasons": .array(decision.ordered.map { .string($0.code.rawValue) }),
        ])
      }
    }
  }
}
