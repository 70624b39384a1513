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
