import Model
import Persistence
import Policy
import Primitives

extension Account {
  static let columns: SQL = """
    accounts.id, accounts.username, accounts.host, accounts.kind, accounts.uri, accounts.url, accounts.display_name,
    accounts.note, accounts.note_source, accounts.inbox, accounts.shared_inbox, accounts.outbox, accounts.followers,
    accounts.following, accounts.featured, accounts.avatar_url, accounts.header_url, accounts.avatar_file,
    accounts.header_file, accounts.fields, accounts.is_locked, accounts.is_discoverable, accounts.is_indexable, accounts.usage_policy,
    accounts.policy_is_proved, accounts.policy_stated_at, accounts.created_at, accounts.fetched_at,
    accounts.suspended_at, accounts.moved_to, accounts.details
    """

  init(row: Row) throws {
    let host = try row.string("host")
    self.init(
      id: try row.id("id"), username: try row.string("username"), host: host.isEmpty ? nil : Host(host),
      kind: try row.enumCase("kind"), uri: try row.iri("uri"), url: try row.iri("url"),
      displayName: try row.string("display_name"), note: try row.string("note"),
      noteSource: try row.string("note_source"), inbox: try row.iri("inbox"),
      sharedInbox: try row.optionalIRI("shared_inbox"), outbox: try row.optionalIRI("outbox"),
      followers: try row.optionalIRI("followers"), following: try row.optionalIRI("following"),
      featured: try row.optionalIRI("featured"), avatarURL: try row.optionalIRI("avatar_url"),
      headerURL: try row.optionalIRI("header_url"),
      avatar: try row.optionalString("avatar_file").flatMap { Portrait(fileName: $0) },
      header: try row.optionalString("header_file").flatMap { Portrait(fileName: $0) },
      fields: try row.json("fields"), isLocked: try row.bool("is_locked"),
      isDiscoverable: try row.bool("is_discoverable"), isIndexable: try row.bool("is_indexable"),
      usagePolicy: try row.optionalJSON("usage_policy"), policyIsProved: try row.bool("policy_is_proved"),
      policyStatedAt: try row.optionalTimestamp("policy_stated_at"),
      createdAt: try row.timestamp("created_at"), fetchedAt: try row.timestamp("fetched_at"),
      suspendedAt: try row.optionalTimestamp("suspended_at"), movedTo: try row.optionalIRI("moved_to"),
      details: try row.json("details"))
  }
}

extension ReadTransaction {
  package func account(_ id: Account.ID) throws -> Account? {
    try first("SELECT \(fragment: Account.columns) FROM accounts WHERE id = \(id)").map(Account.init(row:))
  }

