import Federation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store
import Synchronization
import Testing
import Transport

@testable import Signatures

@Suite struct `What every server does` {
  @Test func `D3 each refusal has the status that tells the peer what to do`() async throws {
    try await ReceivingWorld.with { world in
      let bob = try world.person("bob")
      let eve = try world.person("eve", at: "evil.test")
      let now = world.clock.now
      try await world.database.write { try $0.block(host: "evil.test", reason: "", at: now) }
      func status(_ change: (inout InboxRequest) throws -> Void) async throws -> Int {
        var request = try world.request(bob.activity("Like", "1", object: "https://our.example/x").bytes, by: bob.rsa)
        try change(&request)
        return await world.federation.inbox.receive(request).status
      }
      #expect([400, 401].contains(try await status { $0.fields.append("signature", "keyId=") }))
      #expect(try await status { $0.fields = HeaderFields($0.fields.all.map { ($0.name, "\($0.value)x") }) } == 415)
      #expect(try await status { $0.body = [123] } == 400)
      let edited = HeaderFields([
        ("host", "our.example"), ("content-type", "application/activity+json"), ("signature", "keyId="),
      ])
      #expect(try await status { $0.fields = edited } == 400)
      let like = eve.activity("Like", "1", object: "https://our.example/x")
      #expect(try await world.send(like, by: eve).status == 403)
      // A key that can not be had now, for a body too large to be kept until it can.
      let far = try world.person("far", at: "far.test")
      world.peers.silence("far.test")
      let large = far.activity("Like", "1", object: .string("https://our.example/" + String(repeating: "x", count: 10)))
      var padded = large
      padded["content"] = .string(String(repeating: "x", count: Limits.parkedBody))
      let answer = try await world.send(padded, by: far)
      #expect(answer.status == 503 && answer.retryAfter != nil)
      #expect(try await world.send(large, by: far).status == 202)
    }
  }

