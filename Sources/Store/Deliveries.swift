import Model
import Persistence
import Primitives

/// What is remembered of another server as a peer.
package struct Peer: Hashable, Sendable {
  package enum Scheme: String, Codable, Hashable, Sendable, CaseIterable { case cavage, rfc9421 }
  package var host: Host
  /// Consecutive.
  package var failures: Int
  /// Nothing is sent before this.
  package var openUntil: Timestamp?
  package var scheme: Scheme?
  package var schemeAt: Timestamp?
  package var lastSuccessAt: Timestamp?
  package var lastFailureAt: Timestamp?
  /// Days, of UTC, with a failure and without a success since the first of them.
  package var failingDays: Int
  package init(
    host: Host, failures: Int = 0, openUntil: Timestamp? = nil, scheme: Scheme? = nil, schemeAt: Timestamp? = nil,
    lastSuccessAt: Timestamp? = nil, lastFailureAt: Timestamp? = nil, failingDays: Int = 0
  ) {
    self.host = host
    self.failures = failures
    self.openUntil = openUntil
    self.scheme = scheme
    self.schemeAt = schemeAt
    self.lastSuccessAt = lastSuccessAt
    self.lastFailureAt = lastFailureAt
    self.failingDays = failingDays
  }
}

extension Peer {
  static let columns: SQL = """
    host, failures, open_until, scheme, scheme_at, last_success_at, last_failure_at, failing_days
    """

  init(row: Row) throws {
    self.init(
      host: try row.host("host"), failures: try row.int("failures"),
      openUntil: try row.optionalTimestamp("open_until"), scheme: try row.optionalCase("scheme"),
      schemeAt: try row.optionalTimestamp("scheme_at"), lastSuccessAt: try row.optionalTimestamp("last_success_at"),
      lastFailureAt: try row.optionalTimestamp("last_failure_at"), failingDays: try row.int("failing_days"))
  }
}

extension ReadTransaction {
  package func peer(_ host: Host) throws -> Peer? {
    try first("SELECT \(fragment: Peer.columns) FROM peers WHERE host = \(host)").map(Peer.init(row:))
  }

  package func deliveryCounts() throws -> [(state: String, count: Int)] {
    try rows("SELECT state, COUNT(*) AS deliveries FROM deliveries GROUP BY state").map {
      (try $0.string("state"), try $0.int("deliveries"))
    }
  }

  /// Nil while deliveries are paused.
  package func nextDelivery() throws -> Timestamp? {
    guard try deliveryPause() == nil else { return nil }
    return try first("SELECT MIN(next_at) AS due FROM deliveries WHERE state = 'waiting'")?.optionalTimestamp("due")
  }

  package func outgoing(uri: IRI) throws -> Outgoing? {
    try first(
      """
      SELECT id, sender_id, uri, object_uri, is_update, is_forwarded, to_followers, body, created_at FROM outgoing
      WHERE uri = \(uri)
      """
    ).map { row in
      Outgoing(
        id: try row.id("id"), senderID: try row.id("sender_id"), uri: try row.iri("uri"),
        objectURI: try row.iri("object_uri"), isUpdate: try row.bool("is_update"),
        isForwarded: try row.bool("is_forwarded"), toFollowers: try row.bool("to_followers"),
        body: try row.bytes("body"), createdAt: try row.timestamp("created_at"))
    }
  }
}

extension WriteTransaction {
  package func save(_ peer: Peer) throws {
    try execute(
      """
      INSERT INTO peers (\(fragment: Peer.columns))
      VALUES (\(peer.host), \(peer.failures), \(peer.openUntil), \(peer.scheme?.rawValue), \(peer.schemeAt),
        \(peer.lastSuccessAt), \(peer.lastFailureAt), \(peer.failingDays))
      ON CONFLICT (host) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until,
        scheme = excluded.scheme, scheme_at = excluded.scheme_at, last_success_at = excluded.last_success_at,
        last_failure_at = excluded.last_failure_at, failing_days = excluded.failing_days
      """)
  }

