import Model
import Operations
import Persistence
import Primitives
import Store
import Testing
import Transport

@testable import Federation

/// The queue as it is, rows and all, under random work, against what it must never do.
private final class QueueModel {
  enum Kind: String { case create, update, delete }
  struct Made {
    let kind: Kind
    let object: Int
    let at: Timestamp
  }

  let house: DeliveringHouse
  var lots: Lots
  let inboxes: [IRI]
  var made: [ID<Outgoing>: Made] = [:]
  /// What became of each object: nil before it was made, false once it is deleted.
  var lives: [Int: Bool] = [:]
  var inFlight: [Delivery] = []
  /// In the order of arrival.
  var arrived: [(inbox: IRI, outgoing: ID<Outgoing>)] = []
  var lastLease: Timestamp?

  init(_ house: DeliveringHouse, seed: UInt64) throws {
    self.house = house
    lots = Lots(seed)
    inboxes = try (0..<8).map { try #require(IRI("https://h\($0 / 2).test/u/\($0)/inbox")) }
  }

  var now: Timestamp { house.context.now }

  func say(_ kind: Kind, about object: Int) async throws {
    house.clock.advance(.seconds(1))
    let uri = try #require(IRI("https://atelier.test/posts/\(object)"))
    let outgoing = Outgoing(
      id: house.context.ids.next(), senderID: house.mika.id,
      uri: try #require(IRI("https://atelier.test/\(kind)/\(object)/\(made.count)")), objectURI: uri,
      isUpdate: kind == .update, body: Array("{}".utf8), createdAt: now)
    made[outgoing.id] = Made(kind: kind, object: object, at: now)
    let (mika, ids, now, inboxes) = (house.mika, house.context.ids, now, inboxes)
    try await house.database.write { tx in
      if kind == .delete {
        try tx.withdrawDeliveries(of: uri, by: mika.id)
        try tx.insert(Tombstone(uri: uri, authorURI: mika.uri, deletedAt: now))
      }
      #expect(try tx.insert(outgoing))
      for inbox in inboxes { try tx.deliver(outgoing, to: inbox, id: ids.next(), at: now) }
    }
  }

  func lease() async throws {
    let busy = Set(inFlight.map(\.inbox.host.text)).sorted()
    let (now, limit) = (now, 1 + lots.below(12))
    let taken = try await house.database.write {
      try $0.leaseDeliveries(
        at: now, until: now.adding(Limits.deliveryLease), limit: limit, perHost: 2, busy: busy)
    }
    #expect(lastLease.map { $0 <= now } ?? true)
    lastLease = now
    for delivery in taken { #expect(!inFlight.contains { $0.id == delivery.id }, "taken twice") }
    inFlight += taken
    let hosts = Dictionary(grouping: inFlight, by: \.inbox.host)
    let peers = try await house.database.read { try $0.peers(Array(hosts.keys)) }
    for (host, deliveries) in hosts {
      #expect(deliveries.count <= 2, "\(host) above its cap")
      if let peer = peers[host], let until = peer.openUntil, taken.contains(where: { $0.inbox.host == host }) {
        #expect(until <= now && deliveries.count == 1, "\(host) rests")
      }
      #expect(Set(deliveries.map(\.inbox)).count == deliveries.count, "two at one door at once")
    }
  }

  func end(_ outcome: (Delivery) -> DeliveryOutcome) async throws {
    guard !inFlight.isEmpty else { return }
    let count = 1 + lots.below(inFlight.count)
    let ended = Array(inFlight.prefix(count))
    inFlight.removeFirst(count)
    let jitter = lots.jitter()
    let finished = ended.map {
      FinishedDelivery(delivery: $0, outcome: outcome($0), accepted: nil, at: now, jitter: jitter)
    }
    for item in finished where item.outcome.isSuccess {
      arrived.append((item.delivery.inbox, item.delivery.outgoingID))
    }
    let ids = house.context.ids
    try await house.database.write { try $0.record(finished, ids: ids) }
  }

  func step() async throws {
    switch lots.below(10) {
    case 0:
      let object = lots.below(12)
      switch lives[object] {
      case nil:
        lives[object] = true
        try await say(.create, about: object)
      case true?:
        let kind: Kind = lots.below(2) == 0 ? .update : .delete
        if kind == .delete { lives[object] = false }
        try await say(kind, about: object)
      case false?: break
      }
    case 1, 2, 3: try await lease()
    case 4, 5, 6:
      var lots = lots
      try await end { _ in
        switch lots.below(6) {
        case 0: .answered(status: 503, retryAfter: nil)
        case 1: .failed(.timeout(.total))
        case 2: .answered(status: 429, retryAfter: .seconds(Int64(lots.below(90))))
        default: .answered(status: 202, retryAfter: nil)
        }
      }
      self.lots = lots
    default: house.clock.advance(.seconds(Int64(1 + lots.below(400))))
    }
  }
}

@Suite struct `The queue of deliveries` {
  @Test(arguments: UInt64(1)...12)
  func `D9 D10 D11 nothing is lost, nothing comes twice, no order is broken, no host is pressed`(
    seed: UInt64
  ) async throws {
    let house = try await DeliveringHouse()
    let model = try QueueModel(house, seed: seed)
    for _ in 0..<160 { try await model.step() }
    // Every host is well again: what is left arrives.
    for _ in 0..<2_000 {
      while !model.inFlight.isEmpty { try await model.end { _ in .answered(status: 202, retryAfter: nil) } }
      try await model.lease()
      guard model.inFlight.isEmpty else { continue }
      guard let next = try await house.database.read({ try $0.nextDelivery() }) else { break }
      house.clock.advance(max(.seconds(1), next.since(model.now)))
    }
    let rows = try await house.database.read { tx in
      try tx.rows("SELECT outgoing_id, inbox, state FROM deliveries").map { row in
        let id: ID<Outgoing> = try row.id("outgoing_id")
        return (id, try row.iri("inbox"), try row.string("state"))
      }
    }
    #expect(rows.allSatisfy { $0.2 != "waiting" })
    for inbox in model.inboxes {
      let here = model.arrived.filter { $0.inbox == inbox }.compactMap { model.made[$0.outgoing] }
      let ids = model.arrived.filter { $0.inbox == inbox }.map(\.outgoing)
      #expect(Set(ids).count == ids.count, "twice at \(inbox)")
      for object in 0..<12 {
        let kinds = here.filter { $0.object == object }.map(\.kind)
        #expect(kinds.lastIndex(of: .delete).map { $0 == kinds.count - 1 } ?? true, "\(kinds) at \(inbox)")
        // The end of its story is known there: its deletion, or its last words.
        let told = model.made.filter { $0.value.object == object }
        guard let last = told.max(by: { $0.key < $1.key }) else { continue }
        let row = rows.first { $0.0 == last.key && $0.1 == inbox }
        #expect(row?.2 == "delivered" || row?.2 == "expired", "\(last.value.kind) of \(object) at \(inbox)")
      }
    }
  }

  private func failing(_ house: DeliveringHouse, _ status: Int) async throws -> Int {
    let now = house.context.now
    let ids = house.context.ids
    return try await house.database.write { tx in
      let taken = try tx.leaseDeliveries(at: now, until: now.adding(.seconds(60)), limit: 50, perHost: 2, busy: [])
      try tx.record(
        taken.map {
          FinishedDelivery(
            delivery: $0, outcome: .answered(status: status, retryAfter: nil), accepted: nil, at: now, jitter: 0)
        }, ids: ids)
      return taken.count
    }
  }

  @Test func `D9 a host that failed for seven days is sent nothing until it speaks, and then all`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("ada", at: "https://dead.test"))
    let host = try #require(Host("dead.test"))
    // To midnight: days are those of UTC.
    house.clock.advance(.seconds(86_400 - house.context.now.secondsSince1970 % 86_400))
    var days: [Int: Int] = [:]
    for hour in 0..<(24 * 12) {
      if hour % 24 == 0 {
        _ = try await house.publish(PostDraft(text: "Day \(hour / 24)", content: "<p>Day</p>"))
        try await house.federate()
      }
      days[hour / 24, default: 0] += try await failing(house, 503)
      house.clock.advance(.seconds(3_600))
    }
    #expect((0..<7).allSatisfy { days[$0, default: 0] > 0 })
    #expect((7..<12).allSatisfy { days[$0, default: 0] == 0 }, "\(days)")
    let peer = try #require(try await house.database.read { try $0.peer(host) })
    #expect(peer.failingDays == Limits.parkingDays)
    let trouble = try await house.database.read { try $0.deliveryTroubles() }
    #expect(trouble.map(\.host) == [host] && trouble.first?.waiting == 12)
    let now = house.context.now
    #expect(try await house.database.write { try $0.closeCircuit(of: host, at: now) })
    var sent = 0
    for _ in 0..<40 { sent += try await failing(house, 202) }
    #expect(sent == 12)
    #expect(try await house.database.read { try $0.peer(host)?.failingDays } == 0)
  }

