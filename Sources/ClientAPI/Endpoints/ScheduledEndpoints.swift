import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var scheduledRoutes: [Route] {
    [
      Route(.get, "/api/v1/scheduled_statuses", .scope("read:statuses"), scheduledStatuses),
      Route(.get, "/api/v1/scheduled_statuses/:id", .scope("read:statuses"), showScheduled),
      Route(.put, "/api/v1/scheduled_statuses/:id", .scope("write:statuses"), changeScheduled),
      Route(.delete, "/api/v1/scheduled_statuses/:id", .scope("write:statuses"), cancelScheduled),
    ]
  }

  /// `POST /api/v1/statuses` with `scheduled_at`.
  func schedule(
    _ draft: PostDraft, answering parent: Post.ID?, quoting quoted: Post.ID?, at due: Timestamp, by author: Account
  ) async throws -> Response {
    var content = ScheduledPost.Content(text: draft.text)
    content.spoiler = draft.spoiler
    content.isSensitive = draft.isSensitive
    content.language = draft.language
    content.visibility = draft.visibility
    content.pictures = draft.attachments
    content.usagePolicy = draft.usagePolicy
    content.seriesID = draft.seriesID
    content.idempotencyKey = draft.idempotencyKey
    content.interaction = draft.interaction
    content.poll = draft.poll.map {
      .init(
        options: $0.options, isMultiple: $0.isMultiple, hidesTotals: $0.hidesTotals,
        seconds: $0.lasts.components.seconds)
    }
    let written = content
    let context = context
    return try await database.write { [self] tx in
      var content = written
      content.inReplyTo = try parent.map { try tx.shownPost($0, to: author.id).id }
      content.quoting = try quoted.map { try tx.shownPost($0, to: author.id).id }
      let scheduled = try tx.schedule(content, at: due, by: author, in: context)
      return try draw([scheduled], by: author, tx).first ?? .null
    }.response
  }

  @Sendable func scheduledStatuses(_ call: Call) async throws -> Response {
    let author = try call.member()
    let page: Page<ScheduledPost> = try call.page()
    let (drawn, ids) = try await database.read { [self] tx in
      let found = try tx.scheduledPosts(by: author.id, page)
      return (try draw(found, by: author, tx), found.map(\.id))
    }
    return listed(drawn, call, ids: ids, limit: page.limit)
  }

  @Sendable func showScheduled(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: ScheduledPost.ID = try call.id()
    return try await database.read { [self] tx in
      try draw([try tx.ownScheduled(id, of: author.id)], by: author, tx).first ?? .null
    }.response
  }

  @Sendable func changeScheduled(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: ScheduledPost.ID = try call.id()
    guard let due = call.parameters["scheduled_at"].flatMap({ Timestamp(iso8601: $0) }) else {
      throw Problem.parameter("scheduled_at")
    }
    let context = context
    return try await database.write { [self] tx in
      let changed = try tx.reschedule(try tx.ownScheduled(id, of: author.id), to: due, in: context)
      return try draw([changed], by: author, tx).first ?? .null
    }.response
  }

  @Sendable func cancelScheduled(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: ScheduledPost.ID = try call.id()
    try await database.write { try $0.cancel($0.ownScheduled(id, of: author.id)) }
    return .json([:])
  }

  private func draw(_ scheduled: [ScheduledPost], by author: Account, _ tx: any ReadTransaction) throws -> [JSON] {
    let ids = scheduled.flatMap(\.content.pictures)
    let pictures = Dictionary(
      try tx.attachments(ids).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let renditions = try tx.renditions(of: ids)
    let decisions = try tx.decisions(on: ids)
    return scheduled.map { scheduled in
      let media = scheduled.content.pictures.compactMap { pictures[$0] }.map { picture in
        entities.attachment(
          picture, renditions: renditions[picture.id, default: []], decision: decisions[picture.id],
          policy: effectivePolicy(of: author, attachment: picture, on: instance), revealing: false, isOwn: true)
      }
      return entities.scheduled(scheduled, media: media)
    }
  }
}

extension ReadTransaction {
  fileprivate func ownScheduled(_ id: ScheduledPost.ID, of author: Account.ID) throws -> ScheduledPost {
    guard let scheduled = try scheduledPost(id), scheduled.authorID == author else { throw Problem.notFound }
    return scheduled
  }
}

extension Entities {
  /// `failure` is ours: why it was not published when its time came.
  func scheduled(_ scheduled: ScheduledPost, media: [JSON]) -> JSON {
    let content = scheduled.content
    let poll =
      content.poll.map { poll -> JSON in
        [
          "options": .array(poll.options.map { .string($0) }), "expires_in": .integer(poll.seconds),
          "multiple": .bool(poll.isMultiple), "hide_totals": .bool(poll.hidesTotals),
        ]
      } ?? .null
    return [
      "id": .string(scheduled.id.description),
      "scheduled_at": .string(scheduled.dueAt.iso8601),
      "params": [
        "text": .string(content.text), "spoiler_text": .string(content.spoiler),
        "sensitive": .bool(content.isSensitive), "visibility": .string(content.visibility.rawValue),
        "language": .text(content.language), "in_reply_to_id": .text(content.inReplyTo?.description),
        "media_ids": .array(content.pictures.map { .string($0.description) }), "poll": poll,
        "idempotency": .text(content.idempotencyKey), "scheduled_at": .null, "application_id": 0,
        "with_rate_limit": false,
      ],
      "media_attachments": .array(media),
      "failure": .text(scheduled.failure),
    ]
  }
}
