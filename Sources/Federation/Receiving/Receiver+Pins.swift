import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// Only the owner of a collection says what is in it, and only works of their own.
  func add(_ add: Add, _ budget: FetchBudget) async throws -> Effect {
    guard let account = try await environment.database.read({ try $0.account(uri: add.actor) }) else {
      return { _, _ in .done("actor.unknown") }
    }
    guard account.featured == add.target else { return { _, _ in .rejected("owner") } }
    guard add.object.hasSameOrigin(as: add.actor) else { return { _, _ in .rejected("owner") } }
    let post = try await posts.post(add.object, budget: budget)
    return { tx, context in
      guard let author = try tx.account(account.id), let current = try tx.post(post.id) else {
        return .done("object.unknown")
      }
      guard current.authorID == author.id else { return .rejected("owner") }
      try tx.receivePin(of: current, by: author, in: context)
      return .done(nil)
    }
  }

  func remove(_ remove: Remove) -> Effect {
    { tx, _ in
      guard let account = try tx.account(uri: remove.actor) else { return .done("actor.unknown") }
      guard account.featured == remove.target else { return .rejected("owner") }
      guard let post = try tx.post(uri: remove.object) else { return .done("object.unknown") }
      try tx.receiveUnpin(of: post, by: account)
      return .done(nil)
    }
  }
}

extension PostResolver {
  /// `Job.fetchFeatured`: one collection and at most as many posts as may be pinned, each believed at its own address
  /// only. What does not come leaves the pins as they were told.
  package func run(featuredBy id: Account.ID, lease: JobLease) async throws {
    let database = environment.database
    guard let account = try await database.read({ try $0.account(id) }), !account.isLocal,
      account.suspendedAt == nil, let featured = account.featured
    else { return try await database.write { try $0.finish(lease) } }
    let budget = FetchBudget(1 + 2 * Limits.pinnedPosts)
    var pins: [Post]?
    do {
      let page = try await fetch.document(featured, budget: budget)
      pins = try await pinned(in: page, by: account, budget: budget)
    } catch {
      environment.log.info("featured.not_read", metadata: ["actor": "\(account.id)"])
    }
    let context = environment.context
    try await database.write { [pins] tx in
      try tx.finish(lease)
      guard let pins, let current = try tx.account(id) else { return }
      let known = try pins.compactMap { try tx.post($0.id) }
      try tx.receivePins(known, of: current, in: context)
    }
  }

  private func pinned(in page: FetchedDocument, by account: Account, budget: FetchBudget) async throws -> [Post] {
    let collection = try ObjectCollection(reading: page.document.node)
    var items = collection.itemIRIs
    if items.isEmpty, case .embedded(let first) = collection.first {
      items = try ObjectCollection(reading: first).itemIRIs
    }
    var posts: [Post] = []
    for item in items.prefix(Limits.pinnedPosts) where item.hasSameOrigin(as: account.uri) {
      do {
        let post = try await self.post(item, budget: budget)
        if post.authorID == account.id { posts.append(post) }
      } catch {
        // One that is gone takes no other with it.
        if error.isTransient { throw error }
      }
    }
    return posts
  }
}
