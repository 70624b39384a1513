import HTTPSupport
import Hummingbird
import Primitives

extension ClientAPI {
  /// What this server does not have, said so that apps go on: a 404 on a documented path stalls some of them.
  var quietRoutes: [Route] {
    let lists: [(String, Route.Access)] = [
      ("/api/v1/conversations", .scope("read:statuses")),
      ("/api/v1/followed_tags", .scope("read:follows")),
      ("/api/v1/featured_tags", .scope("read:accounts")),
      ("/api/v1/featured_tags/suggestions", .scope("read:accounts")),
      ("/api/v1/accounts/:id/featured_tags", .open),
      ("/api/v1/accounts/:id/endorsements", .open),
      ("/api/v1/accounts/:id/identity_proofs", .open),
      ("/api/v1/accounts/familiar_followers", .scope("read:follows")),
      ("/api/v1/endorsements", .scope("read:accounts")),
      ("/api/v1/scheduled_statuses", .scope("read:statuses")),
      ("/api/v1/domain_blocks", .scope("read:blocks")),
      ("/api/v1/suggestions", .scope("read:accounts")),
      ("/api/v2/suggestions", .scope("read:accounts")),
      ("/api/v1/directory", .open),
      ("/api/v1/trends", .open),
      ("/api/v1/timelines/link", .open),
      ("/api/v1/instance/peers", .open),
      ("/api/v1/instance/activity", .open),
      ("/api/v1/instance/domain_blocks", .open),
      ("/api/v1/statuses/:id/quotes", .optional("read:statuses")),
      ("/api/v1/notifications/requests", .scope("read:notifications")),
    ]
    return lists.map { Route(.get, $0.0, $0.1, emptyList) } + [
      Route(.get, "/api/v1/instance/translation_languages", .open) { _ in .json([:]) },
      Route(.get, "/api/v1/instance/extended_description", .open, extendedDescription),
      Route(.get, "/api/v1/instance/privacy_policy", .open, extendedDescription),
      Route(.get, "/api/v1/notifications/unread_count", .scope("read:notifications")) { _ in .json(["count": 0]) },
      Route(.get, "/api/v2/notifications/unread_count", .scope("read:notifications")) { _ in .json(["count": 0]) },
      Route(.get, "/api/v1/notifications/policy", .scope("read:notifications"), notificationPolicyV1),
      Route(.get, "/api/v2/notifications/policy", .scope("read:notifications"), notificationPolicy),
      // As Mastodon answers where nobody has subscribed.
      Route(.get, "/api/v1/push/subscription", .scope("push")) { _ in throw Problem.notFound },
      Route(.delete, "/api/v1/push/subscription", .scope("push")) { _ in .json([:]) },
    ]
  }

  @Sendable func extendedDescription(_ call: Call) async throws -> Response {
    .json(["updated_at": "2026-11-01T00:00:00.000Z", "content": .string(facts.about)])
  }

  private static let senders = [
    "for_not_following", "for_not_followers", "for_new_accounts", "for_private_mentions", "for_limited_accounts",
  ]

  private var nothingPending: JSON { ["pending_requests_count": 0, "pending_notifications_count": 0] }

  @Sendable func notificationPolicy(_ call: Call) async throws -> Response {
    var policy = JSON(pairs: Self.senders.map { ($0, "accept" as JSON) })
    policy["summary"] = nothingPending
    return .json(policy)
  }

  @Sendable func notificationPolicyV1(_ call: Call) async throws -> Response {
    .json([
      "filter_not_following": false, "filter_not_followers": false, "filter_new_accounts": false,
      "filter_private_mentions": false, "summary": nothingPending,
    ])
  }
}
