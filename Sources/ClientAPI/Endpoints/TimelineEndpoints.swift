import HTTPSupport
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  /// A page of posts. The number of statements does not depend on how many.
  func timeline(
    _ call: Call, _ page: Page<Post>, _ find: @escaping @Sendable (any ReadTransaction) throws -> [Post]
  ) async throws -> Response {
    let (drawn, ids) = try await database.read { [self] tx in
      let posts = try find(tx)
      return (try self.page(of: posts, for: call, tx).statuses(posts), posts.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  func page(of posts: [Post], for call: Call, _ tx: any ReadTransaction) throws -> StatusPage {
    try page(of: posts, viewer: call.viewer, isModerator: call.isModerator, tx)
  }

  func page(
    of posts: [Post], viewer: Account.ID?, isModerator: Bool, _ tx: any ReadTransaction
  ) throws -> StatusPage {
    StatusPage(
      entities: entities, assembly: try tx.assemble(posts, for: viewer), isModerator: isModerator, now: time.now())
  }

  @Sendable func homeTimeline(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) { try $0.home(of: owner, page) }
  }

  /// Strangers see what was posted here; what was fetched from elsewhere was not meant for them to browse.
  @Sendable func publicTimeline(_ call: Call) async throws -> Response {
    let localOnly = call.parameters.flag("local") ?? false
    guard localOnly || call.bearer != nil else { throw Problem.unauthenticated }
    let onlyMedia = call.parameters.flag("only_media") ?? false
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) {
      try $0.publicPosts(localOnly: localOnly, onlyMedia: onlyMedia, visibleTo: call.viewer, page)
    }
  }

  @Sendable func tagTimeline(_ call: Call) async throws -> Response {
    guard let written = call.context.parameters.get("tag"),
      let name = percentDecoded(written, plusIsSpace: false), name.utf8.count <= Limits.searchQuery
    else { throw Problem.notFound }
    let tag = normalizedHashtag(name)
    let page: Page<Post> = try call.page()
    return try await timeline(call, page) { try $0.posts(tagged: tag, visibleTo: call.viewer, page) }
  }

  @Sendable func notifications(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    // Ivory asks for 100: held to the most, not refused.
    let page: Page<Notification> = try call.page(40, most: Limits.accountPage)
    let kinds = notificationKinds(call.parameters)
    guard !kinds.isEmpty else { return .json([]) }
    let sender: Account.ID? = try call.parameters.id("account_id")
    let showsFiltered = call.parameters.flag("include_filtered") ?? false
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try tx.notifications(of: owner, kinds: kinds, from: sender, showsFiltered: showsFiltered, page)
      return (try draw(found, for: call, tx), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  @Sendable func showNotification(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: Notification.ID = try call.id()
    guard id.rawValue < Int64.max, id.rawValue > 0 else { throw Problem.notFound }
    let only = Page<Notification>(
      before: ID(rawValue: id.rawValue + 1), after: ID(rawValue: id.rawValue - 1), limit: 1)
    return try await database.read { [self] tx in
      let found = try tx.notifications(of: owner, kinds: Notification.Kind.allCases, showsFiltered: true, only)
      guard let drawn = try draw(found, for: call, tx).first else { throw Problem.notFound }
      return drawn
    }.response
  }

  /// Our own kinds are told only to clients that ask for them by name: an unknown type ends strict decoders.
  func notificationKinds(_ parameters: RequestParameters) -> [Notification.Kind] {
    let wanted = parameters.all("types")
    let unwanted = Set(parameters.all("exclude_types"))
    return Notification.Kind.allCases.filter { kind in
      let isAsked = wanted.isEmpty ? !kind.isOurs : wanted.contains(kind.rawValue)
      return isAsked && !unwanted.contains(kind.rawValue)
    }
  }

  func draw(_ found: [Notification], for call: Call, _ tx: any ReadTransaction) throws -> [JSON] {
    try draw(found, viewer: call.viewer, isModerator: call.isModerator, tx)
  }

  func draw(
    _ found: [Notification], viewer: Account.ID?, isModerator: Bool, _ tx: any ReadTransaction
  ) throws -> [JSON] {
    let posts = try tx.posts(found.compactMap(\.postID), visibleTo: viewer)
    let page = try page(of: Array(posts.values), viewer: viewer, isModerator: isModerator, tx)
    let accounts = try tx.accounts(found.map(\.fromID))
    let counts = try tx.counts(of: accounts.keys)
    return found.compactMap { notification in
      guard let account = accounts[notification.fromID] else { return nil }
      var status: JSON?
      if let id = notification.postID {
        guard let drawn = posts[id].flatMap(page.status) else { return nil }
        status = drawn
      }
      return entities.notification(notification, from: account, counts: counts[account.id], status: status)
    }
  }
}
