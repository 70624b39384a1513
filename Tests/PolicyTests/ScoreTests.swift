import Foundation
import Policy
import Primitives
import Testing

extension Seeded {
  /// A policy of an admin who never overrode the warning.
  fileprivate mutating func mildDocument() -> PolicyDocument {
    var draft = document().draft
    draft.acceptsFalseRefusals = false
    draft.score = one(of: ["accept", "label"])
    do { return try PolicyDocument(draft) } catch { preconditionFailure("\(error)") }
  }

  /// Nothing but a number: no finding that says generated or assisted, nothing declared, nothing cleared.
  fileprivate mutating func onlyAScore() -> ImageFacts {
    let findings = (0..<(next() % 3)).map { _ in
      Finding(strength: one(of: [.weak, .strong, .conclusive]), implies: one(of: [.human, .provenance]))
    }
    let weak = maybe() ? [Finding(strength: .weak, implies: .generated)] : []
    return ImageFacts(
      opinion: .concluded(score: score()), findings: findings + weak, declaration: one(of: [.none, .human]),
      origin: maybe() ? Host("peer.example") : nil, author: one(of: Standing.allCases))
  }
}

@Suite struct `What a score may do` {
  private static func harshness(_ decide: (PolicyDocument, ImageFacts) -> Verdict) -> Int {
    violations(
      2_000, of: { ($0.mildDocument(), $0.onlyAScore()) }, unless: { decide($0, $1) <= .label })
  }

  @Test func `pixels alone never do more than label unless the admin overrode the warning`() {
    #expect(Self.harshness { $0.decide($1).verdict } == 0)
    #expect(Self.harshness { _, facts in (facts.opinion.score ?? 0) >= 0.9 ? .refuse : .accept } > 0)
  }

  private static func belowThreshold(_ decide: (PolicyDocument, ImageFacts) -> Verdict) -> Int {
    violations(
      2_000, of: { ($0.document(), $0.onlyAScore()) },
      unless: { document, facts in
        (facts.opinion.score ?? 0) >= document.threshold || decide(document, facts) == .accept
      })
  }

  @Test func `a score below the threshold accepts, whatever the admin chose for scores`() {
    #expect(Self.belowThreshold { $0.decide($1).verdict } == 0)
    #expect(Self.belowThreshold { document, facts in (facts.opinion.score ?? 0) > 0.4 ? .label : .accept } > 0)
  }

  @Test func `strong evidence of human work makes a refusal by score a question for a person`() throws {
    var draft = PolicyDocument.Draft()
    draft.score = "refuse"
    draft.acceptsFalseRefusals = true
    let document = try PolicyDocument(draft)
    let holds: (ImageFacts) -> Bool = { facts in
      (facts.strongest(.human) ?? .weak) < .strong || document.decide(facts).verdict <= .hold
    }
    #expect(violations(2_000, of: { $0.onlyAScore() }, unless: holds) == 0)
  }

  @Test func `no opinion, nothing found and not analysed stay three states, also when stored`() throws {
    let silent = LayerOpinion.Outcome.noOpinion(reason: "pixels.too_small")
    func layer(_ outcome: LayerOpinion.Outcome) -> LayerOpinion {
      LayerOpinion(
        detector: "pixels", model: "m", version: "1", date: "2026-11-21", outcome: outcome,
        calibration: .init(images: 500, sources: 20))
    }
    let noOpinion = Assessment(evidence: [], layers: [layer(silent)], detector: "t")
    let nothingFound = Assessment(evidence: [], layers: [layer(.scored(0))], detector: "t")
    let notAnalysed = Assessment.notAnalysed(reason: "image.truncated", detector: "t")
    let stored = try [noOpinion, nothingFound, notAnalysed].map { assessment -> ImageFacts in
      let facts = ImageFacts(assessment)
      let back = try JSONDecoder().decode(ImageFacts.self, from: JSONEncoder().encode(facts))
      #expect(back == facts)
      return back
    }
    #expect(stored.map(\.opinion) == [.inconclusive, .concluded(score: 0), .notAnalysed(reason: "image.truncated")])
    var draft = PolicyDocument.Draft()
    draft.whenUnanalysed = "hold"
    draft.threshold = 0.000_1
    draft.score = "hold"
    draft.acceptsFalseRefusals = true
    let document = try PolicyDocument(draft)
    #expect(stored.map { document.decide($0).verdict } == [.accept, .accept, .hold])
  }

