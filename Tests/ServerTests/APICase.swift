import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

/// A case of the groups E, L and P: steps against the faces of one server, in order. What a step may say is in
/// `Cases/api/README.md`.
struct APICase: Sendable, CustomTestStringConvertible {
  let id: String
  let title: String
  let known: [String]
  let residents: [String: String]
  let steps: [JSON]

  var testDescription: String { "\(id) \(title)" }

  private static func folder() -> URL? { Bundle.module.resourceURL?.appendingPathComponent("Cases/api") }

  static let all: [APICase] = {
    guard let folder = folder() else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        .filter { $0.hasSuffix(".json") && !["waiting.json", "shown.json"].contains($0) }
        .map { try APICase(reading: folder.appendingPathComponent($0)) }
    } catch {
      Issue.record("a case can not be read: \(error)")
      return []
    }
  }()

  /// `waiting`: what a case waits for. `shown`: the name of the test that shows it where data do not reach.
  static func notes(_ name: String) -> [String: String] {
    guard let file = folder()?.appendingPathComponent("\(name).json"),
      let data = FileManager.default.contents(atPath: file.path), let json = try? JSON(parsing: Array(data))
    else { return [:] }
    return Dictionary(uniqueKeysWithValues: json.pairs.map { ($0.key, $0.value.string ?? "") })
  }

  private init(reading file: URL) throws {
    let json = try JSON(parsing: Array(Data(contentsOf: file)), depth: 64)
    guard let id = json["id"]?.string, id == file.deletingPathExtension().lastPathComponent,
      let title = json["title"]?.string, let steps = json["steps"]?.array, !steps.isEmpty
    else { throw AbuseCase.Malformed(what: file.lastPathComponent) }
    self.id = id
    self.title = title
    known = json["known"]?.array?.compactMap(\.string) ?? []
    residents = Dictionary(
      uniqueKeysWithValues: (json["residents"]?.pairs ?? []).map { ($0.key, $0.value.string ?? "") })
    self.steps = steps.flatMap { step in
      guard let values = step["each"]?.array else { return [step] }
      return values.map { value in
        var one = step
        one["each"] = nil
        one["each_value"] = value
        return one
      }
    }
  }
}

/// One run of a case: what the steps keep for each other.
struct APICaseRun {
  let world: AbuseWorld
  private var kept: [String: String] = [:]
  private var answers: [String: WireAnswer] = [:]
  private var residents: [String: Resident]

  init(_ world: AbuseWorld, residents: [String: String]) async throws {
    self.world = world
    var people = ["alice": world.alice]
    for (name, scopes) in residents.sorted(by: { $0.key < $1.key }) {
      people[name] = try await world.instance.resident(name, scopes: scopes)
    }
    self.residents = people
    kept = people.mapValues { "\($0.account.id)" }
    for name in ["bob", "eve"] {
      let actor = try #require(RemoteActor.named(name))
      let account = try await world.instance.database.read { try $0.account(uri: try #require(IRI(actor.id))) }
      kept[name] = account.map { "\($0.id)" }
    }
  }

  private func filled(_ text: String) -> String {
    kept.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) }
  }

  private func filled(_ json: JSON) -> JSON {
    if let text = json.string { return .string(filled(text)) }
    if let array = json.array { return .array(array.map(filled)) }
    if json.object != nil { return JSON(pairs: json.pairs.map { (filled($0.key), filled($0.value)) }) }
    return json
  }

  mutating func run(_ step: JSON, _ name: String) async throws {
    if let each = step["each_value"] { kept["each"] = Template.fill(each).string ?? Template.fill(each).text }
    if let seconds = step["advance"]?.integer { world.world.clock.advance(by: .seconds(seconds)) }
    switch step["do"]?.string ?? "api" {
    case "inbox": try await deliver(step, name)
    case "authorize": try await authorize(step)
    case "suspend", "revoke", "delete_account": try await end(step)
    default: try await request(step, name)
    }
  }

  private func account(_ name: String) async throws -> Account {
    let id = try #require(kept[name].flatMap { Account.ID($0) })
    return try #require(try await world.instance.database.read { try $0.account(id) })
  }

