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

@testable import Web

private let everyone = "https://www.w3.org/ns/activitystreams#Public"

/// One server of ours, which follows the assessor of victim.test, and a picture from a third server.
private struct AssessedWorld: Sendable {
  let world: ReceivingWorld
  let assessor: ReceivingPerson
  let account: Account
  let own: Account
  let post: Post
  let picture: Model.Attachment

  init() async throws {
    let world = try await ReceivingWorld()
    self.world = world
    let environment = world.environment
    let context = environment.context
    let seal = try #require(KeySeal(secret: [UInt8](repeating: 7, count: 32)))
    let ownID: Account.ID = environment.ids.next()
    let keys = try KeyRing.make(
      for: ownID, actor: environment.instance.assessor, in: environment.instance, seal: seal, random: .system)
    own = try await world.database.write { tx in
      try tx.insert(
        PolicyRevision(number: 1, document: .standard, note: "", authorID: nil, createdAt: context.now))
      return try tx.createAssessor(keys: keys, id: ownID, in: context)
    }
    assessor = try AssessedWorld.assessor(at: "victim.test", world)
    account = try await AssessedWorld.heard(assessor, by: own, world)
    (post, picture) = try await AssessedWorld.picture(of: "carol", number: "1", byte: "c", world)
  }

  static func assessor(at host: String, _ world: ReceivingWorld) throws -> ReceivingPerson {
    let assessor = try ReceivingPerson("assessor", at: host)
    world.publish(assessor)
    var document = assessor.document
    document["type"] = "Service"
    world.peers.put(assessor.uri.text, document)
    return assessor
  }

  /// Ours asks, and that server's admin agrees.
  static func heard(_ assessor: ReceivingPerson, by own: Account, _ world: ReceivingWorld) async throws -> Account {
    let account = try await world.federation.actors.account(assessor.uri, budget: FetchBudget())
    let context = world.environment.context
    try await world.database.write { try $0.followAssessor(account, in: context) }
    let follow = try #require(try await world.database.read { try $0.follow(of: account.id, by: own.id) })
    let accept = assessor.activity(
      "Accept", "follow",
      object: [
        "type": "Follow", "id": .string(follow.uri.text), "actor": .string(own.uri.text),
        "object": .string(account.uri.text),
      ])
    #expect(try await world.deliver(accept, by: assessor) == "done")
    return account
  }

  static func picture(
    of name: String, number: String, byte: String, _ world: ReceivingWorld, local: Account? = nil
  ) async throws -> (Post, Model.Attachment) {
    let context = world.environment.context
    let instance = context.instance
    let uri = try #require(IRI("https://a.peers.test/users/\(name)"))
    let inbox = try #require(uri.appending("/inbox"))
    let author =
      local
      ?? Account(
        id: context.ids.next(), username: name, host: uri.host, uri: uri, url: uri, inbox: inbox,
        createdAt: context.now, fetchedAt: context.now)
    let id: Post.ID = context.ids.next()
    let elsewhere = try #require(IRI("https://a.peers.test/notes/\(number)"))
    let note = local == nil ? elsewhere : instance.post(id, by: author.username)
    let post = Post(
      id: id, uri: note, url: note, authorID: author.id, content: "<p>A work</p>", visibility: .everyone,
      createdAt: context.now, isLocal: local != nil)
    let digest = try #require(Digest(rawValue: String(repeating: byte, count: 64)))
    let picture = Model.Attachment(
      id: context.ids.next(), ownerID: author.id, postID: id, state: .ready,
      remoteURL: local == nil ? IRI("https://a.peers.test/\(number).png") : nil, original: digest,
      createdAt: context.now)
    let assessment = Assessment(evidence: [], detector: "evidence/1")
    let record = DecisionRecord(
      id: context.ids.next(), attachmentID: picture.id, verdict: .accept, reasons: [],
      facts: ImageFacts(assessment, origin: author.host), assessment: assessment, policyRevision: 1,
      decidedAt: context.now, decidedBy: nil)
    try await world.database.write { tx in
      if local == nil { try tx.insert(author) }
      try tx.insert(post)
      try tx.insert(picture)
      try tx.insert(record)
      try tx.replaceRenditions(
        of: picture.id,
        with: [
          Rendition(
            attachmentID: picture.id, kind: .federated, digest: digest, mediaType: "image/png", width: 64, height: 48,
            size: 100)
        ])
    }
    return (post, picture)
  }

