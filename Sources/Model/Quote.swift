import Primitives

/// What a post quotes, and whether it was shown that it may (FEP-044f). A policy is advice; a stamp is authority.
package struct Quote: Hashable, Sendable {
  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nobody has said yes so far: shown as a link.
    case pending
    case accepted
    case rejected
    /// The quoted author has changed their mind.
    case revoked
    case deleted
    case unauthorized
  }

  package var postID: Post.ID
  package var quotedURI: IRI
  /// Nil while the quoted post is not here, and once it is gone.
  package var quotedID: Post.ID?
  package var state: State
  /// Where the consent of the quoted author lies. Claimed by the quoting post until `state` is `accepted`.
  package var stampURI: IRI?
  package var createdAt: Timestamp

  package init(
    postID: Post.ID, quotedURI: IRI, quotedID: Post.ID?, state: State, stampURI: IRI? = nil, createdAt: Timestamp
  ) {
    self.postID = postID
    self.quotedURI = quotedURI
    self.quotedID = quotedID
    self.state = state
    self.stampURI = stampURI
    self.createdAt = createdAt
  }
}

/// What an artist here has said to the wish to quote a work: for one work, one quoting post and one asker.
package struct QuoteConsent: Hashable, Sendable {
  package typealias ID = Primitives.ID<QuoteConsent>

  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case pending, accepted, rejected, revoked }

  package var id: ID
  package var quotedID: Post.ID
  package var quotingURI: IRI
  package var askerID: Account.ID
  /// The id of the QuoteRequest; nil for a quote within this server.
  package var requestURI: IRI?
  package var state: State
  package var createdAt: Timestamp

  package init(
    id: ID, quotedID: Post.ID, quotingURI: IRI, askerID: Account.ID, requestURI: IRI?, state: State,
    createdAt: Timestamp
  ) {
    self.id = id
    self.quotedID = quotedID
    self.quotingURI = quotingURI
    self.askerID = askerID
    self.requestURI = requestURI
    self.state = state
    self.createdAt = createdAt
  }
}
