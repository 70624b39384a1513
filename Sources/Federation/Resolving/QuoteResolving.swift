import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

extension PostResolver {
  /// `Job.resolveQuote`: fetches the quoted post from its origin, and the consent from its author's.
  package func run(resolvingQuoteOf id: Post.ID, lease: JobLease) async throws {
    let found = try await environment.database.read { tx -> (Quote, Post)? in
      guard let quote = try tx.quote(of: id), quote.state == .pending, let post = try tx.post(id) else { return nil }
      return (quote, post)
    }
    guard let (quote, post) = found, !environment.instance.isTrial else {
      return try await environment.database.write { try $0.finish(lease) }
    }
    let context = environment.context
    var failure: ResolveFailure?
    var quoted: Post?
    var state = Quote.State.pending
    do {
      let budget = FetchBudget()
      let target = try await self.post(quote.quotedURI, budget: budget, climbs: true)
      quoted = target
      if let author = try await account(target.authorID), let stamp = quote.stampURI {
        state = try await isStamp(stamp, of: author, for: post, quoting: target, budget: budget) ? .accepted : .pending
      }
      if target.authorID == post.authorID { state = .accepted }
    } catch {
      failure = error
      if case .fetch(let reason) = error, reason.isGone { state = .deleted }
    }
    let plan = failure.map { RetryPlan.next(after: lease.attempt, isTransient: $0.isTransient) } ?? .give
    let code = failure?.code ?? ""
    let (target, outcome) = (quoted, state)
    try await environment.database.write { tx in
      try tx.settleQuote(of: post, quoting: target, state: outcome, stamp: quote.stampURI, in: context)
      switch plan {
      case .give: try tx.finish(lease)
      case .retry(let delay): try tx.retry(lease, at: context.now.adding(delay), error: code)
      }
    }
  }

  private func account(_ id: Account.ID) async throws(ResolveFailure) -> Account? {
    do { return try await environment.database.read { try $0.account(id) } } catch { throw ResolveFailure(error) }
  }

  /// Whether a document at `stamp`, on the quoted author's own server, consents to this post quoting that work: both
  /// ends, since one consent shown beside another post would speak for what its author never saw (GHSA-q4g8).
  func isStamp(
    _ stamp: IRI, of author: Account, for post: Post, quoting quoted: Post, budget: FetchBudget
  ) async throws(ResolveFailure) -> Bool {
    guard stamp.hasSameOrigin(as: author.uri) else { return false }
    let node: Node
    do {
      node = try await fetch.document(stamp, budget: budget).document.node
    } catch {
      if error.isTransient { throw .fetch(error) }
      return false
    }
    return node.isA("QuoteAuthorization") && node.iri("id") == stamp && node.iri("attributedTo") == author.uri
      && node.iri("interactingObject") == post.uri && node.iri("interactionTarget") == quoted.uri
  }
}
