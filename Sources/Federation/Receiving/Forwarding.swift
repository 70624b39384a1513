import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

/// Passing on to our followers what others say to them about our posts (ActivityPub 7.1.2): their servers know of the
/// post and would else never hear of the answer.
///
/// Only what its own actor proves, by a FEP-8b32 proof or a linked data signature, since nobody believes us about
/// somebody else; only once for an id; never back to where it came from.
struct Forwarding: Sendable {
  /// The post it is about.
  let object: IRI
  /// Lists of followers here that it is addressed to; nil for a Delete, which peers address to nobody in particular.
  let collections: Set<IRI>?
  /// The people here whose followers saw a post that is now to be deleted, found while it is still there.
  let readers: [Account.ID]

  /// Nil for what is not passed on, which is nearly everything.
  static func candidate(
    _ activity: Activity, _ received: ReceivedActivity, _ environment: FederationEnvironment
  ) async throws -> Forwarding? {
    guard received.inbox.body.count <= Limits.forwardedBody else { return nil }
    let isProvable = received.document.json["proof"] != nil || received.document.json["signature"] != nil
    guard isProvable else { return nil }
    let local = environment.instance
    switch activity {
    case .create(let create):
      return Forwarding(object: create.object.iri, addressing: create.addressing, of: local)
    case .update(let update):
      return Forwarding(object: update.object.iri, addressing: update.addressing, of: local)
    case .delete(let delete):
      let readers = try await environment.database.read { tx -> [Account.ID] in
        guard let post = try tx.post(uri: delete.object), post.visibility.isOpen else { return [] }
        return try tx.localAuthors(above: post).map(\.id)
      }
      return readers.isEmpty ? nil : Forwarding(object: delete.object, collections: nil, readers: readers)
    case .follow, .accept, .reject, .undo, .like, .announce, .add, .remove, .block, .flag, .move, .quoteRequest,
      .unrecognized:
      return nil
    }
  }

  private init(object: IRI, collections: Set<IRI>?, readers: [Account.ID]) {
    self.object = object
    self.collections = collections
    self.readers = readers
  }

  private init?(object: IRI, addressing: Addressing, of instance: Instance) {
    let ours = Set(addressing.all.filter { $0.hasSameOrigin(as: instance.base) && $0.path.hasSuffix("/followers") })
    guard !ours.isEmpty else { return nil }
    self.init(object: object, collections: ours, readers: [])
  }

  /// Queues the bytes as they came, in the commit of their effects.
  func queue(
    _ activity: Activity, _ received: ReceivedActivity, _ tx: any WriteTransaction, in context: OperationContext
  ) throws {
    let owners = try owners(tx)
    guard let sender = owners.first, let author = received.document.node.iri("actor") else { return }
    let hourAgo = context.now.adding(.seconds(-3_600))
    let floor = ID<Outgoing>(rawValue: hourAgo.milliseconds << 16)
    // Whoever can make somebody's followers hear of a thing can do it often.
    guard try tx.forwardCount(by: sender.id, after: floor) < Limits.forwardsPerHour else { return }
    var isUpdate = false
    if case .update = activity { isUpdate = true }
    let outgoing = Outgoing(
      id: context.ids.next(), senderID: sender.id, uri: received.inbox.activityURI, objectURI: object,
      isUpdate: isUpdate, isForwarded: true, body: received.inbox.body, createdAt: context.now)
    guard try tx.insert(outgoing) else { return }
    let followers = try owners.flatMap { try tx.remoteFollowers(of: $0.id) }
    let away = followers.filter { $0.inbox.host != author.host && $0.host != received.inbox.forwarder?.host }
    let plan = DeliveryPlan(
      away.map { Recipient($0) }, ownHost: context.instance.host, blocked: Set(try tx.blockedHosts().map(\.host)))
    for inbox in plan.inboxes { try tx.deliver(outgoing, to: inbox, id: context.ids.next(), at: context.now) }
  }

  /// Whose followers are to hear of it: authors here of a post above, who are at peace with the one who answered.
  private func owners(_ tx: any WriteTransaction) throws -> [Account] {
    guard let collections else { return try tx.accounts(readers).values.sorted { $0.id < $1.id } }
    guard let post = try tx.post(uri: object) else { return [] }
    return try tx.localAuthors(above: post).filter { owner in
      guard let list = owner.followers, collections.contains(list) else { return false }
      return try !tx.isBlocked(between: owner.id, and: post.authorID)
    }
  }
}

extension ReadTransaction {
  /// Authors of this server among those of the posts that `post` answers, the nearest first.
  fileprivate func localAuthors(above post: Post) throws -> [Account] {
    guard let parent = try post.inReplyToID.flatMap({ try self.post($0) }) else { return [] }
    let above = try [parent] + ancestors(of: parent.id, visibleTo: nil, limit: Limits.threadDepth).reversed()
    var seen: Set<Account.ID> = []
    return try above.filter { $0.isLocal && seen.insert($0.authorID).inserted }
      .compactMap { try account($0.authorID) }.filter { $0.suspendedAt == nil }
  }
}
