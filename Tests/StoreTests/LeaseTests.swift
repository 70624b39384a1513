import Model
import Persistence
import Primitives
import Store
import Testing

@Suite struct JobLeaseTests {
  private let minute = Duration.seconds(60)
  private func at(_ minutes: Int) -> Timestamp { start.adding(.seconds(60 * minutes)) }

  private func lease(_ scratch: Scratch, _ minutes: Int, limit: Int = 10) async throws -> [JobLease] {
    let (now, end) = (at(minutes), at(minutes + 2))
    return try await scratch.write { try $0.leaseJobs(in: .media, at: now, until: end, limit: limit) }
  }

  private func enqueue(
    _ scratch: Scratch, _ number: Int64, at time: Timestamp = start, ordering: String? = nil, dedup: String? = nil
  ) async throws {
    let id: ID<Job> = scratch.id()
    try await scratch.write {
      try $0.enqueue(.fetchMedia(ID(rawValue: number)), id: id, at: time, ordering: ordering, dedup: dedup)
    }
  }

  private func numbers(_ leases: [JobLease]) -> [Int64] {
    leases.map { if case .fetchMedia(let id) = $0.job { id.rawValue } else { -1 } }
  }

  @Test func `jobs of one key run one after the other in the order they were queued`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1, at: at(5), ordering: "author 1")
    try await enqueue(scratch, 2, ordering: "author 1")
    try await enqueue(scratch, 3, ordering: "author 2")
    try await enqueue(scratch, 4)
    #expect(numbers(try await lease(scratch, 0)) == [3, 4])
    let first = try await lease(scratch, 5)
    #expect(numbers(first) == [1, 3, 4])
    #expect(numbers(try await lease(scratch, 6)) == [])
    for job in first { try await scratch.write { try $0.finish(job) } }
    #expect(numbers(try await lease(scratch, 6)) == [2])
  }

  @Test func `a job with a known key is queued once, and again when the first has ended`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1, dedup: "media 1")
    try await enqueue(scratch, 2, dedup: "media 1")
    let leases = try await lease(scratch, 0)
    #expect(numbers(leases) == [1])
    try await scratch.write { for lease in leases { try $0.finish(lease) } }
    try await enqueue(scratch, 3, dedup: "media 1")
    #expect(numbers(try await lease(scratch, 0)) == [3])
  }

  @Test func `a job is never leased twice at once, and again when its lease has run out`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1)
    #expect(try await lease(scratch, 0).map(\.attempt) == [1])
    #expect(try await lease(scratch, 1) == [])
    #expect(try await lease(scratch, 2).map(\.attempt) == [2])
  }

  @Test func `the third crash puts a job aside and those behind it go on`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1, ordering: "author 1")
    try await enqueue(scratch, 2, ordering: "author 1")
    for crash in 0..<3 {
      #expect(numbers(try await lease(scratch, crash * 10)) == [1])
      // The process is gone; the next one starts.
      let now = at(crash * 10 + 1)
      try await scratch.write { try $0.releaseAllLeases(at: now) }
    }
    #expect(numbers(try await lease(scratch, 40)) == [2])
    let counts = try await scratch.read { try $0.jobCounts().map { "\($0.state) \($0.count)" } }
    #expect(Set(counts) == ["quarantined 1", "ready 1"])
  }

  @Test func `reported failures and a stop are no crashes`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1)
    for attempt in 0..<6 {
      let leases = try await lease(scratch, attempt * 10)
      #expect(numbers(leases) == [1])
      let next = at(attempt * 10 + 5)
      try await scratch.write { tx in
        for lease in leases {
          if attempt % 2 == 0 {
            try tx.retry(lease, at: next, error: "down")
          } else {
            try tx.release(lease, at: next)
          }
        }
      }
    }
    #expect(numbers(try await lease(scratch, 100)) == [1])
    #expect(numbers(try await lease(scratch, 110)) == [1])
    #expect(numbers(try await lease(scratch, 120)) == [1])
    #expect(numbers(try await lease(scratch, 130)) == [])
  }

  @Test func `a job nobody can read is put aside and the lane goes on`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1)
    try await enqueue(scratch, 2)
    try await scratch.write { tx in
      _ = try tx.execute("UPDATE jobs SET payload = '{\"paint\":{}}' WHERE id = (SELECT MIN(id) FROM jobs)")
    }
    #expect(numbers(try await lease(scratch, 0)) == [2])
    let counts = try await scratch.read { try $0.jobCounts().map { "\($0.state) \($0.count)" } }
    #expect(Set(counts) == ["quarantined 1", "ready 1"])
  }

  @Test func `a job that failed too often gives its name to the next`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1, dedup: "media 1")
    let first = try #require(try await lease(scratch, 0).first)
    try await scratch.write { try $0.quarantine(first, error: "disk") }
    try await enqueue(scratch, 2, dedup: "media 1")
    #expect(numbers(try await lease(scratch, 0)) == [2])
  }

  @Test func `a job waits for its time and its own lane`() async throws {
    let scratch = try await Scratch()
    try await enqueue(scratch, 1, at: at(3))
    let now = at(9)
    #expect(try await lease(scratch, 2) == [])
    #expect(try await scratch.write { try $0.leaseJobs(in: .inbound, at: now, until: now, limit: 5) } == [])
    #expect(try await scratch.read { try $0.nextJob(in: .media) } == at(3))
    #expect(numbers(try await lease(scratch, 3)) == [1])
  }
}

