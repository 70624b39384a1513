import Primitives

extension Notification.Kind {
  /// Those that say the same about the same thing, and are shown as one.
  package var isGrouped: Bool {
    switch self {
    case .favourite, .boost, .follow: true
    default: false
    }
  }
}

extension Notification {
  /// The group it is shown in: likes of one post within half a day are one line, not forty.
  package var groupKey: String {
    guard kind.isGrouped else { return "ungrouped-\(id)" }
    let half = createdAt.secondsSince1970 / 43_200
    return [kind.rawValue, postID?.description, String(half)].compactMap(\.self).joined(separator: "-")
  }
}

/// What becomes of notifications from those one does not know.
package struct NoticePolicy: Hashable, Sendable {
  package enum Rule: String, Hashable, Sendable, CaseIterable { case accept, filter, drop }

  package var notFollowing = Rule.accept
  package var notFollowers = Rule.accept
  package var newAccounts = Rule.accept
  package var privateMentions = Rule.accept
  package var limitedAccounts = Rule.accept
  package init() {}
}

/// Somebody whose notifications wait to be let in.
package struct NoticeRequest: Hashable, Sendable {
  package var fromID: Account.ID
  package var count: Int
  package var firstAt: Timestamp
  package var lastAt: Timestamp
  package var lastPostID: Post.ID?
  package init(fromID: Account.ID, count: Int, firstAt: Timestamp, lastAt: Timestamp, lastPostID: Post.ID?) {
    self.fromID = fromID
    self.count = count
    self.firstAt = firstAt
    self.lastAt = lastAt
    self.lastPostID = lastPostID
  }
}

/// How many of a kind there are in one group.
package struct NoticeGroup: Hashable, Sendable {
  package var count: Int
  package var newest: Notification.ID
  package init(count: Int, newest: Notification.ID) {
    self.count = count
    self.newest = newest
  }
}

extension Limits {
  /// Accounts made later than this ago are new to a notification policy.
  package static let newAccount = Duration.seconds(30 * 86_400)
}