  /// As the assessor of victim.test would say it; `more` replaces members, `without` leaves some out.
  func statement(
    _ number: String = "1", _ decision: String = "labelled", by: ReceivingPerson? = nil, with more: JSON = [:],
    without: Set<String> = [], proved: Bool = true
  ) throws -> JSON {
    let assessor = by ?? assessor
    let now = world.clock.now
    var all: JSON = [
      "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
      "id": .string("\(assessor.uri.origin)/assessments/\(number)"), "type": "AiAssessment",
      "attributedTo": .string(assessor.uri.text), "object": .string(post.uri.text),
      "subject": .string(picture.remoteURL?.text ?? ""),
      "subjectDigest": .string(ContentDigest(bytes: picture.original?.bytes ?? [])?.multibase ?? ""),
      "detector": "theirs", "detectorVersion": "1", "modelDigest": .string(ContentDigest(of: [1]).multibase),
      "score": "0.997", "threshold": "0.995", "falsePositiveRate": "0.005",
      "calibration": .string("\(assessor.uri.origin)/calibration"), "decision": .string(decision),
      "reviewedBy": "automated", "appeal": .string("\(assessor.uri.origin)/appeals/\(number)"),
      "published": .string(now.iso8601Seconds),
      "endTime": .string(now.adding(.seconds(100 * 86_400)).iso8601Seconds), "to": [.string(own.uri.text)],
    ]
    for (key, value) in more.pairs { all[key] = value }
    let kept = JSON(pairs: all.pairs.filter { !without.contains($0.key) })
    return proved ? try assessor.prove(kept, at: now) : kept
  }

  func say(_ statement: JSON, _ name: String, _ type: String = "Create", by: ReceivingPerson? = nil) async throws
    -> String?
  {
    let speaker = by ?? assessor
    let activity = speaker.activity(type, name, object: statement, to: [own.uri.text])
    let fate = try await world.deliver(activity, by: speaker)
    try await settle()
    return fate
  }

  func weigh(_ weight: Double, _ account: Account? = nil) async throws {
    let context = world.environment.context
    let account = account ?? self.account
    try await world.database.write { try $0.setWeight(of: account, to: weight, in: context) }
    try await settle()
  }

  /// What the media lane does with stored facts.
  func settle() async throws {
    while true {
      let now = world.clock.now
      let context = world.environment.context
      let count = try await world.database.write { tx -> Int in
        let leases = try tx.leaseJobs(in: .media, at: now, until: now.adding(.seconds(60)), limit: 10)
        for lease in leases {
          if case .reconsider(let id) = lease.job, let picture = try tx.attachment(id) {
            try tx.reconsider(picture, in: context)
          }
          try tx.finish(lease)
        }
        return leases.count
      }
      if count == 0 { return }
    }
  }

  func verdict(of picture: Model.Attachment? = nil) async throws -> Verdict? {
    let id = (picture ?? self.picture).id
    return try await world.database.read { try $0.decisions(on: [id])[id]?.verdict }
  }

  func state() async throws -> Model.Attachment.State? {
    try await world.database.read { [picture] in try $0.attachment(picture.id)?.state }
  }
}

@Suite(.serialized) struct AssessmentExchangeTests {
  @Test func `rule 1: an assessment is evidence with the weight an admin gives, zero at first`() async throws {
    let here = try await AssessedWorld()
    #expect(try await here.say(try here.statement(), "1") == "done")
    #expect(try await here.verdict() == .accept)
    for (weight, verdict) in [(0.5, Verdict.accept), (1, .label), (0, .accept), (1, .label)] {
      try await here.weigh(weight)
      #expect(try await here.verdict() == verdict, "\(weight)")
    }
    // One assessor counts once, however often it speaks; two halves are a whole.
    try await here.weigh(0.5)
    #expect(try await here.say(try here.statement("2"), "2") == "done")
    #expect(try await here.verdict() == .accept)
    let second = try AssessedWorld.assessor(at: "evil.test", here.world)
    let other = try await AssessedWorld.heard(second, by: here.own, here.world)
    #expect(try await here.say(try here.statement("3", by: second), "3", by: second) == "done")
    try await here.weigh(0.5, other)
    #expect(try await here.verdict() == .label)
    let reasons = try await here.world.database.read { [picture = here.picture] tx in
      try tx.decisions(on: [picture.id])[picture.id]?.reasons.map(\.code)
    }
    #expect(reasons == [.peerAssessments])
    await here.world.close()
  }

