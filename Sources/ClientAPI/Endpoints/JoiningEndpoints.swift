import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var joiningRoutes: [Route] {
    [
      Route(.post, "/api/v1/accounts", .application("write:accounts"), limit: Limits.smallBody, signUp),
      // By a token that does not work yet, which every other route refuses.
      Route(.get, "/api/v1/emails/check_confirmation", .client, limit: Limits.smallBody, isConfirmed),
      Route(.post, "/api/v1/emails/confirmations", .client, limit: Limits.smallBody, confirmAgain),
    ]
  }

  /// The token is promised: it works from the moment the account exists.
  @Sendable func signUp(_ call: Call) async throws -> Response {
    guard let hash = call.context.tokenHash,
      let application = try await database.read({ try $0.application(tokenHash: hash) })
    else { throw Problem.unauthenticated }
    let parameters = call.parameters
    let secret = random.token()
    let form = SignUpForm(
      username: parameters["username"] ?? "", email: parameters["email"] ?? "",
      password: parameters["password"] ?? "", reason: parameters["reason"] ?? "",
      locale: String((parameters["locale"] ?? "en").prefix(16)), hasAgreed: parameters.flag("agreement") ?? false,
      invitationHash: parameters["invite_code"].map { secretHash($0) })
    do {
      let asked = try await joining.apply(
        form, token: PromisedToken(hash: secretHash(secret), application: application),
        from: clientAddress(call.request, call.context))
      var response = Response.json([
        "access_token": .string(secret), "token_type": "Bearer", "scope": .string(asked.scopes),
        "created_at": .integer(asked.createdAt.secondsSince1970),
      ])
      response.headers[.cacheControl] = "no-store"
      return response
    } catch let refusal as SignUpRefusal {
      throw Problem(refusal)
    }
  }
}

extension ClientAPI {
  /// Nil for somebody whose account exists.
  private func asked(_ call: Call) async throws -> SignUp? {
    let parts = call.request.headers[.authorization]?.split(separator: " ") ?? []
    guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count <= 256 else {
      throw Problem.unauthenticated
    }
    let hash = secretHash(String(parts[1]))
    return try await database.read { tx -> SignUp? in
      if let asked = try tx.signUp(tokenHash: hash) { return asked }
      guard try tx.bearer(tokenHash: hash) != nil else { throw Problem.unauthenticated }
      return nil
    }
  }

  @Sendable func isConfirmed(_ call: Call) async throws -> Response {
    .json(.bool(try await asked(call)?.state != .unconfirmed))
  }

  @Sendable func confirmAgain(_ call: Call) async throws -> Response {
    guard let asked = try await asked(call), asked.state == .unconfirmed else {
      throw Problem(
        .forbidden, "email.confirmed", "This method is only available while the e-mail is awaiting confirmation")
    }
    try await joining.remind(asked)
    return .json([:])
  }
}

extension Problem {
  /// Mastodon's shape: one sentence for people, and every field with its codes for apps.
  fileprivate init(_ refusal: SignUpRefusal) {
    let sentences = refusal.problems.map { "\($0.field.prefix(1).uppercased() + $0.field.dropFirst()) \($0.text)" }
    var details: JSON = [:]
    for problem in refusal.problems {
      let entry: JSON = ["error": .string(problem.code), "description": .string(problem.text)]
      details[problem.field] = .array((details[problem.field]?.array ?? []) + [entry])
    }
    self.init(
      .unprocessableContent, "signup.invalid", "Validation failed: \(sentences.joined(separator: ", "))",
      details: ["details": details])
  }
}

extension Limits {
  static let smallBody = 16 << 10
}
