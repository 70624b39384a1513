import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// Whom one might want to know: by friends, by recommendation, by being here.
extension ClientAPI {
  var recommendingRoutes: [Route] {
    [
      Route(.get, "/api/v1/accounts/familiar_followers", .scope("read:follows"), familiarFollowers),
      Route(.post, "/api/v1/accounts/:id/endorse", .scope("write:accounts"), endorse),
      Route(.post, "/api/v1/accounts/:id/unendorse", .scope("write:accounts"), unendorse),
      Route(.post, "/api/v1/accounts/:id/pin", .scope("write:accounts"), endorse),
      Route(.post, "/api/v1/accounts/:id/unpin", .scope("write:accounts"), unendorse),
      Route(.get, "/api/v1/endorsements", .scope("read:accounts"), endorsements),
      Route(.get, "/api/v1/accounts/:id/endorsements", .optional("read:accounts"), accountEndorsements),
      Route(.get, "/api/v1/suggestions", .scope("read:accounts"), suggestedAccounts),
      Route(.delete, "/api/v1/suggestions/:id", .scope("write:accounts")) { _ in .json([:]) },
      Route(.get, "/api/v2/suggestions", .scope("read:accounts"), suggestions),
      Route(.get, "/api/v1/directory", .open, directory),
    ]
  }

  @Sendable func familiarFollowers(_ call: Call) async throws -> Response {
    let viewer = try call.member().id
    let ids: [Account.ID] = try Array(call.parameters.ids("id").prefix(Limits.relationships))
    return try await database.read { [self] tx in
      let found = try tx.familiarFollowers(of: ids, to: viewer, limit: Limits.familiarFollowers)
      let counts = try tx.counts(of: Set(found.values.flatMap { $0.map(\.id) }))
      return JSON.array(
        ids.map { id in
          [
            "id": .string(id.description),
            "accounts": .array(found[id, default: []].map { entities.account($0, counts: counts[$0.id]) }),
          ]
        })
    }.response
  }

  @Sendable func endorse(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in try tx.endorse(target, by: viewer, in: context) }
  }

  @Sendable func unendorse(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, _ in try tx.unendorse(target, by: viewer) }
  }

  @Sendable func endorsements(_ call: Call) async throws -> Response {
    try await endorsed(by: try call.member().id, call)
  }

  @Sendable func accountEndorsements(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await endorsed(by: id, call)
  }

  private func endorsed(by id: Account.ID, _ call: Call) async throws -> Response {
    let page: Page<Endorsement> = try call.page(40, most: Limits.accountPage)
    let (drawn, ids) = try await database.read { [self] tx in
      _ = try tx.shownAccount(id)
      let found = try tx.endorsed(by: id, page)
      return (try self.drawn(found.map(\.account), tx), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  @Sendable func suggestedAccounts(_ call: Call) async throws -> Response {
    let viewer = try call.member().id
    let limit = try call.limit(40, most: Limits.accountPage)
    return try await database.read { [self] tx in
      JSON.array(try drawn(try tx.suggestions(to: viewer, limit: limit), tx))
    }.response
  }

  @Sendable func suggestions(_ call: Call) async throws -> Response {
    let viewer = try call.member().id
    let limit = try call.limit(40, most: Limits.accountPage)
    return try await database.read { [self] tx in
      let found = try drawn(try tx.suggestions(to: viewer, limit: limit), tx)
      return JSON.array(found.map { ["source": "global", "sources": ["most_followed"], "account": $0] })
    }.response
  }

  @Sendable func directory(_ call: Call) async throws -> Response {
    let limit = try call.limit(40, most: Limits.accountPage)
    let offset = min(max(0, try call.parameters.integer("offset") ?? 0), Limits.deepestOffset)
    let byActivity = call.parameters["order"] != "new"
    return try await database.read { [self] tx in
      JSON.array(try drawn(try tx.directory(byActivity: byActivity, offset: offset, limit: limit), tx))
    }.response
  }
}

extension Limits {
  package static let familiarFollowers = 10
  package static let deepestOffset = 10_000
}
