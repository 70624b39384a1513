import Primitives
import Synchronization
import Testing
import Transport

/// Threat groups G and C, as far as they are a property of the client.
@Suite struct GuardTests {
  @Test(arguments: [
    ("https://169.254.169.254/latest/meta-data", "fetch.blocked_address"),
    ("https://127.0.0.1/", "fetch.blocked_address"),
    ("https://[::1]/", "fetch.blocked_address"), ("https://[::]/", "fetch.blocked_address"),
    ("https://[::ffff:127.0.0.1]/", "fetch.blocked_address"), ("https://[::ffff:7f00:1]/", "fetch.blocked_address"),
    ("https://[64:ff9b::7f00:1]/", "fetch.blocked_address"), ("https://[2002:7f00:1::]/", "fetch.blocked_address"),
    ("https://[fd00:ec2::254]/", "fetch.blocked_address"), ("https://0x7f.1/", "fetch.blocked_host"),
    ("https://0x7f000001/", "fetch.blocked_host"), ("https://2130706433/", "fetch.blocked_host"),
    ("https://0177.0.0.1/", "fetch.blocked_host"), ("https://127.1/", "fetch.blocked_host"),
    ("https://1.2.3.4.5/", "fetch.blocked_host"), ("https://[1::2::3]/", "fetch.blocked_host"),
    ("https://peer.onion/", "fetch.blocked_host"), ("https://peer.i2p/", "fetch.blocked_host"),
    ("https://nas.local/", "fetch.blocked_host"), ("https://x.internal/", "fetch.blocked_host"),
    ("https://x.home.arpa/", "fetch.blocked_host"), ("https://a.localhost/", "fetch.blocked_host"),
    ("https://localhost/", "fetch.blocked_host"), ("https://metadata/", "fetch.blocked_host"),
    ("https://victim.test:22/", "fetch.blocked_port"), ("https://victim.test:25/", "fetch.blocked_port"),
    ("https://victim.test:6379/", "fetch.blocked_port"), ("https://victim.test:11211/", "fetch.blocked_port"),
    ("http://victim.test/", "fetch.blocked_scheme"), ("https://victim.test/a|b", "fetch.blocked_target"),
  ])
  func `D7 what may not be dialled costs neither a lookup nor a connection`(url: String, code: String) async throws {
    let world = try World()
    #expect(await world.failure(url)?.code == code)
    #expect(world.internet.egress.isEmpty)
    await world.client.shutDown()
  }

  @Test(arguments: [
    "https://user:password@victim.test/", "https://[fe80::1%25lo]/", "https://[::1%lo]/", "https://victim.test\\@evil/",
    "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "https://\u{430}pple.test/", "https://127\u{3002}0.0.1/",
    "file:///etc/passwd",
  ])
  func `what two parsers read differently is no address at all`(url: String) {
    #expect(IRI(url) == nil)
  }

  @Test func `D7 a name that leads to a private address is not dialled`() async throws {
    let world = try World()
    world.internet.name("evil.test", ["10.0.0.1", "fd00::1", "::ffff:127.0.0.1"])
    #expect(await world.failure("https://evil.test/") == .blocked(.address))
    #expect(world.internet.lookups == 1)
    #expect(world.internet.sent == 0)
    await world.client.shutDown()
  }

  @Test func `a name that changes its mind is dialled at the address that was vetted`() async throws {
    try await World.with { _ in
      .ok()
    } _: { world, peer in
      world.internet.name("victim.test", ["45.0.0.1"], ["127.0.0.1"])
      #expect(await world.status("https://victim.test/a") == 200)
      #expect(world.internet.lookups == 1)
      #expect(await world.failure("https://victim.test/a") == .blocked(.address))
      #expect(peer.requests.count == 1)
    }
  }

  @Test(arguments: [
    "https://169.254.169.254/", "https://127.0.0.1:5432/", "https://[::1]/", "https://rebound.test/",
    "https://2130706433/",
  ])
  func `D7 every hop of a redirect is vetted anew`(location: String) async throws {
    try await World.with { _ in
      .redirect(302, location)
    } _: { world, peer in
      world.internet.name("rebound.test", ["192.168.1.1"])
      let failure = await world.failure("https://victim.test/")
      #expect(failure?.code.hasPrefix("fetch.blocked_") == true)
      #expect(world.internet.sent == 1)
      #expect(peer.requests.count == 1)
    }
  }

  @Test func `a redirect never leads out of https`() async throws {
    try await World.with { _ in
      .redirect(301, "http://victim.test/")
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/") == .badRedirect)
    }
  }

  @Test(arguments: [
    "javascript:alert(1)", "data:text/html,x", "acct:a@b", "", "https://a@b.test/", "//", "https://x y/",
  ])
  func `a redirect to no usable place is refused`(location: String) async throws {
    try await World.with { _ in
      .redirect(302, location)
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/") == .badRedirect)
      #expect(world.internet.sent == 1)
    }
  }

  @Test func `two Locations and an endless Location are refused`() async throws {
    try await World.with { request in
      request.target == "/two"
        ? .bytes("HTTP/1.1 302 M\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", close: false)
        : .redirect(302, "/" + String(repeating: "a", count: 4_000))
    } _: { world, _ in
      #expect(await world.failure("https://victim.test/two") == .badRedirect)
      #expect(await world.failure("https://victim.test/long") == .badRedirect)
    }
  }

