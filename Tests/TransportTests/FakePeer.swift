import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import Synchronization
import Transport

/// What a peer got, cut out of the bytes on the wire.
struct WireRequest: Sendable {
  let method: String
  let target: String
  let headers: [String: String]
  let body: String
}

/// What a peer does with a request.
enum WireReply: Sendable {
  /// Exactly these bytes; then the connection closes or waits for another request.
  case bytes(String, close: Bool)
  /// These bytes, then one more byte every few milliseconds for ever.
  case drip(String)
  /// These bytes, then as much as the peer takes, for ever.
  case flood(String)
  case nothing
  case hangUp

  static func ok(_ body: String = "ok", headers: String = "") -> WireReply {
    .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)", close: false)
  }

  static func redirect(_ status: Int, _ location: String) -> WireReply {
    .bytes("HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n", close: false)
  }
}

/// A peer on a loopback port. Speaks bytes, so that it can lie in every way.
final class FakePeer: Sendable {
  typealias Script = @Sendable (WireRequest) -> WireReply

  let port: Int
  private let channel: any Channel
  private let seen = Mutex<[WireRequest]>([])
  private let accepted = Mutex(0)

  var requests: [WireRequest] { seen.withLock { $0 } }
  var connections: Int { accepted.withLock { $0 } }

  init(tls: Bool = true, _ script: @escaping Script) async throws {
    let context: NIOSSLContext? =
      tls
      ? try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.leaf.utf8)).map {
            .certificate($0)
          },
          privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.leafKey.utf8), format: .pem))))
      : nil
    let shared = Box()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
          try channel.pipeline.syncOperations.addHandler(WireHandler(shared, script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    shared.value.withLock { $0 = self }
  }

  func stop() async { try? await channel.close() }

  fileprivate func note(_ request: WireRequest) { seen.withLock { $0.append(request) } }
  fileprivate func noteConnection() { accepted.withLock { $0 += 1 } }

  fileprivate final class Box: Sendable {
    let value = Mutex<FakePeer?>(nil)
    var peer: FakePeer? { value.withLock { $0 } }
  }

  private final class WireHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let box: Box
    private let script: Script
    private var received = ""

    init(_ box: Box, _ script: @escaping Script) {
      self.box = box
      self.script = script
    }

    func channelActive(context: ChannelHandlerContext) { box.peer?.noteConnection() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received += String(buffer: unwrapInboundIn(data))
      guard let end = received.range(of: "\r\n\r\n") else { return }
      let lines = received[..<end.lowerBound].components(separatedBy: "\r\n")
      let first = lines[0].split(separator: " ")
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
      }
      let body = String(received[end.upperBound...])
      guard body.utf8.count >= Int(headers["content-length"] ?? "0") ?? 0 else { return }
      received = ""
      let request = WireRequest(method: String(first[0]), target: String(first[1]), headers: headers, body: body)
      box.peer?.note(request)
      act(script(request), context)
    }

    private func act(_ reply: WireReply, _ context: ChannelHandlerContext) {
      func send(_ text: String) { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil) }
      switch reply {
      case .bytes(let text, let close):
        send(text)
        if close { context.close(promise: nil) }
      case .drip(let text):
        send(text)
        let channel = context.channel
        channel.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(5), delay: .milliseconds(5)) { task in
          if channel.isActive { channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil) } else { task.cancel() }
        }
      case .flood(let text):
        send(text)
        let channel = context.channel
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
}

/// Names map to public-looking addresses; the dialler leads those to loopback ports, after the policy has ruled.
final class FakeInternet: AddressResolver, Dialer {
  private struct State {
    var names: [String: [[Address]]] = [:]
    var ports: [Address: Int] = [:]
    var egress: [Egress] = []
  }

  private let state = Mutex(State())

  var egress: [Egress] { state.withLock { $0.egress } }
  var lookups: Int { egress.count { if case .lookup = $0 { true } else { false } } }
  var sent: Int { egress.count { if case .request = $0 { true } else { false } } }
  var connections: Int { egress.count { if case .connection = $0 { true } else { false } } }

  /// Each lookup gets the next of `answers`; the last one stays.
  func name(_ name: String, _ answers: [String]...) {
    state.withLock { $0.names[name] = answers.map { $0.compactMap { Address($0) } } }
  }

  func lead(_ address: String, to port: Int) {
    guard let address = Address(address) else { return }
    state.withLock { $0.ports[address] = port }
  }

  func note(_ egress: Egress) { state.withLock { $0.egress.append(egress) } }

  func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address] {
    let answer = state.withLock { state -> [Address]? in
      guard var answers = state.names[name], let first = answers.first else { return nil }
      if answers.count > 1 { answers.removeFirst() }
      state.names[name] = answers
      return first
    }
    guard let answer else { throw .resolution(.notFound) }
    return answer
  }

  func destination(for endpoint: Endpoint) -> Endpoint {
    let port = state.withLock { $0.ports[endpoint.address] }
    // A blocked loopback port stands for an address where nobody listens.
    return Endpoint(address: .v4(0x7f00_0001), port: port ?? 1)
  }
}

/// A client in a world with one peer at `https://victim.test` (45.0.0.1) and whatever a test adds.
struct World: Sendable {
  let internet = FakeInternet()
  let client: GuardedClient

  init(_ adjust: (inout GuardedClient.Configuration) -> Void = { _ in }) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-test-authority-\(UUID()).pem")
    try TestCertificates.authority.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    var configuration = GuardedClient.Configuration(userAgent: "Atelier/test (https://our.example/)")
    configuration.extraCAFile = file.path
    adjust(&configuration)
    let internet = internet
    client = try GuardedClient(
      configuration: configuration, resolver: internet, dialer: internet, group: MultiThreadedEventLoopGroup.singleton,
      record: { internet.note($0) })
  }

  /// Runs `body` with a peer answering as `victim.test`, and takes everything down after it.
  static func with(
    _ script: @escaping FakePeer.Script, adjust: (inout GuardedClient.Configuration) -> Void = { _ in },
    _ body: (World, FakePeer) async throws -> Void
  ) async throws {
    let peer = try await FakePeer(script)
    let world = try World(adjust)
    world.internet.name("victim.test", ["45.0.0.1"])
    world.internet.lead("45.0.0.1", to: peer.port)
    let result: Result<Void, any Error>
    do { result = .success(try await body(world, peer)) } catch { result = .failure(error) }
    await world.client.shutDown()
    await peer.stop()
    try result.get()
  }

  func get(_ url: String, maximum: Int = 1 << 20) async -> Result<IncomingResponse, TransportFailure> {
    guard let iri = IRI(url) else { return .failure(.blocked(.target)) }
    do { return .success(try await client.get(OutgoingRequest(url: iri, maximumResponse: maximum))) } catch {
      return .failure(error)
    }
  }

  func status(_ url: String) async -> Int? {
    if case .success(let response) = await get(url) { response.status } else { nil }
  }

  func failure(_ url: String, maximum: Int = 1 << 20) async -> TransportFailure? {
    if case .failure(let failure) = await get(url, maximum: maximum) { failure } else { nil }
  }
}
