import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Testing

@testable import Federation

@Suite struct `Inbox forwarding` {
  @Test func `D16 P4 a reply to us goes on to our followers as it came, once, and not back`() async throws {
    try await ReceivingWorld.with { world in
      _ = try await world.neighbour("carol", at: "third.peers.test")
      _ = try await world.neighbour("dave", at: "victim.test")
      let bob = try await world.neighbour("bob", at: "victim.test", follows: false)
      let post = try await world.publish("Harbour study")
      try await world.clear()
      let reply = try bob.prove(try world.reply("1", to: post, by: bob), at: world.clock.now)
      #expect(try await world.deliver(reply, by: bob) == "done")
      var waiting = try await world.waiting()
      #expect(waiting.map(\.inbox.text) == ["https://third.peers.test/users/carol/inbox"])
      #expect(waiting.first?.body == reply.bytes)
      // The proof is that of its author still, whoever carries it.
      let carried = try JSON(parsing: waiting.first?.body ?? [])
      let proof = try IntegrityProof(of: carried, at: world.clock.now)
      #expect(try proof.verify(with: bob.ed25519.publicKey).signer == bob.proofKey)
      #expect(try await world.send(reply, by: bob).code == "duplicate")
      try await world.work()
      waiting = try await world.waiting()
      #expect(waiting.count == 1)
      // An edit and a deletion follow it.
      var edited = reply
      edited["id"] = .string("\(bob.uri.origin)/acts/2")
      edited["type"] = "Update"
      edited["object"]?["content"] = "<p>Better</p>"
      edited["object"]?["updated"] = "2026-11-03T18:00:01Z"
      #expect(try await world.deliver(try bob.prove(edited, at: world.clock.now), by: bob) == "done")
      #expect(try await world.waiting().count == 2)
      let delete = bob.activity("Delete", "3", object: reply["object"]?["id"] ?? "", to: [ReceivingWorld.everybody])
      #expect(try await world.deliver(try bob.prove(delete, at: world.clock.now), by: bob) == "done")
      #expect(try await world.waiting().count == 3)
    }
  }

