import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  private func serverAccount() async throws -> Account? {
    let actor = instance.actor
    return try await environment.database.read { try $0.account(uri: actor) }
  }

  private func follow(_ id: IRI, of object: IRI) -> ActivityStreams.Follow {
    ActivityStreams.Follow(
      header: Header(id: id, actor: instance.actor, addressing: Addressing(to: [object])), object: object)
  }

  func relayJoined(_ id: Relay.ID) async throws -> ComposedActivity? {
    guard let relay = try await environment.database.read({ try $0.relay(id) }), let server = try await serverAccount(),
      let object = relay.style == .litepub ? relay.actor : everyone
    else { return nil }
    var composed = try await simple(
      .follow(follow(relay.follow, of: object)), id: relay.follow, by: server, about: object, to: [])
    composed.inboxes = [relay.inbox]
    return composed
  }

  func relayLeft(_ follow: IRI, _ inbox: IRI, _ object: IRI?) async throws -> ComposedActivity? {
    guard let server = try await serverAccount(), let object = object ?? everyone else { return nil }
    let id = instance.undo(of: follow)
    let header = Header(id: id, actor: instance.actor, addressing: Addressing(to: [object]))
    let undo = Undo(header: header, object: .embedded(.follow(self.follow(follow, of: object))))
    var composed = try await simple(.undo(undo), id: id, by: server, about: follow, to: [])
    composed.inboxes = [inbox]
    return composed
  }

  /// What relays of the second kind are told of a public post: that it is there. Nil without such relays.
  func relayAnnouncement(of post: IRI) async throws -> (outgoing: Outgoing, inboxes: [IRI])? {
    let inboxes = try await environment.database.read { tx in
      try tx.relays().filter { $0.state == .accepted && $0.style == .litepub }.map(\.inbox)
    }
    guard !inboxes.isEmpty, let server = try await serverAccount(), let id = post.appending("#relayed") else {
      return nil
    }
    let now = environment.time.now()
    let header = Header(
      id: id, actor: instance.actor, addressing: Addressing(to: [everyone].compactMap { $0 }), published: now)
    let document = Activity.announce(Announce(header: header, object: post)).document ?? .null
    let body = try await signed(document, by: server.id, at: now).bytes
    let outgoing = Outgoing(
      id: environment.ids.next(), senderID: server.id, uri: id, objectURI: post, isUpdate: false, body: body,
      createdAt: now)
    return (outgoing, inboxes)
  }
}
