import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Operations
import Persistence
import Primitives

/// The only thing a client sees of an error: a status, a stable code, a sentence. It has no initialiser from `Error`,
/// so what went wrong inside can not leak.
package struct Problem: Error, Hashable, Sendable {
  package let status: HTTPResponse.Status
  package let code: String
  package let sentence: String
  /// Seconds, as `Retry-After`.
  package var retryAfter: Int?
  /// Further members of the JSON answer.
  package var details: JSON?

  package init(
    _ status: HTTPResponse.Status, _ code: String, _ sentence: String, retryAfter: Int? = nil, details: JSON? = nil
  ) {
    self.status = status
    self.code = code
    self.sentence = sentence
    self.retryAfter = retryAfter
    self.details = details
  }

  package static let unauthenticated = Problem(.unauthorized, "oauth.invalid_token", "The access token is invalid")
  package static let notFound = Problem(.notFound, "record.not_found", "Record not found")
  package static let tooLarge = Problem(.contentTooLarge, "request.too_large", "The request is larger than allowed")
  package static let busy = Problem(
    .serviceUnavailable, "server.busy", "The server is busy. Try again shortly.", retryAfter: 15)

  package init(_ failure: OperationFailure) {
    let status: HTTPResponse.Status =
      switch failure.kind {
      case .notFound: .notFound
      case .forbidden: .forbidden
      case .invalid: .unprocessableContent
      case .conflict: .conflict
      case .busy: .serviceUnavailable
      case .full: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
      }
    self.init(status, failure.code, failure.sentence, retryAfter: failure.kind == .busy ? 15 : nil)
  }

  /// What a client may know of `error`; nil for a bug, which is logged and answered 500.
  package init?(describing error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let failure as OperationFailure: self.init(failure)
    case let failure as DatabaseError where failure.isTransient: self = .busy
    case is NIOTooManyBytesError: self = .tooLarge
    case let failure as HTTPError:
      self.init(failure.status, "http.\(failure.status.code)", failure.status.reasonPhrase)
    default: return nil
    }
  }

  /// `{"error": sentence, "reason": code}`: Mastodon's shape with our code beside it.
  package var json: JSON {
    var body: JSON = ["error": .string(sentence), "reason": .string(code)]
    for (key, value) in details?.pairs ?? [] { body[key] = value }
    return body
  }

  package var response: Response {
    var response = Response.json(json, status: status)
    if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
    return response
  }
}

/// Turns whatever a handler throws into an answer. `page` draws it for people; nil leaves the JSON.
package struct ProblemMiddleware: RouterMiddleware {
  private let page: @Sendable (Problem, Request, FaceContext) -> Response?

  package init(page: @escaping @Sendable (Problem, Request, FaceContext) -> Response? = { _, _, _ in nil }) {
    self.page = page
  }

  package func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let problem: Problem
      if let known = Problem(describing: error) {
        problem = known
      } else {
        context.logger.error("request failed", metadata: ["reason": "\(error)"])
        problem = Problem(.internalServerError, "server.error", "Something went wrong here. It has been noted.")
      }
      return page(problem, request, context) ?? problem.response
    }
  }
}
