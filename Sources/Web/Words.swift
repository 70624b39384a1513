import HTTPSupport
import Markup
import Model
import Policy
import Primitives
import Store

extension WebFace {
  func shownName(_ account: Account) -> String {
    let name = displayName(account.displayName)
    return name.isEmpty ? account.username : name
  }

  func path(of account: Account) -> String { "/@\(account.acct)" }
  func path(of post: Post, by author: Account) -> String { "/@\(author.acct)/\(post.id)" }
  func handle(of account: Account) -> String { "@\(account.username)@\((account.host ?? instance.host).text)" }
}

/// `2026-11-03` as `3 November 2026`.
func dayInWords(_ time: Timestamp) -> String {
  let parts = time.iso8601Day.split(separator: "-").compactMap { Int($0) }
  let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  guard parts.count == 3, months.indices.contains(parts[1] - 1) else { return time.iso8601Day }
  return "\(parts[2]) \(months[parts[1] - 1]) \(parts[0])"
}

/// Cut, not rounded: 0.99996 is not 1.
func fourDigits(_ value: Double) -> String {
  guard value.isFinite, (0...1).contains(value) else { return "-" }
  guard value < 1 else { return "1" }
  let digits = String(Int(exactly: (value * 10_000).rounded(.down)) ?? 0)
  return "0." + String(repeating: "0", count: 4 - digits.count) + digits
}

/// A usage policy in plain words.
struct PolicyWords {
  struct Line {
    let name: String
    let answer: String
    let isNo: Bool
  }
  let headline: String
  let summary: String
  let chosenBy: String
  let lines: [Line]
  let condition: String?

  init(_ policy: UsagePolicy) {
    headline = PolicyWords.headline(policy)
    summary = PolicyWords.summary(policy)
    chosenBy =
      switch policy.basis {
      case .explicit: "The artist chose this."
      case .accountDefault: "The artist chose this for all their works."
      case .collectiveDefault: "The collective chose this for its members."
      case .instanceDefault: "This is the standard here; the artist has not chosen anything else."
      }
    lines = UsagePolicy.Category.allCases.map { category in
      let answer =
        switch policy[category] {
        case .allow: "Allowed"
        case .constrained: "Only under a condition"
        case .disallow: "Not allowed"
        case nil: "Not said"
        }
      return Line(name: PolicyWords.name(category), answer: answer, isNo: policy.restricts(category))
    }
    condition = policy.constraintInfo
  }

  private static func headline(_ policy: UsagePolicy) -> String {
    switch policy.preset {
    case .noAI: "No use by AI"
    case .noGenAI: "No generative AI"
    case .researchOnly: "Research only"
    case .open: "Open to AI"
    case nil: "Some uses by AI only"
    }
  }

  static func summary(_ policy: UsagePolicy) -> String {
    switch policy.preset {
    case .noAI:
      "Search engines may find and link this. Collecting it for data mining, training any model with it, and giving "
        + "it to an AI as input are not permitted."
    case .noGenAI:
      "Search, data mining and models that only recognise or sort are fine. Training a model that can generate, and "
        + "giving this to an AI as input, are not permitted."
    case .researchOnly:
      "Search engines may find and link this. Data mining, training and use as input are for scientific research "
        + "only; anything else needs the consent of the artist."
    case .open: "Search, data mining, training and use as input for AI are all permitted."
    case nil: "What machines may do with this, one by one:"
    }
  }

  private static func name(_ category: UsagePolicy.Category) -> String {
    switch category {
    case .searchIndexing: "Being found by search engines"
    case .dataMining: "Data mining"
    case .nonGenerativeTraining: "Training models that recognise or sort"
    case .generativeTraining: "Training models that generate"
    case .aiInput: "Use as input for an AI"
    }
  }
}

/// A decision on one picture, said to people. It tells what was found; it never says what the picture is.
struct DecisionWords {
  struct Item {
    let text: String
    let strength: String
    let place: String
  }
  struct Layer {
    let sentence: String
    let source: String
    let strength: String?
    let groups: [String]
    let hasGroups: Bool
  }
  let heading: String
  let lead: String
  let reasons: [String]
  let evidence: [Item]
  let layers: [Layer]
  let hasLayers: Bool
  let byline: String
  let appealPath: String

  init(_ record: DecisionRecord) {
    switch record.verdict {
    case .accept: (heading, lead) = ("Shown", "Nothing stands against this picture.")
    case .label: (heading, lead) = ("Flagged here", "This instance shows the picture with a flag, because:")
    case .hold:
      (heading, lead) = ("Held for a moderator", "A person looks at this picture before it is shown, because:")
    case .refuse: (heading, lead) = ("Not shown here", "By this instance's policy the picture is not shown, because:")
    }
    reasons = record.reasons.map(\.sentence)
    layers = record.assessment.layers.map { layer in
      let words = LayerWords(layer)
      return Layer(
        sentence: words.sentence, source: words.source, strength: words.strength?.inWords, groups: words.groups,
        hasGroups: !words.groups.isEmpty)
    }
    hasLayers = !layers.isEmpty
    // What pixels say stands among the layers, with what it rests on.
    let hasLayers = hasLayers
    evidence = record.assessment.evidence.filter { !hasLayers || !$0.kind.hasPrefix("pixels.") }.map { item in
      Item(text: item.text, strength: item.strength.inWords, place: item.place)
    }
    let who = record.decidedBy == nil ? "Decided by the policy" : "Decided by a moderator"
    byline = "\(who) on \(dayInWords(record.decidedAt)). Detector \(record.assessment.detector)."
    appealPath = "/appeals/new?work=\(record.attachmentID)"
  }
}

extension EvidenceStrength {
  var inWords: String {
    switch self {
    case .weak: "Weak"
    case .strong: "Strong"
    case .conclusive: "Conclusive"
    }
  }
}
