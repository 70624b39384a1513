import Federation
import Foundation
import Model
import Persistence
import Primitives
import Signatures
import Store
import Testing
import Transport

@Suite struct `Resolving elsewhere` {
  private func jrd(_ subject: String, _ actor: IRI) -> ReceivingPeers.Page {
    let answer: JSON = [
      "subject": .string(subject),
      "links": [["rel": "self", "type": "application/activity+json", "href": .string(actor.text)]],
    ]
    return .init(type: "application/jrd+json", body: String(decoding: answer.bytes, as: UTF8.self))
  }

  @Test func `finds an account by its handle, on a plain and on a split domain`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    guard case .account(let plain) = try await world.federation.resolve(query: "@bob@victim.test") else {
      Issue.record("not found")
      return
    }
    #expect(plain.acct == "bob@victim.test")
    #expect(plain.uri == bob.uri)
    // carol@evil.test lives on a.peers.test; both hosts say so.
    let carol = try world.person("carol", at: "a.peers.test")
    world.peers.put(
      "https://a.peers.test/.well-known/webfinger?resource=acct:carol@a.peers.test",
      jrd("acct:carol@evil.test", carol.uri))
    world.peers.put(
      "https://evil.test/.well-known/webfinger?resource=acct:carol@evil.test", jrd("acct:carol@evil.test", carol.uri))
    guard case .account(let split) = try await world.federation.resolve(query: "carol@evil.test") else {
      Issue.record("not found")
      return
    }
    #expect(split.acct == "carol@evil.test")
    world.peers.forget()
    #expect(try await world.federation.resolve(query: "carol@evil.test") == .account(split))
    #expect(world.peers.asked.isEmpty)
    await world.close()
  }

  @Test func `lets no host hand out a name of another, least of all ours`() async throws {
    let world = try await ReceivingWorld()
    let eve = try world.person("eve", at: "evil.test")
    for subject in ["acct:eve@our.example", "acct:eve@victim.test", "acct:admin@evil.test", "eve"] {
      world.peers.put("https://evil.test/.well-known/webfinger?resource=acct:eve@evil.test", jrd(subject, eve.uri))
      #expect(try await world.federation.resolve(query: eve.uri.text) == nil)
    }
    #expect(try await world.count("accounts WHERE host <> ''") == 0)
    await world.close()
  }

  @Test func `D21 finds a post with its author, and its missing parents in the background`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    for number in 1...3 {
      let parent: JSON = number == 1 ? [:] : ["inReplyTo": .string("https://victim.test/notes/\(number - 1)")]
      world.peers.put("https://victim.test/notes/\(number)", bob.note("\(number)", parent))
    }
    guard case .post(let post) = try await world.federation.resolve(query: "https://victim.test/notes/3") else {
      Issue.record("not found")
      return
    }
    #expect(post.inReplyToID == nil)
    try await world.work()
    #expect(try await world.count("posts") == 3)
    let again = try await world.post("https://victim.test/notes/3")
    #expect(again?.inReplyToID != nil)
    await world.close()
  }

  @Test func `D6 believes no document that is served as something else, or under another's id`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let page = String(decoding: bob.note("1").bytes, as: UTF8.self)
    for type in ["application/json", "text/html", "image/png", "application/ld+json"] {
      world.peers.put("https://victim.test/notes/1", .init(type: type, body: page))
      #expect(try await world.federation.resolve(query: "https://victim.test/notes/1") == nil)
    }
    // evil.test serves bob's id; victim.test is asked, and knows of none.
    world.peers.put("https://victim.test/notes/1", .init(status: 404, type: "text/plain", body: "no"))
    world.peers.put("https://evil.test/1", bob.note("1"))
    #expect(try await world.federation.resolve(query: "https://evil.test/1") == nil)
    #expect(try await world.count("posts") == 0)
    await world.close()
  }

  @Test func `takes nothing from an origin that is not open to everybody`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    world.peers.put("https://victim.test/notes/1", bob.note("1", to: ["\(bob.uri.text)/followers"]))
    #expect(try await world.federation.resolve(query: "https://victim.test/notes/1") == nil)
    #expect(try await world.count("posts") == 0)
    await world.close()
  }

  @Test func `Z1 tells who signed a GET, and who may not`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    func request(by key: SigningKey?) throws -> InboxRequest {
      let facts = RequestFacts(method: "GET", url: world.mika.uri)
      let fields = try key.map { try $0.sign(facts, at: world.clock.now) } ?? facts.fields
      return InboxRequest(
        method: "GET", target: world.mika.uri.pathAndQuery, authorities: [world.mika.uri.host], fields: fields,
        remoteAddress: "45.1.1.1")
    }
    #expect(await world.federation.gets.admit(try request(by: nil)) == .anonymous)
    #expect(await world.federation.gets.admit(try request(by: bob.rsa)) == .signed(actor: bob.uri, viewer: nil))
    let stranger = SigningKey(id: bob.rsa.id, key: .rsa(try RSAPrivateKey()))
    guard case .refused(let refusal) = await world.federation.gets.admit(try request(by: stranger)) else {
      Issue.record("admitted")
      return
    }
    #expect(refusal.status == 401)
    let now = world.clock.now
    try await world.database.write { try $0.block(host: "victim.test", reason: "", at: now) }
    guard case .refused(let blocked) = await world.federation.gets.admit(try request(by: bob.rsa)) else {
      Issue.record("admitted")
      return
    }
    #expect(blocked.status == 403)
    await world.close()
  }

  @Test func `lets the address that a document names answer for that id, and for no other`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let fetch = world.federation.fetch
    let stray = try #require(IRI("https://evil.test/1"))
    world.peers.put(stray.text, bob.note("1"))
    world.peers.put("https://victim.test/notes/1", bob.note("1"))
    #expect(try await fetch.document(stray, budget: FetchBudget()).id.text == "https://victim.test/notes/1")
    // The named address shows a third name: believing that would lend every name of victim.test to this one page.
    world.peers.put("https://victim.test/notes/1", bob.note("2"))
    await #expect(throws: FetchFailure.mismatch) { _ = try await fetch.document(stray, budget: FetchBudget()) }
    // Or sends us back to the one who told us of it.
    world.peers.put(
      "https://victim.test/notes/1",
      .init(status: 302, type: "text/plain", location: "https://evil.test/2", body: ""))
    world.peers.put("https://evil.test/2", bob.note("1"))
    await #expect(throws: FetchFailure.mismatch) { _ = try await fetch.document(stray, budget: FetchBudget()) }
    await world.close()
  }

  @Test func `H5 remembers for each origin, and past a restart, that it reads RFC 9421`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let carol = try world.person("carol", at: "a.peers.test")
    world.peers.modernise("victim.test")
    func asks(for person: ReceivingPerson, _ fetch: SignedFetch) async throws -> Int {
      world.peers.forget()
      _ = try await fetch.document(person.uri, budget: FetchBudget())
      return world.peers.asked.count
    }
    #expect(try await asks(for: bob, world.federation.fetch) == 2)
    #expect(try await asks(for: bob, world.federation.fetch) == 1)
    // A second origin is not signed to as the first likes it.
    world.peers.modernise("a.peers.test")
    #expect(try await asks(for: carol, world.federation.fetch) == 2)
    #expect(try await asks(for: bob, SignedFetch(world.environment)) == 1)
    // Nobody is held for ever to what they once read.
    world.clock.advance(Limits.schemeMemory + .seconds(1))
    #expect(try await asks(for: bob, SignedFetch(world.environment)) == 2)
    await world.close()
  }

  @Test func `H5 signs a second time as RFC 9421 says after a 401`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    world.peers.put(bob.uri.text, .init(status: 401, type: "text/plain", body: "no"))
    #expect(try await world.federation.resolve(query: bob.uri.text) == nil)
    #expect(world.peers.asked == [bob.uri.text, bob.uri.text])
    world.peers.forget()
    world.peers.put(bob.uri.text, .init(status: 403, type: "text/plain", body: "no"))
    #expect(try await world.federation.resolve(query: bob.uri.text) == nil)
    #expect(world.peers.asked == [bob.uri.text])
    await world.close()
  }
}

