import Model
import Policy
import Primitives
import Signatures

/// A stored decision as an `AiAssessment` of the vocabulary.
///
/// It never becomes part of a work and is never addressed to the public: whoever sends it adds the assessors it is
/// for, and the proof. So it has no `to` here.
package struct AssessmentFacts: Sendable {
  package var decision: DecisionRecord
  /// The post that shows the picture.
  package var object: IRI
  /// Where the assessed bytes lie.
  package var subject: IRI
  package var digest: Digest
  /// The assessor of this instance.
  package var assessor: IRI
  /// Of the policy revision that decided.
  package var threshold: Double
  /// Of the file of the model that gave the score. Scores are comparable only within one, so without it none is told.
  package var model: ContentDigest?
  /// The decision that it was told under first, where this is a later word on the same picture: it keeps that name.
  package var first: DecisionRecord.ID?

  package init(
    decision: DecisionRecord, object: IRI, subject: IRI, digest: Digest, assessor: IRI, threshold: Double,
    model: ContentDigest?
  ) {
    self.decision = decision
    self.object = object
    self.subject = subject
    self.digest = digest
    self.assessor = assessor
    self.threshold = threshold
    self.model = model
  }

  /// Nil for a picture that nobody could look at: there is nothing to tell.
  package func document(in instance: Instance) -> JSON? {
    let assessment = decision.assessment
    guard assessment.verdict != .notAnalysed, let digest = ContentDigest(bytes: digest.bytes) else { return nil }
    // A receiver gives a number without a measurement no weight, so both are told or neither.
    let layer = model == nil ? nil : assessment.layers.first { $0.outcome.score != nil && $0.calibration.images > 0 }
    let score = layer == nil ? nil : assessment.opinion.score
    let name = layer?.detector ?? "evidence"
    return JSON.members([
      "type": "AiAssessment", "id": .string(instance.assessment(first ?? decision.id).text),
      "attributedTo": .string(assessor.text), "object": .string(object.text), "subject": .string(subject.text),
      "subjectDigest": .string(digest.multibase), "detector": .string("atelier-\(name)"),
      "detectorVersion": .string(layer.map { "\($0.model) \($0.version)" } ?? assessment.detector),
      "modelDigest": layer == nil ? nil : model.map { .string($0.multibase) },
      "score": score.map { .string(Self.decimal($0)) },
      "threshold": score == nil ? nil : .string(Self.decimal(threshold)),
      "falsePositiveRate": score == nil ? nil : .string(Self.decimal(1 - threshold)),
      "calibration": score == nil ? nil : .string(instance.detectorPage.text),
      "decision": .string(word), "reviewedBy": decision.decidedBy == nil ? "automated" : "human",
      "appeal": .string(instance.appeal(decision.attachmentID).text),
      "published": .string(decision.decidedAt.iso8601Seconds),
      "updated": first == nil ? nil : .string(decision.decidedAt.iso8601),
      // Detectors age: the vocabulary allows six months.
      "endTime": .string(decision.decidedAt.adding(Self.validity).iso8601Seconds),
    ])
  }

  private static let validity = Duration.seconds(180 * 86_400)

  private var word: String {
    switch decision.verdict {
    case .accept: decision.decidedBy == nil && first == nil ? "passed" : "overturned"
    case .label where first != nil && decision.decidedBy != nil: "confirmed"
    case .label: "labelled"
    case .hold: "held"
    case .refuse: "refused"
    }
  }

  /// A decimal string from 0 to 1 without an exponent, so that no reader rounds what was signed.
  package static func decimal(_ value: Double) -> String {
    guard value.isFinite, value > 0 else { return "0" }
    guard value < 1, let millionths = Int(exactly: (value * 1_000_000).rounded()) else { return "1" }
    guard millionths < 1_000_000 else { return "1" }
    let digits = String(millionths)
    let padded = String(repeating: "0", count: 6 - digits.count) + digits
    let kept = padded.reversed().drop { $0 == "0" }.reversed()
    return kept.isEmpty ? "0" : "0." + String(kept)
  }
}
