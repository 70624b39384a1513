import Persistence

extension Migration {
  /// What people set so that their apps show them the right things at the right time.
  static let daily = Migration(
    4, "daily",
    """
    CREATE TABLE filters (
      id INTEGER PRIMARY KEY,
      owner_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      title TEXT NOT NULL,
      contexts TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN ('warn', 'hide', 'blur')),
      expires_at BIGINT
    );
    CREATE INDEX filters_by_owner ON filters (owner_id, id);

    CREATE TABLE filter_keywords (
      id INTEGER PRIMARY KEY,
      filter_id BIGINT NOT NULL REFERENCES filters (id) ON DELETE CASCADE,
      keyword TEXT NOT NULL,
      is_whole_word BOOLEAN NOT NULL
    );
    CREATE INDEX filter_keywords_by_filter ON filter_keywords (filter_id, id);

    CREATE TABLE filter_posts (
      id INTEGER PRIMARY KEY,
      filter_id BIGINT NOT NULL REFERENCES filters (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      UNIQUE (filter_id, post_id)
    );
    CREATE INDEX filter_posts_by_post ON filter_posts (post_id);

    CREATE TABLE followed_tags (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      UNIQUE (tag, account_id)
    );
    CREATE INDEX followed_tags_by_account ON followed_tags (account_id, id);

    CREATE TABLE endorsements (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      UNIQUE (account_id, target_id)
    );
    CREATE INDEX endorsements_by_time ON endorsements (account_id, id);
    CREATE INDEX endorsements_by_target ON endorsements (target_id);

    CREATE TABLE scheduled_posts (
      id INTEGER PRIMARY KEY,
      author_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      content TEXT NOT NULL,
      due_at BIGINT NOT NULL,
      failure TEXT
    );
    CREATE INDEX scheduled_posts_by_author ON scheduled_posts (author_id, id);

    -- Pictures that wait with their post: no sweep takes them, and no other post.
    CREATE TABLE scheduled_pictures (
      attachment_id INTEGER PRIMARY KEY REFERENCES attachments (id) ON DELETE CASCADE,
      scheduled_id BIGINT NOT NULL REFERENCES scheduled_posts (id) ON DELETE CASCADE
    );
    CREATE INDEX scheduled_pictures_by_post ON scheduled_pictures (scheduled_id);

    CREATE TABLE notification_policies (
      account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
      not_following TEXT NOT NULL,
      not_followers TEXT NOT NULL,
      new_accounts TEXT NOT NULL,
      private_mentions TEXT NOT NULL,
      limited_accounts TEXT NOT NULL
    );

    -- Whose notifications come through whatever the policy says.
    CREATE TABLE notification_permissions (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      from_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      PRIMARY KEY (account_id, from_id)
    );
    CREATE INDEX notification_permissions_by_sender ON notification_permissions (from_id);
    """)
}
