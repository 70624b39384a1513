import Model
import Persistence
import Primitives

/// A tag somebody follows.
package enum FollowedTag {}

extension ReadTransaction {
  package func followedTags(
    of account: Account.ID, _ page: Page<FollowedTag>
  ) throws -> [(id: ID<FollowedTag>, tag: String)] {
    try rows(
      """
      SELECT id, tag FROM followed_tags
      WHERE account_id = \(account) AND id < \(page.upper) AND id > \(page.lower)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map { (try $0.id("id"), try $0.string("tag")) }.newestFirst(page)
  }

  package func followed(by account: Account.ID?, among tags: [String]) throws -> Set<String> {
    guard let account, !tags.isEmpty else { return [] }
    return Set(
      try rows("SELECT tag FROM followed_tags WHERE tag IN \(in: tags) AND account_id = \(account)")
        .map { try $0.string("tag") })
  }

  /// How often a tag was used publicly, and by how many, on each of the last days: today first. Ids carry their time,
  /// so that the days are ranges of the index.
  package func history(of tag: String, days: Int, until now: Timestamp) throws -> [(
    day: Timestamp, uses: Int, accounts: Int
  )] {
    let day: Int64 = 86_400_000
    let today = now.milliseconds / day * day
    return try (0..<Int64(days)).map { back in
      let start = today - back * day
      let row = try first(
        """
        SELECT COUNT(*) AS uses, COUNT(DISTINCT posts.author_id) AS accounts
        FROM post_tags CROSS JOIN posts ON posts.id = post_tags.post_id
        WHERE post_tags.tag = \(tag) AND post_tags.post_id >= \(start << 16) AND post_tags.post_id < \((start + day) << 16)
          AND posts.visibility = 'public' AND posts.state = 'published'
        """)
      return (Timestamp(milliseconds: start), try row?.int("uses") ?? 0, try row?.int("accounts") ?? 0)
    }
  }
}

extension WriteTransaction {
  package func follow(tag: String, _ id: ID<FollowedTag>, by account: Account.ID) throws {
    try execute(
      """
      INSERT INTO followed_tags (id, account_id, tag) VALUES (\(id), \(account), \(tag))
      ON CONFLICT (tag, account_id) DO NOTHING
      """)
  }

  package func unfollow(tag: String, by account: Account.ID) throws {
    try execute("DELETE FROM followed_tags WHERE tag = \(tag) AND account_id = \(account)")
  }

  /// Puts `post` into the home timelines of those who follow one of its tags.
  package func fillHomes(with post: Post, ofTags tags: [String]) throws {
    guard !tags.isEmpty else { return }
    try execute(
      """
      INSERT INTO home_entries (owner_id, post_id)
      SELECT DISTINCT followed_tags.account_id, \(post.id) FROM followed_tags WHERE followed_tags.tag IN \(in: tags)
      ON CONFLICT (owner_id, post_id) DO NOTHING
      """)
  }

  /// Takes out of a home timeline what only `tag` has brought there.
  package func clearHome(of owner: Account.ID, fromTag tag: String) throws {
    try execute(
      """
      DELETE FROM home_entries WHERE owner_id = \(owner)
        AND post_id IN (SELECT post_tags.post_id FROM post_tags CROSS JOIN posts ON posts.id = post_tags.post_id
          WHERE post_tags.tag = \(tag) AND posts.author_id <> \(owner)
            AND NOT EXISTS (SELECT 1 FROM follows WHERE follows.follower_id = \(owner)
              AND follows.followee_id = posts.author_id AND follows.state = 'accepted')
            AND NOT EXISTS (SELECT 1 FROM post_tags AS others
              JOIN followed_tags ON followed_tags.tag = others.tag AND followed_tags.account_id = \(owner)
              WHERE others.post_id = posts.id AND others.tag <> \(tag)))
      """)
  }
}