  /// Stores an activity's bytes; false if one of that id was composed before, so that a job run twice sends once.
  package func insert(_ outgoing: Outgoing) throws -> Bool {
    try execute(
      """
      INSERT INTO outgoing (id, sender_id, uri, object_uri, is_update, is_forwarded, to_followers, body, created_at)
      VALUES (\(outgoing.id), \(outgoing.senderID), \(outgoing.uri), \(outgoing.objectURI), \(outgoing.isUpdate),
        \(outgoing.isForwarded), \(outgoing.toFollowers), \(outgoing.body), \(outgoing.createdAt))
      ON CONFLICT (uri) DO NOTHING
      """) == 1
  }

  /// One row an inbox, due when its host's rest is over. An older Update of the same object that still waits for the same inbox is dropped: a parked
  /// peer needs only the latest.
  package func deliver(_ outgoing: Outgoing, to inbox: IRI, id: ID<Delivery>, at time: Timestamp) throws {
    if outgoing.isUpdate {
      try execute(
        """
        DELETE FROM deliveries WHERE inbox = \(inbox) AND state = 'waiting' AND leased_until IS NULL
          AND outgoing_id IN (SELECT id FROM outgoing WHERE object_uri = \(outgoing.objectURI) AND is_update)
        """)
    }
    try execute(
      """
      INSERT INTO deliveries (id, outgoing_id, sender_id, inbox, host, ordering_key, state, attempt, next_at,
        leased_until, last_status, last_error, created_at)
      VALUES (\(id), \(outgoing.id), \(outgoing.senderID), \(inbox), \(inbox.host),
        \("\(outgoing.senderID) \(inbox.text)"), 'waiting', 0,
        COALESCE((SELECT open_until FROM peers WHERE host = \(inbox.host) AND open_until > \(time)), \(time)),
        NULL, NULL, NULL, \(time))
      ON CONFLICT (outgoing_id, inbox) DO NOTHING
      """)
    afterCommit(.deliveries)
  }

  /// Takes none while deliveries are paused, and else up to `limit` due ones: at most `perHost` of one host, one where a
  /// host's rest has just ended, none whose host is resting, and none before an older one of the same sender and inbox
  /// unless that is more than an hour late. Two of them are never under way at once: the later could arrive first.
  package func leaseDeliveries(
    at time: Timestamp, until end: Timestamp, limit: Int, perHost: Int, busy: [String]
  ) throws -> [Delivery] {
    guard try deliveryPause() == nil else { return [] }
    let hourAgo = time.adding(.seconds(-3_600))
    let leased = try rows(
      """
      UPDATE deliveries SET attempt = attempt + 1, leased_until = \(end)
      WHERE id IN (
        SELECT id FROM (
          SELECT first.id AS id, first.open_until AS open_until,
            ROW_NUMBER() OVER (PARTITION BY first.host ORDER BY first.id) AS place FROM (
          SELECT due.id AS id, due.host AS host, due.open_until AS open_until,
            ROW_NUMBER() OVER (PARTITION BY due.ordering_key ORDER BY due.id) AS turn FROM (
            SELECT waiting.id AS id, waiting.host AS host, waiting.ordering_key AS ordering_key,
              peers.open_until AS open_until FROM deliveries AS waiting
            LEFT JOIN peers ON peers.host = waiting.host
            WHERE waiting.state = 'waiting' AND waiting.next_at <= \(time)
              AND (waiting.leased_until IS NULL OR waiting.leased_until <= \(time))
              AND (peers.open_until IS NULL OR peers.open_until <= \(time))
              AND waiting.host NOT IN \(in: busy)
              AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier
                WHERE earlier.ordering_key = waiting.ordering_key AND earlier.state = 'waiting'
                  AND earlier.id < waiting.id
                  AND (earlier.created_at > \(hourAgo) OR earlier.leased_until > \(time)))
            ORDER BY waiting.next_at, waiting.id LIMIT \(limit * 4)
          ) AS due) AS first WHERE turn = 1
        ) AS ranked WHERE place <= CASE WHEN open_until IS NULL THEN \(perHost) ELSE 1 END LIMIT \(limit))
      RETURNING id, outgoing_id, sender_id, inbox, attempt, created_at,
        (SELECT is_forwarded FROM outgoing WHERE outgoing.id = deliveries.outgoing_id) AS is_forwarded,
        (SELECT to_followers FROM outgoing WHERE outgoing.id = deliveries.outgoing_id) AS to_followers,
        (SELECT body FROM outgoing WHERE outgoing.id = deliveries.outgoing_id) AS body
      """)
    return try leased.map { row in
      Delivery(
        id: try row.id("id"), outgoingID: try row.id("outgoing_id"), senderID: try row.id("sender_id"),
        inbox: try row.iri("inbox"), attempt: try row.int("attempt"), createdAt: try row.timestamp("created_at"),
        isForwarded: try row.bool("is_forwarded"), toFollowers: try row.bool("to_followers"),
        body: try row.bytes("body"))
    }.sorted { $0.id < $1.id }
  }

