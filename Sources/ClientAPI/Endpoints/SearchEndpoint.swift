import HTTPSupport
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  /// People, works and tags by name or address. All three lists are always there.
  @Sendable func search(_ call: Call) async throws -> Response {
    let written = call.parameters["q"] ?? ""
    guard written.unicodeScalars.count <= Limits.searchQuery else { throw Problem.parameter("q") }
    let limit = try call.limit(20, most: Limits.searchResults)
    let offset = min(max(0, try call.parameters.integer("offset") ?? 0), Limits.searchDepth)
    let query = written.split(separator: " ").joined(separator: " ")
    var found = Found()
    // Exact addresses come first and only on the first page.
    if let exact = try await exactly(query, call) {
      if offset == 0 { found = exact }
    } else if !query.isEmpty {
      found = try await byWords(query, call, limit: limit, offset: offset)
    }
    let type = call.parameters["type"]
    if let type, type != "accounts" { found.accounts = [] }
    if let type, type != "statuses" { found.posts = [] }
    if let type, type != "hashtags" { found.tags = [] }
    let drawn = found
    return try await database.read { [self] tx in
      let posts = try tx.posts(drawn.posts, visibleTo: call.viewer)
      let accounts = try tx.accounts(drawn.accounts)
      return [
        "accounts": .array(try self.drawn(drawn.accounts.compactMap { accounts[$0] }, tx)),
        "statuses": .array(
          try page(of: Array(posts.values), for: call, tx).statuses(drawn.posts.compactMap { posts[$0] })),
        "hashtags": .array(
          drawn.tags.map { name in
            var tag = entities.tag(name)
            tag["history"] = []
            return tag
          }),
      ] as JSON
    }.response
  }

  private struct Found {
    var accounts: [Account.ID] = []
    var posts: [Post.ID] = []
    var tags: [String] = []
  }

  /// Nil when `query` is neither a handle nor an address.
  private func exactly(_ query: String, _ call: Call) async throws -> Found? {
    if let handle = Handle(query) {
      if let known = try await known(handle) { return Found(accounts: [known.id]) }
      guard handle.host != instance.host else { return Found() }
      return try await lookedUp(query, call)
    }
    guard let iri = IRI(query) else { return nil }
    if let known = try await known(iri, to: call.viewer) { return known }
    guard !iri.hasSameOrigin(as: instance.base) else { return Found() }
    return try await lookedUp(query, call)
  }

  private func known(_ handle: Handle) async throws -> Account? {
    let host = handle.host == instance.host ? nil : handle.host
    return try await database.read { try $0.account(username: handle.username, host: host) }
  }

  /// By id or page. `https://here/@mika/5` is read by its parts.
  private func known(_ iri: IRI, to viewer: Account.ID?) async throws -> Found? {
    let parts = iri.hasSameOrigin(as: instance.base) ? iri.path.split(separator: "/").map(String.init) : []
    return try await database.read { tx in
      if let account = try tx.account(uri: iri) { return Found(accounts: [account.id]) }
      if let post = try tx.post(uri: iri) { return Found(posts: [post.id]) }
      guard let name = parts.first, name.hasPrefix("@"),
        let owner = try tx.account(username: String(name.dropFirst()), host: nil)
      else { return nil }
      if parts.count == 1 { return Found(accounts: [owner.id]) }
      guard parts.count == 2, let post = try tx.post(url: iri, author: owner.id) else { return nil }
      return Found(posts: [post.id])
    }
  }

  /// Only for members who ask for it, and not without limit.
  private func lookedUp(_ query: String, _ call: Call) async throws -> Found {
    guard call.parameters.flag("resolve") == true, let viewer = call.viewer else { return Found() }
    if let wait = lookups.take(viewer.description) {
      throw Problem(.tooManyRequests, "search.too_many_lookups", "Too many requests", retryAfter: wait)
    }
    switch try await lookup.resolve(query) {
    case .account(let id): return Found(accounts: [id])
    case .post(let id): return Found(posts: [id])
    case nil: return Found()
    }
  }

  /// People and tags by the beginning of their names; works by their words, for members, and those alone that one may
  /// find.
  private func byWords(_ query: String, _ call: Call, limit: Int, offset: Int) async throws -> Found {
    let isTag = query.hasPrefix("#")
    let isName = query.hasPrefix("@")
    let name = isName || isTag ? String(query.dropFirst()) : query
    let type = call.parameters["type"]
    let author: Account.ID? = try call.parameters.id("account_id")
    let onlyFollowed = call.parameters.flag("following") ?? false
    let context = context
    return try await database.read { tx in
      var found = Found()
      if !isTag, type == nil || type == "accounts" {
        let people = try tx.accounts(named: name, limit: onlyFollowed ? Limits.searchDepth : limit + offset).map(\.id)
        let followed = onlyFollowed ? try tx.ties(of: call.viewer, among: people).followed : []
        let kept = onlyFollowed ? people.filter(followed.contains) : people
        found.accounts = Array(kept.dropFirst(offset).prefix(limit))
      }
      if !isName, type == nil || type == "hashtags" {
        found.tags = Array(try tx.tags(named: normalizedHashtag(name), limit: limit + offset).dropFirst(offset))
      }
      if let viewer = call.bearer?.account, !isName, type == nil || type == "statuses" {
        found.posts = try tx.posts(
          matching: SearchQuery(query), by: author, for: viewer, offset: offset, limit: limit, in: context
        ).map(\.id)
      }
      return found
    }
  }
}
