import Primitives

/// Whether a host is spoken to at all. Keeps nothing itself: whoever owns the state, a row or a lock, follows its law.
package struct CircuitBreaker: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case closed
    /// Nothing is sent.
    case open
    /// The rest is over: exactly one exchange may try.
    case halfOpen
  }

  /// Consecutive.
  package private(set) var failures: Int
  package private(set) var openUntil: Timestamp?

  package init(failures: Int = 0, openUntil: Timestamp? = nil) {
    self.failures = max(0, failures)
    self.openUntil = openUntil
  }

  package func state(at now: Timestamp) -> State {
    guard let openUntil else { return .closed }
    return now < openUntil ? .open : .halfOpen
  }

  /// How many exchanges may be under way at once.
  package func admitted(of limit: Int, at now: Timestamp) -> Int {
    switch state(at: now) {
    case .closed: limit
    case .halfOpen: min(1, limit)
    case .open: 0
    }
  }

  /// The host answered, whatever it said: it is alive.
  package mutating func succeed() {
    failures = 0
    openUntil = nil
  }

  /// The end of the rest when this failure opened the circuit, else nil. Failures of exchanges that were under way
  /// when it opened lengthen nothing.
  package mutating func fail(at now: Timestamp) -> Timestamp? {
    guard state(at: now) != .open else { return nil }
    if failures < Int.max { failures += 1 }
    guard failures >= Limits.breakerFailures else { return nil }
    let end = now.adding(Self.rest(after: failures))
    openUntil = end
    return end
  }

  /// One minute, doubled with every failed probe up to six hours.
  package static func rest(after failures: Int) -> Duration {
    let doublings = min(max(0, failures - Limits.breakerFailures), 9)
    return min(.seconds(60 << Int64(doublings)), Limits.breakerRest)
  }
}
