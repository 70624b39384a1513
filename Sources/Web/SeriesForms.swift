import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct OwnSeriesPage {
  struct Row {
    let path: String
    let managePath: String
    let title: String
    let works: String
    let policy: String
  }
  let token: String
  let rows: [Row]
  let isEmpty: Bool
  let title: String
  let description: String
  let policies: [Choice]
  let titleLimit: Int
  let textLimit: Int
  let failure: String?
  let isDeleted: Bool
}

private struct ManagedSeriesPage {
  struct Work {
    let id: String
    let path: String
    let source: String
    let alt: String
    let place: Int
  }
  let token: String
  let id: String
  let path: String
  let heading: String
  let title: String
  let description: String
  let policies: [Choice]
  let titleLimit: Int
  let textLimit: Int
  let works: [Work]
  let hasWorks: Bool
  let loose: [Work]
  let hasLoose: Bool
  let failure: String?
  let isSaved: Bool
}

/// What the form of a series says, before anything is believed.
private struct SeriesForm {
  var draft: SeriesDraft

  init(_ parameters: RequestParameters) throws {
    draft = SeriesDraft(
      title: parameters["title"] ?? "",
      description: (parameters["description"] ?? "").replacing("\r\n", with: "\n"))
    guard let value = parameters["policy"], value != "account" else { return }
    guard let chosen = UsagePolicy.Preset(rawValue: value) else { throw Problem.parameter("policy") }
    draft.usagePolicy = UsagePolicy(chosen, basis: .explicit)
  }
}

extension WebFace {
  private func policies(_ chosen: UsagePolicy?, of owner: Account) -> [Choice] {
    let standing = PolicyWords(effectivePolicy(of: owner, on: instance))
    let account = Choice(
      value: "account", name: "As for all my works", hint: "\(standing.headline). \(standing.chosenBy)",
      isChosen: chosen == nil)
    return [account] + policyChoices(chosen?.preset)
  }