@Suite struct `The laws of ownership` {
  private func iri(_ text: String) throws -> IRI { try #require(IRI(text)) }

  @Test func `never accepts a local id, a foreign one, or another's key`() throws {
    let origins = ["https://our.example", "https://victim.test", "https://evil.test", "http://victim.test"]
    let local = try iri("https://our.example")
    for id in origins {
      for actor in origins {
        let (id, actor) = (try iri("\(id)/1"), try iri("\(actor)/users/a"))
        let isGood = id.hasSameOrigin(as: actor) && !id.hasSameOrigin(as: local)
        #expect(isGood == ((try? Ownership.checkActivity(id: id, actor: actor, local: local)) != nil))
        for owner in origins {
          let owner = try iri("\(owner)/users/a")
          let owns = (try? Ownership.checkObject(id: id, attributedTo: owner, actor: actor, local: local)) != nil
          #expect(owns == (isGood && owner == actor))
        }
      }
    }
    #expect(throws: Ownership.Failure.signer) {
      try Ownership.checkSigner(
        owner: try iri("https://victim.test/users/mallory"), actor: try iri("https://victim.test/users/bob"))
    }
  }

  @Test func `a failed job waits longer each time and comes to an end`() {
    #expect(RetryPlan.next(after: 1, isTransient: false) == .give)
    var last = Duration.zero
    for attempt in 1..<Limits.receiveAttempts {
      guard case .retry(let delay) = RetryPlan.next(after: attempt, isTransient: true) else {
        Issue.record("gave up early")
        return
      }
      #expect(delay > last)
      last = delay
    }
    #expect(RetryPlan.next(after: Limits.receiveAttempts, isTransient: true) == .give)
    #expect(RetryPlan.next(after: .max, isTransient: true) == .give)
  }
}
