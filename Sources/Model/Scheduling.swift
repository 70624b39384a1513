import Policy
import Primitives

/// A post that its author has written for a later time. Nobody else learns of it before.
package struct ScheduledPost: Hashable, Sendable {
  package typealias ID = Primitives.ID<ScheduledPost>

  /// Kept as JSON, so a member is only ever added, and with a default.
  package struct Content: Codable, Hashable, Sendable {
    package struct Poll: Codable, Hashable, Sendable {
      package var options: [String]
      package var isMultiple: Bool
      package var hidesTotals: Bool
      package var seconds: Int64
      package init(options: [String], isMultiple: Bool, hidesTotals: Bool, seconds: Int64) {
        self.options = options
        self.isMultiple = isMultiple
        self.hidesTotals = hidesTotals
        self.seconds = seconds
      }
    }
    package var text: String
    package var spoiler = ""
    package var isSensitive = false
    package var language: String?
    package var visibility = Visibility.everyone
    package var inReplyTo: Post.ID?
    package var pictures: [Attachment.ID] = []
    package var usagePolicy: UsagePolicy?
    package var seriesID: Series.ID?
    package var poll: Poll?
    package var idempotencyKey: String?
    package var quoting: Post.ID?
    package var interaction: InteractionPolicy?
    package init(text: String) { self.text = text }
  }

  package var id: ID
  package var authorID: Account.ID
  package var content: Content
  package var dueAt: Timestamp
  /// Why it was not published when its time came; its author changes it, or publishes it by hand.
  package var failure: String?

  package init(id: ID, authorID: Account.ID, content: Content, dueAt: Timestamp, failure: String? = nil) {
    self.id = id
    self.authorID = authorID
    self.content = content
    self.dueAt = dueAt
    self.failure = failure
  }
}

extension Limits {
  package static let scheduledPosts = 300
  /// How long before its time a post is scheduled at the latest.
  package static let scheduleLead = Duration.seconds(300)
  package static let scheduleHorizon = Duration.seconds(5 * 366 * 86_400)
}
