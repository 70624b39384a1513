import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// The answer to a Follow of ours that joined a relay; nil when it answers something else.
  ///
  /// Nobody tells us the actor of a relay that is joined by its inbox, so the one who answers is it, if it is of the
  /// same origin as the inbox that we asked.
  static func answer(
    to object: Reference<ActivityStreams.Follow>, by actor: IRI, isAccepted: Bool, _ tx: any WriteTransaction,
    in context: OperationContext
  ) throws -> Settlement? {
    guard var relay = try asked(object, by: actor, tx, in: context) else { return nil }
    guard actor.hasSameOrigin(as: relay.inbox), relay.actor.map({ $0 == actor }) ?? true else {
      return .rejected("owner")
    }
    relay.actor = actor
    relay.state = isAccepted ? .accepted : .refused
    relay.answeredAt = context.now
    try tx.update(relay)
    return .done(nil)
  }

  /// By id; some relays answer with a Follow of their own making, which names us and one relay of that origin.
  private static func asked(
    _ object: Reference<ActivityStreams.Follow>, by actor: IRI, _ tx: any WriteTransaction,
    in context: OperationContext
  ) throws -> Relay? {
    if let relay = try tx.relay(follow: object.iri) { return relay }
    guard case .embedded(let inner) = object, inner.actor == context.instance.actor else { return nil }
    return try tx.relays().first { $0.inbox.hasSameOrigin(as: actor) }
  }
}
