import Model
import Persistence
import Primitives

extension Quote {
  static let columns: SQL = "post_id, quoted_uri, quoted_id, state, stamp_uri, created_at"

  init(row: Row) throws {
    self.init(
      postID: try row.id("post_id"), quotedURI: try row.iri("quoted_uri"), quotedID: try row.optionalID("quoted_id"),
      state: try row.enumCase("state"), stampURI: try row.optionalIRI("stamp_uri"),
      createdAt: try row.timestamp("created_at"))
  }
}

extension QuoteConsent {
  static let columns: SQL = """
    quote_consents.id, quote_consents.quoted_id, quote_consents.quoting_uri, quote_consents.asker_id,
    quote_consents.request_uri, quote_consents.state, quote_consents.created_at
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), quotedID: try row.id("quoted_id"), quotingURI: try row.iri("quoting_uri"),
      askerID: try row.id("asker_id"), requestURI: try row.optionalIRI("request_uri"),
      state: try row.enumCase("state"), createdAt: try row.timestamp("created_at"))
  }
}

extension ReadTransaction {
  package func quote(of post: Post.ID) throws -> Quote? { try quotes(of: [post])[post] }

  package func quotes(of ids: some Collection<Post.ID>) throws -> [Post.ID: Quote] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      "SELECT \(fragment: Quote.columns) FROM quotes WHERE post_id IN \(in: Set(ids).sorted())"
    ).map(Quote.init(row:))
    return Dictionary(found.map { ($0.postID, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package func quotes(stampedBy stamp: IRI) throws -> [Quote] {
    try rows("SELECT \(fragment: Quote.columns) FROM quotes WHERE stamp_uri = \(stamp)").map(Quote.init(row:))
  }

  /// How often each was quoted with consent.
  package func quoteCounts(of ids: some Collection<Post.ID>) throws -> [Post.ID: Int] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT quoted_id, COUNT(*) AS times FROM quotes
      WHERE quoted_id IN \(in: Set(ids).sorted()) AND state = 'accepted' GROUP BY quoted_id
      """)
    return Dictionary(
      try found.map { (try $0.id("quoted_id") as Post.ID, try $0.int("times")) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Posts that quote `post` with its author's consent.
  package func posts(quoting post: Post.ID, visibleTo viewer: Account.ID?, _ page: Page<Post>) throws -> [Post] {
    try rows(
      """
      SELECT \(fragment: Post.columns) FROM quotes CROSS JOIN posts ON posts.id = quotes.post_id
      WHERE quotes.quoted_id = \(post) AND quotes.state = 'accepted' AND quotes.post_id < \(page.upper)
        AND quotes.post_id > \(page.lower) AND \(fragment: Post.visible(to: viewer))
      ORDER BY quotes.post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }

  /// Those here who quote `post` and have a word to say about its edits.
  package func localQuoters(of post: Post.ID, limit: Int) throws -> [Account.ID] {
    try rows(
      """
      SELECT DISTINCT posts.author_id FROM quotes JOIN posts ON posts.id = quotes.post_id
      WHERE quotes.quoted_id = \(post) AND quotes.state = 'accepted' AND posts.is_local
      ORDER BY posts.author_id LIMIT \(limit)
      """
    ).map { try $0.id("author_id") }
  }

  package func consent(_ id: QuoteConsent.ID) throws -> QuoteConsent? {
    try first("SELECT \(fragment: QuoteConsent.columns) FROM quote_consents WHERE id = \(id)")
      .map(QuoteConsent.init(row:))
  }

  package func consent(toQuote quoted: Post.ID, in quoting: IRI) throws -> QuoteConsent? {
    try first(
      """
      SELECT \(fragment: QuoteConsent.columns) FROM quote_consents
      WHERE quoted_id = \(quoted) AND quoting_uri = \(quoting)
      """
    ).map(QuoteConsent.init(row:))
  }

  /// What `author` was asked, and answered, newest first.
  package func consents(
    of author: Account.ID, in state: QuoteConsent.State, limit: Int
  ) throws -> [QuoteConsent] {
    try rows(
      """
      SELECT \(fragment: QuoteConsent.columns) FROM quote_consents JOIN posts ON posts.id = quote_consents.quoted_id
      WHERE posts.author_id = \(author) AND quote_consents.state = \(state.rawValue)
      ORDER BY quote_consents.id DESC LIMIT \(limit)
      """
    ).map(QuoteConsent.init(row:))
  }

  /// Those among `authors` whom `viewer` follows, and those who follow `viewer`.
  package func ties(of viewer: Account.ID?, among authors: some Collection<Account.ID>) throws -> (
    followed: Set<Account.ID>, following: Set<Account.ID>
  ) {
    guard let viewer, !authors.isEmpty else { return ([], []) }
    let ids = Set(authors).sorted()
    var followed: Set<Account.ID> = []
    var following: Set<Account.ID> = []
    for row in try rows(
      """
      SELECT followee_id AS other, TRUE AS goes_out FROM follows
      WHERE follower_id = \(viewer) AND followee_id IN \(in: ids) AND state = 'accepted'
      UNION ALL
      SELECT follower_id, FALSE FROM follows
      WHERE followee_id = \(viewer) AND state = 'accepted' AND follower_id IN \(in: ids)
      """)
    {
      if try row.bool("goes_out") {
        followed.insert(try row.id("other"))
      } else {
        following.insert(try row.id("other"))
      }
    }
    return (followed, following)
  }
}

extension WriteTransaction {
  package func put(_ quote: Quote) throws {
    try execute(
      """
      INSERT INTO quotes (post_id, quoted_uri, quoted_id, state, stamp_uri, created_at)
      VALUES (\(quote.postID), \(quote.quotedURI), \(quote.quotedID), \(quote.state.rawValue), \(quote.stampURI),
        \(quote.createdAt))
      ON CONFLICT (post_id) DO UPDATE SET quoted_uri = excluded.quoted_uri, quoted_id = excluded.quoted_id,
        state = excluded.state, stamp_uri = excluded.stamp_uri
      """)
  }

  package func deleteQuote(of post: Post.ID) throws { try execute("DELETE FROM quotes WHERE post_id = \(post)") }

  /// Before a post goes: what quoted it says so, with its stamp gone.
  func endQuotes(of post: Post.ID) throws {
    try execute("UPDATE quotes SET state = 'deleted' WHERE quoted_id = \(post) AND state <> 'revoked'")
  }

  package func put(_ consent: QuoteConsent) throws {
    try execute(
      """
      INSERT INTO quote_consents (id, quoted_id, quoting_uri, asker_id, request_uri, state, created_at)
      VALUES (\(consent.id), \(consent.quotedID), \(consent.quotingURI), \(consent.askerID), \(consent.requestURI),
        \(consent.state.rawValue), \(consent.createdAt))
      ON CONFLICT (id) DO UPDATE SET request_uri = excluded.request_uri, state = excluded.state
      """)
  }

  package func setInteraction(
    _ policy: InteractionPolicy?, _ searchability: Searchability?, of post: Post.ID
  ) throws {
    try execute(
      """
      UPDATE posts SET interaction_policy = \(try StoredJSON.text(ifPresent: policy)),
        searchability = \(searchability?.rawValue)
      WHERE id = \(post)
      """)
  }
}

extension ReadTransaction {
  package func posts(uris: [IRI]) throws -> [IRI: Post] {
    guard !uris.isEmpty else { return [:] }
    let found = try rows("SELECT \(fragment: Post.columns) FROM posts WHERE uri IN \(in: uris)").map(Post.init(row:))
    return Dictionary(found.map { ($0.uri, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
