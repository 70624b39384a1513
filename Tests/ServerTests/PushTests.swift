import Crypto
import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing
import Transport

/// The far end of a push: what a browser or an app does with a message.
private struct Listener {
  let key = P256.KeyAgreement.PrivateKey()
  let secret = [UInt8](repeating: 7, count: 16)

  var point: [UInt8] { Array(key.publicKey.x963Representation) }

  private func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
  }

  private func shared(_ sender: [UInt8]) throws -> [UInt8] {
    let other = try P256.KeyAgreement.PublicKey(x963Representation: sender)
    return try key.sharedSecretFromKeyAgreement(with: other).withUnsafeBytes { Array($0) }
  }

  private func open(_ sealed: [UInt8], _ key: [UInt8], _ nonce: [UInt8]) throws -> [UInt8] {
    let box = try AES.GCM.SealedBox(
      nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed.dropLast(16), tag: sealed.suffix(16))
    return Array(try AES.GCM.open(box, using: SymmetricKey(data: key)))
  }

  /// RFC 8291.
  func read(standard body: [UInt8]) throws -> JSON {
    let salt = Array(body.prefix(16))
    let sender = Array(body[21..<86])
    let material = hmac(
      hmac(secret, try shared(sender)), Array("WebPush: info".utf8) + [0] + point + sender + [1])
    let root = hmac(salt, material)
    let key = hmac(root, Array("Content-Encoding: aes128gcm".utf8) + [0, 1]).prefix(16)
    let nonce = hmac(root, Array("Content-Encoding: nonce".utf8) + [0, 1]).prefix(12)
    return try JSON(parsing: try open(Array(body[86...]), Array(key), Array(nonce)).dropLast())
  }

  /// The draft before it.
  func read(legacy body: [UInt8], salt: String, sender: String) throws -> JSON {
    let sender = try #require(Base64.decodeURL(sender))
    let material = hmac(
      hmac(secret, try shared(sender)), Array("Content-Encoding: auth".utf8) + [0, 1])
    let root = hmac(try #require(Base64.decodeURL(salt)), material)
    let context = Array("P-256".utf8) + [0, 0, 65] + point + [0, 65] + sender
    let key = hmac(root, Array("Content-Encoding: aesgcm".utf8) + [0] + context + [1]).prefix(16)
    let nonce = hmac(root, Array("Content-Encoding: nonce".utf8) + [0] + context + [1]).prefix(12)
    return try JSON(parsing: try open(body, Array(key), Array(nonce)).dropFirst(2))
  }
}

@Suite struct `Push messages` {
  private final class House: Sendable {
    let world: TestWorld
    let instance: TestInstance
    let peer: FakePeer
    let mika: Resident
    let mona: Resident
    fileprivate let listener = Listener()

    init(answers: @escaping @Sendable (WireRequest) -> WireReply = { _ in .answer(201) }) async throws {
      world = try TestWorld()
      instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9", works: false)
      peer = try await FakePeer(answers)
      world.internet.name("push.peers.test", ["45.0.0.77"])
      world.internet.lead("45.0.0.77", to: peer.port)
      mika = try await instance.resident("mika", scopes: "read write follow push")
      mona = try await instance.resident("mona")
    }

    func close() async throws {
      try await instance.stop()
      world.remove()
    }

    func subscribe(
      _ change: JSON = [:], endpoint: String = "https://push.peers.test/send/1", isStandard: Bool = true,
      alerts: JSON = ["follow": true, "mention": true, "favourite": "1"], policy: String? = nil
    ) async throws -> WireAnswer {
      var data: JSON = ["alerts": alerts]
      if let policy { data["policy"] = .string(policy) }
      return try await instance.api(
        "POST", "/api/v1/push/subscription", as: mika,
        json: [
          "subscription": [
            "endpoint": .string(endpoint), "standard": .bool(isStandard),
            "keys": [
              "p256dh": .string(Base64.encodeURL(listener.point)), "auth": .string(Base64.encodeURL(listener.secret)),
            ],
          ], "data": data,
        ])
    }

    func mention(_ text: String = "Look, @mika, a lake") async throws {
      let answer = try await instance.api(
        "POST", "/api/v1/statuses", as: mona, json: ["status": .string(text), "visibility": "public"])
      #expect(answer.status == 200, "\(answer.text)")
    }

    var queued: Int {
      get async throws {
        try await instance.database.read { try $0.jobCounts() }.filter { $0.lane == "push" }.map(\.count).reduce(0, +)
      }
    }

    func sendOnce() async throws {
      let services = instance.services
      let now = services.time.now()
      let leases = try await instance.database.write {
        try $0.leaseJobs(in: .push, at: now, until: now.adding(.seconds(60)), limit: 50)
      }
      for lease in leases {
        guard case .push(let id, let subscription) = lease.job else { continue }
        try await services.push(id, to: subscription, lease)
      }
    }
  }

