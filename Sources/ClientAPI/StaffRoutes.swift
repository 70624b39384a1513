import HTTPSupport
import Hummingbird
import Model
import Primitives

extension ClientAPI {
  /// Moderation happens on pages here; apps for moderators find nothing waiting, instead of a broken server.
  var staffRoutes: [Route] {
    let lists = [
      ("v1/admin/accounts", "accounts"), ("v2/admin/accounts", "accounts"), ("v1/admin/reports", "reports"),
      ("v1/admin/domain_blocks", "domain_blocks"), ("v1/admin/domain_allows", "domain_allows"),
      ("v1/admin/email_domain_blocks", "email_domain_blocks"), ("v1/admin/ip_blocks", "ip_blocks"),
      ("v1/admin/canonical_email_blocks", "canonical_email_blocks"),
    ]
    return lists.map { Route(.get, "/api/\($0.0)", .scope("admin:read:\($0.1)"), role: .moderator, emptyList) }
      + ["tags", "statuses", "links"].map {
        Route(.get, "/api/v1/admin/trends/\($0)", .scope("admin:read"), role: .moderator, emptyList)
      }
      + ["measures", "dimensions", "retention"].map {
        Route(.post, "/api/v1/admin/\($0)", .scope("admin:read"), role: .moderator, emptyList)
      }
  }
}
