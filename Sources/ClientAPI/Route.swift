import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Store

/// One line of the route table.
package struct Route: Sendable {
  /// Who may call. There is no default: a route without one does not compile.
  package enum Access: Hashable, Sendable {
    /// Anybody, and everybody gets the same.
    case open
    /// Anybody; a token changes what is seen, and must then carry the scope (CVE-2025-62176).
    case optional(String)
    case scope(String)
    /// Any token that is not revoked, of a person or of an application.
    case anyToken
    /// An application's own token: what it does for somebody who has no account yet.
    case application(String)
    /// An application, which proves itself by its own secret or has none yet: no bearer token is read.
    case client
  }

  /// Whose thing the `:id` of the path may be.
  package enum Ownership: String, Hashable, Sendable, CaseIterable {
    /// There is none, or it is no thing of anybody's.
    case nobody
    /// Of anybody, where the viewer may see it.
    case seen
    /// Only of the one who asks: another person's is not there.
    case own
  }

  package let method: HTTPRequest.Method
  package let path: String
  package let access: Access
  /// Who of this server may call besides.
  package let role: Role?
  package let bucket: Pacing.Bucket
  /// Bytes of the body.
  let limit: Int
  let answer: @Sendable (Call) async throws -> Response

  init(
    _ method: HTTPRequest.Method, _ path: String, _ access: Access, role: Role? = nil, limit: Int = Limits.formBody,
    bucket: Pacing.Bucket = .requests, _ answer: @escaping @Sendable (Call) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.access = access
    self.role = role
    self.limit = limit
    self.bucket = bucket
    self.answer = answer
  }

  /// What nobody else may ever name follows from the path.
  package var ownership: Ownership {
    guard path.contains(":") else { return .nobody }
    let own = [
      "/filters/", "/scheduled_statuses/", "/lists/", "/timelines/list/", "/media/", "/notifications/",
      "/conversations/",
    ]
    return own.contains(where: path.contains) ? .own : .seen
  }

  func register(on group: RouterGroup<FaceContext>, _ pacing: Pacing) {
    group.on(RouterPath(path), method: method) { request, context in
      let spent = pacing.spend(bucket, request, context)
      do {
        if let wait = spent.wait { throw bucket.problem(wait) }
        var response = try await authorised(request, context)
        spent.state(on: &response)
        return response
      } catch {
        guard let problem = Problem(describing: error) else { throw error }
        var response = problem.response
        spent.state(on: &response)
        return response
      }
    }
  }

  private func authorised(_ request: Request, _ context: FaceContext) async throws -> Response {
    // Before the body is read: a stranger's upload costs nothing.
    let bearer: Bearer? =
      switch access {
      case .open, .client: nil
      case .anyToken: try context.applicationScopes == nil ? context.requireBearer() : nil
      case .optional(let scope): try optional(scope, context)
      case .scope(let scope): try permit(scope, context)
      case .application(let scope): try permitApplication(scope, context)
      }
    if let role { _ = try context.require(role: role) }
    let parameters = try await RequestParameters(reading: request, limit: limit)
    do {
      return try await answer(Call(request: request, context: context, bearer: bearer, parameters: parameters))
    } catch DatabaseError.nullInText {
      // `%00` anywhere in a request; neither database can store or compare it.
      throw Problem(.unprocessableContent, "parameter.null_character", "Text may not hold a null character")
    }
  }
}

/// An application's own token must carry the scope too, though it sees no more than a stranger.
private func optional(_ scope: String, _ context: FaceContext) throws -> Bearer? {
  if let scopes = context.applicationScopes {
    guard Scopes(scopes.joined(separator: " "))?.covers(scope) == true else {
      throw Problem(.forbidden, "oauth.insufficient_scope", "This action is outside the authorized scopes")
    }
  }
  return context.bearer == nil ? nil : try permit(scope, context)
}

private func permitApplication(_ scope: String, _ context: FaceContext) throws -> Bearer? {
  guard let scopes = context.applicationScopes else {
    _ = try context.requireBearer()
    throw Problem(
      .forbidden, "oauth.application_only", "This method requires an client credentials authentication")
  }
  guard Scopes(scopes.joined(separator: " "))?.covers(scope) == true else {
    throw Problem(.forbidden, "oauth.insufficient_scope", "This action is outside the authorized scopes")
  }
  return nil
}

/// `follow` is the older name of the follow and block scopes, which Elk still asks for.
private func permit(_ scope: String, _ context: FaceContext) throws -> Bearer {
  let bearer = try context.requireBearer()
  let isFollowing = scope.hasSuffix(":follows") || scope.hasSuffix(":blocks") || scope.hasSuffix(":mutes")
  return isFollowing && bearer.scopes.contains("follow") ? bearer : try context.require(scope: scope)
}

/// One authorised request.
struct Call: Sendable {
  let request: Request
  let context: FaceContext
  let bearer: Bearer?
  let parameters: RequestParameters

  var viewer: Account.ID? { bearer?.account.id }
  var isModerator: Bool { bearer.map { $0.role >= .moderator } ?? false }

  /// The person behind a route that names a scope.
  func member() throws -> Account {
    guard let bearer else { throw Problem.unauthenticated }
    return bearer.account
  }

  /// The id in the path. What is no id names nothing: 404.
  func id<Entity>(of: Entity.Type = Entity.self) throws -> ID<Entity> {
    guard let text = context.parameters.get("id"), let id = ID<Entity>(text) else { throw Problem.notFound }
    return id
  }

  /// `limit` held to 1...`most`.
  func limit(_ standard: Int, most: Int) throws -> Int {
    min(max(try parameters.integer("limit") ?? standard, 1), most)
  }

  func page<Entity>(_ standard: Int = 20, most: Int = Limits.statusPage) throws -> Page<Entity> {
    Page(
      before: try parameters.id("max_id"), after: try parameters.id("since_id"), from: try parameters.id("min_id"),
      limit: try limit(standard, most: most))
  }
}

extension ClientAPI {
  /// `elements` with the `Link` to the pages beside it. A page that is not full is the last.
  func listed<Entity>(
    _ elements: [JSON], _ call: Call, ids: [ID<Entity>], limit: Int
  ) -> Response {
    var response = JSON.listResponse(elements)
    let query = call.request.uri.queryParameters.map { (String($0.key), String($0.value)) }
      .filter { $0.0 != "access_token" }
    let next = ids.count >= limit ? ids.min()?.description : nil
    if let base = IRI(instance.base.origin + call.request.uri.path),
      let link = linkHeader(base, query: query, next: next, previous: ids.max()?.description)
    {
      response.headers[.link] = link
    }
    return response
  }
}

extension HTTPField.Name {
  static let link = HTTPField.Name("Link") ?? .location
  static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .eTag
}

/// What every answer of the API says: who may read it from a browser, and how machines may use it.
struct APIHeaders: RouterMiddleware {
  let policy: UsagePolicy
  /// Nil for what costs nothing: the questions a browser asks before it asks.
  var pacing: Pacing?

  func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    if !response.statesPolicy { response.state(policy) }
    response.headers[.accessControlAllowOrigin] = "*"
    response.headers[.accessControlAllowMethods] = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, Idempotency-Key"
    // Web clients page by `Link` and see it only when it is exposed (Elk, Phanpy).
    response.headers[.accessControlExposeHeaders] =
      "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, Deprecation"
    // What was refused before a route was reached is counted by its address.
    if let pacing, response.headers[.rateLimit] == nil { pacing.spend(nil, request, context).state(on: &response) }
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "private, no-store" }
    return response
  }
}
