import Persistence

extension Migration {
  /// What is said to machines, what others answered, and whether a copy still says what its author said.
  static let policyExchange = Migration(
    3, "policy_exchange",
    """
    CREATE TABLE policy_versions (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      number BIGINT NOT NULL,
      policy TEXT NOT NULL,
      stated_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, number)
    );

    CREATE TABLE policy_receipts (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      number BIGINT NOT NULL,
      host TEXT NOT NULL,
      actor TEXT NOT NULL,
      is_accepted BOOLEAN NOT NULL,
      received_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, number, host)
    );

    -- Policies of artists elsewhere that were answered, so that none is answered twice.
    CREATE TABLE policy_answers (
      policy TEXT PRIMARY KEY,
      host TEXT NOT NULL,
      answered_at BIGINT NOT NULL
    );
    CREATE INDEX policy_answers_by_host ON policy_answers (host, answered_at);

    -- Copies of works whose author signs: this one came without a proof, or said something else than its origin.
    CREATE TABLE copy_marks (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      state TEXT NOT NULL CHECK (state IN ('unverified', 'altered')),
      differing TEXT NOT NULL,
      checked_at BIGINT NOT NULL
    );

    -- Pictures whose bytes are not those that their author signed for, after a second look.
    CREATE TABLE changed_media (
      attachment_id INTEGER PRIMARY KEY REFERENCES attachments (id) ON DELETE CASCADE,
      declared TEXT NOT NULL,
      found TEXT NOT NULL,
      noted_at BIGINT NOT NULL
    );
    """)
}
