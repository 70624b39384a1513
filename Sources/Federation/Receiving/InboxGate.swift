import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store

/// Decides over a POST to an inbox, cheapest checks first: size, type, JSON, shape and origin, signature, ownership,
/// block list, durable commit. Each step runs only if the one before passed, so that a stranger can make us parse and
/// fetch little, and store nothing.
///
/// With the key in memory a request costs one signature verification and one write.
package final class InboxGate: Sendable {
  let environment: FederationEnvironment
  let keys: KeyDirectory
  let fetch: SignedFetch

  package init(_ environment: FederationEnvironment, keys: KeyDirectory, fetch: SignedFetch) {
    self.environment = environment
    self.keys = keys
    self.fetch = fetch
  }

  package func receive(_ request: InboxRequest) async -> InboxAnswer {
    await receive(request, signedBefore: environment.time.now(), isParked: false)
  }

  /// `signedBefore` is when the request arrived: one that was parked may be older than its signature is good for.
  func receive(_ request: InboxRequest, signedBefore arrival: Timestamp, isParked: Bool) async -> InboxAnswer {
    if let refusal = InboxGate.head(request, environment.instance) { return refusal }
    let document: Document
    let envelope: Envelope
    do {
      document = try Document(parsing: request.body)
      envelope = try Envelope(reading: document)
    } catch { return .refused(error) }
    do {
      try Ownership.checkActivity(id: envelope.id, actor: envelope.actor, local: environment.instance.base)
    } catch { return .refused(error) }
    let claim: SignatureClaim
    do { claim = try SignatureClaim(of: request.facts, at: arrival) } catch { return .refused(error) }
    let budget = FetchBudget(4, deadline: Limits.fetchInRequest)
    switch await authenticate(claim, document, envelope, source: request.source, budget: budget) {
    case .answered(let answer): return answer
    case .unreachable(let answer):
      return isParked ? answer : await park(request, keyHost: claim.keyID.host, otherwise: answer, at: arrival)
    case .verified(let verified, let owner, let listed):
      let answer = await admit(verified, envelope, owner: owner, listed: listed, budget: budget)
      if answer == .stored, owner == envelope.actor { await compareFollowers(claim, request, sender: owner) }
      return answer
    }
  }

  private static func head(_ request: InboxRequest, _ instance: Instance) -> InboxAnswer? {
    guard !instance.isTrial else { return InboxAnswer(404, "federation.off", "This server does not federate.") }
    guard request.method == "POST" else { return InboxAnswer(405, "method", "An inbox is posted to.") }
    guard request.body.count <= Limits.inboxBody else {
      return InboxAnswer(413, "body.too_large", "The body is larger than \(Limits.inboxBody) bytes.")
    }
    let types = request.fields.lines("content-type")
    guard types.count == 1, let type = types.first, MediaType.isActivityPub(type) else {
      return InboxAnswer(415, "content_type", "The content type is not \(Names.mediaType).")
    }
    return nil
  }

  private enum Authentication {
    case verified(Verified<Document>, owner: IRI, listed: [RemoteKey])
    case unreachable(InboxAnswer)
    case answered(InboxAnswer)
  }

  private func authenticate(
    _ claim: SignatureClaim, _ document: Document, _ envelope: Envelope, source: String?, budget: FetchBudget
  ) async -> Authentication {
    let cached = keys.cached(claim.keyID)
    // Every server announces every departure to all it knows. Of somebody unknown here it asks for nothing, and the
    // key is gone with its actor.
    if cached == nil, envelope.isDeparture, await !isKnown(envelope.actor) { return .answered(.ignored) }
    switch await keys.key(claim.keyID, source: source, budget: budget) {
    case .found(let key, let isFresh, let listed):
      do {
        return .verified(try claim.verify(document, with: key.key), owner: key.owner, listed: listed)
      } catch {
        guard !isFresh, error.mayBeStaleKey else {
          keys.noteFailure(from: isFresh ? source : nil)
          return .answered(.refused(error))
        }
        return await authenticateAgain(claim, document, failure: error, source: source, budget: budget)
      }
    case .gone:
      return .answered(await departed(envelope, claim, document, budget: budget))
    case .unreachable: return .unreachable(.keyUnreachable)
    case .cooling: return .unreachable(.keyCooling)
    case .blocked: return .answered(.blocked)
    case .refused(let failure): return .answered(.refused(failure))
    }
  }

  /// The peer may have a new key since we read the old one.
  private func authenticateAgain(
    _ claim: SignatureClaim, _ document: Document, failure: SignatureFailure, source: String?, budget: FetchBudget
  ) async -> Authentication {
    switch await keys.key(claim.keyID, source: source, refetching: true, budget: budget) {
    case .found(let key, _, let listed):
      keys.replace(keysOf: key.owner, with: listed)
      do {
        return .verified(try claim.verify(document, with: key.key), owner: key.owner, listed: listed)
      } catch { return .answered(.refused(error)) }
    case .blocked: return .answered(.blocked)
    case .unreachable, .cooling, .gone, .refused: return .answered(.refused(failure))
    }
  }

  private func isKnown(_ actor: IRI) async -> Bool {
    do { return try await environment.database.read { try $0.standing(of: actor).isKnown } } catch { return true }
  }

  /// The key is gone. If the activity says that its actor is too, the actor's address has to say so itself.
  private func departed(
    _ envelope: Envelope, _ claim: SignatureClaim, _ document: Document, budget: FetchBudget
  ) async -> InboxAnswer {
    let failure = InboxAnswer.refused(SignatureFailure.keyUnavailable(transient: false))
    guard envelope.isDeparture, claim.keyID.hasSameOrigin(as: envelope.actor) else { return failure }
    do {
      _ = try await fetch.document(envelope.actor, budget: budget)
      return failure
    } catch {
      // 404 may be a mistake that is mended tomorrow; only 410 says that nobody will be back.
      guard error == .gone(status: 410) else { return failure }
      return await commit(document, envelope, signer: envelope.actor, listed: [], owner: envelope.actor)
    }
  }

  private func admit(
    _ verified: Verified<Document>, _ envelope: Envelope, owner: IRI, listed: [RemoteKey], budget: FetchBudget
  ) async -> InboxAnswer {
    guard Activity.types.contains(envelope.type) else { return .ignored }
    do {
      try Ownership.checkSigner(owner: owner, actor: envelope.actor)
      return await commit(
        verified.subject, envelope, signer: verified.signer, listed: listed, owner: owner, isDirect: true)
    } catch {
      return await forwarded(verified.subject, envelope, by: owner, budget: budget)
    }
  }

  /// Another server passes on what an actor said. It counts on the actor's own proof, else when its origin serves it.
  private func forwarded(
    _ document: Document, _ envelope: Envelope, by forwarder: IRI, budget: FetchBudget
  ) async -> InboxAnswer {
    let refusal = InboxAnswer.refused(SignatureFailure.actorMismatch)
    // Nothing is fetched for a forwarder we do not listen to, nor from a host that is blocked.
    do {
      let standings = try await environment.database.read { tx in
        (try tx.standing(of: forwarder), try tx.standing(of: envelope.actor), try tx.hasSeen(envelope.id))
      }
      if standings.0.isBlockedHost || standings.1.isBlockedHost { return .blocked }
      if standings.0.isSuspended || standings.1.isSuspended { return .dropped }
      if standings.2 { return .duplicate }
    } catch { return .busy }
    let proof = ProofCheck(keys: keys, budget: budget)
    switch await proof.verdict(on: document.json, owner: envelope.actor, at: environment.time.now()) {
    case .proved(let signer):
      return await commit(
        document, envelope, signer: signer, listed: [], owner: envelope.actor, forwarder: forwarder)
    // A copy that was changed on its way is a lie about its author, and asking the author would make us its errand.
    case .forged: return refusal
    case .unsaid: break
    }
    do {
      let origin = try await fetch.document(envelope.id, budget: budget)
      let read = try Envelope(reading: origin.document)
      guard origin.id == envelope.id, read.id == envelope.id, read.actor == envelope.actor,
        Activity.types.contains(read.type)
      else { return refusal }
      return await commit(
        origin.document, read, signer: read.actor, listed: [], owner: read.actor, forwarder: forwarder)
    } catch { return refusal }
  }

  /// The one write. What is answered 202 is on the disk.
  private func commit(
    _ document: Document, _ envelope: Envelope, signer: IRI, listed: [RemoteKey], owner: IRI, isDirect: Bool = false,
    forwarder: IRI? = nil
  ) async -> InboxAnswer {
    let now = environment.time.now()
    let ids = environment.ids
    let activity = InboxActivity(
      id: ids.next(), activityURI: envelope.id, signer: signer, body: document.bytes, state: .pending, reason: nil,
      receivedAt: now, forwarder: forwarder)
    do {
      return try await environment.database.write { tx in
        let standing = try tx.standing(of: envelope.actor)
        if standing.isBlockedHost { return .blocked }
        if !listed.isEmpty { try tx.replaceRemoteKeys(of: owner, with: listed) }
        if standing.isSuspended { return .dropped }
        guard try tx.insert(activity) else { return .duplicate }
        // Who speaks is alive: what waits for that host is sent now.
        if isDirect { try tx.closeCircuit(of: envelope.actor.host, at: now) }
        try tx.enqueue(.receive(activity.id), id: ids.next(), at: now, ordering: envelope.orderingKey)
        return .stored
      }
    } catch {
      environment.log.error("inbox.not_stored")
      return .busy
    }
  }
}
