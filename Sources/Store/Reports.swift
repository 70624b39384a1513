import Model
import Persistence
import Primitives

extension Report {
  static let columns: SQL = """
    reports.id, reports.uri, reports.reporter_id, reports.origin, reports.target_id, reports.category, reports.comment,
    reports.rules, reports.is_forwarded, reports.created_at, reports.resolved_at, reports.resolved_by
    """

  init(row: Row) throws {
    self.init(
      id: try row.id("id"), uri: try row.optionalIRI("uri"), reporterID: try row.optionalID("reporter_id"),
      origin: try row.string("origin"), targetID: try row.id("target_id"), category: try row.enumCase("category"),
      comment: try row.string("comment"), rules: try row.json("rules"), isForwarded: try row.bool("is_forwarded"),
      createdAt: try row.timestamp("created_at"), resolvedAt: try row.optionalTimestamp("resolved_at"),
      resolvedBy: try row.optionalID("resolved_by"))
  }
}

extension ReadTransaction {
  package func report(_ id: Report.ID) throws -> Report? {
    try first("SELECT \(fragment: Report.columns) FROM reports WHERE id = \(id)").map(Report.init(row:))
  }

  package func report(uri: IRI) throws -> Report? {
    try first("SELECT \(fragment: Report.columns) FROM reports WHERE uri = \(uri)").map(Report.init(row:))
  }

  /// Newest first.
  package func reports(resolved: Bool, _ page: Page<Report>) throws -> [Report] {
    // Two texts, since each has an index of its own.
    let condition: SQL = resolved ? "resolved_at IS NOT NULL" : "resolved_at IS NULL"
    return try rows(
      """
      SELECT \(fragment: Report.columns) FROM reports
      WHERE \(fragment: condition) AND id < \(page.upper) AND id > \(page.lower)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Report.init(row:)).newestFirst(page)
  }

  package func posts(in reports: some Collection<Report.ID>) throws -> [Report.ID: [Post]] {
    guard !reports.isEmpty else { return [:] }
    let found = try rows(
      """
      SELECT report_posts.report_id AS report_id, \(fragment: Post.columns) FROM report_posts
      CROSS JOIN posts ON posts.id = report_posts.post_id
      WHERE report_posts.report_id IN \(in: Set(reports).sorted()) ORDER BY report_posts.report_id, posts.id
      """)
    return try found.reduce(into: [:]) { grouped, row in
      grouped[try row.id("report_id"), default: []].append(try Post(row: row))
    }
  }

  /// Open reports another server has sent us, so that one can not bury the others.
  package func openReports(from origin: String) throws -> Int {
    try first(
      "SELECT COUNT(*) AS many FROM reports WHERE resolved_at IS NULL AND origin = \(origin)")?.int("many") ?? 0
  }

  /// The rules of this place, one a line as its staff wrote them.
  package func instanceRules() throws -> [String] {
    try (setting("instance.rules") ?? "").split(separator: "\n").map(String.init)
  }
}

extension WriteTransaction {
  package func insert(_ report: Report, posts: [Post.ID]) throws {
    try execute(
      """
      INSERT INTO reports (id, uri, reporter_id, origin, target_id, category, comment, rules, is_forwarded, created_at,
        resolved_at, resolved_by)
      VALUES (\(report.id), \(report.uri), \(report.reporterID), \(report.origin), \(report.targetID),
        \(report.category.rawValue), \(report.comment), \(try StoredJSON.text(report.rules)), \(report.isForwarded),
        \(report.createdAt), \(report.resolvedAt), \(report.resolvedBy))
      """)
    for post in Set(posts) {
      try execute("INSERT INTO report_posts (report_id, post_id) VALUES (\(report.id), \(post))")
    }
  }

  package func setResolved(_ id: Report.ID, by moderator: Account.ID?, at time: Timestamp?) throws {
    try execute("UPDATE reports SET resolved_at = \(time), resolved_by = \(moderator) WHERE id = \(id)")
  }
}
