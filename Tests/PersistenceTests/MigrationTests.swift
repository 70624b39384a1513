import Persistence
import Primitives
import Testing

@Suite struct MigrationTests {
  private static let more = Migration(2, "tags", "CREATE TABLE tags (id INTEGER PRIMARY KEY)")
  private static let broken = Migration(
    3, "broken", "CREATE TABLE half (id INTEGER PRIMARY KEY); CREATE TABLE half (x)")
  private let time = Timestamp(milliseconds: 1)

  @Test func `each step is applied once`() async throws {
    let scratch = try await Scratch([])
    #expect(try await scratch.database.migrate([.notes], at: time) == [1])
    #expect(try await scratch.database.migrate([.notes, Self.more], at: time) == [2])
    #expect(try await scratch.database.migrate([.notes, Self.more], at: time) == [])
  }

  @Test func `a step that fails leaves nothing and keeps the steps before it`() async throws {
    let scratch = try await Scratch([])
    let error = await #expect(throws: MigrationError.self) {
      try await scratch.database.migrate([.notes, Self.more, Self.broken], at: time)
    }
    guard case .failed(3, "broken", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let tables = try await scratch.database.read { tx in
      try tx.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN \(in: ["half", "tags"])").count
    }
    #expect(tables == 1)
  }

  @Test func `a changed step and a newer database are refused with a reason`() async throws {
    let scratch = try await Scratch([.notes, Self.more])
    let edited = Migration(1, "notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    await #expect(throws: MigrationError.changed(number: 1, name: "notes")) {
      try await scratch.database.migrate([edited, Self.more], at: time)
    }
    await #expect(throws: MigrationError.newer(database: 2, program: 1)) {
      try await scratch.database.migrate([.notes], at: time)
    }
    await #expect(throws: MigrationError.numbering) { try await scratch.database.migrate([Self.more], at: time) }
    #expect(MigrationError.newer(database: 2, program: 1).description.contains("schema 2"))
  }
}
