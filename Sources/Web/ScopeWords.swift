import Model

extension Scopes {
  /// What an application may do, one sentence for each scope, for the person who decides.
  var inWords: [String] { names.map { Scopes.sentence($0) } }

  private static func sentence(_ scope: String) -> String {
    if let sentence = sentences[scope] { return sentence }
    let parts = scope.split(separator: ":").map(String.init)
    guard parts.count >= 2, let thing = things[parts[parts.count - 1]] else { return "Use \u{201C}\(scope)\u{201D}." }
    return switch parts[0] {
    case "read": "See \(thing)."
    case "write": "Change \(thing)."
    default: "Moderate: \(parts.dropFirst().joined(separator: " "))."
    }
  }

  private static let sentences = [
    "profile": "See your name, your address here and your picture.",
    "read": "Read everything in your account: timelines, private posts, notices, lists and settings.",
    "write": "Act in your name: post, edit and delete works, like, share, follow, and change your profile.",
    "follow": "Follow, mute and block people in your name.",
    "push": "Be told of your notices as they come.",
    "read:search": "Search in your name.",
    "write:media": "Upload pictures.",
    "write:statuses": "Post, edit and delete works, share those of others, and vote, in your name.",
    "write:favourites": "Like works in your name, and take likes back.",
    "write:follows": "Follow people and stop following them, in your name.",
    "write:reports": "Report posts and people in your name.",
    "admin:read": "See what moderators see.",
    "admin:write": "Do what moderators do.",
  ]

  private static let things = [
    "accounts": "your account and its profile", "blocks": "whom you block", "bookmarks": "your bookmarks",
    "favourites": "what you like", "filters": "your filters", "follows": "whom you follow", "lists": "your lists",
    "mutes": "whom you mute", "notifications": "your notices", "statuses": "posts, also those only you may see",
    "collections": "your collections", "conversations": "your private conversations",
  ]
}