  private func end(_ step: JSON) async throws {
    let account = try await account(step["who"]?.string ?? "")
    let context = world.instance.services.context
    let act = step["do"]?.string
    try await world.instance.database.write { tx in
      switch act {
      case "suspend": try tx.suspend(account, in: context)
      case "revoke": try tx.revokeEverything(of: account.id, at: context.now)
      default: try tx.deleteAccount(account, in: context)
      }
    }
    try await world.settle()
  }

  /// What a person's consent would be.
  private mutating func authorize(_ step: JSON) async throws {
    let account = try await account(step["as"]?.string ?? "alice")
    let client = filled(step["client"]?.string ?? "{client}")
    let scopes = try #require(Scopes(step["scopes"]?.string ?? "read"))
    let redirect = step["redirect"]?.string ?? OAuthClient.outOfBand
    let challenge = step["verifier"]?.string.map(pkceChallenge)
    let code = "code-\(answers.count)-\(kept.count)"
    let context = world.instance.services.context
    try await world.instance.database.write { tx in
      let application = try #require(try tx.application(clientID: client))
      try tx.authorize(
        application, for: account, scopes: scopes, redirect: redirect, challenge: challenge,
        codeHash: secretHash(code), in: context)
    }
    kept[step["keep"]?.string ?? "code"] = code
  }

  private func deliver(_ step: JSON, _ name: String) async throws {
    let actor = try #require(RemoteActor.named(step["as"]?.string ?? "bob"))
    let activity = Template.patched(
      Template.activity(step["base"]?.string ?? "note", by: actor, number: Int(step["number"]?.integer ?? 1)),
      with: Template.fill(filled(step["with"] ?? [:])))
    let answer = try await world.post(activity.bytes, as: actor, to: step["to"]?.string ?? "/users/alice/inbox")
    #expect(answer.status == Int(step["expect"]?["status"]?.integer ?? 202), "\(name): \(answer.text)")
    try await world.settle()
  }

  private func fields(_ step: JSON, _ method: String, _ path: String, _ body: [UInt8]) throws -> [(String, String)] {
    var fields: [(String, String)] = []
    if let who = step["as"]?.string { fields.append(("Authorization", "Bearer token-of-\(who)")) }
    if let token = step["token"]?.string { fields.append(("Authorization", "Bearer \(filled(token))")) }
    if let signer = step["sign"]?.string {
      let actor = try #require(RemoteActor.named(signer))
      fields += try Signing(as: actor, to: "paper.test", at: world.world.clock.now).fields(method, path, body: body)
      fields.append(("Accept", "application/activity+json"))
    }
    for (field, value) in step["headers"]?.pairs ?? [] {
      fields.append((field, Template.fill(filled(value)).string ?? ""))
    }
    if step["form"] != nil { fields.append(("Content-Type", "application/x-www-form-urlencoded")) }
    if step["json"] != nil { fields.append(("Content-Type", "application/json")) }
    return fields
  }

  private func body(_ step: JSON) -> [UInt8] {
    if let json = step["json"] { return Template.fill(filled(json)).bytes }
    let pairs = (step["form"]?.pairs ?? []).flatMap { pair -> [String] in
      let filledIn = Template.fill(filled(pair.value))
      return (filledIn.array ?? [filledIn]).map {
        "\(percentEncoded(pair.key))=\(percentEncoded(filled($0.string ?? $0.text)))"
      }
    }
    return Array(pairs.joined(separator: "&").utf8)
  }

  private mutating func request(_ step: JSON, _ name: String) async throws {
    let method = step["method"]?.string ?? "GET"
    let path = filled(
      (step["path"]?.string ?? "/").replacingOccurrences(of: "{{each}}", with: percentEncoded(kept["each"] ?? "")))
    let body = body(step)
    var answer: WireAnswer?
    if let picture = step["upload"]?.string {
      let owner = try #require(residents[step["as"]?.string ?? "alice"])
      answer = try await world.instance.upload(
        try CasePicture.make(picture), named: filled(step["file"]?.string ?? "work.png"), as: owner)
    } else {
      let headers = try fields(step, method, path, body)
      for _ in 0..<Int(step["times"]?.integer ?? 1) {
        answer = try await world.instance.client.request(method, path, host: "paper.test", headers: headers, body: body)
      }
    }
    let final = try #require(answer)
    for (variable, place) in step["keep"]?.pairs ?? [] {
      let found = (place.string ?? "").split(separator: ".").reduce(final.json as JSON?) { json, part in
        Int(part).map { json?.array?.dropFirst($0).first } ?? json?[String(part)]
      }
      kept[variable] = try #require(found?.string, "\(name): no \(place) in \(final.text.prefix(200))")
    }
    if let label = step["keep_answer"]?.string { answers[label] = final }
    check(final, step["expect"] ?? [:], name)
  }

