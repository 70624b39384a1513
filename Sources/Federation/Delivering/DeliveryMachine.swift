import Primitives
import Store
import Transport

/// What became of one attempt.
package enum DeliveryOutcome: Hashable, Sendable {
  case answered(status: Int, retryAfter: Duration?)
  case failed(TransportFailure)

  /// For the row that an administrator sees.
  package var status: Int? {
    if case .answered(let status, _) = self { return status }
    return nil
  }

  package var error: String? {
    switch self {
    case .answered(let status, _): (200...299).contains(status) ? nil : "http.\(status)"
    case .failed(let failure): failure.code
    }
  }
}

package enum DeliveryAction: Hashable, Sendable {
  package enum Abandonment: Hashable, Sendable {
    /// The peer refused for good, or we may not go there.
    case refused
    /// 410: nobody is behind this inbox any more.
    case gone
    /// Too old.
    case expired
  }

  case finish
  case abandon(Abandonment)
  case retry(at: Timestamp)
  /// The host rests; this delivery and all others to it wait.
  case openCircuit(until: Timestamp)
  /// We are shutting down: nothing was learnt, and no attempt is burned.
  case giveBack
}

/// Decides what follows from an attempt, for the delivery and for its host. No clock, no chance, no rows.
package struct DeliveryMachine: Hashable, Sendable {
  package private(set) var breaker: CircuitBreaker
  /// Days with a failure and without a success since the first of them.
  package private(set) var failingDays: Int
  private let lastFailure: Timestamp?
  /// What we pass on for others is nobody's word if its reader does not take it on its own.
  private let isForwarded: Bool

  package init(
    breaker: CircuitBreaker, failingDays: Int = 0, lastFailure: Timestamp? = nil, isForwarded: Bool = false
  ) {
    self.breaker = breaker
    self.failingDays = max(0, failingDays)
    self.lastFailure = lastFailure
    self.isForwarded = isForwarded
  }

  private mutating func succeed() {
    breaker.succeed()
    failingDays = 0
  }

  /// `attempt` counts from 1, `age` since the activity was queued, `jitter` in -1...1.
  package mutating func record(
    _ outcome: DeliveryOutcome, attempt: Int, age: Duration, at now: Timestamp, jitter: Double
  ) -> DeliveryAction {
    switch outcome {
    case .answered(let status, let retryAfter):
      return record(status: status, retryAfter: retryAfter, attempt: attempt, age: age, at: now, jitter: jitter)
    case .failed(.cancelled): return .giveBack
    case .failed(.notPrepared): return later(attempt, age, now, jitter, nil)
    case .failed(let failure):
      guard failure.isTransient else { return .abandon(.refused) }
      return fail(attempt, age, now, jitter, nil)
    }
  }

  private mutating func record(
    status: Int, retryAfter: Duration?, attempt: Int, age: Duration, at now: Timestamp, jitter: Double
  ) -> DeliveryAction {
    switch status {
    case 200...299:
      succeed()
      return .finish
    case 410:
      succeed()
      return isForwarded ? .abandon(.refused) : .abandon(.gone)
    case 401 where isForwarded:
      succeed()
      return .abandon(.refused)
    // A peer that could not reach our key says 401: that passes.
    case 401, 408, 425, 429:
      succeed()
      return later(attempt, age, now, jitter, retryAfter)
    case 400...499, 501:
      succeed()
      return .abandon(.refused)
    case 300...399: return .abandon(.refused)
    default: return fail(attempt, age, now, jitter, retryAfter)
    }
  }

  private mutating func fail(
    _ attempt: Int, _ age: Duration, _ now: Timestamp, _ jitter: Double, _ retryAfter: Duration?
  ) -> DeliveryAction {
    guard breaker.state(at: now) != .open else { return later(attempt, age, now, jitter, retryAfter) }
    var end = breaker.fail(at: now)
    if failingDays == 0 || lastFailure.map({ Self.day(of: $0) != Self.day(of: now) }) ?? true {
      failingDays = min(failingDays, Limits.parkingDays) + 1
    }
    // Nobody has answered for a week: the host's own word ends that, or the end of what waits for it.
    if failingDays >= Limits.parkingDays {
      let parked = now.adding(Limits.delivery)
      breaker = CircuitBreaker(failures: breaker.failures, openUntil: parked)
      end = parked
    }
    let action = later(attempt, age, now, jitter, retryAfter)
    guard let end, case .retry(let next) = action else { return action }
    return .openCircuit(until: max(end, next))
  }

  private static func day(of time: Timestamp) -> Int64 { time.secondsSince1970 / 86_400 }

  /// The last try is the one after which the next would come too late.
  private func later(
    _ attempt: Int, _ age: Duration, _ now: Timestamp, _ jitter: Double, _ retryAfter: Duration?
  ) -> DeliveryAction {
    let next = RetrySchedule.next(after: attempt, at: now, jitter: jitter, retryAfter: retryAfter)
    return age + next.since(now) >= Limits.delivery ? .abandon(.expired) : .retry(at: next)
  }
}

extension CircuitBreaker {
  /// A host's row is its state.
  init(_ peer: Peer) { self.init(failures: peer.failures, openUntil: peer.openUntil) }
}
