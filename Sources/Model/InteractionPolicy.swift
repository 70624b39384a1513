import Primitives

/// Who may answer, like, share and quote a work, as its author wishes it (GoToSocial's interaction policies, FEP-044f).
///
/// It binds what comes in here. What we do elsewhere is for that server to allow; we only do not ask for what is
/// refused anyway.
package struct InteractionPolicy: Codable, Hashable, Sendable {
  package enum Act: String, Codable, Hashable, Sendable, CaseIterable { case reply, like, announce, quote }

  /// People around an author.
  package enum Circle: String, Codable, Hashable, Sendable, CaseIterable {
    case everyone = "public"
    case followers
    case following
    case author
  }

  package struct Rule: Codable, Hashable, Sendable {
    package var automatic: [Circle]
    /// They may ask.
    package var manual: [Circle]
    /// Single people, by their ids.
    package var named: [IRI]
    package var namedManual: [IRI]

    package init(automatic: [Circle], manual: [Circle] = [], named: [IRI] = [], namedManual: [IRI] = []) {
      self.automatic = automatic
      self.manual = manual
      self.named = named
      self.namedManual = namedManual
    }
  }

  /// Nil where the author has not spoken.
  package var reply: Rule?
  package var like: Rule?
  package var announce: Rule?
  package var quote: Rule?

  package init(reply: Rule? = nil, like: Rule? = nil, announce: Rule? = nil, quote: Rule? = nil) {
    self.reply = reply
    self.like = like
    self.announce = announce
    self.quote = quote
  }

  package subscript(act: Act) -> Rule? {
    get {
      switch act {
      case .reply: reply
      case .like: like
      case .announce: announce
      case .quote: quote
      }
    }
    set {
      switch act {
      case .reply: reply = newValue
      case .like: like = newValue
      case .announce: announce = newValue
      case .quote: quote = newValue
      }
    }
  }

  /// What holds where an author here has said nothing.
  package static func standard(for visibility: Visibility) -> InteractionPolicy {
    let all = Rule(automatic: [.everyone])
    let spread = visibility.isOpen ? all : Rule(automatic: [.author])
    return InteractionPolicy(reply: all, like: all, announce: spread, quote: spread)
  }

  /// `self` with the gaps filled from `other`.
  package func filled(from other: InteractionPolicy) -> InteractionPolicy {
    InteractionPolicy(
      reply: reply ?? other.reply, like: like ?? other.like, announce: announce ?? other.announce,
      quote: quote ?? other.quote)
  }
}

/// How somebody stands to the author of a work.
package struct Visitor: Hashable, Sendable {
  package var uri: IRI
  package var isAuthor: Bool
  package var followsAuthor: Bool
  package var isFollowed: Bool
  package var isMentioned: Bool

  package init(
    uri: IRI, isAuthor: Bool = false, followsAuthor: Bool = false, isFollowed: Bool = false, isMentioned: Bool = false
  ) {
    self.uri = uri
    self.isAuthor = isAuthor
    self.followsAuthor = followsAuthor
    self.isFollowed = isFollowed
    self.isMentioned = isMentioned
  }

  func isIn(_ circles: [InteractionPolicy.Circle]) -> Bool {
    circles.contains { circle in
      switch circle {
      case .everyone: true
      case .followers: followsAuthor
      case .following: isFollowed
      case .author: isAuthor
      }
    }
  }
}

package enum Consent: String, Hashable, Sendable {
  case given
  /// Only the author can say.
  case mayAsk
  case refused
  /// The policy does not speak of it.
  case unsaid
}

extension InteractionPolicy {
  /// An author may always, and whoever is spoken to may always answer (GoToSocial, interaction_policy.md).
  package func consent(to act: Act, of visitor: Visitor) -> Consent {
    if visitor.isAuthor || (act == .reply && visitor.isMentioned) { return .given }
    guard let rule = self[act] else { return .unsaid }
    if visitor.isIn(rule.automatic) || rule.named.contains(visitor.uri) { return .given }
    if visitor.isIn(rule.manual) || rule.namedManual.contains(visitor.uri) { return .mayAsk }
    return .refused
  }
}

/// Who may find a post by its words (FEP-268d). Nil on a post leaves it to its author's `indexable` (FEP-5feb).
package enum Searchability: String, Codable, Hashable, Sendable, CaseIterable {
  case everyone = "public"
  case followers
  case author
}

extension InteractionPolicy.Rule {
  /// As apps and forms say it: `public`, `followers`, `nobody`, and for quotes `ask`.
  package init?(word: String, of act: InteractionPolicy.Act) {
    switch word {
    case "public": self.init(automatic: [.everyone])
    case "followers": self.init(automatic: [.followers, .author])
    case "nobody": self.init(automatic: [.author])
    case "ask" where act == .quote: self.init(automatic: [.author], manual: [.everyone])
    default: return nil
    }
  }

  package var word: String {
    if automatic.contains(.everyone) { return "public" }
    if !manual.isEmpty { return "ask" }
    return automatic.contains(.followers) ? "followers" : "nobody"
  }
}
