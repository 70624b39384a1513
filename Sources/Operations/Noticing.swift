import Model
import Persistence
import Primitives
import Store

extension ReadTransaction {
  /// What the recipient's policy says of a notification. One's own matters, the staff of this server, and everybody one
  /// has let in come through.
  func noticeRule(
    _ recipient: Account.ID, of kind: Notification.Kind, from sender: Account.ID, post: Post.ID?, at now: Timestamp
  ) throws -> NoticePolicy.Rule {
    guard recipient != sender, kind != .decision, kind != .poll else { return .accept }
    let policy = try noticePolicy(of: recipient)
    guard policy != NoticePolicy(), try !isPermitted(sender, by: recipient) else { return .accept }
    guard try user(sender).map({ $0.role < .moderator }) ?? true, let from = try account(sender) else { return .accept }
    var rules: [NoticePolicy.Rule] = []
    let isFollowed = try follow(of: sender, by: recipient)?.state == .accepted
    if !isFollowed { rules.append(policy.notFollowing) }
    if try follow(of: recipient, by: sender)?.state != .accepted { rules.append(policy.notFollowers) }
    if from.createdAt > now.adding(.zero - Limits.newAccount) { rules.append(policy.newAccounts) }
    if kind == .mention, !isFollowed, let post, try isUnasked(post, to: recipient) {
      rules.append(policy.privateMentions)
    }
    if rules.contains(.drop) { return .drop }
    return rules.contains(.filter) ? .filter : .accept
  }

  /// Whether a direct post begins a conversation instead of answering the recipient's words.
  private func isUnasked(_ id: Post.ID, to recipient: Account.ID) throws -> Bool {
    guard let post = try post(id), post.visibility == .direct else { return false }
    return post.inReplyToAccountID != recipient
  }
}

extension WriteTransaction {
  package func change(_ policy: NoticePolicy, of account: Account) throws { try set(policy, of: account.id) }

  /// Lets in whoever waits: what they have sent is shown, and what comes later too.
  package func acceptNotices(from senders: [Account.ID], by account: Account) throws {
    for sender in senders.prefix(Limits.noticeRequestsAtOnce) where try self.account(sender) != nil {
      try permit(sender, by: account.id)
    }
    try insertStreamEvent(.merged, account.id.rawValue)
  }

  package func dismissNotices(from senders: [Account.ID], by account: Account) throws {
    for sender in senders.prefix(Limits.noticeRequestsAtOnce) { try deleteFiltered(from: sender, to: account.id) }
  }

  package func dismiss(noticeGroup key: String, of account: Account) throws { try deleteGroup(key, of: account.id) }
}

extension Limits {
  package static let noticeRequestsAtOnce = 80
}
