import Persistence

extension Migration {
  /// Servers that pass on what others said, and when we last compared lists of followers with a peer.
  static let relays = Migration(
    8, "relays",
    """
    CREATE TABLE relays (
      id INTEGER PRIMARY KEY,
      style TEXT NOT NULL CHECK (style IN ('mastodon', 'litepub')),
      inbox TEXT NOT NULL UNIQUE,
      actor TEXT,
      follow TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL CHECK (state IN ('asked', 'accepted', 'refused')),
      created_at BIGINT NOT NULL,
      answered_at BIGINT
    );
    CREATE INDEX relays_by_actor ON relays (actor);

    CREATE TABLE follower_checks (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      checked_at BIGINT NOT NULL
    );
    """)
}
