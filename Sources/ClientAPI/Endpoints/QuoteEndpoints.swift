import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var quoteRoutes: [Route] {
    [
      Route(.get, "/api/v1/statuses/:id/quotes", .optional("read:statuses"), quotes),
      Route(.post, "/api/v1/statuses/:id/quotes/:quoting/revoke", .scope("write:statuses"), revokeQuote),
      Route(.put, "/api/v1/statuses/:id/interaction_policy", .scope("write:statuses"), changeInteraction),
    ]
  }

  /// Posts that quote this one with its author's consent.
  @Sendable func quotes(_ call: Call) async throws -> Response {
    let id: Post.ID = try call.id()
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) { tx in
      let post = try tx.shownPost(id, to: call.viewer)
      return try tx.posts(quoting: post.id, visibleTo: call.viewer, page)
    }
  }

  @Sendable func revokeQuote(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: Post.ID = try call.id()
    guard let quoting = call.context.parameters.get("quoting").flatMap({ Post.ID($0) }) else { throw Problem.notFound }
    let context = context
    return try await database.write { [self] tx in
      guard let quoted = try tx.post(id), let post = try tx.post(quoting, visibleTo: author.id) else {
        throw Problem.notFound
      }
      try tx.revokeQuote(of: quoted, in: post, by: author, in: context)
      return try draw(post, for: call, tx)
    }.response
  }

  /// `quote_approval_policy` as Mastodon has it, and three keys of our own beside it.
  @Sendable func changeInteraction(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: Post.ID = try call.id()
    guard let policy = try interaction(call.parameters) else { throw Problem.parameter("quote_approval_policy") }
    let context = context
    return try await database.write { [self] tx in
      guard let post = try tx.post(id), post.authorID == author.id else { throw Problem.notFound }
      let whole = policy.filled(from: post.interaction ?? InteractionPolicy())
      return try draw(try tx.changeInteraction(of: post, to: whole, by: author, in: context), for: call, tx)
    }.response
  }

  /// What a request says of who may do what; nil when it says nothing.
  func interaction(_ parameters: RequestParameters) throws -> InteractionPolicy? {
    var policy = InteractionPolicy()
    let names: [(InteractionPolicy.Act, String)] = [
      (.quote, "quote_approval_policy"), (.reply, "reply_policy"), (.like, "favourite_policy"),
      (.announce, "reblog_policy"),
    ]
    for (act, name) in names {
      guard let word = parameters[name], !word.isEmpty else { continue }
      guard let rule = InteractionPolicy.Rule(word: word, of: act) else { throw Problem.parameter(name) }
      policy[act] = rule
    }
    return policy == InteractionPolicy() ? nil : policy
  }
}
