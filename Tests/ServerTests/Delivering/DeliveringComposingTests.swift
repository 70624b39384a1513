import Federation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Testing

@Suite struct `Composed documents` {
  private func draft(_ text: String = "Harbour study") -> PostDraft { PostDraft(text: text, content: "<p>\(text)</p>") }

  private func note(_ house: DeliveringHouse, _ post: Post) async throws -> JSON {
    let document = try #require(try await house.composer.note(post))
    return try JSON(parsing: document.bytes)
  }

  private func isProved(_ json: JSON, by house: DeliveringHouse) async throws -> Bool {
    let id = house.mika.id
    let keys = try await house.database.read { try $0.signingKeys(of: id) }
    let multibase = try #require(keys.first { $0.kind == .ed25519 }).publicKey
    let proof = try IntegrityProof(of: json, at: house.context.now)
    do {
      _ = try proof.verify(with: try Ed25519PublicKey(multibase: multibase))
      return true
    } catch { return false }
  }

  @Test func `an actor has what every peer asks for, on one origin, and a proof`() async throws {
    let house = try await DeliveringHouse()
    let json = try JSON(parsing: try await house.composer.actor(house.mika).bytes)
    for key in [
      "id", "type", "inbox", "outbox", "followers", "following", "featured", "preferredUsername", "url", "name",
      "summary", "published", "endpoints", "publicKey", "manuallyApprovesFollowers", "discoverable", "indexable",
      "usagePolicy", "xRobotsTag", "contentUsage", "webfinger", "assertionMethod", "proof",
    ] { #expect(json[key] != nil, "\(key)") }
    let origin = "https://atelier.test/"
    for address in [json["id"], json["inbox"], json["publicKey"]?["id"], json["endpoints"]?["sharedInbox"]] {
      #expect(address?.string?.hasPrefix(origin) == true)
    }
    #expect(json["@context"]?.array != nil)
    #expect(json["publicKey"]?["id"]?.string == "https://atelier.test/users/mika#main-key")
    #expect(json["publicKey"]?["publicKeyPem"]?.string?.hasSuffix("-----END PUBLIC KEY-----\n") == true)
    #expect(json["assertionMethod"]?.array?.first?["publicKeyMultibase"]?.string?.hasPrefix("z6Mk") == true)
    #expect(json["webfinger"]?.string == "mika@atelier.test")
    #expect(json["usagePolicy"]?["basis"]?.string == "instanceDefault")
    #expect(try await isProved(json, by: house))
    let again = try await house.composer.actor(house.mika)
    #expect(try JSON(parsing: again.bytes) == json)
  }

  @Test func `a work says what its series says, and when that was said`() async throws {
    let house = try await DeliveringHouse()
    let (mika, first) = (house.mika, house.context)
    let series = try await house.database.write { tx in
      try tx.createSeries(
        SeriesDraft(title: "Harbour", usagePolicy: UsagePolicy(.researchOnly, basis: .explicit)), by: mika, in: first)
    }
    var draft = draft()
    draft.seriesID = series.id
    let post = try await house.publish(draft)
    let before = try await note(house, try #require(try await house.database.read { try $0.post(post.id) }))
    #expect(before["usagePolicy"]?["dataMining"]?.string == "constrained")
    #expect(before["usagePolicy"]?["basis"]?.string == "explicit")
    #expect(before["updated"] == nil)
    house.clock.advance(.seconds(60))
    let second = house.context
    try await house.follow(try await house.stranger("ada", at: "https://paper.test"))
    try await house.federate()
    try await house.database.write { tx in
      _ = try tx.changeSeries(
        series.id, to: SeriesDraft(title: "Harbour", usagePolicy: UsagePolicy(.noAI, basis: .explicit)), by: mika,
        in: second)
    }
    let after = try await note(house, try #require(try await house.database.read { try $0.post(post.id) }))
    #expect(after["usagePolicy"]?["dataMining"]?.string == "disallow")
    #expect(after["updated"]?.string == second.now.iso8601Seconds)
    #expect(after["proof"]?["created"]?.string == second.now.iso8601Seconds)
    #expect(try await isProved(after, by: house))
    try await house.federate()
    let sent = try await house.outstanding().map(\.body)
    #expect(sent.map { $0["type"]?.string } == ["Create", "Update"])
    #expect(sent.last?["object"]?["usagePolicy"]?["dataMining"]?.string == "disallow")
  }

  @Test func `the server's actor is an Application that tells what it implements`() async throws {
    let house = try await DeliveringHouse()
    let uri = house.environment.instance.actor
    let account = try #require(try await house.database.read { try $0.account(uri: uri) })
    let json = try JSON(parsing: try await house.composer.actor(account).bytes)
    #expect(json["type"]?.string == "Application")
    #expect(json["preferredUsername"]?.string == "atelier.test")
    #expect(json["inbox"]?.string == "https://atelier.test/inbox")
    #expect(json["policyConformance"]?.string == "signal")
    #expect(json["implements"]?.array?.contains { $0["href"]?.string == "https://w3id.org/fep/f007" } == true)
  }

  @Test func `N2 N5 N8 a note satisfies the strictest reader of each member`() async throws {
    let house = try await DeliveringHouse()
    var draft = draft()
    draft.language = "en"
    draft.tags = ["harbour", "drückgrafik"]
    draft.attachments = [try await house.picture(1)]
    let json = try await note(house, try await house.publish(draft))
    #expect(json["type"]?.string == "Note")
    #expect(json["attributedTo"]?.string == house.mika.uri.text)
    #expect(json["to"]?.array == ["https://www.w3.org/ns/activitystreams#Public"])
    #expect(json["cc"]?.array == ["https://atelier.test/users/mika/followers"])
    #expect(json["contentMap"]?["en"] == json["content"])
    #expect(json["published"]?.string?.hasSuffix("Z") == true)
    #expect(json["license"] == nil)
    let picture = try #require(json["attachment"]?.array?.first)
    #expect(picture["type"]?.string == "Image")
    #expect(picture["url"]?.string == "https://atelier.test/media/\(String(repeating: "1", count: 64)).jpg")
    #expect(picture["name"] == picture["summary"] && picture["name"]?.string == "A grey harbour at dawn.")
    #expect(picture["width"]?.integer == 4_800 && picture["height"]?.integer == 3_200)
    #expect(picture["digestMultibase"]?.string?.hasPrefix("zQm") == true)
    #expect(picture["focalPoint"]?.array?.compactMap(\.double) == [0.25, -0.5])
    #expect(picture["sensitive"]?.bool == false)
    #expect(picture["usagePolicy"] == nil)
    #expect(json["tag"]?.array?.count == 2)
    #expect(json["usagePolicy"]?["generativeTraining"]?.string == "disallow")
    #expect(json["xRobotsTag"]?.string == "noai, noimageai" && json["contentUsage"]?.string == "train-ai=n")
    for list in ["replies", "likes", "shares", "context"] {
      #expect(json[list]?.string == "\(json["id"]?.string ?? "")/\(list)")
    }
    #expect(try await isProved(json, by: house))
  }

  @Test func `a picture with another policy than its post carries it`() async throws {
    let house = try await DeliveringHouse()
    let open = UsagePolicy(.open, basis: .explicit)
    var draft = draft()
    draft.attachments = [try await house.picture(1), try await house.picture(2, policy: open)]
    let json = try await note(house, try await house.publish(draft))
    let pictures = try #require(json["attachment"]?.array)
    #expect(pictures.first?["usagePolicy"] == nil)
    #expect(pictures.last?["usagePolicy"]?["generativeTraining"]?.string == "allow")
  }

  @Test func `N3 pictures past the fourth are spoken of, and held or refused ones never leave`() async throws {
    let house = try await DeliveringHouse()
    var draft = draft()
    for number in 1...7 { draft.attachments.append(try await house.picture(number)) }
    let post = try await house.publish(draft)
    let pictures = try await house.database.read { try $0.attachments(of: [post.id])[post.id] ?? [] }
    let states: [(Model.Attachment, Model.Attachment.State)] = Array(zip(pictures, [.held, .refused]))
    try await house.database.write { tx in
      for (picture, state) in states {
        var changed = picture
        changed.state = state
        try tx.update(changed)
      }
    }
    let json = try await note(house, post)
    #expect(json["attachment"]?.array?.count == 5)
    #expect(json["content"]?.string?.contains(">+1 more</a></p>") == true)
    let text = String(decoding: json.bytes, as: UTF8.self)
    #expect(!text.contains(String(repeating: "1", count: 64)) && !text.contains(String(repeating: "2", count: 64)))
  }

  @Test func `N2 P1 a Create holds the signed object within its budget and goes by reference beyond it`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("ada", at: "https://paper.test"))
    var small = draft()
    small.attachments = [try await house.picture(1)]
    let first = try await house.publish(small)
    var large = draft("Sixteen states")
    for number in 0..<16 {
      large.attachments.append(try await house.picture(number, alt: String(repeating: "é", count: 2_000)))
    }
    let second = try await house.publish(large)
    try await house.federate()
    let bodies = try await house.queued().map(\.body)
    #expect(bodies.count == 1)
    let create = try JSON(parsing: try #require(bodies.first))
    #expect(create["id"]?.string == first.uri.text + "/activity")
    #expect(try await isProved(create, by: house))
    #expect(try await isProved(try #require(create["object"]), by: house))
    #expect(create["object"]?["id"]?.string == first.uri.text)
    #expect(create["to"] == create["object"]?["to"] && create["cc"] == create["object"]?["cc"])
    let stored = try await house.database.read {
      try $0.outgoing(uri: house.environment.instance.activity(of: second.uri))
    }
    let reference = try #require(stored)
    #expect(reference.body.count < Limits.outgoingDocument)
    let json = try JSON(parsing: reference.body)
    #expect(json["object"]?.string == second.uri.text)
    #expect(try await isProved(json, by: house))
  }

  @Test func `P3 private words carry no proof and go to those mentioned only`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("ada", at: "https://paper.test"))
    let friend = try await house.stranger("finn", at: "https://friend.test")
    var draft = draft("only for you")
    draft.visibility = .direct
    draft.mentions = [friend.id]
    _ = try await house.publish(draft)
    try await house.federate()
    let queued = try await house.queued()
    #expect(queued.map(\.inbox) == [friend.inbox])
    let create = try JSON(parsing: try #require(queued.first).body)
    #expect(create["proof"] == nil && create["object"]?["proof"] == nil)
    #expect(create["to"]?.array == [.string(friend.uri.text)] && create["cc"]?.array == [])
    #expect(create["object"]?["tag"]?.array?.first?["name"]?.string == "@finn@friend.test")
  }

  @Test func `a job run twice sends once, and what is said again is sent again`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test")
    try await house.follow(ada)
    _ = try await house.publish(draft())
    let now = house.context.now
    let leases = try await house.database.write { tx in
      try tx.leaseJobs(in: .federation, at: now, until: now.adding(.seconds(60)), limit: 1)
    }
    let lease = try #require(leases.first)
    guard case .federate(let intent) = lease.job else { throw DeliveringFault.noJob }
    try await house.composer.compose(intent, for: lease)
    try await house.composer.compose(intent, for: lease)
    #expect(try await house.queued().count == 1)
    let context = house.context
    let uri = try #require(IRI("https://paper.test/users/ada/follows/2"))
    for _ in 1...2 {
      try await house.database.write { [mika = house.mika] tx in
        try tx.receiveFollow(of: mika, by: ada, uri: uri, in: context)
      }
      try await house.federate()
    }
    house.clock.advance(.seconds(5_000))
    let accepts = try await house.outstanding().map(\.body).filter { $0["type"]?.string == "Accept" }
    #expect(accepts.count >= 1)
    #expect(accepts.first?["object"]?["id"]?.string == uri.text)
  }

  @Test func `N7 a deletion leaves a tombstone and goes where the post went`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test", shared: true)
    try await house.follow(ada)
    let post = try await house.publish(draft())
    let context = house.context
    try await house.database.write { [mika = house.mika] tx in try tx.delete(post, by: mika, in: context) }
    try await house.federate()
    let queued = try await house.queued()
    // The Create had nothing to tell any more; the Delete goes to whoever may have it from elsewhere.
    #expect(queued.map(\.inbox.text) == ["https://paper.test/inbox"])
    let delete = try JSON(parsing: try #require(queued.first).body)
    #expect(delete["type"]?.string == "Delete" && delete["object"]?["type"]?.string == "Tombstone")
    let tombstone = try #require(try await house.composer.tombstone(of: post.uri))
    #expect(try JSON(parsing: tombstone.bytes)["type"]?.string == "Tombstone")
  }
}

enum DeliveringFault: Error { case noJob }
