import Model
import Persistence
import Primitives

extension Relay {
  static let columns: SQL = "id, style, inbox, actor, follow, state, created_at, answered_at"

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), style: try row.enumCase("style"), inbox: try row.iri("inbox"),
      actor: try row.optionalIRI("actor"), follow: try row.iri("follow"), state: try row.enumCase("state"),
      createdAt: try row.timestamp("created_at"), answeredAt: try row.optionalTimestamp("answered_at"))
  }
}

extension ReadTransaction {
  /// All of them: an admin adds each by hand, so they are few.
  package func relays() throws -> [Relay] {
    try rows("SELECT \(fragment: Relay.columns) FROM relays ORDER BY id").map(Relay.init(row:))
  }

  package func relay(_ id: Relay.ID) throws -> Relay? {
    try first("SELECT \(fragment: Relay.columns) FROM relays WHERE id = \(id)").map(Relay.init(row:))
  }

  package func relay(inbox: IRI) throws -> Relay? {
    try first("SELECT \(fragment: Relay.columns) FROM relays WHERE inbox = \(inbox)").map(Relay.init(row:))
  }

  package func relay(follow: IRI) throws -> Relay? {
    try first("SELECT \(fragment: Relay.columns) FROM relays WHERE follow = \(follow)").map(Relay.init(row:))
  }

  /// A relay whose actor this is; of several on one server any will do.
  package func relay(actor: IRI) throws -> Relay? {
    try first("SELECT \(fragment: Relay.columns) FROM relays WHERE actor = \(actor) LIMIT 1").map(Relay.init(row:))
  }

  /// Whether what `actor` passes on of strangers is wanted here: it is a relay of ours, or somebody here follows it.
  package func mayPassOn(_ actor: IRI) throws -> Bool {
    if try relay(actor: actor)?.state == .accepted { return true }
    return try account(uri: actor).map { try hasLocalFollowers($0.id) } ?? false
  }

  /// What `sender` has passed on for others since the time that `id` carries.
  package func forwardCount(by sender: Account.ID, after id: ID<Outgoing>) throws -> Int {
    try first(
      "SELECT COUNT(*) AS many FROM outgoing WHERE sender_id = \(sender) AND id > \(id) AND is_forwarded"
    )?.int("many") ?? 0
  }
}

extension WriteTransaction {
  package func insert(_ relay: Relay) throws {
    try execute(
      """
      INSERT INTO relays (id, style, inbox, actor, follow, state, created_at, answered_at)
      VALUES (\(relay.id), \(relay.style.rawValue), \(relay.inbox), \(relay.actor), \(relay.follow),
        \(relay.state.rawValue), \(relay.createdAt), \(relay.answeredAt))
      """)
  }

  package func update(_ relay: Relay) throws {
    try execute(
      """
      UPDATE relays SET actor = \(relay.actor), state = \(relay.state.rawValue), answered_at = \(relay.answeredAt)
      WHERE id = \(relay.id)
      """)
  }

  package func delete(relay id: Relay.ID) throws { try execute("DELETE FROM relays WHERE id = \(id)") }
}
