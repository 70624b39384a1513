import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Every other server there is, on one loopback port; told apart by the name they are asked under. Speaks bytes, so
/// that it can lie in every way.
package final class FakePeer: Sendable {
  package typealias Script = @Sendable (WireRequest) -> WireReply

  package let port: Int
  private let channel: any Channel
  private let log: Log

  package var requests: [WireRequest] { log.requests.withLock { $0 } }
  /// What was asked for, as `GET https://victim.test/users/bob`.
  package var asked: [String] { requests.map { "\($0.method) \($0.url)" } }

  package init(_ script: @escaping Script) async throws {
    let context = try TLSParts.server()
    let log = Log()
    self.log = log
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.addHandler(PeerHandler(log, script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  package func stop() async { try? await channel.close() }

  fileprivate final class Log: Sendable {
    let requests = Mutex<[WireRequest]>([])
  }
}

package enum TLSParts {
  package static func server() throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.leaf.utf8))
    let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.leafKey.utf8), format: .pem)
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
  }

  package static func client() throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(
      try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authority.utf8)))
    return try NIOSSLContext(configuration: configuration)
  }
}

private final class PeerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let log: FakePeer.Log
  private let script: FakePeer.Script
  private var received: [UInt8] = []

  init(_ log: FakePeer.Log, _ script: @escaping FakePeer.Script) {
    self.log = log
    self.script = script
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    guard let message = WireMessage(received) else { return }
    received = []
    let first = message.first.split(separator: " ")
    guard first.count >= 2 else { return context.close(promise: nil) }
    let headers = Dictionary(message.headers.map { ($0.name, $0.value) }) { _, last in last }
    let request = WireRequest(
      method: String(first[0]), target: String(first[1]), headers: headers, body: message.body)
    log.requests.withLock { $0.append(request) }
    act(script(request), context)
  }

  private func act(_ reply: WireReply, _ context: ChannelHandlerContext) {
    func send(_ bytes: [UInt8]) { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil) }
    let channel = context.channel
    switch reply {
    case .bytes(let bytes, let close):
      send(bytes)
      if close { context.close(promise: nil) }
    case .drip(let bytes):
      send(bytes)
      channel.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(5), delay: .milliseconds(5)) { task in
        if channel.isActive { channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil) } else { task.cancel() }
      }
    case .flood(let bytes):
      send(bytes)
      let chunk = ByteBuffer(repeating: 120, count: 65_536)
      channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { task in
        if channel.isActive, channel.isWritable {
          channel.writeAndFlush(chunk, promise: nil)
        } else if !channel.isActive {
          task.cancel()
        }
      }
    case .nothing: break
    case .hangUp: context.close(promise: nil)
    }
  }
}
