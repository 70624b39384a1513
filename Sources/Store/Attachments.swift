import Model
import Persistence
import Policy
import Primitives

extension Attachment {
  static let columns: SQL = """
    attachments.id, attachments.owner_id, attachments.post_id, attachments.position, attachments.kind,
    attachments.state, attachments.failure, attachments.remote_url, attachments.alt_text, attachments.focus_x,
    attachments.focus_y, attachments.blurhash, attachments.perceptual_hash, attachments.original,
    attachments.declared_digest, attachments.declared_media_type, attachments.width, attachments.height,
    attachments.usage_policy, attachments.digital_source_type, attachments.created_at, attachments.original_size
    """

  init(row: Row) throws {
    var focus: Focus?
    if let x = try row.optionalDouble("focus_x"), let y = try row.optionalDouble("focus_y") {
      focus = Focus(x: x, y: y)
    }
    self.init(
      id: try row.id("id"), ownerID: try row.id("owner_id"), postID: try row.optionalID("post_id"),
      position: try row.int("position"), kind: try row.enumCase("kind"), state: try row.enumCase("state"),
      failure: try row.optionalString("failure"), remoteURL: try row.optionalIRI("remote_url"),
      altText: try row.string("alt_text"), focus: focus, blurhash: try row.optionalString("blurhash"),
      perceptualHash: try row.optionalInt64("perceptual_hash").map { PerceptualHash(rawValue: UInt64(bitPattern: $0)) },
      original: try row.optionalString("original").flatMap { Digest(rawValue: $0) },
      declaredDigest: try row.optionalString("declared_digest").flatMap { Digest(rawValue: $0) },
      declaredMediaType: try row.optionalString("declared_media_type"), width: try row.optionalInt("width"),
      height: try row.optionalInt("height"), usagePolicy: try row.optionalJSON("usage_policy"),
      digitalSourceType: try row.optionalString("digital_source_type"), createdAt: try row.timestamp("created_at"),
      originalSize: try row.optionalInt("original_size"))
  }
}

extension Rendition {
  init(row: Row) throws {
    guard let digest = Digest(rawValue: try row.string("digest")) else {
      throw ColumnError(column: "digest", expected: "a SHA-256 in hexadecimal")
    }
    self.init(
      attachmentID: try row.id("attachment_id"), kind: try row.enumCase("kind"), digest: digest,
      mediaType: try row.string("media_type"), width: try row.int("width"), height: try row.int("height"),
      size: try row.int("size"))
  }
}

extension ReadTransaction {
  package func attachment(_ id: Attachment.ID) throws -> Attachment? {
    try first("SELECT \(fragment: Attachment.columns) FROM attachments WHERE id = \(id)").map(Attachment.init(row:))
  }

  package func attachments(_ ids: some Collection<Attachment.ID>) throws -> [Attachment] {
    guard !ids.isEmpty else { return [] }
    return try rows("SELECT \(fragment: Attachment.columns) FROM attachments WHERE id IN \(in: Array(ids))")
      .map(Attachment.init(row:))
  }

