import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// A direct post appears in the conversations of everybody here who wrote it or is meant by it.
  func converse(_ post: Post, with mentioned: [Account.ID], in context: OperationContext) throws {
    guard post.visibility == .direct else { return }
    let people = try accounts(Set(mentioned).union([post.authorID]))
    for account in people.values.filter(\.isLocal).sorted(by: { $0.id < $1.id }) {
      guard try account.id == post.authorID || !isBlocked(between: account.id, and: post.authorID) else { continue }
      try insertDirect(
        post.id, for: account.id, conversation: context.ids.next(), isUnread: account.id != post.authorID)
    }
  }

  package func read(_ conversation: Conversation) throws { try setRead(conversation.id, isUnread: false) }

  /// Takes it out of the list; what is said in it later brings it back.
  package func hide(_ conversation: Conversation) throws { try delete(conversation: conversation.id) }

  /// Whoever mutes a thread is told of nothing more in it.
  package func muteThread(of post: Post, by account: Account) throws {
    try setThreadMute(true, of: post.id, by: account.id)
  }

  package func unmuteThread(of post: Post, by account: Account) throws {
    try setThreadMute(false, of: post.id, by: account.id)
  }

  /// Looks for the rest of a conversation on the servers it lives on, in the background and at most once in a while.
  package func refreshThread(of post: Post, in context: OperationContext) throws {
    guard !context.instance.isTrial, try isThreadStale(post, at: context.now) else { return }
    try setThreadRead(post.id, at: context.now)
    try enqueue(.readThread(post.id), id: context.ids.next(), at: context.now, dedup: "thread \(post.id)")
  }
}

extension ReadTransaction {
  /// Whether servers elsewhere may know more of the conversation around `post` than we do. Everything said to a work
  /// of ours is sent to us.
  package func isThreadStale(_ post: Post, at now: Timestamp) throws -> Bool {
    guard !post.isLocal, post.visibility.isOpen, post.boostOfID == nil else { return false }
    guard let last = try threadRead(of: post.id) else { return true }
    return last.adding(Limits.threadRefresh) <= now
  }
}

extension Limits {
  /// How often the rest of a conversation is looked for at most.
  package static let threadRefresh = Duration.seconds(900)
}
