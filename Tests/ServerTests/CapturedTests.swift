import Foundation
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

/// What one other server sent and answered, byte for byte (`Captured/README.md`), said to this server again.
struct Conversation: Sendable, CustomTestStringConvertible {
  struct Request: Sendable {
    let file: String
    let bytes: [UInt8]
    let at: Timestamp
    let status: Int
    /// What became of an activity, as `done` or `rejected reason`.
    let outcome: String?
  }

  let folder: String
  let software: String
  let host: String
  let person: String
  let requests: [Request]
  /// The answers of the other server, by target.
  let served: [String: [UInt8]]
  /// Posts of ours they speak of, with the options of those that were polls.
  let posts: [(uri: String, poll: [String])]
  let follow: String
  /// How many rows of each kind there are in the end.
  let ends: [String: Int]

  var testDescription: String { software }

  static let all: [Conversation] = ["gotosocial", "snac"].compactMap { try? Conversation($0) }

  private struct Unreadable: Error {}

  init(_ folder: String) throws {
    guard let root = Bundle.module.resourceURL?.appendingPathComponent("Captured/\(folder)") else { throw Unreadable() }
    func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appendingPathComponent(path))) }
    let index = try JSON(parsing: try read("conversation.json"))
    guard let software = index["software"]?.string, let host = index["host"]?.string,
      let person = index["person"]?.string, let follow = index["follow"]?.string
    else { throw Unreadable() }
    self.folder = folder
    self.software = software
    self.host = host
    self.person = person
    self.follow = follow
    requests = try (index["received"]?.array ?? []).map { entry in
      let file = entry["file"]?.string ?? ""
      return Request(
        file: file, bytes: try read("received/\(file)"), at: Timestamp(secondsSince1970: entry["at"]?.integer ?? 0),
        status: Int(entry["status"]?.integer ?? 0), outcome: entry["outcome"]?.string)
    }
    served = try (index["served"]?.pairs ?? []).reduce(into: [:]) { served, entry in
      served[entry.key] = try read("served/\(entry.value.string ?? "")")
    }
    ends = Dictionary(
      uniqueKeysWithValues: (index["ends"]?.pairs ?? []).map { ($0.key, Int($0.value.integer ?? 0)) })
    posts = (index["posts"]?.array ?? []).map {
      ($0["uri"]?.string ?? "", $0["poll"]?.array?.compactMap(\.string) ?? [])
    }
  }
}

/// `ours.test` at the time of the recording, with everybody and everything the recording speaks of.
private struct CapturedWorld {
  let world: TestWorld
  let instance: TestInstance
  let peer: FakePeer
  let conversation: Conversation

  static func with(_ conversation: Conversation, _ body: (CapturedWorld) async throws -> Void) async throws {
    let start = try #require(conversation.requests.first?.at)
    let world = try TestWorld(at: start)
    defer { world.remove() }
    let served = conversation.served
    let peer = try await FakePeer { request in
      served[request.target].map { .bytes($0, close: true) } ?? .answer(request.method == "POST" ? 202 : 404)
    }
    world.internet.name(conversation.host, ["45.0.0.1"])
    world.internet.lead("45.0.0.1", to: peer.port)
    let instance = try await TestInstance("ours.test", in: world, address: "45.0.0.9")
    let captured = CapturedWorld(world: world, instance: instance, peer: peer, conversation: conversation)
    let result: Result<Void, any Error>
    do {
      try await captured.furnish()
      result = .success(try await body(captured))
    } catch { result = .failure(error) }
    try await instance.stop()
    await peer.stop()
    try result.get()
  }