  package func attachments(of posts: some Collection<Post.ID>) throws -> [Post.ID: [Attachment]] {
    guard !posts.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT \(fragment: Attachment.columns) FROM attachments
      WHERE post_id IN \(in: Set(posts).sorted()) ORDER BY post_id, position, id
      """
    ).map(Attachment.init(row:))
    return found.reduce(into: [:]) { grouped, attachment in
      if let post = attachment.postID { grouped[post, default: []].append(attachment) }
    }
  }

  package func renditions(of ids: some Collection<Attachment.ID>) throws -> [Attachment.ID: [Rendition]] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT attachment_id, kind, digest, media_type, width, height, size FROM renditions
      WHERE attachment_id IN \(in: Set(ids).sorted())
      """
    ).map(Rendition.init(row:))
    return Dictionary(grouping: found, by: \.attachmentID)
  }

  /// What a request for a stored file needs: its type, and the works it belongs to with everything that decides
  /// who may see it and under which policy.
  package func uses(ofFile digest: Digest) throws -> [(rendition: Rendition, attachment: Attachment)] {
    // What stands in a post comes first: copies that stand in none can not crowd it out.
    let found = try rows(
      """
      SELECT renditions.attachment_id, renditions.kind, renditions.digest, renditions.media_type, renditions.width,
        renditions.height, renditions.size
      FROM renditions JOIN attachments ON attachments.id = renditions.attachment_id
      WHERE renditions.digest = \(digest.rawValue)
      ORDER BY CASE WHEN attachments.post_id IS NULL THEN 1 ELSE 0 END, attachments.id LIMIT 16
      """
    ).map(Rendition.init(row:))
    let owners = Dictionary(
      try attachments(found.map(\.attachmentID)).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    return found.compactMap { rendition in owners[rendition.attachmentID].map { (rendition, $0) } }
  }

  /// Other pictures with the same bytes.
  package func attachments(withOriginal digest: Digest, besides id: Attachment.ID) throws -> [Attachment] {
    try rows(
      """
      SELECT \(fragment: Attachment.columns) FROM attachments
      WHERE original = \(digest.rawValue) AND id <> \(id) ORDER BY id LIMIT 1000
      """
    ).map(Attachment.init(row:))
  }

  /// Bytes that the pictures of `owner` take: what was sent, and what was made of it.
  package func storedBytes(of owner: Account.ID) throws -> Int {
    try first(
      """
      SELECT CAST((SELECT COALESCE(SUM(original_size), 0) FROM attachments WHERE owner_id = \(owner))
        + (SELECT COALESCE(SUM(renditions.size), 0) FROM attachments
          JOIN renditions ON renditions.attachment_id = attachments.id WHERE attachments.owner_id = \(owner))
        AS BIGINT) AS many
      """)?.int("many") ?? 0
  }

  package func isFileUsed(_ digest: Digest) throws -> Bool {
    let names = Portrait.fileNames(of: digest)
    return try first(
      """
      SELECT 1 AS found WHERE EXISTS (SELECT 1 FROM renditions WHERE digest = \(digest.rawValue))
        OR EXISTS (SELECT 1 FROM attachments WHERE original = \(digest.rawValue) AND state <> 'refused')
        OR EXISTS (SELECT 1 FROM accounts WHERE avatar_file IN \(in: names))
        OR EXISTS (SELECT 1 FROM accounts WHERE header_file IN \(in: names))
        OR EXISTS (SELECT 1 FROM emojis WHERE file IN \(in: names))
      """) != nil
  }

  /// Held pictures of remote posts that still have their bytes and were not decided on since `time`.
  package func heldFromElsewhere(undecidedSince time: Timestamp, limit: Int) throws -> [Attachment] {
    try rows(
      """
      SELECT \(fragment: Attachment.columns) FROM attachments
      WHERE state = 'held' AND remote_url IS NOT NULL AND failure IS NULL
        AND NOT EXISTS (SELECT 1 FROM decisions
          WHERE decisions.attachment_id = attachments.id AND decisions.decided_at >= \(time))
      ORDER BY id LIMIT \(limit)
      """
    ).map(Attachment.init(row:))
  }

  /// Pictures that wait for a moderator, oldest first.
  package func attachments(in state: Attachment.State, _ page: Page<Attachment>) throws -> [Attachment] {
    try rows(
      """
      SELECT \(fragment: Attachment.columns) FROM attachments
      WHERE state = \(state.rawValue) AND id < \(page.upper) AND id > \(page.lower) ORDER BY id LIMIT \(page.limit)
      """
    ).map(Attachment.init(row:))
  }
}

