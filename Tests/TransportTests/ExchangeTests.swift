import Primitives
import Synchronization
import Testing
import Transport

/// Peers that are slow, endless, cut off or contradict themselves.
@Suite struct ExchangeTests {
  @Test func `D8 a body longer than asked for is cut off, announced or not`() async throws {
    try await World.with { request in
      switch request.target {
      case "/announced": .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", close: false)
      case "/exact": .ok(String(repeating: "x", count: 100))
      default: .flood("HTTP/1.1 200 OK\r\n\r\n")
      }
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/announced", maximum: 100) == .tooLarge)
      #expect(await world.failure("https://victim.test/endless", maximum: 1 << 20) == .tooLarge)
      let exact = try await world.get("https://victim.test/exact", maximum: 100).get()
      #expect(exact.body.count == 100)
      #expect(await world.failure("https://victim.test/exact", maximum: 99) == .tooLarge)
    }
  }

  @Test func `D8 a drip is cut at the total deadline though it never idles`() async throws {
    try await World.with { _ in
      .drip("HTTP/1.1 200 OK\r\n\r\n")
    } adjust: {
      $0.deadline = .milliseconds(300)
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/") == .timeout(.total))
    }
  }

  @Test func `D8 silence is cut at the idle limit`() async throws {
    try await World.with { request in
      request.target == "/" ? .nothing : .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", close: false)
    } adjust: {
      $0.readIdle = .milliseconds(150)
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/") == .timeout(.idle))
      #expect(await world.failure("https://victim.test/half") == .timeout(.idle))
    }
  }

  @Test func `an answer that ends early or lies about its length is no answer`() async throws {
    try await World.with { request in
      switch request.target {
      case "/short": .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", close: true)
      case "/chunk": .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", close: true)
      case "/both":
        .bytes(
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          close: false)
      case "/twice": .bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", close: false)
      case "/negative": .bytes("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabcd", close: false)
      case "/noise": .bytes("SSH-2.0-OpenSSH_9.2\r\n", close: true)
      default: .hangUp
      }
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/short") == .disconnected)
      #expect(await world.failure("https://victim.test/chunk") == .disconnected)
      for path in ["both", "twice", "negative", "noise"] {
        let failure = await world.failure("https://victim.test/\(path)")
        #expect(failure == .protocolViolation(.framing), "\(path)")
      }
      #expect(await world.failure("https://victim.test/gone") == .disconnected)
    }
  }

