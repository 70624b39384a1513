import Persistence
import Primitives

/// Why this instance tells other servers nothing for now. What it would tell them waits.
package struct DeliveryPause: Hashable, Sendable {
  package enum Reason: String, Hashable, Sendable, CaseIterable {
    /// Begun from a backup: what waited then was told, or overtaken, long ago.
    case restored
    /// By an admin.
    case asked
  }
  package var reason: Reason
  package var since: Timestamp
  package init(reason: Reason, since: Timestamp) {
    self.reason = reason
    self.since = since
  }

  fileprivate var text: String { "\(reason.rawValue) \(since.milliseconds)" }

  /// What can not be read is a pause all the same: silence can be mended, what was said can not.
  fileprivate init?(text: String) {
    guard !text.isEmpty else { return nil }
    let parts = text.split(separator: " ").map(String.init)
    reason = parts.first.flatMap { Reason(rawValue: $0) } ?? .restored
    since = Timestamp(milliseconds: parts.dropFirst().first.flatMap { Int64($0) } ?? 0)
  }

  fileprivate static let name = "federation.paused"
}

extension ReadTransaction {
  package func deliveryPause() throws -> DeliveryPause? {
    try setting(DeliveryPause.name).flatMap { DeliveryPause(text: $0) }
  }

  /// How many deliveries wait that were made before `time`, and since.
  package func waitingDeliveries(split time: Timestamp) throws -> (before: Int, since: Int) {
    let row = try first(
      """
      SELECT COUNT(*) AS many, CAST(COALESCE(SUM(CASE WHEN created_at < \(time) THEN 1 ELSE 0 END), 0) AS BIGINT) AS old
      FROM deliveries WHERE state = 'waiting'
      """)
    let (many, old) = (try row?.int("many") ?? 0, try row?.int("old") ?? 0)
    return (old, many - old)
  }
}

extension WriteTransaction {
  package func pauseDeliveries(_ pause: DeliveryPause) throws { try set(DeliveryPause.name, to: pause.text) }

  /// Lets deliveries go on, and gives up those made before `time`. Returns how many were given up.
  @discardableResult
  package func resumeDeliveries(abandoningBefore time: Timestamp?) throws -> Int {
    try set(DeliveryPause.name, to: "")
    afterCommit(.deliveries)
    guard let time else { return 0 }
    return try execute("UPDATE deliveries SET state = 'abandoned' WHERE state = 'waiting' AND created_at < \(time)")
  }
}