extension WriteTransaction {
  package func insert(_ attachment: Attachment) throws {
    try execute(
      """
      INSERT INTO attachments (id, owner_id, post_id, position, kind, state, failure, remote_url, alt_text, focus_x,
        focus_y, blurhash, perceptual_hash, original, declared_digest, declared_media_type, width, height,
        usage_policy, digital_source_type, created_at, original_size)
      VALUES (\(attachment.id), \(attachment.ownerID), \(attachment.postID), \(attachment.position),
        \(attachment.kind.rawValue), \(attachment.state.rawValue), \(attachment.failure), \(attachment.remoteURL),
        \(attachment.altText), \(attachment.focus?.x), \(attachment.focus?.y), \(attachment.blurhash),
        \(attachment.perceptualHash.map { Int64(bitPattern: $0.rawValue) }), \(attachment.original?.rawValue),
        \(attachment.declaredDigest?.rawValue), \(attachment.declaredMediaType), \(attachment.width),
        \(attachment.height), \(try StoredJSON.text(ifPresent: attachment.usagePolicy)),
        \(attachment.digitalSourceType), \(attachment.createdAt), \(attachment.originalSize))
      """)
  }

  /// Writes everything but the id, the owner and the time of creation.
  package func update(_ attachment: Attachment) throws {
    try execute(
      """
      UPDATE attachments SET post_id = \(attachment.postID), position = \(attachment.position),
        kind = \(attachment.kind.rawValue), state = \(attachment.state.rawValue), failure = \(attachment.failure),
        remote_url = \(attachment.remoteURL), alt_text = \(attachment.altText), focus_x = \(attachment.focus?.x),
        focus_y = \(attachment.focus?.y), blurhash = \(attachment.blurhash),
        perceptual_hash = \(attachment.perceptualHash.map { Int64(bitPattern: $0.rawValue) }),
        original = \(attachment.original?.rawValue), declared_digest = \(attachment.declaredDigest?.rawValue),
        declared_media_type = \(attachment.declaredMediaType), width = \(attachment.width),
        height = \(attachment.height), usage_policy = \(try StoredJSON.text(ifPresent: attachment.usagePolicy)),
        digital_source_type = \(attachment.digitalSourceType), original_size = \(attachment.originalSize)
      WHERE id = \(attachment.id)
      """)
  }

  package func detachAttachments(of post: Post.ID) throws {
    try execute("UPDATE attachments SET post_id = NULL, position = 0 WHERE post_id = \(post)")
  }

  /// Uploads that came into no post; their files are swept once nothing points to them.
  @discardableResult
  package func deleteUnpostedAttachments(before id: Attachment.ID) throws -> Int {
    try execute(
      """
      DELETE FROM attachments WHERE post_id IS NULL AND id < \(id) AND state <> 'refused'
        AND NOT EXISTS (SELECT 1 FROM scheduled_pictures WHERE scheduled_pictures.attachment_id = attachments.id)
      """)
  }

  package func delete(attachment id: Attachment.ID) throws { try execute("DELETE FROM attachments WHERE id = \(id)") }

  package func replaceRenditions(of id: Attachment.ID, with renditions: [Rendition]) throws {
    try execute("DELETE FROM renditions WHERE attachment_id = \(id)")
    for rendition in renditions {
      try execute(
        """
        INSERT INTO renditions (attachment_id, kind, digest, media_type, width, height, size)
        VALUES (\(id), \(rendition.kind.rawValue), \(rendition.digest.rawValue), \(rendition.mediaType),
          \(rendition.width), \(rendition.height), \(rendition.size))
        """)
    }
  }
}

extension ReadTransaction {
  /// The digests of all files that people are shown, each once: what a backup must hold.
  package func fileDigests() throws -> [String] {
    try rows(
      """
      SELECT digest AS file FROM renditions
      UNION SELECT avatar_file AS file FROM accounts WHERE avatar_file IS NOT NULL
      UNION SELECT header_file AS file FROM accounts WHERE header_file IS NOT NULL
      UNION SELECT file FROM emojis WHERE file IS NOT NULL
      ORDER BY file
      """
    ).map { String(try $0.string("file").prefix(64)) }
  }
}
