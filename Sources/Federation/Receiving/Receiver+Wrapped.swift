import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store

/// Activities inside an Announce: from relays, and from groups (FEP-1b12) that pass on what their members said.
extension Receiver {
  /// A boost, or something passed on; a relay's announcement is no boost, and nobody follows a relay.
  func announced(_ announce: Announce, _ received: ReceivedActivity, _ budget: FetchBudget) async throws -> Effect {
    let isFromRelay = try await environment.database.read { try $0.relay(actor: announce.actor)?.state == .accepted }
    if let inner = received.object, let node = Node(inner), Activity.types.contains(where: node.isA) {
      return try await wrapped(inner, by: announce.actor, received, budget)
    }
    return isFromRelay ? try await relayed(announce.object, budget) : try await self.announce(announce, budget)
  }

  /// The id of a post, or of the activity that made it. Its origin is asked, whatever the relay is worth.
  private func relayed(_ uri: IRI, _ budget: FetchBudget) async throws -> Effect {
    guard !uri.hasSameOrigin(as: environment.instance.base) else { return { _, _ in .done("id.local") } }
    if try await posts.stored(uri) != nil { return { _, _ in .done("duplicate") } }
    let prepared = try await posts.announced(uri, budget: budget)
    guard prepared.read.visibility(followers: prepared.author.followers) == .everyone else {
      return { _, _ in .rejected("visibility") }
    }
    return try store(prepared, uninvited: true)
  }

  /// Received a second time, on the word of its own actor: its proof, else its origin. The one who wrapped it counts
  /// for nothing but for whether we listen at all.
  private func wrapped(
    _ inner: JSON, by wrapper: IRI, _ received: ReceivedActivity, _ budget: FetchBudget
  ) async throws -> Effect {
    let document: Document
    let envelope: Envelope
    do {
      document = try Document(parsing: inner.bytes)
      envelope = try Envelope(reading: document)
    } catch { throw ReceiveFailure.permanent(error.code) }
    do {
      try Ownership.checkActivity(id: envelope.id, actor: envelope.actor, local: environment.instance.base)
    } catch { throw ReceiveFailure.permanent(error.code) }
    let found = try await environment.database.read { tx in
      (
        standing: try tx.standing(of: envelope.actor), isSeen: try tx.hasSeen(envelope.id),
        isWanted: try tx.mayPassOn(wrapper)
      )
    }
    guard found.isWanted else { return { _, _ in .rejected("audience.none") } }
    if found.standing.isBlockedHost { return { _, _ in .rejected("host.blocked") } }
    if found.standing.isSuspended { return { _, _ in .rejected("actor.suspended") } }
    if found.isSeen { return { _, _ in .done("duplicate") } }
    let vouched = try await vouched(document, envelope, budget)
    let ids = environment.ids
    return { tx, context in
      let activity = InboxActivity(
        id: ids.next(), activityURI: envelope.id, signer: vouched.signer, body: vouched.document.bytes,
        state: .pending, reason: nil, receivedAt: context.now, forwarder: wrapper)
      guard try tx.insert(activity) else { return .done("duplicate") }
      try tx.enqueue(.receive(activity.id), id: ids.next(), at: context.now, ordering: envelope.orderingKey)
      return .done(nil)
    }
  }

  private func vouched(
    _ document: Document, _ envelope: Envelope, _ budget: FetchBudget
  ) async throws -> (document: Document, signer: IRI) {
    let proof = ProofCheck(keys: keys, budget: budget)
    switch await proof.verdict(on: document.json, owner: envelope.actor, at: environment.time.now()) {
    case .proved(let signer): return (document, signer)
    case .forged(let failure): throw ReceiveFailure.permanent(failure.code)
    case .unsaid: break
    }
    do {
      let origin = try await fetch.document(envelope.id, budget: budget)
      let read: Envelope
      do { read = try Envelope(reading: origin.document) } catch { throw ReceiveFailure.permanent(error.code) }
      guard origin.id == envelope.id, read.actor == envelope.actor, read.type == envelope.type else {
        throw ReceiveFailure.permanent("owner")
      }
      return (origin.document, read.actor)
    } catch let failure as FetchFailure { throw ReceiveFailure(ResolveFailure.fetch(failure)) }
  }
}

extension PostResolver {
  /// What a relay names: a post, or the Create of one.
  func announced(_ uri: IRI, budget: FetchBudget) async throws(ResolveFailure) -> PreparedNote {
    let page: FetchedDocument
    do { page = try await fetch.document(uri, budget: budget) } catch { throw .fetch(error) }
    guard page.document.node.isA("Create") else { return try await prepare(page, budget: budget) }
    guard let object = page.document.node.iri("object") else { throw .unacceptable("object.unsupported") }
    return try await prepare(object, budget: budget)
  }
}
