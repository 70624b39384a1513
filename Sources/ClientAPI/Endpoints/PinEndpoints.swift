import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var pinRoutes: [Route] {
    [
      Route(.post, "/api/v1/statuses/:id/pin", .scope("write:accounts"), pin),
      Route(.post, "/api/v1/statuses/:id/unpin", .scope("write:accounts"), unpin),
    ]
  }

  @Sendable func pin(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in
      try tx.pin(post, by: viewer, in: context)
      return post
    }
  }

  @Sendable func unpin(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in
      try tx.unpin(post, by: viewer, in: context)
      return post
    }
  }

  /// All of them at once, the newest pin first.
  func pinnedStatuses(of id: Account.ID, _ call: Call) async throws -> Response {
    try await database.read { [self] tx in
      _ = try tx.shownAccount(id)
      let posts = try tx.pinnedPosts(of: id, visibleTo: call.viewer)
      return JSON.array(try page(of: posts, for: call, tx).statuses(posts))
    }.response
  }
}
