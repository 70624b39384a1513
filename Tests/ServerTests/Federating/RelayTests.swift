import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Testing

@testable import Federation

@Suite struct `Relays` {
  private let actor = "https://our.example/actor"

  /// A relay that has accepted us.
  private func joined(_ world: ReceivingWorld, _ style: Relay.Style) async throws -> (Relay, ReceivingPerson) {
    let boss = try world.person("relay", at: "relay.peers.test")
    let context = world.environment.context
    let inbox = try #require(IRI("https://relay.peers.test/users/relay/inbox"))
    let owner = style == .litepub ? boss.uri : nil
    if style == .litepub { _ = try await world.federation.resolve(query: boss.uri.text) }
    let relay = try await world.database.write {
      try $0.join(relay: inbox, style: style, actor: owner, in: context)
    }
    try await world.federate()
    let asked = try #require(try await world.waiting().last)
    #expect(asked.inbox == inbox)
    let follow = try JSON(parsing: asked.body)
    #expect(follow["type"]?.string == "Follow" && follow["actor"]?.string == actor)
    #expect(follow["object"]?.string == (style == .litepub ? boss.uri.text : ReceivingWorld.everybody))
    let accept = boss.activity("Accept", "accept", object: follow)
    #expect(try await world.deliver(accept, by: boss) == "done")
    let answered = try #require(try await world.database.read { try $0.relay(relay.id) })
    #expect(answered.state == .accepted && answered.actor == boss.uri)
    try await world.clear()
    return (answered, boss)
  }

  private func timelines(_ world: ReceivingWorld, _ uri: String) async throws -> (home: Int, open: Bool) {
    let post = try #require(try await world.post(uri))
    let (home, open) = try await world.database.read { tx in
      (
        try tx.first("SELECT COUNT(*) AS n FROM home_entries WHERE post_id = \(post.id)")?.int("n") ?? 0,
        try tx.publicPosts(localOnly: false, onlyMedia: false, visibleTo: nil, Page(limit: 40)).map(\.id)
      )
    }
    return (home, open.contains(post.id))
  }

