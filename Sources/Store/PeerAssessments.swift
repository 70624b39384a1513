import Model
import Persistence
import Policy
import Primitives

extension PeerAssessment {
  fileprivate static let columns: SQL = """
    peer_assessments.id, peer_assessments.uri, peer_assessments.assessor_id, peer_assessments.attachment_id,
    peer_assessments.subject_digest, peer_assessments.decision, peer_assessments.is_measured, peer_assessments.appeal,
    peer_assessments.document, peer_assessments.has_ended, peer_assessments.stated_at, peer_assessments.ends_at,
    peer_assessments.received_at
    """

  fileprivate init(row: Row) throws {
    guard let digest = Digest(rawValue: try row.string("subject_digest")) else {
      throw ColumnError(column: "subject_digest", expected: "a SHA-256 in hexadecimal")
    }
    self.init(
      id: try row.id("id"), uri: try row.iri("uri"), assessorID: try row.id("assessor_id"),
      attachmentID: try row.id("attachment_id"), subjectDigest: digest, decision: try row.enumCase("decision"),
      isMeasured: try row.bool("is_measured"), appeal: try row.iri("appeal"), document: try row.bytes("document"),
      hasEnded: try row.bool("has_ended"), statedAt: try row.timestamp("stated_at"),
      endsAt: try row.timestamp("ends_at"), receivedAt: try row.timestamp("received_at"))
  }
}

extension ReadTransaction {
  package func peerAssessment(uri: IRI) throws -> PeerAssessment? {
    try first("SELECT \(fragment: PeerAssessment.columns) FROM peer_assessments WHERE uri = \(uri)")
      .map(PeerAssessment.init(row:))
  }

  package func peerAssessments(on pictures: some Collection<Attachment.ID>) throws -> [PeerAssessment] {
    guard !pictures.isEmpty else { return [] }
    return try rows(
      """
      SELECT \(fragment: PeerAssessment.columns) FROM peer_assessments
      WHERE attachment_id IN \(in: Set(pictures).sorted()) ORDER BY attachment_id, id
      """
    ).map(PeerAssessment.init(row:))
  }

  package func peerAssessments(by assessor: Account.ID, limit: Int) throws -> [PeerAssessment] {
    try rows(
      """
      SELECT \(fragment: PeerAssessment.columns) FROM peer_assessments
      WHERE assessor_id = \(assessor) ORDER BY id DESC LIMIT \(limit)
      """
    ).map(PeerAssessment.init(row:))
  }

  /// Of pictures of `owner`, newest first.
  package func peerAssessments(ofWorksBy owner: Account.ID, limit: Int) throws -> [PeerAssessment] {
    try rows(
      """
      SELECT \(fragment: PeerAssessment.columns) FROM attachments
      JOIN peer_assessments ON peer_assessments.attachment_id = attachments.id
      WHERE attachments.owner_id = \(owner) ORDER BY peer_assessments.id DESC LIMIT \(limit)
      """
    ).map(PeerAssessment.init(row:))
  }

  package func peerAssessments(endedBy time: Timestamp, limit: Int) throws -> [PeerAssessment] {
    try rows(
      """
      SELECT \(fragment: PeerAssessment.columns) FROM peer_assessments
      WHERE has_ended = \(false) AND ends_at <= \(time) ORDER BY ends_at LIMIT \(limit)
      """
    ).map(PeerAssessment.init(row:))
  }

  package func peerAssessments(receivedBefore time: Timestamp, limit: Int) throws -> [PeerAssessment] {
    try rows(
      """
      SELECT \(fragment: PeerAssessment.columns) FROM peer_assessments
      WHERE received_at < \(time) ORDER BY received_at LIMIT \(limit)
      """
    ).map(PeerAssessment.init(row:))
  }

  package func assessorPeers() throws -> [AssessorPeer] {
    try rows("SELECT account_id, weight, set_at FROM assessor_peers ORDER BY account_id").map { row in
      AssessorPeer(
        accountID: try row.id("account_id"), weight: try row.double("weight"), setAt: try row.timestamp("set_at"))
    }
  }

