import Model
import Policy
import Primitives
import Store

/// Draws the entities of the client API. Pure: everything shown was read before.
///
/// Decoders of real clients are strict: a missing boolean or a null where text is expected breaks a whole page, so
/// every member is always written, and null only where every client allows it.
struct Entities: Sendable {
  let instance: Instance

  /// A picture of ours that stands where there is none: `avatar`, `header` and `url` must never be null (Tusky #1559).
  func standIn(_ picture: StandIn) -> JSON { .string(instance.page(picture.path).text) }

  func asset(_ name: String) -> JSON { .string(instance.page("/assets/\(name).png").text) }

  func account(_ account: Account, counts: AccountCounts?) -> JSON {
    // A picture of another server is shown from our copy: nobody's app has to ask there, and what we say about machines
    // goes with it.
    let avatar = account.avatar.map { .string(instance.media($0.fileName).text) } ?? standIn(.avatar)
    let header = account.header.map { .string(instance.media($0.fileName).text) } ?? standIn(.header)
    return [
      "id": .string(account.id.description),
      "username": .string(account.username),
      "acct": .string(account.acct),
      "display_name": .string(account.displayName),
      "locked": .bool(account.isLocked),
      "bot": .bool(account.kind == .service || account.kind == .application),
      "group": .bool(account.kind == .group),
      "discoverable": .bool(account.isDiscoverable),
      "indexable": .bool(account.isIndexable),
      "noindex": .bool(!account.isIndexable),
      "hide_collections": false,
      "created_at": .string(account.createdAt.iso8601),
      "note": .string(account.note),
      "url": .string(account.url.text),
      "uri": .string(account.uri.text),
      "avatar": avatar,
      "avatar_static": avatar,
      "header": header,
      "header_static": header,
      "followers_count": .count(counts?.followers),
      "following_count": .count(counts?.following),
      "statuses_count": .count(counts?.posts),
      // A date without a time, or null.
      "last_status_at": .text(counts?.lastPostAt.map { String($0.iso8601.prefix(10)) }),
      "emojis": [],
      "roles": [],
      "fields": .array(account.fields.map(field)),
      "memorial": .bool(account.details.isMemorial),
      "usage_policy": effectivePolicy(of: account, on: instance).wire,
    ]
  }

  /// The account behind the token: what a client needs to start.
  func credentials(
    _ account: Account, role ownRole: Role, counts: AccountCounts?, requests: Int, defaults: PostingDefaults
  ) -> JSON {
    var entity = self.account(account, counts: counts)
    entity["source"] = [
      "privacy": .string(defaults.visibility.rawValue), "sensitive": .bool(defaults.isSensitive),
      "language": .text(defaults.language), "note": .string(account.noteSource),
      "fields": .array(account.details.fieldSources.map(field)),
      "attribution_domains": .array(account.details.attributionDomains.map { .string($0) }),
      "follow_requests_count": .count(requests), "hide_collections": false,
      "discoverable": .bool(account.isDiscoverable), "indexable": .bool(account.isIndexable),
    ]
    let role: (id: JSON, name: JSON) =
      switch ownRole {
      case .artist: ("-99", "")
      case .moderator: ("2", "Moderator")
      case .admin: ("3", "Admin")
      }
    entity["role"] = [
      "id": role.id, "name": role.name, "color": "", "permissions": "0",
      "highlighted": .bool(ownRole != .artist),
    ]
    return entity
  }

  func field(_ field: ProfileField) -> JSON {
    ["name": .string(field.name), "value": .string(field.value), "verified_at": .null]
  }

  func relationship(_ relationship: Relationship) -> JSON {
    [
      "id": .string(relationship.accountID.description),
      "following": .bool(relationship.following),
      "showing_reblogs": .bool(relationship.following),
      "notifying": false,
      "languages": .null,
      "followed_by": .bool(relationship.followedBy),
      "blocking": .bool(relationship.blocking),
      "blocked_by": .bool(relationship.blockedBy),
      "muting": .bool(relationship.aside.mute != nil),
      "muting_notifications": .bool(relationship.aside.mute?.hidesNotices ?? false),
      "muting_expires_at": .text(relationship.aside.mute?.endsAt?.iso8601),
      "requested": .bool(relationship.requested),
      "requested_by": .bool(relationship.requestedBy),
      "domain_blocking": false,
      "endorsed": .bool(relationship.endorsed),
      "note": .string(relationship.aside.note),
    ]
  }

  func mention(_ account: Account) -> JSON {
    [
      "id": .string(account.id.description), "username": .string(account.username),
      "url": .string(account.url.text), "acct": .string(account.acct),
    ]
  }

  func tag(_ name: String) -> JSON {
    let page = IRI(instance.tagPages.text + percentEncodedTag(name)) ?? instance.tagPages
    return ["name": .string(name), "url": .string(page.text)]
  }

  /// A tag on a page of its own. The counts are texts; apps draw a line through seven days.
  func tag(
    _ name: String, isFollowed: Bool?, history: [(day: Timestamp, uses: Int, accounts: Int)] = []
  ) -> JSON {
    var entity = tag(name)
    entity["history"] = .array(
      history.map { day in
        [
          "day": .string(String(day.day.secondsSince1970)), "uses": .string(String(day.uses)),
          "accounts": .string(String(day.accounts)),
        ]
      })
    if let isFollowed {
      entity["following"] = .bool(isFollowed)
      entity["featuring"] = false
    }
    return entity
  }

  func notification(
    _ notification: Notification, from account: Account, counts: AccountCounts?, status: JSON?
  ) -> JSON {
    [
      "id": .string(notification.id.description),
      "type": .string(notification.kind.rawValue),
      "group_key": .string(notification.groupKey),
      "created_at": .string(notification.createdAt.iso8601),
      "account": self.account(account, counts: counts),
      "status": status ?? .null,
    ]
  }
}

extension JSON {
  static func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
  static func count(_ value: Int?) -> JSON { .integer(Int64(max(0, value ?? 0))) }
  static func number(_ value: Int) -> JSON { .integer(Int64(value)) }
}
