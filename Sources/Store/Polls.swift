import Model
import Persistence
import Primitives

extension ReadTransaction {
  package func poll(of post: Post.ID) throws -> Poll? { try polls(of: [post])[post] }

  package func polls(of ids: some Collection<Post.ID>) throws -> [Post.ID: Poll] {
    guard !ids.isEmpty else { return [:] }
    let rows = try rows(
      """
      SELECT polls.post_id, polls.is_multiple, polls.hides_totals, polls.ends_at, polls.settled_at, polls.voters,
        polls.read_at, poll_options.title, poll_options.votes
      FROM polls JOIN poll_options ON poll_options.post_id = polls.post_id
      WHERE polls.post_id IN \(in: Set(ids).sorted()) ORDER BY polls.post_id, poll_options.position
      """)
    return try rows.reduce(into: [:]) { found, row in
      let id: Post.ID = try row.id("post_id")
      var poll = try found[id] ?? Poll(row: row)
      poll.options.append(Poll.Option(title: try row.string("title"), votes: try row.int("votes")))
      found[id] = poll
    }
  }

  /// What `account` has chosen, in ascending order.
  package func choices(by account: Account.ID?, in ids: some Collection<Post.ID>) throws -> [Post.ID: [Int]] {
    guard let account, !ids.isEmpty else { return [:] }
    let rows = try rows(
      """
      SELECT post_id, choice FROM poll_votes WHERE account_id = \(account) AND post_id IN \(in: Set(ids).sorted())
      ORDER BY post_id, choice
      """)
    return try rows.reduce(into: [:]) { found, row in
      found[try row.id("post_id"), default: []].append(try row.int("choice"))
    }
  }

  package func vote(_ id: PollVote.ID) throws -> PollVote? {
    try first("SELECT id, post_id, account_id, choice, created_at FROM poll_votes WHERE id = \(id)").map { row in
      PollVote(
        id: try row.id("id"), postID: try row.id("post_id"), accountID: try row.id("account_id"),
        choice: try row.int("choice"), createdAt: try row.timestamp("created_at"))
    }
  }

  /// Those who took part, of here or of elsewhere.
  package func voters(in post: Post.ID, areLocal: Bool, limit: Int) throws -> [Account.ID] {
    try rows(
      """
      SELECT DISTINCT poll_votes.account_id FROM poll_votes JOIN accounts ON accounts.id = poll_votes.account_id
      WHERE poll_votes.post_id = \(post) AND (accounts.host = '') = \(areLocal)
      ORDER BY poll_votes.account_id LIMIT \(limit)
      """
    ).map { try $0.id("account_id") }
  }
}

extension Poll {
  /// Without its options, which are rows of their own.
  fileprivate init(row: Row) throws {
    self.init(
      postID: try row.id("post_id"), options: [], isMultiple: try row.bool("is_multiple"),
      hidesTotals: try row.bool("hides_totals"), endsAt: try row.optionalTimestamp("ends_at"),
      settledAt: try row.optionalTimestamp("settled_at"), voters: try row.optionalInt("voters"),
      readAt: try row.timestamp("read_at"))
  }
}

extension WriteTransaction {
  /// Writes the poll of a post, or what has changed about it. Votes stay; ends them with `deleteVotes` first.
  package func put(_ poll: Poll) throws {
    try execute(
      """
      INSERT INTO polls (post_id, is_multiple, hides_totals, ends_at, settled_at, voters, read_at)
      VALUES (\(poll.postID), \(poll.isMultiple), \(poll.hidesTotals), \(poll.endsAt), \(poll.settledAt),
        \(poll.voters), \(poll.readAt))
      ON CONFLICT (post_id) DO UPDATE SET is_multiple = excluded.is_multiple, hides_totals = excluded.hides_totals,
        ends_at = excluded.ends_at, settled_at = excluded.settled_at, voters = excluded.voters,
        read_at = excluded.read_at
      """)
    try execute("DELETE FROM poll_options WHERE post_id = \(poll.postID)")
    for (position, option) in poll.options.enumerated() {
      try execute(
        """
        INSERT INTO poll_options (post_id, position, title, votes)
        VALUES (\(poll.postID), \(position), \(option.title), \(option.votes))
        """)
    }
  }

  package func deletePoll(of post: Post.ID) throws { try execute("DELETE FROM polls WHERE post_id = \(post)") }

  package func deleteVotes(in post: Post.ID) throws { try execute("DELETE FROM poll_votes WHERE post_id = \(post)") }

  /// Stores and counts one answer. False when this account gave it before.
  package func insert(_ vote: PollVote) throws -> Bool {
    let inserted = try execute(
      """
      INSERT INTO poll_votes (id, post_id, account_id, choice, created_at)
      VALUES (\(vote.id), \(vote.postID), \(vote.accountID), \(vote.choice), \(vote.createdAt))
      ON CONFLICT (post_id, account_id, choice) DO NOTHING
      """)
    guard inserted == 1 else { return false }
    try execute(
      "UPDATE poll_options SET votes = votes + 1 WHERE post_id = \(vote.postID) AND position = \(vote.choice)")
    return true
  }

  /// Somebody took part who had not before.
  package func countVoter(in post: Post.ID) throws {
    try execute("UPDATE polls SET voters = voters + 1 WHERE post_id = \(post)")
  }

  package func setSettled(_ post: Post.ID, at time: Timestamp) throws {
    try execute("UPDATE polls SET settled_at = \(time) WHERE post_id = \(post)")
  }

  /// Before another server is asked, so that a page that is read often asks it once.
  package func setRead(_ post: Post.ID, at time: Timestamp) throws {
    try execute("UPDATE polls SET read_at = \(time) WHERE post_id = \(post)")
  }
}
