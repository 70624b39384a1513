import Model
import Persistence
import Policy
import Primitives

extension Post {
  static let columns: SQL = """
    posts.id, posts.uri, posts.url, posts.author_id, posts.in_reply_to_id, posts.in_reply_to_uri,
    posts.in_reply_to_account_id, posts.boost_of_id, posts.content, posts.text, posts.spoiler, posts.is_sensitive,
    posts.language, posts.visibility, posts.state, posts.usage_policy, posts.policy_is_proved,
    posts.policy_stated_at, posts.is_local, posts.created_at, posts.edited_at, posts.series_id,
    posts.context_uri, posts.interaction_policy, posts.searchability,
    (SELECT series.usage_policy FROM series WHERE series.id = posts.series_id) AS series_policy
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), uri: try row.iri("uri"), url: try row.iri("url"), authorID: try row.id("author_id"),
      inReplyToID: try row.optionalID("in_reply_to_id"), inReplyToURI: try row.optionalIRI("in_reply_to_uri"),
      inReplyToAccountID: try row.optionalID("in_reply_to_account_id"), boostOfID: try row.optionalID("boost_of_id"),
      content: try row.string("content"), text: try row.string("text"), spoiler: try row.string("spoiler"),
      isSensitive: try row.bool("is_sensitive"), language: try row.optionalString("language"),
      visibility: try row.enumCase("visibility"), state: try row.enumCase("state"),
      usagePolicy: try row.optionalJSON("usage_policy"), policyIsProved: try row.bool("policy_is_proved"),
      policyStatedAt: try row.optionalTimestamp("policy_stated_at"),
      createdAt: try row.timestamp("created_at"), editedAt: try row.optionalTimestamp("edited_at"),
      isLocal: try row.bool("is_local"), seriesID: try row.optionalID("series_id"),
      seriesPolicy: try row.optionalJSON("series_policy"), contextURI: try row.optionalIRI("context_uri"),
      interaction: try row.optionalJSON("interaction_policy"), searchability: try row.optionalCase("searchability"))
  }

  /// For RETURNING, where PostgreSQL and SQLite agree only on bare names.
  static let bareColumns: SQL = """
    id, uri, url, author_id, in_reply_to_id, in_reply_to_uri, in_reply_to_account_id, boost_of_id, content, text,
    spoiler, is_sensitive, language, visibility, state, usage_policy, policy_is_proved, policy_stated_at, is_local,
    created_at, edited_at, series_id, context_uri, interaction_policy, searchability,
    (SELECT series.usage_policy FROM series WHERE series.id = series_id) AS series_policy
    """

  /// The rows of `posts` that `viewer` may see; nil is a stranger. The fast twin of `Audience.canSee`.
  static func visible(to viewer: Account.ID?) -> SQL {
    let inSight: SQL = """
      NOT EXISTS (SELECT 1 FROM accounts AS authors
        WHERE authors.id = posts.author_id AND authors.suspended_at IS NOT NULL)
      """
    guard let viewer else {
      return """
        (posts.state = 'published' AND posts.visibility IN ('public', 'unlisted') AND \(fragment: inSight))
        """
    }
    return """
      (posts.author_id = \(viewer) OR (posts.state = 'published' AND \(fragment: inSight)
        AND NOT EXISTS (SELECT 1 FROM blocks WHERE (blocks.account_id = posts.author_id AND blocks.target_id = \(viewer))
          OR (blocks.account_id = \(viewer) AND blocks.target_id = posts.author_id))
        AND (posts.visibility IN ('public', 'unlisted')
          OR EXISTS (SELECT 1 FROM mentions WHERE mentions.post_id = posts.id AND mentions.account_id = \(viewer))
          OR (posts.visibility = 'private' AND EXISTS (SELECT 1 FROM follows WHERE follows.followee_id = posts.author_id
            AND follows.follower_id = \(viewer) AND follows.state = 'accepted')))))
      """
  }
}

extension ReadTransaction {
  /// Without regard to who asks.
  package func post(_ id: Post.ID) throws -> Post? {
    try first("SELECT \(fragment: Post.columns) FROM posts WHERE id = \(id)").map(Post.init(row:))
  }

  package func post(uri: IRI) throws -> Post? {
    try first("SELECT \(fragment: Post.columns) FROM posts WHERE uri = \(uri)").map(Post.init(row:))
  }

  /// By its page's address, which is not always its id.
  package func post(url: IRI, author: Account.ID) throws -> Post? {
    try first("SELECT \(fragment: Post.columns) FROM posts WHERE author_id = \(author) AND url = \(url)")
      .map(Post.init(row:))
  }

  package func post(_ id: Post.ID, visibleTo viewer: Account.ID?) throws -> Post? {
    try first(
      "SELECT \(fragment: Post.columns) FROM posts WHERE id = \(id) AND \(fragment: Post.visible(to: viewer))"
    ).map(Post.init(row:))
  }

  package func posts(_ ids: some Collection<Post.ID>, visibleTo viewer: Account.ID?) throws -> [Post.ID: Post] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT \(fragment: Post.columns) FROM posts
      WHERE id IN \(in: Set(ids).sorted()) AND \(fragment: Post.visible(to: viewer))
      """)
    return Dictionary(try found.map(Post.init(row:)).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package func boost(of post: Post.ID, by account: Account.ID) throws -> Post? {
    try first(
      "SELECT \(fragment: Post.columns) FROM posts WHERE boost_of_id = \(post) AND author_id = \(account)"
    ).map(Post.init(row:))
  }

  package func tombstone(uri: IRI) throws -> Tombstone? {
    try first("SELECT uri, author_uri, deleted_at FROM tombstones WHERE uri = \(uri)").map {
      Tombstone(
        uri: try $0.iri("uri"), authorURI: try $0.iri("author_uri"), deletedAt: try $0.timestamp("deleted_at"))
    }
  }

  package func document(of post: Post.ID) throws -> [UInt8]? {
    try first("SELECT document FROM post_documents WHERE post_id = \(post)")?.bytes("document")
  }

  package func mentions(of ids: some Collection<Post.ID>) throws -> [Post.ID: [Account]] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows(
      """
      SELECT mentions.post_id AS post_id, \(fragment: Account.columns) FROM mentions
      JOIN accounts ON accounts.id = mentions.account_id
      WHERE mentions.post_id IN \(in: Set(ids).sorted()) ORDER BY mentions.post_id, accounts.id
      """)
    return try rows.reduce(into: [:]) { found, row in
      found[try row.id("post_id"), default: []].append(try Account(row: row))
    }
  }

  package func tags(of ids: some Collection<Post.ID>) throws -> [Post.ID: [String]] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows(
      "SELECT post_id, tag FROM post_tags WHERE post_id IN \(in: Set(ids).sorted()) ORDER BY post_id, tag")
    return try rows.reduce(into: [:]) { found, row in
      found[try row.id("post_id"), default: []].append(try row.string("tag"))
    }
  }

  package func counts(of ids: some Collection<Post.ID>) throws -> [Post.ID: PostCounts] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows(
      "SELECT post_id, replies, boosts, favourites FROM post_counts WHERE post_id IN \(in: Set(ids).sorted())")
    return Dictionary(
      try rows.map {
        (
          try $0.id("post_id") as Post.ID,
          PostCounts(
            replies: try $0.int("replies"), boosts: try $0.int("boosts"), favourites: try $0.int("favourites"))
        )
      }, uniquingKeysWith: { first, _ in first })
  }

  package func versions(of post: Post.ID) throws -> [(
    content: String, spoiler: String, isSensitive: Bool, createdAt: Timestamp
  )] {
    try rows(
      """
      SELECT content, spoiler, is_sensitive, created_at FROM post_versions WHERE post_id = \(post) ORDER BY id
      """
    ).map {
      (
        try $0.string("content"), try $0.string("spoiler"), try $0.bool("is_sensitive"),
        try $0.timestamp("created_at")
      )
    }
  }
}

