import Policy
import Primitives

/// Works that an artist of this instance shows together, in an order of their own.
package struct Series: Hashable, Sendable {
  package typealias ID = Primitives.ID<Series>

  package var id: ID
  package var ownerID: Account.ID
  package var title: String
  /// Plain text.
  package var description: String
  /// What machines may do with the works in it; nil leaves it to the account.
  package var usagePolicy: UsagePolicy?
  package var createdAt: Timestamp

  package init(
    id: ID, ownerID: Account.ID, title: String, description: String = "", usagePolicy: UsagePolicy? = nil,
    createdAt: Timestamp
  ) {
    self.id = id
    self.ownerID = ownerID
    self.title = title
    self.description = description
    self.usagePolicy = usagePolicy
    self.createdAt = createdAt
  }
}

/// A series with the number of works in it that somebody may see.
package struct SeriesSummary: Hashable, Sendable {
  package let series: Series
  package let works: Int

  package init(series: Series, works: Int) {
    self.series = series
    self.works = works
  }
}
