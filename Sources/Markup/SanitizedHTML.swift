import Primitives

/// HTML that holds only elements and attributes of the allow-list. Only the sanitiser makes it.
package struct SanitizedHTML: Hashable, Sendable {
  package let html: String

  init(trusted html: String) { self.html = html }

  package static let empty = SanitizedHTML(trusted: "")

  /// HTML this server sanitised before and kept in its own database.
  package static func restored(fromOwnStorage html: String) -> SanitizedHTML { SanitizedHTML(trusted: html) }

  /// The text a person sees, paragraphs parted by an empty line.
  package var text: String { plainText(ofSanitized: html) }
}

/// Whose links a text holds.
package enum LinkTrust: Hashable, Sendable {
  /// Anyone's. `rel=me` is a claim of identity and never survives (BookWyrm GHSA-xq42).
  case untrusted
  /// The profile of an account here, whose `rel=me` links are its owner's word.
  case profile
}

/// The safe form of `hostile`. Total, and idempotent: the safe form of a safe form is itself.
///
/// Text outlives the elements that are dropped, except that of scripts, styles, embedded objects and foreign
/// vocabularies. Idempotence is what makes mutation attacks fail, so it is enforced, not hoped for: a text that does
/// not become stable is reduced to its plain text.
package func sanitize(_ hostile: String, links: LinkTrust = .untrusted) -> SanitizedHTML {
  guard let first = sanitizingPass(hostile, links: links) else { return reduced(hostile, links: links) }
  var current = first
  for _ in 1..<Limits.markupPasses {
    guard let next = sanitizingPass(current, links: links) else { break }
    if next == current { return SanitizedHTML(trusted: current) }
    current = next
  }
  return reduced(hostile, links: links)
}

private func reduced(_ hostile: String, links: LinkTrust) -> SanitizedHTML {
  let text = withoutTags(prefix(hostile, bytes: Limits.markupBytes))
  // Escaping makes five bytes of one at most.
  let html = escapedText(prefix(text, bytes: Limits.markupBytes / 5)).trimmingBlanks()
  guard sanitizingPass(html, links: links) == html else { return .empty }
  return SanitizedHTML(trusted: html)
}

/// Everything outside `<…>`, with the five XML entities read.
private func withoutTags(_ html: String) -> String {
  var out: [UInt8] = []
  let bytes = Array(html.utf8)
  var index = 0
  while index < bytes.count {
    let next = index + 1 < bytes.count ? bytes[index + 1] : 0
    let opensTag =
      bytes[index] == UInt8(ascii: "<")
      && (next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
        || (next | 0x20 >= UInt8(ascii: "a") && next | 0x20 <= UInt8(ascii: "z")))
    if opensTag, let end = bytes[index...].firstIndex(of: UInt8(ascii: ">")) {
      index = end + 1
    } else if opensTag {
      break
    } else {
      out.append(bytes[index])
      index += 1
    }
  }
  return readingEntities(String(decoding: out, as: UTF8.self))
}

// Bytes, not characters: a joiner or mark after `>` makes one character of both, and a scan by character misses it.

/// Reads the entities our own serialiser writes, and no other.
func readingEntities(_ text: String) -> String {
  let bytes = Array(text.utf8)
  guard bytes.contains(UInt8(ascii: "&")) else { return text }
  var out: [UInt8] = []
  var index = 0
  while index < bytes.count {
    let known = bytes[index] == UInt8(ascii: "&") ? entities.first { bytes[index...].starts(with: $0.name) } : nil
    out.append(known?.byte ?? bytes[index])
    index += known?.name.count ?? 1
  }
  return String(decoding: out, as: UTF8.self)
}

private let entities: [(name: [UInt8], byte: UInt8)] = [
  (Array("&amp;".utf8), UInt8(ascii: "&")), (Array("&lt;".utf8), UInt8(ascii: "<")),
  (Array("&gt;".utf8), UInt8(ascii: ">")), (Array("&quot;".utf8), UInt8(ascii: "\"")),
  (Array("&#39;".utf8), UInt8(ascii: "'")),
]

private func plainText(ofSanitized html: String) -> String {
  var out = ""
  var rest = Array(html.utf8)[...]
  func text(_ bytes: ArraySlice<UInt8>) -> String { readingEntities(String(decoding: bytes, as: UTF8.self)) }
  while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
    out += text(rest[..<open])
    guard let close = rest[open...].firstIndex(of: UInt8(ascii: ">")) else { break }
    switch String(decoding: rest[(open + 1)..<close].prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self) {
    case "br": out += "\n"
    case "/li": if !out.hasSuffix("\n") { out += "\n" }
    case "/p", "/ul", "/ol", "/blockquote", "/pre":
      while out.hasSuffix("\n") { out.removeLast() }
      out += "\n\n"
    default: break
    }
    rest = rest[(close + 1)...]
  }
  return (out + text(rest)).trimmingBlanks()
}

extension String {
  func trimmingBlanks() -> String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" }
    guard let start = firstIndex(where: { !blank($0) }), let end = lastIndex(where: { !blank($0) }) else { return "" }
    return String(self[start...end])
  }
}
