import Primitives

/// What becomes of a job that failed. Pure.
package enum RetryPlan: Hashable, Sendable {
  /// There is no use in trying again.
  case give
  case retry(after: Duration)

  /// Half a minute, then four times as long each time: 30 s, 2 min, 8 min, 32 min, and the end.
  package static func next(after attempt: Int, isTransient: Bool) -> RetryPlan {
    guard isTransient, attempt < Limits.receiveAttempts else { return .give }
    return .retry(after: .seconds(30 << (2 * min(max(0, attempt - 1), 8))))
  }
}