  package func accounts(_ ids: some Collection<Account.ID>) throws -> [Account.ID: Account] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows("SELECT \(fragment: Account.columns) FROM accounts WHERE id IN \(in: Set(ids).sorted())")
    return Dictionary(try rows.map(Account.init(row:)).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package func account(uri: IRI) throws -> Account? {
    try first("SELECT \(fragment: Account.columns) FROM accounts WHERE uri = \(uri)").map(Account.init(row:))
  }

  package func accounts(uris: some Collection<IRI>) throws -> [Account] {
    guard !uris.isEmpty else { return [] }
    return try rows("SELECT \(fragment: Account.columns) FROM accounts WHERE uri IN \(in: Array(uris))")
      .map(Account.init(row:))
  }

  /// `host` nil: of this instance.
  package func account(username: String, host: Host?) throws -> Account? {
    try first(
      """
      SELECT \(fragment: Account.columns) FROM accounts
      WHERE username_key = \(username.lowercased()) AND host = \(host?.text ?? "")
      """
    ).map(Account.init(row:))
  }

  /// The owner of a followers collection, so that an address can be told from a stranger's.
  package func account(followers: IRI) throws -> Account? {
    try first("SELECT \(fragment: Account.columns) FROM accounts WHERE followers = \(followers)")
      .map(Account.init(row:))
  }

  package func localAccounts(_ page: Page<Account>) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM accounts
      WHERE host = '' AND kind <> 'Application' AND id < \(page.upper) AND id > \(page.lower)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Account.init(row:)).newestFirst(page)
  }

  package func counts(of ids: some Collection<Account.ID>) throws -> [Account.ID: AccountCounts] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows(
      """
      SELECT account_id, posts, followers, following, last_post_at FROM account_counts
      WHERE account_id IN \(in: Set(ids).sorted())
      """)
    return Dictionary(
      try rows.map { row in
        (
          try row.id("account_id") as Account.ID,
          AccountCounts(
            posts: try row.int("posts"), followers: try row.int("followers"), following: try row.int("following"),
            lastPostAt: try row.optionalTimestamp("last_post_at"))
        )
      }, uniquingKeysWith: { first, _ in first })
  }

  package func user(_ id: Account.ID) throws -> User? {
    try first(
      "SELECT account_id, email, password_hash, role, created_at, disabled_at FROM users WHERE account_id = \(id)"
    ).map(User.init(row:))
  }

  package func user(email: String) throws -> User? {
    try first(
      "SELECT account_id, email, password_hash, role, created_at, disabled_at FROM users WHERE email_key = \(email.lowercased())"
    ).map(User.init(row:))
  }

  package func staff() throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM users CROSS JOIN accounts ON accounts.id = users.account_id
      WHERE users.role IN ('moderator', 'admin') AND users.disabled_at IS NULL ORDER BY users.account_id
      """
    ).map(Account.init(row:))
  }

  /// Users, posts of local authors, and peers: what NodeInfo tells.
  package func instanceCounts() throws -> (users: Int, localPosts: Int, peers: Int) {
    let row = try first(
      """
      SELECT (SELECT COUNT(*) FROM users WHERE disabled_at IS NULL) AS users,
        (SELECT COALESCE(CAST(SUM(account_counts.posts) AS BIGINT), 0) FROM account_counts
          JOIN users ON users.account_id = account_counts.account_id) AS posts,
        (SELECT COUNT(*) FROM peers) AS peers
      """)
    guard let row else { return (0, 0, 0) }
    return (try row.int("users"), try row.int("posts"), try row.int("peers"))
  }

  package func accountDocument(_ id: Account.ID) throws -> [UInt8]? {
    try first("SELECT document FROM accounts WHERE id = \(id)")?.optionalBytes("document")
  }
}

extension User {
  init(row: Row) throws {
    self.init(
      accountID: try row.id("account_id"), email: try row.string("email"),
      passwordHash: try row.string("password_hash"), role: try row.enumCase("role"),
      createdAt: try row.timestamp("created_at"), disabledAt: try row.optionalTimestamp("disabled_at"))
  }
}

extension WriteTransaction {
  /// Throws `DatabaseError.unique` when the name or the uri is taken.
  package func insert(_ account: Account, document: [UInt8]? = nil) throws {
    try execute(
      """
      INSERT INTO accounts (id, username, username_key, host, kind, uri, url, display_name, note, note_source, inbox,
        shared_inbox, outbox, followers, following, featured, avatar_url, header_url, avatar_file, header_file, fields, is_locked,
        is_discoverable, is_indexable, usage_policy, policy_is_proved, policy_stated_at, document, created_at,
        fetched_at, suspended_at, moved_to, details)
      VALUES (\(account.id), \(account.username), \(account.username.lowercased()), \(account.host?.text ?? ""),
        \(account.kind.rawValue), \(account.uri), \(account.url), \(account.displayName), \(account.note),
        \(account.noteSource), \(account.inbox), \(account.sharedInbox), \(account.outbox), \(account.followers),
        \(account.following), \(account.featured), \(account.avatarURL), \(account.headerURL),
        \(account.avatar?.fileName), \(account.header?.fileName), \(try StoredJSON.text(account.fields)), \(account.isLocked),
        \(account.isDiscoverable), \(account.isIndexable), \(try StoredJSON.text(ifPresent: account.usagePolicy)),
        \(account.policyIsProved), \(account.policyStatedAt), \(document), \(account.createdAt),
        \(account.fetchedAt), \(account.suspendedAt), \(account.movedTo), \(try StoredJSON.text(account.details)))
      """)
    try execute("INSERT INTO account_counts (account_id) VALUES (\(account.id))")
  }

  /// Writes everything but the id, the name, the host, the uri and the time of creation.
  package func update(_ account: Account, document: [UInt8]? = nil) throws {
    try execute(
      """
      UPDATE accounts SET kind = \(account.kind.rawValue), url = \(account.url), display_name = \(account.displayName),
        note = \(account.note), note_source = \(account.noteSource), inbox = \(account.inbox),
        shared_inbox = \(account.sharedInbox), outbox = \(account.outbox), followers = \(account.followers),
        following = \(account.following), featured = \(account.featured), avatar_url = \(account.avatarURL),
        header_url = \(account.headerURL), avatar_file = \(account.avatar?.fileName),
        header_file = \(account.header?.fileName),
        fields = \(try StoredJSON.text(account.fields)), is_locked = \(account.isLocked),
        is_discoverable = \(account.isDiscoverable), is_indexable = \(account.isIndexable),
        usage_policy = \(try StoredJSON.text(ifPresent: account.usagePolicy)),
        policy_is_proved = \(account.policyIsProved), policy_stated_at = \(account.policyStatedAt),
        document = COALESCE(\(document), document),
        fetched_at = \(account.fetchedAt), suspended_at = \(account.suspendedAt), moved_to = \(account.movedTo),
        details = \(try StoredJSON.text(account.details))
      WHERE id = \(account.id)
      """)
  }

  /// With everything of it. What it favourited, boosted and answered is counted back; its follows are the caller's.
  package func delete(account id: Account.ID) throws {
    try uncount(account: id)
    try deleteWords(by: id)
    try execute("DELETE FROM accounts WHERE id = \(id)")
  }

  /// Takes what an account favourited, boosted and answered out of the numbers beside other people's posts.
  func uncount(account id: Account.ID) throws {
    try execute(
      """
      UPDATE post_counts SET favourites = favourites - 1
      WHERE post_id IN (SELECT post_id FROM favourites WHERE account_id = \(id))
      """)
    try execute(
      """
      UPDATE post_counts SET boosts = boosts - (SELECT COUNT(*) FROM posts
        WHERE posts.boost_of_id = post_counts.post_id AND posts.author_id = \(id))
      WHERE post_id IN (SELECT boost_of_id FROM posts WHERE author_id = \(id) AND boost_of_id IS NOT NULL)
      """)
    try execute(
      """
      UPDATE post_counts SET replies = replies - (SELECT COUNT(*) FROM posts
        WHERE posts.in_reply_to_id = post_counts.post_id AND posts.author_id = \(id) AND posts.state = 'published'
          AND posts.visibility IN ('public', 'unlisted'))
      WHERE post_id IN (SELECT in_reply_to_id FROM posts WHERE author_id = \(id) AND in_reply_to_id IS NOT NULL)
      """)
  }

  package func insert(_ user: User) throws {
    try execute(
      """
      INSERT INTO users (account_id, email, email_key, password_hash, role, created_at, disabled_at)
      VALUES (\(user.accountID), \(user.email), \(user.email.lowercased()), \(user.passwordHash),
        \(user.role.rawValue), \(user.createdAt), \(user.disabledAt))
      """)
  }

  package func setPasswordHash(_ hash: String, of id: Account.ID) throws {
    try execute("UPDATE users SET password_hash = \(hash) WHERE account_id = \(id)")
  }

  package func adjustCounts(
    of id: Account.ID, posts: Int = 0, followers: Int = 0, following: Int = 0, lastPostAt: Timestamp? = nil
  ) throws {
    try execute(
      """
      UPDATE account_counts SET posts = posts + \(posts), followers = followers + \(followers),
        following = following + \(following),
        last_post_at = CASE WHEN last_post_at IS NULL OR last_post_at < CAST(\(lastPostAt) AS BIGINT)
          THEN COALESCE(CAST(\(lastPostAt) AS BIGINT), last_post_at) ELSE last_post_at END
      WHERE account_id = \(id)
      """)
  }
}
