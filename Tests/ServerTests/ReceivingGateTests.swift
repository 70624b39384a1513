import Federation
import Foundation
import Model
import Persistence
import Primitives
import Signatures
import Store
import Testing
import Transport

@Suite struct `The inbox gate` {
  @Test func `D1 stores a signed activity, and asks for the key once`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    #expect(try await world.send(follow, by: bob).code == "stored")
    #expect(world.peers.asked == [bob.uri.text])
    #expect(
      try await world.send(bob.activity("Follow", "2", object: .string(world.mika.uri.text)), by: bob).code == "stored")
    #expect(world.peers.asked.count == 1)
    #expect(try await world.count("jobs") == 2)
    await world.close()
  }

  @Test func `D2 refuses in the order of cost, and asks nobody before the signature is read`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    let good = try world.request(follow.bytes, by: bob.rsa)
    var steps: [(String, InboxRequest)] = []
    func step(_ code: String, _ change: (inout InboxRequest) throws -> Void) rethrows {
      var request = good
      try change(&request)
      steps.append((code, request))
    }
    step("body.too_large") { $0.body = [UInt8](repeating: 32, count: Limits.inboxBody + 1) }
    try step("content_type") { $0 = try world.request(follow.bytes, by: bob.rsa, type: "application/json") }
    step("json.duplicate_key") { $0.body = Array(#"{"actor":"a","actor":"b"}"#.utf8) }
    step("missing.id") { $0.body = Array(#"{"type":"Follow","actor":"https://victim.test/users/bob"}"#.utf8) }
    step("id.origin") {
      $0.body = Array(#"{"id":"https://evil.test/1","type":"Like","actor":"https://victim.test/users/bob"}"#.utf8)
    }
    step("actor.local") {
      $0.body = Array(#"{"id":"https://our.example/1","type":"Like","actor":"https://our.example/users/mika"}"#.utf8)
    }
    step("sig.missing") { $0.fields = [("Content-Type", "application/activity+json")] }
    step("sig.digest_mismatch") {
      $0.body = bob.activity("Follow", "9", object: "https://our.example/users/mika").bytes
    }
    step("sig.host") { $0.authorities = [Host("other.example")].compactMap(\.self) }
    for (code, request) in steps {
      let answer = await world.federation.inbox.receive(request)
      #expect(answer.code == code)
    }
    #expect(world.peers.lookups == 0)
    #expect(try await world.count("inbox_activities") == 0)
    #expect(try await world.count("remote_keys") == 0)
    await world.close()
  }

  @Test(arguments: [
    "application/activity+json", "Application/Activity+JSON; charset=utf-8",
    "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
    "application/ld+json;charset=utf-8; Profile=https://www.w3.org/ns/activitystreams",
  ])
  func `D1 knows the ActivityPub media types however they are written`(type: String) {
    #expect(MediaType.isActivityPub(type))
  }

  @Test(arguments: [
    "", "application/json", "text/html", "application/ld+json", "application/ld+json; profile=\"https://example.org\"",
    "application/ld+json; x=\"https://www.w3.org/ns/activitystreams\"", "application/activity+jsonx",
  ])
  func `takes nothing else for them`(type: String) { #expect(!MediaType.isActivityPub(type)) }

  @Test func `D5 stores one of a hundred copies that arrive at once`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let request = try world.request(
      bob.activity("Follow", "1", object: .string(world.mika.uri.text)).bytes, by: bob.rsa)
    let codes = await withTaskGroup(of: String.self) { group in
      for _ in 0..<100 {
        group.addTask {
          let answer = await world.federation.inbox.receive(request)
          return answer.status == 202 ? answer.code : "\(answer.status)"
        }
      }
      return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
    #expect(codes == ["stored": 1, "duplicate": 99])
    #expect(world.peers.asked == [bob.uri.text])
    #expect(try await world.count("inbox_activities") == 1)
    #expect(try await world.count("jobs") == 1)
    await world.close()
  }

  @Test func `costs one write and no read when the key is in memory`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    #expect(try await world.send(bob.activity("Like", "0", object: "https://our.example/x"), by: bob).code == "stored")
    let requests = try (1...50).map {
      try world.request(bob.activity("Like", "\($0)", object: "https://our.example/x").bytes, by: bob.rsa)
    }
    let before = world.database.counters
    let start = ContinuousClock.now
    for request in requests { #expect(await world.federation.inbox.receive(request).code == "stored") }
    print("inbox, sequential:", (ContinuousClock.now - start) / 50, "a request")
    let after = world.database.counters
    #expect(after.writes - before.writes == 50)
    #expect(after.reads == before.reads)
    #expect(after.statements - before.statements == 50 * 5)
    await world.close()
  }

  @Test func `D6 believes a key only when its owner's own document lists it`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let mallory = try world.person("mallory", at: "evil.test")
    // The key's own word: a page on evil.test that says its owner is bob.
    var forged = mallory.document
    forged["publicKey"] = [
      "id": .string(mallory.rsa.id.text), "owner": .string(bob.uri.text),
      "publicKeyPem": mallory.document["publicKey"]?["publicKeyPem"] ?? .null,
    ]
    world.peers.put(mallory.uri.text, forged)
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    let answer = await world.federation.inbox.receive(try world.request(follow.bytes, by: mallory.rsa))
    #expect(answer.status == 401)
    #expect(try await world.count("inbox_activities") == 0)
    #expect(try await world.count("remote_keys") == 0)
    await world.close()
  }

  @Test func `refuses another's signature, unless the origin serves the activity`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let mallory = try world.person("mallory", at: "evil.test")
    let forged = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    let answer = await world.federation.inbox.receive(try world.request(forged.bytes, by: mallory.rsa))
    #expect((answer.status, answer.code) == (401, "sig.actor_mismatch"))
    #expect(try await world.count("inbox_activities") == 0)
    // The same id, genuine: not recorded as seen by the forgery.
    world.peers.put(forged["id"]?.string ?? "", forged)
    #expect(await world.federation.inbox.receive(try world.request(forged.bytes, by: mallory.rsa)).code == "stored")
    await world.close()
  }

  @Test func `P2 takes a forwarded activity on its actor's proof, and not on a tampered one`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let relay = try world.person("relay", at: "evil.test")
    let create = try bob.prove(bob.activity("Create", "1", object: bob.note("1")), at: world.clock.now)
    var tampered = create
    tampered["to"] = ["https://evil.test/users/relay"]
    #expect(await world.federation.inbox.receive(try world.request(tampered.bytes, by: relay.rsa)).status == 401)
    #expect(await world.federation.inbox.receive(try world.request(create.bytes, by: relay.rsa)).code == "stored")
    await world.close()
  }

  @Test func `H3 H7 asks for a rotated key once, and for an unknown one once in five minutes`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    _ = try await world.send(bob.activity("Like", "1", object: "https://our.example/x"), by: bob)
    let rotated = try world.person("bob")
    #expect(
      try await world.send(rotated.activity("Like", "2", object: "https://our.example/x"), by: rotated).code == "stored"
    )
    #expect(world.peers.asked.count == 2)
    #expect(try await world.send(bob.activity("Like", "3", object: "https://our.example/x"), by: bob).status == 401)
    #expect(world.peers.asked.count == 2)
    let ghost = try ReceivingPerson("ghost", at: "evil.test")
    for number in 1...20 {
      _ = try await world.send(ghost.activity("Like", "\(number)", object: "https://our.example/x"), by: ghost)
    }
    #expect(world.peers.asked.count == 3)
    await world.close()
  }

  @Test func `answers a blocked host 403, a suspended actor 202, and asks neither for anything`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let eve = try world.person("eve", at: "evil.test")
    let now = world.clock.now
    try await world.database.write { try $0.block(host: "evil.test", reason: "spam", at: now) }
    #expect(try await world.send(eve.activity("Like", "1", object: "https://our.example/x"), by: eve).status == 403)
    #expect(world.peers.lookups == 0)
    _ = try await world.deliver(bob.activity("Follow", "1", object: .string(world.mika.uri.text)), by: bob)
    try await world.database.write { tx in
      if var account = try tx.account(uri: bob.uri) {
        account.suspendedAt = now
        try tx.update(account)
      }
    }
    let rows = try await world.count("inbox_activities")
    #expect(try await world.send(bob.activity("Like", "2", object: "https://our.example/x"), by: bob).code == "dropped")
    #expect(try await world.count("inbox_activities") == rows)
    await world.close()
  }

  @Test func `ignores the departure of somebody unknown without asking anybody`() async throws {
    let world = try await ReceivingWorld()
    let ghost = try ReceivingPerson("ghost", at: "victim.test")
    let answer = try await world.send(ghost.activity("Delete", "1", object: .string(ghost.uri.text)), by: ghost)
    #expect(answer.code == "ignored")
    #expect(world.peers.lookups == 0)
    await world.close()
  }

  @Test func `parks what it can not verify yet, and takes it when the key's host is back`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    world.peers.silence("victim.test")
    let follow = bob.activity("Follow", "1", object: .string(world.mika.uri.text))
    #expect(try await world.send(follow, by: bob).code == "parked")
    #expect(try await world.count("inbox_activities") == 0)
    world.peers.silence("victim.test", false)
    #expect(try await world.federation.parked.step() == 0)
    world.clock.advance(.seconds(3_600 * 2))
    #expect(try await world.federation.parked.step() == 1)
    #expect(try await world.count("inbox_activities") == 1)
    #expect(try await world.count("parked_requests") == 0)
    await world.close()
  }
}
