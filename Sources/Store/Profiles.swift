import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// Whose portrait a stored file is. The same bytes may be those of several people.
  package func accounts(withPortrait fileName: String) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM accounts WHERE avatar_file = \(fileName)
      UNION SELECT \(fragment: Account.columns) FROM accounts WHERE header_file = \(fileName) LIMIT 16
      """
    ).map(Account.init(row:))
  }

  package func postingDefaults(of id: Account.ID) throws -> PostingDefaults {
    var defaults = PostingDefaults()
    guard
      let row = try first(
        "SELECT visibility, is_sensitive, language FROM posting_defaults WHERE account_id = \(id)")
    else { return defaults }
    defaults.visibility = try row.enumCase("visibility")
    defaults.isSensitive = try row.bool("is_sensitive")
    defaults.language = try row.optionalString("language")
    return defaults
  }

  /// With the number of posts that everybody may see.
  package func featuredTags(of id: Account.ID) throws -> [FeaturedTag] {
    try rows(
      """
      SELECT featured_tags.id, featured_tags.account_id, featured_tags.tag, featured_tags.name,
        (SELECT COUNT(*) FROM post_tags CROSS JOIN posts ON posts.id = post_tags.post_id
          WHERE post_tags.tag = featured_tags.tag AND posts.author_id = featured_tags.account_id
            AND posts.state = 'published' AND posts.visibility IN ('public', 'unlisted')) AS posts,
        (SELECT MAX(posts.created_at) FROM post_tags CROSS JOIN posts ON posts.id = post_tags.post_id
          WHERE post_tags.tag = featured_tags.tag AND posts.author_id = featured_tags.account_id
            AND posts.state = 'published' AND posts.visibility IN ('public', 'unlisted')) AS last_post_at
      FROM featured_tags WHERE featured_tags.account_id = \(id) ORDER BY featured_tags.id
      """
    ).map { row in
      FeaturedTag(
        id: try row.id("id"), accountID: try row.id("account_id"), tag: try row.string("tag"),
        name: try row.string("name"), posts: try row.int("posts"), lastPostAt: try row.optionalTimestamp("last_post_at")
      )
    }
  }

  /// Tags of the newest posts of `id` that are not shown on the profile yet, for suggestions.
  package func usedTags(by id: Account.ID, limit: Int) throws -> [String] {
    try rows(
      """
      SELECT post_tags.tag AS tag, COUNT(*) AS uses FROM posts CROSS JOIN post_tags ON post_tags.post_id = posts.id
      WHERE posts.author_id = \(id) AND posts.state = 'published' AND posts.visibility IN ('public', 'unlisted')
        AND NOT EXISTS (SELECT 1 FROM featured_tags
          WHERE featured_tags.account_id = \(id) AND featured_tags.tag = post_tags.tag)
      GROUP BY post_tags.tag ORDER BY uses DESC, tag LIMIT \(limit)
      """
    ).map { try $0.string("tag") }
  }
}

extension WriteTransaction {
  package func set(_ defaults: PostingDefaults, of id: Account.ID) throws {
    try execute(
      """
      INSERT INTO posting_defaults (account_id, visibility, is_sensitive, language)
      VALUES (\(id), \(defaults.visibility.rawValue), \(defaults.isSensitive), \(defaults.language))
      ON CONFLICT (account_id) DO UPDATE SET visibility = excluded.visibility, is_sensitive = excluded.is_sensitive,
        language = excluded.language
      """)
  }

  /// False if it is there already.
  package func insert(_ tag: FeaturedTag) throws -> Bool {
    try execute(
      """
      INSERT INTO featured_tags (id, account_id, tag, name) VALUES (\(tag.id), \(tag.accountID), \(tag.tag), \(tag.name))
      ON CONFLICT (account_id, tag) DO NOTHING
      """) == 1
  }

  package func delete(_ tag: FeaturedTag) throws { try execute("DELETE FROM featured_tags WHERE id = \(tag.id)") }

  /// Keeps a copy of a remote portrait unless its account names another picture by now.
  package func setPortrait(
    _ portrait: Portrait?, at place: Portrait.Place, of id: Account.ID, from url: IRI
  ) throws {
    switch place {
    case .avatar:
      try execute(
        "UPDATE accounts SET avatar_file = \(portrait?.fileName) WHERE id = \(id) AND avatar_url = \(url)")
    case .header:
      try execute(
        "UPDATE accounts SET header_file = \(portrait?.fileName) WHERE id = \(id) AND header_url = \(url)")
    }
  }
}
