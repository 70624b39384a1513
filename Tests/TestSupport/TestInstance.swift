import Federation
import Forensics
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Media
import Model
import NIOCore
import NIOSSL
import Operations
import Persistence
import Primitives
import Server
import Signatures
import Store
import Synchronization
import Transport

/// What instances under test share: an Internet, a clock, and the private authority everybody trusts.
package final class TestWorld: Sendable {
  package let internet = FakeInternet()
  package let clock: TestClock
  package let folder: String

  /// 2026-11-03T18:00:00Z, so that documents in files may hold dates.
  package static let start = Timestamp(secondsSince1970: 1_793_728_800)

  package init(at start: Timestamp = TestWorld.start) throws {
    clock = TestClock(start)
    folder = FileManager.default.temporaryDirectory.path + "/atelier-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try TestCertificates.authority.write(toFile: authorityFile, atomically: true, encoding: .utf8)
  }

  package var authorityFile: String { folder + "/authority.pem" }

  package func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

/// A whole server on a loopback port: the services, the router and the background work of the real one.
package final class TestInstance: Sendable {
  package let world: TestWorld
  package let services: Services
  package let port: Int
  package let host: String
  private let isSealed: Bool
  private let running: [Task<Void, any Error>]

  package var database: SQLiteDatabase { services.database }
  package var base: String { "https://\(host)" }

  /// Starts a server on its folder in the world; one that was there before is found as it was left.
  package init(
    _ host: String, in world: TestWorld, address: String, listensTLS: Bool = false, works: Bool = true,
    adjust: (inout Settings) -> Void = { _ in }
  ) async throws {
    self.world = world
    self.host = host
    isSealed = listensTLS
    var settings = try Settings(
      reading: SettingsSources(flags: [
        "instance.base_url": "https://\(host)", "home": "\(world.folder)/\(host)", "instance.title": host,
        "federation.extra_ca_file": world.authorityFile, "listen": "127.0.0.1:1",
      ]))
    adjust(&settings)
    var log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    log.logLevel = .critical
    if ProcessInfo.processInfo.environment["ATELIER_TEST_LOG"] != nil {
      log = Logger(label: host, factory: { StreamLogHandler.standardError(label: $0) })
    }
    let internet = world.internet
    let services = try await Services.open(
      settings,
      Surroundings(
        time: world.clock.source, random: .system, log: log, resolver: internet, dialer: internet,
        worker: TestInstance.worker, recordEgress: { internet.note($0) }))
    self.services = services
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let tls = listensTLS ? try TLSParts.server() : nil
    let application = Application(
      router: try services.router(), server: TestInstance.builder(tls),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: "Atelier"),
      onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: log)
    var running = [Task<Void, any Error> { try await application.run() }]
    if works { running.append(Task<Void, any Error> { await services.work() }) }
    self.running = running
    var arrivals = ports.makeAsyncIterator()
    port = await arrivals.next() ?? 0
    internet.name(host, [address])
    internet.lead(address, to: port)
  }

  package func stop() async throws {
    for task in running { task.cancel() }
    for task in running { _ = await task.result }
    try await services.close()
  }

  private static func builder(_ tls: NIOSSLContext?) -> HTTPServerBuilder {
    guard let tls else { return .doored }
    return HTTPServerBuilder { responder in
      SealedChannel(base: DooredChannel(responder: responder), context: tls)
    }
  }

  /// The program that opens pictures, as it was built beside the tests.
  package static let worker: WorkerProcess.Program = {
    let path = builtProgram ?? "/nonexistent/atelier"
    return WorkerProcess.Program(path: path, arguments: ["media-worker"])
  }()

  package static let builtProgram: String? = {
    guard let maps = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      guard let start = line.firstIndex(of: "/"), line.hasSuffix(".xctest") else { continue }
      let path = URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent().path + "/atelier"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return nil
  }()

  /// To this server as a proxy on the same machine reaches it.
  package var client: WireClient { WireClient(port: port, tlsName: isSealed ? host : nil) }
}

/// HTTP behind TLS with the world's certificate.
private struct SealedChannel<Base: ServerChildChannel>: ServerChildChannel {
  typealias Value = Base.Value
  let base: Base
  let context: NIOSSLContext

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }.flatMap { base.setup(channel: channel, logger: logger) }
  }

  func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
