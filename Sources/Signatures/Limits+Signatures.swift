import Primitives

extension Limits {
  /// Any of `Signature`, `Signature-Input`, `Digest` and `Content-Digest`. An RSA-8192 signature is 1,368 characters.
  package static let signatureFieldBytes = 8_192
  package static let signatureParameters = 16
  package static let signatureCoveredComponents = 32
  package static let digestsPerField = 8
  package static let structuredFieldMembers = 64
  package static let structuredFieldParameters = 32

  /// A key as PEM text or multibase. RSA-8192 in SPKI is under 1,500 characters.
  package static let publicKeyTextBytes = 8_192
  package static let rsaKeyBits = 2_048...8_192
  package static let passwordBytes = 1_024

  /// Members of an `Accept-Signature` that are looked at.
  package static let acceptedSignatures = 4
  package static let signatureLabelBytes = 64
  /// A nonce or a tag is sent back as it came.
  package static let signatureNonceBytes = 256
  /// Requests one exchange may take, each signed otherwise than the one before.
  package static let signatureRounds = 3
}
