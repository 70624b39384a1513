import Persistence
import Primitives

/// A window over rows that sort by id, newest first. Keyset: rows that arrive meanwhile shift nothing.
package struct Page<Entity>: Hashable, Sendable {
  /// Only ids below this (`max_id`).
  package var before: ID<Entity>?
  /// Only ids above this, newest first (`since_id`).
  package var after: ID<Entity>?
  /// Only ids above this, taken from the oldest (`min_id`); the answer is still newest first.
  package var from: ID<Entity>?
  package var limit: Int

  package init(before: ID<Entity>? = nil, after: ID<Entity>? = nil, from: ID<Entity>? = nil, limit: Int) {
    self.before = before
    self.after = after
    self.from = from
    self.limit = limit
  }

  var upper: Int64 { before?.rawValue ?? .max }
  var lower: Int64 { max(after?.rawValue ?? .min, from?.rawValue ?? .min) }
  var direction: SQL { from == nil ? "DESC" : "ASC" }
}

extension Array {
  /// Rows that were taken from the oldest are still answered newest first.
  func newestFirst(_ page: Page<some Any>) -> [Element] { page.from == nil ? self : reversed() }
}
