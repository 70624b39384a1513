import Federation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Primitives
import Signatures

extension FederationFace {
  /// The body is read to its cap before anything else is looked at.
  func receive(_ request: Request, _ context: FaceContext) async throws -> Response {
    try requireFederation()
    let body: [UInt8]
    do { body = try await request.collected(upTo: Limits.inboxBody) } catch {
      // Chunks that are none and the like: the connection is closed after it, and the fault is not ours.
      guard Problem(describing: error) == nil, !(error is CancellationError) else { throw error }
      throw Problem(.badRequest, "request.unreadable", "The body can not be read.")
    }
    return response(to: await inbox.receive(facts(of: request, context, body: body)))
  }

  func response(to answer: InboxAnswer) -> Response {
    if answer.isAccepted { return Response(status: HTTPResponse.Status(code: answer.status)) }
    var response = answer.problem.response
    if answer.status == 401 { response.challenge(hasBody: true) }
    return response
  }

  /// What a signature may cover. The names we answer to come from the configuration, never from the request.
  func facts(of request: Request, _ context: FaceContext, body: [UInt8] = []) -> InboxRequest {
    var fields = HeaderFields()
    // HTTPTypes keeps the Host field apart from the others.
    if let authority = request.head.authority { fields.append("host", authority) }
    for field in request.headers where field.name.canonicalName != "host" {
      fields.append(field.name.canonicalName, field.value)
    }
    return InboxRequest(
      method: request.method.rawValue, target: request.head.path ?? "/", scheme: instance.base.scheme,
      authorities: [instance.host], fields: fields, body: body, remoteAddress: clientAddress(request, context) ?? "")
  }
}

extension InboxAnswer {
  var problem: Problem {
    Problem(
      HTTPResponse.Status(code: status), code, sentence,
      retryAfter: retryAfter.map { Int(clamping: $0.components.seconds) })
  }
}

extension Response {
  /// Says which signature would do (RFC 9421 §5): the same words whatever was wrong.
  mutating func challenge(hasBody: Bool) {
    guard let name = HTTPField.Name("Accept-Signature") else { return }
    headers[name] = SignatureRequest.challenge(hasBody: hasBody)
  }
}
