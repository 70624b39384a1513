import Primitives

/// The picture of a person, or the wide one above their page, as a file kept here. Named by its bytes, so a new picture
/// has a new address and no cache shows the old one.
package struct Portrait: Codable, Hashable, Sendable {
  package enum Place: String, Codable, Hashable, Sendable, CaseIterable {
    case avatar, header

    /// The longest side at most, in pixels.
    package var side: Int {
      switch self {
      case .avatar: 400
      case .header: 1_500
      }
    }
  }

  package var digest: Digest
  /// JPEG or PNG: what every peer reads.
  package var mediaType: String

  package init(digest: Digest, mediaType: String) {
    self.digest = digest
    self.mediaType = mediaType
  }

  package init?(fileName: String) {
    guard let digest = Digest(rawValue: String(fileName.prefix(64))) else { return nil }
    switch fileName.dropFirst(64) {
    case ".jpg": self.init(digest: digest, mediaType: "image/jpeg")
    case ".png": self.init(digest: digest, mediaType: "image/png")
    default: return nil
    }
  }

  package static func fileNames(of digest: Digest) -> [String] { [".jpg", ".png"].map { digest.rawValue + $0 } }

  /// The file's name under `/media/`.
  package var fileName: String { digest.rawValue + (mediaType == "image/png" ? ".png" : ".jpg") }
}

/// What an account says of itself that nothing here is looked up by.
package struct AccountDetails: Codable, Hashable, Sendable {
  /// `alsoKnownAs`: accounts that may move here.
  package var aliases: [IRI] = []
  /// Hosts whose pages may name this account as their author.
  package var attributionDomains: [String] = []
  package var isMemorial = false
  package var featuredTags: IRI?
  /// When a local account announced its move: the next one waits.
  package var movedAt: Timestamp?
  /// The fields as their owner typed them; empty for remote accounts.
  package var fieldSources: [ProfileField] = []
  /// Of a group: who may decide there (FEP-1b12).
  package var moderators: IRI?
  package var isPostingRestricted = false

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    aliases = try container.decodeIfPresent([IRI].self, forKey: .aliases) ?? []
    attributionDomains = try container.decodeIfPresent([String].self, forKey: .attributionDomains) ?? []
    isMemorial = try container.decodeIfPresent(Bool.self, forKey: .isMemorial) ?? false
    featuredTags = try container.decodeIfPresent(IRI.self, forKey: .featuredTags)
    movedAt = try container.decodeIfPresent(Timestamp.self, forKey: .movedAt)
    fieldSources = try container.decodeIfPresent([ProfileField].self, forKey: .fieldSources) ?? []
    moderators = try container.decodeIfPresent(IRI.self, forKey: .moderators)
    isPostingRestricted = try container.decodeIfPresent(Bool.self, forKey: .isPostingRestricted) ?? false
  }
}

/// What a new post of somebody starts from where their app does not say.
package struct PostingDefaults: Hashable, Sendable {
  package var visibility = Visibility.everyone
  package var isSensitive = false
  package var language: String?
  package init() {}
}

/// A tag somebody shows on their profile.
package struct FeaturedTag: Hashable, Sendable {
  package typealias ID = Primitives.ID<FeaturedTag>
  package var id: ID
  package var accountID: Account.ID
  /// By `normalizedHashtag`.
  package var tag: String
  /// As its owner writes it.
  package var name: String
  package var posts: Int
  package var lastPostAt: Timestamp?
  package init(
    id: ID, accountID: Account.ID, tag: String, name: String, posts: Int = 0, lastPostAt: Timestamp? = nil
  ) {
    self.id = id
    self.accountID = accountID
    self.tag = tag
    self.name = name
    self.posts = posts
    self.lastPostAt = lastPostAt
  }
}
