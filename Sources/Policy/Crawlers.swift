/// Crawlers that name themselves, by what they do with what they take.
package enum CrawlerClass: String, Codable, Hashable, Sendable, CaseIterable {
  case training, imageDataSets, answerEngines, userTriggered
  /// Named in public block lists and never blocked here: they make link previews or voice search, or their names
  /// are so short that substring matching hits innocents.
  case collateral
}

package enum Crawlers {
  /// The state of the public list the table was sorted from. Refreshed by release, never fetched while running.
  package static let tableVersion = "2026-08-22"

  package static let tokens: [CrawlerClass: [String]] = [
    .training: [
      "AI2Bot", "Ai2Bot-Dolma", "Amazonbot", "anthropic-ai", "Applebot-Extended", "Bytespider", "CCBot",
      "ChatGLM-Spider", "ClaudeBot", "cohere-training-data-crawler", "DeepSeekBot", "Diffbot", "FacebookBot",
      "Google-Extended", "GPTBot", "meta-externalagent", "omgili", "PanguBot", "SBIntuitionsBot", "TikTokSpider",
      "Webzio-Extended",
    ],
    .imageDataSets: [
      "Google-CloudVertexBot", "GoogleOther-Image", "ImagesiftBot", "imageSpider", "img2dataset",
      "laion-huggingface-processor", "LAIONDownloader",
    ],
    .answerEngines: [
      "AzureAI-SearchBot", "Bravebot", "Claude-SearchBot", "OAI-SearchBot", "PerplexityBot", "YouBot",
    ],
    .userTriggered: ["ChatGPT-User", "Claude-User", "Google-NotebookLM", "MistralAI-User", "Perplexity-User"],
    .collateral: ["Applebot", "Code", "DuckAssistBot", "facebookexternalhit", "OpenAI", "Scrapy", "Spider"],
  ]

  /// The classes a policy turns away. Answer engines find and link as search does, so keeping them out is the
  /// admin's choice, and only where the policy restricts input to models at all.
  package static func blocked(by policy: UsagePolicy, answerEngines: Bool) -> Set<CrawlerClass> {
    var classes: Set<CrawlerClass> = []
    if SignalTable.mining.contains(where: policy.restricts) { classes.formUnion([.training, .imageDataSets]) }
    if policy.restricts(.aiInput) {
      classes.insert(.userTriggered)
      if answerEngines { classes.insert(.answerEngines) }
    }
    return classes
  }
}

/// The robots.txt of one host. The app host and the media host each need one.
package struct RobotsText: Hashable, Sendable {
  package let policy: UsagePolicy
  package let blocksAnswerEngines: Bool
  /// Path prefixes kept from every crawler, such as `/api/`.
  package let closedPaths: [String]
  /// More product tokens to turn away, as an admin lists them.
  package let alsoBlocked: [String]

  /// Tokens and paths that could end a line are dropped: they come from an admin's form.
  package init(
    policy: UsagePolicy, blocksAnswerEngines: Bool = false, closedPaths: [String] = [], alsoBlocked: [String] = []
  ) {
    self.policy = policy
    self.blocksAnswerEngines = blocksAnswerEngines
    self.closedPaths = closedPaths.filter { path in
      path.hasPrefix("/") && path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x23 }
    }
    self.alsoBlocked = alsoBlocked.filter { token in
      !token.isEmpty && token.utf8.allSatisfy(Self.isTokenByte)
    }
  }

  package var text: String {
    let signals = OutgoingSignals(policy)
    // RFC 9309 §2.2.1: a crawler obeys one group only, so what is said to `*` is lost on a crawler with a group of
    // its own unless it is said there again.
    var preferences: [String] = []
    if let contentUsage = signals.contentUsage { preferences.append("Content-Usage: \(contentUsage)") }
    if let contentSignal = signals.contentSignal { preferences.append("Content-Signal: \(contentSignal)") }

    var lines = ["# Crawler table \(Crawlers.tableVersion)", "User-agent: *"]
    lines += preferences
    lines += closedPaths.map { "Disallow: \($0)" }
    lines += ["Allow: /"]

    let blocked = blockedTokens
    if !blocked.isEmpty {
      lines += [""] + blocked.map { "User-agent: \($0)" } + preferences + ["Disallow: /"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var blockedTokens: [String] {
    let classes = Crawlers.blocked(by: policy, answerEngines: blocksAnswerEngines)
    let listed = CrawlerClass.allCases.filter(classes.contains).flatMap { Crawlers.tokens[$0] ?? [] }
    let known = Set(listed.map { $0.lowercased() })
    return listed + alsoBlocked.filter { !known.contains($0.lowercased()) }
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default:
      false
    }
  }
}
