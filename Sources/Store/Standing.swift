import Model
import Persistence
import Primitives

/// How this server stands to an actor elsewhere, as far as it decides whether to listen.
package struct ActorStanding: Hashable, Sendable {
  package var isBlockedHost: Bool
  package var isKnown: Bool
  package var isSuspended: Bool
}

extension ReadTransaction {
  /// Two index lookups: asked for every request that arrives.
  package func standing(of actor: IRI) throws -> ActorStanding {
    let row = try first("SELECT suspended_at FROM accounts WHERE uri = \(actor)")
    return ActorStanding(
      isBlockedHost: try block(of: actor.host) != nil, isKnown: row != nil,
      isSuspended: try row?.optionalTimestamp("suspended_at") != nil)
  }

  /// Every follow that `id` gives or receives.
  package func follows(touching id: Account.ID) throws -> [Follow] {
    try rows("SELECT \(fragment: Follow.columns) FROM follows WHERE follower_id = \(id) OR followee_id = \(id)")
      .map(Follow.init(row:))
  }
}
