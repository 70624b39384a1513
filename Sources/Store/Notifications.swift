import Model
import Persistence
import Primitives

extension Notification {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), recipientID: try row.id("recipient_id"), kind: try row.enumCase("kind"),
      fromID: try row.id("from_id"), postID: try row.optionalID("post_id"),
      createdAt: try row.timestamp("created_at"), isFiltered: try row.bool("is_filtered"))
  }
}

extension ReadTransaction {
  package func notification(_ id: Notification.ID) throws -> Notification? {
    try first(
      """
      SELECT id, recipient_id, kind, from_id, post_id, created_at, is_filtered FROM notifications WHERE id = \(id)
      """
    ).map(Notification.init(row:))
  }

  /// - Parameters:
  ///   - sender: only of this one.
  ///   - showsFiltered: whether those that the recipient's policy keeps back are among them.
  package func notifications(
    of id: Account.ID, kinds: [Notification.Kind], from sender: Account.ID? = nil, showsFiltered: Bool = false,
    _ page: Page<Notification>
  ) throws -> [Notification] {
    let ofSender: SQL = sender.map { "AND from_id = \($0)" } ?? ""
    return try rows(
      """
      SELECT id, recipient_id, kind, from_id, post_id, created_at, is_filtered FROM notifications
      WHERE recipient_id = \(id) AND kind IN \(in: kinds.map(\.rawValue)) AND id < \(page.upper) AND id > \(page.lower)
        AND (\(showsFiltered) OR NOT is_filtered) \(fragment: ofSender)
        AND NOT EXISTS (SELECT 1 FROM accounts
          WHERE accounts.id = notifications.from_id AND accounts.suspended_at IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM mutes WHERE mutes.account_id = \(id) AND mutes.target_id = notifications.from_id
          AND mutes.hides_notices)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Notification.init(row:)).newestFirst(page)
  }
}

extension ReadTransaction {
  /// How many came after the last one that was read, counted up to `limit`.
  package func unread(
    of id: Account.ID, kinds: [Notification.Kind], after last: Int64, limit: Int
  ) throws -> Int {
    try notifications(of: id, kinds: kinds, Page(after: ID(rawValue: last), limit: limit)).count
  }

  /// Who was told of `post` in this way.
  package func recipients(of kind: Notification.Kind, about post: Post.ID) throws -> Set<Account.ID> {
    Set(
      try rows("SELECT recipient_id FROM notifications WHERE post_id = \(post) AND kind = \(kind.rawValue)").map {
        try $0.id("recipient_id")
      })
  }
}

extension WriteTransaction {
  package func insert(_ notification: Notification) throws {
    try execute(
      """
      INSERT INTO notifications (id, recipient_id, kind, from_id, post_id, created_at, group_key, is_filtered)
      VALUES (\(notification.id), \(notification.recipientID), \(notification.kind.rawValue), \(notification.fromID),
        \(notification.postID), \(notification.createdAt), \(notification.groupKey), \(notification.isFiltered))
      """)
  }

  /// Everything that `sender` has ever told `recipient`.
  package func deleteNotifications(to recipient: Account.ID, from sender: Account.ID) throws {
    try execute("DELETE FROM notifications WHERE from_id = \(sender) AND recipient_id = \(recipient)")
  }

  package func deleteNotifications(
    of kind: Notification.Kind, to recipient: Account.ID, from sender: Account.ID, post: Post.ID?
  ) throws {
    try execute(
      """
      DELETE FROM notifications WHERE recipient_id = \(recipient) AND kind = \(kind.rawValue)
        AND from_id = \(sender) AND post_id IS NOT DISTINCT FROM CAST(\(post) AS BIGINT)
      """)
  }
}
