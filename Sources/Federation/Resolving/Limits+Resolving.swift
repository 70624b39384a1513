import Primitives

extension Limits {
  /// Keys kept parsed in memory: about 1 KiB each.
  package static let cachedKeys = 8_192
  /// A key is asked for again after a day, so that a rotation nobody told us of ends.
  package static let keyLifetime = Duration.seconds(86_400)
  /// After a failure neither the key nor the address it came from causes another fetch: one request may not make us
  /// send many.
  package static let keyCoolOff = Duration.seconds(300)
  package static let coolingSources = 8_192
  package static let actorLifetime = Duration.seconds(86_400)
  /// How long a peer's way of signing is remembered.
  package static let schemeMemory = Duration.seconds(30 * 86_400)
  package static let rememberedSchemes = 4_096
  package static let webFinger = 64 * 1_024
  package static let webFingerDeadline = Duration.seconds(10)
  /// Documents that one received activity may cause to be fetched.
  package static let fetchesPerActivity = 16
  /// Missing parents fetched above one post, in the background.
  package static let threadDepth = 10
  /// Requests that one look for the rest of a conversation may cost: its lists, posts and people new to us together.
  package static let threadFetches = 60
  /// Pages read of one list of a conversation.
  package static let threadPages = 4
  /// Posts new to us that one look may add.
  package static let threadPosts = 40
  package static let receivedMentions = 64
  package static let queryBytes = 2_048
  package static let receivedPollTitle = 200
  package static let receivedVotes = 1_000_000_000
}
