import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Primitives

/// One request to one vetted endpoint.
struct Attempt: Sendable {
  let target: OutgoingTarget
  let headers: HTTPHeaders
  let endpoint: Endpoint
  let maximum: Int
}

struct Answer: Sendable {
  let status: Int
  let headers: [HeaderField]
  let body: [UInt8]
}

extension GuardedClient {
  /// Sends, and once more when an old connection turned out to be closed: snac2 closes without saying so. A POST may
  /// be sent twice, since receivers know activities by their id.
  func attempt(_ attempt: Attempt, _ deadline: NIODeadline) async throws(TransportFailure) -> Answer {
    guard let peer = pool.take(key(attempt.target.url, attempt.endpoint)) else { throw .cancelled }
    defer { pool.giveBack(peer) }
    let mayReuse = peer.mayReuse
    do {
      return try await perform(attempt, peer, deadline)
    } catch {
      guard error == .disconnected, mayReuse else { throw error }
      pool.retire(peer)
    }
    guard let fresh = pool.take(key(attempt.target.url, attempt.endpoint)) else { throw .cancelled }
    defer { pool.giveBack(fresh) }
    return try await perform(attempt, fresh, deadline)
  }

  private func perform(
    _ attempt: Attempt, _ peer: PeerPool.Peer, _ deadline: NIODeadline
  ) async throws(TransportFailure) -> Answer {
    let remaining = Duration.nanoseconds((deadline - .now()).nanoseconds)
    guard remaining > .zero else { throw .timeout(.total) }
    record(.request(host: attempt.target.url.host.text, attempt.endpoint))
    do {
      return try await withThrowingTaskGroup(of: Answer.self) { group in
        group.addTask { try await self.answer(to: attempt, peer, deadline) }
        // The library's deadline ends with the head of the answer; a body may drip for ever.
        group.addTask {
          try await Task.sleep(for: remaining)
          throw TransportFailure.timeout(.total)
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() else { throw TransportFailure.cancelled }
        peer.noteAnswer()
        return answer
      }
    } catch {
      throw TransportFailure(mapping: error)
    }
  }

  private func answer(to attempt: Attempt, _ peer: PeerPool.Peer, _ deadline: NIODeadline) async throws -> Answer {
    let url = attempt.target.url
    let destination = dialer.destination(for: attempt.endpoint)
    var request = HTTPClientRequest(url: "\(url.scheme)://\(url.host.name):\(destination.port)\(url.pathAndQuery)")
    request.method = attempt.target.method == .get ? .GET : .POST
    request.headers = attempt.headers
    if attempt.target.method == .post { request.body = .bytes(attempt.target.body) }
    let response = try await peer.client.execute(request, deadline: deadline)
    try check(response.headers, maximum: attempt.maximum)
    var body: [UInt8] = []
    for try await chunk in response.body {
      guard chunk.readableBytes <= attempt.maximum - body.count else { throw TransportFailure.tooLarge }
      body.append(contentsOf: chunk.readableBytesView)
    }
    try Task.checkCancellation()
    return Answer(
      status: Int(response.status.code), headers: response.headers.map { HeaderField($0.name, $0.value) }, body: body)
  }

  private func check(_ headers: HTTPHeaders, maximum: Int) throws(TransportFailure) {
    guard headers.count <= Limits.responseHeaders else { throw .protocolViolation(.headers) }
    let lengths = headers["content-length"]
    // Two ways to say where a message ends are how answers get mixed up (RFC 9112 §6.3).
    if !lengths.isEmpty, headers.contains(name: "transfer-encoding") { throw .protocolViolation(.framing) }
    if let length = lengths.first {
      guard let length = Int(length), length >= 0 else { throw .protocolViolation(.framing) }
      guard length <= maximum else { throw .tooLarge }
    }
    let encodings = headers[canonicalForm: "content-encoding"]
    guard encodings.allSatisfy({ $0.isEmpty || $0.lowercased() == "identity" }) else {
      throw .protocolViolation(.encoding)
    }
  }

  static func makeClient(
    for key: PeerPool.Key, _ configuration: Configuration, tls: TLSConfiguration, group: any EventLoopGroup,
    record: @escaping @Sendable (Egress) -> Void, dialer: any Dialer
  ) -> HTTPClient {
    var settings = HTTPClient.Configuration()
    settings.tlsConfiguration = tls
    settings.redirectConfiguration = .disallow
    settings.decompression = .disabled
    settings.httpVersion = .http1Only
    settings.timeout = .init(
      connect: TimeAmount(configuration.connectTimeout), read: TimeAmount(configuration.readIdle))
    settings.timeout.write = TimeAmount(configuration.readIdle)
    settings.connectionPool.idleTimeout = .seconds(15)
    settings.connectionPool.retryConnectionEstablishment = false
    settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      configuration.fetchesPerHost + configuration.deliveriesPerHost
    let destination = dialer.destination(for: key.endpoint)
    // For a literal the library looks the address up in the form it writes itself, brackets and all.
    settings.dnsOverride = [key.host: destination.address.description]
    settings.http1_1ConnectionDebugInitializer = { channel in
      record(.connection(host: key.host, key.endpoint))
      guard key.scheme == "https", Address(key.host) == nil, !key.host.hasPrefix("[") else {
        return channel.eventLoop.makeSucceededVoidFuture()
      }
      return checkName(key.host, on: channel)
    }
    return HTTPClient(eventLoopGroup: group, configuration: settings)
  }

  /// Runs after the handshake and before the first request. NIOSSL takes a certificate for the address it dialled in
  /// place of one for the name it asked for: whoever forges a DNS answer could pose as any host with an honest
  /// certificate for an address of their own.
  private static func checkName(_ name: String, on channel: any Channel) -> EventLoopFuture<Void> {
    channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
      guard let certificate, CertificateName.matches(name, certificate) else {
        channel.eventLoop.execute { channel.close(promise: nil) }
        throw TransportFailure.tls
      }
    }
  }

