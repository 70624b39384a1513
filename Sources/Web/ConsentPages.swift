import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct ConsentPage {
  struct Field {
    let name: String
    let value: String
  }
  let token: String
  let name: String
  let website: String?
  let account: String
  let scopes: [String]
  let destination: String
  let fields: [Field]
}

private struct CodePage {
  let code: String
}

/// What an application asks a person for, checked as far as it can be before the person is asked.
private struct ConsentRequest {
  let application: OAuthClient
  /// One of those the application registered, byte for byte.
  let redirect: String
  let state: String?
  let outcome: Result<(scopes: Scopes, challenge: String?), Refusal>

  struct Refusal: Error {
    let code: String
    let sentence: String
  }

  static let names = [
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
  ]

  init(_ parameters: RequestParameters, _ application: OAuthClient?) throws {
    for name in Self.names where parameters.all(name).count > 1 {
      throw Problem(.badRequest, "oauth.duplicate_parameter", "The app sent \u{201C}\(name)\u{201D} twice.")
    }
    guard let application else {
      throw Problem(
        .badRequest, "oauth.unknown_client",
        "This app is not known here. Sign out of it and sign in again, so that it introduces itself anew.")
    }
    // Until here nothing is sent anywhere: an address that was not registered could be anybody's (RFC 9700).
    guard let redirect = parameters["redirect_uri"], application.redirects.contains(redirect) else {
      throw Problem(
        .badRequest, "oauth.redirect_mismatch",
        "The app wants to be answered at an address it has not registered.")
    }
    guard (parameters["state"] ?? "").utf8.count <= Limits.redirectBytes else { throw Problem.parameter("state") }
    self.application = application
    self.redirect = redirect
    state = parameters["state"]
    outcome = Result { () throws(Refusal) in try Self.check(parameters, application) }
  }

  private static func check(
    _ parameters: RequestParameters, _ application: OAuthClient
  ) throws(Refusal) -> (scopes: Scopes, challenge: String?) {
    guard parameters["response_type"] == "code" else {
      throw Refusal(code: "unsupported_response_type", sentence: "The app must ask for a code.")
    }
    guard let scopes = Scopes(parameters["scope"] ?? ""), let registered = Scopes(application.scopes),
      registered.covers(scopes)
    else {
      throw Refusal(
        code: "invalid_scope", sentence: "The app asks for more than it said it would, or for nothing known.")
    }
    let challenge = parameters["code_challenge"].flatMap { $0.isEmpty ? nil : $0 }
    let method = parameters["code_challenge_method"].flatMap { $0.isEmpty ? nil : $0 }
    // A challenge without a method is "plain" (RFC 7636 §4.3), which whoever sees the request can answer.
    let isSound =
      challenge.map { method == "S256" && $0.utf8.count == 43 && Base64.decodeURL($0) != nil } ?? (method == nil)
    guard isSound else {
      throw Refusal(code: "invalid_request", sentence: "The app's proof (PKCE) must be of the kind S256.")
    }
    return (scopes, challenge)
  }
}

extension WebFace {
  func addConsentRoutes(to pages: RouterGroup<FaceContext>) {
    pages.get("/oauth/authorize", use: consentForm)
    pages.post("/oauth/authorize", use: consent)
    pages.get("/oauth/authorize/native", use: shownCode)
    pages.get("/settings/apps", use: applications)
    pages.post("/settings/apps/:id", use: endApplication)
  }

  private func consentRequest(_ parameters: RequestParameters) async throws -> ConsentRequest {
    let clientID = parameters["client_id"] ?? ""
    return try ConsentRequest(parameters, try await database.read { try $0.application(clientID: clientID) })
  }

