import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct SignInPage {
  let token: String
  let name: String
  /// A request of an app that goes on once it is known who is here.
  let next: String?
  let failure: String?
  let canJoin: Bool
  let canReset: Bool
}

extension WebFace {
  /// Before anybody has signed in, a cookie of its own ties a form to the browser it was shown to.
  private var formCookieName: String { isSecure ? "__Host-atelier-form" : "atelier-form" }

  private func cookie(_ name: String, _ value: String, for time: Duration) -> Cookie {
    Cookie(
      name: name, value: value, maxAge: Int(time.components.seconds), path: "/", secure: isSecure, httpOnly: true,
      sameSite: .lax)
  }

  /// The secret the forms of this browser are bound to, and a cookie to set when it is new.
  func formSecret(_ request: Request, _ context: FaceContext) -> (secret: String, cookie: Cookie?) {
    if let secret = context.sessionSecret { return (secret, nil) }
    if let secret = request.cookies[formCookieName]?.value, secret.utf8.count == 43 { return (secret, nil) }
    let secret = random.token()
    return (secret, cookie(formCookieName, secret, for: .seconds(3_600)))
  }

  /// 403 unless the form came from a page this browser was shown by us.
  func checkForm(_ parameters: RequestParameters, _ request: Request, _ context: FaceContext) throws {
    let refusal = Problem(
      .forbidden, "form.token_invalid",
      "This form is too old, or it was not sent from this site. Go back, reload the page and try again.")
    let secret = context.sessionSecret ?? request.cookies[formCookieName]?.value
    guard let secret, secret.utf8.count <= 256, isFormToken(parameters["token"], of: secret) else { throw refusal }
    if let name = HTTPField.Name("sec-fetch-site"), request.headers[name] == "cross-site" { throw refusal }
    if let origin = request.headers[.origin], origin != instance.base.origin {
      // A trial answers to every name of the loopback host.
      guard instance.isTrial, let authority = request.head.authority, origin == "http://\(authority)" else {
        throw refusal
      }
    }
  }

  @Sendable func signInForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    let next = Self.next(request.uri.queryParameters["next"].map(String.init))
    if context.bearer != nil, request.uri.queryParameters["again"] == nil { return Response.seeOther(next ?? "/home") }
    return try signInPage(request, context, name: "", next: next, failure: nil)
  }

  /// Nowhere but to an app's request: a link to our own sign-in must not lead to a stranger's page.
  private static func next(_ path: String?) -> String? {
    guard let path, path.hasPrefix("/oauth/authorize?"), path.utf8.count <= Limits.nextBytes,
      path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") })
    else { return nil }
    return path
  }

  private func signInPage(
    _ request: Request, _ context: FaceContext, name: String, next: String?, failure: String?
  ) throws -> Response {
    let (secret, cookie) = formSecret(request, context)
    let frame = frame("Sign in", context, policy: standardPolicy, isListed: false)
    let model = SignInPage(
      token: formToken(sessionSecret: secret), name: name, next: next, failure: failure,
      canJoin: joining.rules.isOpen, canReset: joining.canMail)
    var response = try page(
      "login", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  @Sendable func signIn(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: 16 << 10)
    try checkForm(parameters, request, context)
    let name = (parameters["name"] ?? "").lowercased().filter { $0 != " " }
    let password = parameters["password"] ?? ""
    let next = Self.next(parameters["next"])
    try limits.signInByAddress.spend(rateKey(clientAddress(request, context)))
    guard (1...320).contains(name.utf8.count), (1...1_024).contains(password.utf8.count) else {
      return try signInPage(request, context, name: name, next: next, failure: WebFace.wrongPassword)
    }
    let (user, asked) = try await somebody(named: name)
    // By account where there is one, so that a name and an address of one person share a bucket.
    try limits.signInByAccount.spend(user.map { "account \($0.accountID)" } ?? "name \(secretHash(name))")
    // Somebody who is not there takes as long as a wrong password, so that names can not be tried out.
    let isRight = try await verifyPassword(password, user?.passwordHash ?? asked?.passwordHash)
    guard isRight, let user, user.disabledAt == nil else {
      let failure = isRight ? asked.flatMap(Self.whyNot) : nil
      return try signInPage(request, context, name: name, next: next, failure: failure ?? WebFace.wrongPassword)
    }
    // A new secret at every sign-in: one that was planted before is worth nothing afterwards.
    let secret = random.token()
    let previous = context.sessionSecret.map(secretHash)
    let session = newSession(secret, of: user)
    try await database.write { tx in
      if let previous { try tx.deleteSession(hash: previous) }
      try session(tx)
    }
    return signedIn(user, by: secret, to: next ?? "/home")
  }

  private func lasting(_ user: User) -> Duration { user.role >= .moderator ? Limits.staffSession : Limits.session }

  func newSession(_ secret: String, of user: User) -> @Sendable (any WriteTransaction) throws -> Void {
    let now = time.now()
    let end = now.adding(lasting(user))
    return { try $0.insertSession(hash: secretHash(secret), of: user.accountID, at: now, until: end) }
  }

  func signedIn(_ user: User, by secret: String, to path: String) -> Response {
    var response = Response.seeOther(path)
    response.headers[.cacheControl] = "no-store"
    response.state(standardPolicy)
    response.setCookie(cookie(SessionAuthentication.cookieName(secure: isSecure), secret, for: lasting(user)))
    response.setCookie(cookie(formCookieName, "", for: .zero))
    return response
  }

  /// One sentence for every cause, so that it does not tell which names exist.
  private static let wrongPassword = "That name and password do not belong together."

  /// What somebody is told who knows the password of an account that does not exist yet.
  private static func whyNot(_ asked: SignUp) -> String? {
    if asked.isEcho { return nil }
    return asked.state == .unconfirmed
      ? "Your e-mail address is not confirmed yet. Open the link in the mail we sent you."
      : "The people who run this place have not answered your request yet. You will get a mail."
  }

  private func somebody(named name: String) async throws -> (User?, SignUp?) {
    try await database.read { tx -> (User?, SignUp?) in
      if let user = try tx.user(named: name) { return (user, nil) }
      return (nil, try tx.signUp(named: name))
    }
  }

  @Sendable func signOut(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: 16 << 10)
    try checkForm(parameters, request, context)
    if let secret = context.sessionSecret {
      try await database.write { try $0.deleteSession(hash: secretHash(secret)) }
    }
    var response = Response.seeOther("/")
    response.state(standardPolicy)
    response.setCookie(cookie(SessionAuthentication.cookieName(secure: isSecure), "", for: .zero))
    return response
  }
}

extension Limits {
  /// An app's request: its addresses, its scopes and its state.
  static let nextBytes = 12_000
  static let session = Duration.seconds(14 * 86_400)
  /// Whoever may take down other people's work signs in every day.
  static let staffSession = Duration.seconds(86_400)
}
