import Model
import Persistence
import Primitives
import Signatures
import Store
import Synchronization

/// The private keys of this server's actors, opened from their seals at first use and kept parsed.
///
/// Keys are loaded when something is signed and are never part of a job, a row in clear, or a log line.
package final class KeyRing: Sendable {
  package struct ActorKeys: Sendable {
    package let rsa: SigningKey
    package let ed25519: SigningKey

    /// The key a request is signed by: RSA, which every peer reads, unless the peer asked for the other.
    func key(for style: SignatureKnocking.Style) -> SigningKey {
      guard case .message(let asked?) = style, asked.algorithm == .ed25519 || asked.keyID == ed25519.id else {
        return rsa
      }
      return ed25519
    }
  }

  private let database: any Database
  private let seal: KeySeal
  private let opened = Mutex<[Account.ID: ActorKeys]>([:])

  package init(database: any Database, seal: KeySeal) {
    self.database = database
    self.seal = seal
  }

  /// The keys of a local account; throws `KeyRingFailure.missing` for any other.
  package func keys(of id: Account.ID) async throws -> ActorKeys {
    if let known = opened.withLock({ $0[id] }) { return known }
    let stored = try await database.read { try $0.signingKeys(of: id) }
    var rsa: SigningKey?
    var ed25519: SigningKey?
    for key in stored {
      let signing = SigningKey(id: key.keyID, key: try seal.open(key.sealedKey, for: key.keyID))
      switch key.kind {
      case .rsa: rsa = signing
      case .ed25519: ed25519 = signing
      }
    }
    guard let rsa, let ed25519 else { throw KeyRingFailure.missing }
    let keys = ActorKeys(rsa: rsa, ed25519: ed25519)
    opened.withLock { $0[id] = keys }
    return keys
  }

  /// The keys of the actor that signs our own requests.
  package func instanceKeys(of instance: Instance) async throws -> ActorKeys {
    guard let actor = try await database.read({ try $0.account(uri: instance.actor) }) else {
      throw KeyRingFailure.missing
    }
    return try await keys(of: actor.id)
  }

  /// New keys for `account`, sealed, to be stored with it. Making an RSA key takes about 40 ms of one core.
  package static func make(
    for account: Account.ID, actor: IRI, in instance: Instance, seal: KeySeal, random: RandomBytes
  ) throws -> [StoredKey] {
    let rsa = try RSAPrivateKey()
    let ed25519 = try Ed25519PrivateKey(generatingWith: random)
    let rsaID = instance.rsaKey(actor)
    let ed25519ID = instance.ed25519Key(actor)
    return [
      StoredKey(
        accountID: account, kind: .rsa, keyID: rsaID, publicKey: rsa.publicKey.pem,
        sealedKey: try seal.seal(.rsa(rsa), for: rsaID, random: random)),
      StoredKey(
        accountID: account, kind: .ed25519, keyID: ed25519ID, publicKey: ed25519.publicKey.multibase,
        sealedKey: try seal.seal(.ed25519(ed25519), for: ed25519ID, random: random)),
    ]
  }
}

package enum KeyRingFailure: Error, Hashable, Sendable {
  /// No such local account, or it has lost its keys.
  case missing
}
