import Persistence

extension Migration {
  /// People on their way in, and what mail carries for them.
  static let joining = Migration(
    10, "joining",
    """
    -- Not accounts yet: nothing else reads this table, so nobody in it can be seen, named or written to.
    CREATE TABLE sign_ups (
      id INTEGER PRIMARY KEY,
      username TEXT NOT NULL UNIQUE,
      email TEXT NOT NULL,
      email_key TEXT NOT NULL,
      password_hash TEXT NOT NULL,
      reason TEXT NOT NULL,
      locale TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'waiting', 'declined')),
      is_echo BOOLEAN NOT NULL,
      is_invited BOOLEAN NOT NULL,
      token_hash TEXT UNIQUE,
      application_id BIGINT REFERENCES applications (id) ON DELETE SET NULL,
      scopes TEXT NOT NULL,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX sign_ups_by_state ON sign_ups (state, id);
    CREATE INDEX sign_ups_by_email ON sign_ups (email_key);
    CREATE INDEX sign_ups_by_application ON sign_ups (application_id);

    -- The secret of a link is in the mail alone; here is its hash, until it was used or its time has passed.
    CREATE TABLE mail_links (
      secret_hash TEXT PRIMARY KEY,
      purpose TEXT NOT NULL,
      subject_id BIGINT NOT NULL,
      expires_at BIGINT NOT NULL
    );
    CREATE INDEX mail_links_by_subject ON mail_links (purpose, subject_id);
    CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);

    CREATE TABLE address_changes (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      old_email TEXT NOT NULL,
      new_email TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('asked', 'done', 'stopped')),
      created_at BIGINT NOT NULL
    );
    CREATE INDEX address_changes_by_account ON address_changes (account_id, state);

    CREATE TABLE invitations (
      id INTEGER PRIMARY KEY,
      secret_hash TEXT NOT NULL UNIQUE,
      made_by BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
      expires_at BIGINT NOT NULL
    );
    CREATE INDEX invitations_by_maker ON invitations (made_by);
    CREATE INDEX invitations_by_expiry ON invitations (expires_at);

    -- Hosts of e-mail addresses that get no account here, with everything under them.
    CREATE TABLE blocked_mail_hosts (
      host TEXT PRIMARY KEY,
      created_at BIGINT NOT NULL
    );
    """)
}
