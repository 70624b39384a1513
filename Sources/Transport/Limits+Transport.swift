import Primitives

extension Limits {
  package static let redirects = 3
  /// Consecutive failures after which a host is left in peace.
  package static let breakerFailures = 10
  package static let breakerRest = Duration.seconds(6 * 3_600)
  package static let responseHeaders = 128
  package static let connectTimeout = Duration.seconds(5)
  package static let readIdle = Duration.seconds(10)
  package static let exchangeDeadline = Duration.seconds(30)
  package static let lookupTimeout = Duration.seconds(5)
  package static let fetchesPerHost = 4
  package static let deliveriesPerHost = 2
  /// Clients kept with their idle connections, one for each vetted pair of host and address.
  package static let pooledPeers = 512
  /// Of the addresses of one name, how many are tried.
  package static let addressesTried = 3
}
