import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store

enum ActivityDocuments {
  static func list(_ id: IRI, of items: [IRI]) -> [UInt8] {
    var collection = ObjectCollection(id: id, kind: .ordered)
    collection.totalItems = items.count
    collection.items = items.map { .string($0.text) }
    return collection.document.bytes
  }
}

extension InboxGate {
  /// Whether a peer and we agree on who of here follows the sender; if not, the lists are compared later (FEP-8fcf).
  ///
  /// The field counts only when the signature covers it, and when list and address belong to the sender: anybody may
  /// name any list. An hour between two looks at one sender's list, whatever it says.
  func compareFollowers(_ claim: SignatureClaim, _ request: InboxRequest, sender: IRI) async {
    guard claim.covered.contains("collection-synchronization"), let text = request.fields["collection-synchronization"],
      let stated = CollectionSynchronization(text), stated.collection.hasSameOrigin(as: sender),
      stated.url.hasSameOrigin(as: sender)
    else { return }
    let now = environment.time.now()
    do {
      let differing = try await environment.database.read { tx -> Account.ID? in
        guard let account = try tx.account(uri: sender), !account.isLocal, account.followers == stated.collection,
          try tx.followerCheck(of: account.id).map({ now.since($0) >= Limits.followerCheckPause }) ?? true,
          FollowerDigest(of: try tx.localFollowers(of: account.id).map(\.follower)) != stated.digest
        else { return nil }
        return account.id
      }
      guard let id = differing else { return }
      let job = Job.compareFollowers(id, url: stated.url, digest: stated.digest.text)
      let context = environment.context
      try await environment.database.write { tx in
        try tx.noteFollowerCheck(of: id, at: now)
        try tx.enqueue(job, id: context.ids.next(), at: now, dedup: "followers \(id)")
      }
    } catch { environment.log.notice("followers.not_compared") }
  }
}

extension ActorResolver {
  /// `Job.compareFollowers`.
  package func run(
    comparing id: Account.ID, url: IRI, digest: String, lease: JobLease
  ) async throws {
    do {
      let items = try await listed(at: url)
      let context = environment.context
      try await environment.database.write { tx in
        try tx.finish(lease)
        try tx.align(id, with: items, digest: digest, in: context)
      }
    } catch let failure as ResolveFailure {
      let now = environment.time.now()
      let plan = RetryPlan.next(after: lease.attempt, isTransient: failure.isTransient)
      try await environment.database.write { tx in
        switch plan {
        case .give: try tx.finish(lease)
        case .retry(let delay): try tx.retry(lease, at: now.adding(delay), error: failure.code)
        }
      }
    }
  }

  /// Every item of the list: a few pages of one origin, each seen once.
  func listed(at url: IRI) async throws(ResolveFailure) -> [IRI] {
    let budget = FetchBudget(Limits.collectionPages)
    var items: [IRI] = []
    var seen: Set<IRI> = []
    var next: IRI? = url
    while let current = next {
      guard current.hasSameOrigin(as: url), seen.insert(current).inserted else {
        throw .unacceptable("collection.next")
      }
      let page: FetchedDocument
      do { page = try await fetch.document(current, budget: budget) } catch { throw .fetch(error) }
      do {
        var part = try ObjectCollection(reading: page.document.node)
        items += part.itemIRIs
        next = part.next
        switch part.first {
        case .link(let first): next = first
        case .embedded(let node):
          part = try ObjectCollection(reading: node)
          items += part.itemIRIs
          next = part.next
        case nil: break
        }
      } catch { throw .unacceptable(error.code) }
      guard items.count <= Limits.comparedFollowers else { throw .unacceptable("collection.too_large") }
    }
    return items
  }
}

extension WriteTransaction {
  /// Ends follows the other server does not know of, and takes back those that nobody here has made.
  ///
  /// Nothing is touched unless the list is still the one whose digest was stated, and ours is still another.
  func align(_ id: Account.ID, with items: [IRI], digest: String, in context: OperationContext) throws {
    let listed = Set(items.filter { $0.hasSameOrigin(as: context.instance.base) })
    let local = try localFollowers(of: id)
    let stated = FollowerDigest(digest)
    guard FollowerDigest(of: listed) == stated, FollowerDigest(of: local.map(\.follower)) != stated else { return }
    let settled = context.now.adding(.zero - Limits.followerCheckPause)
    // A follow of this hour may have been accepted while the list was on its way.
    for (follow, follower) in local where !listed.contains(follower) && follow.createdAt < settled {
      try receiveReject(of: follow)
    }
    let known = Set(local.map(\.follower))
    for uri in listed.subtracting(known).sorted().prefix(Limits.followersTakenBack) {
      guard let follower = try account(uri: uri), follower.isLocal, follower.suspendedAt == nil else { continue }
      if let asked = try follow(of: id, by: follower.id) {
        try receiveAccept(of: asked, in: context)
      } else {
        let undone = context.instance.follow(context.ids.next())
        try enqueue(
          .federate(.unfollowed(uri: undone, follower: follower.id, followee: id)), id: context.ids.next(),
          at: context.now)
      }
    }
  }
}
