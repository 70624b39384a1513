import GRDB
import Primitives

/// One step of the schema. Once released its text never changes: a mistake is mended by the next one.
package struct Migration: Sendable, Hashable {
  package let number: Int
  package let name: String
  package let text: String

  /// `text` may hold several statements. Statements that end or begin a transaction fail.
  package init(_ number: Int, _ name: StaticString, _ text: StaticString) {
    self.number = number
    self.name = name.description
    self.text = text.description
  }
}

/// Why a database was not brought up to date. Nothing was changed by the step that failed.
package enum MigrationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The list is not numbered 1, 2, 3 and so on: a mistake in the program.
  case numbering
  /// The database has steps this program does not know.
  case newer(database: Int, program: Int)
  /// A step that was applied differs from the one this program carries.
  case changed(number: Int, name: String)
  case failed(number: Int, name: String, DatabaseError)
  /// The record of steps could not be read.
  case unreadable(DatabaseError)

  package var description: String {
    switch self {
    case .numbering: "The program's migrations are not numbered from 1 without gaps."
    case .newer(let database, let program):
      """
      The database is at schema \(database) and this program knows only \(program). Run the newer program again, \
      or restore the backup made before the upgrade.
      """
    case .changed(let number, let name):
      """
      Migration \(number) (\(name)) was applied with another text than this program carries. Run the program that \
      created this database; nothing was changed.
      """
    case .failed(let number, let name, let error): "Migration \(number) (\(name)) failed and was undone: \(error)"
    case .unreadable(let error): "The table of migrations could not be read: \(error)"
    }
  }
}

extension SQLiteDatabase {
  /// Applies every step the database lacks, each in its own transaction, and returns their numbers.
  ///
  /// Forward only. The whole text of each step is kept, so that a step edited after its release is noticed. Foreign
  /// keys are checked when a step commits.
  package func migrate(_ migrations: [Migration], at time: Timestamp) async throws(MigrationError) -> [Int] {
    guard migrations.map(\.number) == migrations.indices.map({ $0 + 1 }) else { throw .numbering }
    let applied = try await appliedMigrations()
    if applied.count > migrations.count { throw .newer(database: applied.count, program: migrations.count) }
    for (known, stored) in zip(migrations, applied) where known.text != stored {
      throw .changed(number: known.number, name: known.name)
    }
    for migration in migrations.dropFirst(applied.count) {
      do {
        try await pool.writeWithoutTransaction { database in
          try database.inTransaction(.immediate) {
            try database.execute(sql: "PRAGMA defer_foreign_keys = ON")
            try database.execute(sql: migration.text)
            try database.execute(
              sql: "INSERT INTO migrations (number, name, text, applied_at) VALUES (?, ?, ?, ?)",
              arguments: [migration.number, migration.name, migration.text, time.milliseconds])
            return .commit
          }
        }
      } catch {
        throw .failed(number: migration.number, name: migration.name, DatabaseError(mapping: error))
      }
    }
    return migrations.dropFirst(applied.count).map(\.number)
  }

  /// The texts of the steps applied so far, in order.
  private func appliedMigrations() async throws(MigrationError) -> [String] {
    do {
      return try await pool.write { database in
        try database.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS migrations (
              number INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, applied_at BIGINT NOT NULL)
            """)
        return try String.fetchAll(database, sql: "SELECT text FROM migrations ORDER BY number")
      }
    } catch {
      throw .unreadable(DatabaseError(mapping: error))
    }
  }
}