  @Test func `D9 what nobody took for fourteen days expires, and an admin sees it for a month`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("ada", at: "https://dead.test"))
    _ = try await house.publish(PostDraft(text: "Harbour", content: "<p>Harbour</p>"))
    try await house.federate()
    _ = try await failing(house, 503)
    let housekeeping = Housekeeping(database: house.database, time: house.clock.source)
    house.clock.advance(.seconds(13 * 86_400))
    try await housekeeping.sweep()
    #expect(try await house.database.read { try $0.deliveryTroubles().first?.waiting } == 1)
    house.clock.advance(.seconds(2 * 86_400))
    try await housekeeping.sweep()
    let shown = try await house.database.read { try $0.deliveryTroubles() }
    #expect(shown.first?.expired == 1 && shown.first?.waiting == 0 && shown.first?.lastError == "http.503")
    house.clock.advance(.seconds(31 * 86_400))
    try await housekeeping.sweep()
    #expect(try await house.database.read { try $0.deliveryTroubles().isEmpty })
  }

  @Test func `D11 a host that never answers keeps nobody else waiting`() async throws {
    let house = try await DeliveringHouse()
    for number in 0..<20 { try await house.follow(try await house.stranger("slow\(number)", at: "https://hole.test")) }
    for number in 0..<50 { try await house.follow(try await house.stranger("ada", at: "https://good\(number).test")) }
    _ = try await house.publish(PostDraft(text: "Harbour", content: "<p>Harbour</p>"))
    try await house.federate()
    let (now, ids) = (house.context.now, house.context.ids)
    var stuck: [Delivery] = []
    var delivered = 0
    for _ in 0..<12 {
      let busy = Set(stuck.map(\.inbox.host.text)).sorted()
      let taken = try await house.database.write {
        try $0.leaseDeliveries(at: now, until: now.adding(.seconds(60)), limit: 8, perHost: 2, busy: busy)
      }
      stuck += taken.filter { $0.inbox.host.text == "hole.test" }
      let good = taken.filter { $0.inbox.host.text != "hole.test" }
      delivered += good.count
      try await house.database.write { tx in
        try tx.record(
          good.map {
            FinishedDelivery(
              delivery: $0, outcome: .answered(status: 202, retryAfter: nil), accepted: nil, at: now, jitter: 0)
          }, ids: ids)
      }
    }
    #expect(stuck.count == 2 && delivered == 50)
  }
}
