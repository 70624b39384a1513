import Primitives
import Testing

@testable import Signatures

@Suite struct VectorTests {
  @Test func `H4 every signature base of RFC 9421 is reproduced`() throws {
    let all = try need(vectors("rfc9421")["vectors"]?.array)
    #expect(all.count == 10)
    for vector in all {
      let input = try need(StructuredFields.InnerList(parsing: try need(vector["input"]?.string)))
      let base = try SignatureBase.message(try facts(try need(vector["message"])), input: input)
      #expect(base.text == vector["base"]?.string, "section \(vector["section"]?.string ?? "")")
    }
  }

  @Test(arguments: ["B.2.6", "B.4"])
  func `H4 H6 the Ed25519 signatures of RFC 9421 verify and are made again`(section: String) throws {
    let document = try vectors("rfc9421")
    let vector = try need(document["vectors"]?.array?.first { $0["section"]?.string == section })
    let keys = try need(document["keys"]?["test-key-ed25519"])
    let base = Array(try need(vector["base"]?.string).utf8)
    let signature = try need(Base64.decode(try need(vector["signature"]?.string)))
    let seed = try need(Base64.decode(try need(keys["seed"]?.string)))
    let key = try Ed25519PrivateKey(seed: seed)
    let published = try PublicKey(pem: try need(keys["public"]?.string))
    #expect(published == .ed25519(key.publicKey))
    #expect(key.publicKey.isValid(signature, for: base))
    #expect(!key.publicKey.isValid(signature, for: base + [10]))
    #expect(try key.signature(for: base) == signature)
  }

  @Test func `the RSA signature of RFC 9421 section 4_3 verifies and is made again`() throws {
    let document = try vectors("rfc9421")
    let vector = try need(document["vectors"]?.array?.first { $0["section"]?.string == "4.3" })
    let keys = try need(document["keys"]?["test-key-rsa"])
    let base = Array(try need(vector["base"]?.string).utf8)
    let signature = try need(Base64.decode(try need(vector["signature"]?.string)))
    let publicKey = try RSAPublicKey(pem: try need(keys["public"]?.string))
    let privateKey = try RSAPrivateKey(pem: try need(keys["private"]?.string))
    #expect(privateKey.publicKey == publicKey)
    #expect(publicKey.isValid(signature, for: base))
    #expect(!publicKey.isValid(signature, for: base, hash: .sha512))
    #expect(try privateKey.signature(for: base) == signature)
  }

  @Test func `H4 the test values of draft-cavage-12 verify and are made again`() throws {
    let document = try vectors("cavage12")
    let message = try facts(try need(document["message"]))
    let der = try need(PEM(try need(document["privateKey"]?.string))).der
    let privateKey = try RSAPrivateKey(der: der, bits: 1_024...1_024)
    let publicDER = try need(PEM(try need(document["publicKey"]?.string))).der
    let publicKey = try RSAPublicKey(der: publicDER, bits: 1_024...1_024)
    for vector in try need(document["vectors"]?.array) {
      let headers = try need(vector["headers"]?.array).compactMap(\.string)
      let base = try SignatureBase.cavage(message, covering: headers)
      #expect(base.text == vector["base"]?.string)
      let signature = try need(Base64.decode(try need(vector["signature"]?.string)))
      #expect(publicKey.isValid(signature, for: base.bytes))
      #expect(try privateKey.signature(for: base.bytes) == signature)
    }
    #expect(throws: SignatureFailure.self) { try RSAPublicKey(der: publicDER) }
    #expect(throws: SignatureFailure.self) { try RSAPrivateKey(der: der) }
    try message.body.check(digestField: try need(message.fields["digest"]))
  }

  @Test func `P1 the published proof of FEP-8b32 is made again and verifies`() throws {
    let document = try vectors("fep8b32")
    let secret = try need(Base58.decode(try need(document["secretKeyMultibase"]?.string).dropFirst()))
    let key = try Ed25519PrivateKey(seed: Array(secret.dropFirst(2)))
    #expect(key.publicKey.multibase == document["publicKeyMultibase"]?.string)
    let created = try need(Timestamp(iso8601: try need(document["created"]?.string)))
    let signed = try IntegrityProof.sign(
      document: try need(document["document"]), key: key,
      verificationMethod: try need(IRI(try need(document["verificationMethod"]?.string))), created: created)
    #expect(signed["proof"]?["proofValue"] == document["proofValue"])
    let proof = try IntegrityProof(of: signed, at: created)
    #expect(proof.verificationMethod.text == document["verificationMethod"]?.string)
    let verified = try proof.verify(with: key.publicKey)
    #expect(verified.subject == document["document"])
  }

  @Test func `a POST for RFC 9421 is signed as the federation rules spell it`() throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.request(.messageSignature, url: "https://here.example/inbox")
    let input = "(\"@method\" \"@target-uri\" \"content-digest\");created=1793728802;keyid=\"\(peer.key.id.text)\""
    #expect(facts.fields["signature-input"] == "sig1=\(input)")
    let claim = try SignatureClaim(of: facts, at: Peer.now)
    #expect(
      claim.bases.map(\.text) == [
        """
        "@method": POST
        "@target-uri": https://here.example/inbox
        "content-digest": \(ContentDigest(of: Peer.body).contentDigestField)
        "@signature-params": \(input)
        """
      ])
  }
}
