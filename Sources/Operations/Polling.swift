import Model
import Persistence
import Primitives
import Store

/// A poll as its author composed it.
package struct PollDraft: Hashable, Sendable {
  package var options: [String]
  package var isMultiple: Bool
  package var hidesTotals: Bool
  package var lasts: Duration
  package init(options: [String], isMultiple: Bool = false, hidesTotals: Bool = false, lasts: Duration) {
    self.options = options.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    self.isMultiple = isMultiple
    self.hidesTotals = hidesTotals
    self.lasts = lasts
  }

  func check() throws {
    guard (2...Limits.pollOptions).contains(options.count), Set(options).count == options.count else {
      throw OperationFailure(
        .invalid, "poll.options", "A poll has 2 to \(Limits.pollOptions) different answers to choose from.")
    }
    guard options.allSatisfy({ (1...Limits.pollOptionCharacters).contains($0.unicodeScalars.count) }) else {
      throw OperationFailure(
        .invalid, "poll.option_length",
        "An answer of a poll has 1 to \(Limits.pollOptionCharacters) characters.")
    }
    guard lasts >= Limits.shortestPoll, lasts <= Limits.longestPoll else {
      throw OperationFailure(.invalid, "poll.duration", "A poll lasts from five minutes to a month.")
    }
  }

  func poll(in post: Post.ID, at now: Timestamp) -> Poll {
    Poll(
      postID: post, options: options.map { Poll.Option(title: $0) }, isMultiple: isMultiple, hidesTotals: hidesTotals,
      endsAt: now.adding(lasts), voters: 0, readAt: now)
  }
}

/// What became of a vote that another server sent.
package enum VoteOutcome: Hashable, Sendable {
  case counted
  case duplicate
  case ended
  case noSuchAnswer
}

extension WriteTransaction {
  func open(_ draft: PollDraft, in post: Post.ID, in context: OperationContext) throws {
    let poll = draft.poll(in: post, at: context.now)
    try put(poll)
    try awaitEnd(of: poll, in: context)
  }

  /// Other answers make another poll: what was chosen before was chosen among others, and is void.
  func change(_ draft: PollDraft, in post: Post.ID, in context: OperationContext) throws {
    var poll = draft.poll(in: post, at: context.now)
    if let known = try self.poll(of: post), poll.asksTheSame(as: known) {
      poll.options = known.options
      poll.voters = known.voters
    } else {
      try deleteVotes(in: post)
    }
    try put(poll)
    try awaitEnd(of: poll, in: context)
  }

  private func awaitEnd(of poll: Poll, in context: OperationContext) throws {
    guard let end = poll.endsAt else { return }
    try enqueue(
      .settlePoll(poll.postID), id: context.ids.next(), at: max(end, context.now),
      dedup: "poll \(poll.postID) ends \(end.milliseconds)")
  }

  /// The answer of somebody here. `choices` are positions of options.
  package func vote(_ choices: [Int], in post: Post, by account: Account, in context: OperationContext) throws {
    guard try self.post(post.id, visibleTo: account.id) != nil, let poll = try poll(of: post.id) else {
      throw OperationFailure.notFound
    }
    guard post.authorID != account.id else {
      throw OperationFailure(.invalid, "poll.own", "Validation failed: You cannot vote in your own polls")
    }
    guard !poll.hasEnded(at: context.now) else {
      throw OperationFailure(.invalid, "poll.ended", "Validation failed: The poll has already ended")
    }
    guard !choices.isEmpty, Set(choices).count == choices.count, poll.isMultiple || choices.count == 1,
      choices.allSatisfy(poll.options.indices.contains)
    else {
      throw OperationFailure(
        .invalid, "poll.invalid_choice", "Validation failed: The chosen vote option does not exist")
    }
    guard try self.choices(by: account.id, in: [post.id]).isEmpty else {
      throw OperationFailure(
        .invalid, "poll.voted_already", "Validation failed: You have already voted on this poll")
    }
    for choice in choices.sorted() {
      let vote = PollVote(
        id: context.ids.next(), postID: post.id, accountID: account.id, choice: choice, createdAt: context.now)
      _ = try insert(vote)
      if !post.isLocal { try federate(.voted(vote.id), by: account.id, in: context) }
    }
    try countVoter(in: post.id)
    try touch(post, by: account)
    if post.isLocal { try tellCounts(of: post, in: context) } else { try awaitEnd(of: poll, in: context) }
    afterCommit(.posts)
  }

