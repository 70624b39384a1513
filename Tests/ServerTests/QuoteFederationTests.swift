import ActivityStreams
import Federation
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// Rows D19 and N12 of the federation table: quotes with consent, and who may do what with a work.
@Suite(.serialized) struct QuoteFederationTests {
  private let hash = "https://www.w3.org/ns/activitystreams#Public"

  private func publish(
    _ text: String, in world: ReceivingWorld, _ change: @escaping @Sendable (inout PostDraft) -> Void = { _ in }
  ) async throws -> Post {
    let mika = world.mika
    let context = world.environment.context
    return try await world.database.write { tx in
      var draft = PostDraft(text: text, content: "<p>\(text)</p>")
      change(&draft)
      return try tx.publish(draft, by: mika, in: context)
    }
  }

  private func request(_ person: ReceivingPerson, _ id: String, to post: Post, _ more: JSON = [:]) -> JSON {
    var note = person.note(id, ["quote": .string(post.uri.text), "_misskey_quote": .string(post.uri.text)])
    for (key, value) in more.pairs { note[key] = value }
    var activity = person.activity("QuoteRequest", "q\(id)", object: .string(post.uri.text))
    activity["instrument"] = note
    return activity
  }

  private func quote(_ world: ReceivingWorld, _ uri: String) async throws -> Quote? {
    guard let post = try await world.post(uri) else { return nil }
    return try await world.database.read { try $0.quote(of: post.id) }
  }

  private func compose(_ world: ReceivingWorld) async throws {
    let composer = Composer(environment: world.environment)
    let now = world.clock.now
    while true {
      let leases = try await world.database.write {
        try $0.leaseJobs(in: .federation, at: now, until: now.adding(.seconds(60)), limit: 1)
      }
      if leases.isEmpty { return }
      for lease in leases {
        if case .federate(let intent) = lease.job { try await composer.compose(intent, for: lease) }
      }
    }
  }

  /// Bodies that wait to be sent, newest last.
  private func sent(_ world: ReceivingWorld) async throws -> [JSON] {
    try await compose(world)
    return try await world.database.read { tx in
      try tx.rows("SELECT body FROM outgoing ORDER BY id").map { try JSON(parsing: $0.bytes("body")) }
    }
  }