  @Test func `rule 1: without a measured rate of false alarms an assessment has no weight`() async throws {
    let here = try await AssessedWorld()
    try await here.weigh(1)
    for (number, missing) in [("1", "falsePositiveRate"), ("2", "calibration")] {
      let statement = try here.statement(number, without: [missing])
      #expect(try await here.say(statement, number) == "done")
      #expect(try await here.verdict() == .accept, "\(missing)")
    }
    await here.world.close()
  }

  @Test func `rule 2: assessments of others flag or hold a picture, and never have it refused`() async throws {
    let here = try await AssessedWorld()
    try await here.weigh(1)
    #expect(try await here.say(try here.statement("1", "refused"), "1") == "done")
    #expect(try await here.verdict() == .label)
    let context = here.world.environment.context
    try await here.world.database.write { try $0.setAssessmentEffect(.hold, in: context) }
    try await here.settle()
    #expect(try await here.verdict() == .hold)
    #expect(try await here.state() == .held)
    var facts = ImageFacts(opinion: .inconclusive, findings: [])
    facts.peers = .refuse
    #expect(PolicyDocument.standard.decide(facts).verdict == .hold)
    #expect(AssessmentEffect.allCases.map(\.rawValue) == ["label", "hold"])
    // A member's own work is never hidden by it.
    let (post, own) = try await AssessedWorld.picture(
      of: "mika", number: "9", byte: "d", here.world, local: here.world.mika)
    let local: JSON = [
      "object": .string(post.uri.text),
      "subject": .string("https://our.example/media/\(String(repeating: "d", count: 64)).png"),
      "subjectDigest": .string(ContentDigest(bytes: own.original?.bytes ?? [])?.multibase ?? ""),
    ]
    #expect(try await here.say(try here.statement("2", "refused", with: local), "2") == "done")
    #expect(try await here.verdict(of: own) == .label)
    await here.world.close()
  }

  @Test func `rule 3: an assessment of other bytes than are here is ignored`() async throws {
    let here = try await AssessedWorld()
    try await here.weigh(1)
    let other: JSON = ["subjectDigest": .string(ContentDigest(of: [9]).multibase)]
    #expect(try await here.say(try here.statement("1", with: other), "1") == "rejected assessment.other_bytes")
    #expect(try await here.verdict() == .accept)
    // Not even when the bytes here change afterwards.
    #expect(try await here.say(try here.statement("2"), "2") == "done")
    #expect(try await here.verdict() == .label)
    let digest = try #require(Digest(rawValue: String(repeating: "e", count: 64)))
    var changed = here.picture
    changed.original = digest
    let kept = changed
    let context = here.world.environment.context
    try await here.world.database.write { tx in
      try tx.update(kept)
      try tx.replaceRenditions(of: kept.id, with: [])
      try tx.reconsider(kept, in: context)
    }
    #expect(try await here.verdict() == .accept)
    await here.world.close()
  }

