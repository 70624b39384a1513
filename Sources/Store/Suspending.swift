import Model
import Persistence
import Primitives

extension WriteTransaction {
  /// What waits to be sent to this inbox is not sent.
  package func dropDeliveries(to inbox: IRI) throws {
    try execute(
      """
      DELETE FROM deliveries
      WHERE host = \(inbox.host) AND state = 'waiting' AND inbox = \(inbox) AND leased_until IS NULL
      """)
  }

  package func dropDeliveries(by sender: Account.ID) throws {
    try execute("DELETE FROM deliveries WHERE sender_id = \(sender) AND state = 'waiting' AND leased_until IS NULL")
  }

  package func deleteUser(_ id: Account.ID) throws { try execute("DELETE FROM users WHERE account_id = \(id)") }

  /// Posts, pictures, series, favourites and follows of an account that stays as a name. What it favourited, boosted
  /// and answered is counted back, and the ids of its posts stay dead. Followers stay: they are told of the end.
  package func deleteContent(of account: Account, at time: Timestamp) throws {
    let id = account.id
    try uncount(account: id)
    try execute(
      """
      INSERT INTO tombstones (uri, author_uri, deleted_at)
      SELECT uri, CAST(\(account.uri) AS TEXT), CAST(\(time) AS BIGINT) FROM posts
      WHERE author_id = \(id) AND boost_of_id IS NULL
      ON CONFLICT (uri) DO NOTHING
      """)
    try deleteWords(by: id)
    try execute("DELETE FROM posts WHERE author_id = \(id)")
    try execute("DELETE FROM attachments WHERE owner_id = \(id)")
    try execute("DELETE FROM series WHERE owner_id = \(id)")
    try execute("DELETE FROM featured_tags WHERE account_id = \(id)")
    try execute("DELETE FROM favourites WHERE account_id = \(id)")
    try execute("DELETE FROM notifications WHERE from_id = \(id) OR recipient_id = \(id)")
    for follow in try follows(by: id) { try delete(follow) }
    try execute("UPDATE account_counts SET posts = 0, last_post_at = NULL WHERE account_id = \(id)")
  }
}