  @Test func `consent to hit human artists holds for what it was given for`() throws {
    var draft = PolicyDocument.Draft()
    draft.score = "hold"
    draft.threshold = 0.999
    draft.acceptsFalseRefusals = true
    let document = try PolicyDocument(draft)
    #expect(document.isConsentEnough(for: draft))
    draft.threshold = 0.99
    #expect(!document.isConsentEnough(for: draft))
    draft.threshold = 0.9995
    #expect(document.isConsentEnough(for: draft))
    draft.score = "refuse"
    #expect(!document.isConsentEnough(for: draft))
    #expect(!PolicyDocument.standard.isConsentEnough(for: draft))
  }

  @Test func `the warning says how many human pictures it costs, and that errors come by artist`() throws {
    var draft = PolicyDocument.Draft()
    draft.score = "refuse"
    draft.threshold = 0.98
    let invalid = #expect(throws: PolicyDocument.Invalid.self) { try PolicyDocument(draft) }
    let words = try #require(invalid?.description)
    #expect(words.contains("up to 20 of 1,000 human pictures"))
    #expect(words.contains("by artist"))
    #expect(words.contains("accepts_false_refusals"))
  }
}

@Suite struct `What a threshold means` {
  private let pixels = DetectorBasis(name: "pixels", images: 2_400, sources: 96)

  @Test(arguments: [
    (0.005, "5"), (0.001, "1"), (0.0005, "0.5"), (0.0125, "12.5"), (0.1, "100"), (1, "1000"), (0.00004, "0.04"),
    (0.000001, "fewer than 0.01"), (0, "0"), (-1, "0"), (.nan, "0"), (7, "1000"), (0.001_25, "1.25"),
  ])
  func `a share is said out of a thousand`(share: Double, words: String) {
    #expect(perThousand(share) == words)
  }

  @Test func `an admin reads pictures and what stands behind the number`() {
    let sentence = ScoreMeaning(threshold: 0.995, detectors: [pixels]).sentence
    #expect(sentence.contains("At most 5 of 1,000 human pictures"))
    #expect(sentence.contains("2400 pictures by 96 artists or collections"))
    #expect(sentence.contains("by artist"))
    #expect(ScoreMeaning(threshold: 0.995, detectors: []).sentence.contains("No detector"))
  }

  @Test func `a threshold finer than the calibration can tell is refused in words`() throws {
    #expect(ScoreMeaning(threshold: 0.995, detectors: [pixels]).objection == nil)
    #expect(ScoreMeaning(threshold: 0.9995, detectors: [pixels]).objection == nil)
    let objection = try #require(ScoreMeaning(threshold: 0.9999, detectors: [pixels]).objection)
    #expect(objection.contains("measured on 2400"))
    #expect(objection.contains("at most 0.9995"))
    #expect(ScoreMeaning(threshold: 1, detectors: [pixels]).objection != nil)
    #expect(ScoreMeaning(threshold: 0.9999, detectors: []).objection == nil)
    // Exactly one in n is not finer than one in n.
    #expect(ScoreMeaning(threshold: 0.999, detectors: [.init(name: "d", images: 1_000, sources: 9)]).objection == nil)
  }

  @Test func `a detector that was measured on too few pictures is named, and several must share the chance`() {
    let small = DetectorBasis(name: "small", images: 150, sources: 10)
    let both = ScoreMeaning(threshold: 0.995, detectors: [pixels, small])
    #expect(both.objection == nil)
    #expect(both.mute == [small])
    #expect(ScoreMeaning(threshold: 0.9995, detectors: [pixels]).objection == nil)
    #expect(ScoreMeaning(threshold: 0.9995, detectors: [pixels, small]).objection != nil)
  }
}
