/// What follows from a verdict, as a description; operations carry it out and undo it.
package enum Effect: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  /// The picture is shown.
  case show
  /// The flag, its evidence and the appeal stand beside the picture, on our pages and in our API only: nothing is
  /// added to public ActivityPub documents.
  case flag
  /// Members of this instance: told first, with the appeal and the way to withdraw.
  case tellAuthor
  case offerAppeal
  /// A picture with the reason takes its place for everybody but moderators; text, other pictures, replies and boosts
  /// stay.
  case placeholder
  /// The bytes are kept for moderators, at most `Limits.quarantine`.
  case quarantineBytes
  /// The bytes go; digest, perceptual hash, facts and reasons stay, so that it is not fetched again and can be
  /// appealed.
  case deleteBytes
  /// The post waits, visible to its author; nothing is delivered.
  case postWaits
  /// The upload is answered with 422, reasons and appeal. Text and draft are kept.
  case rejectUpload

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Verdict {
  /// The table of effects. A post is never lost because of a picture.
  package func effects(onUpload isUpload: Bool) -> Set<Effect> {
    switch (self, isUpload) {
    case (.accept, _): [.show]
    case (.label, false): [.show, .flag, .offerAppeal]
    case (.label, true): [.show, .flag, .tellAuthor, .offerAppeal]
    case (.hold, false): [.placeholder, .quarantineBytes, .offerAppeal]
    case (.hold, true): [.postWaits, .tellAuthor, .offerAppeal]
    case (.refuse, false): [.placeholder, .deleteBytes, .offerAppeal]
    case (.refuse, true): [.rejectUpload, .tellAuthor, .offerAppeal]
    }
  }
}

extension Decision {
  package func effects(for facts: ImageFacts) -> Set<Effect> { verdict.effects(onUpload: facts.origin == nil) }
}
