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
import Vocab

/// What is said to machines, on its way between servers.
@Suite(.serialized) struct PolicyFederationTests {
  static let styles: [(String, JSON)] = [
    ("epicyon", ["xRobotsTag": "noai, noimageai, GPC", "secGPC": "1"]),
    ("epicyon, one of two", ["xRobotsTag": "noai, noimageai", "secGPC": "1"]),
    ("the proposal", ["xRobotsTag": "noai", "SPC": 1]),
  ]

  @Test(arguments: styles)
  func `C3 the signals of FEP-5e53 show as a policy, in both styles, on posts and on people`(
    style: String, signals: JSON
  ) async throws {
    let world = try await ReceivingWorld()
    let bob = try ReceivingPerson("bob", at: "victim.test")
    var profile = bob.document
    for (key, value) in signals.pairs { profile[key] = value }
    world.publish(bob)
    world.peers.put(bob.uri.text, profile)
    let note = bob.note("1", to: [everyone, world.mika.uri.text], signals)
    #expect(try await world.deliver(bob.activity("Create", "1", object: note), by: bob) == "done")
    let post = try #require(try await world.post(note["id"]?.string))
    let account = try await world.database.read { try $0.account(bob.uri) }
    for policy in [post.usagePolicy, account?.usagePolicy] {
      let policy = try #require(policy, "\(style)")
      for category in [UsagePolicy.Category.dataMining, .nonGenerativeTraining, .generativeTraining] {
        #expect(policy[category] == .disallow, "\(style) \(category)")
      }
      #expect(policy[.searchIndexing] == nil)
    }
    let silent = bob.note("2", to: [everyone, world.mika.uri.text], ["secGPC": "0", "SPC": 0, "xRobotsTag": "max"])
    #expect(try await world.deliver(bob.activity("Create", "2", object: silent), by: bob) == "done")
    #expect(try await world.post(silent["id"]?.string)?.usagePolicy == nil)
    await world.close()
  }

