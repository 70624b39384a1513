import Primitives
import Testing

@testable import Signatures

@Suite struct `Challenges of RFC 9421 section 5` {
  private let key = "https://our.example/users/mika#main-key"
  private var keys: [IRI] { [key, "https://our.example/users/mika#ed25519-key"].compactMap { IRI($0) } }

  private func request(_ text: String, hasBody: Bool = true) -> SignatureRequest? {
    SignatureRequest(acceptSignature: text, hasBody: hasBody, keys: keys)
  }

  private func signed(by asked: SignatureRequest?, at now: Timestamp) throws -> (HeaderFields, RequestFacts) {
    let url = try #require(IRI("https://peer.example/inbox?x=1"))
    let body = ContentDigest(of: Array("{}".utf8))
    let facts = RequestFacts(
      method: "POST", url: url, fields: [("content-type", "application/activity+json")], body: body)
    let signer = SigningKey(id: try #require(IRI(key)), key: .rsa(try RSAPrivateKey()))
    let fields = try signer.sign(facts, as: .message(asked), at: now)
    var arrived = facts
    arrived.fields = fields
    let claim = try SignatureClaim(of: arrived, at: now)
    guard case .rsa(let secret) = signer.key else { throw SignatureFailure.bad }
    _ = try claim.verify("body", with: .rsa(secret.publicKey))
    return (fields, arrived)
  }

  @Test func `D20 what a peer asks for is signed beside what always is`() throws {
    let now = Timestamp(secondsSince1970: 1_793_728_802)
    let asked = request(
      #"ours=("@method" "@authority" "date" "content-digest");created;expires;nonce="n1";tag="app""#)
    let (fields, _) = try signed(by: asked, at: now)
    #expect(
      fields["signature-input"]
        == #"ours=("@method" "@target-uri" "content-digest" "@authority" "date");created=1793728802;keyid="\#(key)""#
        + #";expires=1793729102;nonce="n1";tag="app""#)
    #expect(fields["signature"]?.hasPrefix("ours=:") == true)
  }

  @Test func `D20 a peer that asks for less than a whole request gets a whole request signed`() throws {
    let asked = request(#"sig1=("@method");created"#)
    let (fields, _) = try signed(by: asked, at: Timestamp(secondsSince1970: 1_793_728_802))
    #expect(asked != nil && fields["signature-input"]?.contains(#"("@method" "@target-uri" "content-digest")"#) == true)
  }

  @Test(arguments: [
    "", "sig1", "sig1=1", #"sig1=("x-secret")"#, #"sig1=("@method";req)"#, #"sig1=("@status")"#,
    #"sig1=("@method");alg="hmac-sha256""#, #"sig1=("@method");keyid="https://our.example/users/rin#main-key""#,
    #"sig1=("@method");keyid=1"#, #"sig1=("@method");nonce=1"#, #"sig1=("@method"), sig1=("@path")"#,
    #"sig1=("@method");nonce="\#(String(repeating: "n", count: 257))""#,
  ])
  func `D20 what can not be signed is not promised`(text: String) { #expect(request(text) == nil) }

  @Test func `D20 the first member that can be met is taken`() throws {
    let asked = try #require(request(#"a=("x-secret"), b=("@method");alg="ed25519", c=("@path")"#))
    #expect(asked.label == "b" && asked.algorithm == .ed25519)
    #expect(request(#"a=("content-digest")"#, hasBody: false) == nil)
  }

  @Test func `D20 our own challenge can be met by ourselves`() throws {
    let now = Timestamp(secondsSince1970: 1_793_728_802)
    let challenge = request(SignatureRequest.challenge(hasBody: true))
    #expect(challenge != nil)
    _ = try signed(by: challenge, at: now)
    #expect(request(SignatureRequest.challenge(hasBody: false), hasBody: false) != nil)
  }
}

@Suite struct `Knocking again` {
  private func asked(_ nonce: String) throws -> SignatureRequest {
    try #require(SignatureRequest(acceptSignature: #"s=("@method");nonce="\#(nonce)""#, hasBody: true, keys: []))
  }

  @Test func `H5 draft-cavage first, RFC 9421 once after 400 or 401, nothing after any other answer`() {
    for status in [400, 401] {
      var knocking = SignatureKnocking(known: nil)
      #expect(knocking.style == .cavage)
      #expect(knocking.next(after: status, asked: nil) == .message(nil))
      #expect(knocking.next(after: status, asked: nil) == nil)
    }
    for status in [200, 202, 403, 404, 410, 429, 500, 503] {
      var knocking = SignatureKnocking(known: nil)
      #expect(knocking.next(after: status, asked: nil) == nil)
    }
  }

  @Test func `H5 a peer known to read RFC 9421 is asked so first, and the other way once after`() {
    var knocking = SignatureKnocking(known: .messageSignature)
    #expect(knocking.style == .message(nil))
    #expect(knocking.next(after: 401, asked: nil) == .cavage)
    #expect(knocking.next(after: 401, asked: nil) == nil)
  }

  @Test func `D20 a challenge is met, a new one once more, and nobody gets a fourth request`() throws {
    var knocking = SignatureKnocking(known: nil)
    #expect(knocking.next(after: 401, asked: try asked("1")) == .message(try asked("1")))
    // The same again: it was met, and something else is wrong.
    var same = knocking
    #expect(same.next(after: 401, asked: try asked("1")) == nil)
    #expect(knocking.next(after: 401, asked: try asked("2")) == .message(try asked("2")))
    #expect(knocking.next(after: 401, asked: try asked("3")) == nil)
  }
}
