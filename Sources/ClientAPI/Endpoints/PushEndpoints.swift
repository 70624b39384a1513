import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// What the API needs of the keys, which it never sees.
package struct PushDesk: Sendable {
  let seal: @Sendable (_ token: String, _ id: PushSubscription.ID) throws -> [UInt8]
  let isKey: @Sendable (_ publicKey: [UInt8], _ secret: [UInt8]) -> Bool

  package init(
    seal: @escaping @Sendable (_ token: String, _ id: PushSubscription.ID) throws -> [UInt8],
    isKey: @escaping @Sendable (_ publicKey: [UInt8], _ secret: [UInt8]) -> Bool
  ) {
    self.seal = seal
    self.isKey = isKey
  }
}

extension ClientAPI {
  var pushRoutes: [Route] {
    [
      Route(.get, "/api/v1/push/subscription", .scope("push"), limit: Limits.smallBody, showSubscription),
      Route(.post, "/api/v1/push/subscription", .scope("push"), limit: Limits.smallBody, subscribe),
      Route(.put, "/api/v1/push/subscription", .scope("push"), limit: Limits.smallBody, changeSubscription),
      Route(.delete, "/api/v1/push/subscription", .scope("push"), limit: Limits.smallBody, unsubscribe),
    ]
  }

  private func subscription(_ call: Call) async throws -> PushSubscription {
    guard let hash = call.context.tokenHash,
      let subscription = try await database.read({ try $0.pushSubscription(tokenHash: hash) })
    else { throw Problem.notFound }
    return subscription
  }

  @Sendable func showSubscription(_ call: Call) async throws -> Response {
    .json(entity(try await subscription(call)))
  }

  @Sendable func subscribe(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let parameters = call.parameters
    guard let push, let hash = call.context.tokenHash, let token = call.bearerText else {
      throw Problem(.notFound, "push.unavailable", "This server sends no push messages.")
    }
    // Nothing but https, whatever the address policy of the moment of sending says besides.
    guard let endpoint = parameters["subscription[endpoint]"].flatMap({ IRI($0) }), endpoint.scheme == "https" else {
      throw Problem.parameter("subscription[endpoint]")
    }
    guard let key = Self.bytes(parameters["subscription[keys][p256dh]"]),
      let secret = Self.bytes(parameters["subscription[keys][auth]"]), push.isKey(key, secret)
    else { throw Problem.parameter("subscription[keys]") }
    let id: PushSubscription.ID = ids.next()
    let sealed = try push.seal(token, id)
    let alerts = Set(PushSubscription.kinds.filter { parameters.flag("data[alerts][\($0)]") == true })
    let policy = try Self.policy(parameters) ?? .all
    let isStandard = parameters.flag("subscription[standard]") ?? false
    let stored = try await database.write { tx -> PushSubscription in
      guard let tokenID = try tx.tokenID(hash: hash) else { throw Problem.unauthenticated }
      let subscription = PushSubscription(
        id: id, tokenID: tokenID, accountID: owner.id, sealedToken: sealed, endpoint: endpoint, publicKey: key,
        secret: secret, isStandard: isStandard, alerts: alerts, policy: policy)
      try tx.put(subscription)
      return subscription
    }
    return .json(entity(stored))
  }

  /// What is not named stays as it is.
  @Sendable func changeSubscription(_ call: Call) async throws -> Response {
    var changed = try await subscription(call)
    for kind in PushSubscription.kinds {
      switch call.parameters.flag("data[alerts][\(kind)]") {
      case true: changed.alerts.insert(kind)
      case false: changed.alerts.remove(kind)
      default: break
      }
    }
    // Mastodon names it beside `data` in some places and inside it in others.
    if let policy = try Self.policy(call.parameters) { changed.policy = policy }
    let stored = changed
    try await database.write { try $0.put(stored) }
    return .json(entity(stored))
  }

  @Sendable func unsubscribe(_ call: Call) async throws -> Response {
    guard let hash = call.context.tokenHash else { throw Problem.unauthenticated }
    try await database.write { tx in
      guard let subscription = try tx.pushSubscription(tokenHash: hash) else { return }
      try tx.delete(pushSubscription: subscription.id)
    }
    return .json([:])
  }

  private func entity(_ subscription: PushSubscription) -> JSON {
    let alerts = PushSubscription.kinds.map { ($0, JSON.bool(subscription.alerts.contains($0))) }
    return [
      "id": .string(subscription.id.description), "endpoint": .string(subscription.endpoint.text),
      "standard": .bool(subscription.isStandard), "alerts": JSON(pairs: alerts),
      "policy": .string(subscription.policy.rawValue), "server_key": .string(facts.pushKey),
    ]
  }

  /// Apps write either alphabet, with padding or without.
  private static func bytes(_ text: String?) -> [UInt8]? {
    guard let text, text.utf8.count <= 128 else { return nil }
    let bare = text.replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
    return Base64.decodeURL(bare)
  }

  private static func policy(_ parameters: RequestParameters) throws -> PushSubscription.Policy? {
    guard let text = parameters["data[policy]"] ?? parameters["policy"], !text.isEmpty else { return nil }
    guard let policy = PushSubscription.Policy(rawValue: text) else { throw Problem.parameter("policy") }
    return policy
  }
}

extension Call {
  /// The token itself, as it was sent. Nothing but a seal may get it.
  fileprivate var bearerText: String? {
    request.headers[.authorization]?.split(separator: " ").last.map(String.init)
  }
}
