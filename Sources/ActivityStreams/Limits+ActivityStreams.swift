import Primitives

// What is longer is cut or counted as an omission, never a reason to refuse: a peer's excess is not its author's fault.
extension Limits {
  package static let receivedNameBytes = 2_048
  package static let receivedBiographyBytes = 20_000
  package static let receivedContentBytes = 100_000
  package static let receivedSummaryBytes = 2_048
  package static let receivedAltTextCharacters = 10_000
  package static let receivedAttachments = 32
  package static let receivedTags = 64
  package static let receivedAliases = 256
  package static let receivedAddresses = 1_000
  package static let receivedFields = 16
  package static let receivedKeys = 16
  package static let receivedLanguages = 32
  package static let receivedPollOptions = 20
  package static let receivedItems = 1_000
  package static let flagObjects = 50
  package static let flagCommentCharacters = 5_000
  static let typeBytes = 256
  static let contexts = 32
  static let shortTextBytes = 512
  static let emojiShortcodeBytes = 64
}
