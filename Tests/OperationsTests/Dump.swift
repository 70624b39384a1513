import Persistence
import Primitives
import Store

enum Dump {
  /// One text for one table. The statements are literals because SQL has no way to take a name.
  static func rows(of table: String, _ tx: any ReadTransaction) throws -> String {
    guard let sql = statements[table] else { return "" }
    let rows = try tx.rows(sql)
    return rows.map { "\($0)" }.joined(separator: "\n")
  }

  static let statements: [String: SQL] = [
    "accounts": "SELECT * FROM accounts ORDER BY id",
    "account_counts": "SELECT * FROM account_counts ORDER BY account_id",
    "users": "SELECT * FROM users ORDER BY account_id",
    "follows": "SELECT * FROM follows ORDER BY id",
    "blocks": "SELECT * FROM blocks ORDER BY account_id, target_id",
    "posts": "SELECT * FROM posts ORDER BY id",
    "post_counts": "SELECT * FROM post_counts ORDER BY post_id",
    "post_documents": "SELECT * FROM post_documents ORDER BY post_id",
    "post_versions": "SELECT * FROM post_versions ORDER BY id",
    "mentions": "SELECT * FROM mentions ORDER BY post_id, account_id",
    "post_tags": "SELECT * FROM post_tags ORDER BY post_id, tag",
    "favourites": "SELECT * FROM favourites ORDER BY account_id, post_id",
    "tombstones": "SELECT * FROM tombstones ORDER BY uri",
    "home_entries": "SELECT * FROM home_entries ORDER BY owner_id, post_id",
    "notifications": "SELECT * FROM notifications ORDER BY id",
    "attachments": "SELECT * FROM attachments ORDER BY id",
    "renditions": "SELECT * FROM renditions ORDER BY attachment_id, kind",
    "policy_revisions": "SELECT * FROM policy_revisions ORDER BY number",
    "decisions": "SELECT * FROM decisions ORDER BY id",
    "appeals": "SELECT * FROM appeals ORDER BY id",
    "cleared_works": "SELECT * FROM cleared_works ORDER BY digest",
    "refused_files": "SELECT * FROM refused_files ORDER BY digest",
    "jobs": "SELECT * FROM jobs ORDER BY id",
    "idempotency_keys": "SELECT * FROM idempotency_keys ORDER BY account_id, idempotency_key",
    "remote_keys": "SELECT * FROM remote_keys ORDER BY key_id",
  ]
}