/// What a post adds to the numbers beside its author, its parent and the post it boosts.
private struct Counted {
  let author: Account.ID
  let parent: Post.ID?
  let boosted: Post.ID?
  let visibility: Visibility
  let createdAt: Timestamp

  init(_ post: Post) {
    author = post.authorID
    parent = post.inReplyToID
    boosted = post.boostOfID
    visibility = post.visibility
    createdAt = post.createdAt
  }

  init(row: Row) throws {
    author = try row.id("author_id")
    parent = try row.optionalID("in_reply_to_id")
    boosted = try row.optionalID("boost_of_id")
    visibility = try row.enumCase("visibility")
    createdAt = try row.timestamp("created_at")
  }

  static let columns: SQL = "author_id, in_reply_to_id, boost_of_id, visibility, created_at, state"
}

extension WriteTransaction {
  /// Also counts the post for its author and its parent. Throws `DatabaseError.unique` when id or uri is taken.
  package func insert(
    _ post: Post, mentions: [Account.ID] = [], tags: [String] = [], document: [UInt8]? = nil
  ) throws {
    try execute(
      """
      INSERT INTO posts (id, uri, url, author_id, in_reply_to_id, in_reply_to_uri, in_reply_to_account_id, boost_of_id,
        content, text, spoiler, is_sensitive, language, visibility, state, usage_policy, policy_is_proved,
        policy_stated_at, is_local, created_at, edited_at, context_uri, interaction_policy, searchability, thread_id)
      VALUES (\(post.id), \(post.uri), \(post.url), \(post.authorID), \(post.inReplyToID), \(post.inReplyToURI),
        \(post.inReplyToAccountID), \(post.boostOfID), \(post.content), \(post.text), \(post.spoiler),
        \(post.isSensitive), \(post.language), \(post.visibility.rawValue), \(post.state.rawValue),
        \(try StoredJSON.text(ifPresent: post.usagePolicy)), \(post.policyIsProved), \(post.policyStatedAt),
        \(post.isLocal), \(post.createdAt), \(post.editedAt), \(post.contextURI),
        \(try StoredJSON.text(ifPresent: post.interaction)), \(post.searchability?.rawValue),
        COALESCE((SELECT parents.thread_id FROM posts AS parents WHERE parents.id = \(post.inReplyToID)), \(post.id)))
      """)
    try execute("INSERT INTO post_counts (post_id) VALUES (\(post.id))")
    if let document {
      try execute("INSERT INTO post_documents (post_id, document) VALUES (\(post.id), \(document))")
    }
    try setMentions(mentions, of: post.id)
    try setTags(tags, of: post.id)
    if post.state == .published { try count(Counted(post), by: 1) }
  }

