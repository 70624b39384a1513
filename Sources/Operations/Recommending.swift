import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  package func follow(tag: String, by account: Account, in context: OperationContext) throws {
    guard try followedTags(of: account.id, Page(limit: Limits.followedTags)).count < Limits.followedTags else {
      throw OperationFailure(.invalid, "tag.too_many", "Validation failed: You follow as many tags as you can")
    }
    try follow(tag: tag, context.ids.next(), by: account.id)
  }

  package func unfollow(tag: String, by account: Account) throws {
    try unfollow(tag: tag, by: account.id)
    try clearHome(of: account.id, fromTag: tag)
  }

  /// Recommends somebody on one's profile. Only those one follows: it is said in public.
  package func endorse(_ target: Account, by account: Account, in context: OperationContext) throws {
    guard try follow(of: target.id, by: account.id)?.state == .accepted else {
      throw OperationFailure(
        .invalid, "endorsement.not_followed", "Validation failed: You must be already following the person")
    }
    try endorse(target.id, context.ids.next(), by: account.id)
  }

  package func unendorse(_ target: Account, by account: Account) throws { try unendorse(target.id, by: account.id) }

  /// Throws away an upload that stands in no post.
  package func discard(_ id: Attachment.ID, by owner: Account) throws {
    guard let picture = try attachment(id), picture.ownerID == owner.id else { throw OperationFailure.notFound }
    guard picture.postID == nil, try scheduled(among: [id]).isEmpty else {
      throw OperationFailure(.invalid, "media.in_use", "Media attachment is currently used by a status")
    }
    // The row of a refused picture stays for the appeal.
    if picture.state != .refused { try delete(attachment: id) }
  }
}

extension Limits {
  package static let followedTags = 1_000
}
