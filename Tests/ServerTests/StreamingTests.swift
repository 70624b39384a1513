import ClientAPI
import Foundation
import HTTPSupport
import Model
import NIOCore
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

@Suite(.serialized) struct `Streams` {
  private func with(
    _ body: @escaping (TestInstance, Resident, Resident) async throws -> Void
  ) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9")
    let mika = try await instance.resident("mika")
    let nora = try await instance.resident("nora")
    do { try await body(instance, mika, nora) } catch {
      try await instance.stop()
      throw error
    }
    try await instance.stop()
  }

  private func socket(
    _ instance: TestInstance, _ query: String, token: String?, headers: String = ""
  ) async throws -> SocketClient {
    let bearer = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return try await SocketClient(
      port: instance.port,
      """
      GET /api/v1/streaming\(query) HTTP/1.1\r
      Host: paper.test\r
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
      \(bearer)\(headers)\r

      """)
  }

  private func post(_ instance: TestInstance, _ text: String, as who: Resident, _ more: JSON = [:]) async throws -> JSON
  {
    var body: JSON = ["status": .string(text)]
    for (key, value) in more.pairs { body[key] = value }
    return try #require(try await instance.api("POST", "/api/v1/statuses", as: who, json: body).json)
  }

  @Test func `a socket hears posts, edits, notices and deletions of its account, and two of one account both`()
    async throws
  {
    try await with { instance, mika, nora in
      _ = try await instance.api("POST", "/api/v1/accounts/\(nora.account.id)/follow", as: mika)
      let first = try await socket(instance, "?stream=user", token: mika.token)
      let second = try await socket(instance, "?stream=user&access_token=\(mika.token)", token: nil)
      for client in [first, second] {
        #expect(await client.until { $0.text.contains("\r\n\r\n") })
        #expect(client.text.hasPrefix("HTTP/1.1 101"))
        #expect(client.text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
      }
      let made = try await post(instance, "hello @mika", as: nora)
      let id = try #require(made["id"]?.string)
      for client in [first, second] {
        #expect(await client.until { !$0.events("update").isEmpty && !$0.events("notification").isEmpty })
        let update = try #require(client.events("update").first)
        #expect(update["stream"] == ["user"])
        let payload = try JSON(parsing: Array((update["payload"]?.string ?? "").utf8))
        #expect(payload["id"]?.string == id)
        #expect(payload["account"]?["username"] == "nora")
      }
      await second.close()
      _ = try await instance.api("PUT", "/api/v1/statuses/\(id)", as: nora, json: ["status": "edited @mika"])
      #expect(await first.until { !$0.events("status.update").isEmpty })
      _ = try await instance.api("DELETE", "/api/v1/statuses/\(id)", as: nora)
      #expect(await first.until { $0.events("delete").first?["payload"]?.string == id })
      await first.close()
    }
  }

  @Test func `one socket listens to many streams, and to none it was not let into`() async throws {
    try await with { instance, mika, nora in
      let narrow = try await instance.resident("narrow", scopes: "read:lists")
      let client = try await socket(instance, "", token: mika.token)
      #expect(await client.until { $0.text.contains("101") })
      try await client.send(SocketClient.frame(#"{"type":"subscribe","stream":"hashtag","tag":"Ink"}"#))
      try await client.send(SocketClient.frame(#"{"type":"subscribe","stream":"public:local"}"#))
      try await client.send(SocketClient.frame(#"{"type":"subscribe","stream":"no_such"}"#))
      #expect(
        await client.until { $0.messages.contains { $0["error"] == "Unknown stream type" && $0["status"] == 400 } })
      _ = try await post(instance, "fresh #ink", as: nora)
      #expect(await client.until { $0.events("update").count == 2 })
      #expect(
        Set(client.events("update").compactMap { $0["stream"]?.array?.first?.string }) == ["hashtag", "public:local"])
      _ = try await post(instance, "for few #ink", as: nora, ["visibility": "private"])
      try await client.send(SocketClient.frame(#"{"type":"unsubscribe","stream":"public:local"}"#))
      try await client.send(SocketClient.frame("ping", opcode: 0x89))
      #expect(await client.until { $0.bytes.suffix(6) == [0x8a, 4] + Array("ping".utf8) })
      _ = try await post(instance, "more #ink", as: nora)
      #expect(await client.until { $0.events("update").count == 3 })
      #expect(client.events("update").last?["stream"] == ["hashtag", "ink"])
      await client.close()
      let other = try await socket(instance, "", token: narrow.token)
      #expect(await other.until { $0.text.contains("101") })
      try await other.send(SocketClient.frame(#"{"type":"subscribe","stream":"user"}"#))
      #expect(await other.until { $0.messages.contains { $0["status"] == 403 } })
      await other.close()
    }
  }

  @Test func `server-sent events come with their names, and the token may stand among the protocols`() async throws {
    try await with { instance, mika, nora in
      let events = try await SocketClient(
        port: instance.port,
        "GET /api/v1/streaming/public/local?access_token=\(mika.token) HTTP/1.1\r\nHost: paper.test\r\n\r\n")
      #expect(await events.until { $0.text.contains(":)") })
      #expect(events.text.contains("text/event-stream"))
      let socket = try await socket(
        instance, "?stream=public", token: nil, headers: "Sec-WebSocket-Protocol: \(mika.token)\r\n")
      #expect(await socket.until { $0.text.contains("Sec-WebSocket-Protocol: \(mika.token)") })
      let made = try await post(instance, "out", as: nora)
      #expect(await events.until { $0.text.contains("event: update\ndata: {\"id\":\"\(made["id"]?.string ?? "")\"") })
      #expect(await socket.until { $0.events("update").count == 1 })
      instance.services.streams.beat()
      #expect(await events.until { $0.text.contains(":thump") })
      #expect(await socket.until { $0.bytes.suffix(2) == [0x89, 0] })
      for client in [events, socket] { await client.close() }
      let health = try await instance.api("GET", "/api/v1/streaming/health")
      #expect(health.text == "OK")
    }
  }

  @Test(arguments: [
    ("?stream=user", nil, 401), ("?stream=user", "nobody", 401), ("?stream=nothing", "mika", 400),
    ("?stream=hashtag", "mika", 400), ("?stream=list&list=x", "mika", 400), ("?stream=user", "lists", 403),
  ]) func `what is refused is answered in HTTP`(query: String, who: String?, status: Int) async throws {
    try await with { instance, mika, _ in
      _ = try await instance.resident("lists", scopes: "read:lists")
      let client = try await socket(instance, query, token: who.map { "token-of-\($0)" })
      #expect(await client.until { $0.text.contains("\r\n\r\n") })
      #expect(client.text.hasPrefix("HTTP/1.1 \(status)"), "\(client.text)")
      #expect(instance.services.streams.count == 0)
      await client.close()
    }
  }

  /// Cases E116 and L257.
  @Test(arguments: ["revoked", "suspended", "new password"])
  func `a stream ends when its token does, and does not come back`(why: String) async throws {
    try await with { instance, mika, nora in
      let socket = try await socket(instance, "?stream=user", token: mika.token)
      let events = try await SocketClient(
        port: instance.port,
        "GET /api/v1/streaming/user?access_token=\(mika.token) HTTP/1.1\r\nHost: paper.test\r\n\r\n")
      let others = try await self.socket(instance, "?stream=user", token: nora.token)
      for client in [socket, others] { #expect(await client.until { $0.text.contains("101") }) }
      #expect(await events.until { $0.text.contains(":)") })
      let context = instance.services.context
      let account = mika.account
      try await instance.database.write { tx in
        switch why {
        case "revoked": try tx.revokeEverything(of: account.id, at: context.now)
        case "suspended": try tx.suspend(account, in: context)
        default: try tx.changePassword(of: account.id, to: "x", in: context)
        }
      }
      #expect(await socket.until(within: .seconds(5)) { $0.isClosed || $0.bytes.suffix(4) == [0x88, 2, 3, 232] })
      #expect(await events.until(within: .seconds(5)) { $0.isClosed || $0.text.hasSuffix("0\r\n\r\n") })
      #expect(instance.services.streams.count == 1)
      let again = try await self.socket(instance, "?stream=user", token: mika.token)
      #expect(await again.until { $0.text.hasPrefix("HTTP/1.1 401") })
      for client in [socket, events, others, again] { await client.close() }
    }
  }

  @Test func `an account opens so many and no more, and one that goes makes room`() async throws {
    try await with { instance, mika, _ in
      var clients: [SocketClient] = []
      for _ in 0..<Limits.streamsPerAccount {
        clients.append(try await socket(instance, "?stream=user", token: mika.token))
      }
      for client in clients { #expect(await client.until { $0.text.contains("101") }) }
      let tooMany = try await socket(instance, "?stream=user", token: mika.token)
      #expect(await tooMany.until { $0.text.hasPrefix("HTTP/1.1 429") })
      await clients.removeLast().close()
      let streams = instance.services.streams
      #expect(
        await tooMany.until { _ in streams.count < Limits.streamsPerAccount }
          || streams.count < Limits.streamsPerAccount)
      for client in clients + [tooMany] { await client.close() }
    }
  }

  @Test(
    arguments: [
      [0x81, 0x05], [0xf1, 0x85, 1, 2, 3, 4], [0x82, 0x81, 1, 2, 3, 4, 0], [0x81, 0xff], [0x80, 0x81, 1, 2, 3, 4, 0],
      [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], [0x09, 0x80, 1, 2, 3, 4],
    ] as [[UInt8]]) func `what is no WebSocket ends it, and nothing traps`(bytes: [UInt8])
  {
    var reader = WebSocketReader()
    let events = reader.read(bytes)
    guard case .fault = events.last else {
      Issue.record("\(events)")
      return
    }
  }

  @Test func `a message comes whole from however many pieces, with a ping between`() {
    var reader = WebSocketReader()
    func masked(_ first: UInt8, _ text: String) -> [UInt8] { SocketClient.frame(text, opcode: first) }
    let bytes = masked(0x01, "he") + masked(0x89, "?") + masked(0x80, "llo")
    var events: [WebSocketReader.Event] = []
    for byte in bytes { events += reader.read([byte]) }
    #expect(events == [.ping(Array("?".utf8)), .text("hello")])
    #expect(WebSocketFrame.text(Array(repeating: 65, count: 70_000)).readableBytes == 70_010)
  }

  /// Who does not read is cut off, and nobody else waits.
  @Test func `a reader that is too slow loses its stream`() async throws {
    try await with { instance, mika, _ in
      let slow = try await SocketClient(
        port: instance.port,
        "GET /api/v1/streaming/user?access_token=\(mika.token) HTTP/1.1\r\nHost: paper.test\r\n\r\n")
      #expect(await slow.until { $0.text.contains(":)") })
      let hub = instance.services.streams
      for _ in 0..<(Limits.streamLines * 40) where hub.count > 0 { hub.beat() }
      #expect(hub.count == 0)
      await slow.close()
    }
  }
}
