import Federation
import Foundation
import Model
import Persistence
import Primitives
import Server
import Signatures
import Store
import Synchronization
import TestSupport
import Testing
import Transport

/// One server under attack, everybody else on one fake peer, and what the case has made them answer.
final class AbuseWorld: Sendable {
  let world: TestWorld
  let instance: TestInstance
  let peer: FakePeer
  let alice: Resident
  private let served: Served

  final class Served: Sendable {
    let replies = Mutex<[String: [WireReply]]>([:])

    func set(_ url: String, _ answers: [WireReply]) { replies.withLock { $0[url] = answers } }

    /// Each request gets the next answer; the last one stays.
    func reply(to request: WireRequest) -> WireReply {
      let known = replies.withLock { replies -> WireReply? in
        guard var answers = replies[request.url] ?? replies["*\(request.host)"], let first = answers.first else {
          return nil
        }
        if answers.count > 1, replies[request.url] != nil {
          answers.removeFirst()
          replies[request.url] = answers
        }
        return first
      }
      if let known { return known }
      if request.method == "POST" { return .answer(202) }
      for actor in [RemoteActor.bob, .mallory, .eve] {
        if request.url == actor.id { return .document(actor.document) }
        if request.url == "https://\(actor.host)/.well-known/webfinger?resource=acct:\(actor.name)@\(actor.host)" {
          return .answer(type: "application/jrd+json", actor.webFinger.bytes)
        }
      }
      return .answer(404)
    }
  }

  private init(world: TestWorld, instance: TestInstance, peer: FakePeer, alice: Resident, served: Served) {
    self.world = world
    self.instance = instance
    self.peer = peer
    self.alice = alice
    self.served = served
  }

