import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Takes an account out of sight, here or of another server: its posts, pictures and page are not shown, it speaks to
  /// nobody here and nobody here speaks to it. A local one loses its sessions and tokens, and what it has not yet sent
  /// is not sent. Undone as a whole by `unsuspend`.
  package func suspend(_ account: Account, in context: OperationContext) throws {
    guard var changed = try self.account(account.id), changed.kind != .application || !changed.isLocal else {
      throw OperationFailure.notFound
    }
    guard changed.suspendedAt == nil else { return }
    changed.suspendedAt = context.now
    try update(changed)
    afterCommit(.posts)
    guard changed.isLocal else { return try dropDeliveries(to: changed.inbox) }
    try revokeEverything(of: changed.id, at: context.now)
    try dropDeliveries(by: changed.id)
    try federate(.profileUpdated(changed.id), by: changed.id, in: context)
  }

  package func unsuspend(_ account: Account, in context: OperationContext) throws {
    guard var changed = try self.account(account.id) else { throw OperationFailure.notFound }
    guard changed.suspendedAt != nil else { return }
    // What was deleted by its owner has no person behind it any more.
    guard try !changed.isLocal || user(changed.id) != nil else {
      throw OperationFailure(.conflict, "account.deleted", "This account was deleted. It can not come back.")
    }
    changed.suspendedAt = nil
    try update(changed)
    afterCommit(.posts)
    if changed.isLocal { try federate(.profileUpdated(changed.id), by: changed.id, in: context) }
  }

  /// Replaces a password. Whoever knew the old one is out: every session and token ends.
  package func changePassword(of account: Account.ID, to hash: String, in context: OperationContext) throws {
    guard try user(account) != nil else { throw OperationFailure.notFound }
    try setPasswordHash(hash, of: account)
    try revokeEverything(of: account, at: context.now)
    // Whoever asked for a link with the mailbox open has no further use of it, and a thief must not have one.
    try deleteMailLinks(.resetPassword, for: account)
    try stopAddressChanges(of: account)
    try send(.passwordChanged(account), in: context)
  }

  /// Deletes a person with all they made here, and tells everybody who holds a copy. The name stays taken and its
  /// address answers 410: an actor id that came back as somebody else would inherit followers and trust.
  package func deleteAccount(_ account: Account, in context: OperationContext) throws {
    guard var left = try self.account(account.id), left.isLocal, left.kind != .application else {
      throw OperationFailure.notFound
    }
    try revokeEverything(of: left.id, at: context.now)
    try dropDeliveries(by: left.id)
    try deleteContent(of: left, at: context.now)
    try deleteUser(left.id)
    left.displayName = left.username
    (left.note, left.noteSource, left.fields) = ("", "", [])
    (left.avatar, left.header, left.avatarURL, left.headerURL) = (nil, nil, nil, nil)
    left.details = AccountDetails()
    left.suspendedAt = left.suspendedAt ?? context.now
    left.isDiscoverable = false
    try discardPortraits(account, keeping: left, in: context)
    try update(left)
    try federate(
      .deleted(uri: left.uri, author: left.id, visibility: .everyone, recipients: []), by: left.id, in: context)
    afterCommit(.posts)
  }
}
