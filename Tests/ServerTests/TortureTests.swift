import Foundation
import NIOCore
import NIOPosix
import Persistence
import Primitives
import Server
import Store
import Synchronization
import TestSupport
import Testing

/// Promise R1: what was answered 202 is stored once and worked off, however the server ends.
///
/// Runs the real program as a process of its own and kills it. Ten rounds take about half a minute; more of them with
/// `ATELIER_TORTURE_ROUNDS`.
@Suite(.serialized) struct TortureTests {
  @Test(.enabled(if: TestInstance.builtProgram != nil), .timeLimit(.minutes(10)))
  func `every activity answered 202 survives kill -9, once`() async throws {
    let rounds = ProcessInfo.processInfo.environment["ATELIER_TORTURE_ROUNDS"].flatMap { Int($0) } ?? 10
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var chance = Chance(state: seed)
    let world = try TestWorld(at: TimeSource.system.now())
    defer { world.remove() }
    let home = try await prepare(world)
    let peer = try await HonestPeer()
    let port = try await freePort()
    let ledger = Ledger()
    for _ in 0..<rounds {
      let server = try await Program(home: home, port: port, authority: world.authorityFile)
      let life = Duration.milliseconds(100 + Int(chance.next() % 2_900))
      // The senders go on until the server is gone: it dies with requests half done.
      async let sending: Void = load(port, peer.actor, ledger, for: life + .seconds(30))
      try await Task.sleep(for: life)
      server.kill()
      await sending
    }
    let server = try await Program(home: home, port: port, authority: world.authorityFile)
    // What got no answer is sent again, as every honest peer does.
    await load(port, peer.actor, ledger, for: .zero)
    try await check(ledger, database: home + "/atelier.db")
    server.kill()
    await peer.stop()
  }

  private func check(_ ledger: Ledger, database path: String) async throws {
    let accepted = ledger.accepted
    print("\(accepted.count) activities were accepted, \(ledger.retried) sent again")
    #expect(accepted.count > 50)
    #expect(ledger.retried > 0, "the server was never killed at work")
    let database = try SQLiteDatabase(path: path)
    var pending = -1
    // The program runs on by itself; this process only looks.
    for _ in 0..<600 where pending != 0 {
      pending = try await database.read { tx in
        try tx.first("SELECT COUNT(*) AS many FROM inbox_activities WHERE state = 'pending'")?.int("many") ?? 0
      }
      if pending != 0 { try await Task.sleep(for: .milliseconds(100)) }
    }
    #expect(pending == 0)
    let (receipts, posts, notified) = try await database.read { tx in
      (
        try tx.rows("SELECT activity FROM inbox_activities WHERE state = 'done'").map { try $0.string("activity") },
        try tx.rows("SELECT uri FROM posts").map { try $0.string("uri") },
        try tx.first("SELECT COUNT(*) AS many FROM notifications WHERE kind = 'mention'")?.int("many") ?? 0
      )
    }
    let lost = Set(accepted).subtracting(receipts)
    #expect(lost.isEmpty, "lost: \(lost.count)")
    #expect(receipts.count == Set(receipts).count)
    #expect(posts.count == Set(posts).count)
    #expect(Set(accepted.map { $0.replacingOccurrences(of: "activities", with: "notes") }).isSubset(of: posts))
    #expect(notified == posts.count, "\(notified) mentions of \(posts.count) posts")
    let damage = try await database.findDamage()
    #expect(damage.isEmpty)
    try database.close()
  }

  private func prepare(_ world: TestWorld) async throws -> String {
    let instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9")
    _ = try await instance.resident("alice")
    let home = instance.services.settings.home
    try await instance.stop()
    return home
  }

