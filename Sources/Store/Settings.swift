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
      SELECT MAX(id) AS last FROM (
        SELECT MAX(id) AS id FROM accounts UNION ALL SELECT MAX(id) FROM posts
        UNION ALL SELECT MAX(id) FROM post_versions UNION ALL SELECT MAX(id) FROM attachments
        UNION ALL SELECT MAX(id) FROM follows UNION ALL SELECT MAX(id) FROM notifications
        UNION ALL SELECT MAX(id) FROM decisions UNION ALL SELECT MAX(id) FROM appeals
        UNION ALL SELECT MAX(id) FROM access_tokens UNION ALL SELECT MAX(id) FROM inbox_activities
        UNION ALL SELECT MAX(id) FROM parked_requests UNION ALL SELECT MAX(id) FROM jobs
        UNION ALL SELECT MAX(id) FROM sign_ups UNION ALL SELECT MAX(id) FROM address_changes
        UNION ALL SELECT MAX(id) FROM push_subscriptions UNION ALL SELECT MAX(id) FROM invitations
        UNION ALL SELECT MAX(id) FROM outgoing UNION ALL SELECT MAX(id) FROM deliveries) AS highest
      """)
    // Ids of remote posts may lie ahead only as far as clocks differ; they never push ours beyond that.
    return try row?.optionalInt64("last") ?? 0
  }
}