  @Test func `D19 a work that may be quoted is, with a stamp that names both posts, and says so until revoked`()
    async throws
  {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let work = try await publish("A work", in: world)
    #expect(try await world.deliver(request(bob, "1", to: work), by: bob) == "done")
    let accept = try #require(try await sent(world).last { $0["type"]?.string == "Accept" })
    #expect(accept["object"]?["type"]?.string == "QuoteRequest")
    #expect(accept["object"]?["id"]?.string == "https://victim.test/acts/q1")
    let stamp = try #require(accept["result"]?.string.flatMap { IRI($0) })
    let consent = try #require(stamp.path.split(separator: "/").last.flatMap { QuoteConsent.ID(String($0)) })
    let composer = Composer(environment: world.environment)
    let document = try JSON(
      parsing: try #require(try await composer.stamp(consent, by: world.mika, visibleTo: nil)).bytes)
    #expect(document["type"]?.string == "QuoteAuthorization")
    #expect(document["id"]?.string == stamp.text)
    #expect(document["attributedTo"]?.string == world.mika.uri.text)
    #expect(document["interactingObject"]?.string == "https://victim.test/notes/1")
    #expect(document["interactionTarget"]?.string == work.uri.text)
    let shown = try #require(try await quote(world, "https://victim.test/notes/1"))
    #expect(shown.state == .accepted)
    #expect(try await world.count("notifications WHERE kind = 'quote' AND post_id IS NOT NULL") == 1)
    // Asked again, answered again, and still one consent.
    var again = request(bob, "1", to: work)
    again["id"] = "https://victim.test/acts/q1b"
    #expect(try await world.deliver(again, by: bob) == "done")
    #expect(try await world.count("quote_consents") == 1)

    let mika = world.mika
    let context = world.environment.context
    let quoting = try #require(try await world.post("https://victim.test/notes/1"))
    try await world.database.write { try $0.revokeQuote(of: work, in: quoting, by: mika, in: context) }
    let delete = try #require(try await sent(world).last)
    #expect(delete["type"]?.string == "Delete")
    #expect(delete["object"]?.string == stamp.text)
    #expect(try await composer.stamp(consent, by: world.mika, visibleTo: nil) == nil)
    #expect(try await quote(world, "https://victim.test/notes/1")?.state == .revoked)
    // What was taken back is not asked back.
    var third = request(bob, "1", to: work)
    third["id"] = "https://victim.test/acts/q1c"
    _ = try await world.deliver(third, by: bob)
    #expect(try await quote(world, "https://victim.test/notes/1")?.state == .revoked)
    await world.close()
  }

  @Test func `D19 nobody, or whoever asks first: the artist's word decides, and an answer later goes out`()
    async throws
  {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let closed = try await publish("Closed", in: world) {
      $0.interaction = InteractionPolicy(quote: InteractionPolicy.Rule(automatic: [.author]))
    }
    #expect(try await world.deliver(request(bob, "1", to: closed), by: bob) == "done quote.refused")
    #expect(try await sent(world).last?["type"]?.string == "Reject")
    #expect(try await world.post("https://victim.test/notes/1") == nil, "nothing of it is kept")

    let asked = try await publish("Ask me", in: world) {
      $0.interaction = InteractionPolicy(quote: InteractionPolicy.Rule(word: "ask", of: .quote))
    }
    #expect(try await world.deliver(request(bob, "2", to: asked), by: bob) == "done")
    #expect(try await sent(world).last?["type"]?.string == "Create", "no answer so far")
    #expect(try await quote(world, "https://victim.test/notes/2")?.state == .pending)
    #expect(try await world.count("notifications WHERE kind = 'atelier.quote_request'") == 1)
    let mika = world.mika
    let context = world.environment.context
    try await world.database.write { tx in
      let waiting = try tx.consents(of: mika.id, in: .pending, limit: 5)
      try tx.answerQuote(try #require(waiting.first).id, isAccepted: true, by: mika, in: context)
    }
    #expect(try await sent(world).last?["type"]?.string == "Accept")
    #expect(try await quote(world, "https://victim.test/notes/2")?.state == .accepted)
    await world.close()
  }

  @Test func `D19 a request in another's name, or with a post that quotes something else, is refused`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let eve = try world.person("eve", at: "evil.test")
    let mallory = try world.person("mallory")
    let work = try await publish("A work", in: world)
    let other = try await publish("Another", in: world)
    // Bob's post, asked for by others: from another host, and from his own.
    var stolen = request(bob, "1", to: work)
    stolen["actor"] = .string(eve.uri.text)
    stolen["id"] = "https://evil.test/acts/1"
    #expect(try await world.deliver(stolen, by: eve) == "rejected owner")
    var neighbour = request(bob, "1", to: work)
    neighbour["actor"] = .string(mallory.uri.text)
    #expect(try await world.deliver(neighbour, by: mallory) == "rejected owner")
    // A post that quotes another work than the one it asks for.
    let swapped = request(bob, "2", to: work, ["quote": .string(other.uri.text)])
    #expect(try await world.deliver(swapped, by: bob) == "rejected quote.other")
    #expect(try await world.count("quote_consents") == 0)
    await world.close()
  }

  /// A post of carol that bob quotes, with what stands at the address of his stamp.
  private func quoted(
    _ world: ReceivingWorld, stamp: JSON?, at address: String = "https://a.peers.test/stamps/1"
  ) async throws -> Quote? {
    let bob = try world.person("bob")
    let carol = try world.person("carol", at: "a.peers.test")
    world.peers.put("https://a.peers.test/notes/1", carol.note("1"))
    if let stamp { world.peers.put(address, stamp) }
    let note = bob.note(
      "1", to: [world.mika.uri.text, hash],
      [
        "quoteUrl": "https://a.peers.test/notes/1", "quoteAuthorization": .string(address),
        "content": "<p class=\"quote-inline\">RE: <a href=\"https://a.peers.test/notes/1\">x</a></p><p>Look</p>",
      ])
    _ = try await world.deliver(bob.activity("Create", "1", object: note), by: bob)
    #expect(try await world.post("https://victim.test/notes/1")?.content == "<p>Look</p>")
    return try await quote(world, "https://victim.test/notes/1")
  }

  private func stamp(_ more: JSON = [:]) -> JSON {
    var stamp: JSON = [
      "id": "https://a.peers.test/stamps/1", "type": "QuoteAuthorization",
      "attributedTo": "https://a.peers.test/users/carol", "interactingObject": "https://victim.test/notes/1",
      "interactionTarget": "https://a.peers.test/notes/1",
    ]
    for (key, value) in more.pairs { stamp[key] = value }
    return stamp
  }

  @Test func `D19 a quote elsewhere is shown when the stamp lies with its author, until it is deleted there`()
    async throws
  {
    let world = try await ReceivingWorld()
    let found = try #require(try await quoted(world, stamp: stamp()))
    #expect(found.state == .accepted)
    #expect(found.quotedID != nil)
    let carol = try world.person("carol", at: "a.peers.test")
    let eve = try world.person("eve", at: "evil.test")
    let delete: JSON = "https://a.peers.test/stamps/1"
    #expect(try await world.deliver(eve.activity("Delete", "1", object: delete), by: eve) == "rejected owner")
    #expect(try await quote(world, "https://victim.test/notes/1")?.state == .accepted)
    _ = try await world.deliver(carol.activity("Delete", "1", object: delete), by: carol)
    #expect(try await quote(world, "https://victim.test/notes/1")?.state == .revoked)
    await world.close()
  }

  @Test(arguments: [
    ["interactingObject": "https://victim.test/notes/2"], ["interactionTarget": "https://a.peers.test/notes/2"],
    ["attributedTo": "https://a.peers.test/users/dora"], ["type": "Note"],
  ])
  func `D19 a stamp for another post, of another work, by another hand or of another kind is none`(
    wrong: [String: String]
  ) async throws {
    let world = try await ReceivingWorld()
    var given = stamp()
    for (key, value) in wrong { given[key] = .string(value) }
    #expect(try await quoted(world, stamp: given)?.state == .pending)
    await world.close()
  }

  @Test func `D19 a stamp that is missing, or lies on the quoting server, is none`() async throws {
    let world = try await ReceivingWorld()
    #expect(try await quoted(world, stamp: nil)?.state == .pending)
    await world.close()
    let second = try await ReceivingWorld()
    let own = stamp(["id": "https://victim.test/stamps/1"])
    #expect(try await quoted(second, stamp: own, at: "https://victim.test/stamps/1")?.state == .pending)
    await second.close()
  }

  @Test func `D19 a quote of ours asks first, is told of under all names once there is consent, and shows a link`()
    async throws
  {
    let world = try await ReceivingWorld()
    let carol = try world.person("carol", at: "a.peers.test")
    world.peers.put("https://a.peers.test/notes/1", carol.note("1"))
    guard case .post(let work) = try await world.federation.resolve(query: "https://a.peers.test/notes/1") else {
      Issue.record("not found")
      return
    }
    let post = try await publish("Look", in: world) { $0.quoting = work }
    let request = try #require(try await sent(world).last)
    #expect(request["type"]?.string == "QuoteRequest")
    #expect(request["object"]?.string == work.uri.text)
    #expect(request["instrument"]?["id"]?.string == post.uri.text)
    #expect(request["instrument"]?["quote"]?.string == work.uri.text)
    #expect(request["instrument"]?["_misskey_quote"] == nil, "whoever knows no consent is told of none")
    let content = request["instrument"]?["content"]?.string ?? ""
    #expect(content.hasPrefix("<p class=\"quote-inline\">RE: <a href=\"https://a.peers.test/notes/1\""))
    let id = try #require(request["id"]?.string)
    let stampID = "https://a.peers.test/stamps/9"
    let good = stamp([
      "id": .string(stampID), "interactingObject": .string(post.uri.text), "interactionTarget": .string(work.uri.text),
    ])
    func answer(_ person: ReceivingPerson, _ number: String) -> JSON {
      var accept = person.activity("Accept", number, object: ["type": "QuoteRequest", "id": .string(id)])
      accept["result"] = .string(stampID)
      return accept
    }
    // Only the one who was asked, and only with a stamp that can be read.
    let eve = try world.person("eve", at: "evil.test")
    #expect(try await world.deliver(answer(eve, "1"), by: eve) == "rejected owner")
    #expect(try await world.deliver(answer(carol, "1"), by: carol) == "rejected quote.stamp")
    world.peers.put(stampID, good)
    #expect(try await world.deliver(answer(carol, "2"), by: carol) == "done")
    let update = try #require(try await sent(world).last)
    #expect(update["type"]?.string == "Update")
    #expect(update["object"]?["updated"] == nil, "nothing was edited")
    for name in ["quote", "quoteUri", "quoteUrl", "_misskey_quote"] {
      #expect(update["object"]?[name]?.string == work.uri.text, "\(name)")
    }
    #expect(update["object"]?["quoteAuthorization"]?.string == stampID)
    world.clock.advance(.seconds(1))
    _ = try await world.deliver(carol.activity("Delete", "3", object: .string(stampID)), by: carol)
    let after = try #require(try await sent(world).last)
    #expect(after["type"]?.string == "Update")
    #expect(after["object"]?["quote"] == nil)
    #expect(after["object"]?["content"]?.string?.contains("quote-inline") == false)
    await world.close()
  }

  @Test func `N12 an artist's limits bind what comes in: answers, likes and shares`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let nobody = InteractionPolicy.Rule(automatic: [.author])
    let work = try await publish("A work", in: world) {
      $0.interaction = InteractionPolicy(reply: nobody, like: nobody, announce: nobody, quote: nobody)
    }
    let uri = JSON.string(work.uri.text)
    let answer = bob.note("1", to: [world.mika.uri.text, hash], ["inReplyTo": uri])
    #expect(try await world.deliver(bob.activity("Create", "1", object: answer), by: bob) == "rejected policy.reply")
    #expect(try await world.deliver(bob.activity("Like", "2", object: uri), by: bob) == "rejected policy.like")
    let boost = bob.activity("Announce", "3", object: uri, to: [hash])
    #expect(try await world.deliver(boost, by: bob) == "rejected policy.announce")
    #expect(try await world.count("posts") == 1)
    #expect(try await world.count("favourites") == 0)
    #expect(try await world.count("notifications") == 0)
    // Who follows may answer where followers may.
    let friendly = try await publish("For friends", in: world) {
      $0.interaction = InteractionPolicy(reply: InteractionPolicy.Rule(automatic: [.followers]))
    }
    let early = bob.note("2", to: [world.mika.uri.text, hash], ["inReplyTo": .string(friendly.uri.text)])
    #expect(try await world.deliver(bob.activity("Create", "4", object: early), by: bob) == "rejected policy.reply")
    #expect(
      try await world.deliver(bob.activity("Follow", "5", object: .string(world.mika.uri.text)), by: bob) == "done")
    let late = bob.note("3", to: [world.mika.uri.text, hash], ["inReplyTo": .string(friendly.uri.text)])
    #expect(try await world.deliver(bob.activity("Create", "6", object: late), by: bob) == "done")
    await world.close()
  }

  @Test func `N12 policies are written so that nobody is the author alone, and read under old names too`()
    async throws
  {
    let world = try await ReceivingWorld()
    let work = try await publish("A work", in: world) {
      $0.interaction = InteractionPolicy(
        reply: .init(automatic: [.followers]), quote: .init(automatic: [], manual: [.everyone]))
    }
    let composer = Composer(environment: world.environment)
    let note = try JSON(parsing: try #require(try await composer.note(work)).bytes)
    let policy = try #require(note["interactionPolicy"])
    #expect(policy["canReply"]?["automaticApproval"] == ["https://our.example/users/mika/followers"])
    #expect(policy["canLike"]?["automaticApproval"] == [.string(hash)])
    #expect(policy["canQuote"]?["automaticApproval"] == ["https://our.example/users/mika"])
    #expect(policy["canQuote"]?["manualApproval"] == [.string(hash)])

    let bob = try world.person("bob")
    world.peers.put(
      "https://victim.test/notes/1",
      bob.note(
        "1",
        [
          "interactionPolicy": [
            "canReply": ["always": [.string(bob.uri.text + "/followers")], "approvalRequired": [.string(hash)]],
            "canAnnounce": ["automaticApproval": [.string(bob.uri.text)]],
            "canQuote": ["automaticApproval": "as:Public"], "canLike": 7,
          ]
        ]))
    guard case .post(let theirs) = try await world.federation.resolve(query: "https://victim.test/notes/1") else {
      Issue.record("not found")
      return
    }
    let read = try #require(theirs.interaction)
    #expect(read.reply == .init(automatic: [.followers], manual: [.everyone]))
    #expect(read.announce == .init(automatic: [.author]))
    #expect(read.quote == .init(automatic: [.everyone]))
    #expect(read.like == nil)
    // What we do is not asked for where it is refused anyway.
    let mika = world.mika
    let context = world.environment.context
    await #expect(throws: OperationFailure.self) {
      try await world.database.write { _ = try $0.boost(theirs, by: mika, in: context) }
    }
    try await world.database.write { try $0.favourite(theirs, by: mika, in: context) }
    await world.close()
  }
}
