import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct PasswordPage {
  let token: String
  let failure: String?
  let isSaved: Bool
  let least: Int
}

extension WebFace {
  private func passwordPage(
    _ request: Request, _ context: FaceContext, failure: String? = nil
  ) throws -> Response {
    let model = PasswordPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", failure: failure,
      isSaved: request.uri.queryParameters["saved"] != nil, least: Limits.passwordCharacters)
    let frame = frame("My password", context, policy: standardPolicy, isListed: false)
    return try page(
      "password", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func passwordForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    return try passwordPage(request, context)
  }

  /// Needs the old password: a browser left open must not be enough to take an account. Every other session ends, and
  /// every token of an app.
  @Sendable func changePassword(_ request: Request, _ context: FaceContext) async throws -> Response {
    let bearer = try context.requireBearer()
    let parameters = try await RequestParameters(reading: request, limit: 16 << 10)
    try checkForm(parameters, request, context)
    let (old, new) = (parameters["old"] ?? "", parameters["new"] ?? "")
    guard new.count >= Limits.passwordCharacters, new.utf8.count <= 1_024 else {
      return try passwordPage(
        request, context, failure: "A password has at least \(Limits.passwordCharacters) characters.")
    }
    guard new == parameters["again"] else {
      return try passwordPage(request, context, failure: "The two new passwords differ.")
    }
    // The same bucket as at the door: this form must not be another way to try passwords out.
    try limits.signInByAccount.spend("account \(bearer.account.id)")
    guard let user = try await database.read({ try $0.user(bearer.account.id) }) else { throw Problem.notFound }
    guard old.utf8.count <= 1_024, try await verifyPassword(old, user.passwordHash) else {
      return try passwordPage(request, context, failure: "That is not your present password.")
    }
    guard let hash = try await hashPassword(new) else {
      return try passwordPage(request, context, failure: "This password can not be used.")
    }
    let secret = random.token()
    let change = self.context
    let session = newSession(secret, of: user)
    try await database.write { tx in
      try tx.changePassword(of: user.accountID, to: hash, in: change)
      try session(tx)
    }
    return signedIn(user, by: secret, to: "/settings/password?saved=1")
  }
}
