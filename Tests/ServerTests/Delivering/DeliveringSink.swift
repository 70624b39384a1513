import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Primitives
import Signatures
import Synchronization
import Testing
import Transport

/// Another server, as far as it is posted to: keeps what arrives and answers as it is told.
final class DeliveringSink: Sendable {
  struct Receipt: Sendable {
    let path: String
    let fields: HeaderFields
    let body: [UInt8]
  }

  private let answers: Mutex<@Sendable (Receipt) -> Int>
  private let continuation: AsyncStream<Receipt>.Continuation
  let receipts: AsyncStream<Receipt>

  init(answer: @escaping @Sendable (Receipt) -> Int = { _ in 202 }) {
    answers = Mutex(answer)
    (receipts, continuation) = AsyncStream.makeStream(of: Receipt.self)
  }

  func answer(_ answer: @escaping @Sendable (Receipt) -> Int) { answers.withLock { $0 = answer } }

  /// Serves on every loopback address while `body` runs.
  func whileServing<Value: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Value) async throws -> Value {
    let router = Router(context: BasicRequestContext.self)
    router.post("**") { request, _ in
      var fields = HeaderFields()
      if let authority = request.head.authority { fields.append("host", authority) }
      for field in request.headers { fields.append(field.name.canonicalName, field.value) }
      let buffer = try await request.body.collect(upTo: 1 << 20)
      let receipt = Receipt(
        path: request.head.path ?? "", fields: fields, body: Array(buffer.readableBytesView))
      self.continuation.yield(receipt)
      let answer = self.answers.withLock { $0 }
      return Response(status: .init(code: answer(receipt)))
    }
    return try await serving(router, body)
  }
}

/// Runs `router` on a free port of every loopback address for as long as `body` takes.
func serving<Context: RequestContext, Value: Sendable>(
  _ router: Router<Context>, _ body: @escaping @Sendable (Int) async throws -> Value
) async throws -> Value where Context.Source == ApplicationRequestContextSource {
  let (ports, port) = AsyncStream.makeStream(of: Int.self)
  let application = Application(
    router: router, configuration: .init(address: .hostname("0.0.0.0", port: 0)),
    onServerRunning: { port.yield($0.localAddress?.port ?? 0) },
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  return try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask {
      do { try await application.run() } catch is CancellationError {}
      return nil
    }
    group.addTask {
      var iterator = ports.makeAsyncIterator()
      guard let port = await iterator.next() else { throw CancellationError() }
      return try await body(port)
    }
    defer { group.cancelAll() }
    while let value = try await group.next() { if let value { return value } }
    throw CancellationError()
  }
}

/// Leads one name to a port on this machine.
struct NameMap: AddressResolver, Dialer {
  let port: Int
  func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address] {
    [Address("127.0.0.1")].compactMap { $0 }
  }
  func destination(for endpoint: Endpoint) -> Endpoint { Endpoint(address: endpoint.address, port: port) }
}
