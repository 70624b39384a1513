import Federation
import Foundation
import Logging
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Synchronization
import TestSupport
import Testing
import Transport

/// A clock that moves when a test says so.
final class ReceivingClock: Sendable {
  private let current = Mutex(Timestamp(secondsSince1970: 1_793_728_800))
  var now: Timestamp { current.withLock { $0 } }
  func advance(_ duration: Duration) { current.withLock { $0 = $0.adding(duration) } }
}

/// Every host elsewhere, on one loopback port: names lead to a public-looking address, the dialler leads that here,
/// after the address policy has ruled.
final class ReceivingPeers: AddressResolver, Dialer {
  struct Page: Sendable {
    var status = 200
    var type = "application/activity+json"
    var location: String?
    var body: String
  }

  private struct State {
    var pages: [String: Page] = [:]
    var asked: [String] = []
    var lookups = 0
    var port = 0
    var silent: Set<String> = []
    var modern: Set<String> = []
  }

  private let state = Mutex(State())

  /// `https://host/path` of every request that arrived.
  var asked: [String] { state.withLock { $0.asked } }
  var lookups: Int { state.withLock { $0.lookups } }
  func forget() { state.withLock { $0.asked = [] } }
  func put(_ url: String, _ page: Page) { state.withLock { $0.pages[url] = page } }
  func put(_ url: String, _ json: JSON) { put(url, Page(body: String(decoding: json.bytes, as: UTF8.self))) }
  func silence(_ host: String, _ isSilent: Bool = true) {
    state.withLock { if isSilent { $0.silent.insert(host) } else { $0.silent.remove(host) } }
  }

  /// `host` reads signatures of RFC 9421 and no others.
  func modernise(_ host: String) { state.withLock { _ = $0.modern.insert(host) } }

  func listen() async throws {
    let context = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.leaf.utf8)).map {
          .certificate($0)
        },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.leafKey.utf8), format: .pem))))
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.addHandler(Wire(self))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    state.withLock { $0.port = channel.localAddress?.port ?? 0 }
  }

  func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address] {
    let isSilent = state.withLock { state in
      state.lookups += 1
      return state.silent.contains(name)
    }
    guard !isSilent, let address = Address("45.0.0.1") else { throw .resolution(.temporary) }
    return [address]
  }

  func destination(for endpoint: Endpoint) -> Endpoint {
    Endpoint(address: .v4(0x7f00_0001), port: state.withLock { $0.port })
  }

  fileprivate func answer(_ url: String, at host: String, isModern: Bool) -> Page {
    state.withLock { state in
      state.asked.append(url)
      if state.modern.contains(host), !isModern { return Page(status: 401, type: "text/plain", body: "no") }
      return state.pages[url] ?? Page(status: 404, type: "text/plain", body: "no")
    }
  }

  private final class Wire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let peers: ReceivingPeers
    private var received = ""
    init(_ peers: ReceivingPeers) { self.peers = peers }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received += String(buffer: unwrapInboundIn(data))
      guard let end = received.range(of: "\r\n\r\n") else { return }
      let lines = received[..<end.lowerBound].components(separatedBy: "\r\n")
      received = ""
      let target = lines[0].split(separator: " ")[1]
      let host = lines.first { $0.lowercased().hasPrefix("host:") }?.dropFirst(5).trimmingCharacters(in: .whitespaces)
      let isModern = lines.contains { $0.lowercased().hasPrefix("signature-input:") }
      let page = peers.answer("https://\(host ?? "")\(target)", at: host ?? "", isModern: isModern)
      let location = page.location.map { "Location: \($0)\r\n" } ?? ""
      let head =
        "HTTP/1.1 \(page.status) X\r\nContent-Type: \(page.type)\r\n\(location)"
        + "Content-Length: \(page.body.utf8.count)\r\n\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + page.body)), promise: nil)
    }
  }
}

