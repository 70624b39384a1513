import Primitives

/// Somebody tells the moderators of an account and of works of it.
package struct Report: Hashable, Sendable {
  package typealias ID = Primitives.ID<Report>

  package enum Category: String, Codable, Hashable, Sendable, CaseIterable { case spam, legal, violation, other }

  package var id: ID
  /// The id of the Flag of another server.
  package var uri: IRI?
  /// Nil when another server told us: it does not say who it was.
  package var reporterID: Account.ID?
  /// The host that told us; empty for somebody here.
  package var origin: String
  package var targetID: Account.ID
  package var category: Category
  /// Plain text.
  package var comment: String
  /// Texts of the rules, as they were when it was written.
  package var rules: [String]
  /// Whether the target's server was told too.
  package var isForwarded: Bool
  package var createdAt: Timestamp
  package var resolvedAt: Timestamp?
  package var resolvedBy: Account.ID?

  package init(
    id: ID, uri: IRI? = nil, reporterID: Account.ID? = nil, origin: String = "", targetID: Account.ID,
    category: Category = .other, comment: String = "", rules: [String] = [], isForwarded: Bool = false,
    createdAt: Timestamp, resolvedAt: Timestamp? = nil, resolvedBy: Account.ID? = nil
  ) {
    self.id = id
    self.uri = uri
    self.reporterID = reporterID
    self.origin = origin
    self.targetID = targetID
    self.category = category
    self.comment = comment
    self.rules = rules
    self.isForwarded = isForwarded
    self.createdAt = createdAt
    self.resolvedAt = resolvedAt
    self.resolvedBy = resolvedBy
  }
}
