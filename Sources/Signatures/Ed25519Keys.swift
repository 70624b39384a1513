import Crypto
import Primitives

package struct Ed25519PublicKey: Hashable, Sendable {
  private let key: Curve25519.Signing.PublicKey
  /// 32 bytes.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) throws(SignatureFailure) {
    do { key = try Curve25519.Signing.PublicKey(rawRepresentation: bytes) } catch {
      throw .keyUnacceptable("not an Ed25519 public key")
    }
    self.bytes = bytes
  }

  /// Multikey: `z6Mk…`, base58btc of the multicodec prefix ed25519-pub and the key (FEP-521a).
  package init(multibase text: String) throws(SignatureFailure) {
    guard text.utf8.count <= Limits.publicKeyTextBytes, text.utf8.first == UInt8(ascii: "z"),
      let all = Base58.decode(text.dropFirst()), all.count == 34, all.starts(with: [0xed, 0x01])
    else { throw .keyUnacceptable("not an Ed25519 Multikey") }
    try self.init(bytes: Array(all.dropFirst(2)))
  }

  package var multibase: String { "z" + Base58.encode([0xed, 0x01] + bytes) }

  package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
    signature.count == 64 && key.isValidSignature(signature, for: message)
  }

  package static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool { left.bytes == right.bytes }
  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

/// Not Codable: it leaves memory sealed or not at all.
package struct Ed25519PrivateKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey
  package let publicKey: Ed25519PublicKey

  /// From the 32 bytes RFC 8032 calls the secret key; random ones make a new key.
  package init(seed: [UInt8]) throws(SignatureFailure) {
    do { key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed) } catch {
      throw .keyUnacceptable("not an Ed25519 seed")
    }
    publicKey = try Ed25519PublicKey(bytes: Array(key.publicKey.rawRepresentation))
  }

  package init(generatingWith random: RandomBytes) throws(SignatureFailure) { try self.init(seed: random.make(32)) }

  var seed: [UInt8] { Array(key.rawRepresentation) }

  package func signature(for message: [UInt8]) throws(SignatureFailure) -> [UInt8] {
    do { return Array(try key.signature(for: message)) } catch { throw .keyUnacceptable("the key can not sign") }
  }
}
