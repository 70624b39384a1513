import Primitives

/// A mention as an author types it: `@user` or `@user@host`.
package struct WrittenMention: Hashable, Sendable {
  package let username: String
  /// Nil for someone on this server.
  package let host: Host?

  package init(username: String, host: Host?) {
    self.username = username
    self.host = host
  }
}

/// One stretch of an author's text.
enum WrittenPart: Hashable {
  case text(String)
  case lineBreak
  case link(IRI, shown: String)
  case mention(WrittenMention, shown: String)
  /// Without the `#`.
  case hashtag(String)
}

/// Splits an author's text by strict rules; what fits none of them stays text.
struct WrittenTextReader {
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var parts: [WrittenPart] = []
  private var pending = String.UnicodeScalarView()

  static func parts(of line: String) -> [WrittenPart] {
    var reader = WrittenTextReader(scalars: Array(line.unicodeScalars))
    return reader.read()
  }

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  private mutating func read() -> [WrittenPart] {
    while index < scalars.count {
      switch scalars[index] {
      case "\n":
        take(.lineBreak, count: 1)
      case "@":
        if let (mention, count) = mention() {
          take(.mention(mention, shown: text(index, count)), count: count)
        } else {
          keep()
        }
      case "#", "\u{ff03}":
        if let count = hashtagLength() { take(.hashtag(text(index + 1, count)), count: count + 1) } else { keep() }
      case "h", "H":
        if let (link, count) = link() { take(.link(link, shown: text(index, count)), count: count) } else { keep() }
      default: keep()
      }
    }
    flush()
    return parts
  }

  private func text(_ start: Int, _ count: Int) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[start..<min(start + count, scalars.count)])
    return String(view)
  }

  private mutating func keep() {
    pending.append(scalars[index])
    index += 1
  }

  private mutating func take(_ part: WrittenPart, count: Int) {
    flush()
    parts.append(part)
    index += count
  }

  private mutating func flush() {
    if !pending.isEmpty { parts.append(.text(String(pending))) }
    pending = String.UnicodeScalarView()
  }

  /// Whether a name may begin here: `a@b` is an address and `x#y` a fragment.
  private var followsBreak: Bool {
    guard index > 0 else { return true }
    let previous = scalars[index - 1]
    return !isWord(previous) && previous != "/" && previous != "@" && previous != "#" && previous != "&"
  }

  private func mention() -> (WrittenMention, count: Int)? {
    guard followsBreak else { return nil }
    let isNamePart: (Unicode.Scalar) -> Bool = { isASCIIWord($0) || $0 == "." || $0 == "-" }
    let start = index + 1
    var end = run(from: start, while: isNamePart)
    while end > start, !isASCIIWord(scalars[end - 1]) { end -= 1 }
    let username = text(start, end - start)
    guard end > start, Handle.isUsername(username) else { return nil }
    if end < scalars.count, isWord(scalars[end]) { return nil }
    guard end < scalars.count, scalars[end] == "@" else {
      return (WrittenMention(username: username, host: nil), end - index)
    }
    var hostEnd = run(from: end + 1, while: { isNamePart($0) || $0 == ":" })
    while hostEnd > end + 1, !isASCIIWord(scalars[hostEnd - 1]) { hostEnd -= 1 }
    guard let host = Host(text(end + 1, hostEnd - end - 1)) else { return nil }
    return (WrittenMention(username: username, host: host), hostEnd - index)
  }

  private func hashtagLength() -> Int? {
    guard followsBreak else { return nil }
    let start = index + 1
    var end = run(from: start, while: { isWord($0) || isHashtagJoiner($0) })
    while end > start, isHashtagJoiner(scalars[end - 1]) { end -= 1 }
    let name = scalars[start..<max(start, end)]
    // `#1` is a number: a tag needs one letter.
    guard name.contains(where: { $0.properties.isAlphabetic }), let first = name.first, !isHashtagJoiner(first),
      name.count <= Limits.hashtagCharacters
    else { return nil }
    return name.count
  }

  private func link() -> (IRI, count: Int)? {
    guard followsBreak || index > 0 && scalars[index - 1] == "(" else { return nil }
    let head = text(index, 8).lowercased()
    guard head.hasPrefix("https://") || head.hasPrefix("http://") else { return nil }
    var end = run(from: index, while: { isLinkPart($0) })
    while end > index, isTrailingPunctuation(at: end - 1) { end -= 1 }
    let shown = text(index, end - index)
    guard let iri = IRI(percentEncoded(shown)) else { return nil }
    return (iri, end - index)
  }

  private func run(from start: Int, while isPart: (Unicode.Scalar) -> Bool) -> Int {
    var end = min(start, scalars.count)
    while end < scalars.count, isPart(scalars[end]) { end += 1 }
    return end
  }

  private func isTrailingPunctuation(at position: Int) -> Bool {
    switch scalars[position] {
    case ".", ",", ":", ";", "!", "?", "'", "*", "_", "~", "…", "。", "、", "！", "？": return true
    case ")":
      // `(see https://a.example/b_(c))` ends at the balanced parenthesis.
      let inside = scalars[index...position]
      return inside.count { $0 == ")" } > inside.count { $0 == "(" }
    default: return false
    }
  }
}

private func isASCIIWord(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case "a"..."z", "A"..."Z", "0"..."9", "_": true
  default: false
  }
}

/// A letter, mark, digit or connector of any script.
private func isWord(_ scalar: Unicode.Scalar) -> Bool {
  if isASCIIWord(scalar) { return true }
  guard scalar.value > 0x7f else { return false }
  switch scalar.properties.generalCategory {
  case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
    .spacingMark, .decimalNumber, .letterNumber, .connectorPunctuation:
    return true
  default: return false
  }
}

/// Catalan `l·l`, Japanese middle dots, and the joiners of Persian and Indic words.
private func isHashtagJoiner(_ scalar: Unicode.Scalar) -> Bool {
  scalar == "\u{b7}" || scalar == "\u{30fb}" || scalar == "\u{200c}" || scalar == "\u{200d}"
}

private func isLinkPart(_ scalar: Unicode.Scalar) -> Bool {
  guard isPermitted(scalar), !scalar.properties.isWhitespace, scalar.properties.generalCategory != .format else {
    return false
  }
  switch scalar {
  case "<", ">", "\"", "`", "{", "}", "|", "\\", "^", "\n", "\t": return false
  default: return true
  }
}

private func percentEncoded(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    if byte < 0x80 {
      out.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      out += "%" + Hex.encode([byte]).uppercased()
    }
  }
  return out
}
