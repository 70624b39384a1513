import Model
import Persistence
import Primitives

extension Follow {
  static let columns: SQL = """
    follows.id, follows.follower_id, follows.followee_id, follows.uri, follows.state, follows.created_at
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), followerID: try row.id("follower_id"), followeeID: try row.id("followee_id"),
      uri: try row.iri("uri"), state: try row.enumCase("state"), createdAt: try row.timestamp("created_at"))
  }
}

extension ReadTransaction {
  package func follow(_ id: Follow.ID) throws -> Follow? {
    try first("SELECT \(fragment: Follow.columns) FROM follows WHERE id = \(id)").map(Follow.init(row:))
  }

  package func follow(uri: IRI) throws -> Follow? {
    try first("SELECT \(fragment: Follow.columns) FROM follows WHERE uri = \(uri)").map(Follow.init(row:))
  }

  package func follow(of followee: Account.ID, by follower: Account.ID) throws -> Follow? {
    try first(
      """
      SELECT \(fragment: Follow.columns) FROM follows
      WHERE follower_id = \(follower) AND followee_id = \(followee)
      """
    ).map(Follow.init(row:))
  }

  package func followers(of id: Account.ID, _ page: Page<Follow>) throws -> [(follow: Follow, account: Account)] {
    try people(at: \.followerID, "followee_id = \(id) AND state = 'accepted'", page)
  }

  package func following(by id: Account.ID, _ page: Page<Follow>) throws -> [(follow: Follow, account: Account)] {
    try people(at: \.followeeID, "follower_id = \(id) AND state = 'accepted'", page)
  }

  package func followRequests(to id: Account.ID, _ page: Page<Follow>) throws -> [(follow: Follow, account: Account)] {
    try people(at: \.followerID, "followee_id = \(id) AND state = 'pending'", page)
  }

  /// A page of follows with the account at one of their ends.
  private func people(
    at end: KeyPath<Follow, Account.ID>, _ condition: SQL, _ page: Page<Follow>
  ) throws -> [(follow: Follow, account: Account)] {
    let follows = try rows(
      """
      SELECT \(fragment: Follow.columns) FROM follows
      WHERE \(fragment: condition) AND id < \(page.upper) AND id > \(page.lower)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Follow.init(row:)).newestFirst(page)
    let accounts = try accounts(follows.map { $0[keyPath: end] })
    return follows.compactMap { follow in accounts[follow[keyPath: end]].map { (follow, $0) } }
  }

  /// Remote followers who were accepted, to be delivered to.
  package func remoteFollowers(of id: Account.ID) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM follows JOIN accounts ON accounts.id = follows.follower_id
      WHERE follows.followee_id = \(id) AND follows.state = 'accepted' AND accounts.host <> ''
        AND accounts.suspended_at IS NULL
      """
    ).map(Account.init(row:))
  }

  /// Whether anybody here follows `id`: an uninvited Announce or Create of a stranger reaches nobody.
  package func hasLocalFollowers(_ id: Account.ID) throws -> Bool {
    try first(
      """
      SELECT 1 AS found FROM follows JOIN accounts ON accounts.id = follows.follower_id
      WHERE follows.followee_id = \(id) AND follows.state = 'accepted' AND accounts.host = '' LIMIT 1
      """) != nil
  }

  package func relationships(of viewer: Account.ID, to ids: [Account.ID]) throws -> [Relationship] {
    guard !ids.isEmpty else { return [] }
    var found: [Account.ID: Relationship] = [:]
    for id in ids { found[id] = Relationship(accountID: id) }
    let outgoing = try rows(
      "SELECT followee_id, state FROM follows WHERE follower_id = \(viewer) AND followee_id IN \(in: ids)")
    for row in outgoing {
      let accepted = try row.enumCase("state", as: Follow.State.self) == .accepted
      let id: Account.ID = try row.id("followee_id")
      found[id]?.following = accepted
      found[id]?.requested = !accepted
    }
    let incoming = try rows(
      "SELECT follower_id, state FROM follows WHERE followee_id = \(viewer) AND follower_id IN \(in: ids)")
    for row in incoming {
      let accepted = try row.enumCase("state", as: Follow.State.self) == .accepted
      let id: Account.ID = try row.id("follower_id")
      found[id]?.followedBy = accepted
      found[id]?.requestedBy = !accepted
    }
    let blocks = try rows(
      """
      SELECT account_id, target_id FROM blocks
      WHERE (account_id = \(viewer) AND target_id IN \(in: ids)) OR (target_id = \(viewer) AND account_id IN \(in: ids))
      """)
    for row in blocks {
      let blocker: Account.ID = try row.id("account_id")
      let blocked: Account.ID = try row.id("target_id")
      if blocker == viewer { found[blocked]?.blocking = true } else { found[blocker]?.blockedBy = true }
    }
    for id in try endorsed(by: viewer, among: ids) { found[id]?.endorsed = true }
    for (id, aside) in try asides(of: viewer, about: ids) { found[id]?.aside = aside }
    return ids.compactMap { found[$0] }
  }

  /// Whether either has blocked the other.
  package func isBlocked(between one: Account.ID, and other: Account.ID) throws -> Bool {
    try first(
      """
      SELECT 1 AS found FROM blocks
      WHERE (account_id = \(one) AND target_id = \(other)) OR (account_id = \(other) AND target_id = \(one)) LIMIT 1
      """) != nil
  }

  /// The most specific blocked suffix of `host`: blocking `evil.test` blocks `a.evil.test` too.
  package func block(of host: Host) throws -> String? {
    var suffixes: [String] = [host.text]
    var rest = host.name[...]
    while !rest.isEmpty {
      suffixes.append(String(rest))
      guard let dot = rest.firstIndex(of: ".") else { break }
      rest = rest[rest.index(after: dot)...]
    }
    return try first("SELECT host FROM blocked_hosts WHERE host IN \(in: suffixes) LIMIT 1")?.string("host")
  }

  package func blockedHosts() throws -> [(host: String, reason: String, createdAt: Timestamp)] {
    try rows("SELECT host, reason, created_at FROM blocked_hosts ORDER BY host").map {
      (try $0.string("host"), try $0.string("reason"), try $0.timestamp("created_at"))
    }
  }
}

extension WriteTransaction {
  package func insert(_ follow: Follow) throws {
    try execute(
      """
      INSERT INTO follows (id, follower_id, followee_id, uri, state, created_at)
      VALUES (\(follow.id), \(follow.followerID), \(follow.followeeID), \(follow.uri), \(follow.state.rawValue),
        \(follow.createdAt))
      """)
    if follow.state == .accepted { try countFollow(follow, by: 1) }
  }

  /// False if it was accepted already or is gone.
  package func accept(_ follow: Follow) throws -> Bool {
    let changed =
      try execute("UPDATE follows SET state = 'accepted' WHERE id = \(follow.id) AND state = 'pending'") == 1
    if changed { try countFollow(follow, by: 1) }
    return changed
  }

  package func setURI(_ uri: IRI, of follow: Follow.ID) throws {
    try execute("UPDATE follows SET uri = \(uri) WHERE id = \(follow)")
  }

  package func delete(_ follow: Follow) throws {
    // The row says whether it was counted: the caller's copy may be older than its acceptance.
    let deleted = try rows("DELETE FROM follows WHERE id = \(follow.id) RETURNING state")
    for row in deleted where try row.enumCase("state", as: Follow.State.self) == .accepted {
      try countFollow(follow, by: -1)
    }
  }

  private func countFollow(_ follow: Follow, by change: Int) throws {
    try adjustCounts(of: follow.followerID, following: change)
    try adjustCounts(of: follow.followeeID, followers: change)
  }

  package func insertBlock(by id: Account.ID, of target: Account.ID, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO blocks (account_id, target_id, created_at) VALUES (\(id), \(target), \(time))
      ON CONFLICT (account_id, target_id) DO NOTHING
      """)
  }

  package func deleteBlock(by id: Account.ID, of target: Account.ID) throws {
    try execute("DELETE FROM blocks WHERE account_id = \(id) AND target_id = \(target)")
  }

  /// Blocks a host and its subdomains; what waits to be sent there is withdrawn.
  package func block(host: String, reason: String, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO blocked_hosts (host, reason, created_at) VALUES (\(host), \(reason), \(time))
      ON CONFLICT (host) DO UPDATE SET reason = excluded.reason
      """)
    // The suffix is cut off by length, since LIKE and its case rules differ between databases.
    try execute(
      """
      DELETE FROM deliveries WHERE state = 'waiting'
        AND (host = \(host) OR SUBSTR(host, LENGTH(host) - LENGTH(\(host))) = \(".\(host)"))
      """)
  }

  package func unblock(host: String) throws { try execute("DELETE FROM blocked_hosts WHERE host = \(host)") }
}
