import Crypto
import Primitives

/// Why a FEP-8b32 proof counts for nothing. `code` is stable.
package enum ProofFailure: Error, Hashable, Sendable {
  case missing
  case malformed
  /// More than one proof.
  case multiple
  /// Another suite than eddsa-jcs-2022, another type or another purpose.
  case unsupported
  /// The verification method is no http or https IRI, or its owner does not list it.
  case unlinked
  /// The document's `@context` does not begin with the proof's.
  case context
  case expired
  case bad
  /// The proof is by somebody else than the owner of the object.
  case owner

  package var code: String {
    switch self {
    case .missing: "proof.missing"
    case .malformed: "proof.malformed"
    case .multiple: "proof.multiple"
    case .unsupported: "proof.unsupported"
    case .unlinked: "proof.unlinked"
    case .context: "proof.context"
    case .expired: "proof.expired"
    case .bad: "proof.bad"
    case .owner: "proof.owner"
    }
  }
}

/// The one integrity proof of a document, cryptosuite eddsa-jcs-2022 (FEP-8b32).
///
/// Made of the received parse tree, never of a decoded model: unknown properties are signed too.
package struct IntegrityProof: Hashable, Sendable {
  /// The id of the key, to be found in `assertionMethod` of the owner's own document.
  package let verificationMethod: IRI
  package let created: Timestamp?
  package let expires: Timestamp?
  /// What is signed: the document without its proof, without any linked data signature, and with the context of the
  /// proof. Contexts that others appended are gone, so that nothing is read by terms the signer never saw.
  package let document: JSON
  /// What the key has to have signed: 64 bytes.
  private let hash: [UInt8]
  private let value: [UInt8]

  /// Reads the proof of `document` and checks all that needs no key.
  package init(of document: JSON, at now: Timestamp) throws(ProofFailure) {
    let proof = try IntegrityProof.theOne(of: document)
    guard proof["type"]?.string == "DataIntegrityProof", proof["cryptosuite"]?.string == "eddsa-jcs-2022",
      proof["proofPurpose"]?.string == "assertionMethod"
    else { throw .unsupported }
    guard let method = proof["verificationMethod"]?.string, let text = proof["proofValue"]?.string,
      text.utf8.first == UInt8(ascii: "z"), let value = Base58.decode(text.dropFirst()), value.count == 64
    else { throw .malformed }
    guard let verificationMethod = IRI(method) else { throw .unlinked }
    self.verificationMethod = verificationMethod
    self.value = value
    created = try IntegrityProof.time(proof["created"])
    expires = try IntegrityProof.time(proof["expires"])
    if let expires, expires <= now { throw .expired }
    var bare = document
    bare["proof"] = nil
    // FEP-8b32 and Mastodon alike: a linked data signature was added after the proof and is not part of it.
    bare["signature"] = nil
    var options = proof
    options["proofValue"] = nil
    if let context = proof["@context"] {
      guard IntegrityProof.begins(document["@context"], with: context) else { throw .context }
      bare["@context"] = context
    }
    self.document = bare
    hash = IntegrityProof.hash(options: options, document: bare)
  }

  /// Accepts `document` on the word of `key`.
  ///
  /// The caller has found `key` under `verificationMethod`, in the document of the actor who owns the object.
  package func verify(with key: Ed25519PublicKey) throws(ProofFailure) -> Verified<JSON> {
    guard key.isValid(value, for: hash) else { throw .bad }
    return Verified(document, signer: verificationMethod)
  }

  /// `document` with a proof, replacing any it had. `@context` should be an array: Mastodon accepts nothing else.
  package static func sign(
    document: JSON, key: Ed25519PrivateKey, verificationMethod: IRI, created: Timestamp
  ) throws(SignatureFailure) -> JSON {
    var document = document
    document["proof"] = nil
    var proof: JSON = [
      "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022",
      "created": .string(created.iso8601Seconds), "verificationMethod": .string(verificationMethod.text),
      "proofPurpose": "assertionMethod",
    ]
    if let context = document["@context"] { proof["@context"] = context }
    let signature = try key.signature(for: hash(options: proof, document: document))
    proof["proofValue"] = .string("z" + Base58.encode(signature))
    document["proof"] = proof
    return document
  }

  /// Hash of the options first, then that of the document.
  private static func hash(options: JSON, document: JSON) -> [UInt8] {
    Array(SHA256.hash(data: options.canonicalBytes)) + Array(SHA256.hash(data: document.canonicalBytes))
  }

  /// In JSON-LD an array of one is that one.
  private static func theOne(of document: JSON) throws(ProofFailure) -> JSON {
    guard document.object != nil, let proof = document["proof"] else { throw .missing }
    if proof.object != nil { return proof }
    guard let proofs = proof.array else { throw .malformed }
    guard proofs.count <= 1 else { throw .multiple }
    guard let only = proofs.first else { throw .missing }
    guard only.object != nil else { throw .malformed }
    return only
  }

  private static func time(_ value: JSON?) throws(ProofFailure) -> Timestamp? {
    guard let value else { return nil }
    guard let text = value.string, let time = Timestamp(iso8601: text) else { throw .malformed }
    return time
  }

  /// W3C vc-di-eddsa: what follows the proof's context in the document was added by others and is not signed.
  private static func begins(_ context: JSON?, with prefix: JSON) -> Bool {
    guard let context else { return false }
    if context == prefix { return true }
    guard let all = context.array else { return false }
    return all.starts(with: prefix.array ?? [prefix])
  }
}
