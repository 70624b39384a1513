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
  /// One of the author's own; in an edit nil leaves the work where it is.
  package var seriesID: Series.ID?
  package var idempotencyKey: String?
  package var poll: PollDraft?
  package var quoting: Post?
  /// In an edit nil leaves it as it is.
  package var interaction: InteractionPolicy?
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
    try check(draft)
    let pictures = try pictures(draft.attachments, of: author, in: nil)
    if let parent = draft.inReplyTo {
      try require(.reply, with: parent, by: author, "The author of this post does not want answers from everybody.")
    }
    let id: Post.ID = context.ids.next()
    let post = Post(
      id: id, uri: context.instance.post(id, by: author.username),
      url: context.instance.postPage(id, by: author.username), authorID: author.id, inReplyToID: draft.inReplyTo?.id,
      inReplyToURI: draft.inReplyTo?.uri, inReplyToAccountID: draft.inReplyTo?.authorID, content: draft.content,
      text: draft.text, spoiler: draft.spoiler, isSensitive: draft.isSensitive || !draft.spoiler.isEmpty,
      language: draft.language, visibility: draft.visibility,
      state: pictures.contains { $0.state == .held } ? .held : .published, usagePolicy: draft.usagePolicy,
      policyStatedAt: draft.usagePolicy == nil ? nil : context.now, createdAt: context.now, isLocal: true,
      interaction: draft.interaction)
    try insert(post, mentions: draft.mentions, tags: draft.tags)
    try place(pictures, in: id)
    if let series = draft.seriesID { try put(post, in: series, by: author) }
    try remark(pictures, from: nil, to: try self.post(id) ?? post, of: author, in: context)
    if let poll = draft.poll { try open(poll, in: id, in: context) }
    try indexWords(of: id)
    if let parent = draft.inReplyTo { try touch(parent, by: author) }
    if let quoted = draft.quoting { try quote(quoted, in: post, by: author, in: context) }
    if let key = draft.idempotencyKey { try insertIdempotencyKey(key, of: author.id, post: id, at: context.now) }
    if post.state == .published { try announce(post, mentions: draft.mentions, in: context) }
    return post
  }

  /// The author's own, unused and settled pictures, in the order asked for.
  func pictures(_ ids: [Attachment.ID], of author: Account, in post: Post.ID?) throws -> [Attachment] {
    guard ids.count <= Limits.attachmentsPerPost, Set(ids).count == ids.count else {
      throw OperationFailure(
        .invalid, "post.too_many_pictures", "A post has at most \(Limits.attachmentsPerPost) different pictures.")
    }
    let waiting = try scheduled(among: ids)
    let found = Dictionary(try attachments(ids).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    return try ids.map { id in
      guard let picture = found[id], picture.ownerID == author.id,
        picture.postID == nil || picture.postID == post, !waiting.contains(id)
      else { throw OperationFailure(.invalid, "media.not_found", "This picture is not there, or is used already.") }
      // What stands in the post stays there: a picture that was refused since must not freeze its author's words.
      if picture.postID != nil { return picture }
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
    try fillHomes(with: post, repliesToFollowed: post.inReplyToAccountID)
    // Only what everybody may find: a tag is followed by strangers.
    if post.visibility == .everyone, post.inReplyToURI == nil || post.inReplyToAccountID == post.authorID {
      try fillHomes(with: post, ofTags: try tags(of: [post.id])[post.id, default: []])
    }
    try converse(post, with: mentions, in: context)
    try notifyMentioned(mentions, in: post, in: context)
    if post.isLocal {
      try federate(.created(post.id), by: post.authorID, in: context)
      try askToQuote(in: post, in: context)
    }
    try tell(.published, post.id)
    afterCommit(.posts)
  }

  func check(_ draft: PostDraft) throws {
    try draft.poll?.check()
    guard !draft.text.allSatisfy(\.isWhitespace) || !draft.attachments.isEmpty else {
      throw OperationFailure(.invalid, "post.empty", "A post needs words or a picture.")
    }
    // One character may be made of any number of combining marks, and the document has to stay under 60,000 bytes.
    guard draft.text.count + draft.spoiler.count <= Limits.postCharacters,
      draft.text.utf8.count + draft.spoiler.utf8.count <= Limits.postBytes
    else {
      throw OperationFailure(
        .invalid, "post.too_long", "A post has at most \(Limits.postCharacters) characters.")
    }
  }

  /// Replaces text, warning, pictures and policy; the earlier text stays as a version. A post that was held is
  /// published when what it was held for is no longer in it.
  package func edit(
    _ post: Post, to draft: PostDraft, altTexts: [Attachment.ID: String], by author: Account,
    in context: OperationContext
  ) throws -> Post {
    guard post.authorID == author.id, post.boostOfID == nil else { throw OperationFailure.notFound }
    try check(draft)
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
    edited.interaction = draft.interaction ?? post.interaction
    edited.editedAt = context.now
    try update(edited, version: context.ids.next())
    try setMentions(draft.mentions, of: post.id)
    try setTags(draft.tags, of: post.id)
    try place(pictures, in: post.id, altTexts: altTexts)
    if let series = draft.seriesID { try put(post, in: series, by: author) }
    try remark(pictures, from: post, to: try self.post(post.id) ?? edited, of: author, in: context)
    if let poll = draft.poll { try change(poll, in: post.id, in: context) }
    try indexWords(of: post.id)
    afterCommit(.posts)
    if post.state == .held {
      try release(post.id, in: context)
    } else if pictures.contains(where: { $0.state == .held && $0.postID == nil }) {
      try setState(.held, of: post.id)
    } else {
      try notifyMentioned(draft.mentions, in: edited, in: context)
      try notifyQuoters(of: post, in: context)
      try tell(.edited, post.id)
      try federate(.updated(post.id), by: author.id, in: context)
    }
    return try self.post(post.id) ?? edited
  }

  /// Puts `pictures` into a post in their order, and takes out those that are no longer among them.
  private func place(
    _ pictures: [Attachment], in post: Post.ID, altTexts: [Attachment.ID: String] = [:]
  ) throws {
    let kept = Set(pictures.map(\.id))
    for gone in try attachments(of: [post])[post, default: []] where !kept.contains(gone.id) {
      try delete(attachment: gone.id)
    }
    for (position, picture) in pictures.enumerated() {
      var placed = picture
      placed.postID = post
      placed.position = position
      if let altText = altTexts[picture.id] { placed.altText = altText }
      try update(placed)
    }
  }

  /// Tells those who have not been told of this post before.
  func notifyMentioned(_ people: [Account.ID], in post: Post, in context: OperationContext) throws {
    let told = try recipients(of: .mention, about: post.id)
    for account in Set(people).subtracting(told).sorted() {
      try notify(account, of: .mention, from: post.authorID, post: post.id, in: context)
    }
  }

  /// Publishes a local post that waited, with its original time, once all of its pictures may be shown. One that was
  /// seen before an edit is told of as an edit.
  func release(_ id: Post.ID, in context: OperationContext) throws {
    guard var post = try post(id), post.isLocal, post.state == .held,
      try attachments(of: [id])[id, default: []].allSatisfy({ $0.state == .ready })
    else { return }
    try setState(.published, of: id)
    post.state = .published
    let mentioned = try mentions(of: [id])[id, default: []].map(\.id)
    guard try wasAnnounced(post) else { return try announce(post, mentions: mentioned, in: context) }
    try notifyMentioned(mentioned, in: post, in: context)
    try tell(.edited, id)
    try federate(.updated(id), by: post.authorID, in: context)
  }

  /// Deletes an own post for good. Its id stays dead, and everyone who was sent it is told.
  package func delete(_ post: Post, by author: Account, in context: OperationContext) throws {
    guard post.authorID == author.id else { throw OperationFailure.notFound }
    if post.boostOfID != nil { return try unboost(post, by: author, in: context) }
    let mentioned = try mentions(of: [post.id])[post.id, default: []].filter { !$0.isLocal }.map(\.id)
    // Their servers hold a copy that no follower or mention may account for.
    let recipients = Set(mentioned).union(try remoteBoosters(of: post.id, limit: Limits.toldOfDeletion)).sorted()
    let isKnownElsewhere = try post.state == .published || wasAnnounced(post)
    try tellGone(post)
    // Apps offer "delete and redraft": the pictures stay the author's for a day, for nobody else to see.
    try detachAttachments(of: post.id)
    try delete(post)
    try insert(Tombstone(uri: post.uri, authorURI: author.uri, deletedAt: context.now))
    afterCommit(.posts)
    guard isKnownElsewhere else { return }
    try federate(
      .deleted(uri: post.uri, author: author.id, visibility: post.visibility, recipients: recipients), by: author.id,
      in: context)
  }

  /// What a boost of a boost, or a favourite of one, means: the post itself.
  private func original(of post: Post) throws -> Post {
    guard let id = post.boostOfID else { return post }
    guard let original = try self.post(id) else { throw OperationFailure.notFound }
    return original
  }

  package func boost(_ shown: Post, by account: Account, in context: OperationContext) throws -> Post {
    let post = try original(of: shown)
    guard try !isBlocked(between: account.id, and: post.authorID) else { throw OperationFailure.notFound }
    guard post.visibility.isOpen || (post.authorID == account.id && post.visibility == .followers),
      post.state == .published
    else { throw OperationFailure(.forbidden, "boost.not_allowed", "Only public posts can be boosted.") }
    if let existing = try boost(of: post.id, by: account.id) { return existing }
    try require(.announce, with: post, by: account, "The author does not want this post to be shared.")
    let id: Post.ID = context.ids.next()
    let uri = context.instance.activity(of: context.instance.post(id, by: account.username))
    let boost = Post(
      id: id, uri: uri, url: context.instance.postPage(id, by: account.username), authorID: account.id,
      boostOfID: post.id, visibility: post.visibility, createdAt: context.now, isLocal: true)
    try insert(boost)
    try touch(post, by: account)
    try fillHomes(with: boost, repliesToFollowed: nil)
    try notify(post.authorID, of: .boost, from: account.id, post: post.id, in: context)
    try federate(.boosted(id), by: account.id, in: context)
    try tell(.published, id)
    afterCommit(.posts)
    return boost
  }

  package func unboost(_ boost: Post, by account: Account, in context: OperationContext) throws {
    guard let id = boost.boostOfID, let original = try post(id) else { throw OperationFailure.notFound }
    try tellGone(boost)
    try delete(boost)
    try deleteNotifications(of: .boost, to: original.authorID, from: account.id, post: original.id)
    let recipients = try self.account(original.authorID).map { $0.isLocal ? [] : [$0.id] } ?? []
    try federate(
      .unboosted(uri: boost.uri, of: original.uri, author: account.id, recipients: recipients), by: account.id,
      in: context)
  }

  package func favourite(_ shown: Post, by account: Account, in context: OperationContext) throws {
    let post = try original(of: shown)
    guard try self.post(post.id, visibleTo: account.id) != nil else { throw OperationFailure.notFound }
    try require(.like, with: post, by: account, "The author does not want likes of this post.")
    // A new id each time: peers remember those they have seen, and would drop a second like of the same name.
    let favourite = Favourite(
      accountID: account.id, postID: post.id, uri: context.instance.like(context.ids.next(), by: account.username),
      createdAt: context.now)
    guard try insert(favourite) else { return }
    try touch(post, by: account)
    try notify(post.authorID, of: .favourite, from: account.id, post: post.id, in: context)
    if try self.account(post.authorID)?.isLocal == false {
      try federate(.favourited(account: account.id, post: post.id), by: account.id, in: context)
    }
  }

  package func unfavourite(_ shown: Post, by account: Account, in context: OperationContext) throws {
    guard let post = try self.post(shown.boostOfID ?? shown.id) else { return }
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

extension Limits {
  /// UTF-8 bytes of text and warning together: 8 a character, more than any script needs.
  package static let postBytes = 8 * postCharacters
  package static let toldOfDeletion = 500
}
