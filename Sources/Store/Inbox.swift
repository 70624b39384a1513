import Model
import Persistence
import Primitives

extension Signal {
  /// A job was queued in some lane.
  package static let jobs = Signal(rawValue: "jobs")
  package static let deliveries = Signal(rawValue: "deliveries")
}

extension ReadTransaction {
  package func inboxActivity(_ id: ID<InboxActivity>) throws -> InboxActivity? {
    try first(
      "SELECT id, activity, signer, body, state, reason, received_at, forwarder FROM inbox_activities WHERE id = \(id)"
    ).map { row in
      InboxActivity(
        id: try row.id("id"), activityURI: try row.iri("activity"), signer: try row.iri("signer"),
        body: try row.bytes("body"), state: try row.enumCase("state"), reason: try row.optionalString("reason"),
        receivedAt: try row.timestamp("received_at"), forwarder: try row.optionalIRI("forwarder"))
    }
  }

  package func hasSeen(_ activity: IRI) throws -> Bool {
    try first(
      "SELECT 1 AS found FROM inbox_activities WHERE origin = \(activity.origin) AND activity = \(activity)") != nil
  }
}

extension WriteTransaction {
  /// False if an activity of that id was stored before; its bytes stay as first received.
  package func insert(_ activity: InboxActivity) throws -> Bool {
    try execute(
      """
      INSERT INTO inbox_activities (id, origin, activity, signer, body, state, reason, received_at, forwarder)
      VALUES (\(activity.id), \(activity.activityURI.origin), \(activity.activityURI), \(activity.signer),
        \(activity.body), \(activity.state.rawValue), \(activity.reason), \(activity.receivedAt),
        \(activity.forwarder))
      ON CONFLICT (origin, activity) DO NOTHING
      """) == 1
  }

  package func finish(_ id: ID<InboxActivity>, as state: InboxActivity.State, reason: String?) throws {
    try execute("UPDATE inbox_activities SET state = \(state.rawValue), reason = \(reason) WHERE id = \(id)")
  }

  /// The ids keep their meaning for ninety days; bodies are of no more use once their effects are stored.
  package func deleteInboxActivities(receivedBefore time: Timestamp) throws {
    try execute("DELETE FROM inbox_activities WHERE received_at < \(time) AND state <> 'pending'")
  }
}

/// A request whose key host did not answer: method, target, fields and body as they came, unverified.
package struct ParkedRequest: Hashable, Sendable {
  package var id: ID<ParkedRequest>
  package var keyHost: Host
  /// The request line and fields as JSON text; only `Federation` reads it.
  package var request: String
  package var body: [UInt8]
  package var receivedAt: Timestamp
  package var attempt: Int
  package init(
    id: ID<ParkedRequest>, keyHost: Host, request: String, body: [UInt8], receivedAt: Timestamp, attempt: Int
  ) {
    self.id = id
    self.keyHost = keyHost
    self.request = request
    self.body = body
    self.receivedAt = receivedAt
    self.attempt = attempt
  }
}

extension ReadTransaction {
  package func parkedCount(of host: Host) throws -> (host: Int, all: Int) {
    let row = try first(
      """
      SELECT COUNT(*) AS every, COUNT(CASE WHEN key_host = \(host) THEN 1 END) AS here FROM parked_requests
      """)
    guard let row else { return (0, 0) }
    return (try row.int("here"), try row.int("every"))
  }

  package func parkedRequests(dueAt time: Timestamp, limit: Int) throws -> [ParkedRequest] {
    try rows(
      """
      SELECT id, key_host, request, body, received_at, attempt FROM parked_requests
      WHERE next_at <= \(time) ORDER BY next_at, id LIMIT \(limit)
      """
    ).map { row in
      ParkedRequest(
        id: try row.id("id"), keyHost: try row.host("key_host"), request: try row.string("request"),
        body: try row.bytes("body"), receivedAt: try row.timestamp("received_at"), attempt: try row.int("attempt"))
    }
  }
}

extension WriteTransaction {
  package func insert(_ parked: ParkedRequest, next: Timestamp) throws {
    try execute(
      """
      INSERT INTO parked_requests (id, key_host, request, body, received_at, next_at, attempt)
      VALUES (\(parked.id), \(parked.keyHost), \(parked.request), \(parked.body), \(parked.receivedAt), \(next),
        \(parked.attempt))
      """)
  }

  package func delete(_ parked: ParkedRequest) throws {
    try execute("DELETE FROM parked_requests WHERE id = \(parked.id)")
  }

  package func postpone(_ parked: ParkedRequest, to next: Timestamp) throws {
    try execute("UPDATE parked_requests SET next_at = \(next), attempt = attempt + 1 WHERE id = \(parked.id)")
  }
}

extension ReadTransaction {
  package func idempotentPost(of account: Account.ID, key: String, since time: Timestamp) throws -> Post.ID? {
    try first(
      """
      SELECT post_id FROM idempotency_keys
      WHERE account_id = \(account) AND idempotency_key = \(key) AND created_at > \(time)
      """
    )?.id("post_id")
  }
}

extension WriteTransaction {
  package func insertIdempotencyKey(_ key: String, of account: Account.ID, post: Post.ID, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO idempotency_keys (account_id, idempotency_key, post_id, created_at)
      VALUES (\(account), \(key), \(post), \(time))
      ON CONFLICT (account_id, idempotency_key) DO UPDATE SET post_id = excluded.post_id,
        created_at = excluded.created_at
      """)
  }

  package func deleteIdempotencyKeys(before time: Timestamp) throws {
    try execute("DELETE FROM idempotency_keys WHERE created_at < \(time)")
  }
}
