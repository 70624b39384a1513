import Persistence
import Primitives

extension ReadTransaction {
  package func setting(_ name: String) throws -> String? {
    try first("SELECT value FROM settings WHERE name = \(name)")?.string("value")
  }
}

extension WriteTransaction {
  package func set(_ name: String, to value: String) throws {
    try execute(
      """
      INSERT INTO settings (name, value) VALUES (\(name), \(value))
      ON CONFLICT (name) DO UPDATE SET value = excluded.value
      """)
  }
}

extension ReadTransaction {
  /// The highest id in use, so that a clock set back mints no id twice.
  package func lastID() throws -> Int64 {
    let row = try first(
      """
      SELECT MAX(COALESCE((SELECT MAX(id) FROM accounts), 0), COALESCE((SELECT MAX(id) FROM posts), 0),
        COALESCE((SELECT MAX(id) FROM attachments), 0), COALESCE((SELECT MAX(id) FROM jobs), 0),
        COALESCE((SELECT MAX(id) FROM deliveries), 0), COALESCE((SELECT MAX(id) FROM inbox_activities), 0)) AS last
      """)
    // Ids of remote posts may lie ahead only as far as clocks differ; they never push ours beyond that.
    return try row?.int64("last") ?? 0
  }
}
