import Primitives

/// What sanitised HTML may hold. Nothing is allowed by pattern that could be listed.
enum AllowList {
  static let elements: Set<String> = [
    "p", "br", "a", "span", "strong", "em", "b", "i", "u", "del", "s", "ul", "ol", "li", "blockquote", "pre", "code",
  ]
  static let blocks: Set<String> = ["p", "ul", "ol", "li", "blockquote", "pre"]
  static let renamed = ["strike": "s", "tt": "code"]
  static let headings: Set<String> = ["h1", "h2", "h3", "h4", "h5", "h6"]
  /// Dropped elements that stood on lines of their own: what they held must not run together.
  static let formerBlocks: Set<String> = [
    "div", "section", "article", "header", "footer", "main", "aside", "nav", "figure", "figcaption", "table", "tr",
    "dl",
    "dt", "dd", "address", "form", "fieldset", "hr", "center", "details", "summary",
  ]
  /// Dropped with all they hold: it is no text for a reader, or it follows rules of its own.
  static let dropped: Set<String> = [
    "script", "style", "template", "noscript", "noembed", "noframes", "iframe", "object", "applet", "svg",
    "math", "head", "title", "xmp", "plaintext", "textarea", "select", "audio", "video", "canvas",
  ]
  static let attributes: Set<String> = [
    "href", "rel", "class", "title", "lang", "translate", "value", "start", "reversed",
  ]
  static let schemes: Set<String> = ["http", "https", "dat", "gemini", "gopher", "mailto", "xmpp"]
  static let linkClasses: Set<String> = ["mention", "hashtag", "u-url"]
  static let spanClasses: Set<String> = ["h-card", "mention"]
  /// Only inside a link: around a whole text `invisible` would hide it from some readers and not from others.
  static let linkSpanClasses: Set<String> = ["invisible", "ellipsis"]
}

/// Writes the output and keeps it well formed whatever the calls.
struct HTMLWriter {
  private let links: LinkTrust
  private var out = ""
  private var bytes = 0
  private struct Entered {
    /// The elements written for it, and so the end tags it owes.
    var names: [String] = []
    var isFormerBlock = false
  }
  private var open: [Entered] = []
  private var depth = 0
  private var linkDepth = 0
  private var preDepth = 0
  private var owesBreak = false
  private var lineHasText = false
  private var isFull = false
  /// Room kept for the end tags of everything that may be open, and the mark of a cut.
  private let room = Limits.markupBytes - Limits.markupDepth * "</blockquote>".utf8.count - 16

  init(links: LinkTrust) { self.links = links }

  mutating func text(_ raw: String) {
    guard !isFull else { return }
    let isBlank = raw.allSatisfy { $0 == " " || $0 == "\n" || $0 == "\t" }
    if isBlank, !lineHasText, preDepth == 0 { return }
    if !isBlank, owesBreak {
      if lineHasText { append("<br>") }
      owesBreak = false
    }
    if !isBlank { lineHasText = true }
    let escaped = escapedText(raw)
    if bytes + escaped.utf8.count <= room {
      append(escaped)
    } else {
      append(escapedText(prefix(raw, bytes: max(0, room - bytes) / 5)))
      isFull = true
    }
  }

  mutating func enter(_ element: String, attributes: [String: String]) {
    let name = AllowList.renamed[element] ?? element
    if AllowList.formerBlocks.contains(name) {
      owesBreak = true
      open.append(Entered(isFormerBlock: true))
      return
    }
    if AllowList.headings.contains(name) {
      start(["p", "strong"], text: "<p><strong>")
      return
    }
    guard AllowList.elements.contains(name), !isFull else { return start([], text: "") }
    switch name {
    case "br":
      owesBreak = false
      append("<br>")
      open.append(Entered())
    case "a":
      guard linkDepth == 0, let href = safeLink(attributes["href"]) else { return start([], text: "") }
      let text = "<a" + linkAttributes(attributes, href: href) + ">"
      start(["a"], text: text)
    case "span": start(["span"], text: "<span" + spanAttributes(attributes) + ">")
    case "ol": start(["ol"], text: "<ol" + listAttributes(attributes) + ">")
    case "li": start(["li"], text: "<li" + numberAttribute("value", attributes) + language(attributes) + ">")
    default: start([name], text: "<\(name)" + language(attributes) + ">")
    }
  }

  mutating func leave() {
    guard let entered = open.popLast() else { return }
    if entered.isFormerBlock { owesBreak = true }
    for name in entered.names.reversed() {
      depth -= 1
      if name == "a" { linkDepth -= 1 }
      if name == "pre" { preDepth -= 1 }
      out += "</\(name)>"
      bytes += name.utf8.count + 3
      if AllowList.blocks.contains(name) { lineHasText = false }
    }
  }

  mutating func finish(isCut: Bool) -> String {
    while !open.isEmpty { leave() }
    if isCut || isFull, !out.hasSuffix("…") { out += "…" }
    return out.trimmingBlanks()
  }