  private func ownSeriesPage(
    _ request: Request, _ context: FaceContext, draft: SeriesDraft = SeriesDraft(title: ""), failure: String? = nil
  ) async throws -> Response {
    let owner = try context.requireBearer().account
    let all = try await database.read { try $0.series(of: owner.id, visibleTo: owner.id) }
    let rows = all.map { found in
      OwnSeriesPage.Row(
        path: seriesPath(found.series, of: owner), managePath: "/settings/series/\(found.series.id)",
        title: found.series.title, works: found.works == 1 ? "1 work" : "\(found.works) works",
        policy: PolicyWords(effectivePolicy(of: owner, series: found.series, on: instance)).headline)
    }
    let model = OwnSeriesPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", rows: rows, isEmpty: rows.isEmpty,
      title: draft.title, description: draft.description, policies: policies(draft.usagePolicy, of: owner),
      titleLimit: Limits.seriesTitle, textLimit: Limits.postCharacters, failure: failure,
      isDeleted: request.uri.queryParameters["deleted"] != nil)
    let frame = frame("My series", context, policy: standardPolicy, isListed: false)
    return try page(
      "series-list", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func ownSeries(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    return try await ownSeriesPage(request, context)
  }

  @Sendable func createSeries(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let form = try SeriesForm(parameters)
    let change = self.context
    do {
      let made = try await database.write { try $0.createSeries(form.draft, by: owner, in: change) }
      return Response.seeOther("/settings/series/\(made.id)")
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try await ownSeriesPage(request, context, draft: form.draft, failure: failure.sentence)
    }
  }

  private func managedPage(
    _ id: Series.ID, _ request: Request, _ context: FaceContext, draft: SeriesDraft? = nil, failure: String? = nil
  ) async throws -> Response {
    let owner = try context.requireBearer().account
    let filter = AccountFilter(onlyMedia: true, excludeBoosts: true)
    let found = try await database.read { tx -> (Series, [Post], [Post], PageAssembly)? in
      guard let series = try tx.series(id), series.ownerID == owner.id else { return nil }
      let works = try tx.posts(in: id, visibleTo: owner.id, limit: Limits.worksPerSeries)
      let loose = try tx.posts(by: owner.id, visibleTo: owner.id, filter, Page(limit: Limits.looseWorks))
        .filter { $0.seriesID == nil }
      return (series, works, loose, try tx.assemble(works + loose, for: owner.id))
    }
    guard let (series, works, loose, assembly) = found else { throw Problem.notFound }
    func work(_ place: Int, _ post: Post) -> ManagedSeriesPage.Work? {
      guard let tile = tiles([post], assembly).first else { return nil }
      return .init(
        id: post.id.description, path: tile.path, source: tile.source, alt: tile.alt, place: place + 1)
    }
    let shown = works.enumerated().compactMap { work($0.offset, $0.element) }
    let others = loose.compactMap { work(0, $0) }
    let model = ManagedSeriesPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", id: id.description,
      path: seriesPath(series, of: owner), heading: series.title, title: draft?.title ?? series.title,
      description: draft?.description ?? series.description,
      policies: policies(draft == nil ? series.usagePolicy : draft?.usagePolicy, of: owner),
      titleLimit: Limits.seriesTitle, textLimit: Limits.postCharacters, works: shown, hasWorks: !shown.isEmpty,
      loose: others, hasLoose: !others.isEmpty, failure: failure,
      isSaved: request.uri.queryParameters["saved"] != nil)
    let frame = frame("Series: \(series.title)", context, policy: standardPolicy, isListed: false)
    return try page(
      "series-edit", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func managedSeries(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    guard let id = context.parameters.get("series").flatMap({ Series.ID($0) }) else { throw Problem.notFound }
    return try await managedPage(id, request, context)
  }

  /// One address for everything that may be done to a series; the button says what.
  @Sendable func changeSeries(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    guard let id = context.parameters.get("series").flatMap({ Series.ID($0) }) else { throw Problem.notFound }
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let change = self.context
    switch parameters["act"] {
    case "save":
      let form = try SeriesForm(parameters)
      do {
        _ = try await database.write { try $0.changeSeries(id, to: form.draft, by: owner, in: change) }
      } catch let failure as OperationFailure where failure.kind == .invalid {
        return try await managedPage(id, request, context, draft: form.draft, failure: failure.sentence)
      }
    case "order":
      let wanted = try places(parameters)
      try await database.write { try $0.orderSeries(id, as: wanted, by: owner) }
    case "add", "remove":
      let works: [Post.ID] = try parameters.ids("work")
      let target = parameters["act"] == "add" ? id : nil
      try await database.write { tx in
        guard try tx.series(id)?.ownerID == owner.id else { throw OperationFailure.notFound }
        for work in works {
          guard let post = try tx.post(work), target != nil || post.seriesID == id else { continue }
          try tx.move(post, to: target, by: owner, in: change)
        }
      }
    case "delete":
      try await database.write { try $0.deleteSeries(id, by: owner, in: change) }
      return Response.seeOther("/settings/series?deleted=1")
    default: throw Problem.parameter("act")
    }
    return Response.seeOther("/settings/series/\(id)?saved=1")
  }

  /// `place-ID` says where a work goes. Two with one number keep the order of the page.
  private func places(_ parameters: RequestParameters) throws -> [Post.ID] {
    let works: [Post.ID] = try parameters.ids("listed")
    let numbered = try works.enumerated().map { index, work in
      (work, try parameters.integer("place-\(work)") ?? Int.max, index)
    }
    return numbered.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
  }

  /// From the page of a work: into another series, or out of all.
  @Sendable func placeInSeries(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let series: Series.ID? = try parameters.id("series")
    guard let work: Post.ID = try parameters.id("work") else { throw Problem.notFound }
    let change = self.context
    let post = try await database.write { tx -> Post in
      guard let post = try tx.post(work), post.authorID == owner.id else { throw OperationFailure.notFound }
      try tx.move(post, to: series, by: owner, in: change)
      return post
    }
    return Response.seeOther(path(of: post, by: owner))
  }

  /// Own series as choices of a form, the first of which is none.
  func seriesChoices(_ all: [SeriesSummary], chosen: Series.ID?) -> [Choice] {
    guard !all.isEmpty else { return [] }
    return [Choice(value: "", name: "In no series", hint: "", isChosen: chosen == nil)]
      + all.map {
        Choice(value: $0.series.id.description, name: $0.series.title, hint: "", isChosen: $0.series.id == chosen)
      }
  }
}

extension Limits {
  /// Newest works offered to be put into a series.
  static let looseWorks = 48
}
