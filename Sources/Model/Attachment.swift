import Policy
import Primitives

/// A picture of a post, uploaded here or received.
package struct Attachment: Hashable, Sendable {
  package typealias ID = Primitives.ID<Attachment>

  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case image, video, audio, unknown
  }

  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// Waits for its bytes to be fetched or analysed.
    case waiting
    /// Shown.
    case ready
    /// In quarantine; a placeholder stands in its place.
    case held
    /// Refused; bytes deleted, a placeholder stands in its place.
    case refused
    /// Could not be fetched or opened; `failure` says why.
    case failed
    /// Not fetched by design (video, audio): shown as a link.
    case linked
  }

  package var id: ID
  package var ownerID: Account.ID
  package var postID: Post.ID?
  /// Place in the post, from 0.
  package var position: Int
  package var kind: Kind
  package var state: State
  /// A stable code such as `image.truncated`, when `state` is `.failed`.
  package var failure: String?
  /// Where a remote picture lies.
  package var remoteURL: IRI?
  package var altText: String
  /// In -1...1, y up.
  package var focus: Focus?
  package var blurhash: String?
  package var perceptualHash: PerceptualHash?
  /// The bytes as received.
  package var original: Digest?
  /// Bytes of `original`, where they are kept here.
  package var originalSize: Int?
  /// What the sender's document says the digest is (FEP-1311).
  package var declaredDigest: Digest?
  package var declaredMediaType: String?
  package var width: Int?
  package var height: Int?
  package var usagePolicy: UsagePolicy?
  /// The author's IPTC digital source type term, such as `digitalCreation`.
  package var digitalSourceType: String?
  package var createdAt: Timestamp

  package init(
    id: ID, ownerID: Account.ID, postID: Post.ID? = nil, position: Int = 0, kind: Kind = .image,
    state: State = .waiting, failure: String? = nil, remoteURL: IRI? = nil, altText: String = "", focus: Focus? = nil,
    blurhash: String? = nil, perceptualHash: PerceptualHash? = nil, original: Digest? = nil,
    declaredDigest: Digest? = nil, declaredMediaType: String? = nil, width: Int? = nil, height: Int? = nil,
    usagePolicy: UsagePolicy? = nil, digitalSourceType: String? = nil, createdAt: Timestamp, originalSize: Int? = nil
  ) {
    self.id = id
    self.ownerID = ownerID
    self.postID = postID
    self.position = position
    self.kind = kind
    self.state = state
    self.failure = failure
    self.remoteURL = remoteURL
    self.altText = altText
    self.focus = focus
    self.blurhash = blurhash
    self.perceptualHash = perceptualHash
    self.original = original
    self.declaredDigest = declaredDigest
    self.declaredMediaType = declaredMediaType
    self.width = width
    self.height = height
    self.usagePolicy = usagePolicy
    self.digitalSourceType = digitalSourceType
    self.createdAt = createdAt
    self.originalSize = originalSize
  }
}

package struct Focus: Codable, Hashable, Sendable {
  package let x: Double
  package let y: Double
  /// Held to -1...1; nil for what is no number.
  package init?(x: Double, y: Double) {
    guard x.isFinite, y.isFinite else { return nil }
    self.x = min(1, max(-1, x))
    self.y = min(1, max(-1, y))
  }
}

/// One stored file made from a picture.
package struct Rendition: Hashable, Sendable {
  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// At most 5,000 px, JPEG or PNG: what peers are given.
    case federated
    /// At most 2048, 640 and 320 px, for our own pages and clients.
    case large, medium, small
  }

  package var attachmentID: Attachment.ID
  package var kind: Kind
  package var digest: Digest
  package var mediaType: String
  package var width: Int
  package var height: Int
  package var size: Int

  package init(
    attachmentID: Attachment.ID, kind: Kind, digest: Digest, mediaType: String, width: Int, height: Int, size: Int
  ) {
    self.attachmentID = attachmentID
    self.kind = kind
    self.digest = digest
    self.mediaType = mediaType
    self.width = width
    self.height = height
    self.size = size
  }

  /// The file's name under `/media/`.
  package var fileName: String {
    switch mediaType {
    case "image/png": "\(digest.rawValue).png"
    case "image/webp": "\(digest.rawValue).webp"
    case "image/gif": "\(digest.rawValue).gif"
    default: "\(digest.rawValue).jpg"
    }
  }
}

/// One decision on one picture, kept with all it rested on so that it can be explained and replayed.
package struct DecisionRecord: Hashable, Sendable {
  package typealias ID = Primitives.ID<DecisionRecord>
  package var id: ID
  package var attachmentID: Attachment.ID
  package var verdict: Verdict
  package var reasons: [Reason]
  package var facts: ImageFacts
  package var assessment: Assessment
  package var policyRevision: Int
  package var decidedAt: Timestamp
  /// Nil when the policy decided; a moderator otherwise.
  package var decidedBy: Account.ID?

  package init(
    id: ID, attachmentID: Attachment.ID, verdict: Verdict, reasons: [Reason], facts: ImageFacts,
    assessment: Assessment, policyRevision: Int, decidedAt: Timestamp, decidedBy: Account.ID?
  ) {
    self.id = id
    self.attachmentID = attachmentID
    self.verdict = verdict
    self.reasons = reasons
    self.facts = facts
    self.assessment = assessment
    self.policyRevision = policyRevision
    self.decidedAt = decidedAt
    self.decidedBy = decidedBy
  }
}

package struct Appeal: Hashable, Sendable {
  package typealias ID = Primitives.ID<Appeal>
  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case open, upheld, overturned }
  package var id: ID
  package var attachmentID: Attachment.ID
  /// How to answer; may be empty, and an appeal needs no account here.
  package var contact: String
  package var message: String
  package var state: State
  package var createdAt: Timestamp
  package init(
    id: ID, attachmentID: Attachment.ID, contact: String, message: String, state: State, createdAt: Timestamp
  ) {
    self.id = id
    self.attachmentID = attachmentID
    self.contact = contact
    self.message = message
    self.state = state
    self.createdAt = createdAt
  }
}
