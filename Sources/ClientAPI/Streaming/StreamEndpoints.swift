import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import NIOCore
import Persistence
import Primitives
import Store

extension ClientAPI {
  var streamRoutes: [Route] {
    let streams: [(path: String, name: String)] = [
      ("user", "user"), ("user/notification", "user:notification"), ("public", "public"),
      ("public/local", "public:local"), ("public/remote", "public:remote"), ("hashtag", "hashtag"),
      ("hashtag/local", "hashtag:local"), ("list", "list"), ("direct", "direct"),
    ]
    return [
      Route(.get, "/api/v1/streaming/health", .open) { _ in .text("OK") },
      Route(.get, "/api/v1/streaming", .anyToken) { call in try await listen(call, to: call.parameters["stream"]) },
    ]
      + streams.map { stream in
        Route(.get, "/api/v1/streaming/\(stream.path)", .anyToken) { call in try await listen(call, to: stream.name) }
      }
  }

  private static let unknown = Problem(
    .badRequest, "stream.unknown", "Unknown stream type", details: ["status": 400])

  private func channel(_ name: String, tag: String?, list: String?, onlyMedia: Bool) -> StreamChannel? {
    StreamChannel(name, tag: tag.map { normalizedHashtag($0) }, list: list, onlyMedia: onlyMedia)
  }

  /// A WebSocket where one is asked for, else events of the server.
  private func listen(_ call: Call, to name: String?) async throws -> Response {
    let bearer = try call.context.requireBearer()
    guard let tokenHash = call.context.tokenHash else { throw Problem.unauthenticated }
    var first: StreamChannel?
    if let name, !name.isEmpty {
      first = channel(
        name, tag: call.parameters["tag"], list: call.parameters["list"],
        onlyMedia: call.parameters.flag("only_media") ?? false)
      guard first != nil else { throw Self.unknown }
    }
    let isSocket = call.request.headers[.upgrade]?.lowercased() == "websocket"
    guard isSocket || first != nil else { throw Self.unknown }
    let channel = call.context.channel
    let address = rateKey(clientAddress(call.request, call.context))
    let (number, lines) = try streams.open(bearer, tokenHash: tokenHash, address: address) {
      channel.close(promise: nil)
    }
    _ = try await tapeEnd()
    // It may have ended since it was read, before this connection could be told.
    let isLive = try await database.read { try $0.bearer(tokenHash: tokenHash) != nil }
    guard isLive, first.map({ streams.subscribe(number, to: $0) }) ?? true else {
      streams.close(number)
      throw isLive
        ? Problem(.forbidden, "oauth.insufficient_scope", "This action is outside the authorized scopes")
        : Problem.unauthenticated
    }
    if isSocket { return try await serve(socketOf: call, number, lines) }
    return events(number, lines)
  }

  private func events(_ number: Int, _ lines: AsyncStream<StreamLine>) -> Response {
    let streams = streams
    var response = Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: ResponseBody { writer in
        defer { streams.close(number) }
        try await writer.write(ByteBuffer(string: ":)\n"))
        for await line in lines {
          switch line {
          case .beat: try await writer.write(ByteBuffer(string: ":thump\n"))
          case .event(_, let name, let payload):
            try await writer.write(ByteBuffer(string: "event: \(name)\ndata: \(payload)\n\n"))
          }
        }
        try await writer.finish(nil)
      })
    // nginx would keep it back until it has a buffer full.
    if let name = HTTPField.Name("X-Accel-Buffering") { response.headers[name] = "no" }
    return response
  }

  private func serve(
    socketOf call: Call, _ number: Int, _ lines: AsyncStream<StreamLine>
  ) async throws -> Response {
    defer { streams.close(number) }
    let headers = call.request.headers
    guard let key = headers[.secWebSocketKey], Base64.decode(key)?.count == 16,
      headers[.secWebSocketVersion] == "13"
    else {
      var response = Problem(.badRequest, "stream.handshake", "This is no WebSocket handshake").response
      response.headers[.secWebSocketVersion] = "13"
      return response
    }
    let streams = streams
    let hears: @Sendable (String) -> Void = { text in
      if let answer = heard(text, number) { streams.send(answer, to: number) }
    }
    let opened = try await WebSocket(
      takingOver: call.context.channel, key: key, protocolName: headers[.secWebSocketProtocol],
      receive: hears, ended: { streams.close(number) })
    guard let socket = opened else { throw Problem(.notImplemented, "stream.no_socket", "Use server-sent events") }
    do {
      for await line in lines {
        switch line {
        case .beat: try await socket.beat()
        case .event(let channel, let name, let payload): try await socket.send(message(channel, name, payload))
        }
      }
      try await socket.close(1000)
    } catch is ChannelError {}
    // The door lets nothing of HTTP through any more.
    return Response(status: .noContent)
  }

  private func message(_ channel: StreamChannel, _ name: String, _ payload: String) -> [UInt8] {
    if name == "error" { return Array(payload.utf8) }
    let message: JSON = [
      "stream": .array(channel.names.map { .string($0) }), "event": .string(name), "payload": .string(payload),
    ]
    return message.bytes
  }

  /// `{"type": "subscribe", "stream": "hashtag", "tag": "ink"}`; an answer only where something is wrong.
  private func heard(_ text: String, _ number: Int) -> StreamLine? {
    func wrong(_ sentence: String, _ status: Int64) -> StreamLine {
      let problem: JSON = ["error": .string(sentence), "status": .integer(status)]
      return .event(.user, name: "error", payload: problem.text)
    }
    let json: JSON
    do { json = try JSON(parsing: Array(text.utf8), depth: 4) } catch { return wrong("Invalid message", 400) }
    let list = json["list"]?.string ?? json["list"]?.integer.map { String($0) }
    guard let name = json["stream"]?.string,
      let channel = channel(name, tag: json["tag"]?.string, list: list, onlyMedia: json["only_media"]?.bool ?? false)
    else { return wrong("Unknown stream type", 400) }
    switch json["type"]?.string {
    case "subscribe":
      guard streams.subscribe(number, to: channel) else {
        return wrong("This action is outside the authorized scopes", 403)
      }
      return nil
    case "unsubscribe":
      streams.unsubscribe(number, from: channel)
      return nil
    default: return wrong("Unknown message type", 400)
    }
  }
}
