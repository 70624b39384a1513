import Foundation
import NIOCore
import NIOPosix
import Primitives
import Synchronization
import TestSupport

/// A connection that stays: what is sent and what comes, without a protocol.
final class SocketClient: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isClosed = false
    var waiters: [@Sendable () -> Void] = []
  }
  private let state = Mutex(State())
  private let channel: any Channel

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let take: @Sendable ([UInt8]?) -> Void
    init(_ take: @escaping @Sendable ([UInt8]?) -> Void) { self.take = take }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      take(Array(unwrapInboundIn(data).readableBytesView))
    }
    func channelInactive(context: ChannelHandlerContext) { take(nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  init(port: Int, _ request: String, from group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton)
    async throws
  {
    let box = Mutex<(@Sendable ([UInt8]?) -> Void)?>(nil)
    let (parts, yield) = AsyncStream.makeStream(of: [UInt8]?.self)
    _ = box
    channel = try await ClientBootstrap(group: group)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector { yield.yield($0) })
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    arrivals = parts
    try await channel.writeAndFlush(ByteBuffer(string: request))
  }

  private let arrivals: AsyncStream<[UInt8]?>

  var isClosed: Bool { state.withLock { $0.isClosed } }
  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Waits until what has come satisfies `look`; false when the connection ends or nothing more comes in time.
  func until(within limit: Duration = .seconds(20), _ look: @escaping @Sendable (SocketClient) -> Bool) async -> Bool {
    if look(self) { return true }
    return await withTaskGroup(of: Bool?.self) { group in
      group.addTask { [self] in
        for await part in arrivals {
          state.withLock { state in
            if let part { state.bytes += part } else { state.isClosed = true }
          }
          if look(self) { return true }
          if part == nil { return false }
        }
        return look(self)
      }
      group.addTask {
        do { try await Task.sleep(for: limit) } catch {}
        return nil
      }
      defer { group.cancelAll() }
      return await (group.next() ?? nil) ?? false
    }
  }

  func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
  func close() async { do { try await channel.close() } catch {} }

  /// A masked text frame, as a client has to send it.
  static func frame(_ text: String, opcode: UInt8 = 0x81) -> [UInt8] {
    let payload = Array(text.utf8)
    let mask: [UInt8] = [1, 2, 3, 4]
    let length: [UInt8] =
      payload.count < 126
      ? [0x80 | UInt8(payload.count)] : [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    return [opcode] + length + mask + payload.enumerated().map { $0.element ^ mask[$0.offset & 3] }
  }

  /// The JSON of every text frame that has come after the head.
  var messages: [JSON] {
    let all = bytes
    guard let head = all.indices.first(where: { all[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else { return [] }
    var rest = all[(head + 4)...]
    var found: [JSON] = []
    while rest.count >= 2 {
      let first = rest[rest.startIndex]
      var length = Int(rest[rest.startIndex + 1] & 0x7f)
      var start = rest.startIndex + 2
      if length == 126 {
        guard rest.count >= 4 else { break }
        length = Int(rest[start]) << 8 | Int(rest[start + 1])
        start += 2
      }
      guard start + length <= rest.endIndex else { break }
      if first == 0x81, let json = try? JSON(parsing: Array(rest[start..<(start + length)])) { found.append(json) }
      rest = rest[(start + length)...]
    }
    return found
  }

  func events(_ name: String) -> [JSON] { messages.filter { $0["event"]?.string == name } }
}
