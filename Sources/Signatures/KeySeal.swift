import CLibCrypto
import Crypto
import Primitives

/// Closes private keys for storage with a secret of the instance that is kept outside the database.
///
/// ChaCha20-Poly1305 with the key's id as associated data, so that a row moved to another actor does not open.
/// Layout: version 1, a nonce of 12 bytes, the ciphertext, a tag of 16.
package struct KeySeal: Sendable {
  private let secret: SymmetricKey

  /// `secret` is 32 bytes.
  package init?(secret: [UInt8]) {
    guard secret.count == 32 else { return nil }
    self.secret = SymmetricKey(data: secret)
  }

  package func seal(_ key: PrivateKey, for id: IRI, random: RandomBytes) throws(SignatureFailure) -> [UInt8] {
    var plain: [UInt8]
    switch key {
    case .rsa(let key): plain = [UInt8(ascii: "r")] + key.der
    case .ed25519(let key): plain = [UInt8(ascii: "e")] + key.seed
    }
    defer { atelier_cleanse(&plain, plain.count) }
    return try close(plain, for: id.text, random)
  }

  /// Seals something else that must not lie in the database in clear, such as the key of the push service. `name` says
  /// what it is, and has to be named again to open it.
  package func seal(_ secret: [UInt8], named name: String, random: RandomBytes) throws(SignatureFailure) -> [UInt8] {
    try close([UInt8(ascii: "s")] + secret, for: "secret \(name)", random)
  }

  package func open(_ sealed: [UInt8], named name: String) throws(SignatureFailure) -> [UInt8] {
    let plain = try unseal(sealed, for: "secret \(name)")
    guard plain.first == UInt8(ascii: "s") else { throw .keyUnacceptable("a sealed secret of an unknown kind") }
    return Array(plain.dropFirst())
  }

  private func close(_ plain: [UInt8], for id: String, _ random: RandomBytes) throws(SignatureFailure) -> [UInt8] {
    do {
      let nonce = try ChaChaPoly.Nonce(data: random.make(12))
      let box = try ChaChaPoly.seal(plain, using: secret, nonce: nonce, authenticating: Array(id.utf8))
      return [1] + Array(box.combined)
    } catch { throw .keyUnacceptable("the key can not be sealed") }
  }

  private func unseal(_ sealed: [UInt8], for id: String) throws(SignatureFailure) -> [UInt8] {
    guard sealed.first == 1 else { throw .keyUnacceptable("a sealed key of an unknown version") }
    do {
      let box = try ChaChaPoly.SealedBox(combined: sealed.dropFirst())
      return Array(try ChaChaPoly.open(box, using: secret, authenticating: Array(id.utf8)))
    } catch { throw .keyUnacceptable("a sealed key that does not open") }
  }

  /// Fails when the secret, the id or the bytes are not those of the sealing.
  package func open(_ sealed: [UInt8], for id: IRI) throws(SignatureFailure) -> PrivateKey {
    var plain = try unseal(sealed, for: id.text)
    defer { atelier_cleanse(&plain, plain.count) }
    switch plain.first {
    case UInt8(ascii: "r"): return .rsa(try RSAPrivateKey(der: Array(plain.dropFirst())))
    case UInt8(ascii: "e"): return .ed25519(try Ed25519PrivateKey(seed: Array(plain.dropFirst())))
    default: throw .keyUnacceptable("a sealed key of an unknown kind")
    }
  }
}
