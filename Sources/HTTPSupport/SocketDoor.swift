import NIOCore
import Primitives

/// The first handler of a connection. It passes everything on to HTTP until a handler of a route takes the connection
/// over: then what comes in is frames, and HTTP hears and says nothing any more.
///
/// That a route does it, and not the upgrade of the pipeline, has reasons: the request has passed the same table, the
/// same checks and the same limits as every other, on whichever request of a kept connection it came, and what is not
/// upgraded gets an ordinary answer (NIO 2.101.2 drops a request whose upgrade nobody accepts).
package final class SocketDoor: ChannelDuplexHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer
  package typealias OutboundIn = ByteBuffer

  private var reader: WebSocketReader?
  private var receive: (@Sendable (String) -> Void)?
  private var ended: (@Sendable () -> Void)?
  /// Beats since anything was heard.
  private var silentBeats = 0

  package init() {}

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard reader != nil else { return context.fireChannelRead(data) }
    silentBeats = 0
    for event in reader?.read(unwrapInboundIn(data).readableBytesView) ?? [] {
      switch event {
      case .text(let text): receive?(text)
      case .ping(let payload): send(WebSocketFrame.pong(payload), context)
      case .pong: break
      case .close: end(1000, context)
      case .fault(let code): end(code, context)
      }
    }
  }

  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard reader == nil else {
      promise?.succeed()
      return
    }
    context.write(data, promise: promise)
  }

  package func channelInactive(context: ChannelHandlerContext) {
    ended?()
    context.fireChannelInactive()
  }

  fileprivate func open(
    _ greeting: ByteBuffer, _ context: ChannelHandlerContext, receive: @escaping @Sendable (String) -> Void,
    ended: @escaping @Sendable () -> Void
  ) {
    reader = WebSocketReader()
    self.receive = receive
    self.ended = ended
    send(greeting, context)
  }

  fileprivate func send(
    _ frame: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil
  ) {
    context.writeAndFlush(NIOAny(frame), promise: promise)
  }

  /// A peer that has answered none of three beats is gone, whatever its connection says.
  fileprivate func beat(_ context: ChannelHandlerContext) {
    silentBeats += 1
    if silentBeats > 3 { context.close(promise: nil) } else { send(WebSocketFrame.ping, context) }
  }

  fileprivate func end(_ code: Int, _ context: ChannelHandlerContext) {
    send(WebSocketFrame.close(code), context)
    context.close(promise: nil)
  }
}

/// A connection that a route has taken over.
package struct WebSocket: Sendable {
  private let channel: any Channel

  /// Nil when the request asks for no WebSocket, or the server has no door for it: the route answers in HTTP.
  package init?(
    takingOver channel: any Channel, key: String, protocolName: String?,
    receive: @escaping @Sendable (String) -> Void, ended: @escaping @Sendable () -> Void
  ) async throws {
    self.channel = channel
    var head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += "Sec-WebSocket-Accept: \(WebSocketFrame.accept(key))\r\n"
    if let protocolName { head += "Sec-WebSocket-Protocol: \(protocolName)\r\n" }
    let greeting = ByteBuffer(string: head + "\r\n")
    let isOpen = try await channel.eventLoop.submit {
      guard let (door, context) = WebSocket.door(of: channel) else { return false }
      door.open(greeting, context, receive: receive, ended: ended)
      return true
    }.get()
    guard isOpen else { return nil }
  }

  private static func door(of channel: any Channel) -> (SocketDoor, ChannelHandlerContext)? {
    do {
      let context = try channel.pipeline.syncOperations.context(handlerType: SocketDoor.self)
      return (context.handler as? SocketDoor).map { ($0, context) }
    } catch { return nil }
  }

  /// Returns when the frame has left this process, so that whoever writes is as slow as the one who reads.
  package func send(_ text: [UInt8]) async throws {
    let channel = channel
    try await channel.eventLoop.flatSubmit {
      let written = channel.eventLoop.makePromise(of: Void.self)
      if let (door, context) = WebSocket.door(of: channel) {
        door.send(WebSocketFrame.text(text), context, written)
      } else {
        written.fail(ChannelError.ioOnClosedChannel)
      }
      return written.futureResult
    }.get()
  }

  package func beat() async throws {
    let channel = channel
    try await channel.eventLoop.submit {
      if let (door, context) = WebSocket.door(of: channel) { door.beat(context) }
    }.get()
  }

  package func close(_ code: Int) async throws {
    let channel = channel
    try await channel.eventLoop.submit {
      if let (door, context) = WebSocket.door(of: channel) { door.end(code, context) }
    }.get()
  }
}
