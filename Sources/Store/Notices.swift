import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// How large the groups are that a page shows a part of.
  package func groups(of recipient: Account.ID, _ keys: [String]) throws -> [String: NoticeGroup] {
    guard !keys.isEmpty else { return [:] }
    var found: [String: NoticeGroup] = [:]
    for row in try rows(
      """
      SELECT group_key, COUNT(*) AS many, MAX(id) AS newest FROM notifications
      WHERE recipient_id = \(recipient) AND group_key IN \(in: keys) AND NOT is_filtered GROUP BY group_key
      """)
    {
      found[try row.string("group_key")] = NoticeGroup(count: try row.int("many"), newest: try row.id("newest"))
    }
    return found
  }

  /// Newest first.
  package func notifications(of recipient: Account.ID, inGroup key: String, limit: Int) throws -> [Notification] {
    try rows(
      """
      SELECT id, recipient_id, kind, from_id, post_id, created_at, is_filtered FROM notifications
      WHERE recipient_id = \(recipient) AND group_key = \(key) ORDER BY id DESC LIMIT \(limit)
      """
    ).map(Notification.init(row:))
  }

  package func noticePolicy(of account: Account.ID) throws -> NoticePolicy {
    var policy = NoticePolicy()
    guard
      let row = try first(
        """
        SELECT not_following, not_followers, new_accounts, private_mentions, limited_accounts
        FROM notification_policies WHERE account_id = \(account)
        """)
    else { return policy }
    policy.notFollowing = try row.enumCase("not_following")
    policy.notFollowers = try row.enumCase("not_followers")
    policy.newAccounts = try row.enumCase("new_accounts")
    policy.privateMentions = try row.enumCase("private_mentions")
    policy.limitedAccounts = try row.enumCase("limited_accounts")
    return policy
  }

  package func isPermitted(_ sender: Account.ID, by account: Account.ID) throws -> Bool {
    try first(
      "SELECT 1 AS found FROM notification_permissions WHERE account_id = \(account) AND from_id = \(sender)") != nil
  }

  /// Those whose notifications wait, by their ids.
  package func noticeRequests(of account: Account.ID, _ page: Page<Account>) throws -> [NoticeRequest] {
    try rows(
      """
      SELECT from_id, COUNT(*) AS many, MIN(created_at) AS first_at, MAX(created_at) AS last_at,
        MAX(post_id) AS last_post FROM notifications
      WHERE recipient_id = \(account) AND is_filtered = TRUE AND from_id < \(page.upper) AND from_id > \(page.lower)
      GROUP BY from_id ORDER BY from_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map { row in
      NoticeRequest(
        fromID: try row.id("from_id"), count: try row.int("many"), firstAt: try row.timestamp("first_at"),
        lastAt: try row.timestamp("last_at"), lastPostID: try row.optionalID("last_post"))
    }.newestFirst(page)
  }

  package func filteredCounts(of account: Account.ID) throws -> (requests: Int, notices: Int) {
    let row = try first(
      """
      SELECT COUNT(DISTINCT from_id) AS requests, COUNT(*) AS notices FROM notifications
      WHERE recipient_id = \(account) AND is_filtered = TRUE
      """)
    return (try row?.int("requests") ?? 0, try row?.int("notices") ?? 0)
  }
}

extension WriteTransaction {
  package func set(_ policy: NoticePolicy, of account: Account.ID) throws {
    try execute(
      """
      INSERT INTO notification_policies (account_id, not_following, not_followers, new_accounts, private_mentions,
        limited_accounts)
      VALUES (\(account), \(policy.notFollowing.rawValue), \(policy.notFollowers.rawValue),
        \(policy.newAccounts.rawValue), \(policy.privateMentions.rawValue), \(policy.limitedAccounts.rawValue))
      ON CONFLICT (account_id) DO UPDATE SET not_following = excluded.not_following,
        not_followers = excluded.not_followers, new_accounts = excluded.new_accounts,
        private_mentions = excluded.private_mentions, limited_accounts = excluded.limited_accounts
      """)
  }

  /// What was kept back of `sender` is shown, and what comes is no longer kept back.
  package func permit(_ sender: Account.ID, by account: Account.ID) throws {
    try execute(
      """
      INSERT INTO notification_permissions (account_id, from_id) VALUES (\(account), \(sender))
      ON CONFLICT (account_id, from_id) DO NOTHING
      """)
    try execute(
      """
      UPDATE notifications SET is_filtered = FALSE
      WHERE recipient_id = \(account) AND is_filtered = TRUE AND from_id = \(sender)
      """)
  }

  package func deleteFiltered(from sender: Account.ID, to account: Account.ID) throws {
    try execute(
      "DELETE FROM notifications WHERE recipient_id = \(account) AND is_filtered = TRUE AND from_id = \(sender)")
  }

  package func deleteGroup(_ key: String, of account: Account.ID) throws {
    try execute("DELETE FROM notifications WHERE recipient_id = \(account) AND group_key = \(key)")
  }
}