  private mutating func append(_ text: String) {
    out += text
    bytes += text.utf8.count
  }

  private mutating func start(_ names: [String], text: String) {
    guard !names.isEmpty, !isFull, depth + names.count <= Limits.markupDepth, bytes + text.utf8.count <= room else {
      open.append(Entered())
      return
    }
    let isBlock = names.contains { AllowList.blocks.contains($0) }
    if isBlock {
      owesBreak = false
      lineHasText = false
    } else if owesBreak, lineHasText {
      append("<br>")
      owesBreak = false
    }
    depth += names.count
    if names.contains("a") { linkDepth += 1 }
    if names.contains("pre") { preDepth += 1 }
    append(text)
    open.append(Entered(names: names))
  }

  private func linkAttributes(_ attributes: [String: String], href: String) -> String {
    let written = Set(words(attributes["rel"]))
    var rel = ["nofollow", "noopener", "noreferrer", "ugc"]
    if written.contains("tag") { rel.insert("tag", at: 0) }
    if written.contains("me"), links == .profile { rel.insert("me", at: 0) }
    return attribute("href", href) + classes(attributes, allowed: AllowList.linkClasses)
      + attribute("rel", rel.joined(separator: " ")) + attribute("title", attributes["title"].map(title))
      + language(attributes)
  }

  private func spanAttributes(_ attributes: [String: String]) -> String {
    let allowed = linkDepth > 0 ? AllowList.linkSpanClasses : AllowList.spanClasses
    return classes(attributes, allowed: allowed) + language(attributes)
  }

  private func listAttributes(_ attributes: [String: String]) -> String {
    numberAttribute("start", attributes) + (attributes["reversed"] == nil ? "" : attribute("reversed", "reversed"))
      + language(attributes)
  }

  private func numberAttribute(_ name: String, _ attributes: [String: String]) -> String {
    attribute(name, attributes[name].flatMap { Int32($0) }.map { String($0) })
  }

  private func classes(_ attributes: [String: String], allowed: Set<String>) -> String {
    let kept = words(attributes["class"]).filter { allowed.contains($0) }
    var seen: Set<String> = []
    let distinct = kept.filter { seen.insert($0).inserted }
    return attribute("class", distinct.isEmpty ? nil : distinct.joined(separator: " "))
  }

  private func language(_ attributes: [String: String]) -> String {
    let tag = attributes["lang"].flatMap { isLanguageTag($0) ? $0 : nil }
    return attribute("lang", tag) + attribute("translate", attributes["translate"] == "no" ? "no" : nil)
  }

  private func title(_ text: String) -> String {
    String(text.unicodeScalars.filter { isPermitted($0) && $0 != "\n" && $0 != "\t" }.prefix(500).map(Character.init))
  }

  private func words(_ text: String?) -> [String] {
    (text ?? "").split { $0 == " " || $0 == "\n" || $0 == "\t" }.map { String($0) }
  }

  private func attribute(_ name: String, _ value: String?) -> String {
    value.map { " \(name)=\"\(escapedAttribute($0))\"" } ?? ""
  }
}

/// The shape of BCP 47, not its registry: letters, digits and hyphens, 35 characters.
package func isLanguageTag(_ text: String) -> Bool {
  let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
  guard text.utf8.count <= 35, let primary = parts.first, (2...8).contains(primary.count) else { return false }
  let isLetter: (UInt8) -> Bool = { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
  let isDigit: (UInt8) -> Bool = { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
  return primary.allSatisfy(isLetter)
    && parts.dropFirst().allSatisfy { (1...8).contains($0.count) && $0.allSatisfy { isLetter($0) || isDigit($0) } }
}

/// A link target a page may carry; nil for relative ones and for schemes outside the list.
///
/// Browsers remove tabs and line ends before they read a scheme (`java\tscript:`), so a target that holds one is
/// refused, not repaired.
func safeLink(_ href: String?) -> String? {
  guard let link = href?.trimmingBlanks(), link.utf8.count <= Limits.iriBytes else { return nil }
  guard link.unicodeScalars.allSatisfy({ $0.value >= 0x20 && isPermitted($0) && $0 != "\\" }) else { return nil }
  guard let colon = link.unicodeScalars.firstIndex(of: ":") else { return nil }
  let scheme = String(link.unicodeScalars[..<colon]).lowercased()
  guard AllowList.schemes.contains(scheme) else { return nil }
  let rest = String(link.unicodeScalars[colon...].dropFirst())
  if scheme == "http" || scheme == "https" {
    guard rest.hasPrefix("//"), rest.dropFirst(2).first.map({ $0 != "/" && $0 != "?" && $0 != "#" }) == true else {
      return nil
    }
  }
  let spaces = rest.split(separator: " ", omittingEmptySubsequences: false).joined(separator: "%20")
  return "\(scheme):\(spaces)"
}
