import Primitives
import Signatures
import Testing

@Suite struct IntegrityProofTests {
  static let method = "https://here.example/users/mika#ed25519-key"
  static let document: JSON = [
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
    "id": "https://here.example/objects/1", "type": "Note", "content": "a \u{1F3A8} / b", "x": 1.5, "n": nil,
    "unknown": ["deep": [1, true]],
  ]

  private func signed(_ document: JSON = document) throws -> JSON {
    try IntegrityProof.sign(
      document: document, key: Peer.ed25519.get(), verificationMethod: need(IRI(Self.method)), created: Peer.now)
  }

  private func outcome(_ document: JSON, at now: Timestamp = Peer.now) throws -> ProofFailure? {
    let key = try Peer.ed25519.get().publicKey
    do throws(ProofFailure) {
      _ = try IntegrityProof(of: document, at: now).verify(with: key)
      return nil
    } catch { return error }
  }

  @Test func `a signed document verifies after a trip over the wire`() throws {
    let received = try JSON(parsing: signed().bytes)
    let proof = try IntegrityProof(of: received, at: Peer.now)
    #expect(proof.verificationMethod.text == Self.method)
    #expect(proof.created == Peer.now)
    let verified = try proof.verify(with: Peer.ed25519.get().publicKey)
    #expect(verified.subject == Self.document)
    #expect(verified.signer.text == Self.method)
  }

  @Test func `proofs of another implementation verify, around and within`() throws {
    let vector = try vectors("signed-create")
    let key = try Ed25519PublicKey(multibase: need(vector["publicKeyMultibase"]?.string))
    let create = try need(vector["document"])
    let note = try need(create["object"])
    for document in [create, note] {
      let verified = try IntegrityProof(of: document, at: Peer.now).verify(with: key)
      #expect(verified.signer.text == "https://atelier.example/users/mika#ed25519-key")
    }
    var stripped = note
    stripped["usagePolicy"] = nil
    #expect(throws: ProofFailure.bad) { try IntegrityProof(of: stripped, at: Peer.now).verify(with: key) }
  }

  @Test func `a changed, added or removed property breaks it`() throws {
    let signed = try signed()
    for key in ["id", "type", "content", "unknown", "n"] {
      var changed = signed
      changed[key] = "changed"
      #expect(try outcome(changed) == .bad)
      changed[key] = nil
      #expect(try outcome(changed) == .bad)
    }
    var added = signed
    added["usagePolicy"] = [:]
    #expect(try outcome(added) == .bad)
    for key in ["created", "verificationMethod"] {
      var changed = signed
      changed["proof"]?[key] = key == "created" ? "2023-01-01T00:00:00Z" : "https://evil.example/key"
      #expect(try outcome(changed) == .bad)
    }
  }

  @Test func `the order of members does not matter`() throws {
    let signed = try signed()
    #expect(try outcome(JSON(pairs: signed.pairs.reversed())) == nil)
  }

  @Test func `a linked data signature beside it is passed over`() throws {
    var signed = try signed()
    signed["signature"] = ["type": "RsaSignature2017"]
    #expect(try outcome(signed) == nil)
  }

  @Test func `contexts may be appended but are not vouched for`() throws {
    var signed = try signed()
    let context = try need(signed["@context"]?.array)
    signed["@context"] = .array(context + ["https://evil.example/context"])
    #expect(try outcome(signed) == nil)
    let verified = try IntegrityProof(of: signed, at: Peer.now).verify(with: Peer.ed25519.get().publicKey)
    #expect(verified.subject["@context"] == .array(context))
    signed["@context"] = .array(["https://evil.example/context"] + context)
    #expect(try outcome(signed) == .context)
    signed["@context"] = .array(Array(context.prefix(1)))
    #expect(try outcome(signed) == .context)
    signed["@context"] = nil
    #expect(try outcome(signed) == .context)
    signed["@context"] = "https://www.w3.org/ns/activitystreams"
    #expect(try outcome(signed) == .context)
  }

  @Test func `an expired proof is refused`() throws {
    var signed = try signed()
    signed["proof"]?["expires"] = "2026-11-03T18:00:02Z"
    #expect(try outcome(signed, at: need(Timestamp(iso8601: "2026-11-03T18:00:02Z"))) == .expired)
    // Not expired, but it was not in what was signed.
    #expect(try outcome(signed, at: need(Timestamp(iso8601: "2026-11-03T18:00:01Z"))) == .bad)
  }

  @Test func `there is exactly one proof`() throws {
    let signed = try signed()
    let proof = try need(signed["proof"])
    var other = signed
    other["proof"] = .array([proof])
    #expect(try outcome(other) == nil)
    other["proof"] = .array([proof, proof])
    #expect(try outcome(other) == .multiple)
    other["proof"] = .array([])
    #expect(try outcome(other) == .missing)
    other["proof"] = nil
    #expect(try outcome(other) == .missing)
    #expect(try outcome("text") == .missing)
  }

  @Test(arguments: [
    ("type", JSON.string("X"), ProofFailure.unsupported), ("cryptosuite", "eddsa-rdfc-2022", .unsupported),
    ("cryptosuite", nil, .unsupported), ("proofPurpose", "authentication", .unsupported),
    ("verificationMethod", "did:key:z6Mk", .unlinked), ("verificationMethod", 5, .malformed),
    ("proofValue", "z", .malformed), ("proofValue", "u1234", .malformed), ("proofValue", .array([]), .malformed),
    ("created", 5, .malformed), ("expires", "tomorrow", .malformed),
  ])
  func `odd proofs are named for what they are`(key: String, value: JSON, failure: ProofFailure) throws {
    var signed = try signed()
    signed["proof"]?[key] = value
    #expect(try outcome(signed) == failure)
  }

  @Test func `signing again replaces the proof`() throws {
    let once = try signed()
    #expect(try signed(once) == once)
  }

  @Test func `a digest survives its multibase`() throws {
    let digest = ContentDigest(of: Array("a picture".utf8))
    #expect(digest.multibase.hasPrefix("zQm"))
    #expect(ContentDigest(multibase: digest.multibase) == digest)
    for text in ["", "z", "zQm", "Qm" + digest.multibase, digest.multibase + "1", "z6Mk"] {
      #expect(ContentDigest(multibase: text) == nil)
    }
  }
}
