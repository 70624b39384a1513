import Primitives

extension Limits {
  /// Unverified bodies kept for key hosts that did not answer.
  package static let parkedPerHost = 50
  package static let parkedRequests = 1_000
  package static let parkedBody = 100_000
  package static let parkedAttempts = 8
  package static let parkedBatch = 20
  package static let receiveAttempts = 5
  package static let remoteAddressBytes = 64
}
