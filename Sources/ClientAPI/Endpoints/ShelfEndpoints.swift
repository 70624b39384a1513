import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var shelfRoutes: [Route] {
    [
      Route(.get, "/api/v1/bookmarks", .scope("read:bookmarks"), bookmarks),
      Route(.get, "/api/v1/favourites", .scope("read:favourites"), favourites),
      Route(.post, "/api/v1/statuses/:id/bookmark", .scope("write:bookmarks"), bookmark),
      Route(.post, "/api/v1/statuses/:id/unbookmark", .scope("write:bookmarks"), unbookmark),
      Route(.get, "/api/v1/markers", .scope("read:statuses"), markers),
      Route(.post, "/api/v1/markers", .scope("write:statuses"), mark),
      Route(.get, "/api/v1/lists", .scope("read:lists"), lists),
      Route(.post, "/api/v1/lists", .scope("write:lists"), makeList),
      Route(.get, "/api/v1/lists/:id", .scope("read:lists"), showList),
      Route(.put, "/api/v1/lists/:id", .scope("write:lists"), changeList),
      Route(.delete, "/api/v1/lists/:id", .scope("write:lists"), deleteList),
      Route(.get, "/api/v1/lists/:id/accounts", .scope("read:lists"), listMembers),
      Route(.post, "/api/v1/lists/:id/accounts", .scope("write:lists"), addToList),
      Route(.delete, "/api/v1/lists/:id/accounts", .scope("write:lists"), removeFromList),
      Route(.get, "/api/v1/timelines/list/:id", .scope("read:lists"), listTimeline),
      Route(.get, "/api/v1/accounts/:id/lists", .scope("read:lists"), listsWith),
    ]
  }

  @Sendable func bookmarks(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Bookmark> = try call.page()
    return try await shelf(call, page) { try $0.bookmarks(of: owner, page) }
  }

  @Sendable func favourites(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Favourite> = try call.page()
    return try await shelf(call, page) { try $0.favourites(of: owner, page) }
  }

  private func shelf<Entity>(
    _ call: Call, _ page: Page<Entity>,
    _ find: @escaping @Sendable (any ReadTransaction) throws -> [(id: ID<Entity>, post: Post)]
  ) async throws -> Response {
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try find(tx)
      let posts = found.map(\.post)
      return (try self.page(of: posts, for: call, tx).statuses(posts), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  @Sendable func bookmark(_ call: Call) async throws -> Response {
    try await keep(call) { tx, post, viewer, context in try tx.bookmark(post, by: viewer, in: context) }
  }

  @Sendable func unbookmark(_ call: Call) async throws -> Response {
    try await keep(call) { tx, post, viewer, _ in try tx.unbookmark(post, by: viewer) }
  }

  private func keep(
    _ call: Call,
    _ change: @escaping @Sendable (any WriteTransaction, Post, Account, OperationContext) throws -> Void
  ) async throws -> Response {
    let viewer = try call.member()
    let id: Post.ID = try call.id()
    let context = context
    return try await database.write { [self] tx in
      let post = try tx.shownPost(id, to: viewer.id)
      try change(tx, post, viewer, context)
      return try draw(post, for: call, tx)
    }.response
  }

  private static let timelines = ["home", "notifications"]

  @Sendable func markers(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let asked = call.parameters.all("timeline").filter(Self.timelines.contains)
    return try await database.read { [self] tx in entities.markers(try tx.markers(of: owner, asked)) }.response
  }

  /// `home[last_read_id]` and `notifications[last_read_id]`.
  @Sendable func mark(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let read = try Self.timelines.compactMap { name -> (timeline: String, id: Int64)? in
      guard let text = call.parameters["\(name)[last_read_id]"] else { return nil }
      guard text.utf8.count <= 20, let id = Int64(text), id >= 0 else { throw Problem.parameter(name) }
      return (name, id)
    }
    let context = context
    return try await database.write { [self] tx in
      try tx.mark(read, by: owner, in: context)
      return entities.markers(try tx.markers(of: owner.id, read.map(\.timeline)))
    }.response
  }

  @Sendable func lists(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await database.read { [self] tx in JSON.array(try tx.lists(of: owner).map(entities.list)) }.response
  }

  @Sendable func listsWith(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let member: Account.ID = try call.id()
    return try await database.read { [self] tx in
      _ = try tx.shownAccount(member)
      return JSON.array(try tx.lists(of: owner, with: member).map(entities.list))
    }.response
  }

  @Sendable func showList(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PeopleList.ID = try call.id()
    return try await database.read { [self] tx in entities.list(try tx.ownList(id, of: owner)) }.response
  }

  private func repliesPolicy(_ call: Call) throws -> PeopleList.RepliesPolicy? {
    guard let text = call.parameters["replies_policy"], !text.isEmpty else { return nil }
    guard let policy = PeopleList.RepliesPolicy(rawValue: text) else { throw Problem.parameter("replies_policy") }
    return policy
  }

  @Sendable func makeList(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let title = call.parameters["title"] ?? ""
    let policy = try repliesPolicy(call) ?? .list
    let isExclusive = call.parameters.flag("exclusive") ?? false
    let context = context
    return try await database.write { [self] tx in
      entities.list(
        try tx.makeList(titled: title, repliesPolicy: policy, isExclusive: isExclusive, by: owner, in: context))
    }.response
  }

  @Sendable func changeList(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PeopleList.ID = try call.id()
    let policy = try repliesPolicy(call)
    return try await database.write { [self] tx in
      var list = try tx.ownList(id, of: owner)
      list.title = call.parameters["title"] ?? list.title
      list.repliesPolicy = policy ?? list.repliesPolicy
      list.isExclusive = call.parameters.flag("exclusive") ?? list.isExclusive
      try tx.change(list)
      return entities.list(list)
    }.response
  }

  @Sendable func deleteList(_ call: Call) async throws -> Response {
    try await changing(call) { tx, list in try tx.delete(list) }
  }

  @Sendable func addToList(_ call: Call) async throws -> Response {
    let people: [Account.ID] = try call.parameters.ids("account_ids")
    return try await changing(call) { tx, list in try tx.add(people, to: list) }
  }

  @Sendable func removeFromList(_ call: Call) async throws -> Response {
    let people: [Account.ID] = try call.parameters.ids("account_ids")
    return try await changing(call) { tx, list in try tx.remove(people, from: list) }
  }

  private func changing(
    _ call: Call, _ change: @escaping @Sendable (any WriteTransaction, PeopleList) throws -> Void
  ) async throws -> Response {
    let owner = try call.member().id
    let id: PeopleList.ID = try call.id()
    try await database.write { tx in try change(tx, try tx.ownList(id, of: owner)) }
    return .json([:])
  }

  /// `limit=0` asks for everybody, as Mastodon has it.
  @Sendable func listMembers(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PeopleList.ID = try call.id()
    var page: Page<Account> = try call.page(40, most: Limits.accountPage)
    if call.parameters["limit"] == "0" { page.limit = Limits.listMembersAtOnce }
    let window = page
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try tx.members(of: try tx.ownList(id, of: owner).id, window)
      return (try self.drawn(found, tx), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: window.limit)
  }

  @Sendable func listTimeline(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PeopleList.ID = try call.id()
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) { try $0.timeline(of: $0.ownList(id, of: owner), page) }
  }
}

extension ReadTransaction {
  fileprivate func ownList(_ id: PeopleList.ID, of owner: Account.ID) throws -> PeopleList {
    guard let list = try list(id, of: owner) else { throw Problem.notFound }
    return list
  }
}

extension Entities {
  func list(_ list: PeopleList) -> JSON {
    [
      "id": .string(list.id.description), "title": .string(list.title),
      "replies_policy": .string(list.repliesPolicy.rawValue), "exclusive": .bool(list.isExclusive),
    ]
  }

  func markers(_ markers: [ReadingMarker]) -> JSON {
    JSON(
      pairs: markers.map { marker in
        (
          marker.timeline,
          [
            "last_read_id": .string(String(marker.lastReadID)), "version": .number(marker.version),
            "updated_at": .string(marker.updatedAt.iso8601),
          ] as JSON
        )
      })
  }
}
