import Primitives

/// A post kept for later. Nobody else learns of it.
package enum Bookmark {}

/// How far somebody has read in a timeline, told from one of their apps to the others.
package struct ReadingMarker: Hashable, Sendable {
  package var timeline: String
  package var lastReadID: Int64
  package var version: Int
  package var updatedAt: Timestamp
  package init(timeline: String, lastReadID: Int64, version: Int, updatedAt: Timestamp) {
    self.timeline = timeline
    self.lastReadID = lastReadID
    self.version = version
    self.updatedAt = updatedAt
  }
}

/// A timeline of some of those one follows. Only its owner knows of it.
package struct PeopleList: Hashable, Sendable {
  package typealias ID = Primitives.ID<PeopleList>
  package enum RepliesPolicy: String, Hashable, Sendable, CaseIterable { case followed, list, none }
  package var id: ID
  package var ownerID: Account.ID
  package var title: String
  package var repliesPolicy: RepliesPolicy
  package var isExclusive: Bool
  package init(
    id: ID, ownerID: Account.ID, title: String, repliesPolicy: RepliesPolicy = .list, isExclusive: Bool = false
  ) {
    self.id = id
    self.ownerID = ownerID
    self.title = title
    self.repliesPolicy = repliesPolicy
    self.isExclusive = isExclusive
  }
}

/// What one account has set about another, which that one never learns.
package struct Aside: Hashable, Sendable {
  package struct Mute: Hashable, Sendable {
    package var hidesNotices: Bool
    package var endsAt: Timestamp?
    package init(hidesNotices: Bool = true, endsAt: Timestamp? = nil) {
      self.hidesNotices = hidesNotices
      self.endsAt = endsAt
    }
  }
  package var mute: Mute?
  package var note = ""
  package init() {}
}