  @Test func `D7 redirects end after three hops and a loop at its first repetition`() async throws {
    try await World.with { request in
      switch request.target {
      case "/a": return .redirect(302, "/b")
      case "/b": return .redirect(302, "https://victim.test/a")
      case "/hop/3": return .ok("arrived")
      default:
        let number = Int(request.target.dropFirst(5)) ?? 0
        return .redirect(307, "\(number + 1)")
      }
    } _: { world, peer in
      #expect(await world.failure("https://victim.test/a") == .tooManyRedirects)
      #expect(peer.requests.count == 2)
      let answer = try await world.get("https://victim.test/hop/0").get()
      #expect(answer.url.text == "https://victim.test/hop/3")
      #expect(answer.redirects == 3)
      #expect(await world.failure("https://victim.test/hop/4") == .tooManyRedirects)
      #expect(peer.requests.count == 2 + 4 + 4)
    }
  }

  @Test func `a signature is made anew for every host and never carried along`() async throws {
    let evil = try await FakePeer { _ in .ok() }
    try await World.with { _ in
      .redirect(307, "https://evil.test/inbox?x=1")
    } _: { world, victim in
      world.internet.name("evil.test", ["45.0.0.2"])
      world.internet.lead("45.0.0.2", to: evil.port)
      let url = try #require(IRI("https://victim.test/inbox#fragment"))
      let answer = try await world.client.post(
        OutgoingRequest(
          url: url, headers: [HeaderField("Content-Type", "application/activity+json")], body: [123, 125]
        ) { target in
          [HeaderField("Signature", "for \(target.method.rawValue) \(target.url.host.text)\(target.url.pathAndQuery)")]
        })
      #expect(answer.status == 200)
      #expect(victim.requests.map(\.headers["signature"]) == ["for POST victim.test/inbox"])
      #expect(evil.requests.map(\.headers["signature"]) == ["for POST evil.test/inbox?x=1"])
      #expect(evil.requests.map(\.headers["host"]) == ["evil.test"])
      #expect(evil.requests.map(\.body) == ["{}"])
      #expect(evil.requests.first?.headers["user-agent"] == "Atelier/test (https://our.example/)")
      #expect(evil.requests.first?.headers["accept-encoding"] == "identity")
    }
    await evil.stop()
  }

  @Test func `a delivery is never turned into a fetch`() async throws {
    try await World.with { _ in
      .redirect(302, "/elsewhere")
    } _: { world, peer in
      let url = try #require(IRI("https://victim.test/inbox"))
      await #expect(throws: TransportFailure.badRedirect) { try await world.client.post(OutgoingRequest(url: url)) }
      #expect(peer.requests.count == 1)
    }
  }

  @Test(arguments: ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\u{7f}"])
  func `a line break in a field is refused before anything is sent`(value: String) async throws {
    let world = try World()
    world.internet.name("victim.test", ["45.0.0.1"])
    let url = try #require(IRI("https://victim.test/"))
    for field in [HeaderField("Accept-Language", value), HeaderField(value, "x"), HeaderField("Host", "evil.test")] {
      await #expect(throws: TransportFailure.blocked(.header)) {
        try await world.client.get(OutgoingRequest(url: url, headers: [field]))
      }
    }
    #expect(world.internet.sent == 0)
    await world.client.shutDown()
  }

  @Test func `a certificate for another name is refused though it names the address that was dialled`() async throws {
    try await World.with { _ in
      .ok()
    } _: { world, peer in
      for name in ["mallory.test", "peers.test", "a.b.peers.test", "notvictim.test"] {
        world.internet.name(name, ["45.0.0.1"])
        #expect(await world.failure("https://\(name)/") == .tls)
        #expect(await world.failure("https://\(name)/again") == .tls)
      }
      #expect(peer.requests.isEmpty)
      world.internet.name("a.peers.test", ["45.0.0.1"])
      #expect(await world.status("https://a.peers.test/") == 200)
      #expect(await world.status("https://victim.test/") == 200)
      #expect(await world.status("https://45.0.0.1/") == 200)
    }
  }

  @Test func `an authority nobody trusts is refused`() async throws {
    try await World.with { _ in
      .ok()
    } adjust: {
      $0.extraCAFile = nil
    } _: { world, peer in
      #expect(await world.failure("https://victim.test/") == .tls)
      #expect(peer.requests.isEmpty)
    }
  }

  @Test func `plain http reaches opened networks only`() async throws {
    let peer = try await FakePeer(tls: false) { _ in .ok() }
    let loopback = try #require(CIDR("127.0.0.0/8"))
    let world = try World { $0.policy = AddressPolicy(allowedPrivateNetworks: [loopback]) }
    world.internet.lead("127.0.0.7", to: peer.port)
    world.internet.name("localhost", ["127.0.0.7"])
    world.internet.name("public.test", ["45.0.0.1"])
    #expect(await world.status("http://127.0.0.7:3000/") == 200)
    #expect(await world.status("http://localhost:3000/") == 200)
    #expect(peer.requests.map(\.headers["host"]) == ["127.0.0.7:3000", "localhost:3000"])
    #expect(await world.failure("http://public.test/") == .blocked(.scheme))
    #expect(await world.failure("http://10.0.0.1/") == .blocked(.address))
    await world.client.shutDown()
    await peer.stop()
  }
}
