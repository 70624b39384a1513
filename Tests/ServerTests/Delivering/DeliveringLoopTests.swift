import Federation
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Synchronization
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct `Delivering` {
  private func draft() -> PostDraft { PostDraft(text: "Harbour study", content: "<p>Harbour study</p>") }

  /// Runs the loop beside `body`, and sees it end when it is told to.
  private func whileDelivering<Value: Sendable>(
    _ house: DeliveringHouse, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let loop = DeliveryLoop(environment: house.environment, signals: house.database.signals)
    let result: Result<Value, any Error>
    do { result = .success(try await run(loop, body)) } catch { result = .failure(error) }
    await house.environment.client.shutDown()
    return try result.get()
  }

  private func run<Value: Sendable>(
    _ loop: DeliveryLoop, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        await loop.run()
        return nil
      }
      group.addTask { try await body() }
      var value: Value?
      while value == nil, let next = try await group.next() { value = next }
      group.cancelAll()
      while try await group.next() != nil {}
      return try #require(value)
    }
  }

  private func states(_ house: DeliveringHouse) async throws -> [String: Int] {
    let counts = try await house.database.read { try $0.deliveryCounts().map { ($0.state, $0.count) } }
    return Dictionary(uniqueKeysWithValues: counts)
  }

  @Test func `a post reaches every inbox once, signed by its author over the very bytes`() async throws {
    let house = try await DeliveringHouse()
    let sink = DeliveringSink()
    try await sink.whileServing { port in
      for number in 2...6 {
        try await house.follow(try await house.stranger("ada", at: "http://127.0.0.\(number):\(port)"))
      }
      _ = try await house.publish(draft())
      try await house.federate()
      try await whileDelivering(house) {
        var hosts: Set<String> = []
        for await receipt in sink.receipts {
          let host = try #require(receipt.fields["host"].flatMap { Host($0) })
          let facts = RequestFacts(
            method: "POST", target: receipt.path, scheme: "http", authorities: [host], fields: receipt.fields,
            body: ContentDigest(of: receipt.body))
          let claim = try SignatureClaim(of: facts, at: house.context.now)
          #expect(claim.keyID.text == "https://atelier.test/users/mika#main-key")
          let keys = try await house.environment.keys.keys(of: house.mika.id)
          _ = try claim.verify(receipt.body, with: keys.rsa.key.publicKey)
          #expect(receipt.fields["content-type"] == "application/activity+json")
          #expect(hosts.insert(host.text).inserted)
          if hosts.count == 5 { break }
        }
        while try await states(house)["delivered"] != 5 { await Task.yield() }
      }
    }
    #expect(try await states(house) == ["delivered": 5])
  }

  @Test func `D17 what goes to followers says, signed, who of that server they are`() async throws {
    let house = try await DeliveringHouse()
    let sink = DeliveringSink()
    try await sink.whileServing { port in
      let ada = try await house.stranger("ada", at: "http://127.0.0.2:\(port)")
      let ben = try await house.stranger("ben", at: "http://127.0.0.3:\(port)")
      try await house.follow(ada)
      _ = try await house.publish(draft())
      var direct = draft()
      direct.visibility = .direct
      direct.mentions = [ben.id]
      _ = try await house.publish(direct)
      try await house.federate()
      try await whileDelivering(house) {
        var fields: [String: HeaderFields] = [:]
        for await receipt in sink.receipts {
          fields[receipt.path] = receipt.fields
          if fields.count == 2 { break }
        }
        let open = fields["/users/ada/inbox"]
        let stated = try #require(open?["collection-synchronization"].flatMap { CollectionSynchronization($0) })
        #expect(stated.collection == house.mika.followers && stated.digest == FollowerDigest(of: [ada.uri]))
        #expect(stated.url.text == "https://atelier.test/users/mika/followers_synchronization")
        let signature = open?["signature"]
        #expect(signature?.contains("content-type collection-synchronization\"") == true)
        #expect(fields["/users/ben/inbox"]?["collection-synchronization"] == nil)
      }
    }
  }

  @Test func `a peer that is down is tried again when its time has come, and the row says why`() async throws {
    let house = try await DeliveringHouse()
    let sink = DeliveringSink { _ in 503 }
    try await sink.whileServing { port in
      try await house.follow(try await house.stranger("ada", at: "http://127.0.0.2:\(port)"))
      _ = try await house.publish(draft())
      try await house.federate()
      try await whileDelivering(house) {
        var receipts = sink.receipts.makeAsyncIterator()
        _ = await receipts.next()
        // The row of the peer is written with the outcome.
        let host = try #require(Host("127.0.0.2:\(port)"))
        while try await house.database.read({ try $0.peer(host)?.failures ?? 0 }) == 0 { await Task.yield() }
        sink.answer { _ in 202 }
        house.clock.advance(.seconds(80))
        house.database.signals.send(.deliveries)
        _ = await receipts.next()
        while try await states(house)["delivered"] != 1 { await Task.yield() }
        let peer = try #require(try await house.database.read { try $0.peer(host) })
        #expect(peer.failures == 0 && peer.openUntil == nil)
      }
    }
  }

  @Test func `H5 a peer that refuses the first scheme is asked by the second, and remembered`() async throws {
    let house = try await DeliveringHouse()
    let sink = DeliveringSink { $0.fields["signature-input"] == nil ? 401 : 202 }
    try await sink.whileServing { port in
      try await house.follow(try await house.stranger("ada", at: "http://127.0.0.2:\(port)"))
      _ = try await house.publish(draft())
      try await house.federate()
      try await whileDelivering(house) {
        var receipts = sink.receipts.makeAsyncIterator()
        #expect(await receipts.next()?.fields["signature-input"] == nil)
        #expect(await receipts.next()?.fields["signature-input"] != nil)
        while try await states(house)["delivered"] != 1 { await Task.yield() }
        let host = try #require(Host("127.0.0.2:\(port)"))
        #expect(try await house.database.read { try $0.peer(host)?.scheme } == .rfc9421)
        _ = try await house.publish(draft())
        try await house.federate()
        #expect(await receipts.next()?.fields["signature-input"] != nil)
      }
    }
  }

  @Test func `H5 nobody knocks twice on 403, and 410 ends the follow`() async throws {
    let house = try await DeliveringHouse()
    let count = Mutex(0)
    let sink = DeliveringSink { receipt in
      count.withLock { $0 += 1 }
      return receipt.path.contains("gone") ? 410 : 403
    }
    try await sink.whileServing { port in
      let gone = try await house.stranger("gone", at: "http://127.0.0.2:\(port)")
      try await house.follow(gone)
      try await house.follow(try await house.stranger("closed", at: "http://127.0.0.3:\(port)"))
      _ = try await house.publish(draft())
      try await house.federate()
      try await whileDelivering(house) {
        while try await states(house)["abandoned"] != 2 { await Task.yield() }
        #expect(count.withLock { $0 } == 2)
        let mika = house.mika.id
        #expect(try await house.database.read { try $0.follow(of: mika, by: gone.id) } == nil)
        #expect(try await house.database.read { try $0.remoteFollowers(of: mika).count } == 1)
      }
    }
  }

  @Test func `D9 a host at rest is sent nothing, one delivery tries it, and its own word wakes it`() async throws {
    let house = try await DeliveringHouse()
    let now = house.context.now
    let host = try #require(Host("down.test"))
    for number in 1...5 {
      try await house.follow(try await house.stranger("u\(number)", at: "https://down.test"))
    }
    _ = try await house.publish(draft())
    try await house.federate()
    @Sendable func lease(_ time: Timestamp) async throws -> [Delivery] {
      try await house.database.write {
        try $0.leaseDeliveries(at: time, until: time.adding(.seconds(1)), limit: 64, perHost: 2, busy: [])
      }
    }
    try await house.database.write { tx in
      try tx.save(Peer(host: host, failures: 10, openUntil: now.adding(.seconds(60))))
      try tx.parkDeliveries(to: host, until: now.adding(.seconds(60)))
    }
    #expect(try await lease(now).isEmpty)
    #expect(try await lease(now.adding(.seconds(61))).count == 1)
    #expect(try await house.database.write { try $0.closeCircuit(of: host, at: now) })
    #expect(try await house.database.write { try $0.closeCircuit(of: host, at: now) } == false)
    #expect(try await lease(now).count == 2)
  }
}

