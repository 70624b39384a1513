import Primitives

/// What another server's assessor says of one picture. Evidence with the weight that an admin here gives it, zero at
/// first; never a verdict.
package struct PeerAssessment: Hashable, Sendable {
  package typealias ID = Primitives.ID<PeerAssessment>

  /// What that server did.
  package enum Decision: String, Codable, Hashable, Sendable, CaseIterable {
    case passed, labelled, held, refused, overturned, confirmed

    package var isAgainst: Bool {
      switch self {
      case .labelled, .held, .refused, .confirmed: true
      case .passed, .overturned: false
      }
    }
  }

  package var id: ID
  package var uri: IRI
  package var assessorID: Account.ID
  package var attachmentID: Attachment.ID
  /// Of the bytes that were assessed there.
  package var subjectDigest: Digest
  package var decision: Decision
  /// Whether it says how often it is wrong about human pictures. Without that it has no weight.
  package var isMeasured: Bool
  /// Where its author can object, without an account there.
  package var appeal: IRI
  /// As received, proof included.
  package var document: [UInt8]
  package var hasEnded: Bool
  package var statedAt: Timestamp
  package var endsAt: Timestamp
  package var receivedAt: Timestamp

  package init(
    id: ID, uri: IRI, assessorID: Account.ID, attachmentID: Attachment.ID, subjectDigest: Digest, decision: Decision,
    isMeasured: Bool, appeal: IRI, document: [UInt8], hasEnded: Bool = false, statedAt: Timestamp, endsAt: Timestamp,
    receivedAt: Timestamp
  ) {
    self.id = id
    self.uri = uri
    self.assessorID = assessorID
    self.attachmentID = attachmentID
    self.subjectDigest = subjectDigest
    self.decision = decision
    self.isMeasured = isMeasured
    self.appeal = appeal
    self.document = document
    self.hasEnded = hasEnded
    self.statedAt = statedAt
    self.endsAt = endsAt
    self.receivedAt = receivedAt
  }
}

/// An assessor of another server that ours follows.
package struct AssessorPeer: Hashable, Sendable {
  package var accountID: Account.ID
  /// 0...1. Assessments whose weights reach 1 together have an effect.
  package var weight: Double
  package var setAt: Timestamp

  package init(accountID: Account.ID, weight: Double, setAt: Timestamp) {
    self.accountID = accountID
    self.weight = weight
    self.setAt = setAt
  }
}

/// What is left of assessments after a year.
package struct AssessmentCount: Hashable, Sendable {
  package var host: String
  package var decision: PeerAssessment.Decision
  package var count: Int

  package init(host: String, decision: PeerAssessment.Decision, count: Int) {
    self.host = host
    self.decision = decision
    self.count = count
  }
}
