import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct SignUpPage {
  let token: String
  let title: String
  let host: String
  let message: String?
  let isApproved: Bool
  let needsReason: Bool
  let failure: String?
  let invitation: String?
  let username: String
  let email: String
  let reason: String
  let least: Int
}

/// A page that says something and may ask for one click.
struct WordPage {
  struct Button {
    let action: String
    let label: String
    let token: String
  }
  struct Link {
    let path: String
    let label: String
  }
  let heading: String
  var sentences: [String] = []
  var button: Button?
  var link: Link?
}

extension WebFace {
  func addJoiningRoutes(to pages: RouterGroup<FaceContext>) {
    pages.get("/sign-up", use: signUpForm)
    pages.post("/sign-up", use: signUp)
    // A link in a mail is opened by programs that look for viruses as well: opening it changes nothing, the button does.
    pages.get("/sign-up/confirm/:secret", use: confirmForm)
    pages.post("/sign-up/confirm/:secret", use: confirm)
    pages.get("/reset", use: resetForm)
    pages.post("/reset", use: requestReset)
    pages.get("/reset/:secret", use: newPasswordForm)
    pages.post("/reset/:secret", use: resetPassword)
    pages.get("/settings/email", use: addressForm)
    pages.post("/settings/email", use: changeAddress)
    pages.get("/email/confirm/:secret", use: confirmAddressForm)
    pages.post("/email/confirm/:secret", use: confirmAddress)
    pages.get("/email/stop/:secret", use: stopAddressForm)
    pages.post("/email/stop/:secret", use: stopAddress)
    pages.get("/moderation/joining", use: joiningRequests)
    pages.post("/moderation/joining", use: makeInvitation)
    pages.post("/moderation/joining/:id", use: answerRequest)
  }

  func word(
    _ model: WordPage, _ request: Request, _ context: FaceContext, status: HTTPResponse.Status = .ok
  ) throws -> Response {
    let frame = frame(model.heading, context, policy: standardPolicy, isListed: false)
    return try page("word", model, frame, request, context, policy: standardPolicy, status: status, isPrivate: true)
  }

  /// 404 for what no mail of ours can hold.
  func secret(_ context: FaceContext) throws -> String {
    guard let secret = context.parameters.get("secret"), secret.utf8.count == 43 else { throw Problem.notFound }
    return secret
  }

  /// A page with one button, whose form is bound to this browser.
  func question(
    _ heading: String, _ sentences: [String], button label: String, _ request: Request, _ context: FaceContext
  ) throws -> Response {
    let (secret, cookie) = formSecret(request, context)
    let button = WordPage.Button(
      action: request.uri.path, label: label, token: formToken(sessionSecret: secret))
    var response = try word(WordPage(heading: heading, sentences: sentences, button: button), request, context)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  func spentLink(_ request: Request, _ context: FaceContext) throws -> Response {
    try word(
      WordPage(
        heading: "This link is no longer good",
        sentences: ["It was used already, it is too old, or it is not whole."],
        link: .init(path: "/login", label: "Sign in")), request, context, status: .notFound)
  }

  // MARK: - Asking

  @Sendable private func signUpForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer == nil else { return Response.seeOther("/home") }
    let invitation = request.uri.queryParameters["invitation"].map(String.init)
    let form = SignUpForm(
      username: "", email: "", password: "", hasAgreed: false, invitationHash: invitation.map(secretHash))
    return try await signUpPage(request, context, form, invitation: invitation, failures: [])
  }

