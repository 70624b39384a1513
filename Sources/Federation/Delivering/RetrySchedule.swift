import Primitives

/// When a failed delivery is tried again.
///
/// Mastodon gives up after two to three days; a peer that is down for a week is normal on this network, so the last
/// step repeats until the delivery itself has expired.
package enum RetrySchedule {
  private static let steps: [Int64] = [60, 300, 900, 3_600, 10_800, 21_600]
  private static let last: Int64 = 43_200

  /// Before jitter. `attempt` counts from 1: the try that has just failed. Never decreases.
  package static func delay(after attempt: Int) -> Duration {
    let index = max(0, attempt - 1)
    return .seconds(index < steps.count ? steps[index] : last)
  }

  /// `jitter` is in -1...1 and moves the delay by up to a quarter. What the peer asked for is kept within a minute and
  /// twelve hours, and is never undercut.
  package static func next(
    after attempt: Int, at now: Timestamp, jitter: Double, retryAfter: Duration? = nil
  ) -> Timestamp {
    let held = jitter.isFinite ? min(1, max(-1, jitter)) : 0
    if let retryAfter {
      let asked = min(.seconds(last), max(.seconds(60), retryAfter))
      return now.adding(asked).adding(moved(asked, by: abs(held) / 4))
    }
    let delay = delay(after: attempt)
    return now.adding(delay).adding(moved(delay, by: held / 4))
  }

  private static func moved(_ delay: Duration, by share: Double) -> Duration { delay * share }
}
