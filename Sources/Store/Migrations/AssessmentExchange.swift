import Persistence

extension Migration {
  /// Assessments of generated pictures between servers whose admins trust each other so far.
  static let assessmentExchange = Migration(
    6, "assessment_exchange",
    """
    CREATE TABLE assessor_peers (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      weight DOUBLE PRECISION NOT NULL CHECK (weight >= 0 AND weight <= 1),
      set_at BIGINT NOT NULL
    );

    CREATE TABLE peer_assessments (
      id INTEGER PRIMARY KEY,
      uri TEXT NOT NULL UNIQUE,
      assessor_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      attachment_id BIGINT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
      subject_digest TEXT NOT NULL,
      decision TEXT NOT NULL,
      is_measured BOOLEAN NOT NULL,
      appeal TEXT NOT NULL,
      document BLOB NOT NULL,
      has_ended BOOLEAN NOT NULL,
      stated_at BIGINT NOT NULL,
      ends_at BIGINT NOT NULL,
      received_at BIGINT NOT NULL
    );
    CREATE INDEX peer_assessments_by_picture ON peer_assessments (attachment_id, id);
    CREATE INDEX peer_assessments_by_assessor ON peer_assessments (assessor_id, id);
    CREATE INDEX peer_assessments_by_end ON peer_assessments (has_ended, ends_at);
    CREATE INDEX peer_assessments_by_time ON peer_assessments (received_at);

    -- All that is kept after a year.
    CREATE TABLE assessment_counts (
      host TEXT NOT NULL,
      decision TEXT NOT NULL,
      many BIGINT NOT NULL,
      PRIMARY KEY (host, decision)
    );

    -- Whom ours were told, so that all of them hear when one is overturned.
    CREATE TABLE sent_assessments (
      attachment_id BIGINT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
      recipient_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      decision_id BIGINT NOT NULL,
      sent_at BIGINT NOT NULL,
      PRIMARY KEY (attachment_id, recipient_id)
    );
    CREATE INDEX sent_assessments_by_recipient ON sent_assessments (recipient_id);
    CREATE INDEX sent_assessments_by_time ON sent_assessments (sent_at);
    """)
}
