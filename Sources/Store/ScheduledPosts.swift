import Model
import Persistence
import Primitives

extension ScheduledPost {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), authorID: try row.id("author_id"), content: try row.json("content"),
      dueAt: try row.timestamp("due_at"), failure: try row.optionalString("failure"))
  }
}

extension ReadTransaction {
  package func scheduledPost(_ id: ScheduledPost.ID) throws -> ScheduledPost? {
    try first("SELECT id, author_id, content, due_at, failure FROM scheduled_posts WHERE id = \(id)")
      .map(ScheduledPost.init(row:))
  }

  package func scheduledPosts(by author: Account.ID, _ page: Page<ScheduledPost>) throws -> [ScheduledPost] {
    try rows(
      """
      SELECT id, author_id, content, due_at, failure FROM scheduled_posts
      WHERE author_id = \(author) AND id < \(page.upper) AND id > \(page.lower)
      ORDER BY id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(ScheduledPost.init(row:)).newestFirst(page)
  }

  package func scheduledCount(by author: Account.ID) throws -> Int {
    try first("SELECT COUNT(*) AS many FROM scheduled_posts WHERE author_id = \(author)")?.int("many") ?? 0
  }

  /// Those of `pictures` that wait with a scheduled post.
  package func scheduled(among pictures: [Attachment.ID]) throws -> Set<Attachment.ID> {
    guard !pictures.isEmpty else { return [] }
    return Set(
      try rows("SELECT attachment_id FROM scheduled_pictures WHERE attachment_id IN \(in: pictures)")
        .map { try $0.id("attachment_id") })
  }
}

extension WriteTransaction {
  /// Throws `DatabaseError.unique` when one of its pictures waits with another.
  package func insert(_ scheduled: ScheduledPost) throws {
    try execute(
      """
      INSERT INTO scheduled_posts (id, author_id, content, due_at, failure)
      VALUES (\(scheduled.id), \(scheduled.authorID), \(try StoredJSON.text(scheduled.content)), \(scheduled.dueAt),
        \(scheduled.failure))
      """)
    for picture in scheduled.content.pictures {
      try execute(
        "INSERT INTO scheduled_pictures (attachment_id, scheduled_id) VALUES (\(picture), \(scheduled.id))")
    }
  }

  package func update(_ scheduled: ScheduledPost) throws {
    try execute(
      "UPDATE scheduled_posts SET due_at = \(scheduled.dueAt), failure = \(scheduled.failure) WHERE id = \(scheduled.id)"
    )
  }

  package func delete(_ scheduled: ScheduledPost) throws {
    try execute("DELETE FROM scheduled_posts WHERE id = \(scheduled.id)")
  }
}
