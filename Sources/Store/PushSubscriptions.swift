import Model
import Persistence
import Primitives

extension PushSubscription {
  static let columns: SQL = """
    push_subscriptions.id, push_subscriptions.token_id, push_subscriptions.account_id,
    push_subscriptions.sealed_token, push_subscriptions.endpoint, push_subscriptions.public_key,
    push_subscriptions.secret, push_subscriptions.is_standard, push_subscriptions.alerts, push_subscriptions.policy
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), tokenID: try row.int64("token_id"), accountID: try row.id("account_id"),
      sealedToken: try row.bytes("sealed_token"), endpoint: try row.iri("endpoint"),
      publicKey: try row.bytes("public_key"), secret: try row.bytes("secret"),
      isStandard: try row.bool("is_standard"),
      alerts: Set(try row.string("alerts").split(separator: " ").map(String.init)),
      policy: try row.enumCase("policy"))
  }
}

/// Every reading asks for the token as well: with it ends what it subscribed to, whoever ended it and however.
extension ReadTransaction {
  package func pushSubscription(_ id: PushSubscription.ID) throws -> PushSubscription? {
    try first(
      """
      SELECT \(fragment: PushSubscription.columns) FROM push_subscriptions
      JOIN access_tokens ON access_tokens.id = push_subscriptions.token_id
      JOIN users ON users.account_id = push_subscriptions.account_id
      JOIN accounts ON accounts.id = push_subscriptions.account_id
      WHERE push_subscriptions.id = \(id) AND access_tokens.revoked_at IS NULL AND users.disabled_at IS NULL
        AND accounts.suspended_at IS NULL
      """
    ).map(PushSubscription.init(row:))
  }

  package func pushSubscription(tokenHash: String) throws -> PushSubscription? {
    try first(
      """
      SELECT \(fragment: PushSubscription.columns) FROM access_tokens
      JOIN push_subscriptions ON push_subscriptions.token_id = access_tokens.id
      WHERE access_tokens.secret_hash = \(tokenHash) AND access_tokens.revoked_at IS NULL
      """
    ).map(PushSubscription.init(row:))
  }

  package func pushSubscriptions(of account: Account.ID) throws -> [PushSubscription] {
    try rows(
      """
      SELECT \(fragment: PushSubscription.columns) FROM push_subscriptions
      JOIN access_tokens ON access_tokens.id = push_subscriptions.token_id
      WHERE push_subscriptions.account_id = \(account) AND access_tokens.revoked_at IS NULL
      ORDER BY push_subscriptions.id
      """
    ).map(PushSubscription.init(row:))
  }

  /// The row behind a token of a person that is not revoked.
  package func tokenID(hash: String) throws -> Int64? {
    try first(
      """
      SELECT id FROM access_tokens WHERE secret_hash = \(hash) AND revoked_at IS NULL AND account_id IS NOT NULL
      """)?.int64("id")
  }

  package func isMutedNotice(of sender: Account.ID, to recipient: Account.ID) throws -> Bool {
    try first(
      """
      SELECT target_id FROM mutes WHERE account_id = \(recipient) AND target_id = \(sender) AND hides_notices
      """) != nil
  }
}

extension WriteTransaction {
  /// One for a token: a later one takes its place.
  package func put(_ subscription: PushSubscription) throws {
    try execute("DELETE FROM push_subscriptions WHERE token_id = \(subscription.tokenID)")
    try execute(
      """
      INSERT INTO push_subscriptions (id, token_id, account_id, sealed_token, endpoint, public_key, secret,
        is_standard, alerts, policy)
      VALUES (\(subscription.id), \(subscription.tokenID), \(subscription.accountID), \(subscription.sealedToken),
        \(subscription.endpoint), \(subscription.publicKey), \(subscription.secret), \(subscription.isStandard),
        \(subscription.alerts.sorted().joined(separator: " ")), \(subscription.policy.rawValue))
      """)
  }

  package func delete(pushSubscription id: PushSubscription.ID) throws {
    try execute("DELETE FROM push_subscriptions WHERE id = \(id)")
  }
}
