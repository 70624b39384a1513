import Markup
import Primitives
import Testing

/// SplitMix64: the same soup on every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

private let soup = [
  "<p>", "</p>", "<br>", "<br/>", "<a href=\"https://a.example/?x=1&y=2\">", "<a href=javascript:x>", "</a>",
  "<span class=\"invisible\">", "</span>", "<ul>", "<li>", "</li>", "</ul>", "<ol start=3 reversed>", "</ol>", "<div>",
  "</div>", "<table>", "<tr><td>", "</table>", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<script>",
  "</script>", "<!--", "-->", "<![CDATA[", "]]>", "<?php ?>", "<em", ">", "<", "&", "&amp;", "&lt;",
  "&#x3c;script&#x3e;",
  "\"", "'", "word", " ", "\n", "ünï", "\u{202e}", "\u{0}", "<h1>", "</h1>", "<blockquote>", "</blockquote>", "<pre>",
  "</pre>", "<code>", "</code>", "<b>", "<i>", "<u>", "</b>", "</i>", "</u>", "<body>", "</body>", "</html>", "<head>",
  "<title>",
  "<select>", "<option>", "<textarea>", "<form>", "<img alt=x>", "<x-y z>", "</x-y>", "<p lang=en onclick=x>", "&nbsp;",
  "&zwj;",
]

/// Every tag of sanitised output, taken apart by rules stricter than HTML's.
private func tags(of html: String) -> [String]? {
  var tags: [String] = []
  var rest = String.UnicodeScalarView(html.unicodeScalars)[...]
  while let open = rest.firstIndex(where: { $0 == "<" || $0 == ">" }) {
    guard rest[open] == "<", let close = rest[open...].firstIndex(of: ">") else { return nil }
    tags.append(String(rest[rest.index(after: open)..<close]))
    rest = rest[rest.index(after: close)...]
  }
  return tags
}

private let permitted: Set<String> = [
  "p", "br", "a", "span", "strong", "em", "b", "i", "u", "del", "s", "ul", "ol", "li", "blockquote", "pre", "code",
]

private let permittedAttributes: Set<String> = [
  "href", "rel", "class", "title", "lang", "translate", "value", "start", "reversed",
]

@Suite struct SanitizingTests {
  @Test(arguments: HostileMarkup.corpus)
  func `hostile markup becomes what is expected, and stays so`(_ item: HostileMarkup) {
    let once = sanitize(item.html)
    #expect(once.html == item.expected)
    #expect(sanitize(once.html) == once)
  }

  @Test(arguments: 0..<20)
  func `tag soup becomes stable, well formed and holds only what is allowed`(seed: Int) {
    var chance = SeededGenerator(state: UInt64(seed))
    for _ in 0..<100 {
      let html = (0..<Int.random(in: 1...40, using: &chance)).map { _ in soup.randomElement(using: &chance) ?? "" }
        .joined()
      let once = sanitize(html)
      #expect(sanitize(once.html) == once, "\(html)")
      guard let tags = tags(of: once.html) else {
        Issue.record("not well formed: \(once.html)")
        continue
      }
      var open: [Substring] = []
      for tag in tags {
        if tag.hasPrefix("/") {
          #expect(open.popLast() == tag.dropFirst(), "\(once.html)")
          continue
        }
        let name = tag.prefix { $0 != " " }
        #expect(permitted.contains(String(name)), "\(once.html)")
        if name != "br" { open.append(name) }
        for attribute in tag.dropFirst(name.count).split(separator: "\" ").map({ $0.prefix { $0 != "=" } }) {
          #expect(permittedAttributes.contains(attribute.filter { $0 != " " }), "\(once.html)")
        }
      }
      #expect(open.isEmpty)
    }
  }

