import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Signatures
import Store
import Synchronization
import TestSupport
import Testing

/// A server with a door: people with passwords (`mika`, `mona` the moderator, `ada` the admin, each `secret of NAME`),
/// open to sign-ups, and a mail server beside it. Each person of an attempt has a browser of their own.
final class DoorWorld: Sendable {
  let house: MailHouse
  private let browsers = Mutex<[String: Visitor]>([:])

  private static let hash = Mutex<[String: String]>([:])

  init(_ settings: [String: String]) async throws {
    let mode = settings["registrations.mode"].flatMap { SignUpRules.Mode(rawValue: $0) } ?? .open
    house = try await MailHouse(SignUpRules(mode: mode))
    let services = house.instance.services
    for (name, role) in [("mika", Role.artist), ("mona", .moderator), ("ada", .admin)] {
      _ = try await house.instance.resident(name, role: role)
      let known = Self.hash.withLock { $0[name] }
      let made = known ?? PasswordHash(of: "secret of \(name)", random: .system)?.description
      let hash = try #require(made)
      Self.hash.withLock { $0[name] = hash }
      let account = try #require(try await house.instance.database.read { try $0.account(username: name, host: nil) })
      try await services.database.write { try $0.setPasswordHash(hash, of: account.id) }
    }
  }

  func close() async throws { try await house.close() }

  private func browser(_ name: String, from address: String?) -> Visitor {
    browsers.withLock { browsers in
      let known = browsers[name] ?? Visitor(house.instance, from: address ?? "192.0.2.\(browsers.count + 1)")
      browsers[name] = known
      return known
    }
  }

  func run(_ attempt: JSON, of abuse: AbuseCase, number: Int) async throws {
    let name = "\(abuse.id) \(attempt["name"]?.string ?? "attempt \(number)")"
    if let seconds = attempt["advance"]?.integer { house.world.clock.advance(by: .seconds(seconds)) }
    let person = browser(attempt["by"]?.string ?? "visitor", from: attempt["from"]?.string)
    if let who = attempt["sign_in"]?.string {
      let answer = try await person.signIn(as: who, password: "secret of \(who)")
      #expect(answer.status == 303, "\(name): \(answer.status)")
    }
    for (cookie, value) in attempt["cookies"]?.pairs ?? [] {
      person.plant(cookie, Template.fill(value).string ?? "")
    }
    let before = attempt["unchanged"]?.bool == true ? try await DomainTables(house.instance.database) : nil
    for path in try await paths(attempt) {
      let answer = try await send(attempt, to: path, person)
      check(attempt["expect"] ?? [:], answer, "\(name) \(path)")
    }
    if let before {
      let changes = try await DomainTables(house.instance.database).changes(since: before)
      #expect(changes == [], "\(name)")
    }
    for (address, path) in attempt["mails"]?.pairs ?? [] {
      let link = try await house.link(path.string ?? "", to: address)
      #expect(link.hasPrefix("https://paper.test/"), "\(name): \(link)")
    }
    for address in attempt["no_mail"]?.array?.compactMap(\.string) ?? [] {
      #expect(!house.post.kept.contains { $0.to.contains(address) }, "\(name)")
    }
  }

  /// `{link:/reset:mika@example.com}` is the path of a link in a mail.
  private func paths(_ attempt: JSON) async throws -> [String] {
    var paths: [String] = []
    for path in (attempt["path"]?.array ?? [attempt["path"] ?? "/"]).compactMap(\.string) {
      guard path.hasPrefix("{link:") else {
        paths.append(path)
        continue
      }
      let parts = path.dropFirst(6).dropLast().split(separator: ":").map(String.init)
      paths.append(try await house.link(try #require(parts.first), to: try #require(parts.last)).pathOnly)
    }
    return paths
  }

  /// The token of a form is read from its own page, unless the attempt says where it comes from.
  private func send(_ attempt: JSON, to path: String, _ person: Visitor) async throws -> WireAnswer {
    let headers = (attempt["headers"]?.pairs ?? []).map { ($0.key, Template.fill($0.value).string ?? "") }
    guard attempt["method"]?.string == "POST" else { return try await person.get(path, headers: headers) }
    var form = Dictionary(
      uniqueKeysWithValues: (attempt["form"]?.pairs ?? []).map { ($0.key, Template.fill($0.value).string ?? "") })
    switch attempt["token"]?.string {
    case "none": break
    case "other":
      let stranger = Visitor(house.instance, from: "192.0.2.250")
      form["token"] = try await stranger.get("/login").formToken
    case let page: form["token"] = try await person.get(page ?? path).formToken
    }
    return try await person.post(path, form, headers: headers)
  }

  private func check(_ expect: JSON, _ answer: WireAnswer, _ name: String) {
    if let status = expect["status"] {
      let allowed = (status.array ?? [status]).compactMap(\.integer).map { Int($0) }
      #expect(allowed.contains(answer.status), "\(name): \(answer.status) \(answer.text.prefix(300))")
    }
    for (field, value) in expect["headers"]?.pairs ?? [] {
      for part in (value.array ?? [value]).compactMap(\.string) {
        #expect((answer[field] ?? "").contains(part), "\(name): \(field) is \(answer[field] ?? "missing")")
      }
    }
    for part in expect["holds"]?.array?.compactMap(\.string) ?? [] {
      #expect(answer.text.contains(part), "\(name): lacks \(part)")
    }
    for part in expect["lacks"]?.array?.compactMap(\.string) ?? [] {
      #expect(!answer.text.contains(part), "\(name): holds \(part)")
    }
  }
}
