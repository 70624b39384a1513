import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ReadTransaction {
  /// A post the viewer may see, a boost replaced by what it boosts: clients act on what they show.
  func shownPost(_ id: Post.ID, to viewer: Account.ID?) throws -> Post {
    guard let post = try post(id, visibleTo: viewer), viewer != nil || post.isLocal else { throw Problem.notFound }
    guard let boosted = post.boostOfID else { return post }
    guard let original = try self.post(boosted, visibleTo: viewer), viewer != nil || original.isLocal else {
      throw Problem.notFound
    }
    return original
  }
}

extension ClientAPI {
  func draw(_ post: Post, for call: Call, _ tx: any ReadTransaction) throws -> JSON {
    guard let drawn = try page(of: [post], for: call, tx).status(post) else { throw Problem.notFound }
    return drawn
  }

  @Sendable func showStatus(_ call: Call) async throws -> Response {
    let id: Post.ID = try call.id()
    return try await database.read { [self] tx in
      if let post = try tx.post(id, visibleTo: call.viewer) { return try draw(post, for: call, tx) }
      // A post that waits is what a moderator is asked about.
      guard call.isModerator, let post = try tx.post(id), post.state == .held else { throw Problem.notFound }
      return try draw(post, for: call, tx)
    }.workResponse
  }

  /// `id[]`: in the order asked for, those that are not visible left out.
  @Sendable func showStatuses(_ call: Call) async throws -> Response {
    let ids: [Post.ID] = try Array(call.parameters.ids("id").prefix(Limits.statusPage))
    return try await database.read { [self] tx in
      let found = try tx.posts(ids, visibleTo: call.viewer)
      let posts = ids.compactMap { found[$0] }
      return JSON.array(try page(of: posts, for: call, tx).statuses(posts))
    }.response
  }

  @Sendable func statusContext(_ call: Call) async throws -> Response {
    let id: Post.ID = try call.id()
    let context = context
    let (drawn, isStale) = try await database.read { [self] tx in
      let post = try tx.shownPost(id, to: call.viewer)
      let before = try tx.ancestors(of: post.id, visibleTo: call.viewer)
      let after = try tx.descendants(of: post.id, visibleTo: call.viewer)
      let page = try page(of: before + after, for: call, tx)
      return (
        ["ancestors": .array(page.statuses(before)), "descendants": .array(page.statuses(after))] as JSON,
        try tx.isThreadStale(post, at: context.now)
      )
    }
    // For the next reader, and for members only: a stranger makes this server ask nobody.
    if isStale, let viewer = call.viewer {
      try await database.write { tx in
        try tx.refreshThread(of: try tx.shownPost(id, to: viewer), in: context)
      }
    }
    return .json(drawn)
  }

  @Sendable func favouritedBy(_ call: Call) async throws -> Response {
    try await people(call) { tx, post, limit in try tx.accounts(favouriting: post, limit: limit) }
  }

  @Sendable func boostedBy(_ call: Call) async throws -> Response {
    try await people(call) { tx, post, limit in try tx.accounts(boosting: post, limit: limit) }
  }

  private func people(
    _ call: Call, _ find: @escaping @Sendable (any ReadTransaction, Post.ID, Int) throws -> [Account]
  ) async throws -> Response {
    let id: Post.ID = try call.id()
    let limit = try call.limit(40, most: Limits.accountPage)
    return try await database.read { [self] tx in
      let post = try tx.shownPost(id, to: call.viewer)
      return JSON.array(try drawn(try find(tx, post.id, limit), tx))
    }.response
  }

  @Sendable func favourite(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in
      try tx.favourite(post, by: viewer, in: context)
      return post
    }
  }

  @Sendable func unfavourite(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in
      try tx.unfavourite(post, by: viewer, in: context)
      return post
    }
  }

  /// Answers the boost, as Mastodon does.
  @Sendable func boost(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in try tx.boost(post, by: viewer, in: context) }
  }

  @Sendable func unboost(_ call: Call) async throws -> Response {
    try await act(call) { tx, post, viewer, context in
      if let boost = try tx.boost(of: post.id, by: viewer.id) { try tx.unboost(boost, by: viewer, in: context) }
      return post
    }
  }

  func act(
    _ call: Call,
    _ change: @escaping @Sendable (any WriteTransaction, Post, Account, OperationContext) throws -> Post
  ) async throws -> Response {
    let viewer = try call.member()
    let id: Post.ID = try call.id()
    let context = context
    return try await database.write { [self] tx in
      let post = try tx.shownPost(id, to: viewer.id)
      return try draw(try change(tx, post, viewer, context), for: call, tx)
    }.response
  }

  /// Answers what was deleted, with the text as typed, so that it can be written anew.
  @Sendable func deleteStatus(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: Post.ID = try call.id()
    let context = context
    return try await database.write { [self] tx in
      guard let post = try tx.post(id), post.authorID == author.id else { throw Problem.notFound }
      var drawn = try draw(post, for: call, tx)
      drawn["text"] = .string(post.text)
      try tx.delete(post, by: author, in: context)
      return drawn
    }.response
  }

  @Sendable func statusSource(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: Post.ID = try call.id()
    return try await database.read { tx in
      guard let post = try tx.post(id), post.authorID == author.id, post.boostOfID == nil else {
        throw Problem.notFound
      }
      return [
        "id": .string(post.id.description), "text": .string(post.text), "spoiler_text": .string(post.spoiler),
      ] as JSON
    }.response
  }

  /// Every version, oldest first, the current one last: never empty, because a 404 here stalls the official app.
  @Sendable func statusHistory(_ call: Call) async throws -> Response {
    let id: Post.ID = try call.id()
    return try await database.read { [self] tx in
      let post = try tx.shownPost(id, to: call.viewer)
      let page = try page(of: [post], for: call, tx)
      guard let author = page.assembly.accounts[post.authorID] else { throw Problem.notFound }
      let account = entities.account(author, counts: page.assembly.accountCounts[author.id])
      let media = page.attachments(of: post, by: author)
      let poll =
        page.assembly.polls[post.id].map { poll -> JSON in
          ["options": .array(poll.options.map { ["title": .string($0.title)] })]
        } ?? .null
      func version(_ content: String, _ spoiler: String, _ isSensitive: Bool, _ time: Timestamp) -> JSON {
        [
          "content": .string(content), "spoiler_text": .string(spoiler), "sensitive": .bool(isSensitive),
          "created_at": .string(time.iso8601), "account": account, "media_attachments": .array(media),
          "emojis": [], "poll": poll,
        ]
      }
      let earlier = try tx.versions(of: post.id).map { version($0.content, $0.spoiler, $0.isSensitive, $0.createdAt) }
      return JSON.array(
        earlier + [version(post.content, post.spoiler, post.isSensitive, post.editedAt ?? post.createdAt)])
    }.response
  }
}
