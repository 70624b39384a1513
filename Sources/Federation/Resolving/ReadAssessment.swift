import ActivityStreams
import Model
import Primitives
import Signatures

/// An `AiAssessment` as received, held to the rules of the vocabulary. Pure.
struct ReadAssessment: Hashable, Sendable {
  let id: IRI
  let assessor: IRI
  /// The post that shows the picture.
  let object: IRI
  let subject: IRI
  let digest: Digest
  let decision: PeerAssessment.Decision
  let isMeasured: Bool
  let appeal: IRI
  let statedAt: Timestamp
  let endsAt: Timestamp
  let isPublic: Bool
  let json: JSON

  /// Nil for what lacks a member that it must have, or has one that can not be meant.
  init?(_ json: JSON, at now: Timestamp) {
    guard let node = Node(json), node.isA("AiAssessment"), let id = node.iri("id"),
      let assessor = node.iri("attributedTo"), let object = node.iri("object"), let subject = node.iri("subject"),
      let digest = node.text("subjectDigest").flatMap({ ContentDigest(multibase: $0) })
        .flatMap({ Digest(rawValue: Hex.encode($0.bytes)) }),
      node.text("detector")?.isEmpty == false, node.text("detectorVersion")?.isEmpty == false,
      let decision = node.text("decision").flatMap({ PeerAssessment.Decision(rawValue: $0) }),
      ["automated", "human", "panel"].contains(node.text("reviewedBy")),
      let appeal = node.iri("appeal"), appeal.scheme == "https", let published = node.timestamp("published"),
      let endsAt = node.timestamp("endTime")
    else { return nil }
    let statedAt = node.timestamp("updated") ?? published
    // Detectors age: half a year, with a day for those who count months.
    guard endsAt > published, endsAt.since(published) <= Limits.assessmentValidity,
      statedAt <= now.adding(Limits.signatureWindow), published <= statedAt
    else { return nil }
    let numbers = ["score", "threshold", "falsePositiveRate"].map { node.first($0) }
    guard numbers.allSatisfy({ $0 == nil || Self.decimal($0) != nil }) else { return nil }
    // A score belongs to a model.
    guard numbers[0] == nil || node.text("modelDigest").flatMap({ ContentDigest(multibase: $0) }) != nil else {
      return nil
    }
    self.id = id
    self.assessor = assessor
    self.object = object
    self.subject = subject
    self.digest = digest
    self.decision = decision
    self.appeal = appeal
    self.statedAt = statedAt
    self.endsAt = endsAt
    isMeasured = numbers[2] != nil && node.iri("calibration") != nil
    let audience = ["to", "cc", "bto", "bcc", "audience"].flatMap { node.values($0) }
    isPublic = audience.contains { value in
      Node.iri(value) == everyone || ["as:Public", "Public"].contains(value.string)
    }
    self.json = json
  }

  /// A decimal string from 0 to 1, without a sign or an exponent.
  static func decimal(_ value: JSON?) -> Double? {
    guard let text = value?.string, (1...12).contains(text.utf8.count),
      text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }), text.utf8.count(where: { $0 == 46 }) <= 1,
      let number = Double(text), (0...1).contains(number)
    else { return nil }
    return number
  }
}

extension Limits {
  static let assessmentValidity = Duration.seconds(185 * 86_400)
}
