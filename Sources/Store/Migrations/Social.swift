import Persistence

extension Migration {
  /// What people do with each other and with their apps, apart from the posts themselves.
  static let social = Migration(
    2, "social",
    """
    CREATE TABLE applications (
      id INTEGER PRIMARY KEY,
      client_id TEXT NOT NULL UNIQUE,
      secret_hash TEXT NOT NULL,
      name TEXT NOT NULL,
      website TEXT,
      redirects TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX applications_by_time ON applications (created_at);

    CREATE TABLE authorization_codes (
      code_hash TEXT PRIMARY KEY,
      application_id BIGINT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      redirect TEXT NOT NULL,
      scopes TEXT NOT NULL,
      challenge TEXT,
      expires_at BIGINT NOT NULL,
      token_hash TEXT
    );
    CREATE INDEX authorization_codes_by_application ON authorization_codes (application_id);
    CREATE INDEX authorization_codes_by_account ON authorization_codes (account_id);
    CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

    -- A token without an account speaks for its application alone, one without an application is of the command line.
    CREATE TABLE access_tokens (
      id INTEGER PRIMARY KEY,
      secret_hash TEXT NOT NULL UNIQUE,
      account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
      application_id BIGINT REFERENCES applications (id) ON DELETE CASCADE,
      application TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      revoked_at BIGINT
    );
    CREATE INDEX access_tokens_by_account ON access_tokens (account_id);
    CREATE INDEX access_tokens_by_application ON access_tokens (application_id);

    CREATE TABLE polls (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      is_multiple BOOLEAN NOT NULL,
      hides_totals BOOLEAN NOT NULL,
      ends_at BIGINT,
      settled_at BIGINT,
      voters BIGINT,
      read_at BIGINT NOT NULL
    );

    CREATE TABLE poll_options (
      post_id BIGINT NOT NULL REFERENCES polls (post_id) ON DELETE CASCADE,
      position BIGINT NOT NULL,
      title TEXT NOT NULL,
      votes BIGINT NOT NULL,
      PRIMARY KEY (post_id, position)
    );

    CREATE TABLE poll_votes (
      id INTEGER PRIMARY KEY,
      post_id BIGINT NOT NULL REFERENCES polls (post_id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      choice BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      UNIQUE (post_id, account_id, choice)
    );
    CREATE INDEX poll_votes_by_account ON poll_votes (account_id, post_id);

    CREATE TABLE bookmarks (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      UNIQUE (account_id, post_id)
    );
    CREATE INDEX bookmarks_by_time ON bookmarks (account_id, id);
    CREATE INDEX bookmarks_by_post ON bookmarks (post_id);
    CREATE INDEX favourites_by_time ON favourites (account_id, created_at);

    CREATE TABLE markers (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      timeline TEXT NOT NULL,
      last_read_id BIGINT NOT NULL,
      version BIGINT NOT NULL,
      updated_at BIGINT NOT NULL,
      PRIMARY KEY (account_id, timeline)
    );

    CREATE TABLE people_lists (
      id INTEGER PRIMARY KEY,
      owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      title TEXT NOT NULL,
      replies_policy TEXT NOT NULL CHECK (replies_policy IN ('followed', 'list', 'none')),
      is_exclusive BOOLEAN NOT NULL
    );
    CREATE INDEX people_lists_by_owner ON people_lists (owner_id, id);

    CREATE TABLE list_members (
      list_id BIGINT NOT NULL REFERENCES people_lists (id) ON DELETE CASCADE,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      PRIMARY KEY (list_id, account_id)
    );
    CREATE INDEX list_members_by_account ON list_members (account_id, list_id);

    CREATE TABLE mutes (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      hides_notices BOOLEAN NOT NULL,
      ends_at BIGINT,
      PRIMARY KEY (account_id, target_id)
    );
    CREATE INDEX mutes_by_target ON mutes (target_id);
    CREATE INDEX mutes_by_end ON mutes (ends_at);

    CREATE TABLE account_notes (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      note TEXT NOT NULL,
      PRIMARY KEY (account_id, target_id)
    );
    CREATE INDEX account_notes_by_target ON account_notes (target_id);
    """)
}
