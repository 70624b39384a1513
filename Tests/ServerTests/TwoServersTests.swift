import Federation
import Foundation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Signatures
import Store
import TestSupport
import Testing

/// Two whole servers over real sockets: an artist on one, a follower on the other.
@Suite(.serialized) struct TwoServersTests {
  @Test(arguments: [Verdict.accept, .label, .hold, .refuse])
  func `a picture is delivered, analysed and decided by the other server's own policy`(verdict: Verdict) async throws {
    try await Pair.with { pair in
      try await pair.canvas.decide(assisted: verdict)
      try await pair.meet()
      let post = try await pair.post("Study in blue", picture: try CasePicture.make("png_assisted"))
      #expect(post["media_attachments"]?.array?.first?["ai_assessment"]?["verdict"]?.string == "assisted")
      let wanted: Model.Attachment.State =
        switch verdict {
        case .accept, .label: .ready
        case .hold: .held
        case .refuse: .refused
        }
      let uri = try #require(post["uri"]?.string.flatMap { IRI($0) })
      let found = try await pair.canvas.eventually { tx -> (Post, Model.Attachment, DecisionRecord)? in
        guard let post = try tx.post(uri: uri),
          let attachment = try tx.attachments(of: [post.id])[post.id]?.first,
          attachment.state != .waiting, let decision = try tx.decisions(on: [attachment.id])[attachment.id]
        else { return nil }
        return (post, attachment, decision)
      }
      let (received, attachment, decision) = try #require(found)
      #expect(attachment.state == wanted)
      #expect(decision.verdict == verdict)
      #expect(decision.policyRevision == 2)
      #expect(!decision.assessment.evidence.isEmpty)
      #expect(received.content.contains("Study in blue"))
      let home = try await pair.canvas.api("GET", "/api/v1/timelines/home", as: pair.berta)
      let shown = try #require(home.json?.array?.first?["media_attachments"]?.array?.first)
      #expect(shown["state"]?.string == wanted.rawValue)
      #expect(shown["url"]?.string?.contains(wanted == .ready ? "/media/" : "placeholder") == true)
    }
  }

