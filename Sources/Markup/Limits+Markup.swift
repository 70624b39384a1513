import Primitives

extension Limits {
  /// HTML of a post or a biography, before and after sanitising. Longer input is cut at a tag boundary.
  package static let markupBytes = 100_000
  /// Elements open at once in sanitised output; deeper ones lose their tags and keep their text.
  package static let markupDepth = 64
  /// One start tag: four times the longest link, since an `&` in it is five characters.
  static let tagScalars = 8_192
  /// The passes a text gets to become its own sanitised form before it is reduced to plain text.
  static let markupPasses = 4

  package static let displayNameCharacters = 200
  package static let displayNameBytes = 2_048
  /// Marks stacked on one letter; Vietnamese and Hebrew need at most three.
  static let stackedMarks = 4

  package static let hashtagCharacters = 100
  package static let hashtagsPerPost = 64
  package static let mentionsPerPost = 64
  /// What Mastodon shows of a link before the ellipsis.
  static let shownLinkCharacters = 30

  /// An XML packet, such as the XMP of an image.
  package static let xmlBytes = 1 << 20
  package static let xmlDepth = 64
  package static let xmlNodes = 50_000
}