/// Somebody elsewhere, whose server serves what it should.
struct ReceivingPerson: Sendable {
  let uri: IRI
  let rsa: SigningKey
  let ed25519: Ed25519PrivateKey
  var proofKey: IRI { uri.appending("#ed25519-key") ?? uri }

  init(_ name: String, at host: String) throws {
    uri = try #require(IRI("https://\(host)/users/\(name)"))
    rsa = SigningKey(id: try #require(uri.appending("#main-key")), key: .rsa(try RSAPrivateKey()))
    ed25519 = try Ed25519PrivateKey(generatingWith: .system)
  }

  var document: JSON {
    var pem = ""
    if case .rsa(let key) = rsa.key { pem = key.publicKey.pem }
    return [
      "@context": "https://www.w3.org/ns/activitystreams", "id": .string(uri.text), "type": "Person",
      "preferredUsername": .string(String(uri.path.split(separator: "/").last ?? "")),
      "inbox": .string("\(uri.text)/inbox"), "followers": .string("\(uri.text)/followers"),
      "publicKey": ["id": .string(rsa.id.text), "owner": .string(uri.text), "publicKeyPem": .string(pem)],
      "assertionMethod": [
        [
          "type": "Multikey", "id": .string(proofKey.text), "controller": .string(uri.text),
          "publicKeyMultibase": .string(ed25519.publicKey.multibase),
        ]
      ],
    ]
  }

  func prove(_ json: JSON, at now: Timestamp) throws -> JSON {
    try IntegrityProof.sign(document: json, key: ed25519, verificationMethod: proofKey, created: now)
  }

  func note(_ id: String, to: [String] = ["https://www.w3.org/ns/activitystreams#Public"], _ more: JSON = [:]) -> JSON {
    var note: JSON = [
      "id": .string("\(uri.origin)/notes/\(id)"), "type": "Note", "attributedTo": .string(uri.text),
      "content": "<p>A work</p>", "published": "2026-11-03T17:00:00Z", "to": .array(to.map { .string($0) }),
    ]
    for (key, value) in more.pairs { note[key] = value }
    return note
  }

  func activity(_ type: String, _ id: String, object: JSON, to: [String] = []) -> JSON {
    [
      "@context": "https://www.w3.org/ns/activitystreams", "id": .string("\(uri.origin)/acts/\(id)"),
      "type": .string(type), "actor": .string(uri.text), "object": object, "to": .array(to.map { .string($0) }),
    ]
  }
}

/// One server of ours with a real database, a real client and a real key ring, and the Internet around it.
struct ReceivingWorld: Sendable {
  let peers = ReceivingPeers()
  let clock = ReceivingClock()
  let database: SQLiteDatabase
  let environment: FederationEnvironment
  let federation: FederationReceiving
  let mika: Account
  let inbox: IRI
  private let folder: URL

  init() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-receiving-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.folder = folder
    database = try SQLiteDatabase(path: folder.appendingPathComponent("db.sqlite").path)
    _ = try await database.migrate(migrations, at: clock.now)
    try await peers.listen()
    let authority = folder.appendingPathComponent("authority.pem")
    try TestCertificates.authority.write(to: authority, atomically: true, encoding: .utf8)
    var configuration = GuardedClient.Configuration(userAgent: "Atelier/test (https://our.example/)")
    configuration.extraCAFile = authority.path
    let client = try GuardedClient(
      configuration: configuration, resolver: peers, dialer: peers, group: MultiThreadedEventLoopGroup.singleton)
    let base = try #require(IRI("https://our.example"))
    let instance = try #require(Instance(base: base))
    let seal = try #require(KeySeal(secret: [UInt8](repeating: 7, count: 32)))
    let clock = clock
    let time = TimeSource(now: { clock.now })
    let ids = SnowflakeGenerator(time: time, random: .system)
    environment = FederationEnvironment(
      instance: instance, database: database, client: client, keys: KeyRing(database: database, seal: seal), ids: ids,
      time: time, random: .system, log: Logger(label: "receiving") { _ in SwiftLogNoOpLogHandler() })
    federation = FederationReceiving(environment)
    let context = environment.context
    let own: Account.ID = ids.next()
    let ownKeys = try KeyRing.make(for: own, actor: instance.actor, in: instance, seal: seal, random: .system)
    let id: Account.ID = ids.next()
    let keys = try KeyRing.make(for: id, actor: instance.actor("mika"), in: instance, seal: seal, random: .system)
    mika = try await database.write { tx in
      _ = try tx.createInstanceActor(keys: ownKeys, id: own, in: context)
      return try tx.createAccount(
        NewAccount(username: "mika", email: "mika@our.example", passwordHash: "x", role: .artist, keys: keys), id: id,
        in: context)
    }
    inbox = mika.inbox
  }

