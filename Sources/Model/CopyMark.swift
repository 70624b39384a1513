import Primitives

/// What is known against the copy of a work whose author signs.
package struct CopyMark: Hashable, Sendable {
  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// It came without a proof that holds, and its origin has none to offer either, or did not answer.
    case unverified
    /// It came with other words than its origin has. What the origin says is shown.
    case altered
  }

  package var postID: Post.ID
  package var state: State
  /// Members of the document that differed, by name.
  package var differing: [String]
  package var checkedAt: Timestamp

  package init(postID: Post.ID, state: State, differing: [String], checkedAt: Timestamp) {
    self.postID = postID
    self.state = state
    self.differing = differing
    self.checkedAt = checkedAt
  }
}

/// A picture whose bytes are not those that its author's document names (FEP-1311), fetched twice.
package struct ChangedMedium: Hashable, Sendable {
  package var attachmentID: Attachment.ID
  package var declared: Digest
  package var found: Digest
  package var notedAt: Timestamp

  package init(attachmentID: Attachment.ID, declared: Digest, found: Digest, notedAt: Timestamp) {
    self.attachmentID = attachmentID
    self.declared = declared
    self.found = found
    self.notedAt = notedAt
  }
}
