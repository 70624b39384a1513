import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var pollRoutes: [Route] {
    [
      Route(.get, "/api/v1/polls/:id", .optional("read:statuses"), showPoll),
      Route(.post, "/api/v1/polls/:id/votes", .scope("write:statuses"), vote),
    ]
  }

  /// Answers what is known here, and asks the server the poll lives on for the next time.
  @Sendable func showPoll(_ call: Call) async throws -> Response {
    let id: Post.ID = try call.id()
    let context = context
    let (drawn, isStale) = try await database.read { [self] tx in
      let post = try tx.shownPost(id, to: call.viewer)
      guard let poll = try tx.poll(of: post.id) else { throw Problem.notFound }
      let isStale = !post.isLocal && poll.isStale(at: context.now)
      return (try draw(poll, of: post, for: call, tx), isStale)
    }
    // For members only: a stranger makes this server ask nobody.
    if isStale, call.bearer != nil {
      try await database.write { tx in
        if let post = try tx.post(id) { try tx.refreshPoll(of: post, in: context) }
      }
    }
    return .json(drawn)
  }

  @Sendable func vote(_ call: Call) async throws -> Response {
    let viewer = try call.member()
    let id: Post.ID = try call.id()
    let choices = try call.parameters.all("choices").prefix(Limits.pollOptions * 8).map { text in
      guard text.utf8.count <= 4, let choice = Int(text) else { throw Problem.parameter("choices") }
      return choice
    }
    let context = context
    return try await database.write { [self] tx in
      let post = try tx.shownPost(id, to: viewer.id)
      try tx.vote(choices, in: post, by: viewer, in: context)
      guard let poll = try tx.poll(of: post.id) else { throw Problem.notFound }
      return try draw(poll, of: post, for: call, tx)
    }.response
  }

  private func draw(_ poll: Poll, of post: Post, for call: Call, _ tx: any ReadTransaction) throws -> JSON {
    let choices = try tx.choices(by: call.viewer, in: [post.id])[post.id, default: []]
    return entities.poll(poll, of: post, viewer: call.viewer, choices: choices, at: context.now)
  }

  /// `poll[options][]`, `poll[expires_in]`, `poll[multiple]`, `poll[hide_totals]`, from a form or from JSON.
  func poll(_ parameters: RequestParameters) throws -> PollDraft? {
    let options = parameters.all("poll[options]")
    guard !options.isEmpty else {
      guard parameters["poll[expires_in]"] == nil, parameters["poll"] == nil else {
        throw Problem.parameter("poll[options]")
      }
      return nil
    }
    guard let seconds = try parameters.integer("poll[expires_in]") else { throw Problem.parameter("poll[expires_in]") }
    return PollDraft(
      options: Array(options.prefix(Limits.pollOptions + 1)), isMultiple: parameters.flag("poll[multiple]") ?? false,
      hidesTotals: parameters.flag("poll[hide_totals]") ?? false,
      lasts: .seconds(min(max(0, seconds), Int(Int32.max))))
  }
}

extension Entities {
  func poll(_ poll: Poll, of post: Post, viewer: Account.ID?, choices: [Int], at now: Timestamp) -> JSON {
    let showsTotals = poll.showsTotals(at: now)
    var entity: JSON = [
      "id": .string(post.id.description),
      "expires_at": .text(poll.endsAt?.iso8601),
      "expired": .bool(poll.hasEnded(at: now)),
      "multiple": .bool(poll.isMultiple),
      "votes_count": .count(poll.votes),
      "voters_count": poll.voters.map { .count($0) } ?? .null,
      "options": .array(
        poll.options.map { option in
          ["title": .string(option.title), "votes_count": showsTotals ? .count(option.votes) : .null]
        }),
      "emojis": [],
    ]
    if let viewer {
      // Their own poll is one they can not answer: clients then show the counts instead of a form.
      entity["voted"] = .bool(!choices.isEmpty || post.authorID == viewer)
      entity["own_votes"] = .array(choices.map { .number($0) })
    }
    return entity
  }
}
