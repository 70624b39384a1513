import Model
import Persistence
import Primitives

extension OAuthClient {
  static let columns: SQL = """
    applications.id, applications.client_id, applications.secret_hash, applications.name, applications.website,
    applications.redirects, applications.scopes, applications.created_at
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), clientID: try row.string("client_id"), secretHash: try row.string("secret_hash"),
      name: try row.string("name"), website: try row.optionalString("website"),
      redirects: try row.string("redirects").split(separator: "\n").map(String.init),
      scopes: try row.string("scopes"), createdAt: try row.timestamp("created_at"))
  }
}

/// A token of an application, for itself or for somebody.
package struct Grant: Hashable, Sendable {
  package var token: AccessToken
  package var application: OAuthClient
}

extension ReadTransaction {
  package func application(clientID: String) throws -> OAuthClient? {
    try first("SELECT \(fragment: OAuthClient.columns) FROM applications WHERE client_id = \(clientID)")
      .map(OAuthClient.init(row:))
  }

  /// The application behind a token that is not revoked, whether it speaks for somebody or for itself.
  package func application(tokenHash: String) throws -> OAuthClient? {
    try first(
      """
      SELECT \(fragment: OAuthClient.columns) FROM access_tokens
      JOIN applications ON applications.id = access_tokens.application_id
      WHERE access_tokens.secret_hash = \(tokenHash) AND access_tokens.revoked_at IS NULL
      """
    ).map(OAuthClient.init(row:))
  }

  /// The scopes of a token that speaks for no person.
  package func applicationScopes(tokenHash: String) throws -> Set<String>? {
    try first(
      """
      SELECT scopes FROM access_tokens
      WHERE secret_hash = \(tokenHash) AND revoked_at IS NULL AND account_id IS NULL
      """
    ).map { Set(try $0.string("scopes").split(separator: " ").map(String.init)) }
  }

  package func authorizationCode(hash: String) throws -> AuthorizationCode? {
    try first(
      """
      SELECT code_hash, application_id, account_id, redirect, scopes, challenge, expires_at, token_hash
      FROM authorization_codes WHERE code_hash = \(hash)
      """
    ).map { row in
      AuthorizationCode(
        hash: try row.string("code_hash"), applicationID: try row.id("application_id"),
        accountID: try row.id("account_id"), redirect: try row.string("redirect"), scopes: try row.string("scopes"),
        challenge: try row.optionalString("challenge"), expiresAt: try row.timestamp("expires_at"),
        tokenHash: try row.optionalString("token_hash"))
    }
  }

  /// What may act for a person, newest first.
  package func grants(of account: Account.ID, limit: Int) throws -> [Grant] {
    try rows(
      """
      SELECT \(fragment: OAuthClient.columns), access_tokens.id AS token_id, access_tokens.secret_hash AS token_hash,
        access_tokens.scopes AS token_scopes, access_tokens.created_at AS token_at
      FROM access_tokens JOIN applications ON applications.id = access_tokens.application_id
      WHERE access_tokens.account_id = \(account) AND access_tokens.revoked_at IS NULL
      ORDER BY access_tokens.id DESC LIMIT \(limit)
      """
    ).map { row in
      let application = try OAuthClient(row: row)
      return Grant(
        token: AccessToken(
          id: try row.id("token_id"), secretHash: try row.string("token_hash"), accountID: account,
          applicationID: application.id, application: application.name, scopes: try row.string("token_scopes"),
          createdAt: try row.timestamp("token_at")), application: application)
    }
  }
}

extension WriteTransaction {
  package func insert(_ application: OAuthClient) throws {
    try execute(
      """
      INSERT INTO applications (id, client_id, secret_hash, name, website, redirects, scopes, created_at)
      VALUES (\(application.id), \(application.clientID), \(application.secretHash), \(application.name),
        \(application.website), \(application.redirects.joined(separator: "\n")), \(application.scopes),
        \(application.createdAt))
      """)
  }

  package func insert(_ code: AuthorizationCode) throws {
    try execute(
      """
      INSERT INTO authorization_codes (code_hash, application_id, account_id, redirect, scopes, challenge, expires_at,
        token_hash)
      VALUES (\(code.hash), \(code.applicationID), \(code.accountID), \(code.redirect), \(code.scopes),
        \(code.challenge), \(code.expiresAt), NULL)
      """)
  }

  /// Spends a code. False when it was spent before.
  package func spend(code hash: String, for tokenHash: String) throws -> Bool {
    try execute(
      "UPDATE authorization_codes SET token_hash = \(tokenHash) WHERE code_hash = \(hash) AND token_hash IS NULL") == 1
  }

  /// False when there is no such token of this application.
  @discardableResult
  package func revoke(tokenHash: String, of application: OAuthClient.ID, at time: Timestamp) throws -> Bool {
    let ended = try rows(
      """
      UPDATE access_tokens SET revoked_at = \(time)
      WHERE secret_hash = \(tokenHash) AND application_id = \(application) AND revoked_at IS NULL
      RETURNING account_id
      """)
    for row in ended {
      if let account: Account.ID = try row.optionalID("account_id") {
        try insertStreamEvent(.revoked, account.rawValue)
      }
    }
    return !ended.isEmpty
  }

  /// Ends one token of a person, by their own word.
  package func revoke(token: ID<AccessToken>, of account: Account.ID, at time: Timestamp) throws {
    try execute(
      """
      UPDATE access_tokens SET revoked_at = \(time)
      WHERE id = \(token) AND account_id = \(account) AND revoked_at IS NULL
      """)
    try insertStreamEvent(.revoked, account.rawValue)
  }

  package func deleteCodes(expiredBefore time: Timestamp) throws {
    try execute("DELETE FROM authorization_codes WHERE expires_at < \(time)")
  }

  /// Applications that nobody has ever let in: anybody may register any number.
  package func deleteApplications(unusedBefore time: Timestamp) throws {
    try execute(
      """
      DELETE FROM applications WHERE created_at < \(time)
        AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE access_tokens.application_id = applications.id)
        AND NOT EXISTS (SELECT 1 FROM authorization_codes WHERE authorization_codes.application_id = applications.id)
      """)
  }
}
