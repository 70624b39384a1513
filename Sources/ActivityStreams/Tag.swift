import Primitives

package enum Tag: Hashable, Sendable {
  /// `name` as the peer wrote it: `@user@host` or `@user`.
  case mention(href: IRI, name: String)
  /// Without `#`.
  case hashtag(name: String, href: IRI?)
  case emoji(Emoji)

  package struct Emoji: Hashable, Sendable {
    /// Without colons.
    package var shortcode: String
    package var icon: IRI
    package var mediaType: String?
    package var id: IRI?
    package var updated: Timestamp?

    package init(shortcode: String, icon: IRI, mediaType: String? = nil, id: IRI? = nil, updated: Timestamp? = nil) {
      self.shortcode = shortcode
      self.icon = icon
      self.mediaType = mediaType
      self.id = id
      self.updated = updated
    }
  }

  package init?(reading node: Node) {
    if node.isA("Mention") {
      guard let href = node.iri("href") else { return nil }
      self = .mention(href: href, name: node.text("name") ?? "")
    } else if node.isA("Hashtag") {
      guard let name = node.text("name").map({ Tag.withoutMark($0) }), !name.isEmpty else { return nil }
      self = .hashtag(name: name, href: node.iri("href"))
    } else if node.isA("Emoji") {
      guard let name = node.text("name"), let icon = node.node("icon"), let url = icon.iri("url"), url.scheme == "https"
      else { return nil }
      let shortcode = name.split(separator: ":").joined()
      guard Tag.isShortcode(shortcode) else { return nil }
      self = .emoji(
        Emoji(
          shortcode: shortcode, icon: url, mediaType: icon.text("mediaType"), id: node.iri("id"),
          updated: node.timestamp("updated")))
    } else {
      return nil
    }
  }

  private static func withoutMark(_ name: String) -> String {
    name.unicodeScalars.first == "#" ? String(name.unicodeScalars.dropFirst()) : name
  }

  private static func isShortcode(_ text: String) -> Bool {
    (1...Limits.emojiShortcodeBytes).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  package var json: JSON {
    switch self {
    case .mention(let href, let name):
      ["type": "Mention", "href": .string(href.text), "name": .string(name)]
    case .hashtag(let name, let href):
      JSON.members(["type": "Hashtag", "href": href.map { .string($0.text) }, "name": .string("#\(name)")])
    case .emoji(let emoji):
      JSON.members([
        "id": emoji.id.map { .string($0.text) }, "type": "Emoji", "name": .string(":\(emoji.shortcode):"),
        "updated": emoji.updated.map { .string($0.iso8601) },
        "icon": JSON.members([
          "type": "Image", "mediaType": emoji.mediaType.map { .string($0) }, "url": .string(emoji.icon.text),
        ]),
      ])
    }
  }
}
