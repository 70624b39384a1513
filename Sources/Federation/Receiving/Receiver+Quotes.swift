import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

extension Receiver {
  /// Somebody asks to quote a work of ours. The quoting post must be theirs: a consent names both ends, and one that
  /// was asked for in another's name would be theirs to show (GHSA-8h43).
  func quoteRequest(
    _ request: QuoteRequest, _ received: ReceivedActivity, _ budget: FetchBudget
  ) async throws -> Effect {
    guard let quoted = try await environment.database.read({ try $0.post(uri: request.object) }), quoted.isLocal else {
      return { _, _ in .done("object.unknown") }
    }
    guard request.instrument.iri.hasSameOrigin(as: request.actor) else { return { _, _ in .rejected("owner") } }
    let asker = try await actor(request.actor, budget)
    var prepared: PreparedNote?
    switch request.instrument {
    case .embedded(.note(let note)):
      let json = received.document.node.node("instrument")?.json ?? note.json
      let read: ReadNote
      do {
        read = try ReadNote(note, json: json, ownedBy: request.actor, local: environment.instance.base)
      } catch { throw ReceiveFailure.permanent(error.code) }
      guard note.quote == request.object else { throw ReceiveFailure.permanent("quote.other") }
      // Delivered without a proof of its own: what it says to machines is asked for at its origin when it matters.
      prepared = PreparedNote(read: read, author: asker, standing: .delivered)
    case .embedded: throw ReceiveFailure.permanent("object.unsupported")
    case .link(let address):
      let fetched = try await posts.prepare(address, budget: budget)
      guard fetched.author.id == asker.id else { throw ReceiveFailure.permanent("owner") }
      guard fetched.read.note.quote == request.object else { throw ReceiveFailure.permanent("quote.other") }
      prepared = fetched
    }
    let ids = environment.ids
    let ready = prepared
    return { tx, context in
      guard let current = try tx.post(quoted.id) else { return .done("object.unknown") }
      guard try tx.post(current.id, visibleTo: asker.id) != nil else { return .rejected("visibility") }
      let quoting = request.instrument.iri
      if let known = try tx.post(uri: quoting), known.authorID != asker.id { return .rejected("owner") }
      // First, so that the artist is shown what quotes the work, or would.
      if let ready, try tx.post(uri: quoting) == nil, try tx.consent(to: .quote, with: current, of: asker) != .refused {
        var id: Post.ID = ids.at(ready.read.published(at: context.now))
        for _ in 0..<4 where try tx.post(id) != nil { id = ids.at(ready.read.published(at: context.now)) }
        _ = try tx.store(ready, id: id, uninvited: true, in: context)
      }
      let state = try tx.receiveQuoteRequest(of: current, by: asker, in: quoting, request: request.id, in: context)
      return .done(state == .rejected ? "quote.refused" : nil)
    }
  }

  /// The answer to a request of ours; nil when it is an answer to something else. A stamp is read where it lies, and
  /// has to name the answering author, our post and theirs.
  func quoteAnswer(
    _ actor: IRI, to request: IRI, stamp: IRI?, isAccepted: Bool, _ budget: FetchBudget
  ) async throws -> Effect? {
    let instance = environment.instance
    guard request.hasSameOrigin(as: instance.base), request.path.contains("/quote_requests/"),
      let id = request.path.split(separator: "/").last.flatMap({ Post.ID(String($0)) })
    else { return nil }
    let found = try await environment.database.read { tx -> (Post, Post, Account)? in
      guard let post = try tx.post(id), post.isLocal, let author = try tx.account(post.authorID),
        instance.quoteRequest(id, by: author.username) == request, let quote = try tx.quote(of: id),
        let quoted = try quote.quotedID.flatMap({ try tx.post($0) }), let owner = try tx.account(quoted.authorID)
      else { return nil }
      return (post, quoted, owner)
    }
    guard let (post, quoted, owner) = found else { return { _, _ in .rejected("quote.not_asked") } }
    guard owner.uri == actor, !owner.isLocal else { return { _, _ in .rejected("owner") } }
    guard isAccepted else {
      return { tx, context in
        try tx.settleQuote(of: post, quoting: quoted, state: .rejected, stamp: nil, in: context)
        return .done(nil)
      }
    }
    guard let stamp else { return { _, _ in .rejected("quote.stamp") } }
    guard try await posts.isStamp(stamp, of: owner, for: post, quoting: quoted, budget: budget) else {
      return { _, _ in .rejected("quote.stamp") }
    }
    return { tx, context in
      try tx.settleQuote(of: post, quoting: quoted, state: .accepted, stamp: stamp, in: context)
      return .done(nil)
    }
  }
}