  @Sendable func consentForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    let asked = try await consentRequest(parameters)
    let scopes: Scopes
    switch asked.outcome {
    case .failure(let refusal): return try sentBack(asked, [("error", refusal.code)], or: refusal.sentence)
    case .success(let found): scopes = found.scopes
    }
    guard let bearer = context.bearer, let secret = context.sessionSecret,
      parameters.flag("force_login") != true
    else { return signInFirst(parameters) }
    guard let granted = scopes.without(administration: bearer.role < .moderator) else {
      return try sentBack(asked, [("error", "invalid_scope")], or: "Only moderators can let an app moderate.")
    }
    let model = ConsentPage(
      token: formToken(sessionSecret: secret), name: asked.application.name, website: asked.application.website,
      account: "@\(bearer.account.username)@\(instance.host.text)", scopes: granted.inWords,
      destination: Self.destination(asked.redirect),
      fields: ConsentRequest.names.compactMap { name in parameters[name].map { .init(name: name, value: $0) } })
    let frame = frame("Let an app in?", context, policy: standardPolicy, isListed: false)
    var response = try page("consent", model, frame, request, context, policy: standardPolicy, isPrivate: true)
    // Browsers hold `form-action` against the redirect that answers the form too, and where that leads was chosen by
    // the app; the rest of the policy stays.
    response.setHeader(
      "content-security-policy",
      SecurityHeaders.contentSecurityPolicy.replacing(" form-action 'self';", with: ""))
    return response
  }

  /// The same request again after signing in, now with whoever that is. `force_login` has been done then.
  private func signInFirst(_ parameters: RequestParameters) -> Response {
    let query = ConsentRequest.names.compactMap { name in
      parameters[name].map { "\(name)=\(percentEncoded($0))" }
    }.joined(separator: "&")
    let again = parameters.flag("force_login") == true ? "again=1&" : ""
    return Response.seeOther("/login?\(again)next=\(percentEncoded("/oauth/authorize?\(query)"))")
  }

  /// Where the answer goes, for the eye of the person: a host, or that it stays on this device.
  private static func destination(_ redirect: String) -> String {
    if redirect == OAuthClient.outOfBand { return "You will be shown a code to copy into the app." }
    if let iri = IRI(redirect) { return "You will be sent to \(iri.host.text)." }
    return "You will be sent back to the app."
  }

  @Sendable func consent(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let bearer = context.bearer else { throw Problem.unauthenticated }
    let asked = try await consentRequest(parameters)
    guard case .success(let found) = asked.outcome,
      let scopes = found.scopes.without(administration: bearer.role < .moderator)
    else { return try sentBack(asked, [("error", "invalid_scope")], or: "The app asks for what can not be given.") }
    guard parameters["decision"] == "allow" else {
      return try sentBack(asked, [("error", "access_denied")], or: "You have not let the app in.")
    }
    let code = random.token()
    let change = self.context
    try await database.write { tx in
      try tx.authorize(
        asked.application, for: bearer.account, scopes: scopes, redirect: asked.redirect,
        challenge: found.challenge, codeHash: secretHash(code), in: change)
    }
    if asked.redirect == OAuthClient.outOfBand {
      return Response.seeOther("/oauth/authorize/native?code=\(percentEncoded(code))")
    }
    return try sentBack(asked, [("code", code)], or: "")
  }

  /// An app without an address is told on a page, which the person reads.
  private func sentBack(_ asked: ConsentRequest, _ answer: [(String, String)], or sentence: String) throws -> Response {
    guard asked.redirect != OAuthClient.outOfBand else {
      throw Problem(.badRequest, "oauth.\(answer.first?.1 ?? "refused")", sentence)
    }
    let pairs = answer + (asked.state.map { [("state", $0)] } ?? [])
    let query = pairs.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    var response = Response(
      status: .found, headers: [.location: asked.redirect + (asked.redirect.contains("?") ? "&" : "?") + query])
    response.headers[.cacheControl] = "no-store"
    response.setHeader("referrer-policy", "no-referrer")
    response.state(standardPolicy)
    return response
  }

  /// The code stands in the address as well, where some clients look for it.
  @Sendable func shownCode(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil, let code = request.uri.queryParameters["code"].map(String.init), code.utf8.count <= 64
    else { throw Problem.notFound }
    let frame = frame("Your code", context, policy: standardPolicy, isListed: false)
    // No "no-referrer" here: browsers then hide the origin of our own forms from us, and signing out is refused. The
    // usual "same-origin" tells the code to nobody else.
    return try page(
      "code", CodePage(code: code), frame, request, context, policy: standardPolicy, isPrivate: true)
  }
}

private struct ApplicationsPage {
  struct Item {
    let id: String
    let name: String
    let website: String?
    let since: String
    let scopes: [String]
  }
  let token: String
  let items: [Item]
  let isEmpty: Bool
}

extension WebFace {
  @Sendable func applications(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer, let secret = context.sessionSecret else { return Response.seeOther("/login") }
    let grants = try await database.read { try $0.grants(of: bearer.account.id, limit: Limits.grantsShown) }
    let items = grants.map { grant in
      ApplicationsPage.Item(
        id: grant.token.id.description, name: grant.application.name, website: grant.application.website,
        since: dayInWords(grant.token.createdAt), scopes: Scopes(grant.token.scopes)?.inWords ?? [])
    }
    let model = ApplicationsPage(token: formToken(sessionSecret: secret), items: items, isEmpty: items.isEmpty)
    let frame = frame("Apps", context, policy: standardPolicy, isListed: false)
    return try page("applications", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  @Sendable func endApplication(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = context.parameters.get("id").flatMap({ ID<AccessToken>($0) }) else { throw Problem.notFound }
    let now = time.now()
    try await database.write { try $0.revoke(token: id, of: bearer.account.id, at: now) }
    return Response.seeOther("/settings/apps")
  }
}

extension Limits {
  static let grantsShown = 100
}