  @Test func `soup of words without dropped elements keeps every word`() {
    var chance = SeededGenerator(state: 7)
    let harmless = [
      "<p>", "</p>", "<em>", "</em>", "<div>", "</div>", "<ul>", "<li>", "</ul>", "<x-y>", "<h1>", "</h1>", "<br>",
    ]
    for _ in 0..<300 {
      var words: [String] = []
      var html = ""
      for position in 0..<12 {
        html += harmless.randomElement(using: &chance) ?? ""
        words.append("w\(position)")
        html += "w\(position) "
      }
      let text = sanitize(html).text
      #expect(text.split { $0 == " " || $0 == "\n" }.map { String($0) } == words, "\(html)")
    }
  }

  @Test func `a hundred thousand open elements end quickly and keep their text`() {
    for element in ["b", "div", "x-y", "blockquote"] {
      let html = String(repeating: "<\(element)>", count: 100_000) + "deep"
      #expect(sanitize(html).html.utf8.count <= Limits.markupBytes)
      let shallow = String(repeating: "<\(element)>", count: 5_000) + "deep"
      #expect(sanitize(shallow).text == "deep")
    }
  }

  @Test func `output nests no deeper than the limit`() {
    let html = String(repeating: "<em>", count: 200) + "deep"
    let out = sanitize(html).html
    #expect(out.split(separator: "<em>", omittingEmptySubsequences: false).count - 1 == Limits.markupDepth)
    #expect(sanitize(html).text == "deep")
  }

  @Test(arguments: ["&amp;", "&", "<p>", "<p>a", "\"", "<a href=\"https://a.example/\">", "a", "é", "<li>a</li>"])
  func `a text past the limit is cut, marked and stable`(piece: String) {
    let once = sanitize(String(repeating: piece, count: 400_000 / piece.utf8.count))
    #expect(once.html.utf8.count <= Limits.markupBytes)
    #expect(sanitize(once.html) == once)
    if piece == "a" || piece == "é" { #expect(once.html.hasSuffix("…")) }
  }

  @Test func `rel me survives only on profiles`() {
    let link = "<a href=\"https://a.example/\" rel=\"me\">a</a>"
    #expect(!sanitize(link).html.contains("me "))
    let own = sanitize(link, links: .profile)
    #expect(own.html.contains("rel=\"me nofollow"))
    #expect(sanitize(own.html, links: .profile) == own)
  }

  @Test func `plain text has lines where the markup had them`() {
    let html = sanitize("<p>One<br>two &amp; three</p><p>four</p><ul><li>a</li><li>b</li></ul>")
    #expect(html.text == "One\ntwo & three\n\nfour\n\na\nb")
  }

  @Test func `JSON in a page can not end its script block`() {
    #expect(
      escapedForScript(json: "{\"a\":\"</script>&\u{2028}\"}") == "{\"a\":\"\\u003c/script\\u003e\\u0026\\u2028\"}")
  }
}

@Suite struct CostTests {
  @Test func `a tag past its limit is left out, and its text is kept`() {
    let image = "a<img src=\"data:image/png;base64,\(String(repeating: "A", count: 50_000))\">b<p>c</p>"
    #expect(sanitize(image).html == "ab<p>c</p>")
  }

  @Test(arguments: ["attributes", "ends", "links", "entities", "lists", "open"])
  func `no text of the permitted size costs more than its length`(shape: String) {
    let html =
      switch shape {
      case "attributes": "<p " + (0..<14_000).map { "a\($0)" }.joined(separator: " ") + ">x"
      case "ends": String(repeating: "<b>", count: 250) + String(repeating: "</i>", count: 24_000)
      case "links": String(repeating: "<a href=https://a.example/>", count: 4_000)
      case "entities": String(repeating: "&amp;amp;", count: 12_000)
      case "lists": String(repeating: "<ul><li>", count: 12_000)
      default: String(repeating: "<p>", count: 33_000)
      }
    let time = ContinuousClock().measure { _ = sanitize(html) }
    #expect(time < .seconds(2))
  }
}
