import HTTPSupport
import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 with a door in front, through which a route may take a connection over for a WebSocket.
package struct DooredChannel: ServerChildChannel {
  package typealias Value = HTTP1Channel.Value
  private let base: HTTP1Channel

  package init(responder: @escaping HTTP1Channel.Responder) {
    base = HTTP1Channel(responder: responder, configuration: .init(idleTimeout: .seconds(60)))
  }

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(SocketDoor())
    }.flatMap { base.setup(channel: channel, logger: logger) }
  }

  package func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

extension HTTPServerBuilder {
  package static var doored: HTTPServerBuilder { HTTPServerBuilder { DooredChannel(responder: $0) } }
}