  /// Certificates are read once: a client a peer would otherwise parse the system's hundred and more each time.
  static func tls(extraCAFile: String?) throws -> TLSConfiguration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
    if let bundle = bundles.first(where: FileManager.default.isReadableFile(atPath:)) {
      tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(bundle))
    }
    if let extraCAFile {
      tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(extraCAFile))]
    }
    return tls
  }
}

extension TransportFailure {
  init(mapping error: any Error) {
    self =
      switch error {
      case let failure as TransportFailure: failure
      case is CancellationError: .cancelled
      case let error as HTTPClientError: TransportFailure.of(error)
      case NIOSSLError.uncleanShutdown: .disconnected
      case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: .tls
      case ChannelError.connectTimeout: .timeout(.connect)
      case is NIOConnectionError: .connect
      case is ChannelError: .disconnected
      case let error as IOError:
        [ECONNRESET, EPIPE, ENOTCONN].contains(error.errnoCode) ? .disconnected : .connect
      case HTTPParserError.invalidEOFState: .disconnected
      case HTTPParserError.headerOverflow: .protocolViolation(.headers)
      case is HTTPParserError: .protocolViolation(.framing)
      default: .protocolViolation(.other)
      }
  }

  private static func of(_ error: HTTPClientError) -> TransportFailure {
    switch error {
    case .connectTimeout, .tlsHandshakeTimeout: .timeout(.connect)
    case .readTimeout, .writeTimeout: .timeout(.idle)
    case .deadlineExceeded, .getConnectionFromPoolTimeout: .timeout(.total)
    case .remoteConnectionClosed, .uncleanShutdown: .disconnected
    case .cancelled: .cancelled
    case .alreadyShutdown: .cancelled
    default: .protocolViolation(.other)
    }
  }
}
