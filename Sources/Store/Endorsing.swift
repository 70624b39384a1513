import Model
import Persistence
import Primitives

/// Somebody whom an account recommends on its profile.
package enum Endorsement {}

extension ReadTransaction {
  package func endorsed(
    by account: Account.ID, _ page: Page<Endorsement>
  ) throws -> [(id: ID<Endorsement>, account: Account)] {
    try rows(
      """
      SELECT endorsements.id AS endorsement_id, \(fragment: Account.columns) FROM endorsements
      CROSS JOIN accounts ON accounts.id = endorsements.target_id
      WHERE endorsements.account_id = \(account) AND endorsements.id < \(page.upper) AND endorsements.id > \(page.lower)
      ORDER BY endorsements.id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map { (try $0.id("endorsement_id"), try Account(row: $0)) }.newestFirst(page)
  }

  package func endorsed(by account: Account.ID, among ids: [Account.ID]) throws -> Set<Account.ID> {
    guard !ids.isEmpty else { return [] }
    return Set(
      try rows("SELECT target_id FROM endorsements WHERE account_id = \(account) AND target_id IN \(in: ids)")
        .map { try $0.id("target_id") })
  }

  /// Of those `viewer` follows, who follows each of `ids`: at most `limit` of them each.
  package func familiarFollowers(
    of ids: [Account.ID], to viewer: Account.ID, limit: Int
  ) throws -> [Account.ID: [Account]] {
    guard !ids.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT theirs.followee_id AS known_id, \(fragment: Account.columns) FROM follows AS theirs
      CROSS JOIN follows AS mine ON mine.follower_id = \(viewer) AND mine.followee_id = theirs.follower_id
        AND mine.state = 'accepted'
      CROSS JOIN accounts ON accounts.id = theirs.follower_id
      WHERE theirs.followee_id IN \(in: ids) AND theirs.state = 'accepted' AND accounts.suspended_at IS NULL
      ORDER BY theirs.followee_id, theirs.id LIMIT \(ids.count * limit)
      """)
    return try found.reduce(into: [:]) { known, row in
      let id: Account.ID = try row.id("known_id")
      if known[id, default: []].count < limit { known[id, default: []].append(try Account(row: row)) }
    }
  }

  /// People of this server who want to be found and whom `viewer` does not follow yet, the most followed first.
  package func suggestions(to viewer: Account.ID, limit: Int) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM users CROSS JOIN accounts ON accounts.id = users.account_id
      JOIN account_counts ON account_counts.account_id = users.account_id
      WHERE accounts.is_discoverable AND accounts.suspended_at IS NULL AND users.disabled_at IS NULL
        AND accounts.id <> \(viewer)
        AND NOT EXISTS (SELECT 1 FROM follows WHERE follows.follower_id = \(viewer) AND follows.followee_id = accounts.id)
        AND NOT EXISTS (SELECT 1 FROM blocks WHERE (blocks.account_id = \(viewer) AND blocks.target_id = accounts.id)
          OR (blocks.account_id = accounts.id AND blocks.target_id = \(viewer)))
        AND NOT EXISTS (SELECT 1 FROM mutes WHERE mutes.account_id = \(viewer) AND mutes.target_id = accounts.id)
      ORDER BY account_counts.followers DESC, accounts.id LIMIT \(limit)
      """
    ).map(Account.init(row:))
  }

  /// People of this server who want to be found. Those of others never said that this server may list them.
  package func directory(byActivity: Bool, offset: Int, limit: Int) throws -> [Account] {
    let order: SQL = byActivity ? "COALESCE(account_counts.last_post_at, 0) DESC," : ""
    return try rows(
      """
      SELECT \(fragment: Account.columns) FROM users CROSS JOIN accounts ON accounts.id = users.account_id
      JOIN account_counts ON account_counts.account_id = users.account_id
      WHERE accounts.is_discoverable AND accounts.suspended_at IS NULL AND users.disabled_at IS NULL
      ORDER BY \(fragment: order) accounts.id DESC LIMIT \(limit) OFFSET \(offset)
      """
    ).map(Account.init(row:))
  }

  /// Names of servers that anybody here has met.
  package func knownHosts(limit: Int) throws -> [String] {
    try rows("SELECT DISTINCT host FROM accounts WHERE host > '' ORDER BY host LIMIT \(limit)").map {
      try $0.string("host")
    }
  }

  /// Open posts of people here with ids from `start` up to `end`.
  package func localPosts(from start: Timestamp, to end: Timestamp) throws -> Int {
    try first(
      """
      SELECT COUNT(*) AS many FROM posts WHERE is_local = TRUE AND visibility = 'public' AND state = 'published'
        AND id >= \(start.milliseconds << 16) AND id < \(end.milliseconds << 16)
      """)?.int("many") ?? 0
  }
}

extension WriteTransaction {
  package func endorse(_ target: Account.ID, _ id: ID<Endorsement>, by account: Account.ID) throws {
    try execute(
      """
      INSERT INTO endorsements (id, account_id, target_id) VALUES (\(id), \(account), \(target))
      ON CONFLICT (account_id, target_id) DO NOTHING
      """)
  }

  package func unendorse(_ target: Account.ID, by account: Account.ID) throws {
    try execute("DELETE FROM endorsements WHERE account_id = \(account) AND target_id = \(target)")
  }
}
