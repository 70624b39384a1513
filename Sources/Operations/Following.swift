import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// A local account asks to follow. A remote followee is asked; a local one accepts at once unless locked.
  package func follow(_ followee: Account, by follower: Account, in context: OperationContext) throws -> Follow {
    guard followee.id != follower.id else {
      throw OperationFailure(.invalid, "follow.self", "You can not follow yourself.")
    }
    guard followee.suspendedAt == nil, try !isBlocked(between: follower.id, and: followee.id) else {
      throw OperationFailure(.forbidden, "follow.not_allowed", "This account can not be followed.")
    }
    if let existing = try follow(of: followee.id, by: follower.id) { return existing }
    // Nobody answers there any more, and no follow is moved for anybody.
    guard followee.movedTo == nil else {
      throw OperationFailure(.forbidden, "follow.moved", "This account has moved. Follow the new one.")
    }
    if !followee.isLocal, context.instance.isTrial {
      throw OperationFailure(.forbidden, "federation.off", "This is a trial instance: it does not federate.")
    }
    let id: Follow.ID = context.ids.next()
    let accepted = followee.isLocal && !followee.isLocked
    let follow = Follow(
      id: id, followerID: follower.id, followeeID: followee.id, uri: context.instance.follow(id),
      state: accepted ? .accepted : .pending, createdAt: context.now)
    try insert(follow)
    if followee.isLocal {
      try welcome(follow, in: context)
    } else {
      try federate(.followed(id), by: follower.id, in: context)
      try queueFeatured(of: followee, in: context)
    }
    return follow
  }

  package func unfollow(_ followee: Account, by follower: Account, in context: OperationContext) throws {
    guard let follow = try follow(of: followee.id, by: follower.id) else { return }
    try delete(follow)
    try clearHome(of: follower.id, from: followee.id)
    for kind in [Notification.Kind.follow, .followRequest] {
      try deleteNotifications(of: kind, to: followee.id, from: follower.id, post: nil)
    }
    if !followee.isLocal {
      try federate(
        .unfollowed(uri: follow.uri, follower: follower.id, followee: followee.id), by: follower.id, in: context)
    }
  }

  /// A remote account asks to follow a local one. Asking twice is answered twice: the first answer may be lost.
  package func receiveFollow(
    of followee: Account, by follower: Account, uri: IRI, in context: OperationContext
  ) throws {
    guard follower.suspendedAt == nil, try !isBlocked(between: follower.id, and: followee.id) else {
      try federate(.rejected(uri: uri, follower: follower.id, followee: followee.id), by: followee.id, in: context)
      return
    }
    if let existing = try follow(of: followee.id, by: follower.id) {
      try setURI(uri, of: existing.id)
      if existing.state == .accepted { try federate(.accepted(follow: existing.id), by: followee.id, in: context) }
      return
    }
    let follow = Follow(
      id: context.ids.next(), followerID: follower.id, followeeID: followee.id, uri: uri,
      state: followee.isLocked ? .pending : .accepted, createdAt: context.now)
    try insert(follow)
    try welcome(follow, in: context)
    if follow.state == .accepted { try federate(.accepted(follow: follow.id), by: followee.id, in: context) }
  }

  /// The followee here consents to a waiting request.
  package func acceptFollow(by follower: Account, to followee: Account, in context: OperationContext) throws {
    guard let follow = try follow(of: followee.id, by: follower.id) else { throw OperationFailure.notFound }
    guard try accept(follow) else { return }
    try deleteNotifications(of: .followRequest, to: followee.id, from: follower.id, post: nil)
    try notify(followee.id, of: .follow, from: follower.id, post: nil, in: context)
    if follower.isLocal {
      try backfillHome(of: follower.id, from: followee.id, limit: homeBackfill)
    } else {
      try federate(.accepted(follow: follow.id), by: followee.id, in: context)
    }
  }

  /// The followee here declines, or removes a follower.
  package func rejectFollow(by follower: Account, to followee: Account, in context: OperationContext) throws {
    guard let follow = try follow(of: followee.id, by: follower.id) else { throw OperationFailure.notFound }
    try delete(follow)
    for kind in [Notification.Kind.follow, .followRequest] {
      try deleteNotifications(of: kind, to: followee.id, from: follower.id, post: nil)
    }
    if follower.isLocal {
      try clearHome(of: follower.id, from: followee.id)
    } else {
      try federate(
        .rejected(uri: follow.uri, follower: follower.id, followee: followee.id), by: followee.id, in: context)
    }
  }

  /// The remote followee consented. Nothing is followed before (Pixelfed CVE-2025-30741).
  package func receiveAccept(of follow: Follow, in context: OperationContext) throws {
    guard try accept(follow) else { return }
    try backfillHome(of: follow.followerID, from: follow.followeeID, limit: homeBackfill)
  }

  /// The remote followee declined, or threw the follower out later.
  package func receiveReject(of follow: Follow) throws {
    try delete(follow)
    try clearHome(of: follow.followerID, from: follow.followeeID)
  }

  /// The remote follower took it back.
  package func receiveUndo(of follow: Follow) throws {
    try delete(follow)
    for kind in [Notification.Kind.follow, .followRequest] {
      try deleteNotifications(of: kind, to: follow.followeeID, from: follow.followerID, post: nil)
    }
  }

  /// Ends follows in both directions with the block, as the blocked person must not go on receiving. Either may be
  /// of another server: what a remote blocker ended there is ended here without telling it again.
  package func block(_ target: Account, by account: Account, in context: OperationContext) throws {
    guard target.id != account.id else {
      throw OperationFailure(.invalid, "block.self", "You can not block yourself.")
    }
    try insertBlock(by: account.id, of: target.id, at: context.now)
    if let follow = try follow(of: account.id, by: target.id) {
      try delete(follow)
      if target.isLocal {
        try clearHome(of: target.id, from: account.id)
      } else if account.isLocal {
        try federate(
          .rejected(uri: follow.uri, follower: target.id, followee: account.id), by: account.id, in: context)
      }
    }
    if account.isLocal {
      try unfollow(target, by: account, in: context)
      try deleteNotifications(to: account.id, from: target.id)
    } else if let follow = try follow(of: target.id, by: account.id) {
      try receiveUndo(of: follow)
    }
  }

  private func welcome(_ follow: Follow, in context: OperationContext) throws {
    let kind: Notification.Kind = follow.state == .accepted ? .follow : .followRequest
    try notify(follow.followeeID, of: kind, from: follow.followerID, post: nil, in: context)
    if follow.state == .accepted, try account(follow.followerID)?.isLocal == true {
      try backfillHome(of: follow.followerID, from: follow.followeeID, limit: homeBackfill)
    }
  }

  /// Posts a new follower finds in the home timeline.
  private var homeBackfill: Int { 40 }
}
