import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  private struct Pair: Sendable {
    let follower: Account
    let followee: Account
  }

  private func pair(_ follower: Account.ID, _ followee: Account.ID) async throws -> Pair? {
    let known = try await environment.database.read { try $0.accounts([follower, followee]) }
    guard let one = known[follower], let other = known[followee] else { return nil }
    return Pair(follower: one, followee: other)
  }

  private func row(_ id: Model.Follow.ID) async throws -> (Model.Follow, Pair)? {
    guard let follow = try await environment.database.read({ try $0.follow(id) }),
      let pair = try await pair(follow.followerID, follow.followeeID)
    else { return nil }
    return (follow, pair)
  }

  private func activity(_ uri: IRI, _ pair: Pair) -> ActivityStreams.Follow {
    let header = Header(
      id: uri, actor: pair.follower.uri, addressing: Addressing(to: [pair.followee.uri]))
    return ActivityStreams.Follow(header: header, object: pair.followee.uri)
  }

  func followed(_ id: Model.Follow.ID) async throws -> ComposedActivity? {
    guard let (follow, pair) = try await row(id) else { return nil }
    return try await simple(
      .follow(activity(follow.uri, pair)), id: follow.uri, by: pair.follower, about: pair.followee.uri,
      to: [pair.followee])
  }

  func unfollowed(
    _ uri: IRI, _ follower: Account.ID, _ followee: Account.ID
  ) async throws -> ComposedActivity? {
    guard let pair = try await pair(follower, followee) else { return nil }
    let id = instance.undo(of: uri)
    let header = Header(id: id, actor: pair.follower.uri, addressing: Addressing(to: [pair.followee.uri]))
    return try await simple(
      .undo(Undo(header: header, object: .embedded(.follow(activity(uri, pair))))), id: id, by: pair.follower,
      about: uri, to: [pair.followee])
  }

  /// The Follow goes inside whole: Mastodon and GoToSocial match it by actor and object when they have lost its id.
  func accepted(_ id: Model.Follow.ID) async throws -> ComposedActivity? {
    guard let (follow, pair) = try await row(id), follow.state == .accepted else { return nil }
    let accept = instance.accept(follow.id)
    let header = Header(id: accept, actor: pair.followee.uri, addressing: Addressing(to: [pair.follower.uri]))
    return try await simple(
      .accept(Accept(header: header, object: .embedded(activity(follow.uri, pair)))), id: accept, by: pair.followee,
      about: follow.uri, to: [pair.follower], isUnique: false)
  }

  func rejected(
    _ uri: IRI, _ follower: Account.ID, _ followee: Account.ID, _ lease: JobLease
  ) async throws -> ComposedActivity? {
    guard let pair = try await pair(follower, followee) else { return nil }
    let id = instance.reject(lease.id.rawValue)
    let header = Header(id: id, actor: pair.followee.uri, addressing: Addressing(to: [pair.follower.uri]))
    return try await simple(
      .reject(Reject(header: header, object: .embedded(activity(uri, pair)))), id: id, by: pair.followee, about: uri,
      to: [pair.follower])
  }
}
