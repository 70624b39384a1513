import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// Notifications in groups (Mastodon 4.3): what happened to one post is one line with the faces of those who did it.
extension ClientAPI {
  var noticeRoutes: [Route] {
    [
      Route(.get, "/api/v2/notifications", .scope("read:notifications"), groupedNotifications),
      Route(.get, "/api/v2/notifications/unread_count", .scope("read:notifications"), unreadGroups),
      Route(.get, "/api/v2/notifications/policy", .scope("read:notifications"), noticePolicy),
      Route(.patch, "/api/v2/notifications/policy", .scope("write:notifications"), changeNoticePolicy),
      Route(.get, "/api/v2/notifications/:id", .scope("read:notifications"), showGroup),
      Route(.get, "/api/v2/notifications/:id/accounts", .scope("read:notifications"), groupAccounts),
      Route(.post, "/api/v2/notifications/:id/dismiss", .scope("write:notifications"), dismissGroup),
      Route(.get, "/api/v1/notifications/unread_count", .scope("read:notifications"), unreadNotifications),
      Route(.get, "/api/v1/notifications/policy", .scope("read:notifications"), oldNoticePolicy),
      Route(.put, "/api/v1/notifications/policy", .scope("write:notifications"), changeOldNoticePolicy),
      Route(.get, "/api/v1/notifications/requests", .scope("read:notifications"), noticeRequests),
      Route(.get, "/api/v1/notifications/requests/merged", .scope("read:notifications")) { _ in
        .json(["merged": true])
      },
      Route(.post, "/api/v1/notifications/requests/accept", .scope("write:notifications"), acceptRequests),
      Route(.post, "/api/v1/notifications/requests/dismiss", .scope("write:notifications"), dismissRequests),
      Route(.get, "/api/v1/notifications/requests/:id", .scope("read:notifications"), showRequest),
      Route(.post, "/api/v1/notifications/requests/:id/accept", .scope("write:notifications"), acceptRequest),
      Route(.post, "/api/v1/notifications/requests/:id/dismiss", .scope("write:notifications"), dismissRequest),
    ]
  }

  private func groupedKinds(_ parameters: RequestParameters) -> Set<Notification.Kind> {
    let all = Set(Notification.Kind.allCases.filter(\.isGrouped))
    guard parameters.contains("grouped_types") else { return all }
    return all.intersection(parameters.all("grouped_types").compactMap { Notification.Kind(rawValue: $0) })
  }

  @Sendable func groupedNotifications(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let limit = try call.limit(40, most: Limits.accountPage)
    // Several to a line; what does not fit is the next page's.
    var page: Page<Notification> = try call.page(40, most: Limits.accountPage)
    page.limit = min(limit * 5, Limits.noticesPerPage)
    let (kinds, grouped) = (notificationKinds(call.parameters), groupedKinds(call.parameters))
    guard !kinds.isEmpty else { return .json(entities.noGroups) }
    let showsFiltered = call.parameters.flag("include_filtered") ?? false
    let window = page
    let (drawn, ids, isFull) = try await database.read { [self] tx in
      let found = try tx.notifications(of: owner, kinds: kinds, showsFiltered: showsFiltered, window)
      let shown = NoticeLines(found, grouped: grouped, limit: limit)
      let drawn = try draw(shown.lines, for: call, tx)
      return (drawn, shown.used, shown.used.count < found.count || found.count == window.limit)
    }
    var response = listed([], call, ids: ids, limit: isFull ? ids.count : Int.max)
    let headers = response.headers
    response = .json(drawn)
    response.headers[.link] = headers[.link]
    return response
  }

  private func draw(
    _ lines: [NoticeLine], for call: Call, _ tx: any ReadTransaction
  ) throws -> JSON {
    let posts = try tx.posts(lines.compactMap(\.postID), visibleTo: call.viewer)
    let page = try page(of: Array(posts.values), for: call, tx)
    let groups = try tx.groups(of: try call.member().id, lines.filter(\.isGrouped).map(\.key))
    let people = try tx.accounts(lines.flatMap { $0.people.prefix(Limits.facesPerGroup) })
    let counts = try tx.counts(of: people.keys)
    // What a line is about may have gone out of sight since.
    let shown = lines.filter { line in line.postID.map { posts[$0] != nil } ?? true }
    let isShort = call.parameters["expand_accounts"] == "partial_avatars"
    let full = Set(
      isShort ? shown.compactMap(\.people.first) : shown.flatMap { $0.people.prefix(Limits.facesPerGroup) })
    let partial = Set(shown.flatMap { $0.people.prefix(Limits.facesPerGroup) }).subtracting(full)
    var answer: JSON = [
      "accounts": .array(full.sorted().compactMap { people[$0] }.map { entities.account($0, counts: counts[$0.id]) }),
      "statuses": .array(
        Set(shown.compactMap(\.postID)).sorted(by: >).compactMap { posts[$0] }.compactMap(page.status)),
      "notification_groups": .array(shown.map { entities.group($0, groups[$0.key], people: people) }),
    ]
    if isShort {
      answer["partial_accounts"] = .array(partial.sorted().compactMap { people[$0] }.map(entities.partialAccount))
    }
    return answer
  }

  private func group(_ call: Call) throws -> String {
    guard let key = call.context.parameters.get("id"), key.utf8.count <= Limits.groupKeyBytes else {
      throw Problem.notFound
    }
    return key
  }