  /// The files of a server where alice lives, and nothing else has happened yet. Made once: new keys cost more time
  /// than most cases.
  private static let furnished = Task {
    let world = try TestWorld()
    defer { world.remove() }
    let instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9", works: false)
    let alice = try await instance.resident("alice")
    let home = instance.services.settings.home
    try await instance.stop()
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: home) {
      files[name] = FileManager.default.contents(atPath: "\(home)/\(name)")
    }
    return (files.filter { !$0.value.isEmpty }, alice)
  }

  static func with(
    known: [String], settings: [String: String] = [:], _ body: (AbuseWorld) async throws -> Void
  ) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let served = Served()
    let peer = try await FakePeer { served.reply(to: $0) }
    for (name, address) in [("victim.test", "45.0.0.1"), ("evil.test", "45.0.0.2"), ("cdn.test", "45.0.0.3")] {
      world.internet.name(name, [address])
      world.internet.lead(address, to: peer.port)
    }
    let (files, alice) = try await furnished.value
    let home = world.folder + "/paper.test"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, data) in files {
      let made = FileManager.default.createFile(
        atPath: "\(home)/\(name)", contents: data, attributes: [.posixPermissions: 0o600])
      try #require(made)
    }
    let instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9") { adjusted in
      if let quota = settings["media.quota"] { adjusted.mediaQuota = Int(quota) }
    }
    let abuse = AbuseWorld(world: world, instance: instance, peer: peer, alice: alice, served: served)
    let result: Result<Void, any Error>
    do {
      for (number, name) in known.enumerated() { try await abuse.introduce(name, number: 900 + number) }
      result = .success(try await body(abuse))
    } catch { result = .failure(error) }
    try await instance.stop()
    await peer.stop()
    try result.get()
  }

  /// An honest Follow, which also shows that what follows is refused for its fault and not for the harness.
  private func introduce(_ name: String, number: Int) async throws {
    let actor = try #require(RemoteActor.named(name))
    let answer = try await post(Template.activity("follow", by: actor, number: number).bytes, as: actor)
    try #require(answer.status == 202, "\(answer.text)")
    try await settle()
    let known = try await instance.database.read { try $0.account(uri: try #require(IRI(actor.id))) }
    try #require(known != nil, "\(name) is not known")
  }

  func post(_ body: [UInt8], as actor: RemoteActor, to target: String = "/users/alice/inbox") async throws -> WireAnswer
  {
    let signing = Signing(as: actor, to: "paper.test", at: world.clock.now)
    let fields = try signing.fields("POST", target, body: body)
    return try await instance.client.request(
      "POST", target, host: "paper.test", headers: fields + [("Content-Type", "application/activity+json")],
      body: body)
  }

  /// Until no work is due: what waits for later stays.
  func settle() async throws {
    let now = world.clock.now
    let done = try await instance.eventually { tx in
      let jobs = try tx.first(
        "SELECT COUNT(*) AS many FROM jobs WHERE state = 'ready' AND (run_at <= \(now) OR leased_until IS NOT NULL)")
      let deliveries = try tx.first(
        """
        SELECT COUNT(*) AS many FROM deliveries
        WHERE state = 'waiting' AND (next_at <= \(now) OR leased_until IS NOT NULL)
        """)
      let many = try (jobs?.int("many") ?? 0) + (deliveries?.int("many") ?? 0)
      return many == 0 ? true : nil
    }
    #expect(done == true, "the work did not come to an end")
  }

  /// What the case says about names and other servers.
  func prepare(_ attempt: JSON) throws {
    for (name, answers) in attempt["names"]?.pairs ?? [] {
      let lists = answers.array?.compactMap { $0.array?.compactMap(\.string) } ?? []
      world.internet.name(name, answers: lists)
    }
    for address in attempt["lead"]?.array?.compactMap(\.string) ?? [] { world.internet.lead(address, to: peer.port) }
    for (url, replies) in attempt["serve"]?.pairs ?? [] {
      served.set(url, try (replies.array ?? [replies]).map(reply))
    }
  }

  private func reply(_ json: JSON) throws -> WireReply {
    if let raw = json["raw"] {
      let bytes = Template.bytes(raw)
      switch json["then"]?.string {
      case "drip": return .drip(bytes)
      case "flood": return .flood(bytes)
      case "close": return .bytes(bytes, close: true)
      default: return .bytes(bytes, close: false)
      }
    }
    switch json["does"]?.string {
    case "nothing": return .nothing
    case "hang_up": return .hangUp
    default: break
    }
    let headers = (json["headers"]?.pairs ?? []).map { ($0.key, $0.value.string ?? "") }
    let picture = try json["picture"]?.string.map { try CasePicture.make($0) }
    let body = picture ?? json["body"].map { Template.bytes($0) } ?? []
    let status = Int(json["status"]?.integer ?? 200)
    let type = json["type"].map { $0.string } ?? (json["body"] == nil ? nil : "application/activity+json")
    return .answer(status, type: type, headers: headers, body)
  }
}

/// What an attempt came to.
struct Outcome: Sendable {
  var status: Int?
  var code: String?
  var answer: WireAnswer?
  /// Of the activity that was sent.
  var activity: String?
}

extension AbuseWorld {
  func run(_ attempt: JSON, of abuse: AbuseCase, number: Int) async throws {
    let name = "\(abuse.id).\(number) \(attempt["name"]?.string ?? "")"
    world.clock.advance(by: .seconds(attempt["advance"]?.integer ?? 660))
    try prepare(attempt)
    let mayChange = attempt["expect"]?["rows"]?.string == "any"
    let files = self.files
    let before = mayChange ? nil : try await DomainTables(instance.database)
    let sent = world.internet.egress.count
    let asked = peer.asked.count
    let outcome = try await perform(attempt, abuse.shape, number: number)
    if attempt["settle"]?.bool != false { try await settle() }
    let expect = attempt["expect"] ?? [:]
    check(expect, outcome, name)
    if expect["files"]?.string == "same" { #expect(self.files == files, "\(name)") }
    if let before {
      let changes = try await DomainTables(instance.database).changes(since: before)
      if expect["rows"]?.string == "changed" {
        #expect(!changes.isEmpty, "\(name): nothing was stored")
      } else {
        #expect(changes.isEmpty, "\(name): \(changes.prefix(3).joined(separator: "\n"))")
      }
    }
    check(expect, egress: Array(world.internet.egress.dropFirst(sent)), asked: Array(peer.asked.dropFirst(asked)), name)
    try await check(stored: expect, outcome, name)
  }

  private func perform(_ attempt: JSON, _ shape: AbuseCase.Shape, number: Int) async throws -> Outcome {
    switch attempt["do"]?.string ?? shape.rawValue {
    case "inbox": return try await deliver(attempt, number: number)
    case "get": return try await get(attempt)
    case "fetch": return await fetch(try #require(attempt["url"]?.string))
    case "resolve": return await resolve(try #require(attempt["url"]?.string))
    case "dial": return await dial(attempt)
    case "picture", "upload": return try await upload(attempt)
    case "portrait":
      let bytes =
        try attempt["picture"]?.string.map { try CasePicture.make($0) } ?? Template.bytes(attempt["bytes"] ?? "")
      let answer = try await instance.portrait(
        bytes, as: alice, place: attempt["place"]?.string ?? "avatar", type: attempt["type"]?.string)
      return Outcome(status: answer.status, code: answer.code, answer: answer)
    case "block_host":
      let now = world.clock.now
      let host = try #require(attempt["host"]?.string)
      try await instance.database.write { tx in
        try tx.execute(
          "INSERT INTO blocked_hosts (host, reason, created_at) VALUES (\(host), 'test', \(now))")
        return
      }
      return Outcome()
    case "suspend":
      let now = world.clock.now
      let uri = try #require(attempt["account"]?.string)
      try await instance.database.write { tx in
        try tx.execute("UPDATE accounts SET suspended_at = \(now) WHERE uri = \(uri)")
        return
      }
      return Outcome()
    case "post_status":
      let answer = try await instance.api("POST", "/api/v1/statuses", as: alice, json: attempt["status"])
      return Outcome(status: answer.status, code: answer.code, answer: answer)
    default: return try await performMore(attempt, shape)
    }
  }

  // MARK: - Inbox

  private func deliver(_ attempt: JSON, number: Int) async throws -> Outcome {
    let actor = try #require(RemoteActor.named(attempt["as"]?.string ?? "bob"))
    let author = try #require(RemoteActor.named(attempt["author"]?.string ?? actor.name))
    var activity = Template.patched(
      Template.activity(
        attempt["base"]?.string ?? "follow", by: author, number: Int(attempt["number"]?.integer ?? Int64(number))),
      with: Template.fill(attempt["with"] ?? [:]))
    activity = try await placed(activity)
    if let name = attempt["proof"]?.string {
      activity = try #require(RemoteActor.named(name)).proved(activity, at: world.clock.now)
      activity = Template.patched(activity, with: attempt["after_proof"] ?? [:])
    }
    let signed = attempt["body"].map { Template.bytes($0) } ?? activity.bytes
    let body = attempt["sent_body"].map { Template.bytes($0) } ?? signed
    let target = attempt["to"]?.string ?? "/users/alice/inbox"
    let fields = try headers("POST", target, attempt, actor, signed)
    let bytes = WireClient.bytes(
      attempt["method"]?.string ?? "POST", target, host: "paper.test", headers: fields, body: body)
    let client = instance.client
    let times = Int(attempt["times"]?.integer ?? 1)
    let answers = try await withThrowingTaskGroup(of: WireAnswer.self) { group in
      for _ in 0..<times { group.addTask { try await client.send(bytes) } }
      var answers: [WireAnswer] = []
      for try await answer in group { answers.append(answer) }
      return answers
    }
    #expect(Set(answers.map(\.status)).count == 1)
    return Outcome(
      status: answers.first?.status, code: answers.first?.code, answer: answers.first,
      activity: attempt["expect"]?["activity"]?.string ?? activity["id"]?.string)
  }

  private func headers(
    _ method: String, _ target: String, _ attempt: JSON, _ actor: RemoteActor, _ body: [UInt8]
  ) throws -> [(String, String)] {
    let sign = attempt["sign"] ?? [:]
    let key = try sign["key"]?.string.map { try #require(RemoteActor.named($0)) } ?? actor
    var signing = Signing(as: key, to: "paper.test", at: world.clock.now)
    signing.keyID = sign["key_id"]?.string ?? actor.keyID
    signing.scheme = sign["scheme"]?.string.flatMap { Signing.Scheme(rawValue: $0) } ?? .cavage
    if let algorithm = sign["algorithm"] { signing.algorithm = algorithm.string }
    signing.covered = sign["covered"]?.array?.compactMap(\.string)
    signing.date = Int(sign["date"]?.integer ?? 0)
    signing.created = sign["created"]?.integer.map { Int($0) }
    signing.expires = sign["expires"]?.integer.map { Int($0) }
    signing.signedHost = sign["signed_host"]?.string
    if let host = sign["host"]?.string { signing.host = host }
    signing.scheme9421 = sign["uri_scheme"]?.string ?? "https"
    if let label = sign["label"]?.string { signing.label = label }
    signing.signatureLabel = sign["signature_label"]?.string
    if let digest = sign["digest"]?.string { signing.digest = self.digest(digest, body) }
    signing.signedDigest = sign["signed_digest"].flatMap { $0.string }.map { self.digest($0, body) }
    var fields = try signing.fields(method, target, body: body)
    if let other = sign["also"] {
      var second = attempt
      second["sign"] = other
      let and = try #require(RemoteActor.named(other["key"]?.string ?? actor.name))
      let more = try headers(method, target, second, and, body).filter { field in
        field.0.lowercased() != "content-type" && !fields.contains { $0.0.lowercased() == field.0.lowercased() }
          || ["signature", "signature-input"].contains(field.0.lowercased())
      }
      fields += more
    }
    if method != "GET", attempt["headers"]?["Content-Type"] == nil {
      fields.append(("Content-Type", "application/activity+json"))
    }
    for (name, value) in attempt["headers"]?.pairs ?? [] {
      if attempt["add_headers"]?.bool != true { fields.removeAll { $0.0.lowercased() == name.lowercased() } }
      guard value != .null else { continue }
      let signature = fields.first { $0.0.lowercased() == "signature" }?.1 ?? ""
      let text = Template.fill(value).string ?? ""
      fields.append((name, text.replacingOccurrences(of: "{signature}", with: signature)))
    }
    if let edit = attempt["edit_signature"] {
      fields = fields.map { field in
        guard field.0 == "Signature" else { return field }
        return (
          field.0,
          field.1.replacingOccurrences(
            of: edit["replace"]?.string ?? "", with: Template.fill(edit["with"] ?? "").string ?? "")
        )
      }
    }
    return fields
  }

  /// `right` is the right digest, `body:...` that of another body; anything else stands as it is.
  private func digest(_ text: String, _ body: [UInt8]) -> String {
    if text.hasPrefix("body:") { return Signing.digest(of: Array(text.dropFirst(5).utf8)) }
    let right = Signing.digest(of: body)
    let value = right.dropFirst("SHA-256=".count)
    return text.replacingOccurrences(of: "{right}", with: right)
      .replacingOccurrences(of: "{value}", with: value)
      .replacingOccurrences(
        of: "{url_value}", with: value.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      )
      .replacingOccurrences(of: "{unpadded}", with: value.replacingOccurrences(of: "=", with: ""))
  }

  // MARK: - Reading

  private func get(_ attempt: JSON) async throws -> Outcome {
    var target = try #require(attempt["url"]?.string)
    if target.contains("{post}") {
      let base: IRI? = try await instance.database.read { tx in
        try tx.first("SELECT uri FROM posts WHERE is_local ORDER BY id DESC LIMIT 1")?.iri("uri")
      }
      target = target.replacingOccurrences(of: "{post}", with: try #require(base).pathAndQuery)
    }
    if target.contains("{media}") {
      let digest = try await instance.database.read { tx in
        try tx.first(
          "SELECT digest, media_type FROM renditions WHERE kind = 'federated' ORDER BY attachment_id DESC LIMIT 1"
        ).map { (try $0.string("digest"), try $0.string("media_type") == "image/png" ? "png" : "jpg") }
      }
      let (name, ending) = try #require(digest)
      target = target.replacingOccurrences(of: "{media}", with: "/media/\(name).\(ending)")
    }
    var fields: [(String, String)] = [("Accept", "application/activity+json")]
    if let name = attempt["as"]?.string {
      let actor = try #require(RemoteActor.named(name))
      var unsigned = attempt
      unsigned["headers"] = nil
      fields += try headers("GET", target, unsigned, actor, [])
    }
    for (name, value) in attempt["headers"]?.pairs ?? [] {
      fields.removeAll { $0.0.lowercased() == name.lowercased() }
      fields.append((name, value.string ?? ""))
    }
    let answer = try await instance.client.request("GET", target, host: "paper.test", headers: fields)
    return Outcome(status: answer.status, code: answer.code, answer: answer)
  }

  private func fetch(_ url: String) async -> Outcome {
    guard let iri = IRI(url) else { return Outcome(code: "no_iri") }
    do {
      let found = try await instance.services.receiving.fetch.document(iri, budget: FetchBudget())
      return Outcome(code: "found \(found.id)")
    } catch { return Outcome(code: error.code) }
  }

  private func resolve(_ query: String) async -> Outcome {
    do {
      switch try await instance.services.receiving.resolve(query: query) {
      case .post(let post): return Outcome(code: "found \(post.uri)")
      case .account(let account): return Outcome(code: "found \(account.uri)")
      case nil: return Outcome(code: "nothing")
      }
    } catch { return Outcome(code: error.code) }
  }

  private func dial(_ attempt: JSON) async -> Outcome {
    guard let url = attempt["url"]?.string, let iri = IRI(url) else { return Outcome(code: "no_iri") }
    let fields = (attempt["headers"]?.pairs ?? []).map { HeaderField($0.key, $0.value.string ?? "") }
    let limit = Int(attempt["limit"]?.integer ?? 1 << 20)
    let deadline = Duration.milliseconds(attempt["deadline_ms"]?.integer ?? 30_000)
    let request = OutgoingRequest(url: iri, headers: fields, maximumResponse: limit, deadline: deadline)
    let times = Int(attempt["times"]?.integer ?? 1)
    let client = instance.services.federation.client
    let outcomes = await withTaskGroup(of: Outcome.self) { group in
      for _ in 0..<times {
        group.addTask {
          do {
            let answer =
              attempt["method"]?.string == "POST" ? try await client.post(request) : try await client.get(request)
            return Outcome(status: answer.status, code: "done")
          } catch let failure as TransportFailure {
            return Outcome(code: failure.code)
          } catch {
            return Outcome(code: "\(error)")
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    return outcomes.first ?? Outcome()
  }

  // MARK: - Pictures

  /// Everything under the folder of media.
  var files: Set<String> {
    let root = instance.services.settings.mediaPath
    let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return Set(
      found.filter { name in
        (try? FileManager.default.attributesOfItem(atPath: "\(root)/\(name)")[.type] as? FileAttributeType)
          == .typeRegular
      })
  }

  private func upload(_ attempt: JSON) async throws -> Outcome {
    let bytes: [UInt8]
    if let name = attempt["picture"]?.string {
      bytes = try CasePicture.make(name)
    } else {
      bytes = Template.bytes(attempt["bytes"] ?? "")
    }
    var artist = alice
    if let name = attempt["by"]?.string { artist = try await instance.resident(name) }
    if attempt["half"]?.bool == true {
      try await instance.client.breakOff(
        instance.uploadRequest(bytes, type: CasePicture.type(of: bytes), as: artist), after: bytes.count / 2)
      return Outcome()
    }
    let answer = try await instance.upload(
      bytes, named: attempt["file"]?.string ?? "work.png",
      type: attempt["type"].map { $0.string } ?? CasePicture.type(of: bytes), as: artist)
    if attempt["publish"]?.bool == true {
      let post = try await instance.api(
        "POST", "/api/v1/statuses", as: artist,
        json: ["status": "A work", "media_ids": [.string(try #require(answer.json?["id"]?.string))]])
      #expect(post.status == 200, "\(post.text)")
    }
    return Outcome(status: answer.status, code: answer.code, answer: answer)
  }
}
