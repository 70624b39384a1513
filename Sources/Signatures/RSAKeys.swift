import CLibCrypto
import Primitives

/// The hash inside RSASSA-PKCS1-v1_5.
package enum RSAHash: Int32, Hashable, Sendable {
  case sha256 = 256
  case sha512 = 512
}

/// Owns one key of libcrypto.
///
/// Invariant behind `@unchecked Sendable`: the pointer is set once, never replaced, and freed by `deinit` alone, and
/// libcrypto's EVP_PKEY allows signing and verifying from many threads as long as nobody changes the key, which the shim
/// has no function for.
private final class RSAHandle: @unchecked Sendable {
  let key: OpaquePointer
  init(_ key: OpaquePointer) { self.key = key }
  deinit { atelier_rsa_free(key) }

  var bits: Int { Int(atelier_rsa_bits(key)) }

  func checked(_ bits: ClosedRange<Int>) throws(SignatureFailure) -> RSAHandle {
    guard bits.contains(self.bits) else { throw .keyUnacceptable("RSA of \(self.bits) bits") }
    guard atelier_rsa_is_sane(key) == 1 else { throw .keyUnacceptable("RSA with an even modulus or a bad exponent") }
    return self
  }

  var publicDER: [UInt8] { written { atelier_rsa_public_der(key, $0, $1, $2) } }
  var privateDER: [UInt8] { written { atelier_rsa_private_der(key, $0, $1, $2) } }

  private func written(_ write: (UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>) -> Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 8_192) { buffer, count in
      count = 0
      // Fails only when memory does: the key was parsed, and 8 KiB hold an 8,192-bit private key.
      if write(buffer.baseAddress, buffer.count, &count) != 1 { count = 0 }
    }
  }
}

/// An RSA public key, parsed once.
package struct RSAPublicKey: Hashable, Sendable {
  private let handle: RSAHandle
  private let der: [UInt8]

  private init(_ handle: RSAHandle) {
    self.handle = handle
    der = handle.publicDER
  }

  /// Reads SPKI or PKCS#1, and goes by the content: there are servers that label the one as the other.
  package init(der: [UInt8]) throws(SignatureFailure) { try self.init(der: der, bits: Limits.rsaKeyBits) }

  /// For the vectors of draft-cavage, whose key is 1,024 bits long. Not reachable from another target.
  init(der: [UInt8], bits: ClosedRange<Int>) throws(SignatureFailure) {
    guard let key = atelier_rsa_public_key(der, der.count) else { throw .keyUnacceptable("not an RSA public key") }
    self.init(try RSAHandle(key).checked(bits))
  }

  package init(pem text: String) throws(SignatureFailure) {
    guard let pem = PEM(text) else { throw .keyUnacceptable("not PEM") }
    try self.init(der: pem.der)
  }

  package var bits: Int { handle.bits }

  /// SPKI, the form `publicKeyPem` takes, with a line feed at the end.
  package var pem: String { PEM(label: "PUBLIC KEY", der: der).text }

  package func isValid(_ signature: [UInt8], for message: [UInt8], hash: RSAHash = .sha256) -> Bool {
    atelier_rsa_verify(handle.key, hash.rawValue, message, message.count, signature, signature.count) == 1
  }

  package static func == (left: RSAPublicKey, right: RSAPublicKey) -> Bool { left.der == right.der }
  package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// An RSA private key, parsed once and used by many threads. Not Codable: it leaves memory sealed or not at all.
package struct RSAPrivateKey: Sendable {
  fileprivate let handle: RSAHandle
  package let publicKey: RSAPublicKey

  private init(_ handle: RSAHandle) throws(SignatureFailure) {
    self.handle = handle
    publicKey = try RSAPublicKey(der: handle.publicDER, bits: 1...Limits.rsaKeyBits.upperBound)
  }

  /// A new key. Takes tens of milliseconds of a core at 2,048 bits; call it off the event loops.
  package init(generatingBits bits: Int = 2_048) throws(SignatureFailure) {
    guard Limits.rsaKeyBits.contains(bits), let key = atelier_rsa_generate(Int32(bits)) else {
      throw .keyUnacceptable("no RSA key of this size")
    }
    try self.init(RSAHandle(key))
  }

  /// Reads PKCS#8 or PKCS#1, never encrypted.
  package init(der: [UInt8]) throws(SignatureFailure) { try self.init(der: der, bits: Limits.rsaKeyBits) }

  /// For the vectors of draft-cavage, whose key is 1,024 bits long. Not reachable from another target.
  init(der: [UInt8], bits: ClosedRange<Int>) throws(SignatureFailure) {
    guard let key = atelier_rsa_private_key(der, der.count) else { throw .keyUnacceptable("not an RSA private key") }
    try self.init(try RSAHandle(key).checked(bits))
  }

  package init(pem text: String) throws(SignatureFailure) {
    guard let pem = PEM(text) else { throw .keyUnacceptable("not PEM") }
    try self.init(der: pem.der)
  }

  /// PKCS#8 DER, for sealing.
  var der: [UInt8] { handle.privateDER }

  /// Fails only when memory does.
  package func signature(for message: [UInt8], hash: RSAHash = .sha256) throws(SignatureFailure) -> [UInt8] {
    var length = 0
    var signature = [UInt8](repeating: 0, count: 1_024)
    let done = atelier_rsa_sign(
      handle.key, hash.rawValue, message, message.count, &signature, signature.count, &length)
    guard done == 1, length <= signature.count else { throw .keyUnacceptable("the key can not sign") }
    return Array(signature.prefix(length))
  }
}
