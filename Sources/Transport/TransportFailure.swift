/// Why there is no answer. A status code is an answer, whatever it says.
package enum TransportFailure: Error, Hashable, Sendable {
  case blocked(BlockReason)
  case resolution(LookupFailure)
  case connect
  case tls
  /// The peer closed before its answer was whole.
  case disconnected
  case timeout(Phase)
  case tooLarge
  case tooManyRedirects
  case badRedirect
  case protocolViolation(Violation)
  /// The caller's `prepare` threw, so nothing was sent.
  case notPrepared
  case cancelled

  package enum BlockReason: String, Hashable, Sendable { case address, port, scheme, host, header, target }
  package enum LookupFailure: String, Hashable, Sendable {
    case notFound = "not_found"
    case temporary
  }
  package enum Phase: String, Hashable, Sendable { case queue, lookup, connect, idle, total }
  package enum Violation: String, Hashable, Sendable { case framing, headers, encoding, other }

  /// A stable word for logs, metrics and tests.
  package var code: String {
    switch self {
    case .blocked(let reason): "fetch.blocked_\(reason.rawValue)"
    case .resolution(let failure): "fetch.lookup_\(failure.rawValue)"
    case .connect: "fetch.connect"
    case .tls: "fetch.tls"
    case .disconnected: "fetch.disconnected"
    case .timeout(let phase): "fetch.timeout_\(phase.rawValue)"
    case .tooLarge: "fetch.too_large"
    case .tooManyRedirects: "fetch.too_many_redirects"
    case .badRedirect: "fetch.bad_redirect"
    case .protocolViolation(let violation): "fetch.violation_\(violation.rawValue)"
    case .notPrepared: "fetch.not_prepared"
    case .cancelled: "fetch.cancelled"
    }
  }

  /// Whether the same request may succeed later. A name that is not found and a bad certificate count: DNS outages
  /// and expired certificates get mended, and a peer must not be written off for them.
  package var isTransient: Bool {
    switch self {
    case .resolution, .connect, .tls, .disconnected, .timeout, .protocolViolation, .notPrepared, .cancelled: true
    case .blocked, .tooLarge, .tooManyRedirects, .badRedirect: false
    }
  }
}
