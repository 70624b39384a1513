import Foundation
import Media
import Primitives
import TestSupport
import Testing

@testable import Server

/// The real program, killed while it makes a backup. Twelve rounds; more of them with `ATELIER_TORTURE_ROUNDS`.
@Suite(.serialized) struct BackupKillTests {
  @Test(.enabled(if: TestInstance.builtProgram != nil), .timeLimit(.minutes(10)))
  func `a backup that is killed at any moment leaves nothing that passes for one, and the next is whole`() async throws
  {
    let rounds = ProcessInfo.processInfo.environment["ATELIER_TORTURE_ROUNDS"].flatMap { Int($0) } ?? 12
    let world = try TestWorld(at: TimeSource.system.now())
    defer { world.remove() }
    let instance = try await TestInstance("paper.test", in: world, address: "192.0.2.1", works: false)
    let home = instance.services.settings.home
    for number in 0..<400 {
      _ = try instance.services.media.blobs.put(Array("picture \(number)".utf8) + [UInt8](repeating: 9, count: 5_000))
    }
    try await instance.stop()
    let folder = world.folder + "/backups"
    let start = ContinuousClock.now
    try run(home, folder).waitUntilExit()
    let whole = ContinuousClock.now - start
    #expect(try Snapshot.all(in: folder).count == 1)
    var (halves, killed) = (0, 0)
    for round in 0..<rounds {
      let process = try run(home, folder)
      // Spread over a whole run; the clock is what is under test.
      try await Task.sleep(for: whole * round / rounds)
      if process.isRunning { killed += 1 }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        let snapshot = Snapshot(at: folder + "/" + name)
        guard FileManager.default.fileExists(atPath: snapshot.manifestPath) else {
          halves += 1
          #expect(Snapshot.isLeftover(name), "\(name)")
          #expect(throws: Snapshot.Failure.self) { try snapshot.manifest() }
          continue
        }
        #expect(try await examine(snapshot, world).isWhole, "\(name)")
      }
    }
    print("\(killed) killed at work, \(halves) halves seen")
    #expect(halves > 0, "no run was killed while it copied")
    try run(home, folder).waitUntilExit()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy(Snapshot.isName))
    let last = try #require(try Snapshot.all(in: folder).last)
    #expect(try last.manifest().pictures == 400)
    #expect(try await examine(last, world).isWhole)
  }

  private func examine(_ snapshot: Snapshot, _ world: TestWorld) async throws -> Examination {
    let scratch = world.folder + "/" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    return try await snapshot.examine(scratch: scratch, secret: nil, at: TimeSource.system.now())
  }

  private func run(_ home: String, _ folder: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: TestInstance.builtProgram ?? "")
    process.arguments = ["backup", folder]
    process.environment = [
      "PATH": "/usr/bin:/bin", "ATELIER_INSTANCE_BASE_URL": "https://paper.test", "ATELIER_HOME": home,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }
}
