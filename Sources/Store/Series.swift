import Model
import Persistence
import Policy
import Primitives

extension Series {
  static let columns: SQL = """
    series.id, series.owner_id, series.title, series.description, series.usage_policy, series.created_at
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), ownerID: try row.id("owner_id"), title: try row.string("title"),
      description: try row.string("description"), usagePolicy: try row.optionalJSON("usage_policy"),
      createdAt: try row.timestamp("created_at"))
  }
}

/// The works beside one in its series.
package struct SeriesNeighbours: Sendable {
  package let series: Series
  package let previous: Post?
  package let next: Post?
}

extension ReadTransaction {
  package func series(_ id: Series.ID) throws -> Series? {
    try first("SELECT \(fragment: Series.columns) FROM series WHERE series.id = \(id)").map(Series.init(row:))
  }

  /// Newest first, each with how many works of it `viewer` may see.
  package func series(of owner: Account.ID, visibleTo viewer: Account.ID?) throws -> [SeriesSummary] {
    try rows(
      """
      SELECT \(fragment: Series.columns), (SELECT COUNT(*) FROM posts
        WHERE posts.series_id = series.id AND \(fragment: Post.visible(to: viewer))) AS works
      FROM series WHERE series.owner_id = \(owner) ORDER BY series.id DESC LIMIT \(Limits.seriesPerAccount)
      """
    ).map { SeriesSummary(series: try Series(row: $0), works: try $0.int("works")) }
  }

  package func works(in series: Series.ID, visibleTo viewer: Account.ID?) throws -> Int {
    try first(
      """
      SELECT COUNT(*) AS works FROM posts
      WHERE posts.series_id = \(series) AND \(fragment: Post.visible(to: viewer))
      """)?.int("works") ?? 0
  }

  package func seriesCount(of owner: Account.ID) throws -> Int {
    try first("SELECT COUNT(*) AS many FROM series WHERE owner_id = \(owner)")?.int("many") ?? 0
  }

  /// Works of a series in its order, behind the place of `after`.
  package func posts(
    in series: Series.ID, visibleTo viewer: Account.ID?, after: Post.ID? = nil, limit: Int
  ) throws -> [Post] {
    let place = try after.flatMap { try self.place(of: $0, in: series) } ?? .min
    return try rows(
      """
      SELECT \(fragment: Post.columns) FROM posts
      WHERE posts.series_id = \(series) AND posts.series_place > \(place) AND \(fragment: Post.visible(to: viewer))
      ORDER BY posts.series_place LIMIT \(limit)
      """
    ).map(Post.init(row:))
  }

  private func place(of post: Post.ID, in series: Series.ID) throws -> Int64? {
    try first("SELECT series_place FROM posts WHERE id = \(post) AND series_id = \(series)")?.int64("series_place")
  }

  /// Nil for a post that is in no series.
  package func neighbours(of post: Post, visibleTo viewer: Account.ID?) throws -> SeriesNeighbours? {
    guard let id = post.seriesID, let series = try series(id), let place = try place(of: post.id, in: id) else {
      return nil
    }
    let previous = try first(
      """
      SELECT \(fragment: Post.columns) FROM posts
      WHERE posts.series_id = \(id) AND posts.series_place < \(place) AND \(fragment: Post.visible(to: viewer))
      ORDER BY posts.series_place DESC LIMIT 1
      """)
    return SeriesNeighbours(
      series: series, previous: try previous.map(Post.init(row:)),
      next: try posts(in: id, visibleTo: viewer, after: post.id, limit: 1).first)
  }

  package func seriesLength(_ id: Series.ID) throws -> Int {
    try first("SELECT COUNT(*) AS many FROM posts WHERE series_id = \(id)")?.int("many") ?? 0
  }
}

extension WriteTransaction {
  package func insert(_ series: Series) throws {
    try execute(
      """
      INSERT INTO series (id, owner_id, title, description, usage_policy, created_at)
      VALUES (\(series.id), \(series.ownerID), \(series.title), \(series.description),
        \(try StoredJSON.text(ifPresent: series.usagePolicy)), \(series.createdAt))
      """)
  }

  package func update(_ series: Series) throws {
    try execute(
      """
      UPDATE series SET title = \(series.title), description = \(series.description),
        usage_policy = \(try StoredJSON.text(ifPresent: series.usagePolicy))
      WHERE id = \(series.id)
      """)
  }

  /// Its posts stay.
  package func delete(series id: Series.ID) throws {
    try execute("UPDATE posts SET series_id = NULL, series_place = NULL WHERE series_id = \(id)")
    try execute("DELETE FROM series WHERE id = \(id)")
  }

  /// Puts `post` behind the last of `series`, or takes it out of every series.
  package func place(_ post: Post.ID, in series: Series.ID?) throws {
    try execute(
      """
      UPDATE posts SET series_id = \(series), series_place = CASE WHEN CAST(\(series) AS BIGINT) IS NULL THEN NULL
        ELSE (SELECT COALESCE(MAX(others.series_place), 0) + 1 FROM posts AS others
          WHERE others.series_id = CAST(\(series) AS BIGINT)) END
      WHERE id = \(post)
      """)
  }

  /// Gives the posts of a series the places 1, 2, 3.
  package func order(_ posts: [Post.ID], in series: Series.ID) throws {
    for (place, post) in posts.enumerated() {
      try execute("UPDATE posts SET series_place = \(place + 1) WHERE id = \(post) AND series_id = \(series)")
    }
  }

  /// Their documents say something new about machines as of `time`.
  package func setPolicyStated(at time: Timestamp, of posts: [Post.ID]) throws {
    guard !posts.isEmpty else { return }
    try execute("UPDATE posts SET policy_stated_at = \(time) WHERE id IN \(in: posts)")
  }
}

extension Limits {
  package static let seriesPerAccount = 200
  package static let worksPerSeries = 500
}
