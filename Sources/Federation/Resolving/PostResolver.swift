import ActivityStreams
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

/// Finds posts elsewhere by their ids.
package final class PostResolver: Sendable {
  let environment: FederationEnvironment
  let fetch: SignedFetch
  let keys: KeyDirectory
  let actors: ActorResolver

  package init(
    _ environment: FederationEnvironment, fetch: SignedFetch, keys: KeyDirectory, actors: ActorResolver
  ) {
    self.environment = environment
    self.fetch = fetch
    self.keys = keys
    self.actors = actors
  }

  /// The post, from the database or from its origin. Only what is open to everybody is taken from an origin.
  /// `climbs`: the caller goes up the thread itself, so that no chain of jobs has more steps than it allows.
  package func post(_ uri: IRI, budget: FetchBudget, climbs: Bool = false) async throws(ResolveFailure) -> Post {
    if let known = try await stored(uri) { return known }
    guard !uri.hasSameOrigin(as: environment.instance.base) else { throw .unacceptable("id.local") }
    let prepared = try await prepare(uri, budget: budget)
    if let known = try await stored(prepared.read.note.id) { return known }
    return try await store(prepared, queuesParent: !climbs)
  }

  /// Fetches a note with its author; stores no post.
  func prepare(_ uri: IRI, budget: FetchBudget) async throws(ResolveFailure) -> PreparedNote {
    let page: FetchedDocument
    do { page = try await fetch.document(uri, budget: budget) } catch { throw .fetch(error) }
    return try await prepare(page, budget: budget)
  }

  func prepare(_ page: FetchedDocument, budget: FetchBudget) async throws(ResolveFailure) -> PreparedNote {
    let note: Note
    do { note = try Note(reading: page.document.node) } catch { throw .unacceptable(error.code) }
    let local = environment.instance.base
    let read: ReadNote
    do {
      read = try ReadNote(note, json: page.document.json, ownedBy: note.attributedTo, local: local)
    } catch { throw .unacceptable(error.code) }
    let author = try await actors.account(note.attributedTo, budget: budget)
    guard author.suspendedAt == nil else { throw .unacceptable("actor.suspended") }
    let standing = await ProofCheck(keys: keys, budget: budget).standing(
      of: page.document.json, within: nil, owner: author.uri, without: .refetched, at: environment.time.now())
    return PreparedNote(read: read, author: author, standing: standing)
  }

  /// `Job.fetchPost`: the post and the missing ones above it, from the reply up.
  package func run(fetching uri: IRI, lease: JobLease) async throws {
    let database = environment.database
    let failure = await climb(from: uri, budget: FetchBudget(Limits.threadDepth * 2))
    let now = environment.time.now()
    let plan = failure.map { RetryPlan.next(after: lease.attempt, isTransient: $0.isTransient) } ?? .give
    let code = failure?.code ?? ""
    try await database.write { tx in
      switch plan {
      case .give: try tx.finish(lease)
      case .retry(let delay): try tx.retry(lease, at: now.adding(delay), error: code)
      }
    }
  }

  /// Fetches `uri` and what it answers, at most `Limits.threadDepth` posts however long the chain is.
  func climb(from uri: IRI, budget: FetchBudget) async -> ResolveFailure? {
    var next: IRI? = uri
    for _ in 0..<Limits.threadDepth {
      guard let current = next, !current.hasSameOrigin(as: environment.instance.base) else { return nil }
      do {
        let isKnown = try await stored(current) != nil
        let post = try await post(current, budget: budget, climbs: true)
        // The thread above a known post was looked for when that one came.
        next = isKnown ? nil : post.inReplyToURI
      } catch {
        return error
      }
    }
    return nil
  }

  func stored(_ uri: IRI) async throws(ResolveFailure) -> Post? {
    do { return try await environment.database.read { try $0.post(uri: uri) } } catch { throw ResolveFailure(error) }
  }

  func store(_ prepared: PreparedNote, queuesParent: Bool) async throws(ResolveFailure) -> Post {
    let context = environment.context
    do {
      let (post, settlement) = try await PostResolver.minting(prepared.read, in: context) { id in
        try await self.environment.database.write { tx in
          let stored = try tx.store(prepared, id: id, uninvited: true, in: context)
          if queuesParent, stored.post != nil { try PostResolver.queueParent(of: prepared.read, tx, in: context) }
          return stored
        }
      }
      guard let post else {
        if case .rejected(let reason) = settlement { throw ResolveFailure.unacceptable(reason) }
        throw ResolveFailure.unacceptable("post.gone")
      }
      return post
    } catch { throw ResolveFailure(error) }
  }

  /// Post ids carry the time of making, so two posts of one millisecond may collide: another tail is drawn.
  static func minting<Value: Sendable>(
    _ read: ReadNote, in context: OperationContext, _ write: (Post.ID) async throws -> Value
  ) async throws -> Value {
    var tries = 0
    while true {
      do {
        return try await write(context.ids.at(read.published(at: context.now)))
      } catch DatabaseError.unique(let columns) where columns.contains("posts.id") && tries < 4 {
        tries += 1
      }
    }
  }

  /// A parent nobody here has seen is fetched in the background, so that a deep thread holds nothing up.
  static func queueParent(
    of read: ReadNote, _ tx: any WriteTransaction, in context: OperationContext
  ) throws {
    guard let parent = read.note.inReplyTo, !parent.hasSameOrigin(as: context.instance.base),
      try tx.post(uri: parent) == nil
    else { return }
    try tx.enqueue(.fetchPost(parent), id: context.ids.next(), at: context.now, dedup: "post \(parent.text)")
  }
}
