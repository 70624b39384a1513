import Federation
import Logging
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Transport

/// The key by which push services know this server: made at first start, sealed like every other key.
enum PushKey {
  private static let setting = "push.key"

  static func load(_ database: any Database, _ seal: KeySeal, _ random: RandomBytes) async throws -> PushServerKey {
    let made = try PushServerKey(generatingWith: random)
    let sealed = Base64.encode(try seal.seal(made.bytes, named: setting, random: random))
    let stored = try await database.write { tx in
      if let stored = try tx.setting(setting) { return stored }
      try tx.set(setting, to: sealed)
      return sealed
    }
    guard let bytes = Base64.decode(stored) else { throw SignatureFailure.keyUnacceptable("no sealed key") }
    return try PushServerKey(bytes: try seal.open(bytes, named: setting))
  }
}

/// What a push service is sent.
private struct Parcel {
  let subscription: PushSubscription
  let plain: [UInt8]
  let topic: String
}

extension Services {
  static func tokenName(_ id: PushSubscription.ID) -> String { "push token \(id)" }

  /// An app's token, as it lies in the database.
  func sealed(_ token: String, for id: PushSubscription.ID) throws -> [UInt8] {
    try seal.seal(Array(token.utf8), named: Self.tokenName(id), random: surroundings.random)
  }

  /// Tells one app of one notification, through the guarded client: where an app wants to be told is a stranger's word.
  package func push(_ id: Notification.ID, to subscription: PushSubscription.ID, _ lease: JobLease) async throws {
    let now = time.now()
    guard now < lease.id.time.adding(Limits.pushLife), let parcel = try await parcel(id, subscription) else {
      return try await database.write { try $0.finish(lease) }
    }
    let outcome: Result<IncomingResponse, TransportFailure>
    do {
      let request = try request(parcel, at: now)
      do { outcome = .success(try await federation.client.post(request)) } catch { outcome = .failure(error) }
    } catch {
      log.error("a push message can not be made", metadata: ["reason": "\(error)"])
      return try await database.write { try $0.finish(lease) }
    }
    try await settle(outcome, subscription, lease)
  }

  private func settle(
    _ outcome: Result<IncomingResponse, TransportFailure>, _ subscription: PushSubscription.ID, _ lease: JobLease
  ) async throws {
    let now = time.now()
    var next = now.adding(RetrySchedule.delay(after: lease.attempt))
    let reason: String
    switch outcome {
    case .success(let answer):
      switch answer.status {
      // The app was uninstalled, or its browser has forgotten us (RFC 8030 §7.3).
      case 404, 410:
        return try await database.write { tx in
          try tx.delete(pushSubscription: subscription)
          try tx.finish(lease)
        }
      case 429, 500...599:
        if let wait = answer.header("retry-after").flatMap({ Int($0) }) {
          next = max(next, now.adding(.seconds(min(max(wait, 60), 43_200))))
        }
        reason = "push.status_\(answer.status)"
      default: return try await database.write { try $0.finish(lease) }
      }
    case .failure(let failure):
      guard failure.isTransient else { return try await database.write { try $0.finish(lease) } }
      reason = failure.code
    }
    let due = next
    try await database.write { try $0.retry(lease, at: due, error: reason) }
  }

  private func parcel(_ id: Notification.ID, _ subscription: PushSubscription.ID) async throws -> Parcel? {
    let instance = instance
    let found = try await database.read { tx -> (PushSubscription, Notification, PushNotice)? in
      guard let subscription = try tx.pushSubscription(subscription), let notification = try tx.notification(id),
        let notice = try tx.pushNotice(for: notification, on: instance)
      else { return nil }
      return (subscription, notification, notice)
    }
    guard let (subscription, notification, notice) = found else { return nil }
    let token = try seal.open(subscription.sealedToken, named: Self.tokenName(subscription.id))
    let payload: JSON = [
      "access_token": .string(String(decoding: token, as: UTF8.self)),
      "preferred_locale": "en",
      // A number: apps in Swift and Kotlin read it as one.
      "notification_id": .integer(notification.id.rawValue),
      "notification_type": .string(notification.kind.rawValue),
      "icon": .string(notice.icon?.text ?? instance.page("/api/atelier/v1/avatar.png").text),
      "title": .string(notice.title),
      "body": .string(notice.body),
    ]
    // A second try takes the place of the first, should both arrive (RFC 8030 §5.4).
    return Parcel(subscription: subscription, plain: payload.bytes, topic: "n\(notification.id)")
  }

  private func request(_ parcel: Parcel, at now: Timestamp) throws -> OutgoingRequest {
    let subscription = parcel.subscription
    guard parcel.plain.count <= PushEncryption.longestText,
      let receiver = PushReceiver(publicKey: subscription.publicKey, secret: subscription.secret)
    else { throw SignatureFailure.keyUnacceptable("a push subscription that can not be encrypted to") }
    let ephemeral = try PushEncryption.Ephemeral(random: surroundings.random)
    var headers = [
      HeaderField("Content-Type", "application/octet-stream"), HeaderField("TTL", "172800"),
      HeaderField("Urgency", "normal"), HeaderField("Topic", parcel.topic),
    ]
    let body: [UInt8]
    let isStandard = subscription.isStandard
    if isStandard {
      body = try PushEncryption.aes128gcm(parcel.plain, to: receiver, ephemeral)
      headers.append(HeaderField("Content-Encoding", "aes128gcm"))
    } else {
      let sealed = try PushEncryption.aesgcm(parcel.plain, to: receiver, ephemeral)
      body = sealed.body
      headers.append(HeaderField("Content-Encoding", "aesgcm"))
      headers.append(HeaderField("Encryption", "salt=\(sealed.salt)"))
      headers.append(
        HeaderField("Crypto-Key", "dh=\(sealed.senderKey);p256ecdsa=\(pushKey.publicKey)"))
    }
    let (key, contact) = (pushKey, instance.base.text)
    return OutgoingRequest(url: subscription.endpoint, headers: headers, body: body, maximumResponse: 64 << 10) {
      // For the host it goes to, and no other: made anew should it be sent on.
      target in
      let token = try key.token(for: target.url, contact: contact, at: now)
      return [HeaderField("Authorization", isStandard ? "vapid t=\(token), k=\(key.publicKey)" : "WebPush \(token)")]
    }
  }
}

extension Limits {
  /// After two days nobody wants to be told any more.
  static let pushLife = Duration.seconds(2 * 86_400)
}