  @Test func `D16 nothing is passed on that nobody can check, that is not ours, or not meant for them`() async throws {
    try await ReceivingWorld.with { world in
      _ = try await world.neighbour("carol", at: "third.peers.test")
      let bob = try await world.neighbour("bob", at: "victim.test", follows: false)
      let eve = try await world.neighbour("eve", at: "evil.test", follows: false)
      let post = try await world.publish("Harbour study")
      try await world.clear()
      let now = world.clock.now
      // No proof.
      #expect(try await world.deliver(try world.reply("1", to: post, by: bob), by: bob) == "done")
      // A proof that does not hold: the signature around it is believed here, and nobody else can see that.
      var bad = try bob.prove(try world.reply("2", to: post, by: bob), at: now)
      bad["object"]?["content"] = "<p>changed</p>"
      #expect(try await world.deliver(bad, by: bob) == "done")
      // To us alone.
      let alone = try world.reply("3", to: post, by: bob, [ReceivingWorld.everybody, world.mika.uri.text])
      #expect(try await world.deliver(try bob.prove(alone, at: now), by: bob) == "done")
      // Not about a post of ours.
      let to = [ReceivingWorld.everybody, world.mika.uri.text, try #require(world.mika.followers).text]
      let other = bob.activity("Create", "4", object: bob.note("4", to: to), to: to)
      #expect(try await world.deliver(try bob.prove(other, at: now), by: bob) == "done")
      // A like is nobody else's business.
      let like = bob.activity("Like", "5", object: .string(post.uri.text), to: to)
      #expect(try await world.deliver(try bob.prove(like, at: now), by: bob) == "done")
      // From somebody mika has blocked.
      let (mika, context) = (world.mika, world.environment.context)
      try await world.database.write { tx in
        let target = try #require(try tx.account(uri: eve.uri))
        try tx.block(target, by: mika, in: context)
      }
      let blocked = try eve.prove(try world.reply("6", to: post, by: eve), at: now)
      _ = try await world.deliver(blocked, by: eve)
      let forwarded = try await world.waiting().filter { $0.inbox.host.text == "third.peers.test" }
      #expect(forwarded.isEmpty)
    }
  }

  @Test func `D16 whoever answers us often is not passed on without end`() async throws {
    try await ReceivingWorld.with { world in
      _ = try await world.neighbour("carol", at: "third.peers.test")
      let bob = try await world.neighbour("bob", at: "victim.test", follows: false)
      let post = try await world.publish("Harbour study")
      try await world.clear()
      for number in 0..<(Limits.forwardsPerHour + 5) {
        let reply = try bob.prove(try world.reply("\(number)", to: post, by: bob), at: world.clock.now)
        #expect(try await world.deliver(reply, by: bob) == "done")
      }
      #expect(try await world.waiting().count == Limits.forwardsPerHour)
    }
  }

  /// The other end: eve's server passes on to mika, who follows her, what bob answered to her.
  private func passedOn(
    _ world: ReceivingWorld, _ bob: ReceivingPerson, by eve: ReceivingPerson
  ) throws -> JSON {
    let to = [ReceivingWorld.everybody, eve.uri.text, "\(eve.uri.text)/followers"]
    let note = bob.note("to-eve", to: to, ["inReplyTo": .string("\(eve.uri.origin)/notes/1")])
    return bob.activity("Create", "to-eve", object: note, to: to)
  }

  @Test func `D16 P2 what is passed on to us counts on its author's proof, and its origin is not asked`() async throws {
    try await ReceivingWorld.with { world in
      let eve = try await world.neighbour("eve", at: "friend.peers.test", follows: false)
      try await world.mikaFollows(eve)
      let bob = try world.person("bob")
      let reply = try bob.prove(try passedOn(world, bob, by: eve), at: world.clock.now)
      #expect(try await world.deliver(reply, by: eve) == "done")
      #expect(try await world.post(reply["object"]?["id"]?.string)?.authorID != nil)
      #expect(!world.peers.asked.contains("https://victim.test/acts/to-eve"))
    }
  }

  @Test func `D16 P2 a copy that was changed on its way is refused, and nobody is asked about it`() async throws {
    try await ReceivingWorld.with { world in
      let eve = try await world.neighbour("eve", at: "friend.peers.test", follows: false)
      try await world.mikaFollows(eve)
      let bob = try world.person("bob")
      var reply = try bob.prove(try passedOn(world, bob, by: eve), at: world.clock.now)
      world.peers.put("https://victim.test/acts/to-eve", reply)
      reply["object"]?["content"] = "<p>What bob never said</p>"
      let answer = try await world.send(reply, by: eve)
      #expect((answer.status, answer.code) == (401, "sig.actor_mismatch"))
      #expect(!world.peers.asked.contains("https://victim.test/acts/to-eve"))
      #expect(try await world.post(reply["object"]?["id"]?.string) == nil)
    }
  }

  @Test func `D16 without a proof the origin is asked once, and what it says counts`() async throws {
    try await ReceivingWorld.with { world in
      let eve = try await world.neighbour("eve", at: "friend.peers.test", follows: false)
      try await world.mikaFollows(eve)
      let bob = try world.person("bob")
      let genuine = try passedOn(world, bob, by: eve)
      world.peers.put("https://victim.test/acts/to-eve", genuine)
      var altered = genuine
      altered["object"]?["content"] = "<p>What bob never said</p>"
      #expect(try await world.deliver(altered, by: eve) == "done")
      #expect(world.peers.asked.filter { $0 == "https://victim.test/acts/to-eve" }.count == 1)
      #expect(try await world.post(genuine["object"]?["id"]?.string)?.content == "<p>A work</p>")
    }
  }

  @Test func `D16 what a stranger passes on of a stranger lands nowhere`() async throws {
    try await ReceivingWorld.with { world in
      let eve = try await world.neighbour("eve", at: "friend.peers.test", follows: false)
      let bob = try world.person("bob")
      let reply = try bob.prove(try passedOn(world, bob, by: eve), at: world.clock.now)
      #expect(try await world.deliver(reply, by: eve) == "rejected audience.none")
    }
  }

  @Test func `P5 an activity inside an Announce counts on its own proof`() async throws {
    try await ReceivingWorld.with { world in
      let group = try await world.neighbour("group", at: "lemmy.peers.test", follows: false)
      try await world.mikaFollows(group)
      let bob = try world.person("bob")
      let to = [ReceivingWorld.everybody, group.uri.text]
      let post = try bob.prove(
        bob.activity("Create", "in-group", object: bob.note("in-group", to: to), to: to), at: world.clock.now)
      let announce = group.activity("Announce", "1", object: post, to: ["\(group.uri.text)/followers"])
      #expect(try await world.deliver(announce, by: group) == "done")
      #expect(try await world.fate(of: post) == "done")
      #expect(try await world.post("https://victim.test/notes/in-group") != nil)
      #expect(!world.peers.asked.contains("https://victim.test/acts/in-group"))
      // And not on the group's word.
      var forged = try bob.prove(
        bob.activity("Create", "forged", object: bob.note("forged", to: to), to: to), at: world.clock.now)
      forged["object"]?["content"] = "<p>What bob never said</p>"
      let second = group.activity("Announce", "2", object: forged)
      #expect(try await world.deliver(second, by: group) == "rejected proof.bad")
      #expect(try await world.post("https://victim.test/notes/forged") == nil)
    }
  }

  @Test func `P4 a stored note verifies after edits that came a year apart`() async throws {
    try await ReceivingWorld.with { world in
      let bob = try await world.neighbour("bob", at: "victim.test", follows: false)
      func stored() async throws -> JSON {
        let bytes = try await world.database.read { tx in
          try tx.first(
            """
            SELECT document FROM post_documents JOIN posts ON posts.id = post_documents.post_id
            WHERE uri = 'https://victim.test/notes/1'
            """)?.bytes("document")
        }
        return try JSON(parsing: try #require(bytes))
      }
      let to = [ReceivingWorld.everybody, world.mika.uri.text]
      for round in 0..<3 {
        let stamp = world.clock.now
        var note = bob.note("1", to: to, ["content": .string("<p>Version \(round) \u{1F3A8} 1.0 e\u{301}</p>")])
        note["@context"] = ["https://www.w3.org/ns/activitystreams"]
        note["unknown"] = ["kept": [1.5, nil, "x"]]
        if round > 0 { note["updated"] = .string(stamp.iso8601Seconds) }
        let proved = try bob.prove(note, at: stamp)
        let activity = bob.activity(round == 0 ? "Create" : "Update", "\(round)", object: proved, to: to)
        #expect(try await world.deliver(activity, by: bob) == "done")
        let document = try await stored()
        #expect(document["content"]?.string?.contains("Version \(round)") == true)
        let proof = try IntegrityProof(of: document, at: world.clock.now)
        #expect(try proof.verify(with: bob.ed25519.publicKey).signer == bob.proofKey)
        world.clock.advance(.seconds(180 * 86_400))
      }
    }
  }
}