  @Test func `D18 a relay of Mastodon's style is sent what is public, until it is left`() async throws {
    try await ReceivingWorld.with { world in
      let (relay, _) = try await joined(world, .mastodon)
      let post = try await world.publish("Harbour study")
      _ = try await world.publish("For followers", .followers)
      _ = try await world.publish("Quietly", .unlisted)
      let sent = try await world.waiting()
      #expect(sent.map(\.inbox) == [relay.inbox])
      let create = try JSON(parsing: try #require(sent.first).body)
      #expect(create["object"]?["id"]?.string == post.uri.text && create["proof"] != nil)
      try await world.clear()
      let context = world.environment.context
      try await world.database.write { try $0.leave(relay, in: context) }
      try await world.federate()
      let undo = try JSON(parsing: try #require(try await world.waiting().first).body)
      #expect(undo["type"]?.string == "Undo" && undo["object"]?["id"]?.string == relay.follow.text)
      try await world.clear()
      _ = try await world.publish("Afterwards")
      #expect(try await world.waiting().isEmpty)
    }
  }

  @Test func `D18 what a relay sends counts on its proof, and lands in no home timeline`() async throws {
    try await ReceivingWorld.with { world in
      let (_, boss) = try await joined(world, .mastodon)
      let bob = try world.person("bob")
      let to = [ReceivingWorld.everybody]
      let proved = try bob.prove(bob.activity("Create", "1", object: bob.note("1"), to: to), at: world.clock.now)
      #expect(try await world.deliver(proved, by: boss) == "done")
      #expect(!world.peers.asked.contains("https://victim.test/acts/1"))
      let shown = try await timelines(world, "https://victim.test/notes/1")
      #expect(shown.home == 0 && shown.open)
    }
  }

  @Test func `D18 without a proof a relayed activity costs one GET to its origin`() async throws {
    try await ReceivingWorld.with { world in
      let (_, boss) = try await joined(world, .mastodon)
      let bob = try world.person("bob")
      let create = bob.activity("Create", "2", object: bob.note("2"), to: [ReceivingWorld.everybody])
      world.peers.put("https://victim.test/acts/2", create)
      var altered = create
      altered["object"]?["content"] = "<p>What bob never said</p>"
      #expect(try await world.send(altered, by: boss).code == "stored")
      #expect(world.peers.asked.filter { $0.hasPrefix("https://victim.test/") } == ["https://victim.test/acts/2"])
      try await world.work()
      #expect(try await world.post("https://victim.test/notes/2")?.content == "<p>A work</p>")
      // Twice through two relays is once.
      #expect(try await world.send(altered, by: boss).code == "duplicate")
    }
  }

  @Test func `D18 a relay of LitePub's style is told ids, and tells ids`() async throws {
    try await ReceivingWorld.with { world in
      let (relay, boss) = try await joined(world, .litepub)
      // It follows back, which nobody else may.
      let back = boss.activity("Follow", "back", object: .string(actor))
      #expect(try await world.deliver(back, by: boss) == "done")
      let bob = try world.person("bob")
      let stranger = bob.activity("Follow", "me-too", object: .string(actor))
      #expect(try await world.deliver(stranger, by: bob) == "rejected object.unknown")
      try await world.federate()
      #expect(try JSON(parsing: try #require(try await world.waiting().last).body)["type"]?.string == "Accept")
      try await world.clear()
      let post = try await world.publish("Harbour study")
      let sent = try await world.waiting()
      #expect(sent.map(\.inbox) == [relay.inbox])
      let told = try JSON(parsing: try #require(sent.first).body)
      #expect(told["type"]?.string == "Announce" && told["actor"]?.string == actor)
      #expect(told["object"]?.string == post.uri.text)
      world.peers.put(
        "https://victim.test/notes/3", bob.note("3", ["@context": "https://www.w3.org/ns/activitystreams"]))
      let announce = boss.activity("Announce", "a1", object: "https://victim.test/notes/3")
      #expect(try await world.deliver(announce, by: boss) == "done")
      let shown = try await timelines(world, "https://victim.test/notes/3")
      #expect(shown.home == 0 && shown.open)
      #expect(try await world.count("posts WHERE boost_of_id IS NOT NULL") == 0)
    }
  }

  @Test func `D18 nobody answers for a relay but itself, and a server that was not asked is none`() async throws {
    try await ReceivingWorld.with { world in
      let context = world.environment.context
      let inbox = try #require(IRI("https://relay.peers.test/inbox"))
      let relay = try await world.database.write {
        try $0.join(relay: inbox, style: .mastodon, actor: nil, in: context)
      }
      let eve = try world.person("eve", at: "evil.test")
      let accept = eve.activity("Accept", "1", object: .string(relay.follow.text))
      #expect(try await world.deliver(accept, by: eve) == "rejected owner")
      #expect(try await world.database.read { try $0.relay(relay.id)?.state } == .asked)
      let bob = try world.person("bob")
      let proved = try bob.prove(
        bob.activity("Create", "1", object: bob.note("1"), to: [ReceivingWorld.everybody]), at: world.clock.now)
      #expect(try await world.deliver(proved, by: eve) == "rejected audience.none")
    }
  }

  @Test func `D18 a relay that would loop is not added`() async throws {
    try await ReceivingWorld.with { world in
      let context = world.environment.context
      func join(_ address: String) async throws {
        let inbox = try #require(IRI(address))
        _ = try await world.database.write { try $0.join(relay: inbox, style: .mastodon, actor: nil, in: context) }
      }
      try await join("https://relay.peers.test/inbox")
      for address in ["https://our.example/inbox", "http://relay.peers.test/inbox", "https://relay.peers.test/inbox"] {
        await #expect(throws: OperationFailure.self) { try await join(address) }
      }
    }
  }
}
