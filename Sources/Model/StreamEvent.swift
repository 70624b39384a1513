import Primitives

/// Something that open streams are told of, read from the database after its commit.
package struct StreamEvent: Hashable, Sendable {
  package typealias ID = Primitives.ID<StreamEvent>

  /// Stored, so a case is never renamed once released.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// The subject is a post.
    case published, edited, deleted
    /// The subject is a notification.
    case notified
    /// The subject is an account, whose filters changed, or whose requests were let in.
    case filters, merged
    /// The subject is an account of which a token or more has ended.
    case revoked
  }

  /// Where a deleted post was shown, since its rows are gone when the event is read.
  package struct Trace: Codable, Hashable, Sendable {
    package var owners: [Account.ID]
    package var isPublic: Bool
    package var isLocal: Bool
    package var hasMedia: Bool
    package var tags: [String]
    package init(owners: [Account.ID], isPublic: Bool, isLocal: Bool, hasMedia: Bool, tags: [String]) {
      self.owners = owners
      self.isPublic = isPublic
      self.isLocal = isLocal
      self.hasMedia = hasMedia
      self.tags = tags
    }
  }

  package var id: ID
  package var kind: Kind
  package var subject: Int64
  package var trace: Trace?
  package init(id: ID, kind: Kind, subject: Int64, trace: Trace?) {
    self.id = id
    self.kind = kind
    self.subject = subject
    self.trace = trace
  }
}