@Suite struct DeliveryLeaseTests {
  private func at(_ minutes: Int) -> Timestamp { start.adding(.seconds(60 * minutes)) }

  private struct Post {
    let scratch: Scratch
    let senders: [Account]

    init() async throws {
      scratch = try await Scratch()
      senders = [scratch.account("one"), scratch.account("two")]
      let senders = senders
      try await scratch.write { tx in for sender in senders { try tx.insert(sender) } }
    }

    func send(
      _ name: String, to inboxes: [String], by sender: Int = 0, about object: String = "https://atelier.test/o",
      isUpdate: Bool = false, at time: Timestamp = start
    ) async throws {
      let outgoing = Outgoing(
        id: scratch.id(), senderID: senders[sender].id, uri: iri("https://atelier.test/a/\(name)"),
        objectURI: iri(object), isUpdate: isUpdate, body: Array(name.utf8), createdAt: time)
      let scratch = scratch
      try await scratch.write { tx in
        guard try tx.insert(outgoing) else { return }
        for inbox in inboxes {
          try tx.deliver(outgoing, to: iri("https://\(inbox)"), id: scratch.id(), at: time)
        }
      }
    }

    func lease(
      _ time: Timestamp, limit: Int = 50, perHost: Int = 4, busy: [String] = []
    ) async throws -> [Delivery] {
      try await scratch.write {
        try $0.leaseDeliveries(
          at: time, until: time.adding(.seconds(120)), limit: limit, perHost: perHost, busy: busy)
      }
    }
  }

  private func names(_ deliveries: [Delivery]) -> [String] {
    deliveries.map { String(decoding: $0.body, as: UTF8.self) }
  }

