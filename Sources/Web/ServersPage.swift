import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct ServersPage {
  struct Row {
    let id: String
    let address: String
    let state: String
  }
  struct Trouble {
    let host: String
    let words: String
  }
  let token: String
  let relays: [Row]
  let hasRelays: Bool
  let troubles: [Trouble]
  let isWell: Bool
  let done: Bool
  let problem: String?
}

extension WebFace {
  /// For admins: the relays this server takes part in, and the servers that could not be told something.
  @Sendable func servers(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .admin)
    return try await serversPage(request, context, problem: nil)
  }

  private func serversPage(
    _ request: Request, _ context: FaceContext, problem: String?
  ) async throws -> Response {
    let (relays, troubles) = try await database.read { (try $0.relays(), try $0.deliveryTroubles()) }
    let model = ServersPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "",
      relays: relays.map { .init(id: $0.id.description, address: $0.inbox.text, state: words($0)) },
      hasRelays: !relays.isEmpty,
      troubles: troubles.map { .init(host: $0.host.text, words: words($0)) }, isWell: troubles.isEmpty,
      done: request.uri.queryParameters["done"] != nil, problem: problem)
    let frame = frame("Other servers", context, policy: standardPolicy, isListed: false)
    return try page("moderation-servers", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private func words(_ relay: Relay) -> String {
    switch relay.state {
    case .asked: "asked on \(dayInWords(relay.createdAt)), no answer yet"
    case .accepted: "takes part since \(dayInWords(relay.answeredAt ?? relay.createdAt))"
    case .refused: "refused"
    }
  }

  private func words(_ trouble: DeliveryTrouble) -> String {
    var parts: [String] = []
    if trouble.waiting > 0 { parts.append("\(trouble.waiting) waiting") }
    if trouble.expired > 0 { parts.append("\(trouble.expired) given up after fourteen days") }
    if let until = trouble.restsUntil { parts.append("rests until \(dayInWords(until))") }
    if let error = trouble.lastError { parts.append("last answer \(error)") }
    return parts.joined(separator: ", ")
  }

  @Sendable func changeServers(_ request: Request, _ context: FaceContext) async throws -> Response {
    _ = try context.require(role: .admin)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let change = self.context
    do {
      switch parameters["act"] {
      case "join":
        guard let inbox = IRI(parameters["address"] ?? ""), inbox.path.hasSuffix("/inbox") else {
          return try await serversPage(
            request, context,
            problem: "The address of a relay's inbox ends in /inbox. Others are added from the command line.")
        }
        _ = try await database.write { try $0.join(relay: inbox, style: .mastodon, actor: nil, in: change) }
      case "leave":
        guard let id = Relay.ID(parameters["relay"] ?? "") else { throw Problem.notFound }
        try await database.write { tx in
          guard let relay = try tx.relay(id) else { return }
          try tx.leave(relay, in: change)
        }
      default: throw Problem.parameter("act")
      }
    } catch let failure as OperationFailure {
      return try await serversPage(request, context, problem: failure.sentence)
    }
    return Response.seeOther("/moderation/servers?done=1")
  }
}
