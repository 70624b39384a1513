import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Primitives

/// The only client of the product. Vets the address it dials, at the moment it dials, on every hop.
package final class GuardedClient: Sendable {
  package struct Configuration: Sendable {
    /// GoToSocial refuses requests without one; peers' administrators look here for whom to write to.
    package var userAgent: String
    package var policy = AddressPolicy()
    /// PEM certificates trusted beside the system's, for a private network's own authority.
    package var extraCAFile: String?
    package var connectTimeout = Limits.connectTimeout
    package var readIdle = Limits.readIdle
    package var deadline = Limits.exchangeDeadline
    package var lookupTimeout = Limits.lookupTimeout
    package var fetchesPerHost = Limits.fetchesPerHost
    package var deliveriesPerHost = Limits.deliveriesPerHost
    package var pooledPeers = Limits.pooledPeers

    package init(userAgent: String) { self.userAgent = userAgent }
  }

  let configuration: Configuration
  let resolver: any AddressResolver
  let dialer: any Dialer
  let record: @Sendable (Egress) -> Void
  let pool: PeerPool
  private let gate = HostGate()
  private let group: any EventLoopGroup

  /// Throws when the file of certificates can not be read.
  package init(
    configuration: Configuration, resolver: any AddressResolver, dialer: any Dialer = DirectDialer(),
    group: any EventLoopGroup, record: @escaping @Sendable (Egress) -> Void = { _ in }
  ) throws {
    self.configuration = configuration
    self.resolver = resolver
    self.dialer = dialer
    self.record = record
    self.group = group
    let tls = try GuardedClient.tls(extraCAFile: configuration.extraCAFile)
    pool = PeerPool(capacity: configuration.pooledPeers) { key in
      GuardedClient.makeClient(
        for: key, configuration, tls: tls, group: group, record: record, dialer: dialer)
    }
  }

  package func get(_ request: OutgoingRequest) async throws(TransportFailure) -> IncomingResponse {
    try await send(request, .get)
  }

  package func post(_ request: OutgoingRequest) async throws(TransportFailure) -> IncomingResponse {
    try await send(request, .post)
  }

  /// Closes every connection; exchanges under way fail. Call once, before the event loops stop.
  package func shutDown() async { await pool.close() }

  /// Clients that are kept, for tests and metrics.
  package var pooledPeerCount: Int { pool.count }

  private func send(
    _ request: OutgoingRequest, _ method: RequestMethod
  ) async throws(TransportFailure) -> IncomingResponse {
    let allowed = min(request.deadline ?? configuration.deadline, configuration.deadline)
    let deadline = NIODeadline.now() + TimeAmount(allowed)
    var url = request.url.withoutFragment
    var visited: Set<IRI> = []
    while true {
      guard visited.insert(url).inserted else { throw .tooManyRedirects }
      let target = OutgoingTarget(method: method, url: url, body: request.body)
      let response = try await exchange(target, request, redirects: visited.count - 1, until: deadline)
      guard let next = try redirect(response, method) else { return response }
      guard visited.count <= Limits.redirects else { throw .tooManyRedirects }
      url = next
    }
  }

  /// Where the client goes next, or nil when this is the answer.
  private func redirect(
    _ response: IncomingResponse, _ method: RequestMethod
  ) throws(TransportFailure) -> IRI? {
    switch (response.status, method) {
    case (301, .get), (302, .get), (303, .get), (307, _), (308, _): break
    // Following would turn a delivery into a fetch.
    case (301, .post), (302, .post), (303, .post): throw .badRedirect
    default: return nil
    }
    guard let next = response.location else { throw .badRedirect }
    if response.url.scheme == "https", next.scheme != "https" { throw .badRedirect }
    return next
  }

  private func exchange(
    _ target: OutgoingTarget, _ request: OutgoingRequest, redirects: Int, until deadline: NIODeadline
  ) async throws(TransportFailure) -> IncomingResponse {
    let route = try await route(to: target.url, until: deadline)
    let lane = HostGate.Lane(host: target.url.host.text, method: target.method)
    let limit = target.method == .get ? configuration.fetchesPerHost : configuration.deliveriesPerHost
    try await gate.enter(lane, limit: limit, until: deadline, on: group.any())
    defer { gate.leave(lane) }
    // After the wait, so that the time in a signature is the time of sending.
    let headers = try await headers(for: target, request)
    var failure = TransportFailure.connect
    for endpoint in route.prefix(Limits.addressesTried) {
      do {
        let answer = try await attempt(
          Attempt(target: target, headers: headers, endpoint: endpoint, maximum: request.maximumResponse), deadline)
        return IncomingResponse(
          status: answer.status, headers: answer.headers, body: answer.body, url: target.url, redirects: redirects)
      } catch {
        failure = error
        // Nothing was sent, so the next address may be tried.
        guard error == .connect || error == .timeout(.connect) else { throw error }
      }
    }
    throw failure
  }

  private func headers(
    for target: OutgoingTarget, _ request: OutgoingRequest
  ) async throws(TransportFailure) -> HTTPHeaders {
    var fields = request.headers
    do { fields += try await request.prepare(target) } catch { throw .notPrepared }
    var headers = HTTPHeaders()
    for field in fields {
      guard field.isSendable else { throw .blocked(.header) }
      switch field.name.lowercased() {
      // Ours to say; a signer names the host too and has to agree.
      case "host": guard field.value.lowercased() == target.url.host.text else { throw .blocked(.header) }
      case "content-length", "transfer-encoding", "connection", "user-agent", "accept-encoding", "upgrade", "te":
        throw .blocked(.header)
      default: headers.add(name: field.name, value: field.value)
      }
    }
    headers.add(name: "Host", value: target.url.host.text)
    headers.add(name: "User-Agent", value: configuration.userAgent)
    // Encoded answers are refused: there is no bomb where nothing is unpacked.
    headers.add(name: "Accept-Encoding", value: "identity")
    return headers
  }

  /// The endpoints that may be dialled for `url`, those with open connections first.
  private func route(to url: IRI, until deadline: NIODeadline) async throws(TransportFailure) -> [Endpoint] {
    let port = url.host.port ?? (url.scheme == "https" ? 443 : 80)
    let kind = HostKind(url.host)
    let policy = configuration.policy
    guard kind != .refused else { throw .blocked(.host) }
    guard policy.permits(port: port) else { throw .blocked(.port) }
    let mayBePrivate = !policy.allowedPrivateNetworks.isEmpty
    if kind == .localName, !mayBePrivate { throw .blocked(.host) }
    if url.scheme != "https", !mayBePrivate { throw .blocked(.scheme) }
    guard GuardedClient.isSentAsWritten(url) else { throw .blocked(.target) }
    let found: [Address]
    if case .literal(let address) = kind {
      found = [address]
    } else {
      record(.lookup(name: url.host.name))
      let rest = Duration.nanoseconds((deadline - .now()).nanoseconds)
      found = try await resolver.addresses(of: url.host.name, within: min(configuration.lookupTimeout, rest))
    }
    let permitted = found.filter { policy.permits($0, port: port) }
    guard !permitted.isEmpty else { throw .blocked(.address) }
    let needsPrivate = url.scheme != "https" || kind == .localName
    let usable = needsPrivate ? permitted.filter(policy.isAllowedPrivate) : permitted
    guard !usable.isEmpty else { throw .blocked(url.scheme == "https" ? .address : .scheme) }
    let endpoints = usable.map { Endpoint(address: $0, port: port) }
    let isOpen = endpoints.map { pool.contains(key(url, $0)) }
    return zip(endpoints, isOpen).filter(\.1).map(\.0) + zip(endpoints, isOpen).filter { !$0.1 }.map(\.0)
  }

  func key(_ url: IRI, _ endpoint: Endpoint) -> PeerPool.Key {
    PeerPool.Key(scheme: url.scheme, host: url.host.name, endpoint: endpoint)
  }

  /// The library reads the URL a second time, with Foundation. What it would send and whom it would ask for must be
  /// what was vetted and signed: two parsers that disagree are how requests get smuggled.
  private static func isSentAsWritten(_ iri: IRI) -> Bool {
    guard let url = URL(string: iri.text), let host = url.host,
      let path = URLComponents(url: url, resolvingAgainstBaseURL: true)?.percentEncodedPath
    else { return false }
    let target = (path.isEmpty ? "/" : path) + (url.query.map { "?\($0)" } ?? "")
    let isLiteral = iri.host.name.hasPrefix("[")
    let name = isLiteral ? String(iri.host.name.dropFirst().dropLast()) : iri.host.name
    let read = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    return target == iri.pathAndQuery && read == name && url.user == nil
  }
}
