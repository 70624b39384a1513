import Federation
import FederationHTTP
import HTTPSupport
import Hummingbird
import Model
import NIOPosix
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct `What other servers are answered` {
  private struct World: Sendable {
    let house: DeliveringHouse
    let client: GuardedClient
    let key: SigningKey

    func get(
      _ path: String, signed: Bool = false, accept: String = "application/activity+json",
      headers: [HeaderField] = []
    ) async throws -> IncomingResponse {
      let url = try #require(IRI("http://atelier.test\(path)"))
      let time = house.environment.time
      return try await client.get(
        OutgoingRequest(url: url, headers: [HeaderField("Accept", accept)] + headers) { target in
          guard signed else { return [] }
          let facts = RequestFacts(method: "GET", url: target.url)
          return try key.sign(facts, at: time.now()).all.map { HeaderField($0.name, $0.value) }
        })
    }
  }

  private func world(
    _ mode: AuthorizedFetch, _ body: @escaping @Sendable (World) async throws -> Void
  ) async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test")
    let secret = try RSAPrivateKey()
    let keyID = try #require(ada.uri.appending("#main-key"))
    let now = house.context.now
    try await house.database.write { tx in
      try tx.replaceRemoteKeys(
        of: ada.uri, with: [RemoteKey(keyID: keyID, owner: ada.uri, publicKey: secret.publicKey.pem, fetchedAt: now)])
    }
    let fetch = SignedFetch(house.environment)
    let keys = KeyDirectory(house.environment, fetch: fetch)
    let discovery = Discovery(
      instance: house.environment.instance, database: house.database, time: house.environment.time,
      software: .init(version: "0.1.0", title: "Paper and Ink", about: ""))
    let face = FederationFace(
      environment: house.environment, inbox: InboxGate(house.environment, keys: keys, fetch: fetch),
      gate: FetchGate(house.environment, keys: keys), discovery: discovery, mode: mode)
    let router = Router(context: FaceContext.self)
    router.add(middleware: ProblemMiddleware())
    router.add(middleware: ActivityNegotiation(face))
    face.addRoutes(to: router)
    router.get("/@{name}") { _, _ in Response.text("a page") }
    try await serving(router) { port in
      var configuration = GuardedClient.Configuration(userAgent: "test")
      configuration.policy = AddressPolicy(allowedPrivateNetworks: ["127.0.0.0/8"].compactMap { CIDR($0) })
      let map = NameMap(port: port)
      let client = try GuardedClient(
        configuration: configuration, resolver: map, dialer: map, group: MultiThreadedEventLoopGroup.singleton)
      let result: Result<Void, any Error>
      do {
        result = .success(
          try await body(World(house: house, client: client, key: SigningKey(id: keyID, key: .rsa(secret)))))
      } catch { result = .failure(error) }
      await client.shutDown()
      try result.get()
    }
  }

  private func publish(_ house: DeliveringHouse, _ visibility: Visibility) async throws -> String {
    var draft = PostDraft(text: "Harbour study", content: "<p>Harbour study</p>")
    draft.visibility = visibility
    return try await house.publish(draft).uri.pathAndQuery
  }

  @Test func `Z1 D20 without a signature there is one answer for what is there or not, and a challenge`() async throws {
    try await world(.objects) { world in
      let there = try await world.get(try await publish(world.house, .everyone))
      let hidden = try await world.get(try await publish(world.house, .followers))
      let missing = try await world.get("/users/nobody/statuses/1")
      let unknown = try await world.get("/users/nobody")
      for answer in [there, hidden, missing, unknown] {
        #expect(answer.status == 401)
        #expect(answer.body == there.body)
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("accept-signature") == #"sig1=("@method" "@target-uri");created"#)
      }
      let server = try await world.get("/actor")
      #expect(server.status == 200 && server.header("content-type") == "application/activity+json")
      let keys = try JSON(parsing: try await world.get("/users/mika").body)
      #expect(keys["publicKey"] != nil && keys["summary"] == nil && keys["name"] == nil)
    }
  }

  @Test func `Z1 with a signature public posts are read, others are not there, and blocked hosts are told so`()
    async throws
  {
    try await world(.objects) { world in
      let path = try await publish(world.house, .everyone)
      let note = try await world.get(path, signed: true)
      #expect(note.status == 200)
      #expect(note.header("vary") == "Accept, Signature, Signature-Input")
      #expect(note.header("cache-control")?.hasPrefix("private") == true)
      #expect(note.header("x-robots-tag") == "noai, noimageai" && note.header("content-usage") == "train-ai=n")
      let tag = try #require(note.header("etag"))
      let again = try await world.get(path, signed: true, headers: [HeaderField("If-None-Match", tag)])
      #expect(again.status == 304 && again.header("x-robots-tag") == "noai, noimageai")
      #expect(try await world.get(try await publish(world.house, .followers), signed: true).status == 404)
      #expect(try await world.get("/users/nobody", signed: true).status == 404)
      #expect(try JSON(parsing: try await world.get("/users/mika", signed: true).body)["summary"] != nil)
      for list in ["outbox", "outbox?page=true", "followers", "following", "featured"] {
        #expect(try await world.get("/users/mika/\(list)", signed: true).status == 200, "\(list)")
      }
      for part in ["activity", "replies", "likes", "shares", "context"] {
        #expect(try await world.get("\(path)/\(part)", signed: true).status == 200, "\(part)")
      }
      let now = world.house.context.now
      try await world.house.database.write { try $0.block(host: "paper.test", reason: "", at: now) }
      #expect(try await world.get(path, signed: true).status == 403)
    }
  }

  @Test func `D17 a server is told which of its own people follow one of ours, when it signs`() async throws {
    try await world(.off) { world in
      let house = world.house
      for (name, origin) in [("ann", "https://paper.test"), ("bea", "https://paper.test"), ("cy", "https://ink.test")] {
        try await house.follow(try await house.stranger(name, at: origin))
      }
      #expect(try await world.get("/users/mika/followers_synchronization").status == 401)
      let answer = try await world.get("/users/mika/followers_synchronization", signed: true)
      let list = try JSON(parsing: answer.body)
      #expect(answer.status == 200 && list["type"]?.string == "OrderedCollection")
      #expect(list["id"]?.string == "https://atelier.test/users/mika/followers_synchronization")
      #expect(list["orderedItems"] == ["https://paper.test/users/ann", "https://paper.test/users/bea"])
      #expect(answer.header("cache-control")?.hasPrefix("private") == true)
      #expect(try await world.get("/users/nobody/followers_synchronization", signed: true).status == 404)
    }
  }

  @Test func `N7 a deleted post is gone, with a tombstone`() async throws {
    try await world(.off) { world in
      let house = world.house
      let post = try await house.publish(PostDraft(text: "x", content: "<p>x</p>"))
      #expect(try await world.get(post.uri.pathAndQuery).status == 200)
      let context = house.context
      try await house.database.write { [mika = house.mika] tx in try tx.delete(post, by: mika, in: context) }
      let answer = try await world.get(post.uri.pathAndQuery)
      #expect(answer.status == 410)
      #expect(try JSON(parsing: answer.body)["type"]?.string == "Tombstone")
    }
  }

  @Test func `W8 a profile's address is a page for people and a document for servers`() async throws {
    try await world(.off) { world in
      let page = try await world.get("/@mika", accept: "text/html,application/xhtml+xml,*/*;q=0.8")
      #expect(String(decoding: page.body, as: UTF8.self) == "a page")
      let document = try JSON(parsing: try await world.get("/@mika").body)
      #expect(document["id"]?.string == "https://atelier.test/users/mika")
      let finger = try await world.get("/.well-known/webfinger?resource=acct:mika@atelier.test", accept: "*/*")
      #expect(finger.header("content-type") == "application/jrd+json")
      #expect(finger.header("access-control-allow-origin") == "*")
      for resource in [
        "https://atelier.test/", "https://atelier.test/@mika", "https%3A%2F%2Fatelier.test%2Fusers%2Fmika",
        "acct:atelier.test@atelier.test",
      ] {
        #expect(try await world.get("/.well-known/webfinger?resource=\(resource)").status == 200, "\(resource)")
      }
      #expect(try await world.get("/.well-known/webfinger?resource=acct:nobody@atelier.test").status == 404)
      let info = try JSON(parsing: try await world.get("/nodeinfo/2.1").body)
      #expect(info["usage"]?["users"]?["total"]?.integer == 1)
      #expect(info["metadata"]?["noai"]?["conformance"]?.string == "signal")
      #expect(try await world.get("/.well-known/host-meta", accept: "application/xml").status == 200)
    }
  }

  @Test(arguments: [
    ("application/activity+json", Representation.activity),
    (#"application/ld+json; profile="https://www.w3.org/ns/activitystreams",application/activity+json"#, .activity),
    ("application/activity+json,application/ld+json", .activity),
    ("application/activity+json, application/ld+json;q=0.9, text/html;q=0.1", .activity),
    ("application/json", .activity), ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .page),
    ("text/html, application/activity+json;q=0.5", .page), ("*/*", .page), ("", .page),
    ("application/json+activity", .page), ("application/activity+json;q=0", .page), (";;;q=,,=;q=nan", .page),
  ])
  func `what a peer accepts decides`(accept: String, expected: Representation) {
    #expect(Representation(accept: [accept]) == expected)
  }
}
