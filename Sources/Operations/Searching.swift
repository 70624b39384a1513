import Markup
import Model
import Persistence
import Primitives
import Store

/// What a person typed into a search: words, and a few operators as Mastodon has them.
package struct SearchQuery: Hashable, Sendable {
  package var words: [String] = []
  /// `from:me`, `from:name`, `from:@name@host`.
  package var author: String?
  package var onlyMedia = false
  package var before: Timestamp?
  package var after: Timestamp?

  /// What is no operator is a word; an operator that can not be read is one too.
  package init(_ text: String) {
    for part in SearchQuery.parts(of: text) {
      if !take(part) { words.append(String(part.prefix(Limits.searchWord))) }
      if words.count == Limits.searchWords { break }
    }
  }

  private mutating func take(_ part: String) -> Bool {
    guard let colon = part.firstIndex(of: ":") else { return false }
    let value = String(part[part.index(after: colon)...])
    switch part[..<colon].lowercased() {
    case "from" where !value.isEmpty: author = value
    case "has" where ["media", "image", "images"].contains(value.lowercased()): onlyMedia = true
    case "before":
      guard let day = SearchQuery.day(value) else { return false }
      before = day
    case "after":
      guard let day = SearchQuery.day(value) else { return false }
      after = day.adding(.seconds(86_400))
    case "during", "on":
      guard let day = SearchQuery.day(value) else { return false }
      (after, before) = (day, day.adding(.seconds(86_400)))
    default: return false
    }
    return true
  }

  /// The lowest id that a post of this moment may have.
  fileprivate static func edge(_ time: Timestamp) -> Post.ID {
    Post.ID(rawValue: min(max(time.milliseconds, 0), (1 << 47) - 1) << 16)
  }

  private static func day(_ text: String) -> Timestamp? {
    text.utf8.count == 10 ? Timestamp(iso8601: "\(text)T00:00:00Z") : nil
  }

  /// Parted by spaces; what stands in quotation marks stays together.
  private static func parts(of text: String) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { place, piece -> [String] in
      if place % 2 == 1 { return piece.isEmpty ? [] : [String(piece)] }
      return piece.split(whereSeparator: \.isWhitespace).map(String.init)
    }
  }
}

extension ReadTransaction {
  /// The works that `viewer` may find with `query`. `account` narrows it to one author as `from:` does.
  package func posts(
    matching query: SearchQuery, by account: Account.ID?, for viewer: Account, offset: Int, limit: Int,
    in context: OperationContext
  ) throws -> [Post] {
    var author = account
    if let name = query.author {
      guard let found = try self.author(named: name, for: viewer, on: context.instance) else { return [] }
      guard account == nil || account == found else { return [] }
      author = found
    }
    let upper = query.before.map(SearchQuery.edge)
    let lower = query.after.map(SearchQuery.edge)
    return try posts(
      found: PostSearch(
        words: query.words, author: author, onlyMedia: query.onlyMedia,
        window: Page(before: upper, after: lower, limit: limit), offset: offset), by: viewer.id)
  }

  private func author(named name: String, for viewer: Account, on instance: Instance) throws -> Account.ID? {
    if name.lowercased() == "me" { return viewer.id }
    if let handle = Handle(name) {
      return try account(username: handle.username, host: handle.host == instance.host ? nil : handle.host)?.id
    }
    let bare = name.hasPrefix("@") ? String(name.dropFirst()) : name
    guard bare.utf8.count <= 256 else { return nil }
    return try account(username: bare, host: nil)?.id
  }
}

extension WriteTransaction {
  /// Puts the words of a post where somebody here may find them, and takes them out where nobody may. A post of others
  /// enters with their wish to be found, or with the first thing somebody here has to do with it.
  func indexWords(of id: Post.ID, touched: Bool = false) throws {
    guard let post = try post(id), post.boostOfID == nil else { return }
    var isWanted = try touched || post.isLocal || hasWords(of: id)
    if !isWanted, post.visibility.isOpen, post.searchability != .author {
      isWanted = try account(post.authorID)?.isIndexable == true
    }
    if !isWanted { isWanted = try mentions(of: [id])[id, default: []].contains(where: \.isLocal) }
    guard isWanted else { return }
    let pictures = try attachments(of: [id])[id, default: []].map(\.altText)
    let answers = try poll(of: id)?.options.map(\.title) ?? []
    let text = SanitizedHTML.restored(fromOwnStorage: post.content).text
    try setWords(([post.spoiler, text] + pictures + answers).joined(separator: "\n"), of: id)
  }

  /// Somebody here likes, keeps, shares or answers it: they may find it again.
  package func touch(_ post: Post, by account: Account) throws {
    guard account.isLocal, try !hasWords(of: post.id) else { return }
    try indexWords(of: post.id, touched: true)
  }
}

extension Limits {
  package static let searchWords = 16
  package static let searchWord = 100
  /// Results that may be paged through by number.
  package static let searchDepth = 400
}
