import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var featuredTagRoutes: [Route] {
    [
      Route(.get, "/api/v1/featured_tags", .scope("read:accounts"), ownFeaturedTags),
      Route(.post, "/api/v1/featured_tags", .scope("write:accounts"), featureTag),
      Route(.get, "/api/v1/featured_tags/suggestions", .scope("read:accounts"), featuredTagSuggestions),
      Route(.delete, "/api/v1/featured_tags/:id", .scope("write:accounts"), unfeatureTag),
      Route(.get, "/api/v1/accounts/:id/featured_tags", .optional("read:accounts"), featuredTags),
    ]
  }

  @Sendable func ownFeaturedTags(_ call: Call) async throws -> Response {
    let owner = try call.member()
    return try await database.read { [self] tx in
      JSON.array(try tx.featuredTags(of: owner.id).map { entities.featuredTag($0, of: owner) })
    }.response
  }

  @Sendable func featuredTags(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await database.read { [self] tx in
      let account = try tx.shownAccount(id)
      return JSON.array(try tx.featuredTags(of: id).map { entities.featuredTag($0, of: account) })
    }.response
  }

  @Sendable func featureTag(_ call: Call) async throws -> Response {
    let owner = try call.member()
    guard let name = call.parameters["name"], name.utf8.count <= Limits.searchQuery else {
      throw Problem.parameter("name")
    }
    let context = context
    return try await database.write { [self] tx in
      entities.featuredTag(try tx.feature(name, by: owner, in: context), of: owner)
    }.response
  }

  @Sendable func unfeatureTag(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: FeaturedTag.ID = try call.id()
    try await database.write { try $0.unfeature(id, by: owner) }
    return .json([:])
  }

  @Sendable func featuredTagSuggestions(_ call: Call) async throws -> Response {
    let owner = try call.member()
    return try await database.read { [self] tx in
      JSON.array(
        try tx.usedTags(by: owner.id, limit: Limits.featuredTags).map { name in
          var tag = entities.tag(name)
          tag["history"] = []
          return tag
        })
    }.response
  }
}

extension Entities {
  /// `statuses_count` is text: IceCubes decodes nothing else.
  func featuredTag(_ tag: FeaturedTag, of account: Account) -> JSON {
    let page = instance.page("/tags/\(percentEncoded(tag.tag))")
    return [
      "id": .string(tag.id.description), "name": .string(tag.name), "url": .string(page.text),
      "statuses_count": .string(String(tag.posts)),
      "last_status_at": .text(tag.lastPostAt.map { String($0.iso8601.prefix(10)) }),
    ]
  }
}
