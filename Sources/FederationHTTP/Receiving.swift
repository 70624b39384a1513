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
    let body = try await request.collected(upTo: Limits.inboxBody)
    return response(to: await inbox.receive(facts(of: request, context, body: body)))
  }

  func response(to answer: InboxAnswer) -> Response {
    let status = HTTPResponse.Status(code: answer.status)
    if answer.isAccepted { return Response(status: status) }
    let seconds = answer.retryAfter.map { Int(clamping: $0.components.seconds) }
    return Problem(status, answer.code, answer.sentence, retryAfter: seconds).response
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
