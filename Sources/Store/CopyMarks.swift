import Model
import Persistence
import Primitives

extension CopyMark {
  fileprivate static let columns: SQL = "post_id, state, differing, checked_at"

  fileprivate init(row: Row) throws {
    self.init(
      postID: try row.id("post_id"), state: try row.enumCase("state"),
      differing: try row.string("differing").split(separator: " ").map(String.init),
      checkedAt: try row.timestamp("checked_at"))
  }
}

extension ChangedMedium {
  fileprivate static let columns: SQL = "attachment_id, declared, found, noted_at"

  fileprivate init(row: Row) throws {
    guard let declared = Digest(rawValue: try row.string("declared")),
      let found = Digest(rawValue: try row.string("found"))
    else { throw ColumnError(column: "declared", expected: "a SHA-256 in hexadecimal") }
    self.init(
      attachmentID: try row.id("attachment_id"), declared: declared, found: found,
      notedAt: try row.timestamp("noted_at"))
  }
}

extension ReadTransaction {
  package func copyMarks(on posts: some Collection<Post.ID>) throws -> [Post.ID: CopyMark] {
    guard !posts.isEmpty else { return [:] }
    let found = try rows(
      "SELECT \(fragment: CopyMark.columns) FROM copy_marks WHERE post_id IN \(in: Set(posts).sorted())"
    ).map(CopyMark.init(row:))
    return Dictionary(found.map { ($0.postID, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Of the newest posts first.
  package func copyMarks(limit: Int) throws -> [CopyMark] {
    try rows("SELECT \(fragment: CopyMark.columns) FROM copy_marks ORDER BY post_id DESC LIMIT \(limit)")
      .map(CopyMark.init(row:))
  }

  package func changedMedia(among pictures: some Collection<Attachment.ID>) throws -> [Attachment.ID: ChangedMedium] {
    guard !pictures.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT \(fragment: ChangedMedium.columns) FROM changed_media WHERE attachment_id IN \(in: Set(pictures).sorted())
      """
    ).map(ChangedMedium.init(row:))
    return Dictionary(found.map { ($0.attachmentID, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package func changedMedia(limit: Int) throws -> [ChangedMedium] {
    try rows("SELECT \(fragment: ChangedMedium.columns) FROM changed_media ORDER BY attachment_id DESC LIMIT \(limit)")
      .map(ChangedMedium.init(row:))
  }

  /// Whether the document of `owner` lists a key that proofs are made with.
  package func makesProofs(_ owner: IRI) throws -> Bool {
    try rows("SELECT public_key FROM remote_keys WHERE owner = \(owner)").contains { row in
      try row.string("public_key").hasPrefix("z")
    }
  }
}

extension WriteTransaction {
  package func save(_ mark: CopyMark) throws {
    try execute(
      """
      INSERT INTO copy_marks (post_id, state, differing, checked_at)
      VALUES (\(mark.postID), \(mark.state.rawValue), \(mark.differing.joined(separator: " ")), \(mark.checkedAt))
      ON CONFLICT (post_id) DO UPDATE SET state = excluded.state, differing = excluded.differing,
        checked_at = excluded.checked_at
      """)
  }

  package func deleteCopyMark(on post: Post.ID) throws {
    try execute("DELETE FROM copy_marks WHERE post_id = \(post)")
  }

  package func save(_ changed: ChangedMedium) throws {
    try execute(
      """
      INSERT INTO changed_media (attachment_id, declared, found, noted_at)
      VALUES (\(changed.attachmentID), \(changed.declared.rawValue), \(changed.found.rawValue), \(changed.notedAt))
      ON CONFLICT (attachment_id) DO UPDATE SET declared = excluded.declared, found = excluded.found,
        noted_at = excluded.noted_at
      """)
  }

  package func deleteChangedMedium(_ id: Attachment.ID) throws {
    try execute("DELETE FROM changed_media WHERE attachment_id = \(id)")
  }
}
