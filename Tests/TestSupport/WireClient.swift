import NIOCore
import NIOPosix
import NIOSSL
import Primitives

/// What a server answered.
package struct WireAnswer: Sendable {
  package let status: Int
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  package subscript(name: String) -> String? {
    let values = headers.filter { $0.name == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }
  package var text: String { String(decoding: body, as: UTF8.self) }
  package var json: JSON? { try? JSON(parsing: body, depth: 64) }
  /// The stable word of a refusal.
  package var code: String? { json?["reason"]?.string ?? json?["code"]?.string }
}

package enum WireFailure: Error { case noAnswer(String) }

/// Sends exactly the bytes it is given, on a connection of their own, and reads one answer.
package struct WireClient: Sendable {
  package let port: Int
  /// The name asked for in TLS; nil speaks plainly.
  package let tlsName: String?

  package init(port: Int, tlsName: String? = nil) {
    self.port = port
    self.tlsName = tlsName
  }

  package func send(_ bytes: [UInt8], within limit: TimeAmount = .seconds(30)) async throws -> WireAnswer {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let promise = loop.makePromise(of: [UInt8].self)
    let name = tlsName
    let context = name == nil ? nil : try TLSParts.client()
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            if let context {
              try channel.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: context, serverHostname: name))
            }
            try channel.pipeline.syncOperations.addHandler(AnswerCollector(promise))
          }
        }
        .connect(host: "127.0.0.1", port: port).get()
    } catch {
      promise.fail(error)
      throw error
    }
    let timer = loop.scheduleTask(in: limit) { channel.close(promise: nil) }
    channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    let received = try await promise.futureResult.get()
    timer.cancel()
    try? await channel.close()
    guard let message = WireMessage(received, atEnd: true) else {
      throw WireFailure.noAnswer(String(decoding: received.prefix(200), as: UTF8.self))
    }
    let status = message.first.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return WireAnswer(status: status, headers: message.headers, body: message.body)
  }

  /// Sends `bytes` up to the end of their head and `count` more, and goes away.
  package func breakOff(_ bytes: [UInt8], after count: Int) async throws {
    let head = bytes.indices.first { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) } ?? 0
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port).get()
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes.prefix(head + 4 + count)))
    try await channel.close()
  }

  /// A well-formed request. `Host` is `host` unless `headers` names one.
  package func request(
    _ method: String, _ target: String, host: String, headers: [(String, String)] = [], body: [UInt8] = []
  ) async throws -> WireAnswer {
    try await send(WireClient.bytes(method, target, host: host, headers: headers, body: body))
  }

  package static func bytes(
    _ method: String, _ target: String, host: String, headers: [(String, String)] = [], body: [UInt8] = []
  ) -> [UInt8] {
    var head = "\(method) \(target) HTTP/1.1\r\n"
    if !headers.contains(where: { $0.0.lowercased() == "host" }) { head += "Host: \(host)\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if method != "GET" || !body.isEmpty { head += "Content-Length: \(body.count)\r\n" }
    head += "Connection: close\r\n\r\n"
    return Array(head.utf8) + body
  }
}

private final class AnswerCollector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let promise: EventLoopPromise<[UInt8]>
  private var received: [UInt8] = []

  init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    if WireMessage(received) != nil, hasLength { promise.succeed(received) }
  }

  /// Without a length the end of the connection is the end of the answer.
  private var hasLength: Bool {
    WireMessage(received)?.headers.contains { ["content-length", "transfer-encoding"].contains($0.name) } == true
  }

  func channelInactive(context: ChannelHandlerContext) { promise.succeed(received) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