  @Test func `D4 each kind of activity is stored and worked off, and any other is ignored`() async throws {
    try await ReceivingWorld.with { world in
      let bob = try await world.neighbour("bob", at: "victim.test")
      let eve = try world.person("eve", at: "evil.test")
      world.peers.put(eve.uri.text, eve.document)
      let post = try await world.publish("Harbour study")
      let to = [ReceivingWorld.everybody, world.mika.uri.text]
      let note = bob.note("1", to: to)
      let like = bob.activity("Like", "like", object: .string(post.uri.text))
      let kinds: [(String, JSON)] = [
        ("Create", note), ("Update", note), ("Like", .string(post.uri.text)), ("Announce", .string(post.uri.text)),
        ("Undo", like), ("Follow", .string(world.mika.uri.text)),
        ("Accept", ["id": "https://our.example/follows/1", "type": "Follow", "actor": "x", "object": "y"]),
        ("Reject", "https://our.example/follows/1"), ("Flag", [.string(world.mika.uri.text), .string(post.uri.text)]),
        ("Block", .string(world.mika.uri.text)), ("Delete", .string("https://victim.test/notes/1")),
      ]
      for (number, kind) in kinds.enumerated() {
        let activity = bob.activity(kind.0, "kind-\(number)", object: kind.1, to: to)
        let fate = try await world.deliver(activity, by: bob)
        #expect(
          fate?.hasPrefix("done") == true || fate?.hasPrefix("rejected") == true, "\(kind.0): \(fate ?? "nothing")")
      }
      for type in ["Add", "Remove", "Move"] {
        var activity = bob.activity(
          type, type, object: .string(type == "Move" ? bob.uri.text : "https://victim.test/n"))
        activity["target"] = .string(type == "Move" ? eve.uri.text : "\(bob.uri.text)/featured")
        let fate = try await world.deliver(activity, by: bob)
        #expect(fate?.hasPrefix("done") == true || fate?.hasPrefix("rejected") == true, "\(type): \(fate ?? "nothing")")
      }
      let other = bob.activity("Teleport", "other", object: .string(post.uri.text))
      #expect(try await world.send(other, by: bob).code == "ignored")
      #expect(try await world.fate(of: other) == nil)
    }
  }

  @Test func `D5 the same Like twice is one, by its id and by what it says`() async throws {
    try await ReceivingWorld.with { world in
      let bob = try await world.neighbour("bob", at: "victim.test")
      let post = try await world.publish("Harbour study")
      let like = bob.activity("Like", "1", object: .string(post.uri.text))
      #expect(try await world.deliver(like, by: bob) == "done")
      #expect(try await world.send(like, by: bob).code == "duplicate")
      let again = bob.activity("Like", "2", object: .string(post.uri.text))
      #expect(try await world.deliver(again, by: bob) == "done")
      #expect(try await world.count("favourites") == 1)
      #expect(try await world.database.read { try $0.counts(of: [post.id])[post.id]?.favourites } == 1)
      let follow = bob.activity("Follow", "another", object: .string(world.mika.uri.text))
      #expect(try await world.deliver(follow, by: bob) == "done")
      #expect(try await world.count("follows") == 1)
      for number in 3...4 {
        let announce = bob.activity("Announce", "\(number)", object: .string(post.uri.text))
        _ = try await world.deliver(announce, by: bob)
      }
      #expect(try await world.count("posts WHERE boost_of_id IS NOT NULL") == 1)
    }
  }

  /// The shapes were made after the peers' sources, not recorded: which fields each signs, in which order, and how it
  /// names the algorithm.
  @Test(arguments: [
    ("Mastodon 4.3", ["(request-target)", "host", "date", "digest", "content-type"], "rsa-sha256"),
    ("Pixelfed", ["(request-target)", "host", "date", "digest", "content-type", "user-agent"], "rsa-sha256"),
    ("GoToSocial", ["(request-target)", "host", "date", "digest"], "hs2019"),
    ("Misskey", ["(request-target)", "date", "host", "digest"], "rsa-sha256"),
    ("Akkoma", ["(request-target)", "content-length", "date", "digest", "host"], "rsa-sha256"),
    ("Lemmy", ["(request-target)", "content-type", "date", "digest", "host"], "hs2019"),
    ("WordPress", ["(request-target)", "host", "date", "digest"], "rsa-sha256"),
  ])
  func `H1 the shapes in which known servers sign are accepted`(
    peer: String, covered: [String], algorithm: String
  ) throws {
    let now = Timestamp(secondsSince1970: 1_793_728_800)
    let body = Array("{}".utf8)
    let key = try RSAPrivateKey()
    let inbox = try #require(IRI("https://our.example/users/mika/inbox"))
    var facts = RequestFacts(
      method: "POST", url: inbox,
      fields: [
        ("date", now.httpDate), ("digest", ContentDigest(of: body).digestField), ("user-agent", peer),
        ("content-type", "application/activity+json"), ("content-length", "2"),
      ], body: ContentDigest(of: body))
    let base = try SignatureBase.cavage(facts, covering: covered)
    let signature = Base64.encode(try PrivateKey.rsa(key).signature(for: Array(base.text.utf8)))
    facts.fields.append(
      "signature",
      "keyId=\"https://peer.test/u#main-key\",algorithm=\"\(algorithm)\","
        + "headers=\"\(covered.joined(separator: " "))\",signature=\"\(signature)\"")
    let claim = try SignatureClaim(of: facts, at: now)
    #expect(try claim.verify(peer, with: .rsa(key.publicKey)).subject == peer)
  }

  @Test func `H1 the shape in which Fedify signs by RFC 9421 is accepted`() throws {
    let now = Timestamp(secondsSince1970: 1_793_728_800)
    let key = try RSAPrivateKey()
    let inbox = try #require(IRI("https://our.example/inbox"))
    let body = ContentDigest(of: Array("{}".utf8))
    let facts = RequestFacts(
      method: "POST", url: inbox, fields: [("content-type", "application/activity+json"), ("date", now.httpDate)],
      body: body)
    let asked = SignatureRequest(
      acceptSignature: #"sig1=("@method" "@target-uri" "@authority" "host" "date");alg="rsa-v1_5-sha256""#,
      hasBody: true, keys: [])
    let signer = SigningKey(id: try #require(IRI("https://peer.test/u#main-key")), key: .rsa(key))
    var arrived = facts
    arrived.fields = try signer.sign(facts, as: .message(asked), at: now)
    #expect(arrived.fields["signature-input"]?.contains(#""@authority" "host" "date""#) == true)
    let claim = try SignatureClaim(of: arrived, at: now)
    #expect(claim.algorithm == .rsaSHA256)
    _ = try claim.verify("", with: .rsa(key.publicKey))
  }

  @Test func `Z2 what we ask for is signed by the server's own actor, which is read without a signature`() async throws
  {
    let house = try await DeliveringHouse()
    let seen = Mutex<[String]>([])
    let router = Router(context: BasicRequestContext.self)
    router.get("/u") { request, _ in
      let signature = HTTPField.Name("signature").flatMap { request.headers[$0] } ?? "none"
      seen.withLock { $0.append(signature) }
      return Response(status: .notFound)
    }
    try await serving(router) { port in
      let fetch = SignedFetch(house.environment)
      let url = try #require(IRI("http://127.0.0.2:\(port)/u"))
      await #expect(throws: FetchFailure.gone(status: 404)) {
        _ = try await fetch.document(url, budget: FetchBudget())
      }
      await house.environment.client.shutDown()
    }
    #expect(seen.withLock { $0 }.count == 1)
    #expect(seen.withLock { $0 }.first?.hasPrefix("keyId=\"https://atelier.test/actor#main-key\"") == true)
  }
}
