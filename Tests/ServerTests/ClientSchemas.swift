import Primitives

/// What four clients need of each entity to decode it at all: Tusky (Kotlin types without `?`), IceCubes (Swift members
/// that are not optional), Elk and Phanpy (what their code reads without asking). One line an entity:
///
/// `name:type` must be there and not null, `name:type?` must be there and may be null, `name!:type` may be absent.
/// Types: `s` text, `t` time, `d` date, `n` number, `b` boolean, `o` object, `ns` a number written as text, a name is an
/// entity, `[x]` a list.
enum ClientSchemas {
  static let entities: [String: String] = [
    "Account": """
    id:s username:s acct:s display_name:s locked:b bot:b group:b created_at:t note:s url:s uri:s avatar:s
    avatar_static:s header:s header_static:s followers_count:n following_count:n statuses_count:n
    last_status_at:d? emojis:[Emoji] fields:[Field] discoverable:b? roles:[o]
    """,
    "Field": "name:s value:s verified_at:t?",
    "Emoji": "shortcode:s url:s static_url:s visible_in_picker:b",
    "CredentialAccount": """
    id:s username:s acct:s note:s url:s avatar:s header:s source:Source role:Role
    """,
    "Source": "privacy:s sensitive:b language:s? note:s fields:[Field] follow_requests_count:n",
    "Role": "id:s name:s color:s permissions:s highlighted:b",
    "Status": """
    id:s uri:s url:s? created_at:t edited_at:t? account:Account content:s visibility:s sensitive:b spoiler_text:s
    media_attachments:[MediaAttachment] application:o? mentions:[Mention] tags:[TagInStatus] emojis:[Emoji]
    reblogs_count:n favourites_count:n replies_count:n in_reply_to_id:s? in_reply_to_account_id:s? reblog:Status?
    poll:Poll? card:o? language:s?
    """,
    "OwnStatus": "favourited:b reblogged:b muted:b bookmarked:b filtered:[FilterResult]",
    "Mention": "id:s username:s url:s acct:s",
    "TagInStatus": "name:s url:s",
    "MediaAttachment": "id:s type:s url:s? preview_url:s? remote_url:s? meta:o? description:s? blurhash:s?",
    "Relationship": """
    id:s following:b showing_reblogs:b notifying:b followed_by:b blocking:b blocked_by:b muting:b
    muting_notifications:b requested:b requested_by:b domain_blocking:b endorsed:b note:s languages:[s]?
    """,
    "Notification": "id:s type:s created_at:t account:Account status:Status? group_key:s",
    "NotificationGroups": "accounts:[Account] statuses:[Status] notification_groups:[NotificationGroup]",
    "NotificationGroup": """
    group_key:s notifications_count:n type:s most_recent_notification_id:n page_min_id:s? page_max_id:s?
    latest_page_notification_at:t? sample_account_ids:[s] status_id:s?
    """,
    "NotificationPolicy": """
    for_not_following:s for_not_followers:s for_new_accounts:s for_private_mentions:s for_limited_accounts:s
    summary:PolicySummary
    """,
    "PolicySummary": "pending_requests_count:n pending_notifications_count:n",
    "NotificationRequest": "id:s created_at:t updated_at:t notifications_count:ns account:Account last_status:Status?",
    "Filter": """
    id:s title:s context:[s] expires_at:t? filter_action:s keywords:[FilterKeyword] statuses:[FilterStatus]
    """,
    "FilterKeyword": "id:s keyword:s whole_word:b",
    "FilterStatus": "id:s status_id:s",
    "FilterResult": "filter:Filter keyword_matches:[s] status_matches:[s]",
    "OldFilter": "id:s phrase:s context:[s] whole_word:b expires_at:t? irreversible:b",
    "Poll": """
    id:s expires_at:t? expired:b multiple:b votes_count:n voters_count:n? options:[PollOption] emojis:[Emoji]
    voted!:b own_votes!:[n]
    """,
    "PollOption": "title:s votes_count:n?",
    "Tag": "name:s url:s history:[TagDay] following:b",
    "TagDay": "day:ns uses:ns accounts:ns",
    "Marker": "last_read_id:s version:n updated_at:t",
    "Conversation": "id:s unread:b accounts:[Account] last_status:Status?",
    "Search": "accounts:[Account] statuses:[Status] hashtags:[SearchTag]",
    "SearchTag": "name:s url:s history:[TagDay]",
    "Context": "ancestors:[Status] descendants:[Status]",
    "List": "id:s title:s replies_policy:s exclusive:b",
    "ScheduledStatus": "id:s scheduled_at:t params:ScheduledParams media_attachments:[MediaAttachment]",
    "ScheduledParams": "text:s media_ids:[s]? sensitive:b? spoiler_text:s? visibility:s",
    "StatusSource": "id:s text:s spoiler_text:s",
    "StatusEdit": """
    content:s spoiler_text:s sensitive:b created_at:t account:Account media_attachments:[MediaAttachment]
    emojis:[Emoji]
    """,
    "Application": "name:s website:s? scopes:[s] redirect_uri:s redirect_uris:[s] vapid_key:s",
    "NewApplication": "id:s name:s redirect_uri:s client_id:s client_secret:s client_secret_expires_at:n",
    "Suggestion": "source:s sources:[s] account:Account",
    "FamiliarFollowers": "id:s accounts:[Account]",
    "InstanceV1": """
    uri:s title:s short_description:s description:s email:s version:s urls:o stats:InstanceStats thumbnail:s?
    languages:[s] registrations:b approval_required:b invites_enabled:b configuration:o contact_account:Account?
    rules:[Rule]
    """,
    "InstanceStats": "user_count:n status_count:n domain_count:n",
    "Rule": "id:s text:s hint:s",
    "InstanceV2": """
    domain:s title:s version:s source_url:s description:s usage:o thumbnail:Thumbnail languages:[s]
    configuration:Configuration registrations:Registrations contact:Contact rules:[Rule] icon:[o] api_versions:o
    """,
    "Thumbnail": "url:s",
    "Configuration": """
    urls:ConfigurationURLs vapid:Vapid accounts:ConfigurationAccounts statuses:ConfigurationStatuses
    media_attachments:ConfigurationMedia polls:ConfigurationPolls translation:o
    """,
    "ConfigurationURLs": "streaming:s",
    "Vapid": "public_key:s",
    "ConfigurationAccounts": "max_featured_tags:n",
    "ConfigurationStatuses": "max_characters:n max_media_attachments:n characters_reserved_per_url:n",
    "ConfigurationMedia": "supported_mime_types:[s] image_size_limit:n image_matrix_limit:n description_limit:n",
    "ConfigurationPolls": "max_options:n max_characters_per_option:n min_expiration:n max_expiration:n",
    "Registrations": "enabled:b approval_required:b message:s?",
    "Contact": "email:s account:Account?",
  ]

