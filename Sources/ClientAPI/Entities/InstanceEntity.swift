import Model
import Operations
import Primitives
import Store

extension Entities {
  /// What clients parse as a Mastodon version before they read on.
  func version(_ facts: InstanceFacts) -> String { "4.3.0 (compatible; Atelier \(facts.version))" }

  private var streaming: String {
    (instance.isTrial ? "ws://" : "wss://") + instance.host.text
  }

  private var statuses: JSON {
    [
      "max_characters": .number(Limits.postCharacters), "max_media_attachments": .number(Limits.attachmentsPerPost),
      "characters_reserved_per_url": 23,
    ]
  }

  private var media: JSON {
    [
      "supported_mime_types": ["image/jpeg", "image/png", "image/webp", "image/gif"],
      "description_limit": .number(Limits.altTextCharacters), "image_size_limit": .number(Limits.upload),
      "image_matrix_limit": .number(Limits.imagePixels), "video_size_limit": 0, "video_frame_rate_limit": 0,
      "video_matrix_limit": 0,
    ]
  }

  /// IceCubes needs all four numbers.
  private var polls: JSON {
    [
      "max_options": .number(Limits.pollOptions), "max_characters_per_option": .number(Limits.pollOptionCharacters),
      "min_expiration": .integer(Limits.shortestPoll.components.seconds),
      "max_expiration": .integer(Limits.longestPoll.components.seconds),
    ]
  }

  private func registrations(_ rules: SignUpRules) -> JSON {
    [
      "enabled": .bool(rules.isOpen), "approval_required": .bool(rules.mode == .approval),
      "reason_required": .bool(rules.isOpen && rules.needsReason), "message": .text(rules.message), "min_age": .null,
      "url": rules.isOpen ? .string(instance.page("/sign-up").text) : .null,
    ]
  }

  func instanceV2(_ facts: InstanceFacts, users: Int, contact: JSON, rules: [String]) -> JSON {
    [
      "domain": .string(instance.host.text),
      "title": .string(facts.title),
      "version": .string(version(facts)),
      "source_url": .string(facts.sourceURL),
      "description": .string(facts.about),
      "usage": ["users": ["active_month": .count(users)]],
      "thumbnail": ["url": standIn(.header), "blurhash": .null, "versions": [:]],
      "icon": [],
      "languages": ["en"],
      "configuration": [
        "urls": [
          "streaming": .string(streaming), "status": .null, "about": .null, "privacy_policy": .null,
          "terms_of_service": .null,
        ],
        "vapid": ["public_key": .string(facts.pushKey)],
        "accounts": [
          "max_featured_tags": .number(Limits.featuredTags), "max_pinned_statuses": .number(Limits.pinnedPosts),
          "max_profile_fields": .number(Limits.profileFields), "max_note_length": .number(Limits.noteCharacters),
          "max_display_name_length": .number(Limits.displayNameCharacters),
          "profile_field_name_limit": .number(Limits.fieldCharacters),
          "profile_field_value_limit": .number(Limits.fieldCharacters),
        ],
        "statuses": statuses,
        "media_attachments": media,
        "polls": polls,
        "translation": ["enabled": false],
        "timelines_access": [
          "live_feeds": ["local": "public", "remote": "authenticated"],
          "hashtag_feeds": ["local": "public", "remote": "public"],
        ],
        "limited_federation": false,
      ],
      "registrations": registrations(facts.signUps),
      "api_versions": ["mastodon": 4],
      "contact": ["email": .string(facts.contactEmail), "account": contact],
      "rules": .array(self.rules(rules)),
    ]
  }

  func instanceV1(
    _ facts: InstanceFacts, counts: (users: Int, localPosts: Int, peers: Int), contact: JSON,
    rules: [String]
  ) -> JSON {
    [
      "uri": .string(instance.host.text),
      "title": .string(facts.title),
      "short_description": .string(facts.about),
      "description": .string(facts.about),
      "email": .string(facts.contactEmail),
      "version": .string(version(facts)),
      "urls": ["streaming_api": .string(streaming)],
      "stats": [
        "user_count": .count(counts.users), "status_count": .count(counts.localPosts),
        "domain_count": .count(counts.peers),
      ],
      "thumbnail": standIn(.header),
      "languages": ["en"],
      "registrations": .bool(facts.signUps.isOpen),
      "approval_required": .bool(facts.signUps.mode == .approval),
      "invites_enabled": .bool(facts.signUps.mode == .invite),
      "configuration": [
        "accounts": ["max_featured_tags": .number(Limits.featuredTags)], "statuses": statuses,
        "media_attachments": media, "polls": polls,
      ],
      "contact_account": contact,
      "rules": .array(self.rules(rules)),
    ]
  }
}