  @Test func `rule 4: an Update to overturned undoes the automatic effect at once, and only its own assessor's counts`()
    async throws
  {
    let here = try await AssessedWorld()
    try await here.weigh(1)
    let context = here.world.environment.context
    try await here.world.database.write { try $0.setAssessmentEffect(.hold, in: context) }
    #expect(try await here.say(try here.statement(), "1") == "done")
    #expect(try await here.state() == .held)
    let second = try AssessedWorld.assessor(at: "evil.test", here.world)
    _ = try await AssessedWorld.heard(second, by: here.own, here.world)
    let stolen: JSON = [
      "id": "https://victim.test/assessments/1", "updated": .string(here.world.clock.now.iso8601Seconds),
    ]
    #expect(
      try await here.say(try here.statement("1", "overturned", by: second, with: stolen), "2", "Update", by: second)
        == "rejected id.origin")
    #expect(try await here.state() == .held)
    here.world.clock.advance(.seconds(600))
    let updated: JSON = ["updated": .string(here.world.clock.now.iso8601Seconds)]
    #expect(try await here.say(try here.statement("1", "overturned", with: updated), "3", "Update") == "done")
    #expect(try await here.state() == .ready)
    #expect(try await here.verdict() == .accept)
    // The older word that comes late changes nothing.
    let late: JSON = ["published": "2026-11-03T17:00:00Z", "updated": "2026-11-03T17:00:00Z"]
    #expect(try await here.say(try here.statement("1", "labelled", with: late), "4", "Update") == "done")
    #expect(try await here.verdict() == .accept)
    await here.world.close()
  }

  @Test func `rule 5: what rests on the word of others is told to nobody`() async throws {
    let here = try await AssessedWorld()
    let second = try AssessedWorld.assessor(at: "evil.test", here.world)
    let listener = try await here.world.federation.actors.account(second.uri, budget: FetchBudget())
    let context = here.world.environment.context
    let own = here.own
    try await here.world.database.write { tx in
      try tx.insert(
        Follow(
          id: context.ids.next(), followerID: listener.id, followeeID: own.id,
          uri: try #require(IRI("https://evil.test/follows/1")), state: .accepted, createdAt: context.now))
    }
    try await here.weigh(1)
    #expect(try await here.say(try here.statement(), "1") == "done")
    #expect(try await here.verdict() == .label)
    func told() async throws -> Int {
      try await here.world.database.read { tx in
        try tx.rows("SELECT payload FROM jobs WHERE lane = 'federation'").count {
          try $0.string("payload").contains("assessed")
        }
      }
    }
    #expect(try await told() == 0)
    // What a person here finds is told.
    let moderator = here.world.mika
    let picture = here.picture
    try await here.world.database.write { tx in
      try tx.decide(.label, on: picture, sentence: "Looked at.", by: moderator, in: context)
    }
    #expect(try await told() == 1)
    await here.world.close()
  }

  @Test func `rule 6: the author is told, with an appeal that needs no account`() async throws {
    let here = try await AssessedWorld()
    let mika = here.world.mika
    let (post, own) = try await AssessedWorld.picture(of: "mika", number: "9", byte: "d", here.world, local: mika)
    let local: JSON = [
      "object": .string(post.uri.text),
      "subject": .string("https://our.example/media/\(String(repeating: "d", count: 64)).png"),
      "subjectDigest": .string(ContentDigest(bytes: own.original?.bytes ?? [])?.multibase ?? ""),
    ]
    #expect(try await here.say(try here.statement("1", with: local), "1") == "done")
    let found = try await here.world.database.read { tx in
      (
        try tx.notifications(of: mika.id, kinds: [.assessment], Page(limit: 10)),
        try tx.peerAssessments(ofWorksBy: mika.id, limit: 10)
      )
    }
    #expect(found.0.map(\.postID) == [post.id] && found.0.map(\.fromID) == [here.account.id])
    #expect(found.1.map(\.appeal.text) == ["https://victim.test/appeals/1"])
    // An appeal is where the assessor is, reachable without our pages.
    #expect(
      try await here.say(try here.statement("2", with: local, without: ["appeal"]), "2")
        == "rejected assessment.malformed")
    // Told again when it is taken back, and not when nothing has changed for them.
    here.world.clock.advance(.seconds(60))
    var updated = local
    updated["updated"] = .string(here.world.clock.now.iso8601Seconds)
    #expect(try await here.say(try here.statement("1", "overturned", with: updated), "3", "Update") == "done")
    let count = try await here.world.database.read {
      try $0.notifications(of: mika.id, kinds: [.assessment], Page(limit: 10)).count
    }
    #expect(count == 2)
    await here.world.close()
  }

  @Test func `rule 7: an assessment ends with its time, and after a year only numbers are left`() async throws {
    let here = try await AssessedWorld()
    try await here.weigh(1)
    #expect(try await here.say(try here.statement(), "1") == "done")
    #expect(try await here.verdict() == .label)
    here.world.clock.advance(.seconds(101 * 86_400))
    try await sweep(here)
    #expect(try await here.verdict() == .accept)
    #expect(try await here.world.count("peer_assessments") == 1)
    here.world.clock.advance(.seconds(265 * 86_400))
    try await sweep(here)
    #expect(try await here.world.count("peer_assessments") == 0)
    let counts = try await here.world.database.read { try $0.assessmentCounts() }
    #expect(counts == [AssessmentCount(host: "victim.test", decision: .labelled, count: 1)])
    await here.world.close()
  }

  private func sweep(_ here: AssessedWorld) async throws {
    let context = here.world.environment.context
    try await here.world.database.write { try $0.endAssessments(in: context) }
    try await here.settle()
  }

  @Test func `what is public, unproved, of nobody we follow, too long-lived or malformed is not taken`() async throws {
    let here = try await AssessedWorld()
    let stranger = try AssessedWorld.assessor(at: "evil.test", here.world)
    let far = JSON.string(here.world.clock.now.adding(.seconds(300 * 86_400)).iso8601Seconds)
    let statements: [(JSON, ReceivingPerson?, String)] = [
      (try here.statement("1", with: ["to": [.string(everyone)]]), nil, "rejected assessment.public"),
      (try here.statement("2", proved: false), nil, "rejected assessment.no_proof"),
      (try here.statement("3", by: stranger), stranger, "rejected assessor.not_followed"),
      (try here.statement("4", with: ["endTime": far]), nil, "rejected assessment.malformed"),
      (try here.statement("5", with: ["score": 0.997]), nil, "rejected assessment.malformed"),
      (try here.statement("6", with: ["score": "1e0"]), nil, "rejected assessment.malformed"),
      (try here.statement("7", without: ["modelDigest"]), nil, "rejected assessment.malformed"),
      (try here.statement("8", with: ["decision": "guilty"]), nil, "rejected assessment.malformed"),
      (try here.statement("9", with: ["object": "https://a.peers.test/notes/77"]), nil, "done object.unknown"),
      (try here.statement("10", with: ["attributedTo": .string(stranger.uri.text)]), nil, "rejected owner"),
    ]
    for (statement, by, fate) in statements {
      let name = statement["id"]?.string?.split(separator: "/").last.map(String.init) ?? ""
      #expect(try await here.say(statement, name, by: by) == fate, "\(name)")
    }
    #expect(try await here.world.count("peer_assessments") == 0)
    await here.world.close()
  }

  @Test func `only servers ask to hear our assessor, and a person approves each`() async throws {
    let here = try await AssessedWorld()
    let bob = try here.world.person("bob")
    let object = JSON.string(here.own.uri.text)
    #expect(
      try await here.world.deliver(bob.activity("Follow", "f1", object: object), by: bob) == "rejected assessor.only")
    #expect(
      try await here.world.deliver(here.assessor.activity("Follow", "f2", object: object), by: here.assessor) == "done")
    let own = here.own
    let waiting = try await here.world.database.read { tx in
      (try tx.followRequests(to: own.id, Page(limit: 5)).count, try tx.remoteFollowers(of: own.id).count)
    }
    #expect(waiting == (1, 0))
    await here.world.close()
  }
}

