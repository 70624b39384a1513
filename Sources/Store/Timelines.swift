import Model
import Persistence
import Primitives

/// Which posts of an account a list shows.
package struct AccountFilter: Hashable, Sendable {
  package var onlyMedia = false
  package var excludeReplies = false
  package var excludeBoosts = false
  package init(onlyMedia: Bool = false, excludeReplies: Bool = false, excludeBoosts: Bool = false) {
    self.onlyMedia = onlyMedia
    self.excludeReplies = excludeReplies
    self.excludeBoosts = excludeBoosts
  }
}

extension ReadTransaction {
  private func posts(_ sql: SQL, _ page: Page<Post>) throws -> [Post] {
    return try rows(
      """
      \(fragment: sql) AND posts.id < \(page.upper) AND posts.id > \(page.lower)
      ORDER BY posts.id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }

  package func home(of owner: Account.ID, _ page: Page<Post>) throws -> [Post] {
    // The window is on the entries' own key, so that a page costs its length whatever the timeline's.
    return try rows(
      """
      SELECT \(fragment: Post.columns) FROM home_entries CROSS JOIN posts ON posts.id = home_entries.post_id
      WHERE home_entries.owner_id = \(owner) AND home_entries.post_id < \(page.upper)
        AND home_entries.post_id > \(page.lower) AND \(fragment: Post.visible(to: owner))
        AND NOT EXISTS (SELECT 1 FROM mutes WHERE mutes.account_id = \(owner) AND mutes.target_id = posts.author_id)
        AND NOT EXISTS (SELECT 1 FROM list_members
          JOIN people_lists ON people_lists.id = list_members.list_id AND people_lists.owner_id = \(owner)
            AND people_lists.is_exclusive
          WHERE list_members.account_id = posts.author_id AND posts.author_id <> \(owner))
      ORDER BY home_entries.post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }

  package func posts(
    by author: Account.ID, visibleTo viewer: Account.ID?, _ filter: AccountFilter = AccountFilter(), _ page: Page<Post>
  ) throws -> [Post] {
    try posts(
      """
      SELECT \(fragment: Post.columns) FROM posts
      WHERE posts.author_id = \(author) AND \(fragment: Post.visible(to: viewer))
        AND (NOT \(filter.excludeReplies) OR posts.in_reply_to_uri IS NULL
          OR posts.in_reply_to_account_id = posts.author_id)
        AND (NOT \(filter.excludeBoosts) OR posts.boost_of_id IS NULL)
        AND (NOT \(filter.onlyMedia) OR EXISTS (SELECT 1 FROM attachments WHERE attachments.post_id = posts.id))
      """, page)
  }

  /// Public posts, of here or of everywhere.
  package func publicPosts(localOnly: Bool, onlyMedia: Bool, visibleTo viewer: Account.ID?, _ page: Page<Post>) throws
    -> [Post]
  {
    // Two texts, since each has an index of its own that gives the order as well.
    let place: SQL = localOnly ? "posts.is_local = TRUE AND" : ""
    return try posts(
      """
      SELECT \(fragment: Post.columns) FROM posts
      WHERE \(fragment: place) posts.visibility = 'public' AND posts.state = 'published'
        AND posts.boost_of_id IS NULL
        AND (posts.in_reply_to_uri IS NULL OR posts.in_reply_to_account_id = posts.author_id)
        AND \(fragment: Post.visible(to: viewer))
        AND (NOT \(onlyMedia) OR EXISTS (SELECT 1 FROM attachments WHERE attachments.post_id = posts.id))
      """, page)
  }

  package func posts(tagged tag: String, visibleTo viewer: Account.ID?, _ page: Page<Post>) throws -> [Post] {
    // As with home timelines, the window and the order are those of the narrow table.
    return try rows(
      """
      SELECT \(fragment: Post.columns) FROM post_tags CROSS JOIN posts ON posts.id = post_tags.post_id
      WHERE post_tags.tag = \(tag) AND post_tags.post_id < \(page.upper) AND post_tags.post_id > \(page.lower)
        AND posts.visibility = 'public' AND \(fragment: Post.visible(to: viewer))
      ORDER BY post_tags.post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }

  /// From the root down to the parent of `post`, at most `limit`.
  package func ancestors(of post: Post.ID, visibleTo viewer: Account.ID?, limit: Int = 40) throws -> [Post] {
    try rows(
      """
      WITH RECURSIVE chain (id, depth) AS (
        SELECT in_reply_to_id, 1 FROM posts WHERE id = \(post) AND in_reply_to_id IS NOT NULL
        UNION ALL
        SELECT posts.in_reply_to_id, chain.depth + 1 FROM posts JOIN chain ON posts.id = chain.id
        WHERE posts.in_reply_to_id IS NOT NULL AND chain.depth < \(limit)
      )
      SELECT \(fragment: Post.columns) FROM chain JOIN posts ON posts.id = chain.id
      WHERE \(fragment: Post.visible(to: viewer)) ORDER BY chain.depth DESC
      """
    ).map(Post.init(row:)).uniqued(but: post)
  }

  /// Replies and their replies, parents before children, at most `limit`.
  package func descendants(of post: Post.ID, visibleTo viewer: Account.ID?, limit: Int = 200) throws -> [Post] {
    let found = try rows(
      """
      WITH RECURSIVE tree (id, depth) AS (
        SELECT id, 1 FROM posts WHERE in_reply_to_id = \(post)
        UNION ALL
        SELECT posts.id, tree.depth + 1 FROM posts JOIN tree ON posts.in_reply_to_id = tree.id WHERE tree.depth < 40
        LIMIT \(limit)
      )
      SELECT \(fragment: Post.columns) FROM tree JOIN posts ON posts.id = tree.id
      WHERE \(fragment: Post.visible(to: viewer)) ORDER BY posts.id
      """
    ).map(Post.init(row:)).uniqued(but: post)
    return threaded(found, under: post)
  }

  private func threaded(_ posts: [Post], under root: Post.ID) -> [Post] {
    let children = Dictionary(grouping: posts, by: { $0.inReplyToID ?? root })
    var ordered: [Post] = []
    var stack = (children[root] ?? []).reversed() as [Post]
    while let next = stack.popLast() {
      ordered.append(next)
      stack.append(contentsOf: (children[next.id] ?? []).reversed())
    }
    return ordered
  }
}

extension [Post] {
  /// Two posts elsewhere can each name the other as its parent: the circle is walked once.
  fileprivate func uniqued(but root: Post.ID) -> [Post] {
    var seen: Set<Post.ID> = [root]
    return filter { seen.insert($0.id).inserted }
  }
}

extension WriteTransaction {
  /// Puts `post` into the home timelines of its author's accepted local followers, and of its author if local.
  ///
  /// A reply goes only to followers of both ends, as every server does, and one to a post nobody here has seen to
  /// none. A direct post goes to those it mentions.
  package func fillHomes(with post: Post, repliesToFollowed parent: Account.ID?) throws {
    let isReply = post.inReplyToURI != nil
    let isDirect = post.visibility == .direct
    try execute(
      """
      INSERT INTO home_entries (owner_id, post_id)
      SELECT follows.follower_id, \(post.id) FROM follows JOIN accounts ON accounts.id = follows.follower_id
      WHERE follows.followee_id = \(post.authorID) AND follows.state = 'accepted' AND accounts.host = ''
        AND (NOT \(isDirect) OR EXISTS (SELECT 1 FROM mentions
          WHERE mentions.post_id = \(post.id) AND mentions.account_id = follows.follower_id))
        AND (NOT \(isReply) OR CAST(\(parent) AS BIGINT) = follows.follower_id
          OR CAST(\(parent) AS BIGINT) = \(post.authorID)
          OR EXISTS (SELECT 1 FROM follows AS theirs WHERE theirs.follower_id = follows.follower_id
            AND theirs.followee_id = CAST(\(parent) AS BIGINT) AND theirs.state = 'accepted'))
      ON CONFLICT (owner_id, post_id) DO NOTHING
      """)
    if post.isLocal {
      try execute(
        """
        INSERT INTO home_entries (owner_id, post_id) VALUES (\(post.authorID), \(post.id))
        ON CONFLICT (owner_id, post_id) DO NOTHING
        """)
    }
  }

  /// A new follower sees what was there before, up to `limit` posts, by the rule for replies above.
  package func backfillHome(of owner: Account.ID, from author: Account.ID, limit: Int) throws {
    try execute(
      """
      INSERT INTO home_entries (owner_id, post_id)
      SELECT \(owner), id FROM posts
      WHERE author_id = \(author) AND state = 'published' AND visibility <> 'direct'
        AND (in_reply_to_uri IS NULL OR in_reply_to_account_id IN (\(owner), \(author))
          OR EXISTS (SELECT 1 FROM follows WHERE follows.follower_id = \(owner)
            AND follows.followee_id = posts.in_reply_to_account_id AND follows.state = 'accepted'))
      ORDER BY id DESC LIMIT \(limit)
      ON CONFLICT (owner_id, post_id) DO NOTHING
      """)
  }

  package func clearHome(of owner: Account.ID, from author: Account.ID) throws {
    try execute(
      """
      DELETE FROM home_entries
      WHERE owner_id = \(owner) AND post_id IN (SELECT id FROM posts WHERE author_id = \(author))
      """)
  }
}

extension ReadTransaction {
  /// Whether a local post was ever shown to others: its author's own home timeline has had it since.
  package func wasAnnounced(_ post: Post) throws -> Bool {
    try first("SELECT 1 AS found FROM home_entries WHERE owner_id = \(post.authorID) AND post_id = \(post.id)") != nil
  }
}
