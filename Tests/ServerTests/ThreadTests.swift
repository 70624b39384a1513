import Federation
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// Rows N4, N10 and D21 of the federation table: conversations as lists, and what was never sent here.
@Suite(.serialized) struct ThreadTests {
  private func publish(_ text: String, in world: ReceivingWorld, to parent: Post? = nil) async throws -> Post {
    let mika = world.mika
    let context = world.environment.context
    return try await world.database.write { tx in
      var draft = PostDraft(text: text, content: "<p>\(text)</p>")
      draft.inReplyTo = parent
      return try tx.publish(draft, by: mika, in: context)
    }
  }

  private func json(_ document: Composer.Document?) throws -> JSON {
    try JSON(parsing: try #require(document).bytes)
  }

  private func items(_ page: JSON) -> [String] {
    (page["items"]?.array ?? page["orderedItems"]?.array ?? []).compactMap(\.string)
  }

  @Test func `N4 replies, likes and shares of a public post are counted, and replies come in bounded pages`()
    async throws
  {
    let world = try await ReceivingWorld()
    let composer = Composer(environment: world.environment)
    let root = try await publish("A work", in: world)
    for number in 0..<(Limits.collectionPage + 3) { _ = try await publish("\(number)", in: world, to: root) }
    let bob = try world.person("bob")
    _ = try await world.deliver(bob.activity("Like", "l", object: .string(root.uri.text)), by: bob)
    _ = try await world.deliver(
      bob.activity(
        "Announce", "a", object: .string(root.uri.text), to: ["https://www.w3.org/ns/activitystreams#Public"]), by: bob)
    let note = try json(try await composer.note(root))
    for (name, count) in [("likes", 1), ("shares", 1), ("replies", Limits.collectionPage + 3)] {
      let list = try #require(Composer.PostList(rawValue: name))
      let collection = try json(try await composer.list(list, of: root))
      #expect(note[name] == collection["id"])
      #expect(collection["totalItems"] == .integer(Int64(count)), "\(name)")
    }
    let replies = try json(try await composer.list(.replies, of: root))
    let first = try #require(replies["first"])
    #expect(items(first).count == Limits.collectionPage)
    let next = try #require(first["next"]?.string)
    let after = try #require(next.split(separator: "=").last.flatMap { Post.ID(String($0)) })
    let second = try json(try await composer.listPage(.replies, of: root, after: after))
    #expect(items(second).count == 3)
    #expect(second["next"] == nil)
    #expect(second["partOf"] == replies["id"])
    await world.close()
  }

  @Test func `N10 the context of a conversation lists what its replies lead to, and its replies name it`()
    async throws
  {
    let world = try await ReceivingWorld()
    let composer = Composer(environment: world.environment)
    let bob = try world.person("bob")
    let root = try await publish("A work", in: world)
    let answer = bob.note("1", ["inReplyTo": .string(root.uri.text)])
    #expect(try await world.deliver(bob.activity("Create", "1", object: answer), by: bob) == "done")
    let theirs = try #require(try await world.post("https://victim.test/notes/1"))
    let last = try await publish("Thanks", in: world, to: theirs)
    let private0 = bob.note("2", to: [world.mika.uri.text], ["inReplyTo": .string(root.uri.text)])
    _ = try await world.deliver(bob.activity("Create", "2", object: private0), by: bob)

    let context = try json(try await composer.list(.context, of: root))
    let listed = items(try #require(context["first"]))
    #expect(Set(listed) == [root.uri.text, theirs.uri.text, last.uri.text], "and not the private answer")
    #expect(context["totalItems"] == 3)
    #expect(context["attributedTo"]?.string == world.mika.uri.text)
    // Walking `replies` finds the same.
    let below = items(try #require(try json(try await composer.list(.replies, of: root))["first"]))
    #expect(below == [theirs.uri.text])
    for post in [root, last] {
      #expect(try json(try await composer.note(post))["context"] == context["id"])
    }
    #expect(try await composer.list(.context, of: last) == nil)
    await world.close()
  }

  @Test func `N10 an answer to a conversation elsewhere names the list that was named to us`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let theirs = "https://victim.test/contexts/7"
    world.peers.put("https://victim.test/notes/1", bob.note("1", ["context": .string(theirs)]))
    guard case .post(let post) = try await world.federation.resolve(query: "https://victim.test/notes/1") else {
      Issue.record("not found")
      return
    }
    let answer = try await publish("Hello", in: world, to: post)
    let note = try json(try await Composer(environment: world.environment).note(answer))
    #expect(note["context"]?.string == theirs)
    await world.close()
  }

  /// bob's post with a list of replies on his server; what stands in it is up to the test.
  private func elsewhere(_ world: ReceivingWorld, _ replies: [String], _ more: JSON = [:]) async throws -> Post {
    let bob = try world.person("bob")
    var note = bob.note("1", ["replies": "https://victim.test/notes/1/replies"])
    for (key, value) in more.pairs { note[key] = value }
    world.peers.put("https://victim.test/notes/1", note)
    world.peers.put(
      "https://victim.test/notes/1/replies",
      [
        "id": "https://victim.test/notes/1/replies", "type": "Collection",
        "first": [
          "id": "https://victim.test/notes/1/replies?page=1", "type": "CollectionPage",
          "items": .array(replies.prefix(1).map { .string($0) }),
          "next": "https://victim.test/notes/1/replies?page=2",
        ],
      ])
    world.peers.put(
      "https://victim.test/notes/1/replies?page=2",
      [
        "id": "https://victim.test/notes/1/replies?page=2", "type": "CollectionPage",
        "items": .array(replies.dropFirst().map { .string($0) }),
      ])
    guard case .post(let post) = try await world.federation.resolve(query: "https://victim.test/notes/1") else {
      throw ReceivingTestFailure.notFound
    }
    return post
  }

  private func look(for post: Post, in world: ReceivingWorld) async throws {
    let context = world.environment.context
    try await world.database.write { try $0.refreshThread(of: post, in: context) }
    try await world.work()
  }

  @Test func `N10 D21 missing replies are fetched from the lists of a thread, each at its own origin`() async throws {
    let world = try await ReceivingWorld()
    let carol = try world.person("carol", at: "a.peers.test")
    let eve = try world.person("eve", at: "evil.test")
    let parent: JSON = ["inReplyTo": "https://victim.test/notes/1"]
    world.peers.put("https://a.peers.test/notes/1", carol.note("1", parent))
    world.peers.put("https://a.peers.test/notes/2", carol.note("2", ["inReplyTo": "https://a.peers.test/notes/1"]))
    // A list can name what belongs to no conversation here, what is private, and what its host does not own.
    world.peers.put("https://evil.test/notes/1", eve.note("1"))
    world.peers.put("https://evil.test/notes/2", eve.note("2", to: [eve.uri.text + "/followers"], parent))
    world.peers.put("https://evil.test/stolen", carol.note("9", parent))
    let post = try await elsewhere(
      world,
      [
        "https://a.peers.test/notes/2", "https://a.peers.test/notes/1", "https://evil.test/notes/1",
        "https://evil.test/notes/2", "https://evil.test/stolen", "https://our.example/users/mika/statuses/1",
      ])
    try await look(for: post, in: world)
    let found = try await world.database.read { tx in
      try tx.descendants(of: post.id, visibleTo: nil).map(\.uri.text)
    }
    #expect(found == ["https://a.peers.test/notes/1", "https://a.peers.test/notes/2"])
    #expect(try await world.count("posts") == 3)
    await world.close()
  }

  @Test func `N10 a thread is looked for at most so often, and costs no more than its budget`() async throws {
    let world = try await ReceivingWorld()
    let many = (0..<200).map { "https://a.peers.test/notes/\($0)" }
    let post = try await elsewhere(world, many)
    world.peers.forget()
    try await look(for: post, in: world)
    let asked = world.peers.asked.count
    #expect(asked > 3 && asked <= Limits.threadFetches)
    try await look(for: post, in: world)
    #expect(world.peers.asked.count == asked, "not again so soon")
    world.clock.advance(Limits.threadRefresh + .seconds(1))
    try await look(for: post, in: world)
    #expect(world.peers.asked.count > asked)
    await world.close()
  }

  @Test func `N10 a list on another host than the posts it is of is not asked for`() async throws {
    let world = try await ReceivingWorld()
    let post = try await elsewhere(
      world, [], ["replies": "https://evil.test/replies", "context": "https://evil.test/context"])
    world.peers.forget()
    try await look(for: post, in: world)
    #expect(world.peers.asked == [])
    await world.close()
  }

  @Test func `D21 a chain of parents is climbed ten posts, in the background, and no further`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    for number in 1...40 {
      world.peers.put(
        "https://victim.test/notes/\(number)",
        bob.note("\(number)", ["inReplyTo": .string("https://victim.test/notes/\(number + 1)")]))
    }
    let last = bob.note(
      "0", to: [world.mika.uri.text, "https://www.w3.org/ns/activitystreams#Public"],
      ["inReplyTo": "https://victim.test/notes/1"])
    let create = bob.activity("Create", "1", object: last)
    #expect(try await world.send(create, by: bob).status == 202)
    world.peers.forget()
    // Only the inbound lane: the post is here before anything above it was asked for.
    let now = world.clock.now
    let leases = try await world.database.write {
      try $0.leaseJobs(in: .inbound, at: now, until: now.adding(.seconds(60)), limit: 8)
    }
    for lease in leases { #expect(try await world.federation.run(lease)) }
    #expect(try await world.fate(of: create) == "done")
    #expect(world.peers.asked.filter { $0.contains("/notes/") } == [])
    try await world.work()
    #expect(try await world.count("posts") == 1 + Limits.threadDepth)
    #expect(try await world.count("jobs") == 0)
    // A reader brings the next ten.
    let post = try #require(try await world.post("https://victim.test/notes/0"))
    try await look(for: post, in: world)
    #expect(try await world.count("posts") == 1 + 2 * Limits.threadDepth)
    let threads = try await world.database.read { tx in
      try tx.rows("SELECT DISTINCT thread_id FROM posts").count
    }
    #expect(threads == 1)
    await world.close()
  }
}

enum ReceivingTestFailure: Error { case notFound }
