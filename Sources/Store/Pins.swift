import Model
import Persistence
import Primitives

/// A work somebody shows first.
package enum Pin {}

extension ReadTransaction {
  /// What `author` has pinned and `viewer` may see, the newest pin first.
  package func pinnedPosts(of author: Account.ID, visibleTo viewer: Account.ID?) throws -> [Post] {
    try rows(
      """
      SELECT \(fragment: Post.columns) FROM pins CROSS JOIN posts ON posts.id = pins.post_id
      WHERE pins.account_id = \(author) AND \(fragment: Post.visible(to: viewer))
      ORDER BY pins.id DESC LIMIT \(Limits.pinnedPosts)
      """
    ).map(Post.init(row:))
  }

  package func pinCount(of author: Account.ID) throws -> Int {
    try first("SELECT COUNT(*) AS pins FROM pins WHERE account_id = \(author)")?.int("pins") ?? 0
  }

  package func pinned(among ids: some Collection<Post.ID>) throws -> Set<Post.ID> {
    guard !ids.isEmpty else { return [] }
    return Set(
      try rows("SELECT post_id FROM pins WHERE post_id IN \(in: Set(ids).sorted())").map { try $0.id("post_id") })
  }
}

extension WriteTransaction {
  /// False if it was pinned already.
  package func insertPin(_ id: ID<Pin>, of post: Post.ID, by author: Account.ID) throws -> Bool {
    try execute(
      """
      INSERT INTO pins (id, account_id, post_id) VALUES (\(id), \(author), \(post)) ON CONFLICT (post_id) DO NOTHING
      """) == 1
  }

  /// False if it was not pinned.
  package func deletePin(of post: Post.ID, by author: Account.ID) throws -> Bool {
    try execute("DELETE FROM pins WHERE post_id = \(post) AND account_id = \(author)") == 1
  }

  package func deletePins(of author: Account.ID) throws {
    try execute("DELETE FROM pins WHERE account_id = \(author)")
  }
}

extension Limits {
  /// Misskey fails on a peer that pins more than it allows itself (misskey #14487).
  package static let pinnedPosts = 5
}