  @Test func `a reservation arrives with the work, and the copy says it on every answer`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      let post = try await pair.post("Reserved", picture: CasePicture.png(width: 64, height: 48))
      let uri = try #require(post["uri"]?.string.flatMap { IRI($0) })
      let found = try await pair.canvas.eventually { tx -> (Account, Post, Rendition)? in
        guard let post = try tx.post(uri: uri), let author = try tx.account(post.authorID),
          let attachment = try tx.attachments(of: [post.id])[post.id]?.first,
          let rendition = try tx.renditions(of: [attachment.id])[attachment.id]?.first
        else { return nil }
        return (author, post, rendition)
      }
      let (author, received, rendition) = try #require(found)
      #expect(author.usagePolicy?[.generativeTraining] == .disallow)
      #expect(author.policyIsProved)
      #expect(author.host == pair.paper.services.instance.host)
      let file = try await pair.canvas.client.request("GET", "/media/\(rendition.fileName)", host: "canvas.test")
      #expect(file.status == 200)
      #expect(file["x-robots-tag"]?.contains("noai") == true)
      #expect(file["content-usage"]?.contains("train-ai=n") == true || file["content-usage"] != nil)
      #expect(file["tdm-reservation"] == "1")
      #expect(received.visibility == .everyone)
      try await pair.loosen(received)
      let after = try await pair.canvas.database.read { try $0.post(received.id) }
      #expect(after?.usagePolicy == received.usagePolicy)
      #expect(after?.usagePolicy?[.generativeTraining] == .disallow)
    }
  }

  @Test func `N6 N7 an edit keeps its history, and a Delete never overtakes its Create`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      let first = try await pair.post("A first version")
      let uri = try #require(first["uri"]?.string.flatMap { IRI($0) })
      let arrived = try await pair.canvas.eventually { try $0.post(uri: uri) }
      #expect(arrived != nil)
      pair.world.clock.advance(by: .seconds(60))
      let id = try #require(first["id"]?.string)
      let edit = try await pair.paper.api(
        "PUT", "/api/v1/statuses/\(id)", as: pair.alice, json: ["status": "A second version"])
      #expect(edit.status == 200, "\(edit.text)")
      let edited = try await pair.canvas.eventually { tx -> [String]? in
        guard let post = try tx.post(uri: uri), post.content.contains("second") else { return nil }
        return try tx.versions(of: post.id).map(\.content)
      }
      #expect(try #require(edited).contains { $0.contains("first") })
      // Delivered while the other server is away, all at once when it comes back.
      try await pair.stopCanvas()
      var ends: [IRI] = []
      for number in 0..<5 {
        let post = try await pair.post("Short-lived \(number)")
        ends.append(try #require(post["uri"]?.string.flatMap { IRI($0) }))
        let gone = try await pair.paper.api(
          "DELETE", "/api/v1/statuses/\(try #require(post["id"]?.string))", as: pair.alice)
        #expect(gone.status == 200)
      }
      try await pair.startCanvas()
      try await pair.deliverEverything()
      let known = ends
      let left = try await pair.canvas.database.read { tx in try known.filter { try tx.post(uri: $0) != nil } }
      #expect(left.isEmpty)
      let order = try await pair.canvas.database.read { tx in
        try tx.rows("SELECT activity FROM inbox_activities ORDER BY received_at, id").map { try $0.string("activity") }
      }
      for end in ends {
        let created = order.firstIndex(of: "\(end)/activity")
        let deleted = order.firstIndex(of: "\(end)#delete")
        // A post that was deleted before it was sent needs neither.
        if let created { #expect(try #require(deleted) > created, "\(end) in \(order)") }
      }
    }
  }

  @Test func `a boost, a favourite and their undoing count on both servers`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      let post = try await pair.post("To be liked")
      let uri = try #require(post["uri"]?.string.flatMap { IRI($0) })
      let id = try #require(try await pair.canvas.eventually { try $0.post(uri: uri)?.id })
      for (verb, favourites, boosts) in [
        ("favourite", 1, 0), ("reblog", 1, 1), ("unfavourite", 0, 1), ("unreblog", 0, 0),
      ] {
        let answer = try await pair.canvas.api("POST", "/api/v1/statuses/\(id)/\(verb)", as: pair.berta)
        #expect(answer.status == 200, "\(verb): \(answer.text)")
        let counted = try await pair.paper.eventually { tx -> Bool? in
          guard let post = try tx.post(uri: uri), let counts = try tx.counts(of: [post.id])[post.id] else { return nil }
          return counts.favourites == favourites && counts.boosts == boosts ? true : nil
        }
        #expect(counted == true, "after \(verb)")
      }
      let told = try await pair.paper.api("GET", "/api/v1/notifications", as: pair.alice)
      #expect(told.json?.array?.contains { $0["type"]?.string == "follow" } == true)
    }
  }

  @Test func `a server that is restarted while it delivers delivers everything once`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      try await pair.stopCanvas()
      var uris: [IRI] = []
      for number in 0..<10 {
        uris.append(try #require(try await pair.post("Number \(number)")["uri"]?.string.flatMap { IRI($0) }))
      }
      try await pair.restartPaper()
      try await pair.startCanvas()
      try await pair.restartPaper()
      try await pair.deliverEverything()
      let known = uris
      let missing = try await pair.canvas.database.read { tx in try known.filter { try tx.post(uri: $0) == nil } }
      #expect(missing.isEmpty)
      let entries = try await pair.canvas.database.read { tx in
        try tx.first("SELECT COUNT(*) AS many FROM home_entries")?.int("many")
      }
      #expect(entries == uris.count)
    }
  }
}

/// paper.test with alice, canvas.test with berta.
final class Pair {
  let world: TestWorld
  var paper: TestInstance
  var canvas: TestInstance
  let alice: Resident
  let berta: Resident

  private init(world: TestWorld) async throws {
    self.world = world
    paper = try await Pair.start("paper", world)
    canvas = try await Pair.start("canvas", world)
    alice = try await paper.resident("alice")
    berta = try await canvas.resident("berta")
  }

  private static func start(_ name: String, _ world: TestWorld) async throws -> TestInstance {
    try await TestInstance(
      "\(name).test", in: world, address: name == "paper" ? "45.0.0.8" : "45.0.0.9", listensTLS: true)
  }

