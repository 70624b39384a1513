import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Ends a block. The follows it ended do not come back.
  package func unblock(_ target: Account, by account: Account) throws {
    try deleteBlock(by: account.id, of: target.id)
  }

  /// Changes what the owner says about an upload that stands in no post yet; later it is part of an edit, which
  /// everybody who holds a copy is told of.
  package func describe(
    _ id: Attachment.ID, altText: String?, focus: Focus?, by owner: Account
  ) throws -> Attachment {
    guard var picture = try attachment(id), picture.ownerID == owner.id else { throw OperationFailure.notFound }
    guard picture.postID == nil else {
      throw OperationFailure(
        .invalid, "media.already_posted", "This picture is part of a post. Edit the post to describe it anew.")
    }
    guard altText.map({ $0.unicodeScalars.count <= Limits.altTextCharacters }) ?? true else {
      throw OperationFailure(
        .invalid, "media.alt_text_too_long", "A description has at most \(Limits.altTextCharacters) characters.")
    }
    picture.altText = altText ?? picture.altText
    picture.focus = focus ?? picture.focus
    try update(picture)
    return picture
  }
}
