import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// An answer in the words of RFC 6749 §5.2, which clients compare.
struct OAuthProblem: Error, Hashable, Sendable {
  let status: HTTPResponse.Status
  let code: String
  let sentence: String

  static func invalidRequest(_ sentence: String) -> OAuthProblem { .init(.badRequest, "invalid_request", sentence) }
  static let client = OAuthProblem(
    .unauthorized, "invalid_client",
    "Client authentication failed due to unknown client, no client authentication included, or wrong secret.")
  static let grant = OAuthProblem(
    .badRequest, "invalid_grant",
    "The authorization code is invalid, expired, spent, or was given to another client or redirect URI.")
  static let scope = OAuthProblem(.badRequest, "invalid_scope", "The requested scope is invalid or unknown.")

  init(_ status: HTTPResponse.Status, _ code: String, _ sentence: String) {
    self.status = status
    self.code = code
    self.sentence = sentence
  }

  var response: Response {
    var response = Response.json(["error": .string(code), "error_description": .string(sentence)], status: status)
    response.headers[.cacheControl] = "no-store"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Basic realm=\"OAuth\"" }
    return response
  }
}

extension ClientAPI {
  var oauthRoutes: [Route] {
    [
      Route(.post, "/api/v1/apps", .client, bucket: .registrations, registerApplication),
      Route(.get, "/api/v1/apps/verify_credentials", .anyToken, verifyApplication),
      Route(.post, "/oauth/token", .client, bucket: .tokens, giveToken),
      Route(.post, "/oauth/revoke", .client, bucket: .tokens, revokeToken),
      Route(.get, "/oauth/userinfo", .scope("profile"), userInfo),
      Route(.get, "/.well-known/oauth-authorization-server", .open, authorizationServer),
    ]
  }

  /// Open to everybody, and so counted by address.
  @Sendable func registerApplication(_ call: Call) async throws -> Response {
    let parameters = call.parameters
    guard let scopes = Scopes(parameters["scopes"] ?? "") else {
      throw Problem(
        .unprocessableContent, "application.scopes",
        "Validation failed: Scopes doesn't match configured on the server.")
    }
    let redirects = parameters.all("redirect_uris").flatMap {
      $0.split(whereSeparator: \.isWhitespace).map(String.init)
    }
    let website = parameters["website"].flatMap { $0.isEmpty ? nil : $0 }
    let new = NewApplication(
      name: parameters["client_name"] ?? "", website: website, redirects: redirects, scopes: scopes)
    let (clientID, secret, context) = (random.token(), random.token(), context)
    let application = try await database.write { tx in
      try tx.register(new, clientID: clientID, secretHash: secretHash(secret), in: context)
    }
    var answer = entities.application(application)
    answer["client_id"] = .string(clientID)
    answer["client_secret"] = .string(secret)
    answer["client_secret_expires_at"] = 0
    answer["vapid_key"] = .string(facts.pushKey)
    return .json(answer)
  }

  @Sendable func verifyApplication(_ call: Call) async throws -> Response {
    guard let hash = call.context.tokenHash,
      let application = try await database.read({ try $0.application(tokenHash: hash) })
    else {
      // A token of the command line has no application behind it.
      return .json(entities.commandLine)
    }
    var answer = entities.application(application)
    answer["vapid_key"] = .string(facts.pushKey)
    return .json(answer)
  }

  @Sendable func giveToken(_ call: Call) async throws -> Response {
    do {
      let application = try await client(of: call)
      let secret = random.token()
      let token: AccessToken
      switch call.parameters["grant_type"] {
      case "authorization_code": token = try await exchange(call, by: application, tokenHash: secretHash(secret))
      case "client_credentials": token = try await issue(call, to: application, tokenHash: secretHash(secret))
      case nil: throw OAuthProblem.invalidRequest("grant_type is missing.")
      // Passwords are typed on our own page only.
      default:
        throw OAuthProblem(
          .badRequest, "unsupported_grant_type", "This server knows authorization_code and client_credentials.")
      }
      var response = Response.json([
        "access_token": .string(secret), "token_type": "Bearer", "scope": .string(token.scopes),
        "created_at": .integer(token.createdAt.secondsSince1970),
      ])
      response.headers[.cacheControl] = "no-store"
      return response
    } catch let problem as OAuthProblem {
      return problem.response
    }
  }

  private func exchange(_ call: Call, by application: OAuthClient, tokenHash: String) async throws -> AccessToken {
    let parameters = call.parameters
    guard let code = parameters["code"], !code.isEmpty else { throw OAuthProblem.invalidRequest("code is missing.") }
    guard let redirect = parameters["redirect_uri"] else {
      throw OAuthProblem.invalidRequest("redirect_uri is missing.")
    }
    let challenge = parameters["code_verifier"].map(pkceChallenge)
    let context = context
    let outcome = try await database.write { tx in
      try tx.exchange(
        codeHash: secretHash(code), redirect: redirect, challenge: challenge, by: application, tokenHash: tokenHash,
        in: context)
    }
    guard case .success(let token) = outcome else { throw OAuthProblem.grant }
    return token
  }

