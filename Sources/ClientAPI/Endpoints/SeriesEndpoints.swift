import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

// Our own addition, beside the Mastodon entities: `/api/atelier/v1/series`.
extension ClientAPI {
  @Sendable func accountSeries(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await database.read { [self] tx in
      let owner = try tx.shownAccount(id)
      let all = try tx.series(of: id, visibleTo: call.viewer).filter { $0.works > 0 || call.viewer == id }
      return JSON.array(all.map { entities.series($0, of: owner) })
    }.response
  }

  @Sendable func showSeries(_ call: Call) async throws -> Response {
    let id: Series.ID = try call.id()
    return try await database.read { [self] tx in try draw(id, for: call, tx) }.workResponse
  }

  /// In the order of the series; `after_id` is the last work of the page before.
  @Sendable func seriesStatuses(_ call: Call) async throws -> Response {
    let id: Series.ID = try call.id()
    let after: Post.ID? = try call.parameters.id("after_id")
    let limit = try call.limit(20, most: Limits.statusPage)
    return try await database.read { [self] tx in
      _ = try shown(id, for: call, tx)
      let posts = try tx.posts(in: id, visibleTo: call.viewer, after: after, limit: limit)
      return JSON.array(try page(of: posts, for: call, tx).statuses(posts))
    }.response
  }

  @Sendable func createSeries(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let draft = try seriesDraft(call.parameters, else: nil)
    let context = context
    return try await database.write { [self] tx in
      try draw(try tx.createSeries(draft, by: owner, in: context).id, for: call, tx)
    }.workResponse
  }

  /// What a request does not name stays as it is; an empty `usage_policy` takes the policy away.
  @Sendable func changeSeries(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Series.ID = try call.id()
    let parameters = call.parameters
    let context = context
    return try await database.write { [self] tx in
      guard let series = try tx.series(id) else { throw Problem.notFound }
      let draft = try seriesDraft(parameters, else: series)
      return try draw(try tx.changeSeries(id, to: draft, by: owner, in: context).id, for: call, tx)
    }.workResponse
  }

  @Sendable func deleteSeries(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Series.ID = try call.id()
    let context = context
    try await database.write { try $0.deleteSeries(id, by: owner, in: context) }
    return .json([:])
  }

  @Sendable func addToSeries(_ call: Call) async throws -> Response { try await move(call, isIn: true) }
  @Sendable func removeFromSeries(_ call: Call) async throws -> Response { try await move(call, isIn: false) }

  private func move(_ call: Call, isIn: Bool) async throws -> Response {
    let owner = try call.member()
    let id: Series.ID = try call.id()
    let works: [Post.ID] = try call.parameters.ids("status_ids")
    let context = context
    return try await database.write { [self] tx in
      guard try tx.series(id)?.ownerID == owner.id else { throw Problem.notFound }
      for work in works {
        guard let post = try tx.post(work), isIn || post.seriesID == id else { throw Problem.notFound }
        try tx.move(post, to: isIn ? id : nil, by: owner, in: context)
      }
      return try draw(id, for: call, tx)
    }.workResponse
  }

  @Sendable func orderSeries(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Series.ID = try call.id()
    let works: [Post.ID] = try call.parameters.ids("status_ids")
    return try await database.write { [self] tx in
      try tx.orderSeries(id, as: works, by: owner)
      return try draw(id, for: call, tx)
    }.workResponse
  }

  private func seriesDraft(_ parameters: RequestParameters, else series: Series?) throws -> SeriesDraft {
    SeriesDraft(
      title: parameters["title"] ?? series?.title ?? "",
      description: parameters["description"] ?? series?.description ?? "",
      usagePolicy: parameters.contains("usage_policy") ? try usagePolicy(parameters) : series?.usagePolicy)
  }

  /// A series nobody may see into yet is its artist's alone.
  private func shown(_ id: Series.ID, for call: Call, _ tx: any ReadTransaction) throws -> (SeriesSummary, Account) {
    guard let series = try tx.series(id) else { throw Problem.notFound }
    let owner = try tx.shownAccount(series.ownerID)
    let works = try tx.works(in: id, visibleTo: call.viewer)
    guard works > 0 || call.viewer == owner.id else { throw Problem.notFound }
    return (SeriesSummary(series: series, works: works), owner)
  }

  private func draw(_ id: Series.ID, for call: Call, _ tx: any ReadTransaction) throws -> JSON {
    let (series, owner) = try shown(id, for: call, tx)
    return entities.series(series, of: owner)
  }
}

extension Entities {
  func series(_ found: SeriesSummary, of owner: Account) -> JSON {
    let series = found.series
    return [
      "id": .string(series.id.description), "account_id": .string(owner.id.description),
      "title": .string(series.title), "description": .string(series.description),
      "url": .string(instance.page("/@\(owner.username)/series/\(series.id)").text),
      "statuses_count": .number(found.works), "created_at": .string(series.createdAt.iso8601),
      "usage_policy": effectivePolicy(of: owner, series: series, on: instance).wire,
    ]
  }
}
