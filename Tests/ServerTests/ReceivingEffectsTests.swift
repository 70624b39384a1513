import Federation
import Foundation
import Model
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Testing

@Suite struct `A received activity` {
  let hash = "https://www.w3.org/ns/activitystreams#Public"

  /// A world in which mika follows bob.
  private func followed() async throws -> (world: ReceivingWorld, bob: ReceivingPerson) {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let account = try await world.federation.actors.account(bob.uri, budget: FetchBudget())
    let (mika, now) = (world.mika, world.clock.now)
    let uri = try #require(IRI("https://our.example/follows/1"))
    try await world.database.write { tx in
      try tx.insert(
        Follow(
          id: ID(rawValue: 1), followerID: mika.id, followeeID: account.id, uri: uri, state: .accepted, createdAt: now))
    }
    world.peers.forget()
    return (world, bob)
  }

  @Test func `becomes a post for whoever follows, is meant or is answered, and for nobody else`() async throws {
    let (world, bob) = try await followed()
    let eve = try world.person("eve", at: "evil.test")
    let create = bob.activity("Create", "1", object: bob.note("1"))
    #expect(try await world.deliver(create, by: bob) == "done")
    let post = try #require(try await world.post("https://victim.test/notes/1"))
    #expect(post.content == "<p>A work</p>")
    #expect(post.visibility == .everyone)
    #expect(try await world.count("home_entries") == 1)
    // Eve is followed by nobody here and speaks to nobody here.
    let spam = eve.activity("Create", "1", object: eve.note("1"))
    #expect(try await world.deliver(spam, by: eve) == "rejected audience.none")
    #expect(try await world.post("https://evil.test/notes/1") == nil)
    let direct = eve.activity("Create", "2", object: eve.note("2", to: [world.mika.uri.text]))
    #expect(try await world.deliver(direct, by: eve) == "done")
    #expect(try await world.post("https://evil.test/notes/2")?.visibility == .direct)
    #expect(try await world.count("notifications") == 1)
    await world.close()
  }

