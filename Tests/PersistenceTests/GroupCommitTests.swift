import Foundation
import Persistence
import Primitives
import Testing

@Suite struct GroupCommitTests {
  @Test func `a failing closure among fifty leaves the others committed`() async throws {
    let scratch = try await Scratch()
    let failures = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<50 {
        group.addTask {
          do {
            try await scratch.database.write { tx in
              try tx.execute("INSERT INTO notes (id, text) VALUES (\(number), \(String(number)))")
              if number % 10 == 3 { throw Refusal() }
            }
            return false
          } catch is Refusal {
            return true
          }
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(failures == 5)
    let ids = try await scratch.database.read {
      try $0.rows("SELECT id FROM notes ORDER BY id").map { try $0.int("id") }
    }
    #expect(ids == (0..<50).filter { $0 % 10 != 3 })
    #expect(scratch.database.counters.failedWrites == 5)
  }

  @Test func `writes that queue behind a commit share the next one`() async throws {
    let scratch = try await Scratch()
    let before = scratch.database.counters
    let gate = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup { group in
      group.addTask { try await scratch.database.write { _ in gate.wait() } }
      for number in 0..<100 {
        group.addTask {
          try await scratch.database.write {
            _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(number), \(String(number)))")
          }
        }
      }
      // Reads run beside the blocked writer, so this is a turn-taking point and no sleep.
      group.addTask {
        for _ in 0..<50 { _ = try await scratch.count() }
        gate.signal()
      }
      try await group.waitForAll()
    }
    let counters = scratch.database.counters
    #expect(counters.writes - before.writes == 101)
    #expect(counters.commits - before.commits < 20)
    #expect(counters.largestBatch <= Limits.writesPerCommit)
    #expect(counters.largestBatch > 1)
    #expect(try await scratch.count() == 100)
  }

  @Test func `what a closure did before it failed in the middle is undone`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: DatabaseError.unique("notes.text")) {
      try await scratch.database.write { tx in
        try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))")
        try tx.execute("INSERT INTO notes (id, text) VALUES (\(2), \("b"))")
        try tx.execute("INSERT INTO notes (id, text) VALUES (\(3), \("a"))")
      }
    }
    #expect(try await scratch.count() == 0)
    #expect(scratch.database.counters.commits == 0)
  }

  @Test func `a foreign key that is only broken at commit fails every write of that commit`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: DatabaseError.foreignKey) {
      try await scratch.database.write { tx in
        _ = try tx.rows("PRAGMA defer_foreign_keys = ON")
        try tx.execute("INSERT INTO notes (id, text, parent) VALUES (\(1), \("a"), \(99))")
      }
    }
    #expect(try await scratch.count() == 0)
    try await scratch.database.write { _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))") }
    #expect(try await scratch.count() == 1)
  }

  @Test func `a closure that ends the transaction itself is told and harms no later write`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: DatabaseError.undone) {
      try await scratch.database.write { tx in
        try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))")
        try tx.execute("ROLLBACK")
      }
    }
    try await scratch.database.write { _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(2), \("b"))") }
    #expect(try await scratch.count() == 1)
  }

  @Test func `a signal is sent after the commit and never for a write that failed`() async throws {
    let scratch = try await Scratch()
    let wake = Signal(rawValue: "jobs")
    let other = Signal(rawValue: "other")
    var heard = scratch.database.signals.subscribe(to: [wake, other]).makeAsyncIterator()
    await #expect(throws: Refusal.self) {
      try await scratch.database.write { tx in
        tx.afterCommit(other)
        throw Refusal()
      }
    }
    try await scratch.database.write { tx in
      try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))")
      tx.afterCommit(wake)
      tx.afterCommit(wake)
    }
    #expect(await heard.next() == [wake])
    #expect(try await scratch.count() == 1)
  }

  @Test func `a cancelled task's write still runs`() async throws {
    let scratch = try await Scratch()
    try await withThrowingTaskGroup { group in
      group.addTask {
        withUnsafeCurrentTask { $0?.cancel() }
        try await scratch.database.write { _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))") }
      }
      try await group.waitForAll()
    }
    #expect(try await scratch.count() == 1)
  }

  @Test func `signals merge while nobody looks and a dropped subscription is forgotten`() async throws {
    let center = SignalCenter()
    let first = Signal(rawValue: "1")
    let second = Signal(rawValue: "2")
    do {
      var heard = center.subscribe(to: [first, second]).makeAsyncIterator()
      for _ in 0..<1000 {
        center.send(first)
        center.send(second)
        center.send(Signal(rawValue: "3"))
      }
      #expect(await heard.next() == [first, second])
      #expect(center.subscriptionCount == 1)
    }
    #expect(center.subscriptionCount == 0)
  }
}