  private func check(_ answer: WireAnswer, _ expect: JSON, _ name: String) {
    let text = answer.text
    let shown = "\(name): \(answer.status) \(text.prefix(200))"
    if let status = expect["status"] {
      #expect((status.array ?? [status]).compactMap(\.integer).contains(Int64(answer.status)), "\(shown)")
    }
    #expect(answer.status < 500, "\(shown)")
    if let code = expect["code"]?.string {
      #expect(answer.code == code || answer.json?["error"]?.string == code, "\(shown)")
    }
    for part in expect["holds"]?.array?.compactMap(\.string) ?? [] { #expect(text.contains(filled(part)), "\(shown)") }
    for part in expect["lacks"]?.array?.compactMap(\.string) ?? [] {
      #expect(!text.contains(filled(part)), "\(name) holds \(part): \(text.prefix(2_000))")
    }
    for (field, value) in expect["headers"]?.pairs ?? [] {
      let found = answer[field.lowercased()]
      if value.isNull {
        #expect(found == nil, "\(name): \(field) is \(found ?? "")")
      } else {
        #expect(found?.contains(filled(value.string ?? "")) == true, "\(name): \(field) is \(found ?? "absent")")
      }
    }
    for (key, value) in expect["json"]?.pairs ?? [] {
      #expect(answer.json?[key] == filled(value), "\(name): \(key) is \(answer.json?[key]?.text ?? "absent")")
    }
    if let count = expect["count"]?.integer { #expect(answer.json?.array?.count == Int(count), "\(shown)") }
    if let label = expect["same_as"]?.string, let other = answers[label] {
      #expect(other.status == answer.status && other.body == answer.body, "\(shown) is not \(other.text.prefix(200))")
    }
  }
}

@Suite struct `Abuse of the client API` {
  @Test(arguments: APICase.all)
  func `what one may not see, do or break stays as it was`(abuse: APICase) async throws {
    try await AbuseWorld.with(known: abuse.known) { world in
      var run = try await APICaseRun(world, residents: abuse.residents)
      for (number, step) in abuse.steps.enumerated() {
        try await run.run(step, "\(abuse.id) step \(number) \(step["name"]?.string ?? step["path"]?.string ?? "")")
      }
    }
  }

  @Test func `every case of groups E, L and P runs, is shown by a test, or says what it waits for`() throws {
    let (run, waiting, shown) = (APICase.all.map(\.id), APICase.notes("waiting"), APICase.notes("shown"))
    #expect(Set(run).isDisjoint(with: waiting.keys) && Set(waiting.keys).isDisjoint(with: shown.keys))
    #expect(Set(run + waiting.keys + shown.keys).sorted() == Self.catalogue)
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let files = FileManager.default.enumerator(atPath: tests.path)?.compactMap { $0 as? String } ?? []
    let sources = files.filter { $0.hasSuffix(".swift") }.compactMap {
      FileManager.default.contents(atPath: tests.path + "/" + $0).map { String(decoding: $0, as: UTF8.self) }
    }
    for (id, name) in shown {
      #expect(sources.contains { $0.contains("`\(name)`") }, "\(id) is shown by no test named \(name)")
    }
    #expect(waiting.values.allSatisfy { !$0.isEmpty })
  }

  private static let catalogue: [String] =
    ["E094", "E095", "E097", "E099"]
    + [100, 101, 102, 103, 105, 106, 108, 110, 111, 112, 113, 114, 116].map { "E\($0)" }
    + [244, 245, 246, 247, 248, 249, 250, 252, 253, 254, 255, 257, 261, 262, 263, 264, 265].map { "L\($0)" }
    + [328, 329, 330, 331, 332, 334, 337, 338, 340, 341, 342, 343, 344, 345, 346].map { "P\($0)" }
}
