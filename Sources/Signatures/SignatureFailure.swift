/// Why a request is not authenticated.
///
/// `code` is stable: it is what a peer's operator reads in the answer and what metrics count. The texts inside the cases
/// are for our log alone, and never repeat what the peer sent.
package enum SignatureFailure: Error, Hashable, Sendable {
  case missing
  case malformed(String)
  /// Two signatures where one is allowed, in one style or in both: two readers could each pick another one.
  case ambiguous
  /// `Signature-Input` and `Signature` do not name the same one label.
  case label
  case algorithm
  /// The signature does not cover what it has to.
  case uncovered(String)
  /// The request is not addressed to this server, or the signature does not say to whom.
  case host
  case time
  case digestMissing, digestMismatch, digestAlgorithm
  case bad
  case actorMismatch
  case keyUnacceptable(String)
  /// A key id of this server on a request from outside.
  case keyLocal
  /// A key id that is no http or https IRI, as `acct:` once was.
  case keyUnsupported
  /// The key could not be had; `transient` when asking later may help.
  case keyUnavailable(transient: Bool)

  package var code: String {
    switch self {
    case .missing: "sig.missing"
    case .malformed: "sig.malformed"
    case .ambiguous: "sig.ambiguous"
    case .label: "sig.label"
    case .algorithm: "sig.algorithm"
    case .uncovered: "sig.uncovered"
    case .host: "sig.host"
    case .time: "sig.time"
    case .digestMissing: "sig.digest_missing"
    case .digestMismatch: "sig.digest_mismatch"
    case .digestAlgorithm: "sig.digest_algo"
    case .bad: "sig.bad"
    case .actorMismatch: "sig.actor_mismatch"
    case .keyUnacceptable: "key.unacceptable"
    case .keyLocal: "key.local"
    case .keyUnsupported: "key.unsupported"
    case .keyUnavailable: "key.unavailable"
    }
  }

  /// The HTTP status that answers it: 400 can never succeed as sent, 401 may with another signature, 503 may later.
  package var status: Int {
    switch self {
    case .malformed, .ambiguous: 400
    case .keyUnavailable(transient: true): 503
    case .missing, .label, .algorithm, .uncovered, .host, .time, .digestMissing, .digestMismatch, .digestAlgorithm,
      .bad, .actorMismatch, .keyUnacceptable, .keyLocal, .keyUnsupported, .keyUnavailable(transient: false):
      401
    }
  }

  /// Whether another key for the same key id could change the outcome: the signal to refetch a cached key once.
  package var mayBeStaleKey: Bool { self == .bad || self == .algorithm }
}
