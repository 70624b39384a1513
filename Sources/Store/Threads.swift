import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// The number that all posts of one conversation share.
  package func thread(of post: Post.ID) throws -> Int64? {
    try first("SELECT thread_id FROM posts WHERE id = \(post)")?.optionalInt64("thread_id")
  }

  /// The ids of what a stranger may see of the conversation that `root` began, oldest first.
  package func openThread(of root: Post.ID, after: Post.ID?, limit: Int) throws -> [(id: Post.ID, uri: IRI)] {
    try rows(
      """
      SELECT id, uri FROM posts
      WHERE thread_id = \(root.rawValue) AND id > \(after?.rawValue ?? .min) AND state = 'published'
        AND visibility IN ('public', 'unlisted') AND boost_of_id IS NULL
      ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.id("id"), try $0.iri("uri")) }
  }

  package func openThreadCount(of root: Post.ID) throws -> Int {
    try first(
      """
      SELECT COUNT(*) AS posts FROM posts
      WHERE thread_id = \(root.rawValue) AND state = 'published' AND visibility IN ('public', 'unlisted')
        AND boost_of_id IS NULL
      """
    )?.int("posts") ?? 0
  }

  /// Direct replies that a stranger may see, oldest first.
  package func openReplies(to post: Post.ID, after: Post.ID? = nil, limit: Int) throws -> [(id: Post.ID, uri: IRI)] {
    try rows(
      """
      SELECT id, uri FROM posts
      WHERE in_reply_to_id = \(post) AND id > \(after?.rawValue ?? .min) AND state = 'published'
        AND visibility IN ('public', 'unlisted')
      ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.id("id"), try $0.iri("uri")) }
  }

  /// When the rest of the conversation around `post` was last looked for elsewhere.
  package func threadRead(of post: Post.ID) throws -> Timestamp? {
    try first("SELECT read_at FROM thread_reads WHERE post_id = \(post)")?.timestamp("read_at")
  }

  package func mutedThreads(by account: Account.ID?, among ids: some Collection<Post.ID>) throws -> Set<Post.ID> {
    guard let account, !ids.isEmpty else { return [] }
    return Set(
      try rows(
        """
        SELECT posts.id FROM posts WHERE posts.id IN \(in: Set(ids).sorted())
          AND EXISTS (SELECT 1 FROM thread_mutes
            WHERE thread_mutes.account_id = \(account) AND thread_mutes.thread_id = posts.thread_id)
        """
      ).map { try $0.id("id") as Post.ID })
  }
}

extension WriteTransaction {
  package func setThreadRead(_ post: Post.ID, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO thread_reads (post_id, read_at) VALUES (\(post), \(time))
      ON CONFLICT (post_id) DO UPDATE SET read_at = excluded.read_at
      """)
  }

  package func setThreadMute(_ isMuted: Bool, of post: Post.ID, by account: Account.ID) throws {
    if isMuted {
      try execute(
        """
        INSERT INTO thread_mutes (account_id, thread_id)
        SELECT \(account), thread_id FROM posts WHERE id = \(post) AND thread_id IS NOT NULL
        ON CONFLICT (account_id, thread_id) DO NOTHING
        """)
    } else {
      try execute(
        """
        DELETE FROM thread_mutes
        WHERE account_id = \(account) AND thread_id = (SELECT thread_id FROM posts WHERE id = \(post))
        """)
    }
  }

  /// The conversations that began below a missing `post` become part of the one it belongs to.
  func joinThreads(waitingFor post: Post) throws {
    guard let thread = try thread(of: post.id) else { return }
    let apart = try rows(
      """
      SELECT DISTINCT thread_id FROM posts
      WHERE in_reply_to_uri = \(post.uri) AND in_reply_to_id IS NULL AND id <> \(post.id) AND thread_id <> \(thread)
      """
    ).map { try $0.int64("thread_id") }
    for other in apart {
      try execute("UPDATE posts SET thread_id = \(thread) WHERE thread_id = \(other)")
      try execute(
        """
        INSERT INTO thread_mutes (account_id, thread_id)
        SELECT account_id, CAST(\(thread) AS BIGINT) FROM thread_mutes WHERE thread_id = \(other)
        ON CONFLICT (account_id, thread_id) DO NOTHING
        """)
      try execute("DELETE FROM thread_mutes WHERE thread_id = \(other)")
      try execute(
        """
        DELETE FROM conversations WHERE thread_id = \(thread) AND EXISTS (SELECT 1 FROM conversations AS others
          WHERE others.thread_id = \(other) AND others.account_id = conversations.account_id)
        """)
      let joined = try rows(
        "UPDATE conversations SET thread_id = \(thread) WHERE thread_id = \(other) RETURNING \(fragment: Talk.columns)")
      for row in joined { try settle(Talk(row: row)) }
    }
  }
}

/// One person's row of one conversation.
struct Talk {
  static let columns: SQL = "id, account_id, thread_id"
  let id: Int64
  let account: Account.ID
  let thread: Int64

  init(row: Row) throws {
    id = try row.int64("id")
    account = try row.id("account_id")
    thread = try row.int64("thread_id")
  }
}
