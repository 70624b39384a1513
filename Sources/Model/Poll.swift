import Primitives

/// A question with its answers, asked by a post. Clients know it by the id of that post.
package struct Poll: Hashable, Sendable {
  package struct Option: Hashable, Sendable {
    /// Plain text.
    package var title: String
    package var votes: Int
    package init(title: String, votes: Int = 0) {
      self.title = title
      self.votes = votes
    }
  }

  package var postID: Post.ID
  package var options: [Option]
  package var isMultiple: Bool
  /// Its author shows no counts before the end.
  package var hidesTotals: Bool
  /// Nil for a poll of another server that never ends.
  package var endsAt: Timestamp?
  /// When those who took part were told of the end.
  package var settledAt: Timestamp?
  /// How many people took part; nil when the server it lives on does not say.
  package var voters: Int?
  /// When the counts were made here, or read from where they are.
  package var readAt: Timestamp

  package init(
    postID: Post.ID, options: [Option], isMultiple: Bool = false, hidesTotals: Bool = false, endsAt: Timestamp? = nil,
    settledAt: Timestamp? = nil, voters: Int? = nil, readAt: Timestamp
  ) {
    self.postID = postID
    self.options = options
    self.isMultiple = isMultiple
    self.hidesTotals = hidesTotals
    self.endsAt = endsAt
    self.settledAt = settledAt
    self.voters = voters
    self.readAt = readAt
  }

  package func hasEnded(at now: Timestamp) -> Bool { endsAt.map { $0 <= now } ?? false }
  package func showsTotals(at now: Timestamp) -> Bool { !hidesTotals || hasEnded(at: now) }
  /// Every count is capped where it is read, so that the sum of the most options fits.
  package var votes: Int { options.reduce(0) { $0 + $1.votes } }
  package func asksTheSame(as other: Poll) -> Bool {
    isMultiple == other.isMultiple && options.map(\.title) == other.options.map(\.title)
  }
}

/// One answer of one account. A choice is the position of its option.
package struct PollVote: Hashable, Sendable {
  package typealias ID = Primitives.ID<PollVote>
  package var id: ID
  package var postID: Post.ID
  package var accountID: Account.ID
  package var choice: Int
  package var createdAt: Timestamp
  package init(id: ID, postID: Post.ID, accountID: Account.ID, choice: Int, createdAt: Timestamp) {
    self.id = id
    self.postID = postID
    self.accountID = accountID
    self.choice = choice
    self.createdAt = createdAt
  }
}
