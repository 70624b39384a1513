import Model
import Persistence
import Primitives

/// Everything a page of posts shows, gathered in a number of queries that does not depend on the page's length.
package struct PageAssembly: Sendable {
  package let viewer: Account.ID?
  /// The boosted posts among them that the viewer may see.
  package let boosted: [Post.ID: Post]
  package let quotes: [Post.ID: Quote]
  /// The quoted posts among them that the viewer may see.
  package let quoted: [Post.ID: Post]
  package let quoteCounts: [Post.ID: Int]
  /// Authors whom the viewer follows, and who follow the viewer.
  package let followed: Set<Account.ID>
  package let following: Set<Account.ID>
  package let accounts: [Account.ID: Account]
  package let accountCounts: [Account.ID: AccountCounts]
  package let attachments: [Post.ID: [Attachment]]
  package let renditions: [Attachment.ID: [Rendition]]
  package let decisions: [Attachment.ID: DecisionRecord]
  package let mentions: [Post.ID: [Account]]
  package let tags: [Post.ID: [String]]
  package let counts: [Post.ID: PostCounts]
  package let favourited: Set<Post.ID>
  package let boostedByViewer: Set<Post.ID>
  package let bookmarked: Set<Post.ID>
  /// Of the viewer's own.
  package let pinned: Set<Post.ID>
  /// Those in conversations the viewer wants to hear nothing more of.
  package let mutedThreads: Set<Post.ID>
  package let polls: [Post.ID: Poll]
  /// What the viewer has chosen in them.
  package let choices: [Post.ID: [Int]]
  /// The viewer's, with those of their single posts that are on this page.
  package let filters: [PostFilter]
  /// What is known against copies from elsewhere.
  package let marks: [Post.ID: CopyMark]
  package let changedMedia: [Attachment.ID: ChangedMedium]
}

extension ReadTransaction {
  package func assemble(_ posts: [Post], for viewer: Account.ID?) throws -> PageAssembly {
    let boosted = try self.posts(posts.compactMap(\.boostOfID), visibleTo: viewer)
    let shown = posts + boosted.values
    let outer = try quotes(of: shown.map(\.id))
    let quoted = try self.posts(outer.values.filter { $0.state == .accepted }.compactMap(\.quotedID), visibleTo: viewer)
    let all = shown + quoted.values
    let ids = Set(all.map(\.id)).sorted()
    let attachments = try attachments(of: ids)
    let pictures = attachments.values.flatMap { $0.map(\.id) }
    let mentions = try mentions(of: ids)
    let polls = try polls(of: ids)
    // Only what came from elsewhere can differ from its origin.
    let foreign = all.filter { !$0.isLocal && $0.boostOfID == nil }.map(\.id)
    let fetched = attachments.values.flatMap { $0.filter { $0.remoteURL != nil }.map(\.id) }
    let authors = Set(all.map(\.authorID)).union(all.compactMap(\.inReplyToAccountID))
    let ties = try ties(of: viewer, among: all.map(\.authorID))
    return PageAssembly(
      viewer: viewer, boosted: boosted,
      quotes: outer.merging(try quotes(of: quoted.keys)) { first, _ in first }, quoted: quoted,
      quoteCounts: try quoteCounts(of: ids), followed: ties.followed, following: ties.following,
      accounts: try accounts(authors), accountCounts: try counts(of: authors),
      attachments: attachments, renditions: try renditions(of: pictures), decisions: try decisions(on: pictures),
      mentions: mentions, tags: try tags(of: ids), counts: try counts(of: ids),
      favourited: try favourites(by: viewer, among: ids), boostedByViewer: try boosts(by: viewer, among: ids),
      bookmarked: try bookmarked(by: viewer, among: ids),
      pinned: try pinned(among: all.filter { $0.authorID == viewer }.map(\.id)),
      mutedThreads: try mutedThreads(by: viewer, among: ids), polls: polls,
      choices: try choices(by: viewer, in: polls.keys), filters: try filters(of: viewer, posts: ids),
      marks: try copyMarks(on: foreign), changedMedia: try changedMedia(among: fetched))
  }

  private func favourites(by viewer: Account.ID?, among ids: [Post.ID]) throws -> Set<Post.ID> {
    guard let viewer, !ids.isEmpty else { return [] }
    return Set(
      try rows("SELECT post_id FROM favourites WHERE account_id = \(viewer) AND post_id IN \(in: ids)").map {
        try $0.id("post_id") as Post.ID
      })
  }

  private func boosts(by viewer: Account.ID?, among ids: [Post.ID]) throws -> Set<Post.ID> {
    guard let viewer, !ids.isEmpty else { return [] }
    return Set(
      try rows("SELECT boost_of_id FROM posts WHERE author_id = \(viewer) AND boost_of_id IN \(in: ids)").map {
        try $0.id("boost_of_id") as Post.ID
      })
  }

  /// Accounts that favourited or boosted a post, newest first.
  package func accounts(favouriting post: Post.ID, limit: Int) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM favourites JOIN accounts ON accounts.id = favourites.account_id
      WHERE favourites.post_id = \(post) ORDER BY favourites.created_at DESC, accounts.id DESC LIMIT \(limit)
      """
    ).map(Account.init(row:))
  }

  package func accounts(boosting post: Post.ID, limit: Int) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM posts JOIN accounts ON accounts.id = posts.author_id
      WHERE posts.boost_of_id = \(post) ORDER BY posts.id DESC LIMIT \(limit)
      """
    ).map(Account.init(row:))
  }
}

extension ReadTransaction {
  package func remoteBoosters(of post: Post.ID, limit: Int) throws -> [Account.ID] {
    try rows(
      """
      SELECT posts.author_id FROM posts JOIN accounts ON accounts.id = posts.author_id
      WHERE posts.boost_of_id = \(post) AND accounts.host <> '' ORDER BY posts.author_id LIMIT \(limit)
      """
    ).map { try $0.id("author_id") }
  }

  /// Accounts whose name begins with `prefix`, local ones first. `prefix` is matched as a range on the key, since
  /// the case rules of LIKE differ between databases.
  package func accounts(named prefix: String, limit: Int) throws -> [Account] {
    let key = prefix.lowercased()
    guard !key.isEmpty else { return [] }
    return try rows(
      """
      SELECT \(fragment: Account.columns) FROM accounts
      WHERE username_key >= \(key) AND username_key < \(key + "\u{10ffff}") AND suspended_at IS NULL
        AND kind <> 'Application'
      ORDER BY CASE WHEN host = '' THEN 0 ELSE 1 END, username_key, host LIMIT \(limit)
      """
    ).map(Account.init(row:))
  }

  /// Tags that begin with `prefix`. What only private words are tagged with is as private as they are.
  package func tags(named prefix: String, limit: Int) throws -> [String] {
    let key = prefix.lowercased()
    guard !key.isEmpty else { return [] }
    return try rows(
      """
      SELECT DISTINCT tag FROM post_tags WHERE tag >= \(key) AND tag < \(key + "\u{10ffff}")
        AND EXISTS (SELECT 1 FROM posts WHERE posts.id = post_tags.post_id AND posts.visibility = 'public'
          AND posts.state = 'published')
      ORDER BY tag LIMIT \(limit)
      """
    ).map { try $0.string("tag") }
  }
}
