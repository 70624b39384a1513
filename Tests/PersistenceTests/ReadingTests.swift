import Dispatch
import Persistence
import Primitives
import Testing

@Suite struct ReadingTests {
  @Test func `more reads than connections are all answered`() async throws {
    let scratch = try await Scratch()
    let before = scratch.database.counters
    let answers = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<500 {
        group.addTask { try await scratch.database.read { try $0.first("SELECT \(number) AS n")?.int("n") ?? -1 } }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(answers == Set(0..<500))
    #expect(scratch.database.counters.reads - before.reads == 500)
  }

  @Test func `a slow read holds up no others`() async throws {
    let scratch = try await Scratch()
    let gate = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup { group in
      for _ in 1..<Limits.databaseReaders { group.addTask { try await scratch.database.read { _ in gate.wait() } } }
      group.addTask {
        for _ in 0..<100 { _ = try await scratch.count() }
        for _ in 1..<Limits.databaseReaders { gate.signal() }
      }
      try await group.waitForAll()
    }
  }

  @Test func `every statement of a read sees one moment`() async throws {
    let scratch = try await Scratch()
    let seen = DispatchSemaphore(value: 0)
    let written = DispatchSemaphore(value: 0)
    async let counts = scratch.database.read { tx in
      let first = try tx.first("SELECT COUNT(*) AS n FROM notes")?.int("n")
      seen.signal()
      written.wait()
      return (first, try tx.first("SELECT COUNT(*) AS n FROM notes")?.int("n"))
    }
    async let write: Void = scratch.database.write { tx in
      seen.wait()
      try tx.execute("INSERT INTO notes (id, text) VALUES (1, 'a')")
    }
    try await write
    written.signal()
    #expect(try await counts == (0, 0))
    #expect(try await scratch.count() == 1)
  }

  @Test func `a read that fails leaves its connection fit for the next`() async throws {
    let scratch = try await Scratch()
    for _ in 0..<20 {
      await #expect(throws: Refusal()) {
        try await scratch.database.read { tx in
          _ = try tx.rows("SELECT id FROM notes")
          throw Refusal()
        }
      }
      await #expect(throws: DatabaseError.self) { try await scratch.database.read { try $0.rows("SELECT nothing") } }
    }
    _ = try await scratch.database.write { try $0.execute("INSERT INTO notes (id, text) VALUES (1, 'a')") }
    // A connection still inside its old transaction would go on seeing an empty table.
    for _ in 0..<20 { #expect(try await scratch.count() == 1) }
  }

  @Test func `a cancelled task reads nothing`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: CancellationError.self) {
      try await withThrowingTaskGroup { group in
        group.addTask {
          withUnsafeCurrentTask { $0?.cancel() }
          _ = try await scratch.count()
        }
        try await group.waitForAll()
      }
    }
  }
}
