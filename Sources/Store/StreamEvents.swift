import Model
import Persistence
import Primitives

extension ReadTransaction {
  package func lastStreamEvent() throws -> StreamEvent.ID {
    try first("SELECT COALESCE(MAX(id), 0) AS last FROM stream_events")?.id("last") ?? ID(rawValue: 0)
  }

  package func streamEvents(after id: StreamEvent.ID, limit: Int) throws -> [StreamEvent] {
    try rows(
      "SELECT id, kind, subject_id, trace FROM stream_events WHERE id > \(id) ORDER BY id LIMIT \(limit)"
    ).map { row in
      StreamEvent(
        id: try row.id("id"), kind: try row.enumCase("kind"), subject: try row.int64("subject_id"),
        trace: try row.optionalJSON("trace"))
    }
  }

  /// Where `post` is shown now.
  package func trace(of post: Post) throws -> StreamEvent.Trace {
    StreamEvent.Trace(
      owners: try rows("SELECT owner_id FROM home_entries WHERE post_id = \(post.id)").map { try $0.id("owner_id") },
      isPublic: post.visibility == .everyone && post.boostOfID == nil, isLocal: post.isLocal,
      hasMedia: try !attachments(of: [post.id]).isEmpty, tags: try tags(of: [post.id])[post.id, default: []])
  }
}

extension WriteTransaction {
  /// Adds to the tape. Writes of one database are serial, so the next number is the order of the commits.
  package func insertStreamEvent(_ kind: StreamEvent.Kind, _ subject: Int64, trace: StreamEvent.Trace? = nil) throws {
    try execute(
      """
      INSERT INTO stream_events (id, kind, subject_id, trace)
      VALUES ((SELECT COALESCE(MAX(tape.id), 0) + 1 FROM stream_events AS tape), \(kind.rawValue), \(subject),
        \(try StoredJSON.text(ifPresent: trace)))
      """)
    afterCommit(.streams)
  }

  /// All but the last ones, of which the newest must stay: it says which number is next.
  package func deleteStreamEvents(keeping count: Int64) throws {
    try execute(
      "DELETE FROM stream_events WHERE id <= (SELECT COALESCE(MAX(tape.id), 0) - \(count) FROM stream_events AS tape)")
  }
}

extension Signal {
  /// Something was added to the tape of the streams.
  package static let streams = Signal(rawValue: "streams")
}
