import Foundation
import Persistence
import Primitives
import Testing

/// A database in a folder of its own, removed with it.
final class Scratch: Sendable {
  let folder: URL
  let database: SQLiteDatabase

  init(_ migrations: [Migration] = [.notes]) async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: folder.appendingPathComponent("a.sqlite").path)
    _ = try await database.migrate(migrations, at: Timestamp(milliseconds: 1))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func count() async throws -> Int {
    try await database.read { try $0.first("SELECT COUNT(*) AS n FROM notes")?.int("n") ?? -1 }
  }
}

extension Migration {
  static let notes = Migration(
    1, "notes",
    """
    CREATE TABLE notes (
      id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, parent BIGINT REFERENCES notes (id),
      flag BOOLEAN, ratio DOUBLE PRECISION CHECK (ratio >= 0), body BLOB);
    CREATE INDEX notes_by_parent ON notes (parent);
    """)
}

struct Refusal: Error, Equatable {}

@Suite struct DatabaseTests {
  @Test func `the dialect card holds on this SQLite`() async throws {
    let scratch = try await Scratch()
    let returned = try await scratch.database.write { tx in
      try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a")), (\(2), \("b"))")
      try tx.execute(
        "INSERT INTO notes (id, text) VALUES (\(3), \("a")) ON CONFLICT (text) DO UPDATE SET ratio = \(0.5)")
      return try tx.rows(
        """
        UPDATE notes SET parent = \(1) WHERE id IN (SELECT id FROM notes WHERE id IN \(in: [1, 2]) LIMIT \(2))
        RETURNING id, ratio IS NOT DISTINCT FROM \(0.5) AS hit
        """)
    }
    #expect(try returned.map { try $0.int("id") } == [1, 2])
    #expect(try returned.map { try $0.bool("hit") } == [true, false])
    let rows = try await scratch.database.read { tx in
      let cursor: Int64? = nil
      return try tx.rows(
        """
        WITH kept AS (SELECT id, ratio FROM notes)
        SELECT id, CAST(SUM(id) OVER (ORDER BY id) AS BIGINT) AS total, TRUE AS yes FROM kept
        WHERE CAST(\(cursor) AS BIGINT) IS NULL OR id < \(cursor) ORDER BY ratio DESC NULLS LAST, id
        """)
    }
    #expect(try rows.map { try $0.int("total") } == [1, 3])
    #expect(try rows[0].bool("yes"))
  }

  @Test func `an empty list matches nothing and excludes nothing`() async throws {
    let scratch = try await Scratch()
    let none: [Int64] = []
    let counts = try await scratch.database.write { tx in
      try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))")
      return (
        try tx.rows("SELECT id FROM notes WHERE id IN \(in: none)").count,
        try tx.rows("SELECT id FROM notes WHERE id NOT IN \(in: none)").count
      )
    }
    #expect(counts == (0, 1))
  }

  @Test func `a value comes back as it was stored and a wrong reader throws`() async throws {
    let scratch = try await Scratch()
    let blob: [UInt8] = [0, 255, 7]
    let row = try await scratch.database.write { tx in
      try tx.execute(
        """
        INSERT INTO notes (id, text, flag, ratio, body)
        VALUES (\(Int64.max), \("https://a.example/\u{e4}"), \(true), \(1.0), \(blob))
        """)
      return try #require(try tx.first("SELECT id, text, flag, ratio, body, parent FROM notes"))
    }
    #expect(try row.int64("id") == .max)
    #expect(try row.timestamp("id") == Timestamp(milliseconds: .max))
    #expect(try row.id("id") as ID<Scratch> == ID(rawValue: .max))
    #expect(try row.bool("flag"))
    #expect(try row.double("ratio") == 1)
    #expect(try row.bytes("body") == blob)
    #expect(try row.string("text") == "https://a.example/\u{e4}")
    #expect(try row.optionalInt64("parent") == nil)
    #expect(throws: ColumnError(column: "parent", expected: "a value, not null")) { try row.int64("parent") }
    #expect(throws: ColumnError.self) { try row.iri("text") }
    #expect(throws: ColumnError.self) { try row.string("id") }
    #expect(throws: ColumnError.self) { try row.bool("id") }
    #expect(throws: ColumnError.self) { try row.int("absent") }
  }

  @Test func `text with a null byte is refused instead of cut`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: DatabaseError.nullInText) {
      try await scratch.database.write { _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a\0b"))") }
    }
  }

  @Test func `each constraint has its own error`() async throws {
    let scratch = try await Scratch()
    func failure(_ sql: SQL) async -> DatabaseError? {
      await #expect(throws: DatabaseError.self) { try await scratch.database.write { try $0.execute(sql) } }
    }
    try await scratch.database.write { tx in _ = try tx.execute("INSERT INTO notes (id, text) VALUES (\(1), \("a"))") }
    #expect(await failure("INSERT INTO notes (id, text) VALUES (\(2), \("a"))") == .unique("notes.text"))
    #expect(await failure("INSERT INTO notes (id, text) VALUES (\(1), \("b"))") == .unique("notes.id"))
    #expect(await failure("INSERT INTO notes (id, text, parent) VALUES (\(2), \("b"), \(9))") == .foreignKey)
    #expect(await failure("INSERT INTO notes (id, text, ratio) VALUES (\(2), \("b"), \(-1))") == .check)
    #expect(await failure("INSERT INTO notes (id) VALUES (\(2))") == .check)
    guard case .other = await failure("INSERT INTO nowhere VALUES (\(1))") else {
      Issue.record("an unknown table is another error")
      return
    }
  }

  @Test func `a read cannot write and sees one state`() async throws {
    let scratch = try await Scratch()
    await #expect(throws: DatabaseError.readOnly) {
      try await scratch.database.read {
        _ = try $0.rows("INSERT INTO notes (id, text) VALUES (\(1), \("a")) RETURNING id")
      }
    }
    #expect(try await scratch.count() == 0)
  }

  @Test func `a transaction that left its closure refuses to work`() async throws {
    final class Leak: @unchecked Sendable { var transaction: (any WriteTransaction)? }
    let scratch = try await Scratch()
    let leak = Leak()
    try await scratch.database.write { leak.transaction = $0 }
    #expect(throws: DatabaseError.transactionEnded) { try leak.transaction?.execute("DELETE FROM notes") }
  }

  @Test func `the writing connection syncs every commit and maps no page`() async throws {
    let scratch = try await Scratch()
    let settings = try await scratch.database.write { tx in
      try (["PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA mmap_size"] as [SQL]).map { try tx.first($0) }
    }
    #expect(try settings[0]?.int("synchronous") == 2)
    #expect(try settings[1]?.int("foreign_keys") == 1)
    #expect(try settings[2]?.int("mmap_size") == 0)
  }

  @Test func `a transaction counts its statements`() async throws {
    let scratch = try await Scratch()
    let count = try await scratch.database.read { tx in
      for _ in 0..<3 { _ = try tx.rows("SELECT 1 AS one") }
      return tx.statementCount
    }
    #expect(count == 3)
  }

  @Test func `a backup made beside writers is whole and refuses to overwrite`() async throws {
    let scratch = try await Scratch()
    let copy = scratch.folder.appendingPathComponent("copy.sqlite").path
    try await withThrowingTaskGroup { group in
      for number in 0..<40 {
        group.addTask {
          try await scratch.database.write {
            _ = try $0.execute("INSERT INTO notes (id, text) VALUES (\(number), \(String(number)))")
          }
        }
      }
      group.addTask { try await scratch.database.backUp(to: copy) }
      try await group.waitForAll()
    }
    let restored = try SQLiteDatabase(path: copy)
    #expect(try await restored.findDamage().isEmpty)
    #expect(try await restored.read { try $0.rows("SELECT number FROM migrations").count } == 1)
    await #expect(throws: DatabaseError.self) { try await scratch.database.backUp(to: copy) }
    try await scratch.database.tidy()
  }
}