  /// What is wrong with `json` as an `entity`; empty when a client can read it.
  static func complaints(_ json: JSON, as entity: String, at place: String = "") -> [String] {
    guard let schema = entities[entity] else { return ["\(place): no schema of \(entity)"] }
    guard json.object != nil else { return ["\(place): \(entity) is no object"] }
    return schema.split(whereSeparator: \.isWhitespace).flatMap { part -> [String] in
      guard let colon = part.lastIndex(of: ":") else { return ["\(entity): \(part)"] }
      var name = String(part[..<colon])
      var type = String(part[part.index(after: colon)...])
      let mayLack = name.hasSuffix("!")
      if mayLack { name.removeLast() }
      let mayBeNull = type.hasSuffix("?")
      if mayBeNull { type.removeLast() }
      let here = "\(place)/\(name)"
      guard let value = json[name] else { return mayLack ? [] : ["\(here) is missing"] }
      if value.isNull { return mayBeNull ? [] : ["\(here) is null"] }
      return complaints(value, type: type, at: here)
    }
  }

  private static func complaints(_ value: JSON, type: String, at here: String) -> [String] {
    if type.hasPrefix("[") {
      guard let elements = value.array else { return ["\(here) is no list"] }
      let inner = String(type.dropFirst().dropLast())
      return elements.enumerated().flatMap { complaints($0.element, type: inner, at: "\(here)[\($0.offset)]") }
    }
    let isRight: Bool
    switch type {
    case "s": isRight = value.string != nil
    case "t": isRight = value.string.map { $0.hasSuffix("Z") && Timestamp(iso8601: $0) != nil } ?? false
    case "d":
      isRight = value.string.map { $0.utf8.count == 10 && Timestamp(iso8601: $0 + "T00:00:00Z") != nil } ?? false
    case "n": isRight = value.integer != nil || value.double != nil
    case "ns": isRight = value.string.flatMap { Int64($0) } != nil
    case "b": isRight = value.bool != nil
    case "o": isRight = value.object != nil
    default: return complaints(value, as: type, at: here)
    }
    return isRight ? [] : ["\(here) is \(value.text.prefix(60)), not \(type)"]
  }
}
