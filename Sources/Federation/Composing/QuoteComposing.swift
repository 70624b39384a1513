import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  /// Asks the author elsewhere, with the whole quoting post: they may want to see it before they say yes.
  func quoteRequested(_ id: Post.ID) async throws -> ComposedActivity? {
    guard let facts = try await facts(of: id), let quote = facts.quote, quote.state == .pending,
      let quoted = facts.quoted,
      !quoted.isLocal, let author = try await environment.database.read({ try $0.account(quoted.authorID) })
    else { return nil }
    let request = instance.quoteRequest(id, by: facts.author.username)
    let header = Header(id: request, actor: facts.author.uri, addressing: Addressing(to: [author.uri]))
    let activity = Activity.quoteRequest(
      QuoteRequest(header: header, object: quoted.uri, instrument: .link(facts.post.uri)))
    var document = activity.document ?? .null
    document["instrument"] = try await noteDocument(facts)
    if facts.isSigned { document = try await signed(document, by: facts.author.id, at: environment.time.now()) }
    var body = document.bytes
    if body.count > Limits.outgoingDocument { body = (activity.document ?? .null).bytes }
    return ComposedActivity(
      sender: facts.author, id: request, object: facts.post.uri, body: body, recipients: [author], isUnique: false)
  }

  /// The request goes inside whole, since peers match it by its parts when they have lost its id.
  func quoteAnswered(_ id: QuoteConsent.ID, _ lease: JobLease) async throws -> ComposedActivity? {
    let found = try await environment.database.read { tx -> (QuoteConsent, Post, Account, Account)? in
      guard let consent = try tx.consent(id), let quoted = try tx.post(consent.quotedID),
        let author = try tx.account(quoted.authorID), let asker = try tx.account(consent.askerID)
      else { return nil }
      return (consent, quoted, author, asker)
    }
    guard let (consent, quoted, author, asker) = found, let request = consent.requestURI,
      consent.state == .accepted || consent.state == .rejected
    else { return nil }
    let isAccepted = consent.state == .accepted
    let stamp = instance.quoteStamp(id, by: author.username)
    let address = (isAccepted ? stamp.appending("#accept") : stamp.appending("#reject")) ?? stamp
    let header = Header(id: address, actor: author.uri, addressing: Addressing(to: [asker.uri]))
    let activity: Activity =
      isAccepted
      ? .accept(Accept(header: header, object: .link(request), result: stamp))
      : .reject(Reject(header: header, object: .link(request)))
    var document = Context.document(activity.json ?? .null, Context.quoting)
    document["object"] = [
      "type": "QuoteRequest", "id": .string(request.text), "actor": .string(asker.uri.text),
      "object": .string(quoted.uri.text), "instrument": .string(consent.quotingURI.text),
    ]
    document = try await signed(document, by: author.id, at: environment.time.now())
    return ComposedActivity(
      sender: author, id: address, object: request, body: document.bytes, recipients: [asker], isUnique: false)
  }

  /// To whoever asked and to everybody who may have been shown the quote by us.
  func quoteRevoked(_ stamp: IRI, _ author: Account.ID, _ asker: Account.ID) async throws -> ComposedActivity? {
    let known = try await environment.database.read { try $0.accounts([author, asker]) }
    guard let sender = known[author] else { return nil }
    let people = [known[asker]].compactMap { $0 }
    let id = instance.delete(of: stamp)
    let header = Header(
      id: id, actor: sender.uri,
      addressing: Addressing(.public, followers: sender.followers, mentions: people.map(\.uri)))
    var document = Context.document(
      Activity.delete(Delete(header: header, object: stamp)).json ?? .null, Context.quoting)
    document["object"] = .string(stamp.text)
    document = try await signed(document, by: sender.id, at: environment.time.now())
    return ComposedActivity(
      sender: sender, id: id, object: stamp, body: document.bytes, toFollowers: true, recipients: people)
  }

  /// An Update with a name of its own and no new date of the object: nothing was edited.
  func redescribed(_ facts: PostFacts) async throws -> ComposedActivity {
    var people: [Account] = []
    if let quoted = facts.quoted, let author = try await environment.database.read({ try $0.account(quoted.authorID) })
    {
      people.append(author)
    }
    return try await updated(facts, at: environment.time.now(), and: people)
  }

  /// The stamp of a consent that stands; nil for one that never was or is no more.
  package func stamp(
    _ id: QuoteConsent.ID, by author: Account, visibleTo viewer: Account.ID?
  ) async throws -> Document? {
    let found = try await environment.database.read { tx -> (QuoteConsent, Post)? in
      guard let consent = try tx.consent(id), consent.state == .accepted,
        let quoted = try tx.post(consent.quotedID, visibleTo: viewer), quoted.authorID == author.id
      else { return nil }
      return (consent, quoted)
    }
    guard let (consent, quoted) = found else { return nil }
    let document = Context.document(
      [
        "type": "QuoteAuthorization", "id": .string(instance.quoteStamp(id, by: author.username).text),
        "attributedTo": .string(author.uri.text), "interactingObject": .string(consent.quotingURI.text),
        "interactionTarget": .string(quoted.uri.text),
      ], Context.quoting)
    let bytes = try await signed(document, by: author.id, at: consent.createdAt).bytes
    return Document(bytes: bytes, policy: nil)
  }
}
