import Markup
import Model
import Policy
import Primitives
import Store

/// One work in a grid.
struct Tile {
  let path: String
  let author: String
  let source: String
  let sourceSet: String?
  let width: Int
  let height: Int
  /// Height and width are classes, because the content policy allows no inline style.
  let shape: String
  let alt: String
  let isFlagged: Bool
  /// The author's warning covers the picture until somebody opens the work.
  let warning: String?
  let more: Int?
  let boostedBy: String?
  /// Far enough down to wait until somebody scrolls there.
  var isLate = false
}

/// One picture on its own page.
struct Plate {
  let source: String
  let sourceSet: String?
  let full: String?
  let width: Int
  let height: Int
  let alt: String
  let hasAlt: Bool
  let isPlaceholder: Bool
  let placeholder: PlaceholderWords?
  let decision: DecisionWords?
  let sourceType: String?
  let link: String?
  /// Other bytes than the artist signed for.
  let isChanged: Bool
}

struct PlaceholderWords {
  let heading: String
  let sentence: String

  init?(_ attachment: Attachment) {
    switch attachment.state {
    case .ready: return nil
    case .held: (heading, sentence) = ("Held for a moderator", "A person looks at this picture before it is shown.")
    case .refused: (heading, sentence) = ("Not shown here", "This instance does not show this picture.")
    case .waiting: (heading, sentence) = ("On its way", "This picture is being fetched and looked at.")
    case .failed: (heading, sentence) = ("Not available", "This picture could not be fetched or opened.")
    case .linked: (heading, sentence) = ("Elsewhere", "This instance does not copy video and sound.")
    }
  }
}

extension Attachment.State {
  /// The picture that stands in the place of another.
  var placeholderPath: String {
    switch self {
    case .held: "/assets/placeholder-held.png"
    case .refused: "/assets/placeholder-refused.png"
    case .waiting: "/assets/placeholder-waiting.png"
    case .ready, .failed, .linked: "/assets/placeholder-failed.png"
    }
  }
}

extension WebFace {
  static let placeholderWidth = 640
  static let placeholderHeight = 480

  /// The works among `posts` in order, boosted ones in the place of their boosts. Text without a picture, and posts
  /// of nothing but refused pictures, are no works.
  func tiles(_ posts: [Post], _ page: PageAssembly) -> [Tile] {
    let tiles = posts.compactMap { post -> Tile? in
      let shown = post.boostOfID.flatMap { page.boosted[$0] } ?? post
      if post.boostOfID != nil && shown.id == post.id { return nil }
      let pictures = page.attachments[shown.id] ?? []
      guard let author = page.accounts[shown.authorID] ?? nil, let first = pictures.first,
        !pictures.allSatisfy({ $0.state == .refused }) || !shown.content.isEmpty
      else { return nil }
      let best = pictures.first { $0.state == .ready } ?? first
      let booster = post.boostOfID == nil ? nil : page.accounts[post.authorID].map(shownName)
      return tile(best, of: shown, by: author, page, more: pictures.count - 1, boostedBy: booster)
    }
    return tiles.enumerated().map { place, tile in
      var tile = tile
      tile.isLate = place >= Limits.eagerPictures
      return tile
    }
  }

  private func tile(
    _ picture: Attachment, of post: Post, by author: Account, _ page: PageAssembly, more: Int, boostedBy: String?
  ) -> Tile {
    let renditions = page.renditions[picture.id] ?? []
    let file = renditions.best(.medium)
    let isShown = picture.state == .ready && file != nil
    let width = isShown ? file?.width ?? 0 : WebFace.placeholderWidth
    let height = isShown ? file?.height ?? 0 : WebFace.placeholderHeight
    let covered = post.isSensitive ? (post.spoiler.isEmpty ? "Sensitive" : post.spoiler) : nil
    let words = PlaceholderWords(picture)
    return Tile(
      path: path(of: post, by: author), author: shownName(author),
      source: isShown ? file.map { "/media/\($0.fileName)" } ?? "" : picture.state.placeholderPath,
      sourceSet: isShown ? renditions.sourceSet : nil, width: max(1, width), height: max(1, height),
      shape: shape(width: width, height: height),
      alt: words.map { "\($0.heading). \($0.sentence)" } ?? shownAlt(picture, author),
      isFlagged: isShown && page.decisions[picture.id]?.verdict == .label, warning: covered,
      more: more > 0 ? more : nil, boostedBy: boostedBy)
  }

