import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// What this server says of itself besides its two documents.
extension ClientAPI {
  var aboutRoutes: [Route] {
    [
      Route(.get, "/api/v1/instance/peers", .open, peers),
      Route(.get, "/api/v1/instance/activity", .open, activity),
      Route(.get, "/api/v1/instance/extended_description", .open, extendedDescription),
      Route(.get, "/api/v1/instance/privacy_policy", .open, extendedDescription),
      Route(.get, "/api/v1/instance/terms_of_service", .open, termsOfService),
      Route(.get, "/api/v1/instance/languages", .open) { _ in .json([["code": "en", "name": "English"]]) },
      Route(.get, "/api/v1/instance/translation_languages", .open) { _ in .json([:]) },
      Route(.get, "/health", .open) { _ in .text("OK") },
    ]
  }

  @Sendable func extendedDescription(_ call: Call) async throws -> Response {
    .json(["updated_at": "2026-11-01T00:00:00.000Z", "content": .string(facts.about)])
  }

  @Sendable func termsOfService(_ call: Call) async throws -> Response {
    .json([
      "effective_date": "2026-11-01", "effective": true, "content": .string(facts.about), "succeeded_by": .null,
    ])
  }

  @Sendable func peers(_ call: Call) async throws -> Response {
    let found = try await database.read { try $0.knownHosts(limit: Limits.listedPeers) }
    return .json(.array(found.map { .string($0) }))
  }

  /// The last twelve weeks, this one first. Numbers are texts. Nobody is counted for having looked: `logins` is always 0.
  @Sendable func activity(_ call: Call) async throws -> Response {
    let week: Int64 = 7 * 86_400
    // Weeks begin on Monday, and 1970-01-01 was a Thursday.
    let monday = (context.now.secondsSince1970 + 3 * 86_400) / week * week - 3 * 86_400
    return try await database.read { tx in
      JSON.array(
        try (0..<12).map { (back: Int64) -> JSON in
          let start = Timestamp(secondsSince1970: monday - back * week)
          let posts = try tx.localPosts(from: start, to: start.adding(.seconds(week)))
          return [
            "week": .string(String(start.secondsSince1970)), "statuses": .string(String(posts)), "logins": "0",
            "registrations": "0",
          ]
        })
    }.response
  }
}

extension Limits {
  package static let listedPeers = 50_000
}