  /// Held posts count nowhere. A direct post is no work of its author, and a number beside a post must not tell of
  /// replies that its reader can not see.
  private func count(_ post: Counted, by change: Int) throws {
    if post.boosted == nil, post.visibility != .direct {
      try adjustCounts(of: post.author, posts: change, lastPostAt: change > 0 ? post.createdAt : nil)
    }
    if let parent = post.parent, post.visibility.isOpen { try adjustCounts(of: parent, replies: change) }
    if let boosted = post.boosted { try adjustCounts(of: boosted, boosts: change) }
  }

  package func setMentions(_ accounts: [Account.ID], of post: Post.ID) throws {
    try execute("DELETE FROM mentions WHERE post_id = \(post)")
    for account in Set(accounts) {
      try execute("INSERT INTO mentions (post_id, account_id) VALUES (\(post), \(account))")
    }
  }

  package func setTags(_ tags: [String], of post: Post.ID) throws {
    try execute("DELETE FROM post_tags WHERE post_id = \(post)")
    for tag in Set(tags) { try execute("INSERT INTO post_tags (post_id, tag) VALUES (\(post), \(tag))") }
  }

  /// Writes what an edit may change and keeps what stood before as a version.
  package func update(_ post: Post, version: ID<Post>, document: [UInt8]? = nil) throws {
    try execute(
      """
      INSERT INTO post_versions (id, post_id, content, spoiler, is_sensitive, created_at)
      SELECT \(version), id, content, spoiler, is_sensitive, COALESCE(edited_at, created_at) FROM posts
      WHERE id = \(post.id)
      """)
    try execute(
      """
      UPDATE posts SET content = \(post.content), text = \(post.text), spoiler = \(post.spoiler),
        is_sensitive = \(post.isSensitive), language = \(post.language),
        usage_policy = \(try StoredJSON.text(ifPresent: post.usagePolicy)),
        policy_is_proved = \(post.policyIsProved), policy_stated_at = \(post.policyStatedAt),
        edited_at = \(post.editedAt), interaction_policy = \(try StoredJSON.text(ifPresent: post.interaction)),
        searchability = \(post.searchability?.rawValue)
      WHERE id = \(post.id)
      """)
    if let document {
      try execute(
        """
        INSERT INTO post_documents (post_id, document) VALUES (\(post.id), \(document))
        ON CONFLICT (post_id) DO UPDATE SET document = excluded.document
        """)
    }
  }

