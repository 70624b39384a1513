import Model
import Persistence
import Policy
import Primitives
import Store

/// A remote post as read from its document, its people resolved.
package struct ReceivedPost: Sendable {
  package var post: Post
  package var attachments: [Attachment]
  package var mentions: [Account.ID]
  package var tags: [String]
  package var document: [UInt8]
  package var poll: Poll?
  package var quote: ReceivedQuote?
  package init(
    post: Post, attachments: [Attachment], mentions: [Account.ID], tags: [String], document: [UInt8], poll: Poll? = nil,
    quote: ReceivedQuote? = nil
  ) {
    self.post = post
    self.attachments = attachments
    self.mentions = mentions
    self.tags = tags
    self.document = document
    self.poll = poll
    self.quote = quote
  }
}

extension WriteTransaction {
  /// Stores a remote post with its effects. Nil when it is known, was deleted by its author, or that is suspended.
  /// Somebody else's tombstone counts for nothing: on a shared host a stranger could bury a post before it is born.
  package func receive(_ received: ReceivedPost, from author: Account, in context: OperationContext) throws -> Post? {
    guard author.suspendedAt == nil, try post(uri: received.post.uri) == nil,
      try tombstone(uri: received.post.uri)?.authorURI != author.uri
    else { return nil }
    let post = received.post
    try answerPolicy(of: author, in: context, post.usagePolicy)
    try insert(post, mentions: received.mentions, tags: received.tags, document: received.document)
    for attachment in received.attachments { try store(attachment, of: post, in: context) }
    if let poll = received.poll { try receivePoll(poll, in: post.id, in: context) }
    try indexWords(of: post.id)
    try receiveQuote(received.quote, in: post, by: author, in: context)
    // A reply that came before its parent could not be placed in any home timeline.
    for reply in try adoptReplies(to: post) where reply.state == .published {
      try fillHomes(with: reply, repliesToFollowed: post.authorID)
    }
    // What is addressed to us decides who is told; merely tagged people are not (Akkoma 2026.08).
    try announce(post, mentions: received.mentions, in: context)
    return post
  }

  private func store(_ attachment: Attachment, of post: Post, in context: OperationContext) throws {
    var placed = attachment
    placed.postID = post.id
    try insert(placed)
    if placed.state == .waiting {
      try enqueue(
        .fetchMedia(placed.id), id: context.ids.next(), at: context.now, dedup: "media \(placed.id)")
    }
  }

  /// Applies a remote author's edit: text, warning, pictures. The policy was passed through the ratchet before.
  package func receiveEdit(
    _ received: ReceivedPost, of known: Post, in context: OperationContext
  ) throws {
    var edited = received.post
    edited.id = known.id
    edited.createdAt = known.createdAt
    edited.state = known.state
    edited.editedAt = received.post.editedAt ?? context.now
    // An edit never changes who may see a post: Create naming a known post extended its audience (CVE-2024-37903).
    edited.visibility = known.visibility
    try update(edited, version: context.ids.next(), document: received.document)
    try setTags(received.tags, of: known.id)
    try setMentions(received.mentions, of: known.id)
    let kept = try attachments(of: [known.id])[known.id, default: []]
    for gone in kept where !received.attachments.contains(where: { $0.isSameFile(as: gone) }) {
      try delete(attachment: gone.id)
    }
    for attachment in received.attachments {
      if var same = kept.first(where: { attachment.isSameFile(as: $0) }) {
        same.altText = attachment.altText
        same.focus = attachment.focus
        same.position = attachment.position
        same.usagePolicy = attachment.usagePolicy
        try update(same)
      } else {
        try store(attachment, of: edited, in: context)
      }
    }
    try receivePoll(received.poll, in: known.id, in: context)
    try indexWords(of: known.id)
    try notifyMentioned(received.mentions, in: known, in: context)
    try notifyQuoters(of: known, in: context)
    try tell(.edited, known.id)
    afterCommit(.posts)
  }

  /// New counts of a poll that is asked as before: no edit of its post.
  package func receiveCounts(_ poll: Poll, of known: Post, in context: OperationContext) throws {
    guard !known.isLocal else { return }
    try receivePoll(poll, in: known.id, in: context)
  }

  /// The author elsewhere deleted it: gone here too, and a late Create finds the tombstone.
  package func receiveDelete(of uri: IRI, by author: IRI, in context: OperationContext) throws {
    if let post = try post(uri: uri) {
      // The caller has asked already; nothing but the author's own word ever deletes a post.
      guard !post.isLocal, try account(post.authorID)?.uri == author else { throw OperationFailure.notFound }
      if post.boostOfID == nil {
        try tellGone(post)
        try delete(post)
      } else {
        try receiveUndo(ofBoost: post)
      }
    }
    try insert(Tombstone(uri: uri, authorURI: author, deletedAt: context.now))
    afterCommit(.posts)
  }

  /// A remote account boosts `post`. Nil when it did before.
  package func receiveBoost(
    of post: Post, by account: Account, uri: IRI, published: Timestamp, visibility: Visibility,
    in context: OperationContext
  ) throws -> Post? {
    guard post.visibility.isOpen, post.state == .published, post.boostOfID == nil, account.suspendedAt == nil,
      try boost(of: post.id, by: account.id) == nil,
      try self.post(uri: uri) == nil, try !isBlocked(between: account.id, and: post.authorID)
    else { return nil }
    // Another tail is drawn when a post of the same millisecond has this one.
    var id: Post.ID = context.ids.at(min(published, context.now))
    for _ in 0..<4 where try self.post(id) != nil { id = context.ids.at(min(published, context.now)) }
    let boost = Post(
      id: id, uri: uri, url: uri, authorID: account.id, boostOfID: post.id,
      visibility: visibility, createdAt: min(published, context.now), isLocal: false)
    try insert(boost)
    try fillHomes(with: boost, repliesToFollowed: nil)
    try notify(post.authorID, of: .boost, from: account.id, post: post.id, in: context)
    try tell(.published, id)
    afterCommit(.posts)
    return boost
  }

  package func receiveUndo(ofBoost boost: Post) throws {
    try tellGone(boost)
    try delete(boost)
    if let original = try boost.boostOfID.flatMap({ try post($0) }) {
      try deleteNotifications(of: .boost, to: original.authorID, from: boost.authorID, post: original.id)
    }
  }

  package func receiveFavourite(of post: Post, by account: Account, uri: IRI, in context: OperationContext) throws {
    guard post.state == .published, post.boostOfID == nil else { return }
    let favourite = Favourite(accountID: account.id, postID: post.id, uri: uri, createdAt: context.now)
    guard account.suspendedAt == nil, try !isBlocked(between: account.id, and: post.authorID),
      try self.favourite(uri: uri) == nil, try insert(favourite)
    else { return }
    try notify(post.authorID, of: .favourite, from: account.id, post: post.id, in: context)
  }

  package func receiveUndo(of favourite: Favourite) throws {
    try delete(favourite)
    if let post = try post(favourite.postID) {
      try deleteNotifications(of: .favourite, to: post.authorID, from: favourite.accountID, post: post.id)
    }
  }
}

extension Attachment {
  /// Whether an edit still shows the same file: the address, and the digest where both documents give one.
  func isSameFile(as other: Attachment) -> Bool {
    guard let remoteURL, remoteURL == other.remoteURL else { return false }
    guard let declaredDigest, let theirs = other.declaredDigest else { return true }
    return declaredDigest == theirs
  }
}
