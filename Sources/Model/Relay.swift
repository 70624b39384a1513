import Primitives

/// A server that passes on what many others say to everybody, of either kind the fediverse has (FEP-ae0c).
package struct Relay: Hashable, Sendable {
  package typealias ID = Primitives.ID<Relay>

  package enum Style: String, Codable, Hashable, Sendable, CaseIterable {
    /// Joined by a Follow of everybody, sent to an inbox; it is sent our public activities and sends on those of others.
    case mastodon
    /// Joined by a Follow of its actor; it is told the ids of our public posts, and announces the ids of others'.
    case litepub
  }

  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case asked, accepted, refused }

  package var id: ID
  package var style: Style
  package var inbox: IRI
  /// Nil until a relay that was joined by its inbox has answered.
  package var actor: IRI?
  /// The id of our Follow.
  package var follow: IRI
  package var state: State
  package var createdAt: Timestamp
  package var answeredAt: Timestamp?

  package init(
    id: ID, style: Style, inbox: IRI, actor: IRI? = nil, follow: IRI, state: State = .asked, createdAt: Timestamp,
    answeredAt: Timestamp? = nil
  ) {
    self.id = id
    self.style = style
    self.inbox = inbox
    self.actor = actor
    self.follow = follow
    self.state = state
    self.createdAt = createdAt
    self.answeredAt = answeredAt
  }
}
