import Model
import Persistence
import Primitives
import Store
import Testing

@Suite struct GrowthTests {
  /// A hundred thousand posts by a thousand authors whom one reader follows, and the planner knows it.
  @Test func `a page reads about as many rows as it shows, whatever the instance holds`() async throws {
    let scratch = try await Scratch()
    let reader = scratch.account("reader")
    try await scratch.write { tx in
      try tx.insert(reader)
      try Self.fill(tx, for: reader)
      _ = try tx.execute("ANALYZE")
    }
    let found = try await scratch.write { tx in
      let explaining = Explaining(tx)
      let page = Page<Post>(limit: 20)
      let home = try explaining.home(of: reader.id, page)
      #expect(home.count == 20)
      #expect(try explaining.home(of: reader.id, Page(before: home.last?.id, limit: 20)).count == 20)
      #expect(try explaining.home(of: reader.id, Page(from: ID(rawValue: 1_000_000), limit: 20)).count == 20)
      for isLocal in [true, false] {
        for viewer in [reader.id, nil] {
          _ = try explaining.publicPosts(localOnly: isLocal, onlyMedia: false, visibleTo: viewer, page)
        }
      }
      _ = try explaining.posts(by: ID(rawValue: 2_001), visibleTo: reader.id, AccountFilter(), page)
      _ = try explaining.posts(tagged: "ink", visibleTo: reader.id, page)
      _ = try explaining.assemble(home, for: reader.id)
      return (explaining.scans(), explaining.sorts, explaining.plans.flatMap(\.steps))
    }
    #expect(found.0 == [])
    #expect(found.1.filter { $0.contains("home_entries") || $0.contains("posts.visibility") } == [])
    // The first step of a home timeline is a walk down the entries' own key.
    let walk = found.2.filter { $0.contains("home_entries") }
    #expect(walk.allSatisfy { $0.hasPrefix("SEARCH home_entries") && $0.contains("owner_id=? AND post_id") })
  }

  private static func fill(_ tx: any WriteTransaction, for reader: Account) throws {
    _ = try tx.execute(
      """
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
      INSERT INTO accounts (id, username, username_key, host, kind, uri, url, display_name, note, note_source, inbox,
        fields, details, is_locked, is_discoverable, is_indexable, policy_is_proved, created_at, fetched_at)
      SELECT 2000 + i, 'a' || i, 'a' || i, 'paper.test', 'Person', 'https://paper.test/' || i, 'https://paper.test/' || i,
        '', '', '', 'https://paper.test/in', '[]', '{}', FALSE, TRUE, FALSE, FALSE, 1, 1 FROM n
      """)
    _ = try tx.execute(
      """
      INSERT INTO follows (id, follower_id, followee_id, uri, state, created_at)
      SELECT id + 100000, \(reader.id), id, 'https://atelier.test/f/' || id, 'accepted', 1 FROM accounts
      WHERE host = 'paper.test'
      """)
    _ = try tx.execute(
      """
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO posts (id, uri, url, author_id, content, text, spoiler, is_sensitive, visibility, state,
        policy_is_proved, is_local, created_at)
      SELECT 1000000 + i, 'https://paper.test/p/' || i, 'https://paper.test/p/' || i, 2001 + i % 1000, 'x', '', '',
        FALSE, CASE i % 4 WHEN 0 THEN 'private' ELSE 'public' END, 'published', FALSE, i % 50 = 0, i FROM n
      """)
    _ = try tx.execute(
      "INSERT INTO home_entries (owner_id, post_id) SELECT \(reader.id), id FROM posts")
    _ = try tx.execute("INSERT INTO account_counts (account_id) SELECT id FROM accounts WHERE host <> ''")
    _ = try tx.execute("INSERT INTO post_counts (post_id) SELECT id FROM posts")
    _ = try tx.execute("INSERT INTO post_tags (post_id, tag) SELECT id, 'ink' FROM posts WHERE id % 10 = 0")
  }
}
