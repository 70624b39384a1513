import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Keeps a post for later. The same idempotency key within a day gives the same one.
  package func schedule(
    _ content: ScheduledPost.Content, at due: Timestamp, by author: Account, in context: OperationContext
  ) throws -> ScheduledPost {
    let day = context.now.adding(.zero - Limits.idempotencyKeys)
    if let key = content.idempotencyKey, let id = try idempotentPost(of: author.id, key: key, since: day),
      let known = try scheduledPost(ID(rawValue: id.rawValue)), known.authorID == author.id
    {
      return known
    }
    try checkTime(due, in: context)
    guard try scheduledCount(by: author.id) < Limits.scheduledPosts else {
      throw OperationFailure(
        .invalid, "schedule.too_many",
        "Validation failed: You have exceeded the limit of \(Limits.scheduledPosts) scheduled posts")
    }
    // What could not be published now will not be publishable then, and its author is here to mend it.
    let draft = try draft(of: content, in: context)
    try check(draft)
    _ = try pictures(content.pictures, of: author, in: nil)
    let scheduled = ScheduledPost(id: context.ids.next(), authorID: author.id, content: content, dueAt: due)
    try insert(scheduled)
    if let key = content.idempotencyKey {
      try insertIdempotencyKey(key, of: author.id, post: ID(rawValue: scheduled.id.rawValue), at: context.now)
    }
    try awaitTime(of: scheduled, in: context)
    return scheduled
  }

  package func reschedule(
    _ scheduled: ScheduledPost, to due: Timestamp, in context: OperationContext
  ) throws -> ScheduledPost {
    try checkTime(due, in: context)
    var changed = scheduled
    changed.dueAt = due
    changed.failure = nil
    try update(changed)
    // The job of the earlier time finds another one and does nothing.
    try awaitTime(of: changed, in: context)
    return changed
  }

  /// Its pictures become plain uploads again.
  package func cancel(_ scheduled: ScheduledPost) throws { try delete(scheduled) }

  /// `Job.publishScheduled`. What can not be published stays with the reason: a post is never lost.
  package func publish(scheduled id: ScheduledPost.ID, in context: OperationContext) throws {
    guard var scheduled = try scheduledPost(id), scheduled.failure == nil, scheduled.dueAt <= context.now,
      let author = try account(scheduled.authorID), author.suspendedAt == nil
    else { return }
    do {
      let draft = try draft(of: scheduled.content, in: context)
      try check(draft)
      // Asked before the row goes, which holds the pictures: what fails here has changed nothing.
      for picture in try attachments(scheduled.content.pictures) where picture.state != .ready && picture.state != .held
      {
        throw OperationFailure(.invalid, "media.refused", "A picture was refused by this instance's policy.")
      }
      if let series = draft.seriesID, try self.series(series)?.ownerID != author.id { throw OperationFailure.notFound }
      if let parent = draft.inReplyTo { try require(.reply, with: parent, by: author, "Answers are not wanted there.") }
      if let quoted = draft.quoting { try require(.quote, with: quoted, by: author, "It is not to be quoted.") }
      try delete(scheduled)
      _ = try publish(draft, by: author, in: context)
    } catch let failure as OperationFailure {
      guard try scheduledPost(id) != nil else { throw failure }
      scheduled.failure = failure.code
      try update(scheduled)
    }
  }

  private func checkTime(_ due: Timestamp, in context: OperationContext) throws {
    guard due >= context.now.adding(Limits.scheduleLead), due <= context.now.adding(Limits.scheduleHorizon) else {
      throw OperationFailure(
        .invalid, "schedule.time", "Validation failed: Scheduled at must be at least 5 minutes in the future")
    }
  }

  private func awaitTime(of scheduled: ScheduledPost, in context: OperationContext) throws {
    try enqueue(
      .publishScheduled(scheduled.id), id: context.ids.next(), at: scheduled.dueAt,
      dedup: "scheduled \(scheduled.id) \(scheduled.dueAt.milliseconds)")
  }

  private func draft(of content: ScheduledPost.Content, in context: OperationContext) throws -> PostDraft {
    var draft = try draft(of: content.text, on: context.instance)
    draft.spoiler = content.spoiler
    draft.isSensitive = content.isSensitive
    draft.language = content.language
    draft.visibility = content.visibility
    draft.attachments = content.pictures
    draft.usagePolicy = content.usagePolicy
    draft.seriesID = content.seriesID
    draft.inReplyTo = try content.inReplyTo.flatMap { try post($0) }
    draft.interaction = content.interaction
    if let quoted = content.quoting {
      draft.quoting = try post(quoted)
      guard draft.quoting != nil else {
        throw OperationFailure(.invalid, "quote.gone", "The work to be quoted is no longer there.")
      }
    }
    draft.poll = content.poll.map {
      PollDraft(
        options: $0.options, isMultiple: $0.isMultiple, hidesTotals: $0.hidesTotals, lasts: .seconds($0.seconds))
    }
    return draft
  }
}