  @Test func `C4 a policy of our vocabulary is kept as it was said, and answered once`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let id = try #require(IRI("https://victim.test/users/bob/policies/3"))
    let elsewhere = try #require(IRI("https://evil.test/policies/1"))
    for (number, policyID) in [("1", id), ("2", id), ("3", elsewhere)] {
      let policy = UsagePolicy(.noGenAI, basis: .explicit, id: policyID)
      let note = bob.note(number, to: [everyone, world.mika.uri.text], ["usagePolicy": policy.wire])
      #expect(try await world.deliver(bob.activity("Create", number, object: note), by: bob) == "done")
      #expect(try await world.post(note["id"]?.string)?.usagePolicy == policy)
    }
    // One answer a policy, and none to an address that is not its author's.
    let answered = try await world.database.read { tx in
      (try tx.isPolicyAnswered(id), try tx.isPolicyAnswered(elsewhere), try tx.policyAnswers(to: id.host, since: .zero))
    }
    #expect(answered == (true, false, 1))
    await world.close()
  }

  @Test func `A12 the server's own actor is found by the origin, and says what it implements`() async throws {
    try await Pair.with { pair in
      let finger = try await pair.paper.client.request(
        "GET", "/.well-known/webfinger?resource=https://paper.test/", host: "paper.test")
      #expect(finger.json?["subject"]?.string == "https://paper.test")
      let links = finger.json?["links"]?.array ?? []
      let link = links.first { $0["rel"]?.string == "https://www.w3.org/ns/activitystreams#Service" }
      #expect(link?["href"]?.string == "https://paper.test/actor")
      let actor = try #require(try await pair.paper.client.request("GET", "/actor", host: "paper.test").json)
      #expect(actor["type"]?.string == "Application")
      #expect(actor["policyConformance"]?.string == "signal")
      let implements = Set((actor["implements"]?.array ?? []).compactMap { $0["href"]?.string })
      #expect(implements.isSuperset(of: [Vocab.specification, Vocab.optOutSpecification, "https://w3id.org/fep/8b32"]))
      // On the server's actor and on no other.
      let alice = try #require(try await pair.paper.services.document(of: pair.alice.account))
      #expect(alice["implements"] == nil && alice["policyConformance"] == nil)
    }
  }

  @Test func `W5 NodeInfo says in its metadata which vocabulary is spoken and how far`() async throws {
    try await Pair.with { pair in
      for version in ["2.0", "2.1"] {
        let info = try await pair.paper.client.request("GET", "/nodeinfo/\(version)", host: "paper.test").json
        #expect(info?["metadata"]?["noai"]?["spec"]?.string == "https://w3id.org/fep/f007")
        #expect(info?["metadata"]?["noai"]?["conformance"]?.string == "signal")
      }
    }
  }

  @Test func `W6 FEDERATION.md names the proposals that the code does, and no others`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = String(decoding: try Data(contentsOf: root.appending(path: "FEDERATION.md")), as: UTF8.self)
    let section = try #require(
      text.components(separatedBy: "## Supported FEPs").last?.components(separatedBy: "\n## ")
        .first)
    let named = section.matches(of: /\[FEP-([0-9a-f]{4})\]/).map { String($0.output.1) }
    #expect(Set(named) == Set(Capability.proposals))
    #expect(named.count == Set(named).count)
    for part in ["## Supported federation protocols and standards", "## Limits", "## AI usage policies"] {
      #expect(text.contains(part))
    }
  }

  @Test func `a published policy keeps its address and its proof when the artist says something else`() async throws {
    try await Pair.with { pair in
      let first = try await pair.policyDocument(1)
      #expect(first["basis"]?.string == "instanceDefault")
      // A default is the server's word, and signed by the server.
      #expect(first["attributedTo"]?.string == "https://paper.test/actor")
      #expect(first["supersedes"] == nil)
      pair.world.clock.advance(by: .seconds(60))
      try await pair.say(.noGenAI)
      let second = try await pair.policyDocument(2)
      #expect(second["id"]?.string == "https://paper.test/users/alice/policies/2")
      #expect(second["attributedTo"]?.string == pair.alice.account.uri.text)
      #expect(second["supersedes"]?.string == "https://paper.test/users/alice/policies/1")
      #expect(second["generativeTraining"]?.string == "disallow" && second["dataMining"]?.string == "allow")
      #expect(second["xRobotsTag"]?.string == "noai, noimageai" && second["contentUsage"]?.string == "train-ai=n")
      #expect(try await pair.policyDocument(1) == first)
      let alice = try #require(try await pair.aliceNow())
      let actor = try #require(try await pair.paper.services.document(of: alice))
      #expect(actor["usagePolicy"]?["id"]?.string == second["id"]?.string)
      for (document, key) in [(first, "https://paper.test/actor"), (second, pair.alice.account.uri.text)] {
        let keys = try #require(
          try await pair.paper.database.read { tx in
            try IRI(key).flatMap { try tx.account(uri: $0) }.map { try tx.signingKeys(of: $0.id) }
          })
        let multibase = try #require(keys.first { $0.kind == .ed25519 }?.publicKey)
        guard case .ed25519(let publicKey) = try PublicKey(multibase: multibase) else {
          Issue.record("no Ed25519 key")
          return
        }
        let proof = try IntegrityProof(of: document, at: pair.world.clock.now)
        #expect(try proof.verify(with: publicKey).signer.text == "\(key)#ed25519-key")
      }
      // The same again is no new version; the offer of each version stays.
      try await pair.say(.noGenAI)
      #expect(try await pair.versions() == [2, 1])
      let offer = try await pair.paper.client.request("GET", "/users/alice/policies/2/odrl", host: "paper.test")
      #expect(offer.json?["uid"]?.string == "https://paper.test/users/alice/policies/2/odrl")
      #expect(offer.json?["profile"]?.string == "http://www.w3.org/ns/tdmrep")
      let page = try await pair.paper.client.request("GET", "/@alice", host: "paper.test")
      #expect(page["tdm-policy"] == "https://paper.test/users/alice/policies/2/odrl")
      #expect(
        try await pair.paper.client.request("GET", "/users/alice/policies/9/odrl", host: "paper.test").status == 404)
    }
  }

  @Test func `a server that holds a work accepts its policy, once a version, and the artist reads it`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      for number in 1...3 { _ = try await pair.post("Work \(number)") }
      #expect(try await pair.answered(1) == ["canvas.test accepted"])
      pair.world.clock.advance(by: .seconds(60))
      try await pair.say(.researchOnly)
      #expect(try await pair.answered(2) == ["canvas.test accepted"])
      let ledger = try await pair.paper.api("GET", "/api/atelier/v1/policies", as: pair.alice)
      #expect(ledger.json?["held_by"]?.integer == 1)
      let versions = ledger.json?["policies"]?.array ?? []
      #expect(versions.compactMap { $0["number"]?.integer } == [2, 1])
      #expect(versions.compactMap { $0["accepted"]?.integer } == [1, 1])
      let sent = try await pair.canvas.database.read { tx in
        try tx.first("SELECT COUNT(*) AS many FROM policy_answers")?.int("many")
      }
      #expect(sent == 2)
    }
  }

  @Test func `a receipt counts from a server, with its proof; a Reject is remembered, and the last word holds`()
    async throws
  {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let server = try ReceivingPerson("victim.test", at: "victim.test")
    var document = server.document
    document["type"] = "Application"
    world.publish(server)
    world.peers.put(server.uri.text, document)
    let policy = JSON.string("https://our.example/users/mika/policies/1")
    let accept = server.activity("Accept", "a", object: policy)
    #expect(try await world.deliver(accept, by: server) == "rejected receipt.no_proof")
    let stranger = try bob.prove(bob.activity("Accept", "b", object: policy), at: world.clock.now)
    #expect(try await world.deliver(stranger, by: bob) == "rejected receipt.not_a_server")
    let unknown = try server.prove(
      server.activity("Accept", "c", object: "https://our.example/users/mika/policies/7"), at: world.clock.now)
    #expect(try await world.deliver(unknown, by: server) == "rejected record.not_found")
    for (type, id, isAccepted) in [("Accept", "d", true), ("Reject", "e", false)] {
      let receipt = try server.prove(server.activity(type, id, object: policy), at: world.clock.now)
      #expect(try await world.deliver(receipt, by: server) == "done")
      let kept = try await world.database.read { [mika = world.mika] in
        try $0.receipts(of: mika.id, number: 1, limit: 10)
      }
      #expect(kept.map(\.isAccepted) == [isAccepted])
      #expect(kept.map(\.host.text) == ["victim.test"])
    }
    await world.close()
  }

  @Test func `the copy of a work from elsewhere says its author's words on every answer`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      try await pair.say(.noGenAI)
      let post = try await pair.post("Reserved", picture: CasePicture.png(width: 1_400, height: 900))
      let uri = try #require(post["uri"]?.string.flatMap { IRI($0) })
      let found = try await pair.canvas.eventually { tx -> (Post, [Rendition])? in
        guard let post = try tx.post(uri: uri), let picture = try tx.attachments(of: [post.id])[post.id]?.first,
          let files = try tx.renditions(of: [picture.id])[picture.id], files.count >= 3
        else { return nil }
        return (post, files)
      }
      let (received, files) = try #require(found)
      let client = pair.canvas.client
      func check(_ answer: WireAnswer, _ status: Int, _ what: String) {
        #expect(answer.status == status, "\(what)")
        #expect(answer["x-robots-tag"] == "noai, noimageai", "\(what)")
        #expect(answer["content-usage"] == "train-ai=n", "\(what)")
        #expect(answer["tdm-reservation"] == "1", "\(what)")
      }
      for file in files {
        let path = "/media/\(file.fileName)"
        let whole = try await client.request("GET", path, host: "canvas.test")
        check(whole, 200, "GET \(file.kind)")
        let requests: [(String, [(String, String)], Int)] = [
          ("HEAD", [], 200), ("GET", [("Range", "bytes=0-9")], 206), ("GET", [("Range", "bytes=99999999-")], 416),
          ("GET", [("If-None-Match", whole["etag"] ?? "")], 304),
          ("HEAD", [("If-None-Match", whole["etag"] ?? "")], 304),
        ]
        for (method, headers, status) in requests {
          let answer = try await client.request(method, path, host: "canvas.test", headers: headers)
          check(answer, status, "\(method) \(headers) \(file.kind)")
        }
      }
      for target in ["/api/v1/statuses/\(received.id)", "/api/v1/timelines/home"] {
        check(try await pair.canvas.api("GET", target, as: pair.berta), 200, target)
      }
      // A name that leads to nothing, or to nothing any more.
      check(
        try await client.request("GET", "/media/\(String(repeating: "0", count: 64)).jpg", host: "canvas.test"), 404,
        "nothing")
    }
  }
}

