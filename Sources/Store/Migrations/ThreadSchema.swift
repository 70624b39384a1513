import Persistence

extension Migration {
  /// Conversations, quotes and what may be searched. `posts.thread_id` is the id of the topmost post known when a post
  /// came; threads are joined when what lies between them arrives.
  static let threads = Migration(
    9, "threads",
    """
    -- When the rest of a conversation was last looked for on other servers.
    CREATE TABLE thread_reads (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      read_at BIGINT NOT NULL
    );

    CREATE TABLE thread_mutes (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      thread_id BIGINT NOT NULL,
      PRIMARY KEY (account_id, thread_id)
    );
    CREATE INDEX thread_mutes_by_thread ON thread_mutes (thread_id);

    -- One row for every local reader of every direct post.
    CREATE TABLE direct_entries (
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      PRIMARY KEY (account_id, post_id)
    );
    CREATE INDEX direct_entries_by_post ON direct_entries (post_id);

    CREATE TABLE conversations (
      id INTEGER PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      thread_id BIGINT NOT NULL,
      last_post_id BIGINT REFERENCES posts (id) ON DELETE SET NULL,
      is_unread BOOLEAN NOT NULL,
      UNIQUE (account_id, thread_id)
    );
    CREATE INDEX conversations_by_thread ON conversations (thread_id);
    CREATE INDEX conversations_by_post ON conversations (last_post_id);
    CREATE INDEX conversations_by_time ON conversations (account_id, last_post_id);

    -- The quoting post's side: what it quotes, and whether it was shown that it may.
    CREATE TABLE quotes (
      post_id INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
      quoted_uri TEXT NOT NULL,
      quoted_id BIGINT REFERENCES posts (id) ON DELETE SET NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked', 'deleted', 'unauthorized')),
      stamp_uri TEXT,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX quotes_by_quoted ON quotes (quoted_id, state, post_id);
    CREATE INDEX quotes_by_uri ON quotes (quoted_uri);
    CREATE INDEX quotes_by_stamp ON quotes (stamp_uri);

    -- The quoted artist's side, for works of ours: who asked with which post, and what they were told. It outlives the
    -- quoting post's arrival, which may come later, and binds both ends.
    CREATE TABLE quote_consents (
      id INTEGER PRIMARY KEY,
      quoted_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
      quoting_uri TEXT NOT NULL,
      asker_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      request_uri TEXT,
      state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked')),
      created_at BIGINT NOT NULL,
      UNIQUE (quoted_id, quoting_uri)
    );
    CREATE INDEX quote_consents_by_quoting ON quote_consents (quoting_uri);
    CREATE INDEX quote_consents_by_asker ON quote_consents (asker_id);

    -- The words of posts that somebody here may find, apart from consent, which is asked at every search. SQLite has
    -- FTS5 for it; PostgreSQL keeps (post_id BIGINT PRIMARY KEY, words TSVECTOR) with a GIN index. No foreign key leads
    -- here: whatever deletes posts deletes their words.
    CREATE VIRTUAL TABLE search_words USING fts5(words, tokenize = 'unicode61 remove_diacritics 2');
    """)
}
