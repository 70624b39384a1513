import Markup
import Primitives
import Testing

@Suite struct ComposingTests {
  private let tags: IRI
  private let page: IRI

  init() throws {
    tags = try #require(IRI("https://atelier.example/tags/"))
    page = try #require(IRI("https://b.example/@mika"))
  }

  @Test func `paragraphs and line breaks are the author's`() {
    let made = compose(text: "a\r\nb\n\n\n c <script>\n", hashtagPage: tags)
    #expect(made.html.html == "<p>a<br>b</p><p> c &lt;script&gt;</p>")
  }

  @Test func `a link hides its scheme and its tail`() {
    let made = compose(text: "see https://www.a.example/a/very/long/path/to/something/else.", hashtagPage: tags)
    #expect(
      made.html.html == "<p>see <a href=\"https://www.a.example/a/very/long/path/to/something/else\""
        + " rel=\"nofollow noopener noreferrer ugc\" translate=\"no\"><span class=\"invisible\">https://www.</span>"
        + "<span class=\"ellipsis\">a.example/a/very/long/path/to/</span><span class=\"invisible\">something/else</span></a>.</p>"
    )
    #expect(made.html.text == "see https://www.a.example/a/very/long/path/to/something/else.")
  }

  @Test(arguments: [
    ("(https://a.example/b_(c))", "https://a.example/b_(c)"), ("https://a.example/é", "https://a.example/%C3%A9"),
    ("http://a.example:8080/x?y=1&z=2#f!", "http://a.example:8080/x?y=1&amp;z=2#f"),
  ])
  func `a link ends where its text does`(text: String, href: String) {
    #expect(compose(text: text, hashtagPage: tags).html.html.contains("href=\"\(href)\""))
  }

  @Test(arguments: [
    "javascript:alert(1)", "https://", "xhttps://a.example", "https://user@a.example/", "ftp://a.example/",
    "https://é.example/",
  ])
  func `what is no safe link stays text`(text: String) {
    #expect(!compose(text: text, hashtagPage: tags).html.html.contains("<a"))
  }

  @Test func `N5 mentions are found by strict rules`() throws {
    let text = "@mika @mika@b.example. a@c.example (@Noor_1) /@no @@no @mika @x@b.example:8443"
    let host = try #require(Host("b.example"))
    let port = try #require(Host("b.example:8443"))
    #expect(
      writtenMentions(in: text) == [
        WrittenMention(username: "mika", host: nil), WrittenMention(username: "mika", host: host),
        WrittenMention(username: "Noor_1", host: nil), WrittenMention(username: "x", host: port),
      ])
  }

  @Test func `only a mention with a target is linked`() {
    let known = WrittenMention(username: "mika", host: Host("b.example"))
    let made = compose(text: "@mika@b.example @gone", mentions: [known: page], hashtagPage: tags)
    #expect(made.mentions == [known])
    #expect(
      made.html.html
        == "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://b.example/@mika\" class=\"u-url mention\""
        + " rel=\"nofollow noopener noreferrer ugc\">@<span>mika</span></a></span> @gone</p>")
  }

  @Test(arguments: [
    ("#NoAI", ["NoAI"]), ("#noai #NoAI", ["noai"]), ("#42 #4a", ["4a"]), ("#日本語タグ。", ["日本語タグ"]), ("#l·l·", ["l·l"]),
    ("a#b &#x; ##c", []), ("＃東京", ["東京"]), ("#été, #हिन्दी", ["été", "हिन्दी"]), ("https://a.example/#frag", []),
  ])
  func `N5 hashtags are found in every script`(text: String, expected: [String]) {
    #expect(compose(text: text, hashtagPage: tags).hashtags == expected)
  }

  @Test func `N5 a hashtag links to its normalised page`() {
    let made = compose(text: "#Été", hashtagPage: tags)
    #expect(
      made.html.html == "<p><a href=\"https://atelier.example/tags/%C3%A9t%C3%A9\" class=\"mention hashtag\""
        + " rel=\"tag nofollow noopener noreferrer ugc\">#<span>Été</span></a></p>")
  }

  @Test(arguments: 0..<10)
  func `any text composes to stable HTML with the same words`(seed: Int) {
    var chance = SeededGenerator(state: UInt64(seed))
    let pieces = [
      "@", "#", "a", "b.c", "https://", "/", "é", "日", "<", "&amp;", "\n", " ", "\u{200d}", ":", ")", "(", "\u{0}", "·",
    ]
    for _ in 0..<200 {
      let text = (0..<20).map { _ in pieces.randomElement(using: &chance) ?? "" }.joined()
      let made = compose(text: text, hashtagPage: tags)
      #expect(sanitize(made.html.html) == made.html, "\(text)")
    }
  }
}

@Suite struct DisplayNameTests {
  @Test(arguments: [
    ("Mika", "Mika"), ("  Mika \n Ito ", "Mika Ito"), ("a\u{202e}b\u{2066}c", "abc"), ("a\u{200b}b\u{feff}c", "abc"),
    ("👩\u{200d}🎨", "👩\u{200d}🎨"), ("ab\u{200d}cd", "abcd"), ("می\u{200c}خواهم", "می\u{200c}خواهم"), ("\u{3164}", ""),
    ("\u{0}\u{7f}x", "x"), ("<b>x</b>", "<b>x</b>"),
  ])
  func `names are one honest line`(name: String, expected: String) {
    #expect(displayName(name) == expected)
    #expect(displayName(expected) == expected)
  }

  @Test func `stacked marks and endless names are cut`() {
    #expect(displayName("a" + String(repeating: "\u{301}", count: 100)).unicodeScalars.count == 5)
    #expect(displayName(String(repeating: "x", count: 10_000)).count == Limits.displayNameCharacters)
  }
}