  private func signUpPage(
    _ request: Request, _ context: FaceContext, _ form: SignUpForm, invitation: String?, failures: [String]
  ) async throws -> Response {
    let rules = joining.rules
    let now = time.now()
    var isInvited = false
    if let hash = form.invitationHash {
      isInvited = try await database.read { try $0.isInvitation(hash: hash, at: now) }
    }
    guard rules.mode != .closed, rules.mode != .invite || isInvited else {
      let sentence =
        rules.message
        ?? (rules.mode == .invite
          ? "An account here takes an invitation." : "This place takes no new members at present.")
      return try word(
        WordPage(
          heading: "Join \(title)", sentences: [sentence], link: .init(path: "/about", label: "About \(title)")),
        request, context, status: .forbidden)
    }
    let (secret, cookie) = formSecret(request, context)
    let model = SignUpPage(
      token: formToken(sessionSecret: secret), title: title, host: instance.host.text, message: rules.message,
      isApproved: rules.mode == .approval && !isInvited, needsReason: rules.needsReason,
      failure: failures.isEmpty ? nil : failures.joined(separator: " "), invitation: isInvited ? invitation : nil,
      username: form.username, email: form.email, reason: form.reason, least: Limits.passwordCharacters)
    let frame = frame("Join \(title)", context, policy: standardPolicy, isListed: false)
    var response = try page(
      "sign-up", model, frame, request, context, policy: standardPolicy,
      status: failures.isEmpty ? .ok : .unprocessableContent, isPrivate: true)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  @Sendable private func signUp(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let invitation = parameters["invitation"]
    let form = SignUpForm(
      username: parameters["username"] ?? "", email: (parameters["email"] ?? "").filter { $0 != " " },
      password: parameters["password"] ?? "", reason: parameters["reason"] ?? "",
      hasAgreed: parameters.flag("agreement") ?? false, invitationHash: invitation.map(secretHash))
    do {
      _ = try await joining.apply(form, from: clientAddress(request, context))
    } catch let refusal as SignUpRefusal {
      let names = ["username": "The name", "email": "The e-mail address", "password": "The password"]
      let failures = refusal.problems.map { problem in
        switch problem.field {
        case "agreement": "Please say that you have read what this place stands for."
        case "reason": problem.code == "ERR_BLANK" ? "Please say why you want to join." : "The reason is too long."
        default: "\(names[problem.field] ?? problem.field) \(problem.text)."
        }
      }
      return try await signUpPage(request, context, form, invitation: invitation, failures: failures)
    }
    return try word(
      WordPage(
        heading: "Look into your mail",
        sentences: [
          "We sent a mail to \(form.email). Open the link in it within two days.",
          "If nothing arrives, look into the folder for unwanted mail.",
        ]), request, context)
  }

  @Sendable private func confirmForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let asked = try await joining.pending(secret(context)) else { return try spentLink(request, context) }
    return try question(
      "Is this your address?", ["You asked for the account @\(asked.username)@\(instance.host.text)."],
      button: "Yes, it is mine", request, context)
  }

  @Sendable private func confirm(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    do {
      if try await joining.confirm(secret(context)) != nil {
        return try word(
          WordPage(
            heading: "Thank you",
            sentences: ["The people who run this place will look at your request. You will get a mail."]), request,
          context)
      }
    } catch let failure as OperationFailure where failure.kind == .notFound {
      return try spentLink(request, context)
    } catch let problem as Problem where problem.status == .notFound {
      return try spentLink(request, context)
    }
    return try word(
      WordPage(
        heading: "Welcome to \(title)", sentences: ["Your account is open."],
        link: .init(path: "/login", label: "Sign in")), request, context)
  }
}

private struct JoiningPage {
  struct Item {
    let id: String
    let username: String
    let host: String
    let date: String
    let reason: String?
    let token: String
  }
  let token: String
  let items: [Item]
  let isEmpty: Bool
  let done: String?
  let invitation: String?
}

extension WebFace {
  @Sendable private func joiningRequests(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    let words = ["approved": "They are in, and get a mail.", "declined": "Declined. They get a mail."]
    let done = request.uri.queryParameters["done"].flatMap { words[String($0)] }
    return try await joiningPage(request, context, done: done, invitation: nil)
  }

  private func joiningPage(
    _ request: Request, _ context: FaceContext, done: String?, invitation: String?
  ) async throws -> Response {
    _ = try context.require(role: .moderator)
    let token = context.sessionSecret.map(formToken(sessionSecret:)) ?? ""
    let waiting = try await database.read { try $0.signUps(in: .waiting, limit: Limits.requestsShown) }
    let items = waiting.map { asked in
      // Of the address only where it is: enough to see a wave from one provider.
      JoiningPage.Item(
        id: asked.id.description, username: asked.username, host: EmailAddress(asked.email)?.domain ?? "",
        date: dayInWords(asked.createdAt), reason: asked.reason.isEmpty ? nil : asked.reason, token: token)
    }
    let model = JoiningPage(
      token: token, items: items, isEmpty: items.isEmpty, done: done, invitation: invitation)
    let frame = frame("Requests to join", context, policy: standardPolicy, isListed: false)
    return try page(
      "moderation-joining", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  @Sendable private func makeInvitation(_ request: Request, _ context: FaceContext) async throws -> Response {
    let moderator = try context.require(role: .moderator)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard joining.canMail else {
      throw Problem(.forbidden, "signup.closed", "This place sends no mail, so nobody can sign up here.")
    }
    let link = try await joining.invite(by: moderator.account.id, secret: random.token())
    return try await joiningPage(request, context, done: nil, invitation: link.text)
  }

  @Sendable private func answerRequest(_ request: Request, _ context: FaceContext) async throws -> Response {
    _ = try context.require(role: .moderator)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = context.parameters.get("id").flatMap({ SignUp.ID($0) }) else { throw Problem.notFound }
    switch parameters["act"] {
    case "approve":
      _ = try await joining.approve(id)
      return Response.seeOther("/moderation/joining?done=approved")
    case "decline":
      try await joining.decline(id)
      return Response.seeOther("/moderation/joining?done=declined")
    default: throw Problem.parameter("act")
    }
  }
}

extension Limits {
  static let requestsShown = 50
}