  @Test func `bytes behind the announced length are not read as anything`() async throws {
    try await World.with { _ in
      .bytes(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", close: false)
    } _: { world, _ in
      for _ in 0..<2 {
        if case .success(let answer) = await world.get("https://victim.test/") {
          #expect(answer.body == Array("abc".utf8))
        }
      }
    }
  }

  @Test func `too many and too long headers are refused`() async throws {
    try await World.with { request in
      request.target == "/many"
        ? .ok(headers: String(repeating: "X-A: b\r\n", count: 500))
        : .ok(headers: "X-A: \(String(repeating: "b", count: 200_000))\r\n")
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/many") == .protocolViolation(.headers))
      #expect(await world.failure("https://victim.test/long") == .protocolViolation(.headers))
    }
  }

  @Test(arguments: ["gzip", "br", "zstd", "deflate, gzip"])
  func `an encoded answer is refused unopened`(encoding: String) async throws {
    try await World.with { _ in
      .ok(headers: "Content-Encoding: \(encoding)\r\n")
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/") == .protocolViolation(.encoding))
    }
  }

  @Test func `connections are kept and one that closed unnoticed is replaced once`() async throws {
    let closing = Mutex(false)
    try await World.with { request in
      // The second request on a connection meets a peer that has gone away without saying so.
      let isSecond = closing.withLock { closing in
        defer { closing = request.target == "/first" }
        return closing
      }
      return isSecond ? .hangUp : .ok()
    } _: { world, peer in
      _ = try await world.get("https://victim.test/first").get()
      let url = try #require(IRI("https://victim.test/inbox"))
      let answer = try await world.client.post(OutgoingRequest(url: url, body: Array("{}".utf8)))
      #expect(answer.status == 200)
      #expect(peer.requests.map(\.method) == ["GET", "POST", "POST"])
      #expect(world.internet.connections == 2)
      _ = try await world.get("https://victim.test/third").get()
      #expect(world.internet.connections == 2)
      #expect(world.client.pooledPeerCount == 1)
    }
  }

  @Test func `a fresh connection that fails is not tried again`() async throws {
    try await World.with { _ in
      .hangUp
    } _: { world, peer in
      #expect(await world.failure("https://victim.test/") == .disconnected)
      #expect(peer.requests.count == 1)
    }
  }

  @Test func `an address that refuses gives way to the next vetted one`() async throws {
    try await World.with { _ in
      .ok()
    } _: { world, _ in
      world.internet.name("victim.test", ["45.0.0.66", "10.0.0.1", "45.0.0.1"])
      #expect(await world.status("https://victim.test/") == 200)
      world.internet.name("victim.test", ["45.0.0.66"])
      #expect(await world.failure("https://victim.test/") == .connect)
    }
  }

  @Test func `a name nobody knows is a failure that may pass`() async throws {
    let world = try World()
    let failure = await world.failure("https://unknown.test/")
    #expect(failure == .resolution(.notFound))
    #expect(failure?.isTransient == true)
    await world.client.shutDown()
  }

  @Test func `a slow host holds up itself only and its queue has a deadline`() async throws {
    let quick = try await FakePeer { _ in .ok() }
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    try await World.with { _ in
      arrived.yield()
      return .nothing
    } _: { world, slow in
      world.internet.name("evil.test", ["45.0.0.2"])
      world.internet.lead("45.0.0.2", to: quick.port)
      let url = try #require(IRI("https://victim.test/"))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<Limits.fetchesPerHost {
          group.addTask {
            await #expect(throws: TransportFailure.cancelled) { try await world.client.get(OutgoingRequest(url: url)) }
          }
        }
        var arrival = arrivals.makeAsyncIterator()
        for _ in 0..<Limits.fetchesPerHost { await arrival.next() }
        let queued = OutgoingRequest(url: url, deadline: .milliseconds(50))
        await withTaskGroup(of: Void.self) { queue in
          for _ in 0..<16 {
            queue.addTask {
              await #expect(throws: TransportFailure.timeout(.queue)) { try await world.client.get(queued) }
            }
          }
        }
        #expect(slow.requests.count == Limits.fetchesPerHost)
        #expect(await world.status("https://evil.test/") == 200)
        group.cancelAll()
      }
    }
    await quick.stop()
  }

  @Test func `the pool of connections is bounded`() async throws {
    try await World.with { _ in
      .ok()
    } adjust: {
      $0.pooledPeers = 3
    } _: { world, peer in
      for number in 0..<10 {
        world.internet.name("n\(number).peers.test", ["45.0.0.1"])
        #expect(await world.status("https://n\(number).peers.test/") == 200)
        #expect(world.client.pooledPeerCount <= 3)
      }
      #expect(peer.requests.count == 10)
    }
  }

  @Test func `a signer that fails sends nothing`() async throws {
    struct NoKey: Error {}
    let world = try World()
    world.internet.name("victim.test", ["45.0.0.1"])
    let url = try #require(IRI("https://victim.test/"))
    await #expect(throws: TransportFailure.notPrepared) {
      try await world.client.get(OutgoingRequest(url: url) { _ in throw NoKey() })
    }
    #expect(world.internet.sent == 0)
    await world.client.shutDown()
  }

  @Test func `every failure has a code of its own`() {
    let failures: [TransportFailure] = [
      .blocked(.address), .blocked(.port), .resolution(.notFound), .connect, .tls, .disconnected, .timeout(.idle),
      .timeout(.total), .tooLarge, .tooManyRedirects, .badRedirect, .protocolViolation(.framing), .notPrepared,
      .cancelled,
    ]
    #expect(Set(failures.map(\.code)).count == failures.count)
    #expect(TransportFailure.blocked(.address).code == "fetch.blocked_address")
    #expect(!TransportFailure.blocked(.address).isTransient)
  }
}
