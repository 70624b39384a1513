import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  /// Makes the bytes of `intent` and queues one delivery an inbox, in the commit that ends the job.
  ///
  /// What it speaks of may be gone by now: then there is nothing to tell, and the job ends.
  package func compose(_ intent: FederationIntent, for lease: JobLease) async throws {
    guard !instance.isTrial, let activity = try await activity(for: intent, lease) else {
      try await environment.database.write { try $0.finish(lease) }
      return
    }
    // Somebody out of sight says nothing any more but that they are.
    guard activity.sender.suspendedAt == nil || activity.object == activity.sender.uri else {
      try await environment.database.write { try $0.finish(lease) }
      return
    }
    let environment = environment
    let now = environment.time.now()
    let uri = activity.isUnique ? activity.id : Self.numbered(activity.id, by: lease)
    let outgoing = Outgoing(
      id: environment.ids.next(), senderID: activity.sender.id, uri: uri, objectURI: activity.object,
      isUpdate: activity.isUpdate, toFollowers: activity.toFollowers, body: activity.body, createdAt: now)
    let announced = intent.isNews && activity.isForEveryone ? try await relayAnnouncement(of: activity.object) : nil
    try await environment.database.write { tx in
      try tx.finish(lease)
      if let uri = intent.takenBack { try tx.withdrawDeliveries(of: uri, by: activity.sender.id) }
      guard try tx.insert(outgoing) else { return }
      try activity.note?(tx)
      let followers = activity.toFollowers ? try tx.remoteFollowers(of: activity.sender.id) : []
      let people = activity.recipients.filter { !$0.isLocal && $0.suspendedAt == nil }
      let plan = DeliveryPlan(
        people.map { Recipient($0, isMentioned: true) } + followers.map { Recipient($0) },
        ownHost: environment.instance.host, blocked: Set(try tx.blockedHosts().map(\.host)))
      let relays = activity.isForEveryone ? try tx.relays().filter { $0.state == .accepted } : []
      let others = activity.inboxes + relays.filter { $0.style == .mastodon }.map(\.inbox)
      for inbox in plan.inboxes + others.filter({ !plan.inboxes.contains($0) }) {
        try tx.deliver(outgoing, to: inbox, id: environment.ids.next(), at: now)
      }
      guard let announced, try tx.insert(announced.outgoing) else { return }
      for inbox in announced.inboxes {
        try tx.deliver(announced.outgoing, to: inbox, id: environment.ids.next(), at: now)
      }
    }
  }

  /// A row's name for an activity whose id may come again.
  private static func numbered(_ id: IRI, by lease: JobLease) -> IRI {
    (id.fragment == nil ? id.appending("#\(lease.id)") : id.appending("-\(lease.id)")) ?? id
  }

  private func activity(for intent: FederationIntent, _ lease: JobLease) async throws -> ComposedActivity? {
    switch intent {
    case .created(let id): return try await facts(of: id).asyncMap { try await created($0) }
    case .updated(let id): return try await facts(of: id).asyncMap { try await updated($0) }
    case .deleted(let uri, let author, let visibility, let recipients):
      return try await deleted(uri, author, visibility, recipients)
    case .boosted(let id):
      guard let boost = try await environment.database.read({ try $0.post(id) }) else { return nil }
      return try await boosted(boost)
    case .unboosted(let uri, let object, let author, let recipients):
      return try await unboosted(uri, object, author, recipients)
    case .favourited(let account, let post): return try await favourited(account, post)
    case .unfavourited(let uri, let account, let post, let recipient):
      return try await unfavourited(uri, account, post, recipient)
    case .followed(let id): return try await followed(id)
    case .unfollowed(let uri, let follower, let followee): return try await unfollowed(uri, follower, followee)
    case .accepted(let id): return try await accepted(id)
    case .rejected(let uri, let follower, let followee): return try await rejected(uri, follower, followee, lease)
    case .profileUpdated(let id): return try await profileUpdated(id)
    case .relayJoined(let id): return try await relayJoined(id)
    case .relayLeft(let follow, let inbox, let object): return try await relayLeft(follow, inbox, object)
    case .voted(let id): return try await voted(id)
    case .pollCounted(let id): return try await counted(id)
    case .assessed(let id): return try await assessed(id)
    case .policyAnswered(let policy, let author): return try await answered(policy, of: author, lease)
    case .pinned(let id): return try await pinned(id, isPinned: true, lease)
    case .flagged(let id): return try await flagged(id)
    case .unpinned(let id): return try await pinned(id, isPinned: false, lease)
    case .quoteRequested(let id): return try await quoteRequested(id)
    case .quoteAnswered(let id): return try await quoteAnswered(id, lease)
    case .quoteRevoked(let stamp, let author, let asker): return try await quoteRevoked(stamp, author, asker)
    case .redescribed(let id): return try await facts(of: id).asyncMap { try await redescribed($0) }
    }
  }

  func facts(of id: Post.ID) async throws -> PostFacts? {
    try await environment.database.read { tx in
      guard let post = try tx.post(id), post.isLocal, post.state == .published else { return nil }
      return try tx.facts(of: post)
    }
  }

  private func accounts(_ ids: [Account.ID]) async throws -> [Account.ID: Account] {
    try await environment.database.read { try $0.accounts(ids) }
  }

  private func deleted(
    _ uri: IRI, _ author: Account.ID, _ visibility: Visibility, _ recipients: [Account.ID]
  ) async throws -> ComposedActivity? {
    let known = try await accounts(recipients + [author])
    guard let sender = known[author] else { return nil }
    let people = recipients.compactMap { known[$0] }
    let id = instance.delete(of: uri)
    let header = Header(
      id: id, actor: sender.uri,
      addressing: Addressing(visibility.audience, followers: sender.followers, mentions: people.map(\.uri)))
    var composed = try await simple(
      .delete(Delete(header: header, object: uri)), id: id, by: sender, about: uri, to: people,
      toFollowers: visibility != .direct, isSigned: visibility != .direct)
    composed.isForEveryone = visibility == .everyone
    return composed
  }

  private func unboosted(
    _ uri: IRI, _ object: IRI, _ author: Account.ID, _ recipients: [Account.ID]
  ) async throws -> ComposedActivity? {
    let known = try await accounts(recipients + [author])
    guard let sender = known[author] else { return nil }
    let people = recipients.compactMap { known[$0] }
    let id = instance.undo(of: uri)
    let addressing = Addressing(.followers, followers: sender.followers, mentions: people.map(\.uri))
    let announce = Announce(header: Header(id: uri, actor: sender.uri, addressing: addressing), object: object)
    let header = Header(id: id, actor: sender.uri, addressing: addressing)
    return try await simple(
      .undo(Undo(header: header, object: .embedded(.announce(announce)))), id: id, by: sender, about: uri, to: people,
      toFollowers: true)
  }

  private func favourited(_ account: Account.ID, _ post: Post.ID) async throws -> ComposedActivity? {
    let found = try await environment.database.read { tx -> (Favourite, Post, Account, Account)? in
      guard let favourite = try tx.favourite(of: post, by: account), let liked = try tx.post(post),
        let sender = try tx.account(account), let author = try tx.account(liked.authorID)
      else { return nil }
      return (favourite, liked, sender, author)
    }
    guard let (favourite, liked, sender, author) = found else { return nil }
    let header = Header(id: favourite.uri, actor: sender.uri, addressing: Addressing(to: [author.uri]))
    return try await simple(
      .like(Like(header: header, object: liked.uri)), id: favourite.uri, by: sender, about: liked.uri, to: [author],
      isSigned: liked.visibility != .direct, isUnique: false)
  }

  private func unfavourited(
    _ uri: IRI, _ account: Account.ID, _ post: IRI, _ recipient: Account.ID
  ) async throws -> ComposedActivity? {
    let known = try await accounts([account, recipient])
    guard let sender = known[account], let author = known[recipient] else { return nil }
    let id = instance.undo(of: uri)
    let addressing = Addressing(to: [author.uri])
    let like = Like(header: Header(id: uri, actor: sender.uri, addressing: addressing), object: post)
    let undo = Undo(header: Header(id: id, actor: sender.uri, addressing: addressing), object: .embedded(.like(like)))
    return try await simple(.undo(undo), id: id, by: sender, about: uri, to: [author], isUnique: false)
  }

  private func profileUpdated(_ account: Account.ID) async throws -> ComposedActivity? {
    guard let sender = try await accounts([account])[account], sender.isLocal else { return nil }
    let now = environment.time.now()
    let id = instance.update(of: sender.uri, at: now)
    let everybody = [everyone].compactMap { $0 }
    let header = Header(
      id: id, actor: sender.uri,
      addressing: Addressing(to: everybody, cc: [sender.followers].compactMap { $0 }), published: now)
    var document = Activity.update(Update(header: header, object: .link(sender.uri))).document ?? .null
    document["object"] = try await actorDocument(sender)
    let body = try await signed(document, by: sender.id, at: now).bytes
    return ComposedActivity(
      sender: sender, id: id, object: sender.uri, isUpdate: true, body: body, toFollowers: true)
  }
}

extension FederationIntent {
  /// A post nobody elsewhere has heard of.
  fileprivate var isNews: Bool {
    if case .created = self { return true }
    return false
  }

  /// What a peer that has not heard of it yet need not hear of any more.
  fileprivate var takenBack: IRI? {
    switch self {
    case .deleted(let uri, _, _, _), .unboosted(let uri, _, _, _), .unfollowed(let uri, _, _): uri
    case .created, .updated, .boosted, .favourited, .unfavourited, .followed, .accepted, .rejected, .profileUpdated,
      .voted, .pollCounted, .policyAnswered, .pinned, .unpinned, .flagged, .assessed, .relayJoined, .relayLeft,
      .quoteRequested, .quoteAnswered, .quoteRevoked, .redescribed:
      nil
    }
  }
}

extension Optional {
  fileprivate func asyncMap<Other>(_ transform: (Wrapped) async throws -> Other) async throws -> Other? {
    guard let self else { return nil }
    return try await transform(self)
  }
}