  private func issue(_ call: Call, to application: OAuthClient, tokenHash: String) async throws -> AccessToken {
    guard let scopes = Scopes(call.parameters["scope"] ?? ""), let registered = Scopes(application.scopes),
      registered.covers(scopes)
    else { throw OAuthProblem.scope }
    let context = context
    return try await database.write { tx in
      try tx.issue(to: application, scopes: scopes, tokenHash: tokenHash, in: context)
    }
  }

  /// The application that asks, by its secret, in the header or in the body (RFC 6749 §2.3.1).
  private func client(of call: Call) async throws -> OAuthClient {
    var (id, secret) = (call.parameters["client_id"], call.parameters["client_secret"])
    // Mastodon.py sends the token it wants to end here as well, which says nothing of the application.
    if let header = call.request.headers[.authorization], !header.lowercased().hasPrefix("bearer ") {
      let parts = header.split(separator: " ")
      guard parts.count == 2, parts[0].lowercased() == "basic", let bytes = Base64.decode(String(parts[1])),
        let pair = String(validating: bytes, as: UTF8.self), let colon = pair.firstIndex(of: ":")
      else { throw OAuthProblem.client }
      id = percentDecoded(pair[..<colon], plusIsSpace: true)
      secret = percentDecoded(pair[pair.index(after: colon)...], plusIsSpace: true)
    }
    guard let id, let secret, id.utf8.count <= 256, secret.utf8.count <= 256 else { throw OAuthProblem.client }
    // Two hashes are compared: where they differ tells nothing of the secret.
    let hash = secretHash(secret)
    guard let application = try await database.read({ try $0.application(clientID: id) }),
      application.secretHash == hash
    else { throw OAuthProblem.client }
    return application
  }

  /// Unknown tokens are revoked already (RFC 7009 §2.2); those of other applications are none of this one's.
  @Sendable func revokeToken(_ call: Call) async throws -> Response {
    do {
      let application = try await client(of: call)
      guard let token = call.parameters["token"] else { throw OAuthProblem.invalidRequest("token is missing.") }
      let context = context
      let isForeign = try await database.write { tx in
        if try tx.revoke(tokenHash: secretHash(token), of: application.id, at: context.now) { return false }
        guard let owner = try tx.application(tokenHash: secretHash(token)) else { return false }
        return owner.id != application.id
      }
      guard !isForeign else {
        throw OAuthProblem(.forbidden, "unauthorized_client", "You are not authorized to revoke this token")
      }
      return .json([:])
    } catch let problem as OAuthProblem {
      // Doorkeeper's answer, which clients of Mastodon expect here.
      guard problem == .client else { return problem.response }
      return OAuthProblem(.forbidden, "unauthorized_client", "You are not authorized to revoke this token").response
    }
  }

  @Sendable func userInfo(_ call: Call) async throws -> Response {
    let account = try call.member()
    let picture = entities.account(account, counts: nil)["avatar"] ?? .null
    return .json([
      "iss": .string(instance.base.text + "/"), "sub": .string(account.uri.text),
      "name": .string(account.displayName), "preferred_username": .string(account.username),
      "profile": .string(account.url.text), "picture": picture,
    ])
  }

  /// RFC 8414.
  @Sendable func authorizationServer(_ call: Call) async throws -> Response {
    func at(_ path: String) -> JSON { .string(instance.page(path).text) }
    return .json([
      "issuer": .string(instance.base.text + "/"),
      "authorization_endpoint": at("/oauth/authorize"),
      "token_endpoint": at("/oauth/token"),
      "revocation_endpoint": at("/oauth/revoke"),
      "userinfo_endpoint": at("/oauth/userinfo"),
      "app_registration_endpoint": at("/api/v1/apps"),
      "scopes_supported": .array(Scopes.all.filter { !$0.hasPrefix("admin") }.map { .string($0) }),
      "response_types_supported": ["code"],
      "response_modes_supported": ["query"],
      "grant_types_supported": ["authorization_code", "client_credentials"],
      "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
      "code_challenge_methods_supported": ["S256"],
    ])
  }
}

extension Entities {
  func application(_ application: OAuthClient) -> JSON {
    [
      "id": .string(application.id.description),
      "name": .string(application.name),
      "website": .text(application.website),
      "scopes": .array(application.scopes.split(separator: " ").map { .string(String($0)) }),
      "redirect_uri": .string(application.redirects.joined(separator: "\n")),
      "redirect_uris": .array(application.redirects.map { .string($0) }),
      "vapid_key": "",
    ]
  }

  var commandLine: JSON {
    [
      "id": "0", "name": "command line", "website": .null, "scopes": [], "redirect_uri": "", "redirect_uris": [],
      "vapid_key": "",
    ]
  }
}
