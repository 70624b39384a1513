import Model
import Persistence
import Primitives

/// What to look for among the words of posts.
package struct PostSearch: Hashable, Sendable {
  /// Words that must all be there; text in quotation marks is looked for as it stands.
  package var words: [String]
  package var author: Account.ID?
  package var onlyMedia: Bool
  /// Between these, by the time in the ids.
  package var window: Page<Post>
  package var offset: Int

  package init(
    words: [String], author: Account.ID? = nil, onlyMedia: Bool = false, window: Page<Post>, offset: Int = 0
  ) {
    self.words = words
    self.author = author
    self.onlyMedia = onlyMedia
    self.window = window
    self.offset = offset
  }

  /// Every word in quotation marks, so that none of it is an operator of the index.
  fileprivate var expression: String {
    words.map { "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }
      .joined(separator: " ")
  }
}

extension Post {
  /// What `viewer` may find: own posts, public posts of authors who wish to be found (FEP-5feb; absent means no) and
  /// said nothing narrower of this one (FEP-268d), and whatever the viewer has had to do with. Asked at every search, so
  /// that a wish withdrawn holds for everything said before.
  fileprivate static func findable(by viewer: Account.ID) -> SQL {
    """
    (posts.author_id = \(viewer)
      OR (EXISTS (SELECT 1 FROM accounts AS writers WHERE writers.id = posts.author_id AND writers.is_indexable)
        AND ((posts.visibility = 'public' AND (posts.searchability IS NULL OR posts.searchability = 'public'))
          OR (posts.searchability = 'followers' AND EXISTS (SELECT 1 FROM follows WHERE follows.follower_id = \(viewer)
            AND follows.followee_id = posts.author_id AND follows.state = 'accepted'))))
      OR EXISTS (SELECT 1 FROM favourites
        WHERE favourites.account_id = \(viewer) AND favourites.post_id = posts.id)
      OR EXISTS (SELECT 1 FROM bookmarks WHERE bookmarks.account_id = \(viewer) AND bookmarks.post_id = posts.id)
      OR EXISTS (SELECT 1 FROM mentions WHERE mentions.post_id = posts.id AND mentions.account_id = \(viewer))
      OR EXISTS (SELECT 1 FROM poll_votes
        WHERE poll_votes.account_id = \(viewer) AND poll_votes.post_id = posts.id)
      OR EXISTS (SELECT 1 FROM posts AS own WHERE own.boost_of_id = posts.id AND own.author_id = \(viewer))
      OR EXISTS (SELECT 1 FROM posts AS own WHERE own.in_reply_to_id = posts.id AND own.author_id = \(viewer)))
    """
  }
}

extension ReadTransaction {
  /// Posts whose words match and which `viewer` may find, newest first. Without words only those of one author.
  package func posts(found search: PostSearch, by viewer: Account.ID) throws -> [Post] {
    let condition: SQL = """
      posts.boost_of_id IS NULL AND \(fragment: Post.visible(to: viewer)) AND \(fragment: Post.findable(by: viewer))
        AND (NOT \(search.onlyMedia) OR EXISTS (SELECT 1 FROM attachments WHERE attachments.post_id = posts.id))
      """
    let page = search.window
    if search.words.isEmpty {
      guard let author = search.author else { return [] }
      return try rows(
        """
        SELECT \(fragment: Post.columns) FROM posts
        WHERE posts.author_id = \(author) AND posts.id < \(page.upper) AND posts.id > \(page.lower)
          AND \(fragment: condition)
        ORDER BY posts.id DESC LIMIT \(page.limit) OFFSET \(search.offset)
        """
      ).map(Post.init(row:))
    }
    return try rows(
      """
      SELECT \(fragment: Post.columns) FROM search_words CROSS JOIN posts ON posts.id = search_words.rowid
      WHERE search_words.words MATCH \(search.expression) AND search_words.rowid < \(page.upper)
        AND search_words.rowid > \(page.lower)
        AND (CAST(\(search.author) AS BIGINT) IS NULL OR posts.author_id = \(search.author))
        AND \(fragment: condition)
      ORDER BY search_words.rowid DESC LIMIT \(page.limit) OFFSET \(search.offset)
      """
    ).map(Post.init(row:))
  }

  package func hasWords(of post: Post.ID) throws -> Bool {
    try first("SELECT 1 AS found FROM search_words WHERE rowid = \(post)") != nil
  }
}

extension WriteTransaction {
  package func setWords(_ words: String?, of post: Post.ID) throws {
    try execute("DELETE FROM search_words WHERE rowid = \(post)")
    guard let words, !words.isEmpty else { return }
    try execute("INSERT INTO search_words (rowid, words) VALUES (\(post), \(words))")
  }

  /// Before all posts of an account go.
  func deleteWords(by author: Account.ID) throws {
    try execute("DELETE FROM search_words WHERE rowid IN (SELECT id FROM posts WHERE author_id = \(author))")
  }
}
