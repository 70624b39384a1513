import Primitives
import Signatures
import Testing

@Suite struct ClaimTests {
  static let schemes = SignatureClaim.Scheme.allCases

  @Test(arguments: schemes) func `what a peer signs verifies`(scheme: SignatureClaim.Scheme) throws {
    for peer in [try Peer.rsaPeer(), try Peer.ed25519Peer()] {
      for body in [Peer.body, nil] {
        let facts = try peer.request(scheme, body: body)
        let claim = try SignatureClaim(of: facts, at: Peer.now)
        #expect(claim.keyID.text == "https://peer.example/users/bob#main-key")
        let verified = try claim.verify("subject", with: peer.publicKey)
        #expect(verified.signer == claim.keyID)
        #expect(verified.subject == "subject")
      }
    }
  }

  @Test func `a request without a signature is missing one`() throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.fields = facts.fields.without("signature")
    #expect(refusal(facts, key: peer.publicKey)?.code == "sig.missing")
    #expect(refusal(facts, key: peer.publicKey)?.status == 401)
  }

  @Test func `H2 a POST without a digest is refused`() throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.fields = facts.fields.without("digest")
    #expect(refusal(facts, key: peer.publicKey) == .digestMissing)
    facts = try peer.cavage(facts, covering: ["(request-target)", "host", "date"])
    #expect(refusal(facts, key: peer.publicKey) == .digestMissing)
    var other = try peer.request(.messageSignature)
    other.fields = other.fields.without("content-digest")
    #expect(refusal(other, key: peer.publicKey) == .digestMissing)
  }

  @Test(arguments: schemes) func `H2 another body is refused by its digest`(scheme: SignatureClaim.Scheme) throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request(scheme)
    facts.body = ContentDigest(of: Peer.body + [32])
    #expect(refusal(facts, key: peer.publicKey) == .digestMismatch)
  }

  @Test func `a digest made anew for another body is refused by the signature`() throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.body = ContentDigest(of: [1, 2, 3])
    facts.fields = facts.fields.replacing("digest", facts.body.digestField)
    #expect(refusal(facts, key: peer.publicKey) == .bad)
  }

  @Test(arguments: ["MD5=XrY7u+Ae7tCTyyK7j1rNww==", "SHA-1=Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "unixsum=30637"])
  func `a weaker digest is refused`(digest: String) throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.fields = facts.fields.replacing("digest", digest)
    facts = try peer.cavage(facts, covering: ["(request-target)", "host", "date", "digest"])
    #expect(refusal(facts, key: peer.publicKey)?.code == "sig.digest_algo")
  }

  @Test func `only the canonical base64 of a digest counts`() throws {
    let body = ContentDigest(of: Array("canonical 4".utf8))
    let good = Base64.encode(body.bytes)
    try body.check(digestField: "sha-256=\(good)")
    try body.check(digestField: "SHA-512=abc, SHA-256=\(good)")
    let variants = [
      Base64.encodeURL(body.bytes), String(good.dropLast()), good + "=", good + "A", good + " x", " " + good,
      good.replacing("+", with: "-").replacing("/", with: "_") + "-", "\(good.dropLast(2))\(nonCanonical(good))=", "",
    ]
    for variant in variants {
      #expect(throws: SignatureFailure.digestMismatch) { try body.check(digestField: "SHA-256=\(variant)") }
      #expect(throws: SignatureFailure.digestMismatch) { try body.check(contentDigestField: "sha-256=:\(variant):") }
    }
    #expect(throws: SignatureFailure.self) { try body.check(digestField: "SHA-256=\(good),sha-256=\(good)") }
    #expect(throws: SignatureFailure.digestAlgorithm) { try body.check(contentDigestField: "sha-512=:\(good):") }
    #expect(throws: SignatureFailure.digestMismatch) { try body.check(contentDigestField: "sha-256=\"\(good)\"") }
    try body.check(contentDigestField: "sha-512=:AAAA:, sha-256=:\(good):")
  }

  /// The last digit with a bit set that stands for nothing.
  private func nonCanonical(_ good: String) -> Character {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let last = Array(good)[good.count - 2]
    return alphabet[(alphabet.firstIndex(of: last) ?? 0) | 1]
  }

  @Test(arguments: schemes) func `H2 a request for another host is refused`(scheme: SignatureClaim.Scheme) throws {
    let peer = try Peer.rsaPeer()
    let elsewhere = try peer.request(scheme, url: "https://other.example/users/mika/inbox")
    #expect(refusal(elsewhere, key: peer.publicKey) == .host)
    // Nor does it help to say that a proxy got it for us.
    var forwarded = elsewhere
    forwarded.fields = elsewhere.fields.with("x-forwarded-host", "here.example")
    #expect(refusal(forwarded, key: peer.publicKey) == .host)
    var replayed = elsewhere
    replayed.fields = elsewhere.fields.replacing("host", "here.example")
    #expect(refusal(replayed, key: peer.publicKey) == .bad)
    var twice = try peer.request(scheme)
    twice.fields = twice.fields.with("host", "here.example")
    #expect(refusal(twice, key: peer.publicKey) == .host)
  }

  @Test func `each configured host and its default port are this server`() throws {
    let peer = try Peer.rsaPeer()
    for host in ["www.here.example", "HERE.example", "here.example:443"] {
      var facts = try peer.request()
      facts.fields = facts.fields.replacing("host", host)
      facts = try peer.cavage(facts, covering: ["(request-target)", "host", "date", "digest"])
      #expect(refusal(facts, key: peer.publicKey) == nil)
    }
    var other = try peer.request()
    other.fields = other.fields.replacing("host", "here.example:8443")
    other = try peer.cavage(other, covering: ["(request-target)", "host", "date", "digest"])
    #expect(refusal(other, key: peer.publicKey) == .host)
  }

  @Test func `a target URI is that of the configured public address`() throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request(.messageSignature)
    facts.scheme = "http"
    #expect(refusal(facts, key: peer.publicKey) == .bad)
    let plain = try peer.request(.messageSignature, url: "http://here.example/users/mika/inbox?x=1")
    var claimed = plain
    claimed.scheme = "https"
    #expect(refusal(claimed, key: peer.publicKey) == .bad)
    let port = try peer.request(.messageSignature, url: "https://here.example:8443/users/mika/inbox?x=1")
    #expect(refusal(port, key: peer.publicKey) == .host)
    var moved = port
    moved.authorities = [try need(Host("here.example:8443"))]
    #expect(refusal(moved, key: peer.publicKey) == nil)
  }

  @Test(arguments: [
    (["(request-target)", "date", "digest"], "sig.host"), (["host", "date", "digest"], "sig.uncovered"),
    (["(request-target)", "host", "digest"], "sig.uncovered"), (["(request-target)", "host", "date"], "sig.uncovered"),
    (["date"], "sig.host"),
  ])
  func `a valid cavage signature over less is refused`(covered: [String], code: String) throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.cavage(try peer.request(), covering: covered)
    #expect(refusal(facts, key: peer.publicKey)?.code == code)
    #expect(refusal(facts, key: peer.publicKey)?.status == 401)
  }

  @Test(arguments: [
    ("(\"@method\" \"@target-uri\")", "sig.uncovered"), ("(\"@method\" \"content-digest\")", "sig.host"),
    ("(\"@target-uri\" \"content-digest\")", "sig.uncovered"),
    ("(\"@method\" \"@authority\" \"content-digest\")", "sig.uncovered"),
    ("(\"@method\" \"@authority\" \"@path\" \"content-digest\")", "sig.uncovered"), ("()", "sig.host"),
  ])
  func `a valid message signature over less is refused`(list: String, code: String) throws {
    let peer = try Peer.rsaPeer()
    let input = "\(list);created=1793728802;keyid=\"\(peer.key.id.text)\""
    let facts = try peer.message(try peer.request(.messageSignature), input: input)
    #expect(refusal(facts, key: peer.publicKey)?.code == code)
  }

  @Test(arguments: [
    "(\"@method\" \"@target-uri\" \"@authority\" \"host\" \"content-type\" \"content-digest\")",
    "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\")",
    "(\"@method\" \"host\" \"@request-target\" \"content-digest\")",
  ])
  func `other ways to cover the same are accepted`(list: String) throws {
    let peer = try Peer.rsaPeer()
    for end in ["", ";alg=\"rsa-v1_5-sha256\""] {
      let input = "\(list);created=1793728802;keyid=\"\(peer.key.id.text)\"\(end)"
      let facts = try peer.message(try peer.request(.messageSignature), input: input, label: "any-label")
      #expect(refusal(facts, key: peer.publicKey) == nil)
    }
  }

  @Test func `a message signature needs created and keyid`() throws {
    let peer = try Peer.rsaPeer()
    let list = "(\"@method\" \"@target-uri\" \"content-digest\")"
    let facts = try peer.request(.messageSignature)
    let timeless = try peer.message(facts, input: "\(list);keyid=\"\(peer.key.id.text)\"")
    #expect(refusal(timeless, key: peer.publicKey)?.code == "sig.uncovered")
    let nameless = try peer.message(facts, input: "\(list);created=1793728802")
    #expect(refusal(nameless, key: peer.publicKey)?.code == "sig.malformed")
  }

  @Test(arguments: schemes) func `H2 the time window is an hour and five minutes`(scheme: SignatureClaim.Scheme) throws
  {
    let peer = try Peer.ed25519Peer()
    for (offset, accepted) in [
      (-13 * 3_600, false), (-3_901, false), (-3_900, true), (0, true), (3_600, true), (3_601, false),
      (7_200, false),
    ] {
      let facts = try peer.request(scheme, at: Peer.now.adding(.seconds(offset)))
      #expect(refusal(facts, key: peer.publicKey) == (accepted ? nil : .time), "made \(offset) s from now")
    }
  }

  @Test func `an expiry is kept to the second and to twelve hours`() throws {
    let peer = try Peer.ed25519Peer()
    let made = Peer.now.secondsSince1970
    for (expires, elapsed, accepted) in [
      (made + 60, Int64(60), true), (made + 60, 61, false), (made - 1, 0, false),
      (made + 315_360_000, 12 * 3_600, true), (made + 315_360_000, 12 * 3_600 + 1, false),
    ] {
      let now = Timestamp(secondsSince1970: made + elapsed)
      let list = "(\"@method\" \"@target-uri\" \"content-digest\")"
      let message = try peer.message(
        try peer.request(.messageSignature),
        input: "\(list);created=\(made);expires=\(expires);keyid=\"\(peer.key.id.text)\"")
      #expect(refusal(message, key: peer.publicKey, at: now) == (accepted ? nil : .time))
      let cavage = try peer.cavage(
        try peer.request(), covering: ["(request-target)", "host", "(created)", "(expires)", "digest"], created: made,
        expires: expires, algorithm: "hs2019")
      #expect(refusal(cavage, key: peer.publicKey, at: now) == (accepted ? nil : .time))
    }
  }

  @Test func `an expiry that is not signed changes nothing`() throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.cavage(
      try peer.request(), covering: ["(request-target)", "host", "date", "digest"], expires: 2_000_000_000)
    #expect(refusal(facts, key: peer.publicKey) == nil)
    #expect(refusal(facts, key: peer.publicKey, at: Peer.now.adding(.seconds(3_901))) == .time)
  }

  @Test func `a signature without the query is accepted as old Mastodon made it`() throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.request()
    var short = facts
    short.target = "/users/mika/inbox"
    var sent = try peer.cavage(short, covering: ["(request-target)", "host", "date", "digest"])
    sent.target = facts.target
    #expect(refusal(sent, key: peer.publicKey) == nil)
    sent.target = "/users/other/inbox?x=1"
    #expect(refusal(sent, key: peer.publicKey) == .bad)
  }

  @Test func `hs2019 tries what the key can do`() throws {
    let peer = try Peer.rsaPeer()
    let covered = ["(request-target)", "host", "date", "digest"]
    var facts = try peer.cavage(try peer.request(), covering: covered, algorithm: "hs2019")
    #expect(refusal(facts, key: peer.publicKey) == nil)
    guard case .rsa(let key) = peer.key.key else { return }
    let base = try SignatureBase.cavage(facts, covering: covered)
    let signature = Base64.encode(try key.signature(for: Array(base.text.utf8), hash: .sha512))
    let start = "keyId=\"\(peer.key.id.text)\",headers=\"\(covered.joined(separator: " "))\",signature=\"\(signature)\""
    facts.fields = facts.fields.replacing("signature", "\(start),algorithm=\"hs2019\"")
    #expect(refusal(facts, key: peer.publicKey) == nil)
    facts.fields = facts.fields.replacing("signature", "\(start),algorithm=\"rsa-sha256\"")
    #expect(refusal(facts, key: peer.publicKey) == .bad)
    facts.fields = facts.fields.replacing("signature", "\(start),algorithm=\"hmac-sha256\"")
    #expect(refusal(facts, key: peer.publicKey) == .algorithm)
    facts.fields = facts.fields.replacing("signature", "\(start),algorithm=\"rsa-sha256\"")
    #expect(refusal(facts, key: try Peer.ed25519Peer().publicKey) == .algorithm)
  }

  @Test func `created is forbidden with an rsa algorithm`() throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.cavage(
      try peer.request(), covering: ["(request-target)", "host", "(created)", "digest"],
      created: Peer.now.secondsSince1970, algorithm: "rsa-sha256")
    #expect(refusal(facts, key: peer.publicKey)?.code == "sig.malformed")
  }

  @Test(arguments: [
    ("https://here.example/users/mika#main-key", "key.local"), ("acct:bob@peer.example", "key.unsupported"),
    ("https://evil@here.example/key", "key.unsupported"), ("did:key:z6Mk", "key.unsupported"),
  ])
  func `odd key ids are refused before any fetch`(id: String, code: String) throws {
    let peer = try Peer.rsaPeer()
    for scheme in ClaimTests.schemes {
      var facts = try peer.request(scheme)
      let name = scheme == .cavage ? "signature" : "signature-input"
      let value = try need(facts.fields[name]).replacing(peer.key.id.text, with: id)
      facts.fields = facts.fields.replacing(name, value)
      #expect(refusal(facts, key: peer.publicKey)?.code == code)
    }
  }
}