  /// By its key; one that is shown alone has its own id in it.
  private func members(of key: String, _ owner: Account.ID, _ tx: any ReadTransaction) throws -> [Notification] {
    var found = try tx.notifications(of: owner, inGroup: key, limit: Limits.accountPage)
    if found.isEmpty, key.hasPrefix("ungrouped-"), let id = Notification.ID(String(key.dropFirst(10))),
      id.rawValue < .max, id.rawValue > 0
    {
      found = try tx.notifications(
        of: owner, kinds: Notification.Kind.allCases, showsFiltered: true,
        Page(before: ID(rawValue: id.rawValue + 1), after: ID(rawValue: id.rawValue - 1), limit: 1))
    }
    guard !found.isEmpty else { throw Problem.notFound }
    return found
  }

  @Sendable func showGroup(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let key = try group(call)
    return try await database.read { [self] tx in
      let found = try members(of: key, owner, tx)
      let grouped: Set<Notification.Kind> =
        key.hasPrefix("ungrouped-") ? [] : Set(Notification.Kind.allCases.filter(\.isGrouped))
      return try draw(NoticeLines(found, grouped: grouped, limit: 1).lines, for: call, tx)
    }.response
  }

  @Sendable func groupAccounts(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let key = try group(call)
    return try await database.read { [self] tx in
      let people = try members(of: key, owner, tx).map(\.fromID)
      let known = try tx.accounts(people)
      return JSON.array(try self.drawn(people.compactMap { known[$0] }, tx))
    }.response
  }

  @Sendable func dismissGroup(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let key = try group(call)
    try await database.write { [self] tx in
      for notice in try members(of: key, owner.id, tx) where key.hasPrefix("ungrouped-") {
        try tx.dismiss(notice.id, of: owner)
      }
      try tx.dismiss(noticeGroup: key, of: owner)
    }
    return .json([:])
  }

  @Sendable func unreadNotifications(_ call: Call) async throws -> Response {
    .json(["count": .count(try await unread(call).count)])
  }

  @Sendable func unreadGroups(_ call: Call) async throws -> Response {
    let grouped = groupedKinds(call.parameters)
    return .json(["count": .count(NoticeLines(try await unread(call), grouped: grouped, limit: .max).lines.count)])
  }

  private func unread(_ call: Call) async throws -> [Notification] {
    let owner = try call.member().id
    let limit = try call.limit(100, most: Limits.unreadCounted)
    let kinds = notificationKinds(call.parameters)
    guard !kinds.isEmpty else { return [] }
    let sender: Account.ID? = try call.parameters.id("account_id")
    return try await database.read { tx in
      let read = try tx.markers(of: owner, ["notifications"]).first?.lastReadID ?? 0
      return try tx.notifications(of: owner, kinds: kinds, from: sender, Page(after: ID(rawValue: read), limit: limit))
    }
  }
}

/// What is shown as one.
struct NoticeLine: Sendable {
  var key: String
  var isGrouped: Bool
  var kind: Notification.Kind
  var postID: Post.ID?
  /// Newest first, of this page.
  var members: [Notification]

  var people: [Account.ID] {
    var seen: Set<Account.ID> = []
    return members.map(\.fromID).filter { seen.insert($0).inserted }
  }
}

struct NoticeLines: Sendable {
  private(set) var lines: [NoticeLine] = []
  /// The notifications that the lines stand for.
  private(set) var used: [Notification.ID] = []

  /// `found` newest first; ends before the line that would be one too many.
  init(_ found: [Notification], grouped: Set<Notification.Kind>, limit: Int) {
    var places: [String: Int] = [:]
    for notice in found {
      let isGrouped = grouped.contains(notice.kind)
      let key = isGrouped ? notice.groupKey : "ungrouped-\(notice.id)"
      if let place = places[key] {
        lines[place].members.append(notice)
      } else {
        guard lines.count < limit else { return }
        places[key] = lines.count
        lines.append(
          NoticeLine(key: key, isGrouped: isGrouped, kind: notice.kind, postID: notice.postID, members: [notice]))
      }
      used.append(notice.id)
    }
  }
}

extension Entities {
  var noGroups: JSON { ["accounts": [], "statuses": [], "notification_groups": []] }

  /// `most_recent_notification_id` is a number here and nowhere else: IceCubes decodes it as one.
  func group(_ line: NoticeLine, _ whole: NoticeGroup?, people: [Account.ID: Account]) -> JSON {
    let newest = line.members.first
    let faces = line.people.prefix(Limits.facesPerGroup).filter { people[$0] != nil }
    return [
      "group_key": .string(line.key), "notifications_count": .number(max(whole?.count ?? 1, 1)),
      "type": .string(line.kind.rawValue),
      "most_recent_notification_id": .integer((whole?.newest ?? newest?.id)?.rawValue ?? 0),
      "page_min_id": .text(line.members.last?.id.description), "page_max_id": .text(newest?.id.description),
      "latest_page_notification_at": .text(newest?.createdAt.iso8601),
      "sample_account_ids": .array(faces.map { .string($0.description) }),
      "status_id": .text(line.postID?.description),
    ]
  }

  func partialAccount(_ account: Account) -> JSON {
    let whole = self.account(account, counts: nil)
    return JSON(
      pairs: ["id", "acct", "locked", "bot", "url", "avatar", "avatar_static"].map { ($0, whole[$0] ?? .null) })
  }
}

extension Limits {
  package static let noticesPerPage = 400
  package static let facesPerGroup = 8
  package static let groupKeyBytes = 128
  package static let unreadCounted = 1_000
}
