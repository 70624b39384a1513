import Forensics
import Foundation
import Media
import Primitives
import Synchronization
import Testing

@Suite(.serialized) struct WorkerPoolTests {
  private static let built: WorkerProcess.Program? = {
    guard let maps = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      guard let start = line.firstIndex(of: "/"), line.hasSuffix(".xctest") else { continue }
      let path = URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent().path + "/atelier"
      if FileManager.default.isExecutableFile(atPath: path) {
        return WorkerProcess.Program(path: path, arguments: ["media-worker"])
      }
    }
    return nil
  }()

  /// A three by two GIF still, by hand.
  static let still: [UInt8] =
    Array("GIF89a".utf8) + [3, 0, 2, 0, 0x80, 0, 0, 200, 30, 40, 10, 20, 30, 0x2C, 0, 0, 0, 0, 3, 0, 2, 0, 0, 7]
    + [8, 0x80, 0, 1, 0, 1, 0, 1, 0x81, 0, 0x3B]

  private func code(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "done"
    } catch let refusal as MediaRefusal {
      return refusal.code
    } catch {
      return "\(error)"
    }
  }

  @Test func `pictures are read by throw-away workers, one each`() async throws {
    let pool = WorkerPool(WorkerPool.Settings(program: try #require(Self.built)))
    defer { pool.close() }
    for _ in 0..<2 {
      let made = try await pool.process(Self.still)
      #expect(made.report.width == 3 && made.report.height == 2)
    }
    #expect(await code { _ = try await pool.process([1, 2, 3]) } == "image.unrecognized")
    #expect(try await pool.proveSandbox().isTight)
    #expect(pool.counts.done == 3 && pool.counts.refused == 1)
    #expect(pool.counts.started >= 4)
  }

  @Test func `one worker serves as many jobs as it may`() async throws {
    let bounds = MediaWorker.Bounds(jobs: 10)
    let pool = WorkerPool(WorkerPool.Settings(program: try #require(Self.built), bounds: bounds))
    defer { pool.close() }
    for _ in 0..<8 { _ = try await pool.process(Self.still, .look) }
    #expect(pool.counts.started == 1)
  }

  @Test func `a program that hangs is killed at its deadline, one that crashes is replaced`() async throws {
    let hangs = WorkerProcess.Program(path: "/bin/sh", arguments: ["-c", "exec sleep 600"])
    let slow = WorkerPool(
      WorkerPool.Settings(program: hangs, deadline: .milliseconds(200), startDeadline: .milliseconds(200)))
    #expect(await code { _ = try await slow.process(Self.still) } == "worker.timeout")
    #expect(await code { _ = try await slow.process(Self.still) } == "worker.timeout")
    slow.close()
    let dies = WorkerProcess.Program(path: "/bin/sh", arguments: ["-c", "kill -SEGV $$"])
    let broken = WorkerPool(WorkerPool.Settings(program: dies))
    #expect(await code { _ = try await broken.process(Self.still) } == "worker.crashed")
    #expect(await code { _ = try await broken.process(Self.still) } == "worker.crashed")
    broken.close()
    let missing = WorkerPool(WorkerPool.Settings(program: WorkerProcess.Program(path: "/nowhere", arguments: [])))
    #expect(await code { _ = try await missing.process(Self.still) } == "worker.crashed")
    missing.close()
  }

  @Test func `what a worker says is not believed`() async throws {
    // A head of four thousand million bytes.
    let script = "printf '\\377\\377\\377\\377\\0\\0\\0\\0'; cat >/dev/null"
    let lies = WorkerProcess.Program(path: "/bin/sh", arguments: ["-c", script])
    let pool = WorkerPool(WorkerPool.Settings(program: lies))
    defer { pool.close() }
    #expect(await code { _ = try await pool.process(Self.still) } == "worker.crashed")
  }

  @Test func `a full queue turns the next picture away at once and the rest are answered`() async throws {
    let hangs = WorkerProcess.Program(path: "/bin/sh", arguments: ["-c", "exec sleep 600"])
    let pool = WorkerPool(
      WorkerPool.Settings(program: hangs, queue: 2, deadline: .milliseconds(300), startDeadline: .milliseconds(300)))
    let codes = await withTaskGroup(of: String.self) { group in
      for _ in 0..<6 { group.addTask { await code { _ = try await pool.process(Self.still) } } }
      return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    }
    pool.close()
    #expect(codes["worker.busy", default: 0] >= 2, "\(codes)")
    #expect(codes.values.reduce(0, +) == 6)
    #expect(pool.counts.turnedAway == codes["worker.busy"])
  }

  @Test func `after closing nobody waits`() async throws {
    let pool = WorkerPool(WorkerPool.Settings(program: try #require(Self.built)))
    pool.close()
    #expect(await code { _ = try await pool.process(Self.still) } == "worker.busy")
  }
}