  private func shownAlt(_ picture: Attachment, _ author: Account) -> String {
    picture.altText.isEmpty ? "A work by \(shownName(author)), not described" : picture.altText
  }

  /// Width to height in tenths, as one of the classes of the style sheet.
  private func shape(width: Int, height: Int) -> String {
    guard width > 0, height > 0 else { return "s13" }
    return "s\(min(30, max(4, min(width, Limits.imageSide) * 10 / height)))"
  }

  func plate(
    _ picture: Attachment, by author: Account, renditions: [Rendition], decision: DecisionRecord?,
    seesHeld: Bool, isChanged: Bool = false
  ) -> Plate {
    let file = renditions.best(.large)
    let isShown = file != nil && (picture.state == .ready || (picture.state == .held && seesHeld))
    let stands = decision.flatMap { $0.verdict == .accept ? nil : $0 }
    return Plate(
      source: isShown ? file.map { "/media/\($0.fileName)" } ?? "" : picture.state.placeholderPath,
      sourceSet: isShown ? renditions.sourceSet : nil,
      full: isShown ? renditions.best(.federated).map { "/media/\($0.fileName)" } : nil,
      width: max(1, isShown ? file?.width ?? 0 : WebFace.placeholderWidth),
      height: max(1, isShown ? file?.height ?? 0 : WebFace.placeholderHeight),
      alt: isShown ? picture.altText : PlaceholderWords(picture).map { "\($0.heading). \($0.sentence)" } ?? "",
      hasAlt: !picture.altText.isEmpty, isPlaceholder: !isShown,
      placeholder: isShown ? nil : PlaceholderWords(picture), decision: stands.map(DecisionWords.init),
      sourceType: sourceTypeInWords(picture.digitalSourceType),
      link: picture.state == .linked || picture.state == .failed ? picture.remoteURL?.text : nil,
      isChanged: isShown && isChanged)
  }

  private func sourceTypeInWords(_ value: String?) -> String? {
    switch value?.split(separator: "/").last.map(String.init) {
    case "digitalCreation": "made by hand, digitally"
    case "digitalCapture", "print", "negativeFilm", "positiveFilm": "photographed or scanned"
    case "humanEdits": "edited by hand"
    case "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic": "made with the help of an image generator"
    case "trainedAlgorithmicMedia": "made by an image generator"
    default: nil
    }
  }
}

extension [Rendition] {
  /// The wished size, or the next one there is.
  func best(_ kind: Rendition.Kind) -> Rendition? {
    let order: [Rendition.Kind] =
      switch kind {
      case .federated: [.federated, .large, .medium, .small]
      case .large: [.large, .federated, .medium, .small]
      case .medium: [.medium, .large, .federated, .small]
      case .small: [.small, .medium, .large, .federated]
      }
    return order.lazy.compactMap { kind in first { $0.kind == kind } }.first
  }

  /// Several sizes, so that a telephone does not load what only a wall of pixels needs.
  var sourceSet: String? {
    let files = filter { $0.kind != .federated }.sorted { $0.width < $1.width }
    guard files.count > 1 else { return nil }
    return files.map { "/media/\($0.fileName) \($0.width)w" }.joined(separator: ", ")
  }
}

extension Limits {
  /// Pictures of a grid that are loaded at once.
  static let eagerPictures = 6
}
