import Primitives

/// A key that verifies, parsed once and kept.
package enum PublicKey: Hashable, Sendable {
  case rsa(RSAPublicKey)
  case ed25519(Ed25519PublicKey)

  /// `publicKeyPem` of an actor: RSA in SPKI or PKCS#1, or Ed25519 in SPKI (RFC 8410), which Mitra has used.
  package init(pem text: String) throws(SignatureFailure) {
    guard let pem = PEM(text) else { throw .keyUnacceptable("not PEM") }
    let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
    if pem.der.count == 44, pem.der.starts(with: prefix) {
      self = .ed25519(try Ed25519PublicKey(bytes: Array(pem.der.dropFirst(prefix.count))))
    } else {
      self = .rsa(try RSAPublicKey(der: pem.der))
    }
  }

  /// `publicKeyMultibase` of a Multikey. Only Ed25519 is in use on the network.
  package init(multibase text: String) throws(SignatureFailure) {
    self = .ed25519(try Ed25519PublicKey(multibase: text))
  }

  enum Attempt {
    case rsa(RSAHash)
    case ed25519
  }

  /// The ways to verify that the stated algorithm and the kind of key both allow.
  func attempts(for algorithm: SignatureClaim.Algorithm) throws(SignatureFailure) -> [Attempt] {
    switch (self, algorithm) {
    case (.rsa, .rsaSHA256): return [.rsa(.sha256)]
    case (.rsa, .rsaSHA512): return [.rsa(.sha512)]
    // hs2019 hides the hash; GoToSocial tries both too.
    case (.rsa, .byKey): return [.rsa(.sha256), .rsa(.sha512)]
    case (.ed25519, .ed25519), (.ed25519, .byKey): return [.ed25519]
    case (.rsa, .ed25519), (.ed25519, .rsaSHA256), (.ed25519, .rsaSHA512): throw .algorithm
    }
  }

  func isValid(_ signature: [UInt8], for message: [UInt8], by attempt: Attempt) -> Bool {
    switch (self, attempt) {
    case (.rsa(let key), .rsa(let hash)): key.isValid(signature, for: message, hash: hash)
    case (.ed25519(let key), .ed25519): key.isValid(signature, for: message)
    case (.rsa, .ed25519), (.ed25519, .rsa): false
    }
  }
}

/// A key that signs. Not Codable.
package enum PrivateKey: Sendable {
  case rsa(RSAPrivateKey)
  case ed25519(Ed25519PrivateKey)

  package var publicKey: PublicKey {
    switch self {
    case .rsa(let key): .rsa(key.publicKey)
    case .ed25519(let key): .ed25519(key.publicKey)
    }
  }

  /// RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519.
  func signature(for message: [UInt8]) throws(SignatureFailure) -> [UInt8] {
    switch self {
    case .rsa(let key): try key.signature(for: message)
    case .ed25519(let key): try key.signature(for: message)
    }
  }
}
