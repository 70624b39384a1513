import Model
import Persistence
import Primitives

/// A private key at rest: sealed, and opened only by whoever holds the instance secret.
package struct StoredKey: Hashable, Sendable {
  package enum Kind: String, Codable, Hashable, Sendable { case rsa, ed25519 }
  package var accountID: Account.ID
  package var kind: Kind
  package var keyID: IRI
  /// PEM for RSA, multibase for Ed25519.
  package var publicKey: String
  package var sealedKey: [UInt8]
  package init(accountID: Account.ID, kind: Kind, keyID: IRI, publicKey: String, sealedKey: [UInt8]) {
    self.accountID = accountID
    self.kind = kind
    self.keyID = keyID
    self.publicKey = publicKey
    self.sealedKey = sealedKey
  }
}

/// A key of an actor elsewhere, as its own actor document lists it.
package struct RemoteKey: Hashable, Sendable {
  package var keyID: IRI
  package var owner: IRI
  package var publicKey: String
  package var fetchedAt: Timestamp
  package init(keyID: IRI, owner: IRI, publicKey: String, fetchedAt: Timestamp) {
    self.keyID = keyID
    self.owner = owner
    self.publicKey = publicKey
    self.fetchedAt = fetchedAt
  }
}

extension StoredKey {
  fileprivate init(_ row: Row) throws {
    self.init(
      accountID: try row.id("account_id"), kind: try row.enumCase("kind"), keyID: try row.iri("key_id"),
      publicKey: try row.string("public_key"), sealedKey: try row.bytes("sealed_key"))
  }
}

extension ReadTransaction {
  package func signingKeys(of id: Account.ID) throws -> [StoredKey] {
    try rows(
      "SELECT account_id, kind, key_id, public_key, sealed_key FROM signing_keys WHERE account_id = \(id) ORDER BY kind"
    ).map { try StoredKey($0) }
  }

  /// Any keys of ours, to try a secret on.
  package func someSigningKeys(limit: Int) throws -> [StoredKey] {
    try rows(
      "SELECT account_id, kind, key_id, public_key, sealed_key FROM signing_keys ORDER BY account_id LIMIT \(limit)"
    ).map { try StoredKey($0) }
  }

  package func remoteKey(_ id: IRI) throws -> RemoteKey? {
    try first("SELECT key_id, owner, public_key, fetched_at FROM remote_keys WHERE key_id = \(id)").map { row in
      RemoteKey(
        keyID: try row.iri("key_id"), owner: try row.iri("owner"), publicKey: try row.string("public_key"),
        fetchedAt: try row.timestamp("fetched_at"))
    }
  }
}

extension WriteTransaction {
  package func insert(_ key: StoredKey, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO signing_keys (account_id, kind, key_id, public_key, sealed_key, created_at)
      VALUES (\(key.accountID), \(key.kind.rawValue), \(key.keyID), \(key.publicKey), \(key.sealedKey), \(time))
      """)
  }

  /// The keys `owner` lists now replace those it listed before.
  package func replaceRemoteKeys(of owner: IRI, with keys: [RemoteKey]) throws {
    try execute("DELETE FROM remote_keys WHERE owner = \(owner)")
    for key in keys {
      try execute(
        """
        INSERT INTO remote_keys (key_id, owner, public_key, fetched_at)
        VALUES (\(key.keyID), \(owner), \(key.publicKey), \(key.fetchedAt))
        ON CONFLICT (key_id) DO UPDATE SET owner = excluded.owner, public_key = excluded.public_key,
          fetched_at = excluded.fetched_at
        """)
    }
  }
}
