import Primitives
import Synchronization

/// Token buckets in memory: safe to lose, and bounded, since an attacker chooses the keys.
package final class RateLimiter: Sendable {
  package struct Rate: Hashable, Sendable {
    package let burst: Int
    package let per: Duration
    package init(burst: Int, per: Duration) {
      self.burst = burst
      self.per = per
    }
  }

  private struct Bucket {
    var left: Double
    var at: Timestamp
  }

  private let rate: Rate
  private let time: TimeSource
  private let buckets = Mutex<[String: Bucket]>([:])
  /// Keys remembered at once; beyond it the fullest half is forgotten, which only favours the quiet.
  private let capacity: Int

  package init(_ rate: Rate, time: TimeSource, capacity: Int = 50_000) {
    self.rate = rate
    self.time = time
    self.capacity = capacity
  }

  /// What one request has cost.
  package struct Spending: Hashable, Sendable {
    package let limit: Int
    package let left: Int
    /// When nothing is spent any more.
    package let fullAt: Timestamp
    /// Seconds; nil when the request was allowed.
    package let wait: Int?
  }

  /// Takes one; nil when allowed, else the seconds to wait.
  package func take(_ key: String) -> Int? { counted(key).wait }

  package func counted(_ key: String) -> Spending {
    let now = time.now()
    let perSecond = Double(rate.burst) / max(rate.per / .seconds(1), 0.001)
    return buckets.withLock { buckets in
      var bucket = buckets[key] ?? Bucket(left: Double(rate.burst), at: now)
      let elapsed = max(0, now.since(bucket.at) / .seconds(1))
      bucket.left = min(Double(rate.burst), bucket.left + elapsed * perSecond)
      bucket.at = now
      defer { buckets[key] = bucket }
      if bucket.left >= 1 {
        bucket.left -= 1
        if buckets.count >= capacity { trim(&buckets) }
        return spending(bucket.left, perSecond, now, wait: nil)
      }
      let wait = max(1, min(3_600, Int(((1 - bucket.left) / perSecond).rounded(.up))))
      return spending(bucket.left, perSecond, now, wait: wait)
    }
  }

  private func spending(_ left: Double, _ perSecond: Double, _ now: Timestamp, wait: Int?) -> Spending {
    let missing = max(0, Double(rate.burst) - left) / perSecond
    return Spending(
      limit: rate.burst, left: max(0, Int(left)), fullAt: now.adding(.seconds(min(86_400, missing))), wait: wait)
  }

  private func trim(_ buckets: inout [String: Bucket]) {
    let emptiest = buckets.sorted { $0.value.left < $1.value.left }.prefix(capacity / 2)
    buckets = Dictionary(uniqueKeysWithValues: emptiest.map { ($0.key, $0.value) })
  }
}

/// The address a limit counts by: an IPv6 client owns its whole /64, in whichever of its groups zeros were left out.
package func rateKey(_ address: String?) -> String {
  guard let address else { return "unknown" }
  guard address.contains(":") else { return address }
  // An IPv4 client of a socket that takes both.
  if address.contains("."), let last = address.split(separator: ":").last { return String(last) }
  let sides = address.lowercased().split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
    .map { $0.split(separator: ":").map(String.init) }
  var groups = sides.first ?? []
  if sides.count == 2, let tail = sides.last {
    groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
  }
  return groups.prefix(4).joined(separator: ":")
}
