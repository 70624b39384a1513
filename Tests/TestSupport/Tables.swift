import Persistence
import Primitives

/// Every row of the tables that hold what the server believes: accounts, posts and all that hangs on them. Receipts,
/// queues, caches of keys and what is known of peers are not among them.
package struct DomainTables: Hashable, Sendable {
  package let rows: [String: [String]]

  package init(_ database: any Database) async throws {
    rows = try await database.read { tx in
      var rows: [String: [String]] = [:]
      for (name, columns, all) in DomainTables.queries {
        let names = try tx.rows(columns).map { try $0.string("name") }
        rows[name] = try tx.rows(all).map { row in
          try names.map { "\($0)=\(try row.value($0))" }.joined(separator: " ")
        }.sorted()
      }
      return rows
    }
  }

  /// The tables whose rows differ, each with what came and went.
  package func changes(since before: DomainTables) -> [String] {
    rows.keys.sorted().flatMap { name -> [String] in
      let (old, new) = (Set(before.rows[name] ?? []), Set(rows[name] ?? []))
      return new.subtracting(old).map { "\(name) + \($0.prefix(300))" }
        + old.subtracting(new).map { "\(name) - \($0.prefix(300))" }
    }
  }

  /// Statements are literals, because there is no way to make one from a name.
  private static let queries: [(String, SQL, SQL)] = [
    ("accounts", "SELECT name FROM pragma_table_info('accounts')", "SELECT * FROM accounts"),
    ("account_counts", "SELECT name FROM pragma_table_info('account_counts')", "SELECT * FROM account_counts"),
    ("users", "SELECT name FROM pragma_table_info('users')", "SELECT * FROM users"),
    ("follows", "SELECT name FROM pragma_table_info('follows')", "SELECT * FROM follows"),
    ("blocks", "SELECT name FROM pragma_table_info('blocks')", "SELECT * FROM blocks"),
    ("posts", "SELECT name FROM pragma_table_info('posts')", "SELECT * FROM posts"),
    ("post_counts", "SELECT name FROM pragma_table_info('post_counts')", "SELECT * FROM post_counts"),
    ("post_versions", "SELECT name FROM pragma_table_info('post_versions')", "SELECT * FROM post_versions"),
    ("mentions", "SELECT name FROM pragma_table_info('mentions')", "SELECT * FROM mentions"),
    ("post_tags", "SELECT name FROM pragma_table_info('post_tags')", "SELECT * FROM post_tags"),
    ("favourites", "SELECT name FROM pragma_table_info('favourites')", "SELECT * FROM favourites"),
    ("tombstones", "SELECT name FROM pragma_table_info('tombstones')", "SELECT * FROM tombstones"),
    ("home_entries", "SELECT name FROM pragma_table_info('home_entries')", "SELECT * FROM home_entries"),
    ("notifications", "SELECT name FROM pragma_table_info('notifications')", "SELECT * FROM notifications"),
    ("attachments", "SELECT name FROM pragma_table_info('attachments')", "SELECT * FROM attachments"),
    ("renditions", "SELECT name FROM pragma_table_info('renditions')", "SELECT * FROM renditions"),
    ("decisions", "SELECT name FROM pragma_table_info('decisions')", "SELECT * FROM decisions"),
    ("appeals", "SELECT name FROM pragma_table_info('appeals')", "SELECT * FROM appeals"),
    ("cleared_works", "SELECT name FROM pragma_table_info('cleared_works')", "SELECT * FROM cleared_works"),
    ("refused_files", "SELECT name FROM pragma_table_info('refused_files')", "SELECT * FROM refused_files"),
  ]
}
