import Persistence

extension Migration {
  /// What has happened, in the order it was committed, for the streams that are open now. A short tape: nobody reads
  /// back further than a moment.
  static let streaming = Migration(
    7, "streaming",
    """
    CREATE TABLE stream_events (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      subject_id BIGINT NOT NULL,
      trace TEXT
    );
    """)
}
