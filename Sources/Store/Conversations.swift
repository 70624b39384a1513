import Model
import Persistence
import Primitives

extension Conversation {
  fileprivate init(row: Row) throws {
    self.init(
      id: try row.id("id"), accountID: try row.id("account_id"), lastPostID: try row.id("last_post_id"),
      isUnread: try row.bool("is_unread"))
  }
}

extension ReadTransaction {
  /// Newest first; the cursor is the last post.
  package func conversations(of account: Account.ID, _ page: Page<Post>) throws -> [Conversation] {
    try rows(
      """
      SELECT id, account_id, last_post_id, is_unread FROM conversations
      WHERE account_id = \(account) AND last_post_id < \(page.upper) AND last_post_id > \(page.lower)
      ORDER BY last_post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Conversation.init(row:)).newestFirst(page)
  }

  package func conversation(_ id: Conversation.ID, of account: Account.ID) throws -> Conversation? {
    try first(
      """
      SELECT id, account_id, last_post_id, is_unread FROM conversations
      WHERE id = \(id) AND account_id = \(account) AND last_post_id IS NOT NULL
      """
    ).map(Conversation.init(row:))
  }

  /// Direct posts that `account` wrote or is meant by.
  package func directPosts(of account: Account.ID, _ page: Page<Post>) throws -> [Post] {
    try rows(
      """
      SELECT \(fragment: Post.columns) FROM direct_entries CROSS JOIN posts ON posts.id = direct_entries.post_id
      WHERE direct_entries.account_id = \(account) AND direct_entries.post_id < \(page.upper)
        AND direct_entries.post_id > \(page.lower) AND \(fragment: Post.visible(to: account))
      ORDER BY direct_entries.post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }

  /// Those in which `post` is the last word.
  func conversations(endingIn post: Post.ID) throws -> [Talk] {
    try rows("SELECT \(fragment: Talk.columns) FROM conversations WHERE last_post_id = \(post)").map(Talk.init(row:))
  }
}

extension WriteTransaction {
  /// Puts a direct post into the conversation of a reader here.
  package func insertDirect(
    _ post: Post.ID, for account: Account.ID, conversation: Conversation.ID, isUnread: Bool
  ) throws {
    try execute(
      """
      INSERT INTO direct_entries (account_id, post_id) VALUES (\(account), \(post))
      ON CONFLICT (account_id, post_id) DO NOTHING
      """)
    try execute(
      """
      INSERT INTO conversations (id, account_id, thread_id, last_post_id, is_unread)
      SELECT \(conversation), \(account), COALESCE(thread_id, id), id, CAST(\(isUnread) AS BOOLEAN) FROM posts
      WHERE id = \(post)
      ON CONFLICT (account_id, thread_id) DO UPDATE SET is_unread = excluded.is_unread,
        last_post_id = CASE WHEN conversations.last_post_id > excluded.last_post_id
          THEN conversations.last_post_id ELSE excluded.last_post_id END
      """)
  }

  /// Names the last post of a conversation anew; one without posts is gone.
  func settle(_ talk: Talk) throws {
    try execute(
      """
      UPDATE conversations SET last_post_id = (
        SELECT MAX(direct_entries.post_id) FROM posts JOIN direct_entries
          ON direct_entries.post_id = posts.id AND direct_entries.account_id = \(talk.account)
        WHERE posts.thread_id = \(talk.thread))
      WHERE id = \(talk.id)
      """)
    try execute("DELETE FROM conversations WHERE id = \(talk.id) AND last_post_id IS NULL")
  }

  package func setRead(_ conversation: Conversation.ID, isUnread: Bool) throws {
    try execute("UPDATE conversations SET is_unread = \(isUnread) WHERE id = \(conversation)")
  }

  package func delete(conversation: Conversation.ID) throws {
    try execute("DELETE FROM conversations WHERE id = \(conversation)")
  }
}
