import HTTPSupport
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct SearchPage {
  struct Link {
    let name: String
    let path: String
    let detail: String
  }
  let query: String
  let hasAsked: Bool
  let people: [Link]
  let hasPeople: Bool
  let tags: [Link]
  let hasTags: Bool
  let tiles: [Tile]
  let showsAuthor: Bool
  let hasTiles: Bool
  let words: [Link]
  let hasWords: Bool
  let isEmpty: Bool
  let next: String?
}

extension WebFace {
  /// For people signed in: what others wrote is not for strangers to comb through. Tags have public pages.
  @Sendable func search(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let raw = request.uri.queryParameters["q"].map(String.init) ?? ""
    let query = String((percentDecoded(raw, plusIsSpace: true) ?? "").prefix(Limits.longestSearch))
    let offset = min(max(0, request.uri.queryParameters["from"].flatMap { Int($0) } ?? 0), Limits.searchDepth)
    let (viewer, now) = (bearer.account, self.context)
    let isAsked = !query.allSatisfy(\.isWhitespace)
    let found = try await database.read {
      tx -> (posts: [Post], page: PageAssembly, people: [Account], tags: [String]) in
      guard isAsked else { return ([], try tx.assemble([], for: viewer.id), [], []) }
      let posts = try tx.posts(
        matching: SearchQuery(query), by: nil, for: viewer, offset: offset, limit: Limits.worksPerPage, in: now)
      let name = query.hasPrefix("@") || query.hasPrefix("#") ? String(query.dropFirst()) : query
      let isFirst = offset == 0
      return (
        posts, try tx.assemble(posts, for: viewer.id),
        isFirst && !query.hasPrefix("#") ? try tx.accounts(named: name, limit: Limits.namesFound) : [],
        isFirst && !query.hasPrefix("@")
          ? try tx.tags(named: normalizedHashtag(name), limit: Limits.namesFound) : []
      )
    }
    let frame = frame("Search", context, policy: standardPolicy, isListed: false)
    let more =
      found.posts.count == Limits.worksPerPage
      ? "/search?q=\(percentEncoded(query))&from=\(offset + Limits.worksPerPage)" : nil
    let model = model(query, isAsked, found.posts, found.page, found.people, found.tags, next: more)
    return try page("search", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private func model(
    _ query: String, _ isAsked: Bool, _ posts: [Post], _ page: PageAssembly, _ people: [Account], _ tags: [String],
    next: String?
  ) -> SearchPage {
    let pictured = posts.filter { !(page.attachments[$0.id] ?? []).isEmpty }
    let tiles = tiles(pictured, page)
    let words = posts.filter { (page.attachments[$0.id] ?? []).isEmpty }.compactMap { post -> SearchPage.Link? in
      guard let author = page.accounts[post.authorID] else { return nil }
      let text = SanitizedHTML.restored(fromOwnStorage: post.content).text.shortened(to: 200)
      return .init(name: text.isEmpty ? "A post" : text, path: path(of: post, by: author), detail: shownName(author))
    }
    let links = people.filter { $0.suspendedAt == nil }.map {
      SearchPage.Link(name: shownName($0), path: path(of: $0), detail: handle(of: $0))
    }
    return SearchPage(
      query: query, hasAsked: isAsked, people: links, hasPeople: !links.isEmpty,
      tags: tags.map { .init(name: "#\($0)", path: "/tags/\(percentEncoded($0))", detail: "") }, hasTags: !tags.isEmpty,
      tiles: tiles, showsAuthor: true, hasTiles: !tiles.isEmpty, words: words, hasWords: !words.isEmpty,
      isEmpty: isAsked && links.isEmpty && tags.isEmpty && posts.isEmpty, next: next)
  }
}

extension Limits {
  static let longestSearch = 500
  static let namesFound = 12
}
