import Policy
import Primitives

/// An artist, a follower or a server's own actor, here or on another instance.
package struct Account: Hashable, Sendable {
  package typealias ID = Primitives.ID<Account>

  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case person = "Person"
    case service = "Service"
    case group = "Group"
    case organization = "Organization"
    case application = "Application"
  }

  package var id: ID
  /// As its owner writes it; unique on its host without regard to case.
  package var username: String
  /// Nil for an account of this instance.
  package var host: Host?
  package var kind: Kind
  package var uri: IRI
  package var url: IRI
  package var displayName: String
  /// Sanitised HTML.
  package var note: String
  /// What the owner typed; empty for remote accounts.
  package var noteSource: String
  package var inbox: IRI
  package var sharedInbox: IRI?
  package var outbox: IRI?
  package var followers: IRI?
  package var following: IRI?
  package var featured: IRI?
  /// Remote accounts: where their picture lies. Local accounts: nil, see `avatar`.
  package var avatarURL: IRI?
  package var headerURL: IRI?
  /// Kept here: made for a local account, copied for a remote one.
  package var avatar: Portrait?
  package var header: Portrait?
  package var fields: [ProfileField]
  /// Follows wait for the owner's consent.
  package var isLocked: Bool
  package var isDiscoverable: Bool
  /// FEP-5feb: absent means no.
  package var isIndexable: Bool
  package var usagePolicy: UsagePolicy?
  /// Whether the stored policy came with a proof, so that only a proof may loosen it.
  package var policyIsProved: Bool
  /// When its author stated it, never later than when we read it.
  package var policyStatedAt: Timestamp?
  package var createdAt: Timestamp
  /// When a remote actor document was last read.
  package var fetchedAt: Timestamp
  package var suspendedAt: Timestamp?
  package var movedTo: IRI?
  package var details: AccountDetails

  package var isLocal: Bool { host == nil }
  /// `mika` here, `mika@paper.test` elsewhere: the client API's `acct`.
  package var acct: String { host.map { "\(username)@\($0.text)" } ?? username }

  package init(
    id: ID, username: String, host: Host?, kind: Kind = .person, uri: IRI, url: IRI, displayName: String = "",
    note: String = "", noteSource: String = "", inbox: IRI, sharedInbox: IRI? = nil, outbox: IRI? = nil,
    followers: IRI? = nil, following: IRI? = nil, featured: IRI? = nil, avatarURL: IRI? = nil, headerURL: IRI? = nil,
    avatar: Portrait? = nil, header: Portrait? = nil, fields: [ProfileField] = [], isLocked: Bool = false,
    isDiscoverable: Bool = true,
    isIndexable: Bool = false, usagePolicy: UsagePolicy? = nil, policyIsProved: Bool = false,
    policyStatedAt: Timestamp? = nil, createdAt: Timestamp,
    fetchedAt: Timestamp, suspendedAt: Timestamp? = nil, movedTo: IRI? = nil,
    details: AccountDetails = AccountDetails()
  ) {
    self.id = id
    self.username = username
    self.host = host
    self.kind = kind
    self.uri = uri
    self.url = url
    self.displayName = displayName
    self.note = note
    self.noteSource = noteSource
    self.inbox = inbox
    self.sharedInbox = sharedInbox
    self.outbox = outbox
    self.followers = followers
    self.following = following
    self.featured = featured
    self.avatarURL = avatarURL
    self.headerURL = headerURL
    self.avatar = avatar
    self.header = header
    self.fields = fields
    self.isLocked = isLocked
    self.isDiscoverable = isDiscoverable
    self.isIndexable = isIndexable
    self.usagePolicy = usagePolicy
    self.policyIsProved = policyIsProved
    self.policyStatedAt = policyStatedAt
    self.createdAt = createdAt
    self.fetchedAt = fetchedAt
    self.suspendedAt = suspendedAt
    self.movedTo = movedTo
    self.details = details
  }
}

package struct ProfileField: Codable, Hashable, Sendable {
  package var name: String
  /// Sanitised HTML.
  package var value: String
  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

package struct AccountCounts: Hashable, Sendable {
  package var posts: Int
  package var followers: Int
  package var following: Int
  package var lastPostAt: Timestamp?
  package init(posts: Int = 0, followers: Int = 0, following: Int = 0, lastPostAt: Timestamp? = nil) {
    self.posts = posts
    self.followers = followers
    self.following = following
    self.lastPostAt = lastPostAt
  }
}

/// What a local account may do here.
package enum Role: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  case artist, moderator, admin
  package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
  private var rank: Int {
    switch self {
    case .artist: 0
    case .moderator: 1
    case .admin: 2
    }
  }
}

/// The person behind a local account.
package struct User: Hashable, Sendable {
  package var accountID: Account.ID
  package var email: String
  package var passwordHash: String
  package var role: Role
  package var createdAt: Timestamp
  package var disabledAt: Timestamp?
  package init(
    accountID: Account.ID, email: String, passwordHash: String, role: Role, createdAt: Timestamp,
    disabledAt: Timestamp? = nil
  ) {
    self.accountID = accountID
    self.email = email
    self.passwordHash = passwordHash
    self.role = role
    self.createdAt = createdAt
    self.disabledAt = disabledAt
  }
}

/// A SHA-256 of a file's bytes, as 64 lower-case hexadecimal digits: the file's name in the store.
package struct Digest: RawRepresentable, Hashable, Sendable, Codable, LosslessStringConvertible {
  package let rawValue: String
  package init?(rawValue: String) {
    guard rawValue.utf8.count == 64, rawValue.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    self.rawValue = rawValue
  }
  package init?(_ description: String) { self.init(rawValue: description) }
  package var description: String { rawValue }
  package var bytes: [UInt8] { Hex.decode(rawValue) ?? [] }
}