  package func finish(_ delivery: ID<Delivery>, as state: Delivery.State, status: Int?, error: String?) throws {
    try execute(
      """
      UPDATE deliveries SET state = \(state.rawValue), leased_until = NULL, last_status = \(status),
        last_error = \(error)
      WHERE id = \(delivery)
      """)
    afterCommit(.deliveries)
  }

  /// What was deleted while it was under way is not tried again: its Delete may be there by then.
  package func retry(_ delivery: ID<Delivery>, at time: Timestamp, status: Int?, error: String?) throws {
    try execute(
      """
      UPDATE deliveries SET next_at = \(time), leased_until = NULL, last_status = \(status), last_error = \(error),
        state = CASE WHEN EXISTS (SELECT 1 FROM outgoing JOIN tombstones ON tombstones.uri = outgoing.object_uri
          WHERE outgoing.id = deliveries.outgoing_id AND outgoing.created_at < tombstones.deleted_at)
          THEN 'abandoned' ELSE state END
      WHERE id = \(delivery)
      """)
  }

  /// Forgets what waits to be told of `uri`, an object or an activity that its sender takes back. After an hour a
  /// Delete overtakes a Create that a peer could not take, and the Create would then bring back what was deleted.
  package func withdrawDeliveries(of uri: IRI, by sender: Account.ID) throws {
    try execute(
      """
      DELETE FROM deliveries WHERE sender_id = \(sender) AND state = 'waiting' AND leased_until IS NULL
        AND outgoing_id IN (SELECT id FROM outgoing WHERE object_uri = \(uri) OR uri = \(uri))
      """)
  }

  /// Gives a delivery back unharmed: its host's breaker opened meanwhile, so no attempt is burned.
  package func park(_ delivery: ID<Delivery>, until time: Timestamp) throws {
    try execute(
      "UPDATE deliveries SET next_at = \(time), leased_until = NULL, attempt = attempt - 1 WHERE id = \(delivery)")
  }

  package func expireDeliveries(createdBefore time: Timestamp) throws -> Int {
    try execute("UPDATE deliveries SET state = 'expired' WHERE state = 'waiting' AND created_at < \(time)")
  }

  /// Bytes nobody waits for any more. What expired since `shown` is left for an admin to see.
  package func deleteOutgoing(createdBefore time: Timestamp, shown: Timestamp? = nil) throws {
    try execute(
      """
      DELETE FROM outgoing WHERE created_at < \(time) AND NOT EXISTS (SELECT 1 FROM deliveries
        WHERE deliveries.outgoing_id = outgoing.id AND (deliveries.state = 'waiting'
          OR (deliveries.state = 'expired' AND outgoing.created_at >= \(shown ?? time))))
      """)
  }
}
