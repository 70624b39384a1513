import Model
import Persistence
import Policy
import Primitives
import Store

/// A post as its author composed it; links and mentions were resolved before.
package struct PostDraft: Sendable {
  package var text: String
  /// Sanitised HTML made from `text`.
  package var content: String
  package var spoiler = ""
  package var isSensitive = false
  package var language: String?
  package var visibility = Visibility.everyone
  package var inReplyTo: Post?
  package var attachments: [Attachment.ID] = []
  package var mentions: [Account.ID] = []
  package var tags: [String] = []
  package var usagePolicy: UsagePolicy?
  package var idempotencyKey: String?
  package init(text: String, content: String) {
    self.text = text
    self.content = content
  }
}

extension WriteTransaction {
  /// Publishes `draft` as `author`, here and to everyone who follows.
  ///
  /// A post with a held picture is held with it: stored, shown to its author, and not delivered until a moderator
  /// decides. The same idempotency key within a day gives the same post.
  package func publish(_ draft: PostDraft, by author: Account, in context: OperationContext) throws -> Post {
    let day = context.now.adding(.zero - Limits.idempotencyKeys)
    if let key = draft.idempotencyKey, let id = try idempotentPost(of: author.id, key: key, since: day),
      let post = try post(id)
    {
      return post
    }
    guard !draft.text.isEmpty || !draft.attachments.isEmpty else {
      throw OperationFailure(.invalid, "post.empty", "A post needs words or a picture.")
    }
    guard draft.text.count + draft.spoiler.count <= Limits.postCharacters else {
      throw OperationFailure(
        .invalid, "post.too_long", "A post has at most \(Limits.postCharacters) characters.")
    }
    let pictures = try pictures(draft.attachments, of: author, in: nil)
    let id: Post.ID = context.ids.next()
    let post = Post(
      id: id, uri: context.instance.post(id, by: author.username),
      url: context.instance.postPage(id, by: author.username), authorID: author.id, inReplyToID: draft.inReplyTo?.id,
      inReplyToURI: draft.inReplyTo?.uri, inReplyToAccountID: draft.inReplyTo?.authorID, content: draft.content,
      text: draft.text, spoiler: draft.spoiler, isSensitive: draft.isSensitive || !draft.spoiler.isEmpty,
      language: draft.language, visibility: draft.visibility,
      state: pictures.contains { $0.state == .held } ? .held : .published, usagePolicy: draft.usagePolicy,
      policyStatedAt: draft.usagePolicy == nil ? nil : context.now, createdAt: context.now, isLocal: true)
    try insert(post, mentions: draft.mentions, tags: draft.tags)
    for (position, picture) in pictures.enumerated() {
      var placed = picture
      placed.postID = id
      placed.position = position
      try update(placed)
    }
    if let key = draft.idempotencyKey { try insertIdempotencyKey(key, of: author.id, post: id, at: context.now) }
    if post.state == .published { try announce(post, mentions: draft.mentions, in: context) }
    return post
  }

