import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Asks a relay to let this server take part. `actor` is given for one that is joined by its actor.
  package func join(
    relay inbox: IRI, style: Relay.Style, actor: IRI?, in context: OperationContext
  ) throws -> Relay {
    guard !context.instance.isTrial else {
      throw OperationFailure(.forbidden, "federation.off", "This is a trial instance: it does not federate.")
    }
    guard inbox.scheme == "https", !inbox.hasSameOrigin(as: context.instance.base) else {
      throw OperationFailure(.invalid, "relay.address", "A relay has an https address on another server.")
    }
    guard try block(of: inbox.host) == nil else {
      throw OperationFailure(.forbidden, "host.blocked", "That server is blocked here.")
    }
    guard try relay(inbox: inbox) == nil else {
      throw OperationFailure(.conflict, "relay.known", "That relay was added before.")
    }
    guard try relays().count < Limits.relays else {
      throw OperationFailure(.conflict, "relay.too_many", "There are \(Limits.relays) relays, and no more are taken.")
    }
    let id: Relay.ID = context.ids.next()
    let relay = Relay(
      id: id, style: style, inbox: inbox, actor: actor, follow: context.instance.page("/relays/\(id)"),
      createdAt: context.now)
    try insert(relay)
    try enqueue(.federate(.relayJoined(id)), id: context.ids.next(), at: context.now, ordering: "relay \(inbox.text)")
    return relay
  }

  /// Takes part no longer, and says so.
  package func leave(_ relay: Relay, in context: OperationContext) throws {
    try delete(relay: relay.id)
    let object = relay.style == .litepub ? relay.actor : nil
    try enqueue(
      .federate(.relayLeft(follow: relay.follow, inbox: relay.inbox, object: object)), id: context.ids.next(),
      at: context.now, ordering: "relay \(relay.inbox.text)")
  }
}

extension Limits {
  /// An admin adds each by hand, and every public post goes to all of them.
  package static let relays = 32
}