  @Test func `D11 no host gets more than its share, and a resting or busy one gets nothing`() async throws {
    let post = try await Post()
    try await post.send("a", to: (0..<9).map { "slow.test/in/\($0)" } + ["rest.test/in", "busy.test/in"])
    let peer = Peer(host: try #require(Host("rest.test")), failures: 3, openUntil: at(10))
    try await post.scratch.write { try $0.save(peer) }
    let first = try await post.lease(start, perHost: 3, busy: ["busy.test"])
    #expect(first.map(\.inbox.host.text) == ["slow.test", "slow.test", "slow.test"])
    let later = try await post.lease(at(10), perHost: 3, busy: [])
    let hosts = Dictionary(grouping: later.map(\.inbox.host.text), by: \.self).mapValues(\.count)
    // A rest that has just ended is probed with one.
    #expect(hosts == ["slow.test": 3, "rest.test": 1, "busy.test": 1])
  }

  @Test func `what was deleted before a peer could take it is never told to it`() async throws {
    let post = try await Post()
    let object = iri("https://atelier.test/o")
    try await post.send("create", to: ["down.test/in", "busy.test/in"])
    try await post.send("other", to: ["down.test/in"], about: "https://atelier.test/p")
    let leased = try #require(try await post.lease(start, busy: ["down.test"]).first)
    let deletedAt = at(1)
    let sender = post.senders[0]
    try await post.scratch.write { tx in
      try tx.insert(Tombstone(uri: object, authorURI: sender.uri, deletedAt: deletedAt))
      try tx.withdrawDeliveries(of: object, by: sender.id)
    }
    try await post.send("delete", to: ["down.test/in", "busy.test/in"], at: at(1))
    // The one under way keeps its place in the order, and is not tried again when it fails.
    #expect(names(try await post.lease(at(1), busy: ["down.test"])) == [])
    let next = at(2)
    try await post.scratch.write { try $0.retry(leased.id, at: next, status: 503, error: nil) }
    #expect(names(try await post.lease(at(2), busy: ["down.test"])) == ["delete"])
    let rest = try await post.lease(at(200))
    #expect(!names(rest).contains("create"))
    #expect(names(rest).contains("other"))
  }

  @Test func `D9 one sender's deliveries to one inbox keep their order until one is an hour late`() async throws {
    let post = try await Post()
    try await post.send("create", to: ["paper.test/in", "other.test/in"])
    try await post.send("delete", to: ["paper.test/in"], at: at(1))
    try await post.send("hello", to: ["paper.test/in"], by: 1, at: at(1))
    let first = try await post.lease(at(1))
    #expect(names(first) == ["create", "create", "hello"])
    let create = try #require(first.first { $0.inbox.host.text == "paper.test" })
    let retryAt = at(90)
    try await post.scratch.write { try $0.retry(create.id, at: retryAt, status: 503, error: nil) }
    #expect(names(try await post.lease(at(4))) == ["create", "hello"])
    #expect(names(try await post.lease(at(58))) == ["create", "hello"])
    #expect(names(try await post.lease(at(62))).contains("delete"))
  }

  @Test func `a delivery is leased once, and again when its runner is gone`() async throws {
    let post = try await Post()
    try await post.send("a", to: ["paper.test/in"])
    #expect(try await post.lease(start).map(\.attempt) == [1])
    #expect(try await post.lease(at(1)) == [])
    #expect(try await post.lease(at(2)).map(\.attempt) == [2])
    let now = at(3)
    try await post.scratch.write { try $0.releaseAllLeases(at: now) }
    let leased = try await post.lease(at(3))
    #expect(leased.map(\.attempt) == [3])
    try await post.scratch.write { tx in
      for delivery in leased { try tx.finish(delivery.id, as: .delivered, status: 202, error: nil) }
    }
    #expect(try await post.lease(at(60)) == [])
  }

  @Test func `of several updates that wait for an inbox only the latest is sent, and a create is kept`() async throws {
    let post = try await Post()
    try await post.send("create", to: ["paper.test/in"])
    for number in 1...3 { try await post.send("update-\(number)", to: ["paper.test/in"], isUpdate: true) }
    try await post.send("other", to: ["paper.test/in"], about: "https://atelier.test/p", isUpdate: true)
    var sent: [String] = []
    for minute in 0..<6 {
      let leased = try await post.lease(at(minute))
      sent += names(leased)
      try await post.scratch.write { tx in
        for delivery in leased { try tx.finish(delivery.id, as: .delivered, status: 202, error: nil) }
      }
    }
    #expect(sent == ["create", "update-3", "other"])
  }

  @Test func `an activity composed twice is delivered once`() async throws {
    let post = try await Post()
    for _ in 0..<2 { try await post.send("a", to: ["paper.test/in"]) }
    #expect(try await post.lease(start).count == 1)
  }

  @Test func `what could not be delivered in fourteen days expires and its bytes go`() async throws {
    let post = try await Post()
    try await post.send("a", to: ["paper.test/in"])
    let end = start.adding(Limits.delivery).adding(.seconds(1))
    let cut = end.adding(.zero - Limits.delivery)
    #expect(try await post.scratch.write { try $0.expireDeliveries(createdBefore: start) } == 0)
    #expect(try await post.scratch.write { try $0.expireDeliveries(createdBefore: cut) } == 1)
    #expect(try await post.lease(end) == [])
    let left = try await post.scratch.write { tx in
      try tx.deleteOutgoing(createdBefore: cut)
      return try tx.first("SELECT COUNT(*) AS n FROM outgoing")?.int("n")
    }
    #expect(left == 0)
  }

  @Test func `parking burns no attempt and a host that speaks is sent to at once`() async throws {
    let post = try await Post()
    try await post.send("a", to: ["paper.test/in"])
    let host = try #require(Host("paper.test"))
    let leased = try #require(try await post.lease(start).first)
    let (later, soon) = (at(600), at(1))
    try await post.scratch.write { tx in
      try tx.park(leased.id, until: later)
      try tx.save(Peer(host: host, failures: 4, openUntil: later))
    }
    #expect(try await post.lease(at(1)) == [])
    #expect(try await post.scratch.write { try $0.closeCircuit(of: host, at: soon) })
    #expect(try await post.lease(at(1)).map(\.attempt) == [1])
    #expect(try await post.scratch.write { try $0.closeCircuit(of: host, at: soon) } == false)
  }
}
