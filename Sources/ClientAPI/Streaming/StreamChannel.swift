import Model
import Primitives

/// What one can listen to.
package enum StreamChannel: Hashable, Sendable {
  package enum Place: String, Hashable, Sendable { case everywhere, local, remote }
  case user
  case notifications
  case everybody(Place, onlyMedia: Bool)
  case tag(String, onlyLocal: Bool)
  case list(PeopleList.ID)
  case direct

  /// As `stream` names it, with what it needs beside the name. Nil when there is no such stream.
  package init?(_ name: String, tag: String?, list: String?, onlyMedia: Bool = false) {
    switch name {
    case "user": self = .user
    case "user:notification": self = .notifications
    case "public": self = .everybody(.everywhere, onlyMedia: onlyMedia)
    case "public:media": self = .everybody(.everywhere, onlyMedia: true)
    case "public:local": self = .everybody(.local, onlyMedia: onlyMedia)
    case "public:local:media": self = .everybody(.local, onlyMedia: true)
    case "public:remote": self = .everybody(.remote, onlyMedia: onlyMedia)
    case "public:remote:media": self = .everybody(.remote, onlyMedia: true)
    case "direct": self = .direct
    case "hashtag", "hashtag:local":
      guard let tag, !tag.isEmpty, tag.utf8.count <= Limits.searchQuery else { return nil }
      self = .tag(tag, onlyLocal: name == "hashtag:local")
    case "list":
      guard let list, let id = PeopleList.ID(list) else { return nil }
      self = .list(id)
    default: return nil
    }
  }

  /// What a message says of where it comes from.
  var names: [String] {
    switch self {
    case .user: ["user"]
    case .notifications: ["user:notification"]
    case .everybody(let place, let onlyMedia):
      [(place == .everywhere ? "public" : "public:\(place.rawValue)") + (onlyMedia ? ":media" : "")]
    case .tag(let tag, let onlyLocal): [onlyLocal ? "hashtag:local" : "hashtag", tag]
    case .list(let id): ["list", id.description]
    case .direct: ["direct"]
    }
  }

  var scope: String {
    switch self {
    case .notifications: "read:notifications"
    case .list: "read:lists"
    case .user, .everybody, .tag, .direct: "read:statuses"
    }
  }

  /// Whether a post of this kind, which everybody may find, comes by here.
  func carries(isLocal: Bool, hasMedia: Bool, tags: [String]) -> Bool {
    switch self {
    case .everybody(let place, let onlyMedia):
      (place == .everywhere || (place == .local) == isLocal) && (!onlyMedia || hasMedia)
    case .tag(let tag, let onlyLocal): tags.contains(tag) && (!onlyLocal || isLocal)
    case .user, .notifications, .list, .direct: false
    }
  }
}

/// One thing to say to one listener.
package enum StreamLine: Sendable {
  case event(StreamChannel, name: String, payload: String)
  /// Nothing has happened; the connection lives.
  case beat
}