  package func setState(_ state: Post.State, of post: Post.ID) throws {
    let changed = try rows(
      """
      UPDATE posts SET state = \(state.rawValue) WHERE id = \(post) AND state <> \(state.rawValue)
      RETURNING \(fragment: Counted.columns)
      """)
    for row in changed { try count(Counted(row: row), by: state == .published ? 1 : -1) }
  }

  /// Deletes the post with its boosts; replies stay without a parent.
  package func delete(_ post: Post) throws {
    try endQuotes(of: post.id)
    try setWords(nil, of: post.id)
    let talks = post.visibility == .direct ? try conversations(endingIn: post.id) : []
    // The row says what to count back: the caller's copy may be older than the arrival of its parent.
    let deleted = try rows("DELETE FROM posts WHERE id = \(post.id) RETURNING \(fragment: Counted.columns)")
    for row in deleted where try row.enumCase("state", as: Post.State.self) == .published {
      try count(Counted(row: row), by: -1)
    }
    for talk in talks { try settle(talk) }
  }

  package func insert(_ tombstone: Tombstone) throws {
    try execute(
      """
      INSERT INTO tombstones (uri, author_uri, deleted_at)
      VALUES (\(tombstone.uri), \(tombstone.authorURI), \(tombstone.deletedAt)) ON CONFLICT (uri) DO NOTHING
      """)
  }

  package func adjustCounts(of post: Post.ID, replies: Int = 0, boosts: Int = 0, favourites: Int = 0) throws {
    try execute(
      """
      UPDATE post_counts SET replies = replies + \(replies), boosts = boosts + \(boosts),
        favourites = favourites + \(favourites)
      WHERE post_id = \(post)
      """)
  }

  /// Replies that arrived before `post` find their parent. A post that claims to answer itself finds none.
  @discardableResult
  package func adoptReplies(to post: Post) throws -> [Post] {
    try joinThreads(waitingFor: post)
    let adopted = try rows(
      """
      UPDATE posts SET in_reply_to_id = \(post.id), in_reply_to_account_id = \(post.authorID)
      WHERE in_reply_to_uri = \(post.uri) AND in_reply_to_id IS NULL AND id <> \(post.id)
      RETURNING \(fragment: Post.bareColumns)
      """
    ).map(Post.init(row:))
    let counted = adopted.count { $0.state == .published && $0.visibility.isOpen }
    if counted > 0 { try adjustCounts(of: post.id, replies: counted) }
    return adopted
  }

  /// False if it was there already.
  package func insert(_ favourite: Favourite) throws -> Bool {
    let inserted = try execute(
      """
      INSERT INTO favourites (account_id, post_id, uri, created_at)
      VALUES (\(favourite.accountID), \(favourite.postID), \(favourite.uri), \(favourite.createdAt))
      ON CONFLICT (account_id, post_id) DO NOTHING
      """)
    if inserted == 1 { try adjustCounts(of: favourite.postID, favourites: 1) }
    return inserted == 1
  }

  package func delete(_ favourite: Favourite) throws {
    let deleted = try execute(
      "DELETE FROM favourites WHERE account_id = \(favourite.accountID) AND post_id = \(favourite.postID)")
    if deleted == 1 { try adjustCounts(of: favourite.postID, favourites: -1) }
  }
}

extension Favourite {
  init(row: Row) throws {
    self.init(
      accountID: try row.id("account_id"), postID: try row.id("post_id"), uri: try row.iri("uri"),
      createdAt: try row.timestamp("created_at"))
  }
}

extension ReadTransaction {
  package func favourite(of post: Post.ID, by account: Account.ID) throws -> Favourite? {
    try first(
      """
      SELECT account_id, post_id, uri, created_at FROM favourites
      WHERE account_id = \(account) AND post_id = \(post)
      """
    ).map(Favourite.init(row:))
  }

  package func favourite(uri: IRI) throws -> Favourite? {
    try first("SELECT account_id, post_id, uri, created_at FROM favourites WHERE uri = \(uri)")
      .map(Favourite.init(row:))
  }
}
