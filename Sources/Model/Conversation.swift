import Primitives

/// The direct posts of one thread, as one of those who take part in them sees them.
package struct Conversation: Hashable, Sendable {
  package typealias ID = Primitives.ID<Conversation>
  package var id: ID
  package var accountID: Account.ID
  package var lastPostID: Post.ID
  package var isUnread: Bool
  package init(id: ID, accountID: Account.ID, lastPostID: Post.ID, isUnread: Bool) {
    self.id = id
    self.accountID = accountID
    self.lastPostID = lastPostID
    self.isUnread = isUnread
  }
}
