import Crypto
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Primitives
import Store

/// How secrets handed to people are stored: 256 random bits need no slow hash.
package func secretHash(_ secret: String) -> String { Hex.encode(SHA256.hash(data: Array(secret.utf8))) }

/// The S256 challenge of a PKCE verifier (RFC 7636 §4.2).
package func pkceChallenge(_ verifier: String) -> String {
  Base64.encodeURL(Array(SHA256.hash(data: Array(verifier.utf8))))
}

/// Reads `Authorization: Bearer` and finds whom it speaks for. A bad token is 401 at once; none leaves the request
/// anonymous, and the route decides.
package struct BearerAuthentication: RouterMiddleware {
  private let database: any Database

  package init(database: any Database) { self.database = database }

  package func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    guard let header = request.headers[.authorization] ?? streamToken(request) else {
      return try await next(request, context)
    }
    let parts = header.split(separator: " ")
    guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count <= 256 else {
      throw Problem.unauthenticated
    }
    let hash = secretHash(String(parts[1]))
    var context = context
    let (bearer, scopes) = try await database.read { tx -> (Bearer?, Set<String>?) in
      if let bearer = try tx.bearer(tokenHash: hash) { return (bearer, nil) }
      if let scopes = try tx.applicationScopes(tokenHash: hash) { return (nil, scopes) }
      if let refusal = try tx.refusal(tokenHash: hash) { throw refusal.problem }
      return (nil, nil)
    }
    guard bearer != nil || scopes != nil else { throw Problem.unauthenticated }
    context.bearer = bearer
    context.applicationScopes = scopes
    context.tokenHash = hash
    return try await next(request, context)
  }
}

/// A browser can not set `Authorization` on a WebSocket or an `EventSource`: on streams the token may stand in the query
/// or among the protocols. Nowhere else, since queries are written into logs.
private func streamToken(_ request: Request) -> String? {
  guard request.uri.path.hasPrefix("/api/v1/streaming") else { return nil }
  let token = request.headers[.secWebSocketProtocol] ?? request.uri.queryParameters.get("access_token")
  return token.flatMap { $0.isEmpty ? nil : "Bearer \($0)" }
}

/// Reads the session cookie of a browser.
package struct SessionAuthentication: RouterMiddleware {
  /// `__Host-` binds the cookie to this host over TLS; a trial on plain http can not use it.
  package static func cookieName(secure: Bool) -> String { secure ? "__Host-atelier" : "atelier" }

  private let database: any Database
  private let time: TimeSource
  private let cookie: String

  package init(database: any Database, time: TimeSource, secure: Bool) {
    self.database = database
    self.time = time
    cookie = Self.cookieName(secure: secure)
  }

  package func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    guard let secret = request.cookies[cookie]?.value, secret.utf8.count <= 256 else {
      return try await next(request, context)
    }
    let hash = secretHash(secret)
    let now = time.now()
    guard let bearer = try await database.read({ try $0.bearer(sessionHash: hash, at: now) }) else {
      return try await next(request, context)
    }
    var context = context
    context.bearer = bearer
    context.sessionSecret = secret
    return try await next(request, context)
  }
}

/// A token that only pages of this session can know, so that no other site can post its forms.
package func formToken(sessionSecret: String) -> String {
  let code = HMAC<SHA256>.authenticationCode(
    for: Array("form".utf8), using: SymmetricKey(data: Array(sessionSecret.utf8)))
  return Base64.encodeURL(Array(code))
}

package func isFormToken(_ token: String?, of sessionSecret: String) -> Bool {
  guard let token, let bytes = Base64.decodeURL(token) else { return false }
  return HMAC<SHA256>.isValidAuthenticationCode(
    bytes, authenticating: Array("form".utf8), using: SymmetricKey(data: Array(sessionSecret.utf8)))
}
