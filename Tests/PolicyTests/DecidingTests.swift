import Foundation
import Policy
import Primitives
import Testing

private typealias Decide = (PolicyDocument, ImageFacts) -> Decision

private let rounds = 2000

private func real(_ document: PolicyDocument, _ facts: ImageFacts) -> Decision { document.decide(facts) }

extension ImageFacts {
  fileprivate func with(_ opinion: Opinion) -> ImageFacts {
    var changed = self
    changed.opinion = opinion
    return changed
  }
}

extension PolicyDocument {
  fileprivate func with(threshold: Double) -> PolicyDocument {
    var draft = draft
    draft.threshold = threshold
    do { return try PolicyDocument(draft) } catch { preconditionFailure("\(error)") }
  }
}

@Suite struct `Decisions form a lattice` {
  private static func decisions(_ chance: inout Seeded) -> (Decision, Decision, Decision) {
    (
      chance.document().decide(chance.facts()), chance.document().decide(chance.facts()),
      chance.document().decide(chance.facts())
    )
  }

  private static func joins(_ join: (Decision, Decision) -> Decision) -> Int {
    violations(
      rounds, of: decisions,
      unless: { one, two, three in
        join(join(one, two), three) == join(one, join(two, three)) && join(one, two) == join(two, one)
          && join(one, one) == one && join(one, .accept) == one && join(.accept, one) == one
          && join(one, two).verdict == max(one.verdict, two.verdict)
      })
  }

  @Test func `joining is associative, commutative and idempotent with accept as identity`() {
    #expect(Self.joins { $0.joined($1) } == 0)
    #expect(Self.joins { one, _ in one } > 0)
    #expect(Self.joins { Decision(reasons: $0.reasons.intersection($1.reasons)) } > 0)
  }

  private static func raisingScores(_ decide: Decide) -> Int {
    violations(
      rounds, of: { ($0.document(), $0.facts(), $0.score(), $0.score()) },
      unless: { document, facts, one, two in
        let low = decide(document, facts.with(.concluded(score: min(one, two))))
        let high = decide(document, facts.with(.concluded(score: max(one, two))))
        return low.verdict <= high.verdict
      })
  }

  @Test func `raising a score never makes the verdict milder`() {
    #expect(Self.raisingScores(real) == 0)
    #expect(Self.raisingScores { $0.decide($1.with(.concluded(score: 1 - ($1.opinion.score ?? 0)))) } > 0)
  }

  private static func loweringThresholds(_ decide: Decide) -> Int {
    violations(
      rounds, of: { ($0.document(), $0.facts(), $0.score(), $0.score()) },
      unless: { document, facts, one, two in
        let low = decide(document.with(threshold: max(0.0001, min(one, two))), facts)
        let high = decide(document.with(threshold: max(0.0001, max(one, two))), facts)
        return low.verdict >= high.verdict
      })
  }

  @Test func `lowering a threshold never makes the verdict milder`() {
    #expect(Self.loweringThresholds(real) == 0)
    #expect(Self.loweringThresholds { $0.with(threshold: max(0.0001, 1 - $0.threshold)).decide($1) } > 0)
  }

  private static func addingRules(_ decide: (PolicyDocument, ImageFacts, [Rule]) -> Decision) -> Int {
    violations(
      rounds,
      of: { chance in
        (chance.document(), chance.facts(), Rule.allCases.filter { _ in chance.maybe() }, chance.one(of: Rule.allCases))
      },
      unless: { document, facts, rules, another in
        decide(document, facts, rules).verdict <= decide(document, facts, rules + [another]).verdict
      })
  }

  @Test func `adding a rule never makes the verdict milder`() {
    #expect(Self.addingRules { $0.decide($1, by: $2) } == 0)
    #expect(Self.addingRules { document, facts, rules in document.decide(facts, by: rules.suffix(1)) } > 0)
  }

  private static func explains(_ decide: (PolicyDocument, ImageFacts) -> (Verdict, Set<Reason>)) -> Int {
    violations(
      rounds, of: { ($0.document(), $0.facts()) },
      unless: { document, facts in
        let (verdict, reasons) = decide(document, facts)
        return verdict == .accept
          ? reasons.isEmpty : reasons.contains { $0.verdict == verdict && !$0.sentence.isEmpty }
      })
  }

