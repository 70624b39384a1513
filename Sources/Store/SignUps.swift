import Model
import Persistence
import Primitives

extension SignUp {
  static let columns: SQL = """
    id, username, email, password_hash, reason, locale, state, is_echo, is_invited, token_hash, application_id, scopes,
    created_at
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), username: try row.string("username"), email: try row.string("email"),
      passwordHash: try row.string("password_hash"), reason: try row.string("reason"),
      locale: try row.string("locale"), state: try row.enumCase("state"), isEcho: try row.bool("is_echo"),
      isInvited: try row.bool("is_invited"), tokenHash: try row.optionalString("token_hash"),
      applicationID: try row.optionalID("application_id"), scopes: try row.string("scopes"),
      createdAt: try row.timestamp("created_at"))
  }
}

extension ReadTransaction {
  package func signUp(_ id: SignUp.ID) throws -> SignUp? {
    try first("SELECT \(fragment: SignUp.columns) FROM sign_ups WHERE id = \(id)").map(SignUp.init(row:))
  }

  package func signUp(username: String) throws -> SignUp? {
    try first("SELECT \(fragment: SignUp.columns) FROM sign_ups WHERE username = \(username)").map(SignUp.init(row:))
  }

  package func signUp(tokenHash: String) throws -> SignUp? {
    try first("SELECT \(fragment: SignUp.columns) FROM sign_ups WHERE token_hash = \(tokenHash)")
      .map(SignUp.init(row:))
  }

  /// Of one address the newest: an older one was forgotten by its writer too.
  package func signUp(email: EmailAddress) throws -> SignUp? {
    try first(
      "SELECT \(fragment: SignUp.columns) FROM sign_ups WHERE email_key = \(email.key) ORDER BY id DESC LIMIT 1"
    ).map(SignUp.init(row:))
  }

  /// Oldest first: who has waited longest is answered first.
  package func signUps(in state: SignUp.State, limit: Int) throws -> [SignUp] {
    try rows(
      """
      SELECT \(fragment: SignUp.columns) FROM sign_ups WHERE state = \(state.rawValue) ORDER BY id LIMIT \(limit)
      """
    ).map(SignUp.init(row:))
  }

  /// Whose person a link is for; nil when it was used, is unknown, or its time has passed.
  package func mailLink<Entity>(
    hash: String, _ purpose: LinkPurpose, at time: Timestamp, of: Entity.Type = Entity.self
  ) throws -> ID<Entity>? {
    try first(
      """
      SELECT subject_id FROM mail_links
      WHERE secret_hash = \(hash) AND purpose = \(purpose.rawValue) AND expires_at > \(time)
      """
    ).map { try $0.id("subject_id") }
  }

  package func addressChange(_ id: AddressChange.ID) throws -> AddressChange? {
    try first(
      "SELECT id, account_id, old_email, new_email, state, created_at FROM address_changes WHERE id = \(id)"
    ).map { row in
      AddressChange(
        id: try row.id("id"), accountID: try row.id("account_id"), oldEmail: try row.string("old_email"),
        newEmail: try row.string("new_email"), state: try row.enumCase("state"),
        createdAt: try row.timestamp("created_at"))
    }
  }

  package func isMailBlocked(_ address: EmailAddress) throws -> Bool {
    var names: [String] = []
    var rest = Substring(address.domain)
    while true {
      names.append(String(rest))
      guard let dot = rest.firstIndex(of: "."), names.count < 128 else { break }
      rest = rest[rest.index(after: dot)...]
    }
    return try first("SELECT host FROM blocked_mail_hosts WHERE host IN \(in: names) LIMIT 1") != nil
  }

  package func blockedMailHosts() throws -> [String] {
    try rows("SELECT host FROM blocked_mail_hosts ORDER BY host").map { try $0.string("host") }
  }
}

extension WriteTransaction {
  /// Throws `DatabaseError.unique` when somebody asks for the same name.
  package func insert(_ signUp: SignUp, address: EmailAddress) throws {
    try execute(
      """
      INSERT INTO sign_ups (id, username, email, email_key, password_hash, reason, locale, state, is_echo, is_invited,
        token_hash, application_id, scopes, created_at)
      VALUES (\(signUp.id), \(signUp.username), \(signUp.email), \(address.key), \(signUp.passwordHash),
        \(signUp.reason), \(signUp.locale), \(signUp.state.rawValue), \(signUp.isEcho), \(signUp.isInvited),
        \(signUp.tokenHash), \(signUp.applicationID), \(signUp.scopes), \(signUp.createdAt))
      """)
  }

  package func setState(_ state: SignUp.State, of id: SignUp.ID) throws {
    try execute("UPDATE sign_ups SET state = \(state.rawValue) WHERE id = \(id)")
  }

  package func delete(signUp id: SignUp.ID) throws { try execute("DELETE FROM sign_ups WHERE id = \(id)") }

  /// Whoever never confirmed: their names are free again.
  package func deleteSignUps(in state: SignUp.State, before time: Timestamp) throws {
    try execute("DELETE FROM sign_ups WHERE state = \(state.rawValue) AND created_at < \(time)")
  }

  package func insertMailLink<Entity>(
    hash: String, _ purpose: LinkPurpose, for subject: ID<Entity>, until end: Timestamp
  ) throws {
    try execute(
      """
      INSERT INTO mail_links (secret_hash, purpose, subject_id, expires_at)
      VALUES (\(hash), \(purpose.rawValue), \(subject), \(end))
      """)
  }

  /// A mail that was sent twice holds two links; using one ends both.
  package func deleteMailLinks<Entity>(_ purpose: LinkPurpose, for subject: ID<Entity>) throws {
    try execute("DELETE FROM mail_links WHERE purpose = \(purpose.rawValue) AND subject_id = \(subject)")
  }

  package func deleteMailLinks(expiredBefore time: Timestamp) throws {
    try execute("DELETE FROM mail_links WHERE expires_at < \(time)")
  }

  package func insert(_ change: AddressChange) throws {
    try execute(
      """
      INSERT INTO address_changes (id, account_id, old_email, new_email, state, created_at)
      VALUES (\(change.id), \(change.accountID), \(change.oldEmail), \(change.newEmail), \(change.state.rawValue),
        \(change.createdAt))
      """)
  }

  /// False when it was no longer waiting.
  package func settle(_ change: AddressChange.ID, as state: AddressChange.State) throws -> Bool {
    try execute("UPDATE address_changes SET state = \(state.rawValue) WHERE id = \(change) AND state = 'asked'") == 1
  }

  /// Those an account asked for before are void.
  package func stopAddressChanges(of account: Account.ID) throws {
    try execute("UPDATE address_changes SET state = 'stopped' WHERE account_id = \(account) AND state = 'asked'")
  }

  package func deleteAddressChanges(before time: Timestamp) throws {
    try execute("DELETE FROM address_changes WHERE created_at < \(time)")
  }

  /// Throws `DatabaseError.unique` when another account has it.
  package func setEmail(_ address: EmailAddress, of account: Account.ID) throws {
    try execute(
      """
      UPDATE users SET email = \(address.description), email_key = \(address.key) WHERE account_id = \(account)
      """)
  }

  package func insertInvitation(
    hash: String, id: Int64, by account: Account.ID?, until end: Timestamp
  ) throws {
    try execute(
      """
      INSERT INTO invitations (id, secret_hash, made_by, expires_at)
      VALUES (\(id), \(hash), \(account), \(end))
      """)
  }

  /// Spends an invitation. Of two who hold it at once one gets it.
  package func takeInvitation(hash: String, at time: Timestamp) throws -> Bool {
    try execute("DELETE FROM invitations WHERE secret_hash = \(hash) AND expires_at > \(time)") == 1
  }

  package func deleteInvitations(expiredBefore time: Timestamp) throws {
    try execute("DELETE FROM invitations WHERE expires_at < \(time)")
  }

  package func blockMailHost(_ host: String, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO blocked_mail_hosts (host, created_at) VALUES (\(host), \(time)) ON CONFLICT (host) DO NOTHING
      """)
  }

  /// False when it was not blocked.
  package func unblockMailHost(_ host: String) throws -> Bool {
    try execute("DELETE FROM blocked_mail_hosts WHERE host = \(host)") == 1
  }
}

extension ReadTransaction {
  /// Whether an invitation is good, without spending it.
  package func isInvitation(hash: String, at time: Timestamp) throws -> Bool {
    try first("SELECT id FROM invitations WHERE secret_hash = \(hash) AND expires_at > \(time)") != nil
  }
}

extension ReadTransaction {
  /// Whether a token that is not revoked belongs to somebody who was shut out.
  package func isDisabled(tokenHash: String) throws -> Bool {
    try first(
      """
      SELECT users.account_id FROM access_tokens JOIN users ON users.account_id = access_tokens.account_id
      WHERE access_tokens.secret_hash = \(tokenHash) AND access_tokens.revoked_at IS NULL
        AND users.disabled_at IS NOT NULL
      """) != nil
  }
}
