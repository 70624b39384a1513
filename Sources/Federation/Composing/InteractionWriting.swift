import ActivityStreams
import Markup
import Model
import Primitives

extension InteractionPolicy {
  private static let names: [(act: Act, name: String)] = [
    (.reply, "canReply"), (.like, "canLike"), (.announce, "canAnnounce"), (.quote, "canQuote"),
  ]

  /// As GoToSocial and Mastodon 4.5 read it. Nobody is the author alone: an empty list is no statement in JSON-LD.
  func wire(of author: Account) -> JSON {
    var out: JSON = [:]
    for (act, name) in Self.names {
      guard let rule = self[act] else { continue }
      var automatic = rule.automatic.compactMap { $0.address(around: author) } + rule.named
      if automatic.isEmpty { automatic = [author.uri] }
      let manual = rule.manual.compactMap { $0.address(around: author) } + rule.namedManual
      out[name] = JSON.members([
        "automaticApproval": .array(automatic.map { .string($0.text) }),
        "manualApproval": manual.isEmpty ? nil : .array(manual.map { .string($0.text) }),
      ])
    }
    return out
  }

  /// What `author`'s server says. Nil when it says nothing that can be read.
  init?(wire json: JSON, of author: Account) {
    self.init()
    guard let node = Node(json) else { return nil }
    for (act, name) in Self.names {
      guard let said = node.node(name) else { continue }
      // `always` and `approvalRequired` are GoToSocial's names of before 0.19.
      guard let automatic = Self.people(said, ["automaticApproval", "always"]) else { continue }
      let manual = Self.people(said, ["manualApproval", "approvalRequired"]) ?? []
      var rule = Rule(automatic: [])
      for person in automatic {
        if let circle = Circle(person, around: author) {
          rule.automatic.append(circle)
        } else {
          rule.named.append(person)
        }
      }
      for person in manual {
        if let circle = Circle(person, around: author) {
          rule.manual.append(circle)
        } else {
          rule.namedManual.append(person)
        }
      }
      self[act] = rule
    }
    if Act.allCases.allSatisfy({ self[$0] == nil }) { return nil }
  }

  /// Nil when none of the names is there: GoToSocial takes a lone `manualApproval` for a policy too.
  private static func people(_ node: Node, _ names: [String]) -> [IRI]? {
    guard let name = names.first(where: { node.json[$0] != nil }) else { return node.json.pairs.isEmpty ? nil : [] }
    return node.iris(name, limit: Limits.policyNames)
  }
}

extension InteractionPolicy.Circle {
  fileprivate func address(around author: Account) -> IRI? {
    switch self {
    case .everyone: ActivityStreams.everyone
    case .followers: author.followers
    case .following: author.following
    case .author: author.uri
    }
  }

  fileprivate init?(_ address: IRI, around author: Account) {
    if address == ActivityStreams.everyone {
      self = .everyone
    } else if address == author.followers {
      self = .followers
    } else if address == author.following {
      self = .following
    } else if address == author.uri {
      self = .author
    } else {
      return nil
    }
  }
}

extension PostFacts {
  /// Who may find it by its words: emitted as an address, since an empty list is no statement in JSON-LD (FEP-268d).
  var searchableBy: [IRI] {
    let everybody = author.isIndexable && post.visibility == .everyone
    switch post.searchability ?? (everybody ? .everyone : .author) {
    case .everyone: return [everyone ?? author.uri]
    case .followers: return [author.followers ?? author.uri]
    case .author: return [author.uri]
    }
  }

  func writeQuote(into note: inout Note) {
    guard let quote, quote.state == .pending || quote.state == .accepted else { return }
    note.quote = quote.quotedURI
    note.quoteAuthorization = quote.state == .accepted ? quote.stampURI : nil
    // Who knows no consent shows whatever it is told of: it is told once there is consent.
    note.writesOlderQuoteNames = quote.state == .accepted
  }

  /// A link for readers that know no quotes; the others leave the paragraph out (FEP-044f, Mastodon 4.5).
  var quoteFallback: String {
    guard let quote, quote.state == .pending || quote.state == .accepted else { return "" }
    return quoteLink(to: quoted?.url ?? quote.quotedURI)
  }
}

extension Limits {
  /// People a policy may name one by one.
  package static let policyNames = 32
}
