import Persistence

extension Migration {
  /// Apps that want to be told while they sleep.
  static let pushing = Migration(
    11, "pushing",
    """
    CREATE TABLE push_subscriptions (
      id INTEGER PRIMARY KEY,
      token_id BIGINT NOT NULL UNIQUE REFERENCES access_tokens (id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      sealed_token BLOB NOT NULL,
      endpoint TEXT NOT NULL,
      public_key BLOB NOT NULL,
      secret BLOB NOT NULL,
      is_standard BOOLEAN NOT NULL,
      alerts TEXT NOT NULL,
      policy TEXT NOT NULL CHECK (policy IN ('all', 'followed', 'follower', 'none'))
    );
    CREATE INDEX push_subscriptions_by_account ON push_subscriptions (account_id);
    """)
}
