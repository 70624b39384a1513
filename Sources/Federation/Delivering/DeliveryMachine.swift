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

  package init(breaker: CircuitBreaker) { self.breaker = breaker }

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
      breaker.succeed()
      return .finish
    case 410:
      breaker.succeed()
      return .abandon(.gone)
    // A peer that could not reach our key says 401: that passes.
    case 401, 408, 425, 429:
      breaker.succeed()
      return later(attempt, age, now, jitter, retryAfter)
    case 400...499, 501:
      breaker.succeed()
      return .abandon(.refused)
    case 300...399: return .abandon(.refused)
    default: return fail(attempt, age, now, jitter, retryAfter)
    }
  }

  private mutating func fail(
    _ attempt: Int, _ age: Duration, _ now: Timestamp, _ jitter: Double, _ retryAfter: Duration?
  ) -> DeliveryAction {
    let end = breaker.fail(at: now)
    let action = later(attempt, age, now, jitter, retryAfter)
    guard let end, case .retry(let next) = action else { return action }
    return .openCircuit(until: max(end, next))
  }

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
