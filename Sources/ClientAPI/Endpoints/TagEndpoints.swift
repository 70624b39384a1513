import HTTPSupport
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var tagRoutes: [Route] {
    [
      Route(.get, "/api/v1/tags/:id", .optional("read:follows"), showTag),
      Route(.post, "/api/v1/tags/:id/follow", .scope("write:follows"), followTag),
      Route(.post, "/api/v1/tags/:id/unfollow", .scope("write:follows"), unfollowTag),
      Route(.get, "/api/v1/followed_tags", .scope("read:follows"), followedTags),
    ]
  }

  /// The name of a tag, which is its id in this API.
  private func tag(_ call: Call) throws -> String {
    guard let written = call.context.parameters.get("id"), let name = percentDecoded(written, plusIsSpace: false),
      name.utf8.count <= Limits.searchQuery
    else { throw Problem.notFound }
    let tag = normalizedHashtag(name.hasPrefix("#") ? String(name.dropFirst()) : name)
    guard !tag.isEmpty, !tag.contains(where: { $0.isWhitespace || $0 == "#" || $0 == "/" }) else {
      throw Problem.notFound
    }
    return tag
  }

  @Sendable func showTag(_ call: Call) async throws -> Response {
    let name = try tag(call)
    return try await database.read { [self] tx in try draw(tag: name, for: call, tx) }.response
  }

  private func draw(tag name: String, for call: Call, _ tx: any ReadTransaction) throws -> JSON {
    let isFollowed = try call.viewer.map { try tx.followed(by: $0, among: [name]).contains(name) }
    return entities.tag(
      name, isFollowed: isFollowed, history: try tx.history(of: name, days: 7, until: context.now))
  }

  @Sendable func followTag(_ call: Call) async throws -> Response {
    let account = try call.member()
    let name = try tag(call)
    let context = context
    return try await database.write { [self] tx in
      try tx.follow(tag: name, by: account, in: context)
      return try draw(tag: name, for: call, tx)
    }.response
  }

  @Sendable func unfollowTag(_ call: Call) async throws -> Response {
    let account = try call.member()
    let name = try tag(call)
    return try await database.write { [self] tx in
      try tx.unfollow(tag: name, by: account)
      return try draw(tag: name, for: call, tx)
    }.response
  }

  @Sendable func followedTags(_ call: Call) async throws -> Response {
    let account = try call.member().id
    let page: Page<FollowedTag> = try call.page(100, most: Limits.followedTagPage)
    let found = try await database.read { try $0.followedTags(of: account, page) }
    return listed(
      found.map { entities.tag($0.tag, isFollowed: true) }, call, ids: found.map(\.id), limit: page.limit)
  }
}

extension Limits {
  package static let followedTagPage = 200
}
