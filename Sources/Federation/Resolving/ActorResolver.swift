import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Transport

/// Finds accounts elsewhere, by id or by handle, and keeps what their own servers say about them.
package final class ActorResolver: Sendable {
  let environment: FederationEnvironment
  let fetch: SignedFetch
  let keys: KeyDirectory

  package init(_ environment: FederationEnvironment, fetch: SignedFetch, keys: KeyDirectory) {
    self.environment = environment
    self.fetch = fetch
    self.keys = keys
  }

  /// The account, from the database if it is there; one read long ago is read again in the background.
  package func account(_ uri: IRI, budget: FetchBudget) async throws(ResolveFailure) -> Account {
    let now = environment.time.now()
    if let known = try await stored(uri) {
      let isStale = known.fetchedAt.adding(Limits.actorLifetime) < now
      if !known.isLocal, isStale { try await queueRefresh(of: known.id, at: now) }
      return known
    }
    guard !uri.hasSameOrigin(as: environment.instance.base) else { throw .unacceptable("id.local") }
    return try await refresh(uri, known: nil, budget: budget)
  }

  /// By `user@host`. The host answers for its names, and the actor has to agree.
  package func account(_ handle: Handle, budget: FetchBudget) async throws(ResolveFailure) -> Account {
    let isLocal = handle.host == environment.instance.host
    let known: Account?
    do {
      known = try await environment.database.read {
        try $0.account(username: handle.username, host: isLocal ? nil : handle.host)
      }
    } catch { throw ResolveFailure(error) }
    if let known { return known }
    guard !isLocal else { throw .unacceptable("account.unknown") }
    let answer = try await webFinger(handle, budget: budget)
    guard let actor = answer.actor else { throw .unacceptable("webfinger.no_actor") }
    // A stranger's name for somebody here is no name of theirs (GHSA-9pmv).
    guard !actor.hasSameOrigin(as: environment.instance.base) else { throw .unacceptable("id.local") }
    return try await account(actor, budget: budget)
  }

  /// Reads the actor from its origin and stores what it says.
  package func refresh(
    _ uri: IRI, known: Account?, budget: FetchBudget
  ) async throws(ResolveFailure) -> Account {
    let page: FetchedDocument
    do { page = try await fetch.document(uri, budget: budget) } catch { throw .fetch(error) }
    let actor: ActivityStreams.Actor
    do { actor = try ActivityStreams.Actor(reading: page.document.node) } catch { throw .unacceptable(error.code) }
    // An address may lead to an actor that is known under its id.
    let current = page.id == uri ? known : try await stored(page.id)
    let read = try ReadActor(actor)
    let now = environment.time.now()
    let handle: Handle
    if let current, let host = current.host, current.username.lowercased() == read.username.lowercased() {
      handle = Handle(username: current.username, host: host)
    } else {
      handle = try await self.handle(of: read, budget: budget)
    }
    let listed = RemoteKey.listed(by: actor, at: now)
    keys.replace(keysOf: actor.id, with: listed)
    let proof = ProofCheck(keys: keys, budget: budget)
    let standing = await proof.standing(
      of: page.document.json, within: nil, owner: actor.id, without: .refetched, at: now)
    let account = read.account(
      id: current?.id ?? environment.ids.next(), handle: handle, known: current, at: now
    ).applying(read.incomingPolicy(standing), at: now)
    return try await store(account, keys: listed, document: page.document.bytes)
  }

  /// `Job.refreshActor`.
  package func run(refreshing id: Account.ID, lease: JobLease) async throws {
    let database = environment.database
    guard let account = try await database.read({ try $0.account(id) }), !account.isLocal else {
      return try await database.write { try $0.finish(lease) }
    }
    do {
      _ = try await refresh(account.uri, known: account, budget: FetchBudget())
      try await database.write { try $0.finish(lease) }
    } catch let failure as ResolveFailure {
      let now = environment.time.now()
      let plan = RetryPlan.next(after: lease.attempt, isTransient: failure.isTransient)
      try await database.write { tx in
        switch plan {
        case .give: try tx.finish(lease)
        case .retry(let delay): try tx.retry(lease, at: now.adding(delay), error: failure.code)
        }
      }
    }
  }

  func stored(_ uri: IRI) async throws(ResolveFailure) -> Account? {
    do { return try await environment.database.read { try $0.account(uri: uri) } } catch {
      throw ResolveFailure(error)
    }
  }

  private func queueRefresh(of id: Account.ID, at now: Timestamp) async throws(ResolveFailure) {
    let job: ID<Job> = environment.ids.next()
    do {
      try await environment.database.write {
        try $0.enqueue(.refreshActor(id), id: job, at: now, dedup: "actor \(id)")
      }
    } catch { throw ResolveFailure(error) }
  }

  private func store(
    _ account: Account, keys: [RemoteKey], document: [UInt8]
  ) async throws(ResolveFailure) -> Account {
    let context = environment.context
    do {
      return try await environment.database.write { tx in
        // Two activities of a new actor may both have fetched it.
        if let first = try tx.account(uri: account.uri), first.id != account.id { return first }
        guard try tx.tombstone(uri: account.uri) == nil else { throw ResolveFailure.unacceptable("actor.gone") }
        var account = account
        // What was decided here, or came by a Move, while the document was on its way is not taken back by it.
        if let current = try tx.account(account.id) {
          account.suspendedAt = current.suspendedAt
          account.movedTo = current.movedTo
        }
        try tx.receiveActor(account, keys: keys, document: document, in: context)
        // Whoever nobody here follows has no works here to speak of; a first post is answered when it comes.
        if try tx.hasLocalFollowers(account.id) { try tx.answerPolicy(of: account, in: context, nil) }
        return account
      }
    } catch DatabaseError.unique {
      throw .unacceptable("actor.handle_taken")
    } catch { throw ResolveFailure(error) }
  }
}

extension ResolveFailure {
  init(_ error: any Error) {
    if let failure = error as? ResolveFailure {
      self = failure
    } else {
      self = .database(isTransient: (error as? DatabaseError)?.isTransient ?? false)
    }
  }
}
