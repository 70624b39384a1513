import Persistence
import Primitives
import Store
import Testing

@Suite struct CatalogueTests {
  @Test func `every table has a primary key and every foreign key an index that begins with it`() async throws {
    let scratch = try await Scratch()
    let complaints = try await scratch.read { tx in
      var complaints: [String] = []
      for table in try Self.tables(tx) {
        let columns = try tx.rows("SELECT name, pk FROM pragma_table_info(\(table))")
        if try columns.allSatisfy({ try $0.int("pk") == 0 }) { complaints.append("\(table) has no primary key") }
        let indexed = try Self.firstColumns(of: table, tx)
        for key in try tx.rows("SELECT \"from\" AS origin FROM pragma_foreign_key_list(\(table))") {
          let column = try key.string("origin")
          if !indexed.contains(column) { complaints.append("\(table).\(column) has no index") }
        }
      }
      return complaints
    }
    #expect(complaints == [])
  }

  @Test func `every column has a type of the dialect card and no boolean may be null`() async throws {
    let scratch = try await Scratch()
    let types: Set<String> = ["BIGINT", "INTEGER", "TEXT", "BOOLEAN", "DOUBLE PRECISION", "BLOB"]
    let complaints = try await scratch.read { tx in
      try Self.tables(tx).flatMap { table in
        try tx.rows("SELECT name, type, pk, \"notnull\" AS required FROM pragma_table_info(\(table))").compactMap {
          let type = try $0.string("type")
          let name = "\(table).\(try $0.string("name"))"
          if !types.contains(type) { return "\(name) is \(type)" }
          if type == "INTEGER", try $0.int("pk") == 0 { return "\(name) is INTEGER and no key" }
          if type == "BOOLEAN", try $0.int("required") == 0 { return "\(name) may be null" }
          return nil
        }
      }
    }
    #expect(complaints == [])
  }

  @Test func `migrating twice changes nothing and the file is sound`() async throws {
    let scratch = try await Scratch()
    #expect(try await scratch.database.migrate(migrations, at: start) == [])
    #expect(try await scratch.database.findDamage() == [])
  }

  private static func tables(_ tx: any ReadTransaction) throws -> [String] {
    // The text index and its own tables are SQLite's to lay out.
    try tx.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").map { try $0.string("name") }
      .filter { !$0.hasPrefix("search_words") }
  }

  /// Columns that some index, or the rowid itself, begins with.
  private static func firstColumns(of table: String, _ tx: any ReadTransaction) throws -> Set<String> {
    var first: Set<String> = []
    for index in try tx.rows("SELECT name FROM pragma_index_list(\(table))") {
      let name = try index.string("name")
      let column = try tx.first("SELECT name FROM pragma_index_info(\(name)) WHERE seqno = 0")
      if let column = try column?.optionalString("name") { first.insert(column) }
    }
    let keys = try tx.rows("SELECT name FROM pragma_table_info(\(table)) WHERE pk = 1 AND type = 'INTEGER'")
    for key in keys { first.insert(try key.string("name")) }
    return first
  }
}
