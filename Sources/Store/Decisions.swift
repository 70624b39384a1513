import Model
import Persistence
import Policy
import Primitives

extension DecisionRecord {
  static let columns: SQL = """
    id, attachment_id, verdict, reasons, facts, assessment, policy_revision, decided_at, decided_by
    """

  init(row: Row) throws {
    guard let verdict = Verdict(rawValue: try row.string("verdict")) else {
      throw ColumnError(column: "verdict", expected: "a verdict")
    }
    self.init(
      id: try row.id("id"), attachmentID: try row.id("attachment_id"), verdict: verdict,
      reasons: try row.json("reasons"), facts: try row.json("facts"), assessment: try row.json("assessment"),
      policyRevision: try row.int("policy_revision"), decidedAt: try row.timestamp("decided_at"),
      decidedBy: try row.optionalID("decided_by"))
  }
}

/// One numbered, immutable state of the instance's policy.
package struct PolicyRevision: Hashable, Sendable {
  package var number: Int
  package var document: PolicyDocument
  package var note: String
  package var authorID: Account.ID?
  package var createdAt: Timestamp
  package init(number: Int, document: PolicyDocument, note: String, authorID: Account.ID?, createdAt: Timestamp) {
    self.number = number
    self.document = document
    self.note = note
    self.authorID = authorID
    self.createdAt = createdAt
  }
}

