import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// Those `account` has muted or blocked, by their ids.
  package func muted(by account: Account.ID, _ page: Page<Account>) throws -> [Account] {
    try aside("mutes", by: account, page)
  }

  package func blocked(by account: Account.ID, _ page: Page<Account>) throws -> [Account] {
    try aside("blocks", by: account, page)
  }

  private func aside(_ table: SQL, by account: Account.ID, _ page: Page<Account>) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM \(fragment: table) AS aside
      CROSS JOIN accounts ON accounts.id = aside.target_id
      WHERE aside.account_id = \(account) AND aside.target_id < \(page.upper) AND aside.target_id > \(page.lower)
      ORDER BY aside.target_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Account.init(row:)).newestFirst(page)
  }

  /// What `account` has set about each of `ids`: mutes and its own notes.
  package func asides(of account: Account.ID, about ids: [Account.ID]) throws -> [Account.ID: Aside] {
    guard !ids.isEmpty else { return [:] }
    var found: [Account.ID: Aside] = [:]
    for row in try rows(
      """
      SELECT target_id, hides_notices, ends_at FROM mutes WHERE account_id = \(account) AND target_id IN \(in: ids)
      """)
    {
      found[try row.id("target_id"), default: Aside()].mute = Aside.Mute(
        hidesNotices: try row.bool("hides_notices"), endsAt: try row.optionalTimestamp("ends_at"))
    }
    for row in try rows(
      "SELECT target_id, note FROM account_notes WHERE account_id = \(account) AND target_id IN \(in: ids)")
    {
      found[try row.id("target_id"), default: Aside()].note = try row.string("note")
    }
    return found
  }
}

extension WriteTransaction {
  package func setMute(_ mute: Aside.Mute?, of target: Account.ID, by account: Account.ID) throws {
    try execute("DELETE FROM mutes WHERE account_id = \(account) AND target_id = \(target)")
    guard let mute else { return }
    try execute(
      """
      INSERT INTO mutes (account_id, target_id, hides_notices, ends_at)
      VALUES (\(account), \(target), \(mute.hidesNotices), \(mute.endsAt))
      """)
  }

  package func endMutes(at time: Timestamp) throws { try execute("DELETE FROM mutes WHERE ends_at <= \(time)") }

  package func setNote(_ note: String, about target: Account.ID, by account: Account.ID) throws {
    try execute("DELETE FROM account_notes WHERE account_id = \(account) AND target_id = \(target)")
    guard !note.isEmpty else { return }
    try execute(
      "INSERT INTO account_notes (account_id, target_id, note) VALUES (\(account), \(target), \(note))")
  }

  package func deleteNotifications(of recipient: Account.ID) throws {
    try execute("DELETE FROM notifications WHERE recipient_id = \(recipient)")
  }

  package func delete(notification id: Notification.ID, of recipient: Account.ID) throws {
    try execute("DELETE FROM notifications WHERE id = \(id) AND recipient_id = \(recipient)")
  }
}
