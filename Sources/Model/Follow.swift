import Primitives

package struct Follow: Hashable, Sendable {
  package typealias ID = Primitives.ID<Follow>

  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// Asked for. Nothing is shown or delivered yet (Pixelfed CVE-2025-30741).
    case pending
    case accepted
  }

  package var id: ID
  package var followerID: Account.ID
  package var followeeID: Account.ID
  /// The id of the Follow activity.
  package var uri: IRI
  package var state: State
  package var createdAt: Timestamp

  package init(
    id: ID, followerID: Account.ID, followeeID: Account.ID, uri: IRI, state: State, createdAt: Timestamp
  ) {
    self.id = id
    self.followerID = followerID
    self.followeeID = followeeID
    self.uri = uri
    self.state = state
    self.createdAt = createdAt
  }
}

package struct Notification: Hashable, Sendable {
  package typealias ID = Primitives.ID<Notification>

  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case follow
    case followRequest = "follow_request"
    case mention
    case boost = "reblog"
    case favourite
    /// A poll the recipient asked or took part in has ended.
    case poll
    /// A post quotes one of the recipient's.
    case quote
    /// A post that the recipient quotes says something else now.
    case quotedUpdate = "quoted_update"
    /// Somebody would like to quote a work whose author wants to be asked.
    case quoteRequest = "atelier.quote_request"
    /// A picture of the recipient's own post was labelled, held, refused or cleared.
    case decision = "atelier.decision"
    /// An assessor of another server says something of a picture of the recipient's, or takes it back.
    case assessment = "atelier.assessment"
  }

  package var id: ID
  package var recipientID: Account.ID
  package var kind: Kind
  package var fromID: Account.ID
  package var postID: Post.ID?
  package var createdAt: Timestamp
  /// Kept back by the recipient's policy until its sender is let in.
  package var isFiltered: Bool

  package init(
    id: ID, recipientID: Account.ID, kind: Kind, fromID: Account.ID, postID: Post.ID?, createdAt: Timestamp,
    isFiltered: Bool = false
  ) {
    self.isFiltered = isFiltered
    self.id = id
    self.recipientID = recipientID
    self.kind = kind
    self.fromID = fromID
    self.postID = postID
    self.createdAt = createdAt
  }
}

extension Notification.Kind {
  /// Clients know the others; of these only those hear that ask for them by name.
  package var isOurs: Bool { rawValue.hasPrefix("atelier.") }
}

/// How one account stands to another, from the first one's side.
package struct Relationship: Hashable, Sendable {
  package var accountID: Account.ID
  package var following = false
  package var requested = false
  package var followedBy = false
  package var requestedBy = false
  package var blocking = false
  package var blockedBy = false
  package var endorsed = false
  package var aside = Aside()
  package init(accountID: Account.ID) { self.accountID = accountID }
}
