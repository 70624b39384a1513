import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

/// A series as a link, on the pages of an artist and of a work.
struct SeriesLink {
  let path: String
  let title: String
  let works: String
}

/// Where a work stands in its series.
struct SeriesPlace {
  let path: String
  let title: String
  let previous: String?
  let next: String?
}

private struct SeriesPage {
  let title: String
  let author: String
  let authorPath: String
  let words: String?
  let policy: PolicyWords
  let policyPath: String
  let tiles: [Tile]
  let showsAuthor: Bool
  let older: String?
  let further: String?
  let isEmpty: Bool
  let managePath: String?
}

extension WebFace {
  func seriesPath(_ series: Series, of owner: Account) -> String { "\(path(of: owner))/series/\(series.id)" }

  func links(to series: [SeriesSummary], of owner: Account, isOwner: Bool) -> [SeriesLink] {
    series.filter { isOwner || $0.works > 0 }.map {
      SeriesLink(
        path: seriesPath($0.series, of: owner), title: $0.series.title,
        works: $0.works == 1 ? "1 work" : "\($0.works) works")
    }
  }

  func place(_ neighbours: SeriesNeighbours?, of owner: Account) -> SeriesPlace? {
    neighbours.map { found in
      SeriesPlace(
        path: seriesPath(found.series, of: owner), title: found.series.title,
        previous: found.previous.map { path(of: $0, by: owner) }, next: found.next.map { path(of: $0, by: owner) })
    }
  }

  /// The works of a series in its order.
  @Sendable func series(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try await account(context.parameters.get("acct") ?? "", context)
    guard let id = context.parameters.get("series").flatMap({ Series.ID($0) }) else { throw Problem.notFound }
    let viewer = context.bearer?.account.id
    let after = request.uri.queryParameters["after"].flatMap { Post.ID(String($0)) }
    let found = try await database.read { tx -> (Series, [Post], PageAssembly)? in
      guard let series = try tx.series(id), series.ownerID == owner.id else { return nil }
      let posts = try tx.posts(in: id, visibleTo: viewer, after: after, limit: Limits.worksPerPage)
      return (series, posts, try tx.assemble(posts, for: viewer))
    }
    guard let (series, posts, assembly) = found else { throw Problem.notFound }
    let isOwner = viewer == owner.id
    // What nobody may see into yet is its artist's alone.
    guard isOwner || after != nil || !posts.isEmpty else { throw Problem.notFound }
    let policy = effectivePolicy(of: owner, series: series, on: instance)
    let tiles = tiles(posts, assembly)
    var frame = frame("\(series.title) \u{2013} \(shownName(owner))", context, policy: policy)
    frame.canonical = instance.page(seriesPath(series, of: owner)).text
    frame.summary = series.description.isEmpty ? nil : series.description.shortened(to: 200)
    if let first = tiles.first(where: { $0.warning == nil }) {
      frame.image = instance.page(first.source).text
      frame.imageAlt = first.alt
    }
    let further = posts.count == Limits.worksPerPage ? posts.last : nil
    let model = SeriesPage(
      title: series.title, author: shownName(owner), authorPath: path(of: owner),
      words: series.description.isEmpty ? nil : series.description, policy: PolicyWords(policy),
      policyPath: "\(path(of: owner))/policy", tiles: tiles, showsAuthor: false, older: nil,
      further: further.map { "\(seriesPath(series, of: owner))?after=\($0.id)" }, isEmpty: tiles.isEmpty,
      managePath: isOwner ? "/settings/series/\(series.id)" : nil)
    return try page(
      "series", model, frame, request, context, policy: policy, tdmPolicy: offer(of: owner, policy))
  }
}
