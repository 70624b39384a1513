import Model
import Persistence
import Primitives

/// A bearer token as stored: only the hash of its secret.
package struct AccessToken: Hashable, Sendable {
  package var id: ID<AccessToken>
  package var secretHash: String
  /// Nil for one that speaks for its application alone.
  package var accountID: Account.ID?
  /// Nil for one that the command line gave.
  package var applicationID: OAuthClient.ID?
  package var application: String
  package var scopes: String
  package var createdAt: Timestamp
  package init(
    id: ID<AccessToken>, secretHash: String, accountID: Account.ID?, applicationID: OAuthClient.ID? = nil,
    application: String, scopes: String, createdAt: Timestamp
  ) {
    self.id = id
    self.secretHash = secretHash
    self.accountID = accountID
    self.applicationID = applicationID
    self.application = application
    self.scopes = scopes
    self.createdAt = createdAt
  }
}

/// Who a token or a session speaks for, in the one query every authenticated request makes.
package struct Bearer: Hashable, Sendable {
  package var account: Account
  package var role: Role
  package var scopes: Set<String>
}

extension ReadTransaction {
  /// Nil when the token is unknown or revoked, or its person disabled or suspended.
  package func bearer(tokenHash: String) throws -> Bearer? {
    try first(
      """
      SELECT \(fragment: Account.columns), users.role AS role, access_tokens.scopes AS scopes FROM access_tokens
      JOIN users ON users.account_id = access_tokens.account_id
      JOIN accounts ON accounts.id = access_tokens.account_id
      WHERE access_tokens.secret_hash = \(tokenHash) AND access_tokens.revoked_at IS NULL
        AND users.disabled_at IS NULL AND accounts.suspended_at IS NULL
      """
    ).map { row in
      let scopes = try row.string("scopes").split(separator: " ").map(String.init)
      return Bearer(account: try Account(row: row), role: try row.enumCase("role"), scopes: Set(scopes))
    }
  }

  /// Nil when the session is unknown or has expired, or its person disabled or suspended.
  package func bearer(sessionHash: String, at time: Timestamp) throws -> Bearer? {
    try first(
      """
      SELECT \(fragment: Account.columns), users.role AS role FROM sessions
      JOIN users ON users.account_id = sessions.account_id
      JOIN accounts ON accounts.id = sessions.account_id
      WHERE sessions.secret_hash = \(sessionHash) AND sessions.expires_at > \(time)
        AND users.disabled_at IS NULL AND accounts.suspended_at IS NULL
      """
    ).map { row in
      Bearer(account: try Account(row: row), role: try row.enumCase("role"), scopes: ["read", "write", "follow"])
    }
  }
}

extension WriteTransaction {
  package func insert(_ token: AccessToken) throws {
    try execute(
      """
      INSERT INTO access_tokens (id, secret_hash, account_id, application_id, application, scopes, created_at,
        revoked_at)
      VALUES (\(token.id), \(token.secretHash), \(token.accountID), \(token.applicationID), \(token.application),
        \(token.scopes), \(token.createdAt), NULL)
      """)
  }

  package func insertSession(hash: String, of id: Account.ID, at time: Timestamp, until end: Timestamp) throws {
    try execute(
      """
      INSERT INTO sessions (secret_hash, account_id, created_at, expires_at)
      VALUES (\(hash), \(id), \(time), \(end))
      """)
  }

  package func deleteSession(hash: String) throws { try execute("DELETE FROM sessions WHERE secret_hash = \(hash)") }

  /// Ends every session and token of an account: password change, disabling, suspension. A code that waits is a token
  /// to be.
  package func revokeEverything(of id: Account.ID, at time: Timestamp) throws {
    try execute("DELETE FROM authorization_codes WHERE account_id = \(id)")
    try execute("DELETE FROM sessions WHERE account_id = \(id)")
    try execute("DELETE FROM push_subscriptions WHERE account_id = \(id)")
    try execute("UPDATE access_tokens SET revoked_at = \(time) WHERE account_id = \(id) AND revoked_at IS NULL")
    try insertStreamEvent(.revoked, id.rawValue)
  }

  package func deleteSessions(expiredBefore time: Timestamp) throws {
    try execute("DELETE FROM sessions WHERE expires_at < \(time)")
  }
}
