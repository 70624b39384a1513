import HTTPSupport
import Hummingbird
import Primitives

extension ClientAPI {
  /// What this server does not have, said so that apps go on: a 404 on a documented path stalls some of them.
  var quietRoutes: [Route] {
    let lists: [(String, Route.Access)] = [
      ("/api/v1/accounts/:id/identity_proofs", .open),
      ("/api/v1/domain_blocks", .scope("read:blocks")),
      ("/api/v1/trends", .open),
      ("/api/v1/timelines/link", .open),
      ("/api/v1/instance/domain_blocks", .open),
    ]
    return lists.map { Route(.get, $0.0, $0.1, emptyList) } + [
      // Nothing of these kinds is ever here, so no id names any.
      Route(.post, "/api/v1/announcements/:id/dismiss", .scope("write:accounts")) { _ in throw Problem.notFound },
      Route(.put, "/api/v1/announcements/:id/reactions/:name", .scope("write:favourites")) { _ in throw Problem.notFound
      },
      Route(.delete, "/api/v1/announcements/:id/reactions/:name", .scope("write:favourites")) { _ in
        throw Problem.notFound
      },
      Route(.get, "/api/v1_alpha/async_refreshes/:id", .scope("read")) { _ in throw Problem.notFound },
      Route(.post, "/api/v1/statuses/:id/translate", .scope("read:statuses")) { _ in throw Problem.notFound },
      Route(.get, "/api/v1/accounts/:id/collections", .optional("read:accounts")) { _ in .json(["collections": []]) },
      Route(.get, "/api/v1/annual_reports", .scope("read:accounts")) { _ in
        .json(["annual_reports": [], "accounts": [], "statuses": []])
      },
      Route(.get, "/api/v1/statuses/:id/card", .optional("read:statuses")) { _ in .json([:]) },
    ]
  }
}
