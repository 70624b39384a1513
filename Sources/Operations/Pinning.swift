import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Shows a work first on its author's page, here and elsewhere.
  package func pin(_ post: Post, by author: Account, in context: OperationContext) throws {
    guard post.authorID == author.id, post.boostOfID == nil else {
      throw OperationFailure(.invalid, "pin.not_own", "Validation failed: Someone else's post cannot be pinned")
    }
    guard post.visibility != .direct, post.state == .published else {
      throw OperationFailure(.invalid, "pin.not_shown", "Validation failed: This post cannot be pinned")
    }
    guard try !pinned(among: [post.id]).contains(post.id) else { return }
    guard try pinCount(of: author.id) < Limits.pinnedPosts else {
      throw OperationFailure(
        .invalid, "pin.too_many", "Validation failed: You have already pinned the maximum number of posts")
    }
    guard try insertPin(context.ids.next(), of: post.id, by: author.id) else { return }
    try federate(.pinned(post.id), by: author.id, in: context)
    afterCommit(.posts)
  }

  package func unpin(_ post: Post, by author: Account, in context: OperationContext) throws {
    guard try deletePin(of: post.id, by: author.id) else { return }
    try federate(.unpinned(post.id), by: author.id, in: context)
    afterCommit(.posts)
  }

  /// An account of another server pinned one of its posts. One too many takes the place of none: the oldest stay.
  package func receivePin(of post: Post, by author: Account, in context: OperationContext) throws {
    guard !author.isLocal, post.authorID == author.id, post.boostOfID == nil,
      try pinCount(of: author.id) < Limits.pinnedPosts
    else { return }
    _ = try insertPin(context.ids.next(), of: post.id, by: author.id)
  }

  package func receiveUnpin(of post: Post, by author: Account) throws {
    _ = try deletePin(of: post.id, by: author.id)
  }

  /// The whole collection as its owner's server gave it, the first on top.
  package func receivePins(_ posts: [Post], of author: Account, in context: OperationContext) throws {
    guard !author.isLocal else { return }
    try deletePins(of: author.id)
    for post in posts.prefix(Limits.pinnedPosts).reversed() { try receivePin(of: post, by: author, in: context) }
  }
}
