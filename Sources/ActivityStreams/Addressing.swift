import Primitives

/// Who a thing is addressed to.
package struct Addressing: Hashable, Sendable {
  package var to: [IRI]
  package var cc: [IRI]

  package init(to: [IRI] = [], cc: [IRI] = []) {
    self.to = to
    self.cc = cc
  }

  init(reading node: Node) {
    to = node.iris("to")
    cc = node.iris("cc")
  }

  /// The addressing Mastodon gives each audience.
  package init(_ audience: Audience, followers: IRI?, mentions: [IRI] = []) {
    let everyone = [everyone].compactMap(\.self)
    let followers = [followers].compactMap(\.self)
    switch audience {
    case .public: self.init(to: everyone, cc: followers + mentions)
    case .unlisted: self.init(to: followers, cc: everyone + mentions)
    case .followers: self.init(to: followers + mentions)
    case .direct: self.init(to: mentions)
    }
  }

  package var all: [IRI] { to + cc }

  /// Followers addressed in `cc` are followers all the same: GoToSocial and Pixelfed do so.
  package func audience(followers: IRI?) -> Audience {
    if let everyone {
      if to.contains(everyone) { return .public }
      if cc.contains(everyone) { return .unlisted }
    }
    if let followers, all.contains(followers) { return .followers }
    return .direct
  }

  var toJSON: JSON { .array(to.map { .string($0.text) }) }
  var ccJSON: JSON { .array(cc.map { .string($0.text) }) }
}

package enum Audience: String, Hashable, Sendable, CaseIterable {
  case `public`, unlisted, followers, direct
}
