import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// Whom one hears from, and who waits to be heard.
extension ClientAPI {
  @Sendable func noticePolicy(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await database.read { [self] tx in
      entities.noticePolicy(try tx.noticePolicy(of: owner), waiting: try tx.filteredCounts(of: owner))
    }.response
  }

  @Sendable func changeNoticePolicy(_ call: Call) async throws -> Response {
    func rule(_ name: String) throws -> NoticePolicy.Rule? {
      guard let text = call.parameters[name] else { return nil }
      guard let rule = NoticePolicy.Rule(rawValue: text) else { throw Problem.parameter(name) }
      return rule
    }
    let following = try rule("for_not_following")
    let followers = try rule("for_not_followers")
    let new = try rule("for_new_accounts")
    let mentions = try rule("for_private_mentions")
    let limited = try rule("for_limited_accounts")
    return try await change(call) { policy in
      policy.notFollowing = following ?? policy.notFollowing
      policy.notFollowers = followers ?? policy.notFollowers
      policy.newAccounts = new ?? policy.newAccounts
      policy.privateMentions = mentions ?? policy.privateMentions
      policy.limitedAccounts = limited ?? policy.limitedAccounts
    } drawn: {
      entities.noticePolicy($0, waiting: $1)
    }
  }

  @Sendable func oldNoticePolicy(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await database.read { [self] tx in
      entities.oldNoticePolicy(try tx.noticePolicy(of: owner), waiting: try tx.filteredCounts(of: owner))
    }.response
  }

  /// Yes and no, where the second version has three answers.
  @Sendable func changeOldNoticePolicy(_ call: Call) async throws -> Response {
    func rule(_ name: String) -> NoticePolicy.Rule? { call.parameters.flag(name).map { $0 ? .filter : .accept } }
    let following = rule("filter_not_following")
    let followers = rule("filter_not_followers")
    let new = rule("filter_new_accounts")
    let mentions = rule("filter_private_mentions")
    return try await change(call) { policy in
      policy.notFollowing = following ?? policy.notFollowing
      policy.notFollowers = followers ?? policy.notFollowers
      policy.newAccounts = new ?? policy.newAccounts
      policy.privateMentions = mentions ?? policy.privateMentions
    } drawn: {
      entities.oldNoticePolicy($0, waiting: $1)
    }
  }

  private func change(
    _ call: Call, _ change: @escaping @Sendable (inout NoticePolicy) -> Void,
    drawn: @escaping @Sendable (NoticePolicy, (requests: Int, notices: Int)) -> JSON
  ) async throws -> Response {
    let owner = try call.member()
    return try await database.write { tx in
      var policy = try tx.noticePolicy(of: owner.id)
      change(&policy)
      try tx.change(policy, of: owner)
      return drawn(policy, try tx.filteredCounts(of: owner.id))
    }.response
  }

  @Sendable func noticeRequests(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let page: Page<Account> = try call.page(40, most: Limits.accountPage)
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try tx.noticeRequests(of: owner, page)
      return (try draw(found, for: call, tx), found.map(\.fromID))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  private func draw(_ found: [NoticeRequest], for call: Call, _ tx: any ReadTransaction) throws -> [JSON] {
    let people = try tx.accounts(found.map(\.fromID))
    let counts = try tx.counts(of: people.keys)
    let posts = try tx.posts(found.compactMap(\.lastPostID), visibleTo: call.viewer)
    let page = try page(of: Array(posts.values), for: call, tx)
    return found.compactMap { request in
      guard let account = people[request.fromID] else { return nil }
      let status = request.lastPostID.flatMap { posts[$0] }.flatMap(page.status)
      return entities.noticeRequest(
        request, from: entities.account(account, counts: counts[account.id]), status: status)
    }
  }

  private func waiting(_ id: Account.ID, for owner: Account.ID, _ tx: any ReadTransaction) throws -> NoticeRequest {
    guard id.rawValue > 0, id.rawValue < .max else { throw Problem.notFound }
    let only = Page<Account>(before: ID(rawValue: id.rawValue + 1), after: ID(rawValue: id.rawValue - 1), limit: 1)
    guard let request = try tx.noticeRequests(of: owner, only).first else { throw Problem.notFound }
    return request
  }

  @Sendable func showRequest(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: Account.ID = try call.id()
    return try await database.read { [self] tx in
      guard let drawn = try draw([try waiting(id, for: owner, tx)], for: call, tx).first else { throw Problem.notFound }
      return drawn
    }.response
  }

  @Sendable func acceptRequest(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Account.ID = try call.id()
    try await database.write { [self] tx in
      _ = try waiting(id, for: owner.id, tx)
      try tx.acceptNotices(from: [id], by: owner)
    }
    return .json([:])
  }

  @Sendable func dismissRequest(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Account.ID = try call.id()
    try await database.write { [self] tx in
      _ = try waiting(id, for: owner.id, tx)
      try tx.dismissNotices(from: [id], by: owner)
    }
    return .json([:])
  }

  @Sendable func acceptRequests(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let senders: [Account.ID] = try call.parameters.ids("id")
    try await database.write { try $0.acceptNotices(from: senders, by: owner) }
    return .json([:])
  }

  @Sendable func dismissRequests(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let senders: [Account.ID] = try call.parameters.ids("id")
    try await database.write { try $0.dismissNotices(from: senders, by: owner) }
    return .json([:])
  }
}

extension Entities {
  private func summary(_ waiting: (requests: Int, notices: Int)) -> JSON {
    ["pending_requests_count": .count(waiting.requests), "pending_notifications_count": .count(waiting.notices)]
  }

  func noticePolicy(_ policy: NoticePolicy, waiting: (requests: Int, notices: Int)) -> JSON {
    [
      "for_not_following": .string(policy.notFollowing.rawValue),
      "for_not_followers": .string(policy.notFollowers.rawValue),
      "for_new_accounts": .string(policy.newAccounts.rawValue),
      "for_private_mentions": .string(policy.privateMentions.rawValue),
      "for_limited_accounts": .string(policy.limitedAccounts.rawValue),
      "summary": summary(waiting),
    ]
  }

  func oldNoticePolicy(_ policy: NoticePolicy, waiting: (requests: Int, notices: Int)) -> JSON {
    [
      "filter_not_following": .bool(policy.notFollowing != .accept),
      "filter_not_followers": .bool(policy.notFollowers != .accept),
      "filter_new_accounts": .bool(policy.newAccounts != .accept),
      "filter_private_mentions": .bool(policy.privateMentions != .accept),
      "summary": summary(waiting),
    ]
  }

  func noticeRequest(_ request: NoticeRequest, from account: JSON, status: JSON?) -> JSON {
    [
      "id": .string(request.fromID.description), "created_at": .string(request.firstAt.iso8601),
      "updated_at": .string(request.lastAt.iso8601), "notifications_count": .string(String(request.count)),
      "account": account, "last_status": status ?? .null,
    ]
  }
}
