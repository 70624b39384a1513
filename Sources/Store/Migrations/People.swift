import Persistence

extension Migration {
  /// What people show of themselves, what they keep from each other, and the groups they are in.
  static let people = Migration(
    5, "people",
    """
    -- Works their author shows first, the newest pin on top.
    CREATE TABLE pins (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL UNIQUE REFERENCES posts (id) ON DELETE CASCADE
    );
    CREATE INDEX pins_by_account ON pins (account_id, id);

    CREATE TABLE posting_defaults (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private', 'direct')),
      is_sensitive BOOLEAN NOT NULL,
      language TEXT
    );

    CREATE TABLE featured_tags (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      name TEXT NOT NULL,
      UNIQUE (account_id, tag)
    );

    -- A report without a reporter came from another server, which does not say who it was.
    CREATE TABLE reports (
      id INTEGER PRIMARY KEY,
      uri TEXT UNIQUE,
      reporter_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
      origin TEXT NOT NULL,
      target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      category TEXT NOT NULL CHECK (category IN ('spam', 'legal', 'violation', 'other')),
      comment TEXT NOT NULL,
      rules TEXT NOT NULL,
      is_forwarded BOOLEAN NOT NULL,
      created_at BIGINT NOT NULL,
      resolved_at BIGINT,
      resolved_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL
    );
    CREATE INDEX reports_by_reporter ON reports (reporter_id);
    CREATE INDEX reports_by_target ON reports (target_id);
    CREATE INDEX reports_by_resolver ON reports (resolved_by);
    CREATE INDEX reports_open ON reports (id) WHERE resolved_at IS NULL;
    CREATE INDEX reports_done ON reports (id) WHERE resolved_at IS NOT NULL;

    CREATE TABLE report_posts (
      report_id BIGINT NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      PRIMARY KEY (report_id, post_id)
    );
    CREATE INDEX report_posts_by_post ON report_posts (post_id);

    -- Hosts that one account here wants nothing of.
    CREATE TABLE host_mutes (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      host TEXT NOT NULL,
      UNIQUE (account_id, host)
    );
    CREATE INDEX host_mutes_by_account ON host_mutes (account_id, id);

    -- `host` is empty for those of this instance.
    CREATE TABLE emojis (
      id INTEGER PRIMARY KEY,
      host TEXT NOT NULL,
      shortcode TEXT NOT NULL,
      uri TEXT,
      image_url TEXT,
      file TEXT,
      stated_at BIGINT,
      updated_at BIGINT NOT NULL,
      UNIQUE (host, shortcode)
    );
    CREATE INDEX emojis_by_file ON emojis (file);

    -- A collective that is followed as one account; `strangers` says what becomes of what others send it.
    CREATE TABLE collectives (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      strangers TEXT NOT NULL CHECK (strangers IN ('hold', 'ignore')),
      created_at BIGINT NOT NULL
    );

    CREATE TABLE collective_members (
      collective_id BIGINT NOT NULL REFERENCES collectives (account_id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      is_moderator BOOLEAN NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (collective_id, account_id)
    );
    CREATE INDEX collective_members_by_account ON collective_members (account_id);

    -- What was sent to a collective. `activity` is the Create of another server as it came, to be passed on unchanged.
    CREATE TABLE collective_posts (
      id INTEGER PRIMARY KEY,
      collective_id BIGINT NOT NULL REFERENCES collectives (account_id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'shared', 'declined')),
      activity BLOB,
      created_at BIGINT NOT NULL,
      UNIQUE (collective_id, post_id)
    );
    CREATE INDEX collective_posts_by_post ON collective_posts (post_id);
    CREATE INDEX collective_posts_by_state ON collective_posts (collective_id, state, id);
    """)
}