private let everyone = "https://www.w3.org/ns/activitystreams#Public"

extension Timestamp {
  fileprivate static let zero = Timestamp(milliseconds: 0)
}

extension ReadTransaction {
  fileprivate func account(_ uri: IRI) throws -> Account? { try account(uri: uri) }
}

extension Services {
  /// The actor document as other servers read it.
  fileprivate func document(of account: Account) async throws -> JSON? {
    try JSON(parsing: try await Composer(environment: federation).actor(account).bytes)
  }
}

extension Pair {
  fileprivate func aliceNow() async throws -> Account? {
    let id = alice.account.id
    return try await paper.database.read { try $0.account(id) }
  }

  fileprivate func versions() async throws -> [Int] {
    let id = alice.account.id
    return try await paper.database.read { try $0.policyVersions(of: id, limit: 10).map(\.number) }
  }

  fileprivate func policyDocument(_ number: Int) async throws -> JSON {
    let document = try await Composer(environment: paper.services.federation).policy(number, of: alice.account)
    return try JSON(parsing: try #require(document).bytes)
  }

  /// alice says something else for all her works.
  func say(_ preset: UsagePolicy.Preset) async throws {
    let context = paper.services.context
    let account = alice.account
    try await paper.database.write { tx in
      _ = try tx.changeUsagePolicy(of: account, to: UsagePolicy(preset, basis: .accountDefault), in: context)
    }
  }

  /// What was answered to a version, when something was.
  fileprivate func answered(_ number: Int) async throws -> [String]? {
    let id = alice.account.id
    return try await paper.eventually { tx in
      let receipts = try tx.receipts(of: id, number: number, limit: 10)
      return receipts.isEmpty ? nil : receipts.map { "\($0.host.text) \($0.isAccepted ? "accepted" : "rejected")" }
    }
  }
}
