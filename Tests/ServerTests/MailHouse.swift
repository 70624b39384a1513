import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import Synchronization
import TestSupport
import Testing
import Transport

/// A server that sends mail, and the mail server it sends it by.
final class MailHouse: Sendable {
  let world: TestWorld
  let post: FakeMailServer
  let instance: TestInstance

  init(
    _ rules: SignUpRules = SignUpRules(mode: .approval), works: Bool = true, _ script: FakeMailServer.Behaviour...
  ) async throws {
    world = try TestWorld()
    post = try await FakeMailServer(script: script)
    world.internet.name("mail.peers.test", ["45.0.0.25"])
    world.internet.lead("45.0.0.25", to: post.port)
    instance = try await MailHouse.open(world, rules, works: works)
  }

  private static func open(_ world: TestWorld, _ rules: SignUpRules, works: Bool) async throws -> TestInstance {
    try await TestInstance("paper.test", in: world, address: "45.0.0.9", works: works) { settings in
      settings.signUps = rules
      if let from = EmailAddress("atelier@paper.test") {
        settings.mail = MailSettings(
          server: MailServer(
            host: "mail.peers.test", port: 587, security: .startTLS, extraCAFile: world.authorityFile), from: from)
      }
    }
  }

  /// The same folder in a new process, after `instance` was stopped.
  func reopened(_ rules: SignUpRules) async throws -> TestInstance {
    try await MailHouse.open(world, rules, works: false)
  }

  func close() async throws {
    try await instance.stop()
    try await post.close()
    world.remove()
  }

  /// Runs what the mail lane would, once, without a clock that runs.
  func sendOnce() async throws {
    let services = instance.services
    let now = services.time.now()
    let leases = try await instance.database.write {
      try $0.leaseJobs(in: .mail, at: now, until: now.adding(.seconds(60)), limit: 10)
    }
    for lease in leases {
      guard case .mail(let letter) = lease.job else { continue }
      try await services.send(letter, lease)
    }
  }

  var waiting: Int {
    get async throws { try await instance.database.read { try $0.jobCounts() }.map(\.count).reduce(0, +) }
  }

  /// The newest mail to `address`, once there is one with this path in a link.
  func link(_ path: String, to address: String) async throws -> String {
    var link: String?
    for _ in 0..<200 where link == nil {
      link = post.kept.last { $0.to.contains("<\(address)>") && $0.link(path) != nil }?.link(path)
      if link == nil { _ = try await instance.eventually(within: .milliseconds(100)) { _ in nil as Bool? } }
    }
    return try #require(link, "no mail to \(address): \(post.kept.map(\.to))")
  }

  static func form(_ name: String, _ email: String, reason: String = "I paint lakes") -> [String: String] {
    [
      "username": name, "email": email, "password": "a long password", "reason": reason, "agreement": "1",
    ]
  }
}
