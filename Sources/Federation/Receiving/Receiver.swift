import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Store

/// Why a received activity has no effect now.
enum ReceiveFailure: Error, Hashable, Sendable {
  /// It never will have. The code is stored as the reason.
  case permanent(String)
  /// It may later.
  case transient(String)

  init(_ failure: ResolveFailure) { self = failure.isTransient ? .transient(failure.code) : .permanent(failure.code) }
}

/// What an activity will do, after everything it needs was fetched: one closure for one transaction.
typealias Effect = @Sendable (any WriteTransaction, OperationContext) throws -> Settlement

/// Works off verified activities. What is missing is fetched first; then the effects, the end of the job and what
/// became of the activity are one commit, so that a crash between them can not happen.
package final class Receiver: Sendable {
  let environment: FederationEnvironment
  let fetch: SignedFetch
  let keys: KeyDirectory
  let actors: ActorResolver
  let posts: PostResolver

  package init(
    _ environment: FederationEnvironment, fetch: SignedFetch, keys: KeyDirectory, actors: ActorResolver,
    posts: PostResolver
  ) {
    self.environment = environment
    self.fetch = fetch
    self.keys = keys
    self.actors = actors
    self.posts = posts
  }

  /// `Job.receive`.
  package func run(receiving id: ID<InboxActivity>, lease: JobLease) async throws {
    let found = try await environment.database.read { try $0.inboxActivity(id) }
    guard let inbox = found, inbox.state == .pending else {
      return try await environment.database.write { try $0.finish(lease) }
    }
    do {
      try await apply(inbox, lease)
    } catch let failure as ReceiveFailure {
      try await settle(failure, inbox, lease)
    } catch let failure as ResolveFailure {
      try await settle(ReceiveFailure(failure), inbox, lease)
    } catch let failure as OperationFailure {
      try await settle(.permanent(failure.code), inbox, lease)
    } catch let failure as DatabaseError {
      try await settle(failure.isTransient ? .transient("database") : .permanent("database"), inbox, lease)
    }
  }

  private func apply(_ inbox: InboxActivity, _ lease: JobLease) async throws {
    let activity: Activity
    let document: Document
    do {
      document = try Document(parsing: inbox.body)
      activity = try Activity(reading: document.node)
    } catch { throw ReceiveFailure.permanent(error.code) }
    let received = ReceivedActivity(inbox: inbox, document: document, now: environment.time.now())
    let forwarding = try await Forwarding.candidate(activity, received, environment)
    let effect = try await effect(of: activity, received, budget: FetchBudget())
    let isProved = forwarding == nil ? false : await mayForward(received)
    let context = environment.context
    try await environment.database.write { tx in
      let settlement = try effect(tx, context)
      if isProved, settlement == .done(nil) { try forwarding?.queue(activity, received, tx, in: context) }
      try tx.finish(lease)
      switch settlement {
      case .done(let reason): try tx.finish(inbox.id, as: .done, reason: reason)
      case .rejected(let reason): try tx.finish(inbox.id, as: .rejected, reason: reason)
      }
    }
  }

  /// A proof that does not hold is passed on to nobody; a linked data signature is for its readers to check.
  private func mayForward(_ received: ReceivedActivity) async -> Bool {
    guard let actor = received.document.node.iri("actor") else { return false }
    let proof = ProofCheck(keys: keys, budget: FetchBudget(2))
    switch await proof.verdict(on: received.document.json, owner: actor, at: received.now) {
    case .proved: return true
    case .forged: return false
    case .unsaid: return received.document.json["signature"] != nil
    }
  }

  private func settle(_ failure: ReceiveFailure, _ inbox: InboxActivity, _ lease: JobLease) async throws {
    let now = environment.time.now()
    let (code, isTransient) =
      switch failure {
      case .permanent(let code): (code, false)
      case .transient(let code): (code, true)
      }
    try await environment.database.write { tx in
      switch RetryPlan.next(after: lease.attempt, isTransient: isTransient) {
      case .retry(let delay): try tx.retry(lease, at: now.adding(delay), error: code)
      case .give:
        try tx.finish(lease)
        try tx.finish(inbox.id, as: .rejected, reason: isTransient ? "gave_up.\(code)" : code)
      }
    }
  }

  /// Exhaustive: a new kind of activity stops the build here.
  private func effect(
    of activity: Activity, _ received: ReceivedActivity, budget: FetchBudget
  ) async throws -> Effect {
    switch activity {
    case .create(let create): try await self.create(create, received, budget)
    case .update(let update): try await self.update(update, received, budget)
    case .delete(let delete): self.delete(delete)
    case .follow(let follow): try await self.follow(follow, budget)
    case .accept(let accept):
      if let effect = try await quoteAnswer(
        accept.actor, to: accept.object.iri, stamp: accept.result, isAccepted: true, budget)
      {
        effect
      } else {
        try await answer(accept.actor, accept.object, isAccepted: true, received, budget)
      }
    case .reject(let reject):
      if let effect = try await quoteAnswer(
        reject.actor, to: reject.object.iri, stamp: nil, isAccepted: false, budget)
      {
        effect
      } else {
        try await answer(reject.actor, reject.object, isAccepted: false, received, budget)
      }
    case .quoteRequest(let request): try await self.quoteRequest(request, received, budget)
    case .undo(let undo): self.undo(undo)
    case .like(let like): try await self.like(like, budget)
    case .announce(let announce): try await self.announced(announce, received, budget)
    case .block(let block): try await self.block(block, budget)
    case .add(let add): try await self.add(add, budget)
    case .remove(let remove): self.remove(remove)
    case .move(let move): try await self.move(move, budget)
    case .flag(let flag): self.flag(flag)
    case .unrecognized: { _, _ in .done("unrecognized") }
    }
  }

  /// Who acts, fetched if need be. A suspended actor's acts were stored before the suspension.
  func actor(_ uri: IRI, _ budget: FetchBudget) async throws -> Account {
    let account = try await actors.account(uri, budget: budget)
    guard account.suspendedAt == nil else { throw ReceiveFailure.permanent("actor.suspended") }
    return account
  }
}

/// An activity with how it was vouched for.
struct ReceivedActivity: Sendable {
  let inbox: InboxActivity
  let document: Document
  let now: Timestamp

  /// Fetched from its origin rather than delivered: the gate then names the actor itself as signer.
  var isFromOrigin: Bool { document.node.iri("actor") == inbox.signer }
  /// The embedded object as received.
  var object: JSON? { document.node.node("object")?.json }
}
