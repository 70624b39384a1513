import Markup
import Testing

/// Markup somebody meant harm with, and what must be left of it.
struct HostileMarkup: Sendable, CustomTestStringConvertible {
  let name: String
  let html: String
  let expected: String
  var testDescription: String { name }

  init(_ name: String, _ html: String, _ expected: String) {
    self.name = name
    self.html = html
    self.expected = expected
  }

  private static let rel = "rel=\"nofollow noopener noreferrer ugc\""

  static let corpus: [HostileMarkup] = scripts + attributes + schemes + mutations + classes + ordinary

  private static let scripts = [
    HostileMarkup("script", "a<script>alert(1)</script>b", "ab"),
    HostileMarkup("svg with a handler", "a<svg onload=alert(1)><circle/></svg>b", "ab"),
    HostileMarkup("img with a handler", "a<img src=x onerror=alert(1)>b", "ab"),
    HostileMarkup("iframe srcdoc", "a<iframe srcdoc='<script>alert(1)</script>'></iframe>b", "ab"),
    HostileMarkup("object", "a<object data=x>inside</object>b", "ab"),
    HostileMarkup("embed", "a<embed src=x>b", "ab"),
    HostileMarkup("base", "a<base href=//evil.example>b", "ab"),
    HostileMarkup("meta refresh", "a<meta http-equiv=refresh content='0;url=//evil.example'>b", "ab"),
    HostileMarkup("style element", "a<style>p{display:none}</style>b", "ab"),
    HostileMarkup("link element", "a<link rel=stylesheet href=//evil.example>b", "ab"),
    HostileMarkup("noscript", "a<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>b", "ab"),
    HostileMarkup("comment", "a<!-- <script>alert(1)</script> -->b", "ab"),
  ]

  private static let attributes = [
    HostileMarkup("event attribute", "<p onclick=\"alert(1)\">a</p>", "<p>a</p>"),
    HostileMarkup("style attribute", "<p style=\"position:fixed\">a</p>", "<p>a</p>"),
    HostileMarkup("id clobbering", "<p id=\"login\" name=\"body\">a</p>", "<p>a</p>"),
    HostileMarkup(
      "quote in a title", "<a href=\"https://a.example/\" title='\"><script>'>a</a>",
      "<a href=\"https://a.example/\" \(rel) title=\"&quot;&gt;&lt;script&gt;\">a</a>"),
    HostileMarkup(
      "opener and me", "<a href=\"https://a.example/\" target=_blank rel=\"opener me\">a</a>",
      "<a href=\"https://a.example/\" \(rel)>a</a>"),
    HostileMarkup("huge list number", "<ol start=\"99999999999999999999\"><li>a</li></ol>", "<ol><li>a</li></ol>"),
  ]

  private static let schemes = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "&#106;avascript:alert(1)",
    "&#x6A;avascript&colon;alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x",
    "file:///etc/passwd",
    "//evil.example/x", "/x", "https:evil", "https:///x", "\u{1}javascript:alert(1)",
  ].map { HostileMarkup("scheme of \($0)", "<a href=\"\($0)\">a</a>", "a") }

  private static let mutations = [
    HostileMarkup(
      "math mutation",
      "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=1&gt;\">",
      ""),
    HostileMarkup(
      "svg mutation", "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">", ""),
    HostileMarkup("block in a paragraph", "<p>a<ul><li>b</li></ul></p>", "<p>a</p><ul><li>b</li></ul>"),
    HostileMarkup(
      "link in a link", "<a href=\"https://a.example/\">a<em><a href=\"https://b.example/\">b</a></em></a>",
      "<a href=\"https://a.example/\" \(rel)>a<em>b</em></a>"),
    HostileMarkup("early end of the body", "a</body></html><p>b</p>", "a<p>b</p>"),
  ]

  private static let classes = [
    HostileMarkup("hidden text", "<span class=\"invisible\">a</span>", "<span>a</span>"),
    HostileMarkup("interface class", "<span class=\"button h-card\">a</span>", "<span class=\"h-card\">a</span>"),
    HostileMarkup(
      "link as Mastodon writes it",
      "<a href=\"https://a.example/b\" rel=\"nofollow\"><span class=\"invisible\">https://</span>"
        + "<span class=\"ellipsis\">a.example</span></a>",
      "<a href=\"https://a.example/b\" \(rel)><span class=\"invisible\">https://</span>"
        + "<span class=\"ellipsis\">a.example</span></a>"),
  ]

  private static let ordinary = [
    HostileMarkup("heading", "<h2>Title</h2><p>a</p>", "<p><strong>Title</strong></p><p>a</p>"),
    HostileMarkup("unknown elements", "<marquee>a <blink>b</blink></marquee>", "a b"),
    HostileMarkup("lines of a dropped block", "<div>a</div><div>b</div>c", "a<br>b<br>c"),
    HostileMarkup("angle brackets in text", "1 < 2 && 3 > 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"),
    HostileMarkup("no-break space", "a&nbsp;b", "a\u{a0}b"),
    HostileMarkup("nothing", "", ""),
    HostileMarkup("white space", " \n ", ""),
    HostileMarkup("control characters", "a\u{0}b\u{1}c\u{7f}", "abc"),
  ]
}
