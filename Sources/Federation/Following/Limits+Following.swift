import Primitives

extension Limits {
  /// Mastodon does not compare the lists of accounts with more followers either.
  package static let synchronizedFollowers = 25_000
  /// Of one server: its part of the list has to fit into one document.
  package static let synchronizedPart = 1_000
  package static let synchronizationFieldBytes = 4_096
  package static let followerDigestLifetime = Duration.seconds(60)
  package static let followerDigestSenders = 1_000
  package static let followerCheckPause = Duration.seconds(3_600)
  /// Pages of one list elsewhere that are asked for, and what they may hold together.
  package static let collectionPages = 10
  package static let comparedFollowers = 10_000
  package static let followersTakenBack = 100
  /// What is passed on for others: Misskey refuses more, and nobody's followers are a loudspeaker.
  package static let forwardedBody = 65_536
  package static let forwardsPerHour = 100
}
