import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Stores an actor of another server with the keys its document lists, or what has changed about it. The policy was
  /// passed through the ratchet before. Throws `DatabaseError.unique` when another actor has the handle.
  package func receiveActor(
    _ account: Account, keys: [RemoteKey], document: [UInt8], in context: OperationContext
  ) throws {
    if try self.account(account.id) == nil {
      try insert(account, document: document)
    } else {
      try update(account, document: document)
    }
    try replaceRemoteKeys(of: account.uri, with: keys)
    try queuePortraits(of: account, in: context)
  }

  /// Copies what somebody looks like, once their document names a picture we have no copy of.
  private func queuePortraits(of account: Account, in context: OperationContext) throws {
    guard (account.avatarURL != nil && account.avatar == nil) || (account.headerURL != nil && account.header == nil)
    else { return }
    try enqueue(
      .fetchPortraits(account.id), id: context.ids.next(), at: context.now, dedup: "portraits \(account.id)")
  }

  /// Reads what an account elsewhere shows first, when somebody here has begun to look at it.
  package func queueFeatured(of account: Account, in context: OperationContext) throws {
    guard !account.isLocal, account.featured != nil, account.suspendedAt == nil else { return }
    try enqueue(
      .fetchFeatured(account.id), id: context.ids.next(), at: context.now, dedup: "featured \(account.id)")
  }

  /// An account of another server is gone, with its posts, follows and keys. Its address stays dead.
  package func receiveDeparture(of account: Account, in context: OperationContext) throws {
    guard !account.isLocal else { throw OperationFailure.notFound }
    // Row by row, since the counts of both ends are kept beside them.
    for follow in try follows(touching: account.id) { try delete(follow) }
    try delete(account: account.id)
    try replaceRemoteKeys(of: account.uri, with: [])
    try insert(Tombstone(uri: account.uri, authorURI: account.uri, deletedAt: context.now))
    afterCommit(.posts)
  }

  /// A remote account tells where it lives now. Nobody's follow is moved.
  package func receiveMove(of account: Account, to target: IRI) throws {
    var moved = account
    moved.movedTo = target
    try update(moved)
  }
}
