import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  func follow(_ follow: ActivityStreams.Follow, _ budget: FetchBudget) async throws -> Effect {
    let target = try await environment.database.read { try $0.account(uri: follow.object) }
    // Relays of the second kind follow back, to be sent what we announce.
    let isKnownRelay = try await environment.database.read { try $0.relay(actor: follow.actor) != nil }
    let isRelay = isKnownRelay && follow.object == environment.instance.actor
    let isAssessor = follow.object == environment.instance.assessor
    guard let target, target.isLocal, target.kind != .application || isRelay || isAssessor else {
      return { _, _ in .rejected("object.unknown") }
    }
    let follower = try await actor(follow.actor, budget)
    // Assessments may hurt: they are for servers, and no person collects them.
    guard !isAssessor || follower.kind == .service || follower.kind == .application else {
      return { _, _ in .rejected("assessor.only") }
    }
    return { tx, context in
      guard let followee = try tx.account(target.id), followee.suspendedAt == nil else {
        return .rejected("object.unknown")
      }
      // The id of a known follow of somebody else would take that one over.
      if let known = try tx.follow(uri: follow.id),
        known.followerID != follower.id || known.followeeID != followee.id
      {
        return .rejected("owner")
      }
      try tx.receiveFollow(of: followee, by: follower, uri: follow.id, in: context)
      if isRelay { try tx.acceptFollow(by: follower, to: followee, in: context) }
      return .done(nil)
    }
  }

  /// Counts only for a follow that somebody here asked for, and from the one who was asked (CVE-2025-30741).
  func answer(
    _ actor: IRI, _ object: Reference<ActivityStreams.Follow>, isAccepted: Bool
  ) -> Effect {
    { tx, context in
      if let settled = try Receiver.answer(to: object, by: actor, isAccepted: isAccepted, tx, in: context) {
        return settled
      }
      guard let follow = try Receiver.asked(object, tx) else { return .rejected("follow.not_asked") }
      guard let followee = try tx.account(follow.followeeID), let follower = try tx.account(follow.followerID),
        followee.uri == actor, follower.isLocal
      else { return .rejected("owner") }
      if isAccepted { try tx.receiveAccept(of: follow, in: context) } else { try tx.receiveReject(of: follow) }
      return .done(nil)
    }
  }

  /// By id, else by its two ends: some peers answer with an id of their own making.
  private static func asked(
    _ object: Reference<ActivityStreams.Follow>, _ tx: any WriteTransaction
  ) throws -> Model.Follow? {
    if let follow = try tx.follow(uri: object.iri) { return follow }
    guard case .embedded(let inner) = object, let follower = try tx.account(uri: inner.actor),
      let followee = try tx.account(uri: inner.object)
    else { return nil }
    return try tx.follow(of: followee.id, by: follower.id)
  }

  func undo(_ undo: Undo) -> Effect {
    let ids = environment.ids
    return { tx, context in
      guard let account = try tx.account(uri: undo.actor) else { return .done("actor.unknown") }
      let settlement: Settlement
      switch undo.object {
      case .link(let iri): settlement = try Receiver.undo(iri, by: account, tx)
      case .embedded(let inner):
        guard inner.actor == undo.actor else { return .rejected("owner") }
        settlement = try Receiver.undo(inner, by: account, tx, in: context)
      }
      // Overtook what it takes back: that one is to find its id taken.
      let undone = undo.object.iri
      if settlement == .done("object.unknown"), undone.hasSameOrigin(as: undo.actor) {
        _ = try tx.insert(
          InboxActivity(
            id: ids.next(), activityURI: undone, signer: undo.actor, body: [], state: .rejected, reason: "undone",
            receivedAt: context.now))
      }
      return settlement
    }
  }

  private static func undo(_ iri: IRI, by account: Account, _ tx: any WriteTransaction) throws -> Settlement {
    if let follow = try tx.follow(uri: iri) {
      guard follow.followerID == account.id else { return .rejected("owner") }
      try tx.receiveUndo(of: follow)
    } else if let favourite = try tx.favourite(uri: iri) {
      guard favourite.accountID == account.id else { return .rejected("owner") }
      try tx.receiveUndo(of: favourite)
    } else if let boost = try tx.post(uri: iri) {
      guard boost.authorID == account.id, boost.boostOfID != nil else { return .rejected("owner") }
      try tx.receiveUndo(ofBoost: boost)
    } else {
      return .done("object.unknown")
    }
    return .done(nil)
  }

  private static func undo(
    _ inner: Undoable, by account: Account, _ tx: any WriteTransaction, in context: OperationContext
  ) throws -> Settlement {
    switch inner {
    case .follow(let follow):
      guard let followee = try tx.account(uri: follow.object),
        let known = try tx.follow(of: followee.id, by: account.id)
      else { return .done("object.unknown") }
      try tx.receiveUndo(of: known)
    case .like(let like):
      guard let post = try tx.post(uri: like.object), let known = try tx.favourite(of: post.id, by: account.id) else {
        return .done("object.unknown")
      }
      try tx.receiveUndo(of: known)
    case .announce(let announce):
      guard let post = try tx.post(uri: announce.object), let boost = try tx.boost(of: post.id, by: account.id) else {
        return .done("object.unknown")
      }
      try tx.receiveUndo(ofBoost: boost)
    case .block(let block):
      guard let target = try tx.account(uri: block.object) else { return .done("object.unknown") }
      try tx.deleteBlock(by: account.id, of: target.id)
    }
    return .done(nil)
  }

  /// Private: the blocked person is told nothing, and no longer sees the blocker.
  func block(_ block: ActivityStreams.Block, _ budget: FetchBudget) async throws -> Effect {
    let target = try await environment.database.read { try $0.account(uri: block.object) }
    guard let target, target.isLocal else { return { _, _ in .done("object.unknown") } }
    let blocker = try await actor(block.actor, budget)
    return { tx, context in
      try tx.block(target, by: blocker, in: context)
      if let follow = try tx.follow(of: blocker.id, by: target.id) { try tx.receiveReject(of: follow) }
      return .done(nil)
    }
  }

  /// Recorded when the new account names the old one. Follows are not moved for anybody.
  func move(_ move: Move, _ budget: FetchBudget) async throws -> Effect {
    guard move.object == move.actor else { throw ReceiveFailure.permanent("owner") }
    guard try await environment.database.read({ try $0.account(uri: move.actor) }) != nil else {
      return { _, _ in .done("actor.unknown") }
    }
    let target: ActivityStreams.Actor
    do {
      let page = try await fetch.document(move.target, budget: budget)
      do { target = try ActivityStreams.Actor(reading: page.document.node) } catch {
        throw ReceiveFailure.permanent(error.code)
      }
    } catch let failure as FetchFailure { throw ReceiveFailure(ResolveFailure.fetch(failure)) }
    guard target.id == move.target, target.alsoKnownAs.contains(move.actor) else {
      return { _, _ in .rejected("move.no_alias") }
    }
    return { tx, _ in
      guard let account = try tx.account(uri: move.actor) else { return .done("actor.unknown") }
      try tx.receiveMove(of: account, to: move.target)
      return .done(nil)
    }
  }
}

extension Undoable {
  fileprivate var actor: IRI {
    switch self {
    case .follow(let follow): follow.actor
    case .like(let like): like.actor
    case .announce(let announce): announce.actor
    case .block(let block): block.actor
    }
  }
}