  /// mira finds and follows the person elsewhere, and posts; then her things get the names they had.
  private func furnish() async throws {
    let mira = try await instance.resident("mira")
    let handle = "@\(conversation.person)@\(conversation.host)"
    let found = try await instance.api(
      "GET", "/api/v2/search?resolve=true&type=accounts&q=\(handle)", as: mira)
    let id = try #require(found.json?["accounts"]?.array?.first?["id"]?.string, "\(found.text)")
    let followed = try await instance.api("POST", "/api/v1/accounts/\(id)/follow", as: mira)
    try #require(followed.status == 200)
    let context = instance.services.context
    try await instance.database.write { [conversation] tx in
      try tx.execute("UPDATE follows SET uri = \(conversation.follow)")
      for (uri, options) in conversation.posts {
        var draft = PostDraft(text: "A work", content: "<p>A work</p>")
        if !options.isEmpty { draft.poll = PollDraft(options: options, isMultiple: false, lasts: .seconds(3_600)) }
        let post = try tx.publish(draft, by: mira.account, in: context)
        try tx.execute("UPDATE posts SET uri = \(uri) WHERE id = \(post.id)")
      }
    }
  }

  func outcome(of request: Conversation.Request) async throws -> String? {
    guard let message = WireMessage(request.bytes), !message.body.isEmpty,
      let id = try JSON(parsing: message.body)["id"]?.string
    else { return nil }
    return try await instance.eventually { tx in
      let row = try tx.first("SELECT state, reason FROM inbox_activities WHERE activity = \(id)")
      guard let row, try row.string("state") != "pending" else { return nil }
      return try [row.string("state"), row.optionalString("reason")].compactMap { $0 }.joined(separator: " ")
    }
  }

  /// What there is in the end: rows of each kind.
  func counts() async throws -> [String: Int] {
    try await instance.database.read { tx in
      var counts: [String: Int] = [:]
      for (name, query): (String, SQL) in [
        ("follows", "SELECT COUNT(*) AS many FROM follows WHERE state = 'accepted'"),
        ("posts of theirs", "SELECT COUNT(*) AS many FROM posts WHERE NOT is_local AND boost_of_id IS NULL"),
        ("boosts", "SELECT COUNT(*) AS many FROM posts WHERE boost_of_id IS NOT NULL"),
        ("favourites", "SELECT COUNT(*) AS many FROM favourites"),
        ("versions", "SELECT COUNT(*) AS many FROM post_versions"),
        ("votes", "SELECT COUNT(*) AS many FROM poll_votes"),
        ("notifications", "SELECT COUNT(*) AS many FROM notifications"),
      ] { counts[name] = try tx.first(query)?.int("many") }
      return counts
    }
  }
}

@Suite struct CapturedTests {
  @Test(arguments: Conversation.all)
  func `H1 D4 what a real server sent is verified, understood and has its effect`(said: Conversation) async throws {
    try await CapturedWorld.with(said) { captured in
      for request in said.requests {
        let step = request.at.since(captured.world.clock.now)
        if step > .zero { captured.world.clock.advance(by: step) }
        let answer = try await captured.instance.client.send(request.bytes)
        #expect(answer.status == request.status, "\(request.file): \(answer.text)")
        let outcome = try await captured.outcome(of: request)
        #expect(outcome == request.outcome, "\(request.file): \(outcome ?? "nothing")")
      }
      let counts = try await captured.counts()
      #expect(counts == said.ends, "\(counts)")
    }
  }

  @Test(arguments: Conversation.all)
  func `H2 one other byte in the body of a real request is refused`(said: Conversation) async throws {
    try await CapturedWorld.with(said) { captured in
      for request in said.requests {
        guard let message = WireMessage(request.bytes), !message.body.isEmpty else { continue }
        var bytes = request.bytes
        // A letter of a word in a string: the document stays well formed.
        let at = try #require(bytes.lastIndex(of: UInt8(ascii: "o")))
        bytes[at] = UInt8(ascii: "0")
        let step = request.at.since(captured.world.clock.now)
        if step > .zero { captured.world.clock.advance(by: step) }
        let answer = try await captured.instance.client.send(bytes)
        #expect(answer.status == 401 || answer.status == 400, "\(request.file): \(answer.status)")
      }
      let rows = try await captured.instance.database.read { tx in
        try tx.first("SELECT COUNT(*) AS many FROM inbox_activities")?.int("many")
      }
      #expect(rows == 0)
    }
  }
}