/// Two whole servers whose admins trust each other.
@Suite(.serialized) struct AssessorsTests {
  @Test func `what is flagged here is told to approved assessors alone, with a proof, and taken back`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      // Before anybody is approved nothing is told.
      _ = try await pair.decided("First")
      try await pair.befriend()
      let picture = try await pair.decided("Second")
      let told = try await pair.paper.eventually { tx -> PeerAssessment? in
        try tx.first("SELECT uri FROM peer_assessments").flatMap { try tx.peerAssessment(uri: try $0.iri("uri")) }
      }
      let assessment = try #require(told)
      #expect(assessment.decision == .labelled)
      #expect(assessment.appeal.text == "https://canvas.test/appeals/new?work=\(picture.id)")
      let bodies = try await pair.canvas.bodies(about: assessment.uri)
      #expect(bodies.count == 1)
      let activity = try #require(bodies.first)
      #expect(activity["to"] == ["https://paper.test/actors/assessor"])
      #expect(activity["cc"] == nil || activity["cc"] == [])
      #expect(activity["object"]?["to"] == ["https://paper.test/actors/assessor"])
      #expect(
        activity["object"]?["proof"]?["verificationMethod"]?.string == "https://canvas.test/actors/assessor#ed25519-key"
      )
      #expect(!String(decoding: activity.bytes, as: UTF8.self).contains("#Public"))
      // Nothing is added to the work or to what others read of it.
      let alice = try await pair.paper.api(
        "GET", "/api/v1/notifications?types%5B%5D=atelier.assessment", as: pair.alice)
      #expect(alice.json?.array?.contains { $0["type"]?.string == "atelier.assessment" } == true)
      pair.world.clock.advance(by: .seconds(60))
      try await pair.canvas.overturn(picture.id, by: pair.berta.account)
      let taken = try await pair.paper.eventually { tx in
        try tx.peerAssessment(uri: assessment.uri)?.decision == .overturned ? true : nil
      }
      #expect(taken == true)
      #expect(
        try await pair.canvas.bodies(about: assessment.uri).compactMap { $0["type"]?.string } == ["Create", "Update"])
      #expect(
        try await pair.canvas.client.request("GET", "/appeals/new?work=\(picture.id)", host: "canvas.test").status
          == 200)
    }
  }

  @Test func `the assessor is a Service of its own, found by name, and no person`() async throws {
    try await Pair.with { pair in
      let finger = try await pair.paper.client.request(
        "GET", "/.well-known/webfinger?resource=acct:assessor@paper.test", host: "paper.test")
      #expect(
        finger.json?["links"]?.array?.contains { $0["href"]?.string == "https://paper.test/actors/assessor" } == true)
      let actor = try await pair.paper.client.request(
        "GET", "/actors/assessor", host: "paper.test", headers: [("Accept", "application/activity+json")])
      #expect(actor.status == 200)
      #expect(actor.json?["type"]?.string == "Service")
      #expect(actor.json?["inbox"]?.string == "https://paper.test/actors/assessor/inbox")
      #expect(actor.json?["assertionMethod"] != nil)
      let people = try await pair.paper.database.read { try $0.localAccounts(Page(limit: 10)).map(\.username) }
      #expect(people == ["alice"])
      let search = try await pair.paper.api("GET", "/api/v2/search?q=assess&type=accounts", as: pair.alice)
      #expect(search.json?["accounts"]?.array?.isEmpty == true)
      #expect(NewAccount.reserved.contains("assessor"))
    }
  }
}

