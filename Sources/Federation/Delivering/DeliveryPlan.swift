import Model
import Primitives

/// Somebody elsewhere who is to be told.
package struct Recipient: Hashable, Sendable {
  package var inbox: IRI
  package var sharedInbox: IRI?
  /// Addressed by name, and so told before the crowd.
  package var isMentioned: Bool

  package init(inbox: IRI, sharedInbox: IRI? = nil, isMentioned: Bool = false) {
    self.inbox = inbox
    self.sharedInbox = sharedInbox
    self.isMentioned = isMentioned
  }

  package init(_ account: Account, isMentioned: Bool = false) {
    self.init(inbox: account.inbox, sharedInbox: account.sharedInbox, isMentioned: isMentioned)
  }

  /// A shared inbox on another origin than the person's own would lead private words to a third server.
  var door: IRI {
    guard let sharedInbox, sharedInbox.hasSameOrigin(as: inbox) else { return inbox }
    return sharedInbox
  }
}

/// Which inboxes an activity goes to: each recipient through exactly one, whatever order they are named in.
package struct DeliveryPlan: Hashable, Sendable {
  /// Mentioned people's first, each group in the order of its text.
  package let inboxes: [IRI]

  /// `blocked` holds blocked host names; a name blocks those below it too.
  package init(_ recipients: some Sequence<Recipient>, ownHost: Host, blocked: Set<String>) {
    var named: Set<IRI> = []
    var others: Set<IRI> = []
    for recipient in recipients {
      let door = recipient.door
      guard door.host != ownHost, !Self.isBlocked(door.host, by: blocked) else { continue }
      if recipient.isMentioned { named.insert(door) } else { others.insert(door) }
    }
    inboxes = named.sorted() + others.subtracting(named).sorted()
  }

  package static func isBlocked(_ host: Host, by blocked: Set<String>) -> Bool {
    guard !blocked.isEmpty else { return false }
    if blocked.contains(host.text) { return true }
    var rest = host.name[...]
    while !rest.isEmpty {
      if blocked.contains(String(rest)) { return true }
      guard let dot = rest.firstIndex(of: ".") else { return false }
      rest = rest[rest.index(after: dot)...]
    }
    return false
  }
}
