import Model
import Persistence
import Primitives

extension PostFilter {
  init(row: Row) throws {
    let contexts = try row.string("contexts").split(separator: " ").compactMap { Context(rawValue: String($0)) }
    self.init(
      id: try row.id("id"), ownerID: try row.id("owner_id"), title: try row.string("title"), contexts: contexts,
      action: try row.enumCase("action"), expiresAt: try row.optionalTimestamp("expires_at"))
  }
}

extension ReadTransaction {
  /// Everything `owner` has set, in three statements or, for most people, one.
  ///
  /// - Parameter posts: which single posts are looked up; nil is all.
  package func filters(of owner: Account.ID?, posts: [Post.ID]? = nil) throws -> [PostFilter] {
    guard let owner else { return [] }
    let found = try rows(
      "SELECT id, owner_id, title, contexts, action, expires_at FROM filters WHERE owner_id = \(owner) ORDER BY id"
    ).map(PostFilter.init(row:))
    return try completed(found, posts: posts)
  }

  package func filter(_ id: PostFilter.ID, of owner: Account.ID) throws -> PostFilter? {
    let found = try rows(
      """
      SELECT id, owner_id, title, contexts, action, expires_at FROM filters WHERE id = \(id) AND owner_id = \(owner)
      """
    ).map(PostFilter.init(row:))
    return try completed(found, posts: nil).first
  }

  private func completed(_ filters: [PostFilter], posts: [Post.ID]?) throws -> [PostFilter] {
    guard !filters.isEmpty else { return [] }
    let ids = filters.map(\.id)
    var keywords: [PostFilter.ID: [PostFilter.Keyword]] = [:]
    for row in try rows(
      "SELECT id, filter_id, keyword, is_whole_word FROM filter_keywords WHERE filter_id IN \(in: ids) ORDER BY id")
    {
      keywords[try row.id("filter_id"), default: []].append(
        .init(id: try row.id("id"), text: try row.string("keyword"), isWholeWord: try row.bool("is_whole_word")))
    }
    let among: SQL = posts.map { "AND post_id IN \(in: $0)" } ?? ""
    var entries: [PostFilter.ID: [PostFilter.Entry]] = [:]
    for row in try rows(
      """
      SELECT id, filter_id, post_id FROM filter_posts WHERE filter_id IN \(in: ids) \(fragment: among) ORDER BY id
      """)
    {
      entries[try row.id("filter_id"), default: []].append(
        .init(id: try row.id("id"), postID: try row.id("post_id")))
    }
    return filters.map { filter in
      var whole = filter
      whole.keywords = keywords[filter.id, default: []]
      whole.posts = entries[filter.id, default: []]
      return whole
    }
  }

  /// The filter a keyword belongs to, if it is one of `owner`'s.
  package func filter(withKeyword id: PostFilter.Keyword.ID, of owner: Account.ID) throws -> PostFilter? {
    try first("SELECT filter_id FROM filter_keywords WHERE id = \(id)")
      .flatMap { try filter($0.id("filter_id"), of: owner) }
  }

  package func filter(withEntry id: PostFilter.Entry.ID, of owner: Account.ID) throws -> PostFilter? {
    try first("SELECT filter_id FROM filter_posts WHERE id = \(id)")
      .flatMap { try filter($0.id("filter_id"), of: owner) }
  }
}

extension WriteTransaction {
  /// Writes all but keywords and single posts.
  package func put(_ filter: PostFilter) throws {
    let contexts = filter.contexts.map(\.rawValue).joined(separator: " ")
    try execute(
      """
      INSERT INTO filters (id, owner_id, title, contexts, action, expires_at)
      VALUES (\(filter.id), \(filter.ownerID), \(filter.title), \(contexts), \(filter.action.rawValue),
        \(filter.expiresAt))
      ON CONFLICT (id) DO UPDATE SET title = excluded.title, contexts = excluded.contexts, action = excluded.action,
        expires_at = excluded.expires_at
      """)
  }

  package func put(_ keyword: PostFilter.Keyword, in filter: PostFilter.ID) throws {
    try execute(
      """
      INSERT INTO filter_keywords (id, filter_id, keyword, is_whole_word)
      VALUES (\(keyword.id), \(filter), \(keyword.text), \(keyword.isWholeWord))
      ON CONFLICT (id) DO UPDATE SET keyword = excluded.keyword, is_whole_word = excluded.is_whole_word
      """)
  }

  /// Adding a post twice leaves the first entry.
  package func insert(_ entry: PostFilter.Entry, in filter: PostFilter.ID) throws {
    try execute(
      """
      INSERT INTO filter_posts (id, filter_id, post_id) VALUES (\(entry.id), \(filter), \(entry.postID))
      ON CONFLICT (filter_id, post_id) DO NOTHING
      """)
  }

  package func delete(_ filter: PostFilter) throws { try execute("DELETE FROM filters WHERE id = \(filter.id)") }

  package func delete(filterKeyword id: PostFilter.Keyword.ID) throws {
    try execute("DELETE FROM filter_keywords WHERE id = \(id)")
  }

  package func delete(filterEntry id: PostFilter.Entry.ID) throws {
    try execute("DELETE FROM filter_posts WHERE id = \(id)")
  }
}
