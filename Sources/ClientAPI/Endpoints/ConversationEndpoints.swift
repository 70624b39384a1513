import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var conversationRoutes: [Route] {
    [
      Route(.get, "/api/v1/conversations", .scope("read:statuses"), conversations),
      Route(.delete, "/api/v1/conversations/:id", .scope("write:conversations"), deleteConversation),
      Route(.post, "/api/v1/conversations/:id/read", .scope("write:conversations"), readConversation),
      Route(.get, "/api/v1/timelines/direct", .scope("read:statuses"), directTimeline),
      Route(.post, "/api/v1/statuses/:id/mute", .scope("write:mutes"), muteThread),
      Route(.post, "/api/v1/statuses/:id/unmute", .scope("write:mutes"), unmuteThread),
    ]
  }

  /// By the last post of each: the cursors are ids of posts, the entities' own ids are not.
  @Sendable func conversations(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Post> = try call.page()
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try tx.conversations(of: owner, page)
      return (try draw(found, for: call, tx), found.map(\.lastPostID))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  @Sendable func deleteConversation(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: Conversation.ID = try call.id()
    try await database.write { tx in
      guard let found = try tx.conversation(id, of: owner) else { throw Problem.notFound }
      try tx.hide(found)
    }
    return .json([:])
  }

  @Sendable func readConversation(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: Conversation.ID = try call.id()
    return try await database.write { [self] tx in
      guard let found = try tx.conversation(id, of: owner) else { throw Problem.notFound }
      try tx.read(found)
      guard let read = try tx.conversation(id, of: owner), let drawn = try draw([read], for: call, tx).first else {
        throw Problem.notFound
      }
      return drawn
    }.response
  }

  @Sendable func directTimeline(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) { try $0.directPosts(of: owner, page) }
  }

  private func draw(
    _ found: [Conversation], for call: Call, _ tx: any ReadTransaction
  ) throws -> [JSON] {
    let posts = try tx.posts(found.map(\.lastPostID), visibleTo: call.viewer)
    let page = try page(of: Array(posts.values), for: call, tx)
    let mentioned = page.assembly.mentions.values.flatMap(\.self)
    let counts = try tx.counts(of: Set(mentioned.map(\.id)).union(page.assembly.accounts.keys))
    return found.map { conversation in
      let post = posts[conversation.lastPostID]
      var people: [Account.ID: Account] = [:]
      if let post {
        for account in page.assembly.mentions[post.id, default: []] { people[account.id] = account }
        people[post.authorID] = page.assembly.accounts[post.authorID]
      }
      people[conversation.accountID] = nil
      return [
        "id": .string(conversation.id.description), "unread": .bool(conversation.isUnread),
        "accounts": .array(
          people.values.sorted { $0.id < $1.id }.map { entities.account($0, counts: counts[$0.id]) }),
        "last_status": post.flatMap(page.status) ?? .null,
      ]
    }
  }

  @Sendable func muteThread(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, _ in
      try tx.muteThread(of: post, by: viewer)
      return post
    }
  }

  @Sendable func unmuteThread(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, _ in
      try tx.unmuteThread(of: post, by: viewer)
      return post
    }
  }
}