  package func weights(of assessors: some Collection<Account.ID>) throws -> [Account.ID: Double] {
    guard !assessors.isEmpty else { return [:] }
    let found = try rows(
      "SELECT account_id, weight FROM assessor_peers WHERE account_id IN \(in: Set(assessors).sorted())")
    return try found.reduce(into: [:]) { weights, row in
      weights[try row.id("account_id") as Account.ID] = try row.double("weight")
    }
  }

  package func assessmentCounts() throws -> [AssessmentCount] {
    try rows("SELECT host, decision, many FROM assessment_counts ORDER BY host, decision").map { row in
      AssessmentCount(
        host: try row.string("host"), decision: try row.enumCase("decision"), count: try row.int("many"))
    }
  }

  /// Whom an assessment of this picture was told, and under which of our decisions.
  package func sentAssessments(of picture: Attachment.ID) throws -> [(
    recipient: Account.ID, decision: DecisionRecord.ID
  )] {
    try rows(
      "SELECT recipient_id, decision_id FROM sent_assessments WHERE attachment_id = \(picture) ORDER BY recipient_id"
    ).map { (try $0.id("recipient_id"), try $0.id("decision_id")) }
  }

  package func decision(_ id: DecisionRecord.ID) throws -> DecisionRecord? {
    try first("SELECT \(fragment: DecisionRecord.columns) FROM decisions WHERE id = \(id)")
      .map(DecisionRecord.init(row:))
  }

  package func policyRevision(_ number: Int) throws -> PolicyDocument? {
    try first("SELECT document FROM policy_revisions WHERE number = \(number)").map { try $0.json("document") }
  }
}

extension WriteTransaction {
  package func insert(_ assessment: PeerAssessment) throws {
    try execute(
      """
      INSERT INTO peer_assessments (id, uri, assessor_id, attachment_id, subject_digest, decision, is_measured, appeal,
        document, has_ended, stated_at, ends_at, received_at)
      VALUES (\(assessment.id), \(assessment.uri), \(assessment.assessorID), \(assessment.attachmentID),
        \(assessment.subjectDigest.rawValue), \(assessment.decision.rawValue), \(assessment.isMeasured),
        \(assessment.appeal), \(assessment.document), \(assessment.hasEnded), \(assessment.statedAt),
        \(assessment.endsAt), \(assessment.receivedAt))
      """)
  }

  /// What its assessor says now.
  package func update(_ assessment: PeerAssessment) throws {
    try execute(
      """
      UPDATE peer_assessments SET subject_digest = \(assessment.subjectDigest.rawValue),
        decision = \(assessment.decision.rawValue), is_measured = \(assessment.isMeasured),
        appeal = \(assessment.appeal), document = \(assessment.document), has_ended = \(assessment.hasEnded),
        stated_at = \(assessment.statedAt), ends_at = \(assessment.endsAt)
      WHERE id = \(assessment.id)
      """)
  }

  /// Deletes an assessment and leaves one in the count of its server.
  package func count(_ assessment: PeerAssessment, of host: String) throws {
    try execute("DELETE FROM peer_assessments WHERE id = \(assessment.id)")
    try execute(
      """
      INSERT INTO assessment_counts (host, decision, many) VALUES (\(host), \(assessment.decision.rawValue), 1)
      ON CONFLICT (host, decision) DO UPDATE SET many = assessment_counts.many + 1
      """)
  }

  package func save(_ peer: AssessorPeer) throws {
    try execute(
      """
      INSERT INTO assessor_peers (account_id, weight, set_at)
      VALUES (\(peer.accountID), \(peer.weight), \(peer.setAt))
      ON CONFLICT (account_id) DO UPDATE SET weight = excluded.weight, set_at = excluded.set_at
      """)
  }

  package func deleteAssessorPeer(_ id: Account.ID) throws {
    try execute("DELETE FROM assessor_peers WHERE account_id = \(id)")
  }

  package func insertSentAssessment(
    of picture: Attachment.ID, to recipient: Account.ID, under decision: DecisionRecord.ID, at time: Timestamp
  ) throws {
    try execute(
      """
      INSERT INTO sent_assessments (attachment_id, recipient_id, decision_id, sent_at)
      VALUES (\(picture), \(recipient), \(decision), \(time))
      ON CONFLICT (attachment_id, recipient_id) DO NOTHING
      """)
  }

  package func deleteSentAssessments(before time: Timestamp) throws {
    try execute("DELETE FROM sent_assessments WHERE sent_at < \(time)")
  }
}