  @Test func `every verdict but accept carries the reason that asked for it`() {
    func explained(_ decision: Decision) -> (Verdict, Set<Reason>) { (decision.verdict, decision.reasons) }
    #expect(Self.explains { explained($0.decide($1)) } == 0)
    #expect(Self.explains { ($0.decide($1).verdict, []) } > 0)
  }

  private static func unanalysed(_ decide: Decide) -> Int {
    violations(
      rounds, of: { ($0.document(), $0.facts()) },
      unless: { document, facts in
        let silent = decide(document, facts.with(.inconclusive))
        let unseen = decide(document, facts.with(.notAnalysed(reason: "image.truncated")))
        return facts.isCleared || unseen.verdict == max(silent.verdict, document.whenUnanalysed)
      })
  }

  @Test func `only a picture nobody could analyse meets the rule for it`() {
    #expect(Self.unanalysed(real) == 0)
    let nilIsZero: Decide = { document, facts in
      document.decide(facts.opinion.score == nil ? facts.with(.concluded(score: 0)) : facts)
    }
    #expect(Self.unanalysed(nilIsZero) > 0)
  }

  private static func repeats(_ recode: (PolicyDocument, ImageFacts) throws -> (PolicyDocument, ImageFacts)) throws
    -> Int
  {
    var chance = Seeded(11)
    return try (0..<300).count { _ in
      let document = chance.document()
      let facts = chance.facts()
      let (again, same) = try recode(document, facts)
      return again != document || same != facts || again.decide(same) != document.decide(facts)
    }
  }

  @Test func `a stored document and stored facts decide as they did`() throws {
    func recode<Value: Codable>(_ value: Value) throws -> Value {
      try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }
    #expect(try Self.repeats { (try recode($0), try recode($1)) } == 0)
    #expect(try Self.repeats { ($0.with(threshold: 0.5), try recode($1)) } > 0)
    let decision = PolicyDocument.standard.decide(
      ImageFacts(opinion: .concluded(score: 1), findings: [Finding(strength: .conclusive, implies: .generated)]))
    #expect(try recode(decision) == decision)
  }

  private typealias Case = (key: Int, facts: ImageFacts)

  private static func comparesToItself(
    _ compare: (PolicyDocument, PolicyDocument, [Case]) -> Comparison<Int>
  ) -> Int {
    violations(
      200,
      of: { chance in
        let cases: [Case] = (0..<8).map { ($0, chance.facts()) }
        return (chance.document(), chance.document(), cases)
      },
      unless: { one, two, cases in
        let there = compare(one, two, cases)
        let back = compare(two, one, cases)
        return compare(one, one, cases).changes.isEmpty && there.examined == cases.count
          && there.stricter == back.milder && there.changes.map(\.key) == back.changes.map(\.key)
      })
  }

  @Test func `a policy compared to itself changes nothing, and a comparison turned round is its mirror`() {
    #expect(Self.comparesToItself { compare($0, $1, over: $2) } == 0)
    #expect(Self.comparesToItself { old, _, cases in compare(old, .standard, over: cases) } > 0)
  }

  @Test func `a cleared work is accepted whatever a detector says later`() {
    let holds: (PolicyDocument, ImageFacts) -> Bool = { document, facts in
      var cleared = facts
      cleared.isCleared = true
      return document.decide(cleared) == .accept
    }
    #expect(violations(rounds, of: { ($0.document(), $0.facts()) }, unless: holds) == 0)
  }
}

@Suite struct `The policy of a new instance` {
  private func verdict(
    _ opinion: Opinion = .inconclusive, _ findings: [Finding] = [], _ declaration: Declaration = .none
  ) -> Verdict {
    PolicyDocument.standard.decide(ImageFacts(opinion: opinion, findings: findings, declaration: declaration)).verdict
  }