  @Test func `D6 belongs to its actor: not another's id, owner, or a second owner beside it`() async throws {
    let (world, bob) = try await followed()
    let eve = try world.person("eve", at: "evil.test")
    _ = try await world.deliver(bob.activity("Create", "1", object: bob.note("1")), by: bob)
    let to = [world.mika.uri.text]
    let mine = eve.note("9", to: to)
    var foreignID = mine
    foreignID["id"] = "https://victim.test/notes/1"
    var foreignOwner = mine
    foreignOwner["attributedTo"] = .string(bob.uri.text)
    var twoOwners = mine
    twoOwners["attributedTo"] = [.string(eve.uri.text), .string(bob.uri.text)]
    var local = mine
    local["id"] = "https://our.example/users/mika/statuses/1"
    let cases: [(JSON, String)] = [
      (foreignID, "rejected id.origin"), (foreignOwner, "rejected owner"), (twoOwners, "rejected owner"),
      (local, "rejected id.local"),
    ]
    for (number, (note, fate)) in cases.enumerated() {
      #expect(try await world.deliver(eve.activity("Create", "c\(number)", object: note), by: eve) == fate)
      #expect(try await world.deliver(eve.activity("Update", "u\(number)", object: note), by: eve) == fate)
    }
    #expect(
      try await world.deliver(eve.activity("Delete", "d", object: "https://victim.test/notes/1"), by: eve)
        == "rejected owner")
    #expect(try await world.count("posts") == 1)
    await world.close()
  }

  @Test func `that deletes before the Create arrives keeps the post dead`() async throws {
    let (world, bob) = try await followed()
    let delete = bob.activity("Delete", "0", object: ["type": "Tombstone", "id": "https://victim.test/notes/1"])
    #expect(try await world.deliver(delete, by: bob) == "done")
    #expect(try await world.deliver(bob.activity("Create", "1", object: bob.note("1")), by: bob) == "done deleted")
    #expect(try await world.count("posts") == 0)
    // Somebody else on the same host can not bury bob's next post.
    let mallory = try world.person("mallory")
    let burial = mallory.activity("Delete", "m", object: "https://victim.test/notes/2")
    _ = try await world.deliver(burial, by: mallory)
    #expect(try await world.deliver(bob.activity("Create", "2", object: bob.note("2")), by: bob) == "done")
    #expect(try await world.count("posts") == 1)
    await world.close()
  }

  @Test func `D12 that boosts is believed in its id alone: the post is asked for at its origin`() async throws {
    let (world, bob) = try await followed()
    let carol = try world.person("carol", at: "a.peers.test")
    world.peers.put("https://a.peers.test/notes/1", carol.note("1"))
    var forged = carol.note("1")
    forged["content"] = "<p>Never said</p>"
    #expect(try await world.deliver(bob.activity("Announce", "1", object: forged, to: [hash]), by: bob) == "done")
    #expect(try await world.post("https://a.peers.test/notes/1")?.content == "<p>A work</p>")
    #expect(try await world.count("posts") == 2)
    // What its origin does not serve, or serves under another name, is nobody's post.
    let missing = bob.activity("Announce", "2", object: "https://a.peers.test/notes/404", to: [hash])
    #expect(try await world.deliver(missing, by: bob) == "rejected fetch.gone")
    world.peers.put("https://evil.test/notes/1", carol.note("7"))
    let renamed = bob.activity("Announce", "3", object: "https://evil.test/notes/1", to: [hash])
    #expect(try await world.deliver(renamed, by: bob) == "rejected fetch.gone")
    await world.close()
  }

  @Test func `that boosts from a blocked host asks that host for nothing`() async throws {
    let (world, bob) = try await followed()
    let eve = try world.person("eve", at: "evil.test")
    world.peers.put("https://evil.test/notes/1", eve.note("1"))
    let now = world.clock.now
    try await world.database.write { try $0.block(host: "evil.test", reason: "", at: now) }
    let boost = bob.activity("Announce", "1", object: "https://evil.test/notes/1", to: [hash])
    #expect(try await world.deliver(boost, by: bob) == "rejected host.blocked")
    #expect(!world.peers.asked.contains("https://evil.test/notes/1"))
    await world.close()
  }

  @Test func `that edits never loosens a policy its author did not loosen`() async throws {
    let (world, bob) = try await followed()
    let strict: JSON = ["usagePolicy": ["type": "UsagePolicy", "basis": "explicit", "generativeTraining": "disallow"]]
    let loose: JSON = [
      "updated": "2026-11-03T17:30:00Z",
      "usagePolicy": ["type": "UsagePolicy", "basis": "explicit", "generativeTraining": "allow"],
    ]
    _ = try await world.deliver(bob.activity("Create", "1", object: bob.note("1", strict)), by: bob)
    // Delivered without a proof: the origin is asked, and says it is still forbidden.
    world.peers.put("https://victim.test/notes/1", bob.note("1", strict))
    #expect(
      try await world.deliver(bob.activity("Update", "2", object: bob.note("1", loose)), by: bob) == "done unchanged")
    #expect(Set(world.peers.asked) == ["https://victim.test/notes/1"] && world.peers.asked.count <= 2)
    #expect(try await world.post("https://victim.test/notes/1")?.usagePolicy?[.generativeTraining] == .disallow)
    // Silence takes nothing back.
    _ = try await world.deliver(bob.activity("Update", "3", object: bob.note("1")), by: bob)
    #expect(try await world.post("https://victim.test/notes/1")?.usagePolicy?[.generativeTraining] == .disallow)
    // The author's own proof does.
    var proved = bob.note("1", loose)
    proved["@context"] = ["https://www.w3.org/ns/activitystreams"]
    proved["updated"] = "2026-11-03T17:45:00Z"
    proved = try bob.prove(proved, at: world.clock.now)
    var forged = proved
    forged["content"] = "<p>changed on the way</p>"
    _ = try await world.deliver(bob.activity("Update", "4", object: forged), by: bob)
    #expect(try await world.post("https://victim.test/notes/1")?.usagePolicy?[.generativeTraining] == .disallow)
    _ = try await world.deliver(bob.activity("Update", "5", object: proved), by: bob)
    let post = try await world.post("https://victim.test/notes/1")
    #expect(post?.usagePolicy?[.generativeTraining] == .allow)
    #expect(post?.policyIsProved == true)
    await world.close()
  }

  @Test func `that follows is answered, counts once, and can be taken back`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    #expect(try await world.deliver(follow, by: bob) == "done")
    #expect(try await world.count("follows WHERE state = 'accepted'") == 1)
    #expect(try await world.count("jobs WHERE lane = 'federation'") == 1)
    let mallory = try world.person("mallory")
    let stolen = mallory.activity("Undo", "2", object: follow)
    #expect(try await world.deliver(stolen, by: mallory) == "done actor.unknown")
    #expect(try await world.deliver(bob.activity("Undo", "3", object: follow), by: bob) == "done")
    #expect(try await world.count("follows") == 0)
    await world.close()
  }

  @Test func `that accepts what nobody asked for makes no follow`() async throws {
    let (world, bob) = try await followed()
    let eve = try world.person("eve", at: "evil.test")
    _ = try await world.database.write { try $0.execute("UPDATE follows SET state = 'pending'") }
    let ours: JSON = [
      "type": "Follow", "id": "https://our.example/follows/1", "actor": .string(world.mika.uri.text),
      "object": .string(bob.uri.text),
    ]
    #expect(try await world.deliver(eve.activity("Accept", "1", object: ours), by: eve) == "rejected owner")
    var unasked = ours
    unasked["id"] = "https://our.example/follows/2"
    unasked["object"] = .string(eve.uri.text)
    #expect(
      try await world.deliver(eve.activity("Accept", "2", object: unasked), by: eve) == "rejected follow.not_asked")
    #expect(try await world.count("follows WHERE state = 'accepted'") == 0)
    // Nor does somebody else of the followee's own server speak for the followee, by name of the follow or without.
    let mallory = try world.person("mallory")
    _ = try await world.federation.actors.account(mallory.uri, budget: FetchBudget())
    for (number, answer) in ["Accept", "Reject"].enumerated() {
      let byID = mallory.activity(answer, "m\(number)", object: "https://our.example/follows/1")
      #expect(try await world.deliver(byID, by: mallory) == "rejected owner")
      var renamed = ours
      renamed["id"] = .string("https://victim.test/follows/\(number)")
      #expect(
        try await world.deliver(mallory.activity(answer, "n\(number)", object: renamed), by: mallory)
          == "rejected owner")
    }
    #expect(try await world.count("follows WHERE state = 'pending'") == 1)
    #expect(try await world.deliver(bob.activity("Accept", "3", object: ours), by: bob) == "done")
    #expect(try await world.count("follows WHERE state = 'accepted'") == 1)
    await world.close()
  }

  @Test func `that takes back a like before the like arrives leaves none`() async throws {
    let (world, bob) = try await followed()
    _ = try await world.deliver(bob.activity("Create", "1", object: bob.note("1")), by: bob)
    let like = bob.activity("Like", "2", object: "https://victim.test/notes/1")
    #expect(try await world.deliver(bob.activity("Undo", "3", object: like), by: bob) == "done object.unknown")
    #expect(try await world.send(like, by: bob).code == "duplicate")
    try await world.work()
    #expect(try await world.count("favourites") == 0)
    await world.close()
  }

  @Test func `of a departed actor removes it once its address says so`() async throws {
    let (world, bob) = try await followed()
    _ = try await world.deliver(bob.activity("Create", "1", object: bob.note("1")), by: bob)
    world.clock.advance(.seconds(2 * 86_400))
    world.peers.put(bob.uri.text, .init(status: 404, type: "text/plain", body: "lost"))
    let early = bob.activity("Delete", "8", object: .string(bob.uri.text))
    #expect(try await world.send(early, by: bob).status == 401)
    #expect(try await world.count("posts") == 1)
    world.clock.advance(.seconds(600))
    world.peers.put(bob.uri.text, .init(status: 410, type: "text/plain", body: "gone"))
    let farewell = bob.activity("Delete", "9", object: .string(bob.uri.text))
    #expect(try await world.deliver(farewell, by: bob) == "done")
    #expect(try await world.count("posts") == 0)
    #expect(try await world.count("accounts WHERE host <> ''") == 0)
    await world.close()
  }

  @Test func `of an actor whose name leads elsewhere is refused`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let other: JSON = [
      "subject": "acct:bob@victim.test",
      "links": [["rel": "self", "type": "application/activity+json", "href": "https://victim.test/users/carol"]],
    ]
    world.peers.put(
      "https://victim.test/.well-known/webfinger?resource=acct:bob@victim.test",
      .init(type: "application/jrd+json", body: String(decoding: other.bytes, as: UTF8.self)))
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    #expect(try await world.deliver(follow, by: bob) == "rejected webfinger.other_actor")
    #expect(try await world.count("accounts WHERE host <> ''") == 0)
    await world.close()
  }
}
