import Crypto
import Primitives

/// The key by which push services know this server (RFC 8292). Not Codable: it leaves memory sealed or not at all.
package struct PushServerKey: Sendable {
  private let key: P256.Signing.PrivateKey

  /// `bytes` are the 32 of the scalar.
  package init(bytes: [UInt8]) throws(SignatureFailure) {
    do { key = try P256.Signing.PrivateKey(rawRepresentation: bytes) } catch {
      throw .keyUnacceptable("not a P-256 private key")
    }
  }

  /// Of 2^32 numbers one is no scalar of the curve, so a second try is enough.
  package init(generatingWith random: RandomBytes) throws(SignatureFailure) {
    do { try self.init(bytes: random.make(32)) } catch { try self.init(bytes: random.make(32)) }
  }

  package var bytes: [UInt8] { Array(key.rawRepresentation) }

  /// The uncompressed point as unpadded base64url: what browsers and apps subscribe with.
  package var publicKey: String { Base64.encodeURL(Array(key.publicKey.x963Representation)) }

  /// A token for the push service at `endpoint`, good for half a day of the day that RFC 8292 §2 allows.
  /// - Parameter contact: `mailto:` or an address of ours, for whoever runs the push service.
  package func token(for endpoint: IRI, contact: String, at time: Timestamp) throws(SignatureFailure) -> String {
    let head: JSON = ["typ": "JWT", "alg": "ES256"]
    let claims: JSON = [
      "aud": .string(endpoint.origin), "exp": .integer(time.adding(.seconds(43_200)).secondsSince1970),
      "sub": .string(contact),
    ]
    let text = "\(Base64.encodeURL(head.bytes)).\(Base64.encodeURL(claims.bytes))"
    do {
      let signature = try key.signature(for: Array(text.utf8))
      return "\(text).\(Base64.encodeURL(Array(signature.rawRepresentation)))"
    } catch { throw .keyUnacceptable("the key can not sign") }
  }
}

/// Where the browser or app can read what it is sent, and nobody on the way.
package struct PushReceiver: Hashable, Sendable {
  /// An uncompressed P-256 point, 65 bytes.
  package let publicKey: [UInt8]
  /// 16 bytes.
  package let secret: [UInt8]

  package init?(publicKey: [UInt8], secret: [UInt8]) {
    guard publicKey.count == 65, publicKey.first == 4, secret.count == 16 else { return nil }
    do { _ = try P256.KeyAgreement.PublicKey(x963Representation: publicKey) } catch { return nil }
    self.publicKey = publicKey
    self.secret = secret
  }
}

/// Encryption of push messages: RFC 8291, and the draft before it, which older apps ask for.
package enum PushEncryption {
  /// One record, whatever is in it: a push service takes 4,096 bytes.
  package static let longestText = 3_000

  /// What is chosen anew for every message.
  package struct Ephemeral: Sendable {
    let key: P256.KeyAgreement.PrivateKey
    let salt: [UInt8]

    /// For vectors. `key` is 32 bytes, `salt` 16.
    package init(key: [UInt8], salt: [UInt8]) throws(SignatureFailure) {
      guard salt.count == 16 else { throw .keyUnacceptable("a salt of another length") }
      do { self.key = try P256.KeyAgreement.PrivateKey(rawRepresentation: key) } catch {
        throw .keyUnacceptable("not a P-256 private key")
      }
      self.salt = salt
    }

    package init(random: RandomBytes) throws(SignatureFailure) {
      do { try self.init(key: random.make(32), salt: random.make(16)) } catch {
        try self.init(key: random.make(32), salt: random.make(16))
      }
    }

    var publicKey: [UInt8] { Array(key.publicKey.x963Representation) }
  }

  /// `Content-Encoding: aes128gcm` (RFC 8291 on RFC 8188).
  package static func aes128gcm(
    _ plain: [UInt8], to receiver: PushReceiver, _ ephemeral: Ephemeral
  ) throws(SignatureFailure) -> [UInt8] {
    let sender = ephemeral.publicKey
    let shared = hmac(receiver.secret, try agreed(ephemeral, receiver))
    let material = hmac(shared, Array("WebPush: info".utf8) + [0] + receiver.publicKey + sender + [1])
    return try record(plain, material: material, salt: ephemeral.salt, keyID: sender)
  }

  /// RFC 8188 with one record of up to 4,096 bytes.
  static func record(
    _ plain: [UInt8], material: [UInt8], salt: [UInt8], keyID: [UInt8]
  ) throws(SignatureFailure) -> [UInt8] {
    let root = hmac(salt, material)
    let key = hmac(root, Array("Content-Encoding: aes128gcm".utf8) + [0, 1]).prefix(16)
    let nonce = hmac(root, Array("Content-Encoding: nonce".utf8) + [0, 1]).prefix(12)
    // 2 ends the last record; after it only padding could follow.
    let sealed = try seal(plain + [2], Array(key), Array(nonce))
    return salt + [0, 0, 16, 0, UInt8(truncatingIfNeeded: keyID.count)] + keyID + sealed
  }

  /// `Content-Encoding: aesgcm` (draft-ietf-webpush-encryption-04): salt and key travel in headers.
  package static func aesgcm(
    _ plain: [UInt8], to receiver: PushReceiver, _ ephemeral: Ephemeral
  ) throws(SignatureFailure) -> (body: [UInt8], salt: String, senderKey: String) {
    let sender = ephemeral.publicKey
    let shared = hmac(receiver.secret, try agreed(ephemeral, receiver))
    let root = hmac(ephemeral.salt, hmac(shared, Array("Content-Encoding: auth".utf8) + [0, 1]))
    let context = Array("P-256".utf8) + [0, 0, 65] + receiver.publicKey + [0, 65] + sender
    let key = hmac(root, Array("Content-Encoding: aesgcm".utf8) + [0] + context + [1]).prefix(16)
    let nonce = hmac(root, Array("Content-Encoding: nonce".utf8) + [0] + context + [1]).prefix(12)
    let body = try seal([0, 0] + plain, Array(key), Array(nonce))
    return (body, Base64.encodeURL(ephemeral.salt), Base64.encodeURL(sender))
  }

  private static func agreed(_ ephemeral: Ephemeral, _ receiver: PushReceiver) throws(SignatureFailure) -> [UInt8] {
    do {
      let other = try P256.KeyAgreement.PublicKey(x963Representation: receiver.publicKey)
      return try ephemeral.key.sharedSecretFromKeyAgreement(with: other).withUnsafeBytes { Array($0) }
    } catch { throw .keyUnacceptable("not a P-256 public key") }
  }

  private static func seal(_ plain: [UInt8], _ key: [UInt8], _ nonce: [UInt8]) throws(SignatureFailure) -> [UInt8] {
    do {
      let box = try AES.GCM.seal(plain, using: SymmetricKey(data: key), nonce: AES.GCM.Nonce(data: nonce))
      return Array(box.ciphertext) + Array(box.tag)
    } catch { throw .keyUnacceptable("the message can not be sealed") }
  }

  /// HKDF of one block is two of these (RFC 5869).
  private static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
  }
}