  /// The author's own, unused and settled pictures, in the order asked for.
  private func pictures(_ ids: [Attachment.ID], of author: Account, in post: Post.ID?) throws -> [Attachment] {
    guard ids.count <= Limits.attachmentsPerPost, Set(ids).count == ids.count else {
      throw OperationFailure(
        .invalid, "post.too_many_pictures", "A post has at most \(Limits.attachmentsPerPost) different pictures.")
    }
    let found = Dictionary(try attachments(ids).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    return try ids.map { id in
      guard let picture = found[id], picture.ownerID == author.id,
        picture.postID == nil || picture.postID == post
      else { throw OperationFailure(.invalid, "media.not_found", "This picture is not there, or is used already.") }
      switch picture.state {
      case .ready, .held: return picture
      case .waiting:
        throw OperationFailure(.invalid, "media.processing", "A picture is still being prepared. Try again shortly.")
      case .refused:
        throw OperationFailure(.invalid, "media.refused", "A picture was refused by this instance's policy.")
      case .failed, .linked:
        throw OperationFailure(.invalid, "media.failed", "A picture could not be opened.")
      }
    }
  }

  /// Everything that follows from a post becoming visible.
  func announce(_ post: Post, mentions: [Account.ID], in context: OperationContext) throws {
    if post.visibility != .direct { try fillHomes(with: post, repliesToFollowed: post.inReplyToAccountID) }
    for account in mentions { try notify(account, of: .mention, from: post.authorID, post: post.id, in: context) }
    if post.isLocal { try federate(.created(post.id), by: post.authorID, in: context) }
    afterCommit(.posts)
  }

  /// Replaces text, warning, pictures and policy; the earlier text stays as a version.
  package func edit(
    _ post: Post, to draft: PostDraft, altTexts: [Attachment.ID: String], by author: Account,
    in context: OperationContext
  ) throws -> Post {
    guard post.authorID == author.id, post.boostOfID == nil else { throw OperationFailure.notFound }
    guard !draft.text.isEmpty || !draft.attachments.isEmpty else {
      throw OperationFailure(.invalid, "post.empty", "A post needs words or a picture.")
    }
    guard draft.text.count + draft.spoiler.count <= Limits.postCharacters else {
      throw OperationFailure(.invalid, "post.too_long", "A post has at most \(Limits.postCharacters) characters.")
    }
    let pictures = try pictures(draft.attachments, of: author, in: post.id)
    var edited = post
    edited.text = draft.text
    edited.content = draft.content
    edited.spoiler = draft.spoiler
    edited.isSensitive = draft.isSensitive || !draft.spoiler.isEmpty
    edited.language = draft.language ?? post.language
    if let policy = draft.usagePolicy {
      edited.usagePolicy = policy
      edited.policyStatedAt = context.now
    }
    edited.editedAt = context.now
    try update(edited, version: context.ids.next())
    let before = Set(try mentions(of: [post.id])[post.id, default: []].map(\.id))
    try setMentions(draft.mentions, of: post.id)
    try setTags(draft.tags, of: post.id)
    for kept in try attachments(of: [post.id])[post.id, default: []] where !draft.attachments.contains(kept.id) {
      try delete(attachment: kept.id)
    }
    for (position, picture) in pictures.enumerated() {
      var placed = picture
      placed.postID = post.id
      placed.position = position
      if let altText = altTexts[picture.id] { placed.altText = altText }
      try update(placed)
    }
    if pictures.contains(where: { $0.state == .held }), post.state == .published {
      try setState(.held, of: post.id)
      edited.state = .held
      return edited
    }
    for account in Set(draft.mentions).subtracting(before) {
      try notify(account, of: .mention, from: author.id, post: post.id, in: context)
    }
    if edited.state == .published { try federate(.updated(post.id), by: author.id, in: context) }
    afterCommit(.posts)
    return edited
  }

  /// Deletes an own post for good. Its id stays dead, and everyone who was sent it is told.
  package func delete(_ post: Post, by author: Account, in context: OperationContext) throws {
    guard post.authorID == author.id else { throw OperationFailure.notFound }
    if post.boostOfID != nil { return try unboost(post, by: author, in: context) }
    let recipients = try mentions(of: [post.id])[post.id, default: []].filter { !$0.isLocal }.map(\.id)
    try delete(post)
    try insert(Tombstone(uri: post.uri, authorURI: author.uri, deletedAt: context.now))
    afterCommit(.posts)
    guard post.state == .published else { return }
    try federate(
      .deleted(uri: post.uri, author: author.id, visibility: post.visibility, recipients: recipients), by: author.id,
      in: context)
  }

  package func boost(_ post: Post, by account: Account, in context: OperationContext) throws -> Post {
    guard post.visibility.isOpen || (post.authorID == account.id && post.visibility == .followers),
      post.state == .published
    else { throw OperationFailure(.forbidden, "boost.not_allowed", "Only public posts can be boosted.") }
    if let existing = try boost(of: post.id, by: account.id) { return existing }
    let id: Post.ID = context.ids.next()
    let uri = context.instance.activity(of: context.instance.post(id, by: account.username))
    let boost = Post(
      id: id, uri: uri, url: context.instance.postPage(id, by: account.username), authorID: account.id,
      boostOfID: post.id, visibility: post.visibility, createdAt: context.now, isLocal: true)
    try insert(boost)
    try fillHomes(with: boost, repliesToFollowed: nil)
    try notify(post.authorID, of: .boost, from: account.id, post: post.id, in: context)
    try federate(.boosted(id), by: account.id, in: context)
    afterCommit(.posts)
    return boost
  }

  package func unboost(_ boost: Post, by account: Account, in context: OperationContext) throws {
    guard let id = boost.boostOfID, let original = try post(id) else { throw OperationFailure.notFound }
    try delete(boost)
    try deleteNotifications(of: .boost, to: original.authorID, from: account.id, post: original.id)
    let recipients = try self.account(original.authorID).map { $0.isLocal ? [] : [$0.id] } ?? []
    try federate(
      .unboosted(uri: boost.uri, of: original.uri, author: account.id, recipients: recipients), by: account.id,
      in: context)
  }

  package func favourite(_ post: Post, by account: Account, in context: OperationContext) throws {
    let favourite = Favourite(
      accountID: account.id, postID: post.id, uri: context.instance.like(post.id, by: account.username),
      createdAt: context.now)
    guard try insert(favourite) else { return }
    try notify(post.authorID, of: .favourite, from: account.id, post: post.id, in: context)
    if try self.account(post.authorID)?.isLocal == false {
      try federate(.favourited(account: account.id, post: post.id), by: account.id, in: context)
    }
  }

  package func unfavourite(_ post: Post, by account: Account, in context: OperationContext) throws {
    guard let favourite = try favourite(of: post.id, by: account.id) else { return }
    try delete(favourite)
    try deleteNotifications(of: .favourite, to: post.authorID, from: account.id, post: post.id)
    if try self.account(post.authorID)?.isLocal == false {
      try federate(
        .unfavourited(uri: favourite.uri, account: account.id, post: post.uri, recipient: post.authorID),
        by: account.id, in: context)
    }
  }
}
