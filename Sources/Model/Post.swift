import Policy
import Primitives

/// An artwork or a note, or the boost of one.
package struct Post: Hashable, Sendable {
  package typealias ID = Primitives.ID<Post>

  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    case published
    /// Waits for a moderator because of one of its pictures; visible to its author and to moderators.
    case held
  }

  package var id: ID
  package var uri: IRI
  package var url: IRI
  package var authorID: Account.ID
  package var inReplyToID: ID?
  package var inReplyToURI: IRI?
  package var inReplyToAccountID: Account.ID?
  package var boostOfID: ID?
  /// Sanitised HTML.
  package var content: String
  /// What the author typed; empty for remote posts.
  package var text: String
  package var spoiler: String
  package var isSensitive: Bool
  package var language: String?
  package var visibility: Visibility
  package var state: State
  /// The author's choice for this work; nil leaves the account's.
  package var usagePolicy: UsagePolicy?
  package var policyIsProved: Bool
  /// When its author stated it, never later than when we read it.
  package var policyStatedAt: Timestamp?
  package var createdAt: Timestamp
  package var editedAt: Timestamp?
  package var isLocal: Bool
  package var seriesID: Series.ID?
  /// What its series says, read with the row so that no face can forget it; changed only through the series.
  package var seriesPolicy: UsagePolicy?
  /// The collection of its conversation, as its author's server names it (FEP-7888).
  package var contextURI: IRI?
  /// Nil where the author has not spoken.
  package var interaction: InteractionPolicy?
  package var searchability: Searchability?

  package init(
    id: ID, uri: IRI, url: IRI, authorID: Account.ID, inReplyToID: ID? = nil, inReplyToURI: IRI? = nil,
    inReplyToAccountID: Account.ID? = nil, boostOfID: ID? = nil, content: String = "", text: String = "",
    spoiler: String = "", isSensitive: Bool = false, language: String? = nil, visibility: Visibility,
    state: State = .published, usagePolicy: UsagePolicy? = nil, policyIsProved: Bool = false,
    policyStatedAt: Timestamp? = nil, createdAt: Timestamp,
    editedAt: Timestamp? = nil, isLocal: Bool, seriesID: Series.ID? = nil, seriesPolicy: UsagePolicy? = nil,
    contextURI: IRI? = nil, interaction: InteractionPolicy? = nil, searchability: Searchability? = nil
  ) {
    self.id = id
    self.uri = uri
    self.url = url
    self.authorID = authorID
    self.inReplyToID = inReplyToID
    self.inReplyToURI = inReplyToURI
    self.inReplyToAccountID = inReplyToAccountID
    self.boostOfID = boostOfID
    self.content = content
    self.text = text
    self.spoiler = spoiler
    self.isSensitive = isSensitive
    self.language = language
    self.visibility = visibility
    self.state = state
    self.usagePolicy = usagePolicy
    self.policyIsProved = policyIsProved
    self.policyStatedAt = policyStatedAt
    self.createdAt = createdAt
    self.editedAt = editedAt
    self.isLocal = isLocal
    self.seriesID = seriesID
    self.seriesPolicy = seriesPolicy
    self.contextURI = contextURI
    self.interaction = interaction
    self.searchability = searchability
  }

  /// Who may do what with it: its author's word, and what is usual where that is silent. Elsewhere silence stays.
  package var interactionInForce: InteractionPolicy {
    let own = interaction ?? InteractionPolicy()
    return isLocal ? own.filled(from: .standard(for: visibility)) : own
  }

  /// When what its document says last changed: an edit of the work, or of what machines may do with it.
  package var changedAt: Timestamp { max(editedAt ?? createdAt, isLocal ? policyStatedAt ?? createdAt : createdAt) }
}

/// Who a post is addressed to.
package enum Visibility: String, Codable, Hashable, Sendable, CaseIterable {
  /// Public in `to`.
  case everyone = "public"
  /// Public in `cc`: seen by link, not listed.
  case unlisted
  /// The author's followers.
  case followers = "private"
  /// Only those mentioned.
  case direct

  package var isOpen: Bool { self == .everyone || self == .unlisted }
}

/// What decides whether somebody may see a post. The definition; the SQL in `Store` is its fast twin, and a test
/// holds them equal.
package struct Audience: Hashable, Sendable {
  package var visibility: Visibility
  package var state: Post.State
  package var viewerIsAuthor: Bool
  package var viewerFollowsAuthor: Bool
  package var viewerIsMentioned: Bool
  package var blocked: Bool
  package var authorIsSuspended: Bool

  package init(
    visibility: Visibility, state: Post.State, viewerIsAuthor: Bool, viewerFollowsAuthor: Bool,
    viewerIsMentioned: Bool, blocked: Bool, authorIsSuspended: Bool = false
  ) {
    self.visibility = visibility
    self.state = state
    self.viewerIsAuthor = viewerIsAuthor
    self.viewerFollowsAuthor = viewerFollowsAuthor
    self.viewerIsMentioned = viewerIsMentioned
    self.blocked = blocked
    self.authorIsSuspended = authorIsSuspended
  }

  package var canSee: Bool {
    if viewerIsAuthor { return true }
    if blocked || authorIsSuspended || state == .held { return false }
    switch visibility {
    case .everyone, .unlisted: return true
    case .followers: return viewerFollowsAuthor || viewerIsMentioned
    case .direct: return viewerIsMentioned
    }
  }
}

package struct Favourite: Hashable, Sendable {
  package var accountID: Account.ID
  package var postID: Post.ID
  package var uri: IRI
  package var createdAt: Timestamp
  package init(accountID: Account.ID, postID: Post.ID, uri: IRI, createdAt: Timestamp) {
    self.accountID = accountID
    self.postID = postID
    self.uri = uri
    self.createdAt = createdAt
  }
}

package struct PostCounts: Hashable, Sendable {
  package var replies: Int
  package var boosts: Int
  package var favourites: Int
  package init(replies: Int = 0, boosts: Int = 0, favourites: Int = 0) {
    self.replies = replies
    self.boosts = boosts
    self.favourites = favourites
  }
}

/// A deleted post: its id stays dead, so that a late Create can not bring it back.
package struct Tombstone: Hashable, Sendable {
  package var uri: IRI
  package var authorURI: IRI
  package var deletedAt: Timestamp
  package init(uri: IRI, authorURI: IRI, deletedAt: Timestamp) {
    self.uri = uri
    self.authorURI = authorURI
    self.deletedAt = deletedAt
  }
}
