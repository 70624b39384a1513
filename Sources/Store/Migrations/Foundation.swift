import Persistence

extension Migration {
  static let foundation = Migration(
    1, "foundation",
    """
    -- Times are milliseconds since 1970 in UTC and always passed in. Ids carry their time in the high 48 bits.
    -- INTEGER PRIMARY KEY: SQLite's rowid alias; PostgreSQL reads the word as BIGINT PRIMARY KEY when it comes.

    CREATE TABLE settings (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    );

    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY,
      username TEXT NOT NULL,
      username_key TEXT NOT NULL,
      host TEXT NOT NULL,
      kind TEXT NOT NULL,
      uri TEXT NOT NULL UNIQUE,
      url TEXT NOT NULL,
      display_name TEXT NOT NULL,
      note TEXT NOT NULL,
      note_source TEXT NOT NULL,
      inbox TEXT NOT NULL,
      shared_inbox TEXT,
      outbox TEXT,
      followers TEXT,
      following TEXT,
      featured TEXT,
      avatar_url TEXT,
      header_url TEXT,
      avatar_file TEXT,
      header_file TEXT,
      fields TEXT NOT NULL,
      is_locked BOOLEAN NOT NULL,
      is_discoverable BOOLEAN NOT NULL,
      is_indexable BOOLEAN NOT NULL,
      usage_policy TEXT,
      policy_is_proved BOOLEAN NOT NULL,
      policy_stated_at BIGINT,
      document BLOB,
      created_at BIGINT NOT NULL,
      fetched_at BIGINT NOT NULL,
      suspended_at BIGINT,
      moved_to TEXT,
      details TEXT NOT NULL,
      UNIQUE (username_key, host)
    );
    CREATE INDEX accounts_by_host ON accounts (host, id);
    CREATE INDEX accounts_by_followers ON accounts (followers);
    CREATE INDEX accounts_by_avatar ON accounts (avatar_file);
    CREATE INDEX accounts_by_header ON accounts (header_file);

    CREATE TABLE account_counts (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      posts BIGINT NOT NULL DEFAULT 0,
      followers BIGINT NOT NULL DEFAULT 0,
      following BIGINT NOT NULL DEFAULT 0,
      last_post_at BIGINT
    );

    CREATE TABLE users (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      email TEXT NOT NULL,
      email_key TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('artist', 'moderator', 'admin')),
      created_at BIGINT NOT NULL,
      disabled_at BIGINT
    );

    CREATE TABLE signing_keys (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('rsa', 'ed25519')),
      key_id TEXT NOT NULL UNIQUE,
      public_key TEXT NOT NULL,
      sealed_key BLOB NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, kind)
    );

    CREATE TABLE remote_keys (
      key_id TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      public_key TEXT NOT NULL,
      fetched_at BIGINT NOT NULL
    );
    CREATE INDEX remote_keys_by_owner ON remote_keys (owner);

    CREATE TABLE sessions (
      secret_hash TEXT PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL
    );
    CREATE INDEX sessions_by_account ON sessions (account_id);
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);

    CREATE TABLE follows (
      id INTEGER PRIMARY KEY,
      follower_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      followee_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      uri TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL CHECK (state IN ('pending', 'accepted')),
      created_at BIGINT NOT NULL,
      UNIQUE (follower_id, followee_id)
    );
    CREATE INDEX follows_by_followee ON follows (followee_id, state, id);

    CREATE TABLE blocks (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, target_id)
    );
    CREATE INDEX blocks_by_target ON blocks (target_id);

    CREATE TABLE blocked_hosts (
      host TEXT PRIMARY KEY,
      reason TEXT NOT NULL,
      created_at BIGINT NOT NULL
    );

    -- Works an artist of this instance shows together; their order is in the posts.
    CREATE TABLE series (
      id INTEGER PRIMARY KEY,
      owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      title TEXT NOT NULL,
      description TEXT NOT NULL,
      usage_policy TEXT,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX series_by_owner ON series (owner_id, id);

    CREATE TABLE posts (
      id INTEGER PRIMARY KEY,
      uri TEXT NOT NULL UNIQUE,
      url TEXT NOT NULL,
      author_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      in_reply_to_id BIGINT REFERENCES posts (id) ON DELETE SET NULL,
      in_reply_to_uri TEXT,
      in_reply_to_account_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
      boost_of_id BIGINT REFERENCES posts (id) ON DELETE CASCADE,
      content TEXT NOT NULL,
      text TEXT NOT NULL,
      spoiler TEXT NOT NULL,
      is_sensitive BOOLEAN NOT NULL,
      language TEXT,
      visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private', 'direct')),
      state TEXT NOT NULL CHECK (state IN ('published', 'held')),
      usage_policy TEXT,
      policy_is_proved BOOLEAN NOT NULL,
      policy_stated_at BIGINT,
      is_local BOOLEAN NOT NULL,
      created_at BIGINT NOT NULL,
      edited_at BIGINT,
      series_id BIGINT REFERENCES series (id) ON DELETE SET NULL,
      series_place BIGINT,
      context_uri TEXT,
      interaction_policy TEXT,
      searchability TEXT,
      thread_id BIGINT
    );
    CREATE INDEX posts_by_author ON posts (author_id, id);
    CREATE INDEX posts_by_parent ON posts (in_reply_to_id);
    CREATE INDEX posts_by_missing_parent ON posts (in_reply_to_uri);
    CREATE INDEX posts_by_parent_account ON posts (in_reply_to_account_id);
    CREATE INDEX posts_by_boosted ON posts (boost_of_id, author_id);
    CREATE INDEX posts_by_series ON posts (series_id, series_place);
    CREATE INDEX posts_by_thread ON posts (thread_id, id);
    CREATE INDEX posts_open ON posts (visibility, state, id);
    CREATE INDEX posts_open_here ON posts (is_local, visibility, state, id);

    -- Received documents, apart from the rows that lists read.
    CREATE TABLE post_documents (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      document BLOB NOT NULL
    );

    CREATE TABLE post_counts (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      replies BIGINT NOT NULL DEFAULT 0,
      boosts BIGINT NOT NULL DEFAULT 0,
      favourites BIGINT NOT NULL DEFAULT 0
    );

    CREATE TABLE post_versions (
      id INTEGER PRIMARY KEY,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      content TEXT NOT NULL,
      spoiler TEXT NOT NULL,
      is_sensitive BOOLEAN NOT NULL,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX post_versions_by_post ON post_versions (post_id, id);

    CREATE TABLE mentions (
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      PRIMARY KEY (post_id, account_id)
    );
    CREATE INDEX mentions_by_account ON mentions (account_id, post_id);

    CREATE TABLE post_tags (
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      PRIMARY KEY (post_id, tag)
    );
    CREATE INDEX post_tags_by_tag ON post_tags (tag, post_id);

    CREATE TABLE favourites (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      uri TEXT NOT NULL UNIQUE,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, post_id)
    );
    CREATE INDEX favourites_by_post ON favourites (post_id);

    CREATE TABLE tombstones (
      uri TEXT PRIMARY KEY,
      author_uri TEXT NOT NULL,
      deleted_at BIGINT NOT NULL
    );

    -- One row for every local reader of every post in a home timeline.
    CREATE TABLE home_entries (
      owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      PRIMARY KEY (owner_id, post_id)
    );
    CREATE INDEX home_entries_by_post ON home_entries (post_id);

    CREATE TABLE notifications (
      id INTEGER PRIMARY KEY,
      recipient_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      from_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT REFERENCES posts (id) ON DELETE CASCADE,
      created_at BIGINT NOT NULL,
      group_key TEXT NOT NULL,
      is_filtered BOOLEAN NOT NULL
    );
    CREATE INDEX notifications_by_group ON notifications (recipient_id, group_key, id);
    CREATE INDEX notifications_filtered ON notifications (recipient_id, is_filtered, from_id);
    CREATE INDEX notifications_by_recipient ON notifications (recipient_id, id);
    CREATE INDEX notifications_by_sender ON notifications (from_id, recipient_id);
    CREATE INDEX notifications_by_post ON notifications (post_id, recipient_id);

    CREATE TABLE attachments (
      id INTEGER PRIMARY KEY,
      owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT REFERENCES posts (id) ON DELETE CASCADE,
      position BIGINT NOT NULL,
      kind TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'held', 'refused', 'failed', 'linked')),
      failure TEXT,
      remote_url TEXT,
      alt_text TEXT NOT NULL,
      focus_x DOUBLE PRECISION,
      focus_y DOUBLE PRECISION,
      blurhash TEXT,
      perceptual_hash BIGINT,
      original TEXT,
      original_size BIGINT,
      declared_digest TEXT,
      declared_media_type TEXT,
      width BIGINT,
      height BIGINT,
      usage_policy TEXT,
      digital_source_type TEXT,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX attachments_by_post ON attachments (post_id, position);
    CREATE INDEX attachments_by_owner ON attachments (owner_id, id);
    CREATE INDEX attachments_by_original ON attachments (original);
    CREATE INDEX attachments_by_state ON attachments (state, id);

    CREATE TABLE renditions (
      attachment_id BIGINT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      digest TEXT NOT NULL,
      media_type TEXT NOT NULL,
      width BIGINT NOT NULL,
      height BIGINT NOT NULL,
      size BIGINT NOT NULL,
      PRIMARY KEY (attachment_id, kind)
    );
    CREATE INDEX renditions_by_digest ON renditions (digest);

    CREATE TABLE policy_revisions (
      number INTEGER PRIMARY KEY,
      document TEXT NOT NULL,
      note TEXT NOT NULL,
      author_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX policy_revisions_by_author ON policy_revisions (author_id);

    CREATE TABLE decisions (
      id INTEGER PRIMARY KEY,
      attachment_id BIGINT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
      verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'label', 'hold', 'refuse')),
      reasons TEXT NOT NULL,
      facts TEXT NOT NULL,
      assessment TEXT NOT NULL,
      detector TEXT NOT NULL,
      policy_revision BIGINT NOT NULL REFERENCES policy_revisions (number),
      decided_at BIGINT NOT NULL,
      decided_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL
    );
    CREATE INDEX decisions_by_attachment ON decisions (attachment_id, id);
    CREATE INDEX decisions_by_revision ON decisions (policy_revision);
    CREATE INDEX decisions_by_moderator ON decisions (decided_by);
    CREATE INDEX decisions_by_verdict ON decisions (verdict, id);

    CREATE TABLE appeals (
      id INTEGER PRIMARY KEY,
      attachment_id BIGINT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
      contact TEXT NOT NULL,
      message TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'upheld', 'overturned')),
      created_at BIGINT NOT NULL
    );
    CREATE INDEX appeals_by_attachment ON appeals (attachment_id);
    CREATE INDEX appeals_by_state ON appeals (state, id);

    -- Works a moderator has cleared: by digest, and by perceptual hash for copies that were recompressed.
    CREATE TABLE cleared_works (
      digest TEXT PRIMARY KEY,
      perceptual_hash BIGINT,
      cleared_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
      cleared_at BIGINT NOT NULL
    );
    CREATE INDEX cleared_works_by_hash ON cleared_works (perceptual_hash);
    CREATE INDEX cleared_works_by_moderator ON cleared_works (cleared_by);

    -- Refused bytes are deleted; what is kept stops a second fetch and lets the decision be appealed.
    CREATE TABLE refused_files (
      digest TEXT PRIMARY KEY,
      remote_url TEXT,
      perceptual_hash BIGINT,
      attachment_id BIGINT REFERENCES attachments (id) ON DELETE SET NULL,
      refused_at BIGINT NOT NULL
    );
    CREATE INDEX refused_files_by_url ON refused_files (remote_url);
    CREATE INDEX refused_files_by_attachment ON refused_files (attachment_id);

    -- Verified activities, committed before their sender is answered 202.
    CREATE TABLE inbox_activities (
      id INTEGER PRIMARY KEY,
      origin TEXT NOT NULL,
      activity TEXT NOT NULL,
      signer TEXT NOT NULL,
      body BLOB NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'rejected')),
      reason TEXT,
      received_at BIGINT NOT NULL,
      forwarder TEXT,
      UNIQUE (origin, activity)
    );
    CREATE INDEX inbox_activities_by_time ON inbox_activities (received_at);

    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY,
      lane TEXT NOT NULL,
      payload TEXT NOT NULL,
      ordering_key TEXT,
      dedup_key TEXT UNIQUE,
      run_at BIGINT NOT NULL,
      attempt BIGINT NOT NULL,
      crashes BIGINT NOT NULL DEFAULT 0,
      leased_until BIGINT,
      state TEXT NOT NULL CHECK (state IN ('ready', 'quarantined')),
      last_error TEXT
    );
    CREATE INDEX jobs_by_lane ON jobs (lane, state, run_at, id);
    CREATE INDEX jobs_by_order ON jobs (ordering_key, id);

    CREATE TABLE outgoing (
      id INTEGER PRIMARY KEY,
      sender_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      uri TEXT NOT NULL UNIQUE,
      object_uri TEXT NOT NULL,
      is_update BOOLEAN NOT NULL,
      is_forwarded BOOLEAN NOT NULL DEFAULT FALSE,
      to_followers BOOLEAN NOT NULL DEFAULT FALSE,
      body BLOB NOT NULL,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX outgoing_by_sender ON outgoing (sender_id, id);
    CREATE INDEX outgoing_by_object ON outgoing (object_uri, is_update);

    CREATE TABLE deliveries (
      id INTEGER PRIMARY KEY,
      outgoing_id BIGINT NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
      sender_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      inbox TEXT NOT NULL,
      host TEXT NOT NULL,
      ordering_key TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'abandoned', 'expired')),
      attempt BIGINT NOT NULL,
      next_at BIGINT NOT NULL,
      leased_until BIGINT,
      last_status BIGINT,
      last_error TEXT,
      created_at BIGINT NOT NULL,
      UNIQUE (outgoing_id, inbox)
    );
    CREATE INDEX deliveries_due ON deliveries (state, next_at, id);
    CREATE INDEX deliveries_by_order ON deliveries (ordering_key, state, id);
    CREATE INDEX deliveries_by_host ON deliveries (host, state);
    CREATE INDEX deliveries_by_sender ON deliveries (sender_id);

    -- What we know of other servers as peers: breaker, signature scheme. Trimmed to those seen lately.
    CREATE TABLE peers (
      host TEXT PRIMARY KEY,
      failures BIGINT NOT NULL DEFAULT 0,
      open_until BIGINT,
      scheme TEXT,
      scheme_at BIGINT,
      last_success_at BIGINT,
      last_failure_at BIGINT,
      failing_days BIGINT NOT NULL DEFAULT 0
    );

    CREATE TABLE idempotency_keys (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      idempotency_key TEXT NOT NULL,
      post_id BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, idempotency_key)
    );
    CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

    -- Bodies whose key host did not answer: unverified, capped, never mixed with the verified ones.
    CREATE TABLE parked_requests (
      id INTEGER PRIMARY KEY,
      key_host TEXT NOT NULL,
      request TEXT NOT NULL,
      body BLOB NOT NULL,
      received_at BIGINT NOT NULL,
      next_at BIGINT NOT NULL,
      attempt BIGINT NOT NULL
    );
    CREATE INDEX parked_requests_due ON parked_requests (next_at);
    """)
}
