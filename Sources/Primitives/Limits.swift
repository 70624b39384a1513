/// Every bound on what comes from outside, in one place. Sizes are bytes unless the name says otherwise.
///
/// Targets add their own in an extension named `Limits+Target.swift`.
package enum Limits {
  /// An inbox body or a fetched document. Mastodon's ceiling is the same; ours stay under `outgoingDocument`.
  package static let inboxBody = 1 << 20
  package static let fetchedDocument = 1 << 20
  /// Misskey refuses bodies over 64 KiB.
  package static let outgoingDocument = 60_000

  package static let jsonDepth = 32
  package static let jsonStringBytes = 512 * 1024
  package static let iriBytes = 2_048

  package static let upload = 40 << 20
  package static let imagePixels = 64_000_000
  package static let imageSide = 16_384
  /// Pixelfed drops the media of a post when one side is longer.
  package static let federatedSide = 5_000

  package static let attachmentsPerPost = 16
  package static let altTextCharacters = 2_000
  package static let postCharacters = 2_000

  package static let signatureWindow = Duration.seconds(3_600)
  package static let signatureExpiryCap = Duration.seconds(12 * 3_600)
  package static let signatureDefaultExpiry = Duration.seconds(300)

  package static let seenActivities = Duration.seconds(90 * 86_400)
  package static let idempotencyKeys = Duration.seconds(86_400)
  package static let delivery = Duration.seconds(14 * 86_400)
  package static let quarantine = Duration.seconds(30 * 86_400)
  /// A key or document fetched inside a request.
  package static let fetchInRequest = Duration.seconds(8)
}
