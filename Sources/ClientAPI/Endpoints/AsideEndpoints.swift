import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var asideRoutes: [Route] {
    [
      Route(.post, "/api/v1/accounts/:id/mute", .scope("write:mutes"), mute),
      Route(.post, "/api/v1/accounts/:id/unmute", .scope("write:mutes"), unmute),
      Route(.post, "/api/v1/accounts/:id/note", .scope("write:accounts"), annotate),
      Route(.get, "/api/v1/mutes", .scope("read:mutes"), muted),
      Route(.get, "/api/v1/blocks", .scope("read:blocks"), blocked),
      Route(.get, "/api/v1/accounts/search", .scope("read:accounts"), searchAccounts),
      Route(.post, "/api/v1/notifications/clear", .scope("write:notifications"), clearNotifications),
      Route(.post, "/api/v1/notifications/:id/dismiss", .scope("write:notifications"), dismissNotification),
    ]
  }

  @Sendable func mute(_ call: Call) async throws -> Response {
    let hidesNotices = call.parameters.flag("notifications") ?? true
    let seconds = try call.parameters.integer("duration") ?? 0
    let lasts: Duration? = seconds > 0 ? .seconds(min(seconds, Int(Int32.max))) : nil
    return try await relate(call) { tx, target, viewer, context in
      try tx.mute(target, hidesNotices: hidesNotices, lasts: lasts, by: viewer, in: context)
    }
  }

  @Sendable func unmute(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, _ in try tx.unmute(target, by: viewer) }
  }

  @Sendable func annotate(_ call: Call) async throws -> Response {
    let note = call.parameters["comment"] ?? ""
    return try await relate(call) { tx, target, viewer, _ in try tx.annotate(target, with: note, by: viewer) }
  }

  @Sendable func muted(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await setAside(call) { try $0.muted(by: owner, $1) }
  }

  @Sendable func blocked(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await setAside(call) { try $0.blocked(by: owner, $1) }
  }

  private func setAside(
    _ call: Call, _ find: @escaping @Sendable (any ReadTransaction, Page<Account>) throws -> [Account]
  ) async throws -> Response {
    let page: Page<Account> = try call.page(40, most: Limits.accountPage)
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try find(tx, page)
      return (try self.drawn(found, tx), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  /// By the beginning of a name, as an app completes mentions: never leaves this server.
  @Sendable func searchAccounts(_ call: Call) async throws -> Response {
    let viewer = try call.member().id
    let limit = try call.limit(40, most: Limits.accountPage)
    let written = (call.parameters["q"] ?? "").drop { $0 == "@" || $0 == " " }
    guard written.unicodeScalars.count <= Limits.searchQuery else { throw Problem.parameter("q") }
    let parts = written.split(separator: "@", maxSplits: 1).map(String.init)
    guard let name = parts.first else { return .json([]) }
    let host = parts.count > 1 ? parts[1].lowercased() : ""
    let onlyFollowed = call.parameters.flag("following") ?? false
    return try await database.read { [self] tx in
      var found = try tx.accounts(named: name, limit: limit).filter {
        host.isEmpty || ($0.host ?? instance.host).text.hasPrefix(host)
      }
      if onlyFollowed {
        let followed = try tx.relationships(of: viewer, to: found.map(\.id)).filter(\.following).map(\.accountID)
        found = found.filter { followed.contains($0.id) }
      }
      return JSON.array(try drawn(found, tx))
    }.response
  }

  @Sendable func clearNotifications(_ call: Call) async throws -> Response {
    let owner = try call.member()
    try await database.write { try $0.dismissNotifications(of: owner) }
    return .json([:])
  }

  @Sendable func dismissNotification(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Notification.ID = try call.id()
    try await database.write { try $0.dismiss(id, of: owner) }
    return .json([:])
  }
}
