import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  /// An answer as Mastodon writes it: a Note that has the option's name, and no words. To the author only.
  func voted(_ id: PollVote.ID) async throws -> ComposedActivity? {
    let found = try await environment.database.read { tx -> (Account, Post, Account, String)? in
      guard let vote = try tx.vote(id), let voter = try tx.account(vote.accountID), voter.isLocal,
        let post = try tx.post(vote.postID), let author = try tx.account(post.authorID),
        let poll = try tx.poll(of: post.id), poll.options.indices.contains(vote.choice)
      else { return nil }
      return (voter, post, author, poll.options[vote.choice].title)
    }
    guard let (voter, post, author, answer) = found else { return nil }
    let uri = instance.vote(id, by: voter.username)
    let note: JSON = [
      "id": .string(uri.text), "type": "Note", "name": .string(answer), "attributedTo": .string(voter.uri.text),
      "inReplyTo": .string(post.uri.text), "to": .string(author.uri.text),
    ]
    let activity = instance.activity(of: uri)
    let header = Header(id: activity, actor: voter.uri, addressing: Addressing(to: [author.uri]))
    let create = Activity.create(Create(header: header, object: .embedded(.other(id: uri, type: "Note", note))))
    // A vote is between two: unsigned, so that it is evidence for nobody else.
    return try await simple(create, id: activity, by: voter, about: uri, to: [author], isSigned: false)
  }

  /// New counts are no edit: the Update has a name of its own, and its object no new date.
  func counted(_ id: Post.ID) async throws -> ComposedActivity? {
    guard let facts = try await facts(of: id), facts.poll != nil else { return nil }
    let voters = try await environment.database.read { tx in
      try tx.accounts(tx.voters(in: id, areLocal: false, limit: Limits.toldOfCounts))
    }
    return try await updated(facts, at: environment.time.now(), and: Array(voters.values))
  }
}

extension Limits {
  /// Those elsewhere who voted are told of counts whether they follow or not.
  package static let toldOfCounts = 500
}
