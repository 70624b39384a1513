import Primitives

/// Where one app of one person is told of things while it sleeps.
package struct PushSubscription: Hashable, Sendable {
  package typealias ID = Primitives.ID<PushSubscription>

  /// From whom notifications are passed on.
  package enum Policy: String, Codable, Hashable, Sendable, CaseIterable { case all, followed, follower, none }

  package var id: ID
  package var tokenID: Int64
  package var accountID: Account.ID
  /// The app's own token, sealed: it is part of every message, and by it the app knows for whom the message is.
  package var sealedToken: [UInt8]
  package var endpoint: IRI
  /// An uncompressed P-256 point.
  package var publicKey: [UInt8]
  package var secret: [UInt8]
  /// Whether the app reads RFC 8291, or the draft before it.
  package var isStandard: Bool
  /// Kinds of notifications, as the API names them.
  package var alerts: Set<String>
  package var policy: Policy

  package init(
    id: ID, tokenID: Int64, accountID: Account.ID, sealedToken: [UInt8], endpoint: IRI, publicKey: [UInt8],
    secret: [UInt8], isStandard: Bool, alerts: Set<String>, policy: Policy
  ) {
    self.id = id
    self.tokenID = tokenID
    self.accountID = accountID
    self.sealedToken = sealedToken
    self.endpoint = endpoint
    self.publicKey = publicKey
    self.secret = secret
    self.isStandard = isStandard
    self.alerts = alerts
    self.policy = policy
  }

  /// What apps may ask for. Those this server never sends are kept and answered as they were asked for.
  package static let kinds = [
    "mention", "quote", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update",
    "quoted_update", "admin.sign_up", "admin.report",
  ]
}
