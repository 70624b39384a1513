import Foundation
import GRDB
import Primitives

extension SQLiteDatabase {
  /// Writes a consistent, compact copy to `file`, which must not exist, and syncs it.
  ///
  /// Runs on a connection of its own beside reads and writes: a writer never waits for a backup.
  package func backUp(to file: String) async throws(DatabaseError) {
    do {
      var configuration = GRDB.Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(TimeInterval(Limits.databaseBusy.components.seconds))
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      try await connection.unsafeRead { database in
        try database.execute(sql: "VACUUM INTO ?", arguments: [file])
      }
      try connection.close()
      // SQLite syncs neither the copy nor its folder entry.
      try sync(file)
      try sync(URL(fileURLWithPath: file).deletingLastPathComponent().path)
    } catch {
      throw DatabaseError(mapping: error)
    }
  }

  /// What `integrity_check` and `foreign_key_check` complain of; empty for a sound file.
  package func findDamage() async throws(DatabaseError) -> [String] {
    do {
      return try await pool.read { database in
        let damage = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        let orphans = try GRDB.Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { row in
          "table \(row["table"] as String? ?? "?") row \(row["rowid"] as Int64? ?? 0) refers to nothing"
        }
        return damage + orphans
      }
    } catch {
      throw DatabaseError(mapping: error)
    }
  }

  /// Every table, index, view and trigger with the statement that makes it, but SQLite's own.
  package func schema() async throws(DatabaseError) -> Set<String> {
    do {
      return try await pool.read { database in
        Set(
          try String.fetchAll(
            database,
            sql: """
              SELECT type || ' ' || name || ': ' || COALESCE(sql, '') FROM sqlite_master
              WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
              """))
      }
    } catch {
      throw DatabaseError(mapping: error)
    }
  }

  /// Closes every connection and leaves one file without a log beside it, for a database that is to be moved or
  /// weighed. Throws `busy` when another program has it open.
  package func closeAsOneFile() async throws(DatabaseError) {
    do {
      try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
      try pool.close()
      for name in [path + "-wal", path + "-shm"] {
        let attributes =
          FileManager.default.fileExists(atPath: name)
          ? try FileManager.default.attributesOfItem(atPath: name) : nil
        guard let attributes else { continue }
        if name.hasSuffix("-wal"), (attributes[.size] as? NSNumber)?.int64Value != 0 { throw DatabaseError.busy }
        try FileManager.default.removeItem(atPath: name)
      }
      try sync(path)
    } catch let error as DatabaseError {
      throw error
    } catch {
      throw DatabaseError(mapping: error)
    }
  }

  /// Moves the log into the file as far as readers allow, and refreshes the planner's statistics where they are old.
  package func tidy() async throws(DatabaseError) {
    do {
      try await pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA optimize")
        _ = try database.checkpoint(.passive)
      }
    } catch {
      throw DatabaseError(mapping: error)
    }
  }

  private func sync(_ path: String) throws {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    try handle.synchronize()
    try handle.close()
  }
}