  func person(_ name: String, at host: String = "victim.test") throws -> ReceivingPerson {
    let person = try ReceivingPerson(name, at: host)
    publish(person)
    return person
  }

  func publish(_ person: ReceivingPerson) {
    peers.put(person.uri.text, person.document)
    let name = person.uri.path.split(separator: "/").last ?? ""
    let handle = "acct:\(name)@\(person.uri.host.text)"
    let answer: JSON = [
      "subject": .string(handle),
      "links": [["rel": "self", "type": "application/activity+json", "href": .string(person.uri.text)]],
    ]
    peers.put(
      "https://\(person.uri.host.text)/.well-known/webfinger?resource=\(handle)",
      .init(type: "application/jrd+json", body: String(decoding: answer.bytes, as: UTF8.self)))
  }

  func request(
    _ body: [UInt8], by key: SigningKey, type: String = "application/activity+json", from address: String = "45.1.1.1"
  ) throws -> InboxRequest {
    let facts = RequestFacts(
      method: "POST", url: inbox, fields: [("Content-Type", type)], body: ContentDigest(of: body))
    return InboxRequest(
      target: inbox.pathAndQuery, authorities: [inbox.host], fields: try key.sign(facts, at: clock.now), body: body,
      remoteAddress: address)
  }

  func send(_ activity: JSON, by person: ReceivingPerson) async throws -> InboxAnswer {
    await federation.inbox.receive(try request(activity.bytes, by: person.rsa))
  }

  /// Works off what waits in the inbound lane, and tells what became of the last activity.
  func work() async throws {
    for lane in [Job.Lane.inbound, .resolving] {
      while true {
        let now = clock.now
        let leases = try await database.write {
          try $0.leaseJobs(in: lane, at: now, until: now.adding(.seconds(60)), limit: 8)
        }
        if leases.isEmpty { break }
        for lease in leases { #expect(try await federation.run(lease)) }
      }
    }
  }

  func deliver(_ activity: JSON, by person: ReceivingPerson) async throws -> String? {
    let answer = try await send(activity, by: person)
    #expect(answer.status == 202)
    try await work()
    return try await fate(of: activity)
  }

  /// `done`, `rejected owner`, or nil when it was not stored.
  func fate(of activity: JSON) async throws -> String? {
    let id = activity["id"]?.string ?? ""
    return try await database.read { tx in
      try tx.first("SELECT state, reason FROM inbox_activities WHERE activity = \(id)").map {
        [try $0.string("state"), try $0.optionalString("reason")].compactMap(\.self).joined(separator: " ")
      }
    }
  }

  func count(_ table: SQL) async throws -> Int {
    try await database.read { try $0.first("SELECT COUNT(*) AS n FROM \(fragment: table)")?.int("n") ?? -1 }
  }

  func post(_ uri: String?) async throws -> Post? {
    guard let iri = uri.flatMap({ IRI($0) }) else { return nil }
    return try await database.read { try $0.post(uri: iri) }
  }

  func close() async {
    await environment.client.shutDown()
    try? FileManager.default.removeItem(at: folder)
  }
}
