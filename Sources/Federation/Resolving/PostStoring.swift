import ActivityStreams
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

/// A note that may be written: owned, cleaned, its author known, its proofs weighed.
struct PreparedNote: Sendable {
  let read: ReadNote
  let author: Account
  let standing: IncomingUsagePolicy.Standing
  /// What a comparison with its origin came to, where one was called for.
  var finding: CopyFinding?
}

/// Why a note is not taken. Done and rejected alike have a reason that an admin can read.
enum Settlement: Hashable, Sendable {
  case done(String?)
  case rejected(String)
}

extension WriteTransaction {
  /// Stores a new note. `uninvited`: fetched by us, so that no audience here is asked for.
  func store(
    _ prepared: PreparedNote, id: Post.ID, uninvited: Bool, in context: OperationContext
  ) throws -> (post: Post?, settlement: Settlement) {
    let read = prepared.read
    let author = prepared.author
    // Whoever sends a vote for a post of nobody here must not be shown as one who answered.
    if read.isVote { return (nil, .rejected("poll.vote")) }
    if let known = try post(uri: read.note.id) { return (known, .done("duplicate")) }
    if let dead = try tombstone(uri: read.note.id), dead.authorURI == author.uri { return (nil, .done("deleted")) }
    let people = try accounts(uris: read.addressed)
    let parent = try read.note.inReplyTo.flatMap { try post(uri: $0) }
    let visibility = read.visibility(followers: author.followers)
    if uninvited {
      // What was shown to our own actor was shown to no person here.
      guard visibility.isOpen else { return (nil, .rejected("visibility")) }
    } else {
      let isToSomebody = people.contains { $0.isLocal } || parent?.isLocal == true
      guard try isToSomebody || (visibility != .direct && hasLocalFollowers(author.id)) else {
        return (nil, .rejected("audience.none"))
      }
    }
    if let parent, parent.isLocal, try consent(to: .reply, with: parent, of: author) == .refused {
      return (nil, .rejected("policy.reply"))
    }
    let policy = ratchet(
      stored: nil, incoming: read.incomingPolicy(prepared.standing), receivedAt: context.now
    ).result
    let received = ReceivedPost(
      post: read.post(id: id, author: author, parent: parent, policy: policy, at: context.now),
      attachments: read.attachments(of: author.id, standing: prepared.standing, at: context.now) { context.ids.next() },
      mentions: people.prefix(Limits.receivedMentions).map(\.id), tags: read.hashtags, document: read.document,
      poll: read.poll(in: id, at: context.now), quote: read.quote)
    guard let stored = try receive(received, from: author, in: context) else { return (nil, .done("not_wanted")) }
    try note(prepared.finding, on: stored.id, at: context.now)
    return (stored, .done(nil))
  }

  /// Applies an edit of a known note. Restrictions only the author may lift stay, on the post and on each picture.
  func edit(_ known: Post, to prepared: PreparedNote, in context: OperationContext) throws -> Settlement {
    let read = prepared.read
    guard known.authorID == prepared.author.id, known.boostOfID == nil else { return .rejected("owner") }
    if let updated = read.note.updated, let edited = known.editedAt, updated < edited { return .done("stale") }
    try note(prepared.finding, on: known.id, at: context.now)
    let before = ReadPolicy.stored(
      known.usagePolicy, wasProved: known.policyIsProved, statedAt: known.policyStatedAt)
    let incoming = read.incomingPolicy(prepared.standing)
    let stated = ratchet(stored: before, incoming: incoming, receivedAt: context.now).result
    let policy = stated ?? before
    let people = try accounts(uris: read.addressed)
    let parent = try known.inReplyToID.flatMap { try post($0) }
    var changed = read.post(id: known.id, author: prepared.author, parent: parent, policy: policy, at: context.now)
    changed.inReplyToURI = known.inReplyToURI
    changed.inReplyToAccountID = known.inReplyToAccountID
    if changed.editedAt == nil { changed.editedAt = context.now }
    let kept: [Model.Attachment] = try attachments(of: [known.id])[known.id] ?? []
    var pictures = read.attachments(of: known.authorID, standing: prepared.standing, at: context.now) {
      context.ids.next()
    }
    for index in pictures.indices {
      guard let earlier = kept.first(where: { $0.remoteURL == pictures[index].remoteURL }) else { continue }
      pictures[index].usagePolicy = PostRatchet.policy(
        of: pictures[index], after: earlier, in: known, incoming: incoming, at: context.now)
    }
    let asked = try poll(of: known.id)
    let poll = read.poll(in: known.id, at: context.now)
    let asksTheSame = asked.map { asked in poll.map(asked.asksTheSame) ?? false } ?? (poll == nil)
    if asksTheSame, let poll { try receiveCounts(poll, of: known, in: context) }
    // Neither is an edit: what stands beside the words is what the newest document says.
    if changed.interaction != known.interaction || changed.searchability != known.searchability {
      try setInteraction(changed.interaction, changed.searchability, of: known.id)
    }
    try receiveQuote(read.quote, in: known, by: prepared.author, in: context)
    // Mastodon sends an Update for every count of a poll. No edit is dated that its author did not date or make.
    let isDated = read.note.updated != nil && changed.editedAt != known.editedAt
    if !isDated, stated == nil, asksTheSame, changed.saysTheSame(as: known), pictures.showTheSame(as: kept) {
      return .done("unchanged")
    }
    try receiveEdit(
      ReceivedPost(
        post: changed, attachments: pictures, mentions: people.prefix(Limits.receivedMentions).map(\.id),
        tags: read.hashtags, document: read.document, poll: poll), of: known, in: context)
    return .done(nil)
  }
}

extension Post {
  fileprivate func saysTheSame(as other: Post) -> Bool {
    content == other.content && spoiler == other.spoiler && isSensitive == other.isSensitive
  }
}

extension [Model.Attachment] {
  fileprivate func showTheSame(as others: [Model.Attachment]) -> Bool {
    map(\.remoteURL) == others.map(\.remoteURL) && map(\.altText) == others.map(\.altText)
      && map(\.usagePolicy) == others.map(\.usagePolicy)
  }
}

/// A picture's own policy is as old and as proven as the note that carries it.
enum PostRatchet {
  static func policy(
    of attachment: Model.Attachment, after earlier: Model.Attachment, in post: Post, incoming: IncomingUsagePolicy,
    at now: Timestamp
  ) -> UsagePolicy? {
    let before = ReadPolicy.stored(
      earlier.usagePolicy, wasProved: post.policyIsProved, statedAt: post.policyStatedAt ?? post.createdAt)
    var own = incoming
    own.policy = attachment.usagePolicy
    return (ratchet(stored: before, incoming: own, receivedAt: now).result ?? before)?.policy
  }

  /// Whether only the origin can say if a restriction was lifted.
  static func needsOrigin(_ known: Post, _ incoming: IncomingUsagePolicy, at now: Timestamp) -> Bool {
    let before = ReadPolicy.stored(
      known.usagePolicy, wasProved: known.policyIsProved, statedAt: known.policyStatedAt)
    return ratchet(stored: before, incoming: incoming, receivedAt: now) == .ignored(.needsRefetch)
  }
}
