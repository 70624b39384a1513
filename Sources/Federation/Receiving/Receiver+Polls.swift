import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// Counts for a poll of ours, whomever it is addressed to; never shown as a reply.
  func vote(_ read: ReadNote, by actor: IRI, _ budget: FetchBudget) async throws -> Effect {
    guard let uri = read.note.inReplyTo, let answer = read.note.name else { return { _, _ in .rejected("poll.vote") } }
    let isOurs = try await environment.database.read { tx in
      guard let post = try tx.post(uri: uri), post.isLocal else { return false }
      return try tx.poll(of: post.id) != nil
    }
    guard isOurs else { return { _, _ in .done("object.unknown") } }
    let voter = try await self.actor(actor, budget)
    return { tx, context in
      guard let post = try tx.post(uri: uri) else { return .done("object.unknown") }
      // As with a like: whoever can not see a poll has no voice in it.
      guard try tx.post(post.id, visibleTo: voter.id) != nil, post.state == .published else {
        return .rejected("visibility")
      }
      return switch try tx.receiveVote(for: answer, in: post, by: voter, in: context) {
      case .counted: .done(nil)
      case .duplicate: .done("duplicate")
      case .ended: .rejected("poll.ended")
      case .noSuchAnswer: .rejected("poll.no_such_answer")
      }
    }
  }
}

extension PostResolver {
  /// `Job.settlePoll`. The last word on a poll elsewhere is its own server's; one that does not answer leaves the
  /// counts as they were, and those who took part are told of the end all the same.
  package func run(settling id: Post.ID, lease: JobLease) async throws {
    let database = environment.database
    let post = try await database.read { try $0.post(id) }
    var prepared: PreparedNote?
    if let post, !post.isLocal, !environment.instance.isTrial {
      do {
        prepared = try await prepare(post.uri, budget: FetchBudget())
      } catch {
        environment.log.debug("a poll could not be read", metadata: ["reason": "\(error)"])
      }
    }
    let read = prepared
    let context = environment.context
    try await database.write { tx in
      if let read, let known = try tx.post(id) { _ = try tx.edit(known, to: read, in: context) }
      // Its row goes first: a vote that arrives from here on is told of by a job of its own.
      try tx.finish(lease)
      try tx.settlePoll(id, in: context)
    }
  }
}
