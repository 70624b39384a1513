import Model
import Persistence
import Primitives

/// What one host was not told.
package struct DeliveryTrouble: Hashable, Sendable {
  package let host: Host
  package let waiting: Int
  package let expired: Int
  package let failingDays: Int
  package let restsUntil: Timestamp?
  package let lastError: String?
}

extension ReadTransaction {
  package func peers(_ hosts: some Collection<Host>) throws -> [Host: Peer] {
    guard !hosts.isEmpty else { return [:] }
    let names = Set(hosts.map(\.text)).sorted()
    let found = try rows("SELECT \(fragment: Peer.columns) FROM peers WHERE host IN \(in: names)")
      .map(Peer.init(row:))
    return Dictionary(found.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Hosts that something has waited for in vain, the most of it first.
  package func deliveryTroubles() throws -> [DeliveryTrouble] {
    try rows(
      """
      SELECT deliveries.host AS host,
        COUNT(CASE WHEN deliveries.state = 'waiting' THEN 1 END) AS waiting,
        COUNT(CASE WHEN deliveries.state = 'expired' THEN 1 END) AS expired,
        MAX(deliveries.last_error) AS last_error, MAX(peers.open_until) AS open_until,
        COALESCE(MAX(peers.failing_days), 0) AS failing_days
      FROM deliveries LEFT JOIN peers ON peers.host = deliveries.host
      WHERE deliveries.state IN ('waiting', 'expired') AND (deliveries.attempt > 0 OR peers.failing_days > 0)
      GROUP BY deliveries.host ORDER BY expired DESC, waiting DESC, host LIMIT 500
      """
    ).map { row in
      DeliveryTrouble(
        host: try row.host("host"), waiting: try row.int("waiting"), expired: try row.int("expired"),
        failingDays: try row.int("failing_days"), restsUntil: try row.optionalTimestamp("open_until"),
        lastError: try row.optionalString("last_error"))
    }
  }

  /// Remote accounts whose own inbox this is: one for an honest peer.
  package func accounts(behind inbox: IRI) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM accounts WHERE host = \(inbox.host.text) AND inbox = \(inbox)
      ORDER BY id LIMIT 16
      """
    ).map(Account.init(row:))
  }

  package func follows(by follower: Account.ID) throws -> [Follow] {
    try rows("SELECT \(fragment: Follow.columns) FROM follows WHERE follower_id = \(follower)").map(Follow.init(row:))
  }

  /// Local people who have posted since `time`.
  package func activeUsers(since time: Timestamp) throws -> Int {
    try first(
      """
      SELECT COUNT(*) AS active FROM users JOIN account_counts ON account_counts.account_id = users.account_id
      WHERE users.disabled_at IS NULL AND account_counts.last_post_at >= \(time)
      """
    )?.int("active") ?? 0
  }
}

extension WriteTransaction {
  /// The host spoke to us, so it is alive: what waits for it is sent now. False when nothing had to change, which is
  /// the rule, so that an inbox may call it for every activity.
  @discardableResult
  package func closeCircuit(of host: Host, at time: Timestamp) throws -> Bool {
    let closed = try execute(
      """
      UPDATE peers SET failures = 0, open_until = NULL, failing_days = 0
      WHERE host = \(host) AND (failures > 0 OR open_until IS NOT NULL OR failing_days > 0)
      """)
    guard closed > 0 else { return false }
    try wakeDeliveries(to: host, at: time)
    return true
  }

  package func wakeDeliveries(to host: Host, at time: Timestamp) throws {
    let woken = try execute(
      """
      UPDATE deliveries SET next_at = \(time)
      WHERE host = \(host) AND state = 'waiting' AND leased_until IS NULL AND next_at > \(time)
      """)
    if woken > 0 { afterCommit(.deliveries) }
  }

  /// Nothing goes to a resting host, and no attempt is burned meanwhile.
  package func parkDeliveries(to host: Host, until time: Timestamp) throws {
    try execute(
      """
      UPDATE deliveries SET next_at = \(time)
      WHERE host = \(host) AND state = 'waiting' AND leased_until IS NULL AND next_at < \(time)
      """)
  }

  /// Gives a job back unharmed: its runner stops.
  package func release(_ lease: JobLease, at time: Timestamp) throws {
    try execute(
      """
      UPDATE jobs SET leased_until = NULL, attempt = attempt - 1, run_at = \(time)
      WHERE id = \(lease.id) AND leased_until IS NOT NULL
      """)
    afterCommit(.jobs)
  }
}
