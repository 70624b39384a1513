import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ReadTransaction {
  /// An account others may see. Those that are suspended and the server's own actor are not there for clients.
  func shownAccount(_ id: Account.ID) throws -> Account {
    guard let account = try account(id), account.suspendedAt == nil,
      !(account.isLocal && account.kind == .application)
    else { throw Problem.notFound }
    return account
  }
}

extension ClientAPI {
  @Sendable func verifyCredentials(_ call: Call) async throws -> Response {
    guard let bearer = call.bearer else { throw Problem.unauthenticated }
    return try await database.read { [self] tx in try credentials(of: bearer, tx) }.response
  }

  func credentials(of bearer: Bearer, _ tx: any ReadTransaction) throws -> JSON {
    let id = bearer.account.id
    guard let account = try tx.account(id) else { throw Problem.unauthenticated }
    return entities.credentials(
      account, role: bearer.role, counts: try tx.counts(of: [id])[id],
      requests: try tx.followRequests(to: id, Page(limit: Limits.accountPage)).count,
      defaults: try tx.postingDefaults(of: id))
  }

  @Sendable func showAccount(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await database.read { [self] tx in
      entities.account(try tx.shownAccount(id), counts: try tx.counts(of: [id])[id])
    }.response
  }

  /// Only what is known here: a lookup never leaves this server.
  @Sendable func lookupAccount(_ call: Call) async throws -> Response {
    guard let text = call.parameters["acct"], let name = AccountName(text, on: instance) else { throw Problem.notFound }
    return try await database.read { [self] tx in
      guard let found = try tx.account(username: name.username, host: name.host) else { throw Problem.notFound }
      let account = try tx.shownAccount(found.id)
      return entities.account(account, counts: try tx.counts(of: [account.id])[account.id])
    }.response
  }

  @Sendable func accountStatuses(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    if call.parameters.flag("pinned") == true { return try await pinnedStatuses(of: id, call) }
    let page: Page<Post> = try call.page()
    let filter = AccountFilter(
      onlyMedia: call.parameters.flag("only_media") ?? false,
      excludeReplies: call.parameters.flag("exclude_replies") ?? false,
      excludeBoosts: call.parameters.flag("exclude_reblogs") ?? false)
    return try await timeline(call, page) { tx in
      _ = try tx.shownAccount(id)
      return try tx.posts(by: id, visibleTo: call.viewer, filter, page)
    }
  }

  @Sendable func followers(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await people(call) { tx, page in
      _ = try tx.shownAccount(id)
      return try tx.followers(of: id, page)
    }
  }

  @Sendable func following(_ call: Call) async throws -> Response {
    let id: Account.ID = try call.id()
    return try await people(call) { tx, page in
      _ = try tx.shownAccount(id)
      return try tx.following(by: id, page)
    }
  }

  @Sendable func followRequests(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await people(call) { tx, page in try tx.followRequests(to: owner, page) }
  }

  private func people(
    _ call: Call,
    _ find: @escaping @Sendable (any ReadTransaction, Page<Follow>) throws -> [(follow: Follow, account: Account)]
  ) async throws -> Response {
    let page: Page<Follow> = try call.page(40, most: Limits.accountPage)
    let (elements, ids) = try await database.read { [self] tx in
      let found = try find(tx, page)
      return (try drawn(found.map(\.account), tx), found.map(\.follow.id))
    }
    return listed(elements, call, ids: ids, limit: page.limit)
  }

  func drawn(_ accounts: [Account], _ tx: any ReadTransaction) throws -> [JSON] {
    let shown = accounts.filter { $0.suspendedAt == nil }
    let counts = try tx.counts(of: shown.map(\.id))
    return shown.map { entities.account($0, counts: counts[$0.id]) }
  }

  @Sendable func relationships(_ call: Call) async throws -> Response {
    let viewer = try call.member().id
    let ids: [Account.ID] = try Array(call.parameters.ids("id").prefix(Limits.relationships))
    return try await database.read { [self] tx in
      let known = try tx.accounts(ids)
      let found = try tx.relationships(of: viewer, to: ids.filter { known[$0] != nil })
      return JSON.array(found.map(entities.relationship))
    }.response
  }
}

/// `mika`, `@mika`, `mika@paper.test`: how clients write accounts.
struct AccountName: Hashable, Sendable {
  let username: String
  /// Nil on this server.
  let host: Host?

  init?(_ text: String, on instance: Instance) {
    let bare = text.hasPrefix("@") ? String(text.dropFirst()) : text
    if let handle = Handle(bare) {
      username = handle.username
      host = handle.host == instance.host ? nil : handle.host
    } else if Handle.isUsername(bare) {
      username = bare
      host = nil
    } else {
      return nil
    }
  }
}