@Suite(.timeLimit(.minutes(1))) struct `Job lanes` {
  private struct Fault: Error {}

  private func enqueue(_ count: Int, in house: DeliveringHouse) async throws {
    let context = house.context
    try await house.database.write { tx in
      for number in 0..<count {
        try tx.enqueue(.refreshActor(.init(rawValue: Int64(number))), id: context.ids.next(), at: context.now)
      }
    }
  }

  private func run(
    _ house: DeliveringHouse, width: Int, until done: @escaping @Sendable () async throws -> Void,
    perform: @escaping @Sendable (JobLease) async throws -> Void
  ) async throws {
    let runner = JobRunner(
      lane: .resolving, width: width, environment: house.environment, signals: house.database.signals,
      perform: perform)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        await runner.run()
        return false
      }
      group.addTask {
        try await done()
        return true
      }
      while let isDone = try await group.next(), !isDone {}
      group.cancelAll()
    }
  }

  @Test func `every job is performed once, and never more than the lane is wide`() async throws {
    let house = try await DeliveringHouse()
    let (ends, end) = AsyncStream.makeStream(of: ID<Job>.self)
    let width = Mutex((now: 0, most: 0))
    try await enqueue(40, in: house)
    let database = house.database
    try await run(house, width: 4) {
      var seen: Set<ID<Job>> = []
      for await id in ends {
        #expect(seen.insert(id).inserted)
        if seen.count == 40 { return }
      }
    } perform: { lease in
      width.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      await Task.yield()
      width.withLock { $0.now -= 1 }
      try await database.write { try $0.finish(lease) }
      end.yield(lease.id)
    }
    #expect((1...4).contains(width.withLock { $0.most }))
    #expect(try await house.database.read { try $0.jobCounts().isEmpty })
  }

  @Test func `a job that fails is tried later, and one cut off by shutting down loses no attempt`() async throws {
    let house = try await DeliveringHouse()
    try await enqueue(1, in: house)
    let (tries, tried) = AsyncStream.makeStream(of: Int.self)
    try await run(house, width: 1) {
      var iterator = tries.makeAsyncIterator()
      #expect(await iterator.next() == 1)
      while try await house.database.read({ try $0.nextJob(in: .resolving) }).map({ $0 <= house.context.now }) ?? true {
        await Task.yield()
      }
      house.clock.advance(.seconds(60))
      house.database.signals.send(.jobs)
      #expect(await iterator.next() == 2)
    } perform: { lease in
      tried.yield(lease.attempt)
      guard lease.attempt > 1 else { throw Fault() }
      try await Task.sleep(for: .seconds(600))
    }
    let now = house.context.now.adding(.seconds(1))
    let leases = try await house.database.write {
      try $0.leaseJobs(in: .resolving, at: now, until: now.adding(.seconds(1)), limit: 1)
    }
    #expect(leases.map(\.attempt) == [2])
  }
}
