import Foundation
import Primitives

/// An author's text, made ready to publish.
package struct Composition: Hashable, Sendable {
  package let html: SanitizedHTML
  /// As written, without `#`, each once by `normalizedHashtag`, in order, at most `Limits.hashtagsPerPost`.
  package let hashtags: [String]
  /// Those of the text that were given a target, each once, in order.
  package let mentions: [WrittenMention]
}

/// The mentions of an author's text, each once and in order: what to look up before `compose`.
package func writtenMentions(in text: String) -> [WrittenMention] {
  var seen: Set<WrittenMention> = []
  var found: [WrittenMention] = []
  for case .mention(let mention, _) in WrittenTextReader.parts(of: normalizedLines(text))
  where seen.insert(mention).inserted && found.count < Limits.mentionsPerPost {
    found.append(mention)
  }
  return found
}

/// One key for all spellings of a tag: `#NoAI` and `#noai` are one.
package func normalizedHashtag(_ name: some StringProtocol) -> String {
  var folded = String.UnicodeScalarView()
  for scalar in name.unicodeScalars where scalar != "#" {
    // Full-width forms, which Japanese keyboards make of ASCII.
    let value = (0xff01...0xff5e).contains(scalar.value) ? scalar.value - 0xfee0 : scalar.value
    folded.append(Unicode.Scalar(value) ?? scalar)
  }
  // One accent may be written in two ways, and phones and laptops differ in which.
  return String(folded).lowercased().precomposedStringWithCanonicalMapping
}

/// Turns an author's plain text into the markup Mastodon makes of it: paragraphs at empty lines, line breaks, links
/// with their scheme and tail hidden, and linked mentions and hashtags.
///
/// - Parameters:
///   - mentions: the profile page of everyone found for `writtenMentions(in:)`; the others stay text.
///   - hashtagPage: what a tag's normalised name is appended to, such as `https://atelier.example/tags/`.
package func compose(
  text: String, mentions: [WrittenMention: IRI] = [:], hashtagPage: IRI
) -> Composition {
  var hashtags: [String] = []
  var seenTags: Set<String> = []
  var used: [WrittenMention] = []
  var html = ""
  for paragraph in paragraphs(of: normalizedLines(text)) {
    html += "<p>"
    for part in WrittenTextReader.parts(of: paragraph) {
      switch part {
      case .text(let text): html += escapedText(text)
      case .lineBreak: html += "<br>"
      case .link(let iri, let shown): html += linkMarkup(iri, shown: shown)
      case .mention(let mention, let shown):
        if let page = mentions[mention] {
          html += mentionMarkup(mention, page: page)
          if !used.contains(mention) { used.append(mention) }
        } else {
          html += escapedText(shown)
        }
      case .hashtag(let name):
        let key = normalizedHashtag(name)
        let isNew = !seenTags.contains(key)
        if isNew, hashtags.count >= Limits.hashtagsPerPost {
          html += escapedText("#\(name)")
        } else {
          if isNew { hashtags.append(name) }
          seenTags.insert(key)
          html += hashtagMarkup(name, page: hashtagPage.text + percentEncodedPath(key))
        }
      }
    }
    html += "</p>"
  }
  return Composition(html: sanitize(html), hashtags: hashtags, mentions: used)
}

private func normalizedLines(_ text: String) -> String {
  var out = String.UnicodeScalarView()
  var previous: Unicode.Scalar?
  for scalar in prefix(text, bytes: Limits.markupBytes / 5).unicodeScalars {
    if scalar == "\r" || scalar == "\n" && previous != "\r" || scalar == "\u{2028}" || scalar == "\u{2029}" {
      out.append("\n")
    } else if isPermitted(scalar), scalar != "\n" {
      out.append(scalar)
    }
    previous = scalar
  }
  return String(out)
}

private func paragraphs(of text: String) -> [String] {
  var paragraphs: [String] = []
  var lines: [Substring] = []
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    if line.allSatisfy({ $0 == " " || $0 == "\t" }) {
      if !lines.isEmpty { paragraphs.append(lines.joined(separator: "\n")) }
      lines = []
    } else {
      lines.append(line)
    }
  }
  if !lines.isEmpty { paragraphs.append(lines.joined(separator: "\n")) }
  return paragraphs
}

private func mentionMarkup(_ mention: WrittenMention, page: IRI) -> String {
  "<span class=\"h-card\" translate=\"no\"><a href=\"\(escapedAttribute(page.text))\" class=\"u-url mention\">"
    + "@<span>\(escapedText(mention.username))</span></a></span>"
}

private func hashtagMarkup(_ name: String, page: String) -> String {
  "<a href=\"\(escapedAttribute(page))\" class=\"mention hashtag\" rel=\"tag\">#<span>\(escapedText(name))</span></a>"
}

/// The markup Mastodon's clients shorten links by: scheme and tail hidden, the head shown.
package func linkMarkup(_ iri: IRI, shown: String) -> String {
  let scheme = String(shown.prefix(shown.lowercased().hasPrefix("https://") ? 8 : 7))
  var rest = String(shown.dropFirst(scheme.count))
  var hidden = scheme
  if rest.lowercased().hasPrefix("www.") {
    hidden += rest.prefix(4)
    rest = String(rest.dropFirst(4))
  }
  let head = rest.prefix(Limits.shownLinkCharacters)
  let tail = rest.dropFirst(Limits.shownLinkCharacters)
  return
    "<a href=\"\(escapedAttribute(iri.text))\" translate=\"no\"><span class=\"invisible\">\(escapedText(hidden))</span>"
    + "<span\(tail.isEmpty ? "" : " class=\"ellipsis\"")>\(escapedText(head))</span>"
    + "<span class=\"invisible\">\(escapedText(tail))</span></a>"
}

private func percentEncodedPath(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default: out += "%" + Hex.encode([byte]).uppercased()
    }
  }
  return out
}