  /// Eight senders, together at most 200 a second.
  private func load(_ port: Int, _ actor: RemoteActor, _ ledger: Ledger, for life: Duration) async {
    let end = ContinuousClock.now + life
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var hasFailed = false
          while !hasFailed {
            let isOver = ContinuousClock.now >= end
            guard let number = ledger.next(isOver: isOver) else { return }
            let next = ContinuousClock.now + .milliseconds(40)
            hasFailed = await !send(number, port, actor, ledger)
            // Keeps the rate, and nothing else depends on it.
            if !isOver { try? await Task.sleep(until: next) }
          }
        }
      }
    }
  }

  private func send(_ number: Int, _ port: Int, _ actor: RemoteActor, _ ledger: Ledger) async -> Bool {
    let activity = Template.activity("note", by: actor, number: number)
    let body = activity.bytes
    do {
      let signing = Signing(as: actor, to: "paper.test", at: TimeSource.system.now())
      let fields = try signing.fields("POST", "/inbox", body: body)
      let answer = try await WireClient(port: port).request(
        "POST", "/inbox", host: "paper.test",
        headers: fields + [("Content-Type", "application/activity+json")], body: body)
      guard answer.status == 202 else {
        ledger.failed(number)
        return answer.status == 503
      }
      ledger.accept(activity["id"]?.string ?? "")
      return true
    } catch {
      ledger.failed(number)
      return false
    }
  }

  private func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
  }
}

/// What was answered, and what has to be sent again.
private final class Ledger: Sendable {
  private struct State {
    var number = 0
    var accepted: [String] = []
    var unanswered: [Int] = []
    var retried = 0
  }
  private let state = Mutex(State())

  var accepted: [String] { state.withLock { $0.accepted } }
  var retried: Int { state.withLock { $0.retried } }

  func next(isOver: Bool) -> Int? {
    state.withLock { state in
      if let number = state.unanswered.popLast() {
        state.retried += 1
        return number
      }
      guard !isOver else { return nil }
      state.number += 1
      return state.number
    }
  }

  func accept(_ id: String) { state.withLock { $0.accepted.append(id) } }
  func failed(_ number: Int) { state.withLock { $0.unanswered.append(number) } }
}

/// One actor on a loopback address, which the program is told it may reach.
private final class HonestPeer: Sendable {
  let actor: RemoteActor
  private let peer: FakePeer

  init() async throws {
    let shared = Shared()
    peer = try await FakePeer { request in
      guard let actor = shared.actor else { return .hangUp }
      if request.method == "POST" { return .answer(202) }
      if request.url == actor.id { return .document(actor.document) }
      if request.target.hasPrefix("/.well-known/webfinger") {
        return .answer(type: "application/jrd+json", actor.webFinger.bytes)
      }
      return .answer(404)
    }
    actor = try RemoteActor("bob", at: "127.0.0.1:\(peer.port)", seed: 9)
    shared.set(actor)
  }

  func stop() async { await peer.stop() }

  private final class Shared: Sendable {
    private let box = Mutex<RemoteActor?>(nil)
    var actor: RemoteActor? { box.withLock { $0 } }
    func set(_ actor: RemoteActor) { box.withLock { $0 = actor } }
  }
}

/// The real program, serving.
private final class Program {
  private let process = Process()

  struct Silent: Error {}

  init(home: String, port: Int, authority: String) async throws {
    process.executableURL = URL(fileURLWithPath: TestInstance.builtProgram ?? "")
    process.arguments = ["serve"]
    process.environment = [
      "PATH": "/usr/bin:/bin", "ATELIER_INSTANCE_BASE_URL": "https://paper.test", "ATELIER_HOME": home,
      "ATELIER_LISTEN": "127.0.0.1:\(port)", "ATELIER_LOG_LEVEL": "error",
      "ATELIER_FEDERATION_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8", "ATELIER_FEDERATION_EXTRA_CA_FILE": authority,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<2_400 {
      if let answer = try? await WireClient(port: port).request("GET", "/nodeinfo/2.0", host: "paper.test"),
        answer.status == 200
      {
        return
      }
      guard process.isRunning else { throw Silent() }
      try await Task.sleep(for: .milliseconds(25))
    }
    throw Silent()
  }

  /// A test that fails half-way leaves no server behind.
  deinit { if process.isRunning { process.terminate() } }

  /// As the power does it.
  func kill() {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

private struct Chance {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