  @Test func `refuses what evidence settles, labels what is likely, accepts the rest`() {
    #expect(verdict(.concluded(score: 1), [.init(strength: .conclusive, implies: .generated)]) == .refuse)
    #expect(verdict(.inconclusive, [.init(strength: .strong, implies: .generated)]) == .label)
    #expect(verdict(.inconclusive, [.init(strength: .weak, implies: .generated)]) == .accept)
    #expect(verdict(.inconclusive, [.init(strength: .conclusive, implies: .provenance)]) == .accept)
    #expect(verdict(.concluded(score: 0.995)) == .label)
    #expect(verdict(.concluded(score: 0.994)) == .accept)
    #expect(verdict(.concluded(score: 0.994), [.init(strength: .weak, implies: .generated)]) == .accept)
    #expect(verdict(.concluded(score: 1), [.init(strength: .weak, implies: .generated)]) == .label)
    #expect(verdict(.inconclusive, [], .assisted) == .label)
    #expect(verdict(.inconclusive, [.init(strength: .strong, implies: .assisted)]) == .label)
    #expect(verdict(.inconclusive, [], .generated) == .refuse)
    #expect(verdict(.notAnalysed(reason: "image.truncated")) == .accept)
    #expect(verdict() == .accept)
  }

  @Test func `never refuses by score alone`() {
    let holds: (ImageFacts) -> Bool = { facts in
      var facts = facts
      facts.opinion = .concluded(score: 1)
      let decision = PolicyDocument.standard.decide(facts)
      return decision.verdict != .refuse || facts.declaration == .generated
        || facts.strongest(.generated) == .conclusive
    }
    #expect(violations(rounds, of: { $0.facts() }, unless: holds) == 0)
  }

  @Test func `holds or refuses by score only after the admin said so twice`() throws {
    var draft = PolicyDocument.Draft()
    draft.score = "refuse"
    #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(draft) }
    draft.score = "hold"
    #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(draft) }
    draft.score = "refuse"
    draft.acceptsFalseRefusals = true
    let document = try PolicyDocument(draft)
    #expect(document.decide(ImageFacts(opinion: .concluded(score: 1), findings: [])).verdict == .refuse)
    let contested = ImageFacts(opinion: .concluded(score: 1), findings: [.init(strength: .strong, implies: .human)])
    #expect(document.decide(contested).verdict == .hold)
    #expect(document.decide(contested).reasons.map(\.code) == [.scoreContested])
  }

  @Test func `says everything that is wrong with a draft at once`() throws {
    let text = #"{"threshold": 1.5, "strong": "ban", "score": "refuse", "revision": -1}"#
    let draft = try JSONDecoder().decode(PolicyDocument.Draft.self, from: Data(text.utf8))
    let invalid = #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(draft) }
    #expect(Set(invalid?.problems.map(\.key) ?? []) == ["threshold", "strong", "score", "revision"])
    var nan = PolicyDocument.Draft()
    nan.threshold = .nan
    #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(nan) }
    nan.threshold = 0
    #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(nan) }
  }

  @Test func `a stored document that was tampered with does not load`() {
    let text = Data(#"{"score": "refuse"}"#.utf8)
    #expect(throws: PolicyDocument.Invalid.self) { try JSONDecoder().decode(PolicyDocument.self, from: text) }
  }

  @Test func `follows the table of effects`() {
    #expect(Verdict.label.effects(onUpload: false) == [.show, .flag, .offerAppeal])
    #expect(Verdict.refuse.effects(onUpload: true).contains(.rejectUpload))
    #expect(Verdict.refuse.effects(onUpload: false).contains(.deleteBytes))
    for isUpload in [true, false] {
      for verdict in Verdict.allCases {
        let effects = verdict.effects(onUpload: isUpload)
        #expect(verdict == .accept || effects.contains(.offerAppeal))
        #expect(effects.contains(.show) == (verdict <= .label))
      }
    }
    #expect(Declaration(digitalSourceType: "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation") == .human)
    #expect(Declaration(digitalSourceType: "trainedAlgorithmicMedia") == .generated)
    #expect(Declaration(digitalSourceType: "algorithmicallyEnhanced") == .none)
  }
}
