/// What an application may do for somebody, in the order it was asked for. `read` includes `read:statuses`, and
/// `follow` is the older name of three parts each of `read` and `write`.
package struct Scopes: Hashable, Sendable {
  package let names: [String]

  /// Nil when a word is no scope of ours. No words ask for `read`, as Mastodon has it.
  package init?(_ text: String) {
    var names: [String] = []
    for word in text.split(whereSeparator: { $0 == " " || $0 == "+" || $0 == "," }).map(String.init) {
      guard Scopes.known.contains(word) else { return nil }
      if !names.contains(word) { names.append(word) }
    }
    self.init(names: names.isEmpty ? ["read"] : names)
  }

  private init(names: [String]) { self.names = names }

  package var text: String { names.joined(separator: " ") }

  package func covers(_ scope: String) -> Bool {
    if names.contains(scope) { return true }
    if let end = scope.lastIndex(of: ":"), covers(String(scope[..<end])) { return true }
    return names.contains("follow") && Scopes.ofFollow.contains(scope)
  }

  package func covers(_ other: Scopes) -> Bool { other.names.allSatisfy(covers) }

  /// Nil when nothing is left: nobody may give away what is not theirs.
  package func without(administration: Bool) -> Scopes? {
    guard administration else { return self }
    let rest = names.filter { !$0.hasPrefix("admin") }
    return rest.isEmpty ? nil : Scopes(names: rest)
  }

  private static let ofFollow: Set<String> = [
    "read:follows", "read:blocks", "read:mutes", "write:follows", "write:blocks", "write:mutes",
  ]

  private static let parts = [
    "accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications",
    "statuses", "collections",
  ]

  package static let all: [String] =
    ["profile", "read"] + (parts + ["search"]).map { "read:\($0)" } + ["write"]
    + (parts + ["conversations", "media", "reports"]).map { "write:\($0)" } + ["follow", "push", "admin:read"]
    + adminParts.map { "admin:read:\($0)" } + ["admin:write"] + adminParts.map { "admin:write:\($0)" }

  private static let adminParts = [
    "accounts", "reports", "domain_allows", "domain_blocks", "ip_blocks", "email_domain_blocks",
    "canonical_email_blocks",
  ]

  private static let known = Set(all)
}
