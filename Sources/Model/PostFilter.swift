import Primitives

/// What somebody does not want to meet unprepared: words, or single posts. Only its owner knows of it.
package struct PostFilter: Hashable, Sendable {
  package typealias ID = Primitives.ID<PostFilter>

  package enum Context: String, Hashable, Sendable, CaseIterable { case home, notifications, `public`, thread, account }

  /// What an app does with a match. All of them are sent: hiding is the app's.
  package enum Action: String, Hashable, Sendable, CaseIterable { case warn, hide, blur }

  package struct Keyword: Hashable, Sendable {
    package typealias ID = Primitives.ID<Keyword>
    package var id: ID
    package var text: String
    package var isWholeWord: Bool
    package init(id: ID, text: String, isWholeWord: Bool) {
      self.id = id
      self.text = text
      self.isWholeWord = isWholeWord
    }
  }

  package struct Entry: Hashable, Sendable {
    package typealias ID = Primitives.ID<Entry>
    package var id: ID
    package var postID: Post.ID
    package init(id: ID, postID: Post.ID) {
      self.id = id
      self.postID = postID
    }
  }

  package var id: ID
  package var ownerID: Account.ID
  package var title: String
  package var contexts: [Context]
  package var action: Action
  package var expiresAt: Timestamp?
  package var keywords: [Keyword] = []
  package var posts: [Entry] = []

  package init(
    id: ID, ownerID: Account.ID, title: String, contexts: [Context], action: Action = .warn,
    expiresAt: Timestamp? = nil
  ) {
    self.id = id
    self.ownerID = ownerID
    self.title = title
    self.contexts = contexts
    self.action = action
    self.expiresAt = expiresAt
  }

  package func isActive(at now: Timestamp) -> Bool { expiresAt.map { $0 > now } ?? true }
}

/// The words of one post as filters see them: without regard to case, and no more of them than a person reads.
package struct FilteredText: Sendable {
  private let bytes: [UInt8]

  package init(_ parts: [String]) {
    bytes = Array(parts.joined(separator: "\n").lowercased().utf8.prefix(Limits.filteredTextBytes))
  }

  /// A whole word has no letter or digit directly before or after it. A keyword that itself begins or ends with
  /// something else, as `#ink` does, needs no border there.
  package func holds(_ keyword: PostFilter.Keyword) -> Bool {
    let wanted = Array(keyword.text.lowercased().utf8)
    guard let first = wanted.first, let last = wanted.last, wanted.count <= bytes.count else { return false }
    var start = 0
    while start <= bytes.count - wanted.count {
      if bytes[start] == first, bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
        let end = start + wanted.count
        let opens = start == 0 || !isLetter(first) || !isLetter(bytes[start - 1])
        let closes = end == bytes.count || !isLetter(last) || !isLetter(bytes[end])
        if !keyword.isWholeWord || (opens && closes) { return true }
      }
      start += 1
    }
    return false
  }

  private func isLetter(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || (48...57).contains(byte) || (97...122).contains(byte)
  }
}

extension Limits {
  package static let filters = 100
  /// Of one account, over all filters: each is looked for in every post of a page.
  package static let filterKeywords = 300
  package static let filterPosts = 300
  package static let filterTitle = 100
  package static let filterKeyword = 200
  package static let filteredTextBytes = 16_384
}
