import Foundation
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

/// Letters as jobs: at least once, at most once more than an answer was lost, and with no secret in the queue.
@Suite struct `A letter` {
  private func house(_ script: FakeMailServer.Behaviour...) async throws -> MailHouse {
    let house = try await MailHouse(SignUpRules(mode: .open), works: false)
    house.post.play(script)
    return house
  }

  private func ask(_ house: MailHouse) async throws {
    let visitor = Visitor(house.instance)
    let answer = try await visitor.submit("/sign-up", MailHouse.form("mika", "mika@mail.test"))
    #expect(answer.status == 200, "\(answer.text)")
  }

  @Test func `is tried until it is taken, and then no more`() async throws {
    let house = try await house(
      .init { $0.diesAt = "CONNECT" }, .init { $0.replies = ["RCPT": "450 greylisted"] },
      .init { $0.diesAt = "DATA" }, .init { $0.offersTLS = false }, .init())
    try await ask(house)
    for attempt in 1...5 {
      try await house.sendOnce()
      #expect(house.post.kept.count == (attempt == 5 ? 1 : 0), "\(attempt)")
      // Not at once: a server in trouble is left in peace.
      let connections = house.post.connections
      try await house.sendOnce()
      #expect(house.post.connections == connections)
      house.world.clock.advance(by: .seconds(3_700))
    }
    #expect(try await house.waiting == 0)
    try await house.close()
  }

  @Test func `comes twice at most when its server dies with it, whatever happens between`() async throws {
    let house = try await house(
      .init { $0.diesAt = "." }, .init { $0.diesAt = "CONNECT" }, .init { $0.diesAt = "." })
    try await ask(house)
    for _ in 0..<6 {
      try await house.sendOnce()
      house.world.clock.advance(by: .seconds(3_700))
    }
    #expect(house.post.kept.count == 2 && house.post.connections == 3)
    #expect(try await house.waiting == 0)
    let ids = house.post.kept.flatMap { $0.header("Message-ID") }
    #expect(Set(ids).count == 1, "the reader's mailbox can tell that they are one")
    // Both links are good, and using one ends the other.
    let links = house.post.kept.compactMap { $0.link("/sign-up/confirm")?.pathOnly }
    #expect(Set(links).count == 2)
    let visitor = Visitor(house.instance)
    #expect(try await visitor.submit(try #require(links.first), [:]).text.contains("Your account is open"))
    #expect(try await visitor.get(try #require(links.last)).status == 404)
    try await house.close()
  }

  @Test func `that nobody will ever take is not tried again`() async throws {
    let house = try await house(.init { $0.replies = ["RCPT": "550 no such mailbox"] })
    try await ask(house)
    try await house.sendOnce()
    #expect(try await house.waiting == 0)
    #expect(house.post.kept.isEmpty)
    try await house.close()
  }

  @Test func `survives a restart, and is put aside for a person after three days`() async throws {
    let house = try await house(.init { $0.replies = ["AUTH": "535 wrong", "MAIL": "530 sign in first"] })
    house.post.play([.init { $0.diesAt = "CONNECT" }])
    try await ask(house)
    try await house.sendOnce()
    try await house.instance.stop()
    let again = try await house.reopened(SignUpRules(mode: .open))
    house.world.clock.advance(by: .seconds(7_200))
    house.post.play([.init()])
    let services = again.services
    let now = services.time.now()
    let leases = try await again.database.write {
      try $0.leaseJobs(in: .mail, at: now, until: now.adding(.seconds(60)), limit: 10)
    }
    let lease = try #require(leases.first)
    guard case .mail(let letter) = lease.job else { return }
    try await services.send(letter, lease)
    #expect(house.post.kept.count == 1)
    try await again.stop()
    try await house.post.close()

    let late = try await MailHouse(SignUpRules(mode: .open), works: false)
    late.post.play([.init { $0.diesAt = "CONNECT" }])
    try await ask(late)
    try await late.sendOnce()
    late.world.clock.advance(by: .seconds(4 * 86_400))
    try await late.sendOnce()
    let counts = try await late.instance.database.read { try $0.jobCounts() }
    #expect(counts.map(\.state) == ["quarantined"] && late.post.kept.isEmpty)
    try await late.close()
  }

  @Test func `leaves neither its address nor its secret in the queue`() async throws {
    let house = try await house()
    try await ask(house)
    let payloads = try await house.instance.database.read { tx in
      try tx.rows("SELECT payload FROM jobs").map { try $0.string("payload") }
    }
    #expect(payloads.count == 1 && payloads.allSatisfy { !$0.contains("@") && !$0.contains("mika") })
    try await house.sendOnce()
    let link = try #require(house.post.kept.first?.link("/sign-up/confirm"))
    let secret = try #require(link.split(separator: "/").last.map(String.init))
    let stored = try await house.instance.database.read { tx in
      try tx.rows("SELECT secret_hash, purpose FROM mail_links").map { try $0.string("secret_hash") }
    }
    #expect(stored.count == 1 && stored.first != secret && stored.first?.count == 64)
    try await house.close()
  }
}
