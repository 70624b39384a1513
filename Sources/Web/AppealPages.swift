import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct AppealPage {
  let token: String
  let work: String
  let decision: DecisionWords?
  let message: String
  let contact: String
  let failure: String?
  let isSent: Bool
}

extension WebFace {
  /// What the appeal is about, for those who may see the work; the form itself needs no account.
  private func decision(on id: Attachment.ID, _ bearer: Bearer?) async throws -> DecisionRecord? {
    try await database.read { tx -> DecisionRecord? in
      guard let picture = try tx.attachment(id) else { return nil }
      let isTrusted = bearer.map { $0.account.id == picture.ownerID || $0.role >= .moderator } ?? false
      let isOpen = try picture.postID.flatMap { try tx.post($0, visibleTo: bearer?.account.id) } != nil
      return isTrusted || isOpen ? try tx.decisions(on: [id])[id] : nil
    }
  }

  private func appealPage(
    _ id: Attachment.ID, _ request: Request, _ context: FaceContext, message: String = "", contact: String = "",
    failure: String? = nil, isSent: Bool = false
  ) async throws -> Response {
    let record = try await decision(on: id, context.bearer)
    let (secret, cookie) = formSecret(request, context)
    let model = AppealPage(
      token: formToken(sessionSecret: secret), work: id.description,
      decision: record.flatMap { $0.verdict == .accept ? nil : DecisionWords($0) }, message: message,
      contact: contact, failure: failure, isSent: isSent)
    let frame = frame("Appeal a decision", context, policy: standardPolicy, isListed: false)
    var response = try page(
      "appeal", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
    if let cookie { response.setCookie(cookie) }
    return response
  }

  @Sendable func appealForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let id = request.uri.queryParameters["work"].flatMap({ Attachment.ID(String($0)) }) else {
      throw Problem.notFound
    }
    return try await appealPage(id, request, context)
  }

  @Sendable func appeal(_ request: Request, _ context: FaceContext) async throws -> Response {
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id: Attachment.ID = try parameters.id("work") else { throw Problem.notFound }
    let message = parameters["message"] ?? ""
    let contact = parameters["contact"] ?? ""
    guard !message.allSatisfy(\.isWhitespace) else {
      return try await appealPage(
        id, request, context, contact: contact, failure: "Say in a few words why the decision is wrong.")
    }
    try limits.appealsByAddress.spend(rateKey(clientAddress(request, context)))
    let change = self.context
    do {
      try await database.write { tx in
        guard let picture = try tx.attachment(id) else { throw OperationFailure.notFound }
        _ = try tx.appeal(
          picture, message: message, contact: contact, by: context.bearer?.account.id, in: change)
      }
    } catch let failure as OperationFailure where failure.kind != .notFound {
      return try await appealPage(
        id, request, context, message: message, contact: contact, failure: failure.sentence)
    }
    return try await appealPage(id, request, context, isSent: true)
  }
}

extension Limits {
  /// A form of a few lines of text.
  static let smallForm = 64 << 10
}