  @Test(arguments: [true, false])
  func `reach the app sealed, in the form it asked for, with a token of ours`(isStandard: Bool) async throws {
    let house = try await House()
    let server = try await house.instance.api("GET", "/api/v2/instance").json?["configuration"]?["vapid"]
    let publicKey = try #require(server?["public_key"]?.string)
    #expect(Base64.decodeURL(publicKey)?.count == 65)
    let made = try await house.subscribe(isStandard: isStandard)
    #expect(made.status == 200, "\(made.text)")
    #expect(made.json?["server_key"]?.string == publicKey && made.json?["standard"]?.bool == isStandard)
    #expect(made.json?["alerts"]?["mention"] == true && made.json?["alerts"]?["poll"] == false)
    #expect(made.json?["id"]?.string != nil && made.json?["policy"] == "all")
    try await house.mention()
    #expect(try await house.queued == 1)
    try await house.sendOnce()
    #expect(try await house.queued == 0)
    let request = try #require(house.peer.requests.first)
    #expect(request.method == "POST" && request.url == "https://push.peers.test/send/1")
    #expect(request.headers["ttl"] == "172800" && request.headers["urgency"] == "normal")
    #expect((request.headers["topic"]?.utf8.count ?? 99) <= 32)
    let payload: JSON
    let authorization = try #require(request.headers["authorization"])
    let token: String
    if isStandard {
      #expect(request.headers["content-encoding"] == "aes128gcm")
      payload = try house.listener.read(standard: request.body)
      let parts = authorization.dropFirst("vapid t=".count).components(separatedBy: ", k=")
      #expect(parts.last == publicKey)
      token = try #require(parts.first)
    } else {
      #expect(request.headers["content-encoding"] == "aesgcm")
      let salt = try #require(request.headers["encryption"]).dropFirst("salt=".count)
      let keys = try #require(request.headers["crypto-key"]).components(separatedBy: ";")
      #expect(keys.last == "p256ecdsa=\(publicKey)")
      let sender = try #require(keys.first).dropFirst("dh=".count)
      payload = try house.listener.read(legacy: request.body, salt: String(salt), sender: String(sender))
      token = String(authorization.dropFirst("WebPush ".count))
    }
    let middle = try #require(token.split(separator: ".").dropFirst().first)
    let claims = try JSON(parsing: try #require(Base64.decodeURL(middle)))
    #expect(claims["aud"] == "https://push.peers.test")
    #expect(payload["access_token"]?.string == house.mika.token)
    #expect(payload["notification_type"] == "mention" && payload["preferred_locale"] == "en")
    #expect(payload["notification_id"]?.integer != nil)
    #expect(payload["title"] == "mona mentioned you" && payload["body"] == "Look, @mika, a lake")
    #expect(payload["icon"]?.string?.hasPrefix("https://paper.test/") == true)
    try await house.close()
  }

  @Test func `are what the app asked for, from whom it asked for, and nothing from the muted`() async throws {
    let house = try await House()
    func count(_ policy: String, alerts: JSON = ["mention": true]) async throws -> Int {
      _ = try await house.subscribe(alerts: alerts, policy: policy)
      let before = try await house.queued
      try await house.mention()
      return try await house.queued - before
    }
    #expect(try await count("all") == 1)
    #expect(try await count("all", alerts: ["follow": true]) == 0)
    #expect(try await count("none") == 0)
    #expect(try await count("followed") == 0)
    #expect(try await count("follower") == 0)
    let mona = house.mona.account.id
    _ = try await house.instance.api("POST", "/api/v1/accounts/\(mona)/follow", as: house.mika)
    #expect(try await count("followed") == 1)
    #expect(try await count("follower") == 0)
    _ = try await house.instance.api("POST", "/api/v1/accounts/\(house.mika.account.id)/follow", as: house.mona)
    #expect(try await count("follower") == 1)
    _ = try await house.instance.api("POST", "/api/v1/accounts/\(mona)/mute", as: house.mika)
    #expect(try await count("all") == 0)
    try await house.close()
  }

  @Test func `end with the subscription, the token, and the account`() async throws {
    let house = try await House(answers: { $0.url.hasSuffix("/gone") ? .answer(410) : .answer(201) })
    _ = try await house.subscribe(endpoint: "https://push.peers.test/gone")
    try await house.mention()
    try await house.sendOnce()
    #expect(house.peer.requests.count == 1)
    #expect(try await house.instance.api("GET", "/api/v1/push/subscription", as: house.mika).status == 404)
    try await house.mention()
    #expect(try await house.queued == 0)
    // L257: what waits is not sent in the name of a token that has ended.
    _ = try await house.subscribe()
    try await house.mention()
    let (mika, context) = (house.mika.account, house.instance.services.context)
    try await house.instance.database.write { try $0.changePassword(of: mika.id, to: "x", in: context) }
    try await house.sendOnce()
    #expect(house.peer.requests.count == 1)
    #expect(try await house.queued == 0)
    try await house.close()
  }

  @Test func `are tried again while their service is in trouble, and given up after two days`() async throws {
    let house = try await House(answers: { _ in .answer(503, headers: [("Retry-After", "120")]) })
    _ = try await house.subscribe()
    try await house.mention()
    try await house.sendOnce()
    try await house.sendOnce()
    #expect(house.peer.requests.count == 1)
    house.world.clock.advance(by: .seconds(400))
    try await house.sendOnce()
    #expect(house.peer.requests.count == 2)
    #expect(try await house.queued == 1)
    let topics = house.peer.requests.compactMap { $0.headers["topic"] }
    #expect(Set(topics).count == 1, "the second takes the place of the first")
    house.world.clock.advance(by: .seconds(3 * 86_400))
    try await house.sendOnce()
    #expect(house.peer.requests.count == 2)
    #expect(try await house.queued == 0)
    try await house.close()
  }

  @Test(
    arguments: [
      "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.1/x", "https://localhost/x",
      "https://169.254.169.254/latest/meta-data", "https://inside.test/x", "https://push.peers.test:22/x",
      "https://0x7f000001/x", "https://2130706433/x",
    ])
  func `go to no address inside`(endpoint: String) async throws {
    let house = try await House()
    house.world.internet.name("inside.test", ["192.168.0.1"])
    let answer = try await house.subscribe(endpoint: endpoint)
    guard answer.status == 200 else { return try await house.close() }
    try await house.mention()
    try await house.sendOnce()
    #expect(house.world.internet.sent == 0 && house.peer.requests.isEmpty)
    #expect(try await house.queued == 0, "and are not tried for ever")
    try await house.close()
  }

  @Test(
    arguments: [
      "http://push.peers.test/x", "ftp://push.peers.test/x", "https://user:pass@push.peers.test/x", "", "x",
      "https://push.peers.test/" + String(repeating: "x", count: 3_000),
    ])
  func `are not subscribed to at what is no address of a push service`(endpoint: String) async throws {
    let house = try await House()
    #expect(try await house.subscribe(endpoint: endpoint).status == 422)
    try await house.close()
  }

  @Test func `are subscribed to by form and JSON, changed, shown and ended by their own token`() async throws {
    let house = try await House()
    let point = Data(house.listener.point).base64EncodedString()
    let form = [
      "subscription[endpoint]": "https://push.peers.test/1", "subscription[keys][p256dh]": point,
      "subscription[keys][auth]": Data(house.listener.secret).base64EncodedString(), "data[alerts][mention]": "true",
      "data[alerts][follow]": "false", "data[policy]": "followed",
    ]
    let body = form.map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    let headers = [
      ("Authorization", "Bearer \(house.mika.token)"), ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    let made = try await house.instance.client.request(
      "POST", "/api/v1/push/subscription", host: "paper.test", headers: headers, body: Array(body.utf8))
    #expect(made.status == 200, "\(made.text)")
    #expect(made.json?["policy"] == "followed" && made.json?["standard"] == false)
    let changed = try await house.instance.api(
      "PUT", "/api/v1/push/subscription", as: house.mika,
      json: ["data": ["alerts": ["follow": true, "mention": false], "policy": "all"]])
    #expect(changed.json?["alerts"]?["follow"] == true && changed.json?["alerts"]?["mention"] == false)
    #expect(changed.json?["id"] == made.json?["id"] && changed.json?["policy"] == "all")
    #expect(try await house.instance.api("GET", "/api/v1/push/subscription", as: house.mika).json == changed.json)
    #expect(try await house.instance.api("GET", "/api/v1/push/subscription", as: house.mona).status == 403)
    #expect(try await house.subscribe(policy: "everybody").status == 422)
    let ended = try await house.instance.api("DELETE", "/api/v1/push/subscription", as: house.mika)
    #expect(ended.status == 200 && ended.json == [:])
    #expect(try await house.instance.api("GET", "/api/v1/push/subscription", as: house.mika).status == 404)
    try await house.close()
  }

  @Test func `L264 leave neither the app's token nor the server's key in the database`() async throws {
    let house = try await House()
    _ = try await house.subscribe()
    let stored = try await house.instance.database.read { tx in
      let keys = try tx.rows("SELECT value FROM settings").map { try $0.string("value") }
      let sealed = try tx.rows("SELECT sealed_token FROM push_subscriptions").map { try $0.bytes("sealed_token") }
      return keys.joined() + sealed.map { String(decoding: $0, as: UTF8.self) }.joined()
    }
    #expect(!stored.contains(house.mika.token))
    let before = try await house.instance.api("GET", "/api/v2/instance").json?["configuration"]?["vapid"]
    try await house.instance.stop()
    let again = try await TestInstance("paper.test", in: house.world, address: "45.0.0.9", works: false)
    let after = try await again.api("GET", "/api/v2/instance").json?["configuration"]?["vapid"]
    #expect(before == after, "subscriptions outlive a restart only with the key they were made for")
    try await again.stop()
    house.world.remove()
  }
}
