import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct ResetPage {
  let token: String
}

private struct NewPasswordPage {
  let token: String
  let action: String
  let handle: String
  let failure: String?
  let least: Int
}

private struct AddressPage {
  let token: String
  let present: String
  let canMail: Bool
  let isSent: Bool
  let failure: String?
}

extension WebFace {
  @Sendable func resetForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard joining.canMail else {
      return try word(
        WordPage(
          heading: "A new password",
          sentences: ["This place sends no mail. Ask the people who run it for a new password."],
          link: .init(path: "/about", label: "About \(title)")), request, context)
    }
    let (secret, cookie) = formSecret(request, context)
    let frame = frame("A new password", context, policy: standardPolicy, isListed: false)
    var response = try page(
      "reset", ResetPage(token: formToken(sessionSecret: secret)), frame, request, context, policy: standardPolicy,
      isPrivate: true)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  @Sendable func requestReset(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard joining.canMail else { throw Problem.notFound }
    try await joining.requestReset(of: parameters["name"] ?? "", from: clientAddress(request, context))
    return try word(
      WordPage(
        heading: "Look into your mail",
        sentences: [
          "If there is an account of that name or address, we sent it a mail with a link that is good for one hour.",
          "If nothing arrives, look into the folder for unwanted mail.",
        ], link: .init(path: "/login", label: "Back to signing in")), request, context)
  }

  @Sendable func newPasswordForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    try await newPasswordPage(request, context, failure: nil)
  }

  private func newPasswordPage(
    _ request: Request, _ context: FaceContext, failure: String?
  ) async throws -> Response {
    guard let account = try await joining.resetAccount(secret(context)) else { return try spentLink(request, context) }
    let (secret, cookie) = formSecret(request, context)
    let model = NewPasswordPage(
      token: formToken(sessionSecret: secret), action: request.uri.path, handle: handle(of: account),
      failure: failure, least: Limits.passwordCharacters)
    let frame = frame("A new password", context, policy: standardPolicy, isListed: false)
    var response = try page(
      "reset-new", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  @Sendable func resetPassword(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    try limits.signInByAddress.spend(rateKey(clientAddress(request, context)))
    let new = parameters["new"] ?? ""
    guard new.count >= Limits.passwordCharacters, new.utf8.count <= Limits.passwordBytes else {
      return try await newPasswordPage(
        request, context, failure: "A password has at least \(Limits.passwordCharacters) characters.")
    }
    guard new == parameters["again"] else {
      return try await newPasswordPage(request, context, failure: "The two passwords differ.")
    }
    let secret = try secret(context)
    // Before a quarter of a second of work, which anybody could ask for.
    guard try await joining.resetAccount(secret) != nil else { return try spentLink(request, context) }
    do {
      try await joining.reset(secret, to: new)
    } catch let failure as OperationFailure where failure.kind == .notFound {
      return try spentLink(request, context)
    }
    return try word(
      WordPage(
        heading: "Changed", sentences: ["Every browser and app was signed out. Sign in with the new password."],
        link: .init(path: "/login", label: "Sign in")), request, context)
  }

  // MARK: - The address

  private func addressPage(
    _ request: Request, _ context: FaceContext, failure: String? = nil
  ) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    guard let user = try await database.read({ try $0.user(bearer.account.id) }) else { throw Problem.notFound }
    let model = AddressPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", present: Self.hinted(user.email),
      canMail: joining.canMail, isSent: request.uri.queryParameters["sent"] != nil && failure == nil,
      failure: failure)
    let frame = frame("My e-mail address", context, policy: standardPolicy, isListed: false)
    return try page(
      "email", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  /// Its owner knows it by its first letter, and somebody who looks over a shoulder does not.
  private static func hinted(_ email: String) -> String {
    guard let address = EmailAddress(email) else { return "\u{2026}" }
    return "\(address.local.prefix(1))\u{2026}@\(address.domain)"
  }

  @Sendable func addressForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    try await addressPage(request, context)
  }

  /// Needs the password: whoever has the mailbox can have the account.
  @Sendable func changeAddress(_ request: Request, _ context: FaceContext) async throws -> Response {
    let bearer = try context.requireBearer()
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard joining.canMail else { throw Problem.notFound }
    guard let address = EmailAddress((parameters["email"] ?? "").filter { $0 != " " }) else {
      return try await addressPage(request, context, failure: "This is no e-mail address.")
    }
    try limits.signInByAccount.spend("account \(bearer.account.id)")
    guard let user = try await database.read({ try $0.user(bearer.account.id) }) else { throw Problem.notFound }
    let password = parameters["password"] ?? ""
    guard password.utf8.count <= Limits.passwordBytes, try await verifyPassword(password, user.passwordHash) else {
      return try await addressPage(request, context, failure: "That is not your password.")
    }
    do {
      try await joining.changeAddress(of: bearer.account.id, to: address)
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try await addressPage(request, context, failure: failure.sentence)
    }
    return Response.seeOther("/settings/email?sent=1")
  }

  @Sendable func confirmAddressForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard try await joining.isGood(secret(context), for: .confirmAddress) else {
      return try spentLink(request, context)
    }
    return try question(
      "Is this your new address?", ["From now on, mails to you go to the address this link was sent to."],
      button: "Yes, use it", request, context)
  }

  @Sendable func confirmAddress(_ request: Request, _ context: FaceContext) async throws -> Response {
    try await settle(request, context, "Your new address is in use.") { try await joining.confirmAddress($0) }
  }

  @Sendable func stopAddressForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard try await joining.isGood(secret(context), for: .stopAddress) else { return try spentLink(request, context) }
    return try question(
      "Keep the present address?", ["The change that was asked for will not happen."], button: "Keep it", request,
      context)
  }

  @Sendable func stopAddress(_ request: Request, _ context: FaceContext) async throws -> Response {
    try await settle(request, context, "Your address stays as it is. Choose a new password if it was not you.") {
      try await joining.stopAddressChange($0)
    }
  }

  private func settle(
    _ request: Request, _ context: FaceContext, _ sentence: String, _ act: (String) async throws -> Void
  ) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    do {
      try await act(try secret(context))
    } catch let failure as OperationFailure where failure.kind == .notFound {
      return try spentLink(request, context)
    }
    return try word(
      WordPage(heading: "Done", sentences: [sentence], link: .init(path: "/login", label: "Sign in")), request,
      context)
  }
}