  static func with(_ body: (Pair) async throws -> Void) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let pair = try await Pair(world: world)
    let result: Result<Void, any Error>
    do { result = .success(try await body(pair)) } catch { result = .failure(error) }
    try await pair.paper.stop()
    try await pair.canvas.stop()
    try result.get()
  }

  /// berta finds alice and follows her, as a person does.
  func meet() async throws {
    let search = try await canvas.api(
      "GET", "/api/v2/search?q=@alice@paper.test&resolve=true&type=accounts", as: berta)
    let id = try #require(search.json?["accounts"]?.array?.first?["id"]?.string, "\(search.status) \(search.text)")
    let answer = try await canvas.api("POST", "/api/v1/accounts/\(id)/follow", as: berta)
    try #require(answer.status == 200, "\(answer.text)")
    let followed = try await canvas.eventually { tx in
      try tx.first("SELECT state FROM follows")?.string("state") == "accepted" ? true : nil
    }
    try #require(followed == true, "the follow was not accepted")
  }

  func post(_ text: String, picture: [UInt8]? = nil) async throws -> JSON {
    var status: JSON = ["status": .string(text), "visibility": "public"]
    if let picture {
      let upload = try await paper.upload(picture, alt: "A test picture", as: alice)
      try #require(upload.status == 200, "\(upload.text)")
      status["media_ids"] = [.string(try #require(upload.json?["id"]?.string))]
    }
    let answer = try await paper.api("POST", "/api/v1/statuses", as: alice, json: status)
    try #require(answer.status == 200, "\(answer.text)")
    return try #require(answer.json)
  }

  /// What somebody in the middle could make of a work: its author's signature, no proof, and everything allowed.
  func loosen(_ post: Post) async throws {
    let stored = try await canvas.database.read { try $0.document(of: post.id) }
    var note = try JSON(parsing: try #require(stored), depth: 64)
    note["proof"] = nil
    note["usagePolicy"] = UsagePolicy(.open, basis: .explicit).wire
    note["xRobotsTag"] = nil
    note["contentUsage"] = nil
    note["updated"] = .string(world.clock.now.adding(.seconds(30)).iso8601Seconds)
    world.clock.advance(by: .seconds(60))
    let id = "\(post.uri)#updates/1"
    let update: JSON = [
      "@context": "https://www.w3.org/ns/activitystreams", "id": .string(id), "type": "Update",
      "actor": .string(alice.account.uri.text), "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": note,
    ]
    let url = try #require(IRI("https://canvas.test/inbox"))
    let keys = try await paper.services.federation.keys.keys(of: alice.account.id)
    let facts = RequestFacts(
      method: "POST", url: url, fields: [("content-type", "application/activity+json")],
      body: ContentDigest(of: update.bytes))
    let fields = try keys.rsa.sign(facts, at: world.clock.now).all.map { ($0.name, $0.value) }
    let answer = try await canvas.client.request(
      "POST", "/inbox", host: "canvas.test", headers: fields, body: update.bytes)
    #expect(answer.status == 202, "\(answer.text)")
    let done = try await canvas.eventually { tx in
      try tx.first("SELECT state FROM inbox_activities WHERE activity = \(id)")?.string("state") != "pending"
        ? true : nil
    }
    #expect(done == true)
  }

  func stopCanvas() async throws { try await canvas.stop() }
  func startCanvas() async throws { canvas = try await Pair.start("canvas", world) }

  func restartPaper() async throws {
    try await paper.stop()
    paper = try await Pair.start("paper", world)
  }

  /// Lets time pass until nothing waits to be sent, and what arrived has had its effect.
  func deliverEverything() async throws {
    for _ in 0..<20 {
      let now = world.clock.now
      let rest = try await paper.eventually(within: .seconds(5)) { tx -> Int? in
        let due = try tx.first(
          """
          SELECT COUNT(*) AS many FROM deliveries
          WHERE state = 'waiting' AND (next_at <= \(now) OR leased_until IS NOT NULL)
          """)?.int("many")
        guard due == 0 else { return nil }
        return try tx.first("SELECT COUNT(*) AS many FROM deliveries WHERE state = 'waiting'")?.int("many")
      }
      if rest == 0 { break }
      // Within the hour for which the order of what is sent to one place is kept.
      world.clock.advance(by: .seconds(300))
    }
    let done = try await canvas.eventually { tx in
      try tx.first("SELECT COUNT(*) AS many FROM inbox_activities WHERE state = 'pending'")?.int("many") == 0
        ? true : nil
    }
    #expect(done == true)
    let waiting = try await paper.database.read { tx in
      try tx.first("SELECT COUNT(*) AS many FROM deliveries WHERE state = 'waiting'")?.int("many")
    }
    #expect(waiting == 0)
  }
}

extension TestInstance {
  /// A second revision of the policy, with another answer to pictures made with some help of a generator.
  func decide(assisted verdict: Verdict) async throws {
    var draft = PolicyDocument.standard.draft
    draft.assisted = verdict.rawValue
    let document = try PolicyDocument(draft)
    let context = services.context
    try await database.write { tx in
      _ = try tx.changePolicy(to: document, from: 1, note: "A test", by: nil, in: context)
    }
  }
}