extension ReadTransaction {
  /// The latest decision on each picture.
  package func decisions(on ids: some Collection<Attachment.ID>) throws -> [Attachment.ID: DecisionRecord] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT \(fragment: DecisionRecord.columns) FROM decisions
      WHERE id IN (SELECT MAX(id) FROM decisions WHERE attachment_id IN \(in: Set(ids).sorted())
        GROUP BY attachment_id)
      """
    ).map(DecisionRecord.init(row:))
    return Dictionary(found.map { ($0.attachmentID, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Newest first.
  package func decisionHistory(of id: Attachment.ID) throws -> [DecisionRecord] {
    try rows(
      "SELECT \(fragment: DecisionRecord.columns) FROM decisions WHERE attachment_id = \(id) ORDER BY id DESC LIMIT 50"
    ).map(DecisionRecord.init(row:))
  }

  /// Decisions of the policy itself since `time`, for a dry run.
  package func automaticDecisions(since id: DecisionRecord.ID, limit: Int) throws -> [DecisionRecord] {
    try rows(
      """
      SELECT \(fragment: DecisionRecord.columns) FROM decisions
      WHERE id > \(id) AND decided_by IS NULL ORDER BY id DESC LIMIT \(limit)
      """
    ).map(DecisionRecord.init(row:))
  }

  package func currentPolicy() throws -> PolicyRevision {
    let found = try first(
      "SELECT number, document, note, author_id, created_at FROM policy_revisions ORDER BY number DESC LIMIT 1")
    guard let row = found else { throw ColumnError(column: "policy_revisions", expected: "at least one revision") }
    return PolicyRevision(
      number: try row.int("number"), document: try row.json("document"), note: try row.string("note"),
      authorID: try row.optionalID("author_id"), createdAt: try row.timestamp("created_at"))
  }

  package func hasPolicy() throws -> Bool { try first("SELECT 1 AS found FROM policy_revisions LIMIT 1") != nil }

  /// Whether a moderator has cleared this work: the same bytes, or a copy at most `distance` bits away.
  package func isCleared(digest: Digest, perceptualHash: PerceptualHash?, distance: Int) throws -> Bool {
    if try first("SELECT 1 AS found FROM cleared_works WHERE digest = \(digest.rawValue)") != nil { return true }
    guard let perceptualHash else { return false }
    // Clearing is a moderator's act, so there are few rows; SQL has no population count.
    return try rows("SELECT perceptual_hash FROM cleared_works WHERE perceptual_hash IS NOT NULL LIMIT 10000")
      .contains { row in
        let stored = PerceptualHash(rawValue: UInt64(bitPattern: try row.int64("perceptual_hash")))
        return stored.distance(to: perceptualHash) <= distance
      }
  }

  /// Whether these bytes, or what lies at this address, were refused before.
  package func isRefused(digest: Digest?, url: IRI?) throws -> Bool {
    try first(
      """
      SELECT 1 AS found FROM refused_files
      WHERE digest = CAST(\(digest?.rawValue) AS TEXT) OR remote_url = CAST(\(url) AS TEXT) LIMIT 1
      """) != nil
  }

  /// What is remembered of bytes, or of what lay at an address, that were refused.
  package func refusal(digest: Digest?, url: IRI?) throws -> (
    digest: Digest, perceptualHash: PerceptualHash?, attachment: Attachment.ID?
  )? {
    try first(
      """
      SELECT digest, perceptual_hash, attachment_id FROM refused_files
      WHERE digest = CAST(\(digest?.rawValue) AS TEXT) OR remote_url = CAST(\(url) AS TEXT)
      ORDER BY refused_at DESC, digest LIMIT 1
      """
    ).flatMap { row in
      guard let digest = Digest(rawValue: try row.string("digest")) else { return nil }
      let hash = try row.optionalInt64("perceptual_hash").map { PerceptualHash(rawValue: UInt64(bitPattern: $0)) }
      return (digest, hash, try row.optionalID("attachment_id"))
    }
  }

  package func appeals(in state: Appeal.State, _ page: Page<Appeal>) throws -> [Appeal] {
    try rows(
      """
      SELECT id, attachment_id, contact, message, state, created_at FROM appeals
      WHERE state = \(state.rawValue) AND id < \(page.upper) AND id > \(page.lower) ORDER BY id LIMIT \(page.limit)
      """
    ).map { row in
      Appeal(
        id: try row.id("id"), attachmentID: try row.id("attachment_id"), contact: try row.string("contact"),
        message: try row.string("message"), state: try row.enumCase("state"),
        createdAt: try row.timestamp("created_at"))
    }
  }

  package func openAppeals(on id: Attachment.ID) throws -> Int {
    try first("SELECT COUNT(*) AS open FROM appeals WHERE attachment_id = \(id) AND state = 'open'")?.int("open") ?? 0
  }
}

extension WriteTransaction {
  package func insert(_ record: DecisionRecord) throws {
    try execute(
      """
      INSERT INTO decisions (id, attachment_id, verdict, reasons, facts, assessment, detector, policy_revision,
        decided_at, decided_by)
      VALUES (\(record.id), \(record.attachmentID), \(record.verdict.rawValue), \(try StoredJSON.text(record.reasons)),
        \(try StoredJSON.text(record.facts)), \(try StoredJSON.text(record.assessment)),
        \(record.assessment.detector), \(record.policyRevision), \(record.decidedAt), \(record.decidedBy))
      """)
  }

  /// Throws `DatabaseError.unique` when the number is taken: somebody else was faster.
  package func insert(_ revision: PolicyRevision) throws {
    try execute(
      """
      INSERT INTO policy_revisions (number, document, note, author_id, created_at)
      VALUES (\(revision.number), \(try StoredJSON.text(revision.document)), \(revision.note), \(revision.authorID),
        \(revision.createdAt))
      """)
  }

  package func clear(
    digest: Digest, perceptualHash: PerceptualHash?, by moderator: Account.ID?, at time: Timestamp
  ) throws {
    try execute(
      """
      INSERT INTO cleared_works (digest, perceptual_hash, cleared_by, cleared_at)
      VALUES (\(digest.rawValue), \(perceptualHash.map { Int64(bitPattern: $0.rawValue) }), \(moderator), \(time))
      ON CONFLICT (digest) DO NOTHING
      """)
    try execute("DELETE FROM refused_files WHERE digest = \(digest.rawValue)")
  }

  package func insertRefused(_ attachment: Attachment, digest: Digest, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO refused_files (digest, remote_url, perceptual_hash, attachment_id, refused_at)
      VALUES (\(digest.rawValue), \(attachment.remoteURL),
        \(attachment.perceptualHash.map { Int64(bitPattern: $0.rawValue) }), \(attachment.id), \(time))
      ON CONFLICT (digest) DO NOTHING
      """)
  }

  /// What was refused may come back: it is fetched again, from wherever it lay.
  package func forgetRefusal(digest: Digest?, url: IRI?) throws {
    try execute(
      """
      DELETE FROM refused_files
      WHERE digest = CAST(\(digest?.rawValue) AS TEXT) OR remote_url = CAST(\(url) AS TEXT)
      """)
  }

  /// A moderator has changed their mind about a work that was cleared.
  package func unclear(digest: Digest) throws {
    try execute("DELETE FROM cleared_works WHERE digest = \(digest.rawValue)")
  }

  package func insert(_ appeal: Appeal) throws {
    try execute(
      """
      INSERT INTO appeals (id, attachment_id, contact, message, state, created_at)
      VALUES (\(appeal.id), \(appeal.attachmentID), \(appeal.contact), \(appeal.message), \(appeal.state.rawValue),
        \(appeal.createdAt))
      """)
  }

  package func closeAppeals(on id: Attachment.ID, as state: Appeal.State) throws {
    try execute("UPDATE appeals SET state = \(state.rawValue) WHERE attachment_id = \(id) AND state = 'open'")
  }
}