  /// One answer of somebody elsewhere to a poll of ours, named by its text.
  package func receiveVote(
    for answer: String, in post: Post, by account: Account, in context: OperationContext
  ) throws -> VoteOutcome {
    guard post.isLocal, post.authorID != account.id, let poll = try poll(of: post.id),
      let choice = poll.options.firstIndex(where: { $0.title == answer })
    else { return .noSuchAnswer }
    guard !poll.hasEnded(at: context.now) else { return .ended }
    let earlier = try choices(by: account.id, in: [post.id])[post.id, default: []]
    guard earlier.isEmpty || (poll.isMultiple && !earlier.contains(choice)) else { return .duplicate }
    let vote = PollVote(
      id: context.ids.next(), postID: post.id, accountID: account.id, choice: choice, createdAt: context.now)
    guard try insert(vote) else { return .duplicate }
    if earlier.isEmpty { try countVoter(in: post.id) }
    try tellCounts(of: post, in: context)
    afterCommit(.posts)
    return .counted
  }

  /// However many votes come in a while, the followers are told once.
  private func tellCounts(of post: Post, in context: OperationContext) throws {
    guard !context.instance.isTrial else { return }
    try enqueue(
      .settlePoll(post.id), id: context.ids.next(), at: context.now.adding(Limits.pollCounting),
      dedup: "poll \(post.id) counts")
  }

  /// What the server of a poll says of it now. Nil when its post asks nothing any more.
  func receivePoll(_ received: Poll?, in post: Post.ID, in context: OperationContext) throws {
    let known = try poll(of: post)
    guard var poll = received else {
      if known != nil { try deletePoll(of: post) }
      return
    }
    poll.postID = post
    if let known, poll.asksTheSame(as: known) {
      poll.settledAt = known.settledAt
    } else if known != nil {
      try deleteVotes(in: post)
    }
    try put(poll)
    if let known, known.endsAt != poll.endsAt, try !voters(in: post, areLocal: true, limit: 1).isEmpty {
      try awaitEnd(of: poll, in: context)
    }
    afterCommit(.posts)
  }

  /// Reads the counts of a poll elsewhere again, at most once in a while.
  package func refreshPoll(of post: Post, in context: OperationContext) throws {
    guard !post.isLocal, !context.instance.isTrial, let poll = try poll(of: post.id), poll.isStale(at: context.now)
    else { return }
    try setRead(post.id, at: context.now)
    try enqueue(.settlePoll(post.id), id: context.ids.next(), at: context.now, dedup: "poll \(post.id) counts")
  }

  /// `Job.settlePoll`, after the counts of a poll elsewhere were read: tells those who took part of its end, and the
  /// other servers of what was counted here.
  package func settlePoll(_ id: Post.ID, in context: OperationContext) throws {
    guard let post = try post(id), let poll = try poll(of: id) else { return }
    if poll.settledAt == nil, poll.hasEnded(at: context.now) {
      try setSettled(id, at: context.now)
      let voters = try voters(in: id, areLocal: true, limit: Limits.toldOfPollEnd)
      for person in Set(voters + [post.authorID]).sorted() {
        try notify(person, of: .poll, from: post.authorID, post: id, in: context)
      }
    }
    if post.isLocal, post.state == .published { try federate(.pollCounted(id), by: post.authorID, in: context) }
    try tell(.edited, id)
    afterCommit(.posts)
  }
}

extension Poll {
  /// One that has ended is read once more, for its last counts.
  package func isStale(at now: Timestamp) -> Bool {
    if let endsAt, endsAt <= readAt { return false }
    return readAt.adding(Limits.pollRefresh) <= now
  }
}

extension Limits {
  package static let pollOptions = 4
  package static let pollOptionCharacters = 50
  package static let shortestPoll = Duration.seconds(300)
  /// A month, as Mastodon counts it.
  package static let longestPoll = Duration.seconds(2_629_746)
  /// How long votes are gathered before the followers' servers are told.
  package static let pollCounting = Duration.seconds(30)
  /// How often a poll of another server is read at most.
  package static let pollRefresh = Duration.seconds(60)
  package static let toldOfPollEnd = 10_000
}