extension Pair {
  /// paper's assessor asks to hear canvas's, and canvas's admin agrees.
  fileprivate func befriend() async throws {
    let found = try await paper.services.receiving.resolve(query: "assessor@canvas.test")
    guard case .account(let assessor) = found else {
      Issue.record("the assessor was not found")
      return
    }
    #expect(assessor.kind == .service)
    let asking = paper.services.context
    try await paper.database.write { try $0.followAssessor(assessor, in: asking) }
    let own = canvas.services.instance.assessor
    let request = try await canvas.eventually { tx -> (Account, Account)? in
      guard let us = try tx.account(uri: own) else { return nil }
      return try tx.followRequests(to: us.id, Page(limit: 5)).first.map { ($0.account, us) }
    }
    let (asker, us) = try #require(request)
    let agreeing = canvas.services.context
    try await canvas.database.write { try $0.acceptFollow(by: asker, to: us, in: agreeing) }
    let accepted = try await paper.eventually { tx in
      try tx.follows(by: try #require(try tx.account(uri: asking.instance.assessor)).id).first?.state == .accepted
        ? true : nil
    }
    #expect(accepted == true)
  }

  /// A picture of alice's that was flagged on canvas.
  fileprivate func decided(_ text: String) async throws -> Model.Attachment {
    let post = try await post(text, picture: CasePicture.png(width: 64, height: 48))
    let uri = try #require(post["uri"]?.string.flatMap { IRI($0) })
    let found = try await canvas.eventually { tx -> Model.Attachment? in
      guard let post = try tx.post(uri: uri), let picture = try tx.attachments(of: [post.id])[post.id]?.first,
        picture.state != .waiting
      else { return nil }
      return picture
    }
    let picture = try #require(found)
    try await canvas.flag(picture.id, by: berta.account)
    return picture
  }
}

extension TestInstance {
  fileprivate func flag(_ id: Model.Attachment.ID, by moderator: Account) async throws {
    let context = services.context
    try await database.write { tx in
      guard let picture = try tx.attachment(id) else { throw OperationFailure.notFound }
      try tx.decide(.label, on: picture, sentence: "A person looked.", by: moderator, in: context)
    }
  }

  fileprivate func overturn(_ id: Model.Attachment.ID, by moderator: Account) async throws {
    let context = services.context
    try await database.write { tx in
      guard let picture = try tx.attachment(id) else { throw OperationFailure.notFound }
      try tx.overturn(picture, by: moderator, in: context)
    }
  }

  fileprivate func bodies(about object: IRI) async throws -> [JSON] {
    try await database.read { tx in
      try tx.rows("SELECT body FROM outgoing WHERE object_uri = \(object) ORDER BY id").map {
        try JSON(parsing: try $0.bytes("body"), depth: 64)
      }
    }
  }
}
