import HTTPSupport
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

/// What a post quotes, as its page shows it.
struct QuoteWords {
  let isShown: Bool
  let author: String
  let authorPath: String
  let path: String
  let text: String
  let image: String?
  let imageAlt: String
  /// The quoted author's word on machines travels with the quote.
  let policy: String
  let sentence: String
  let address: String
}

/// Who may do what with a work, for its author to choose.
struct ResponseForm {
  struct Question {
    let name: String
    let label: String
    let choices: [Choice]
  }
  let token: String
  let work: String
  let questions: [Question]
}

private struct QuotesPage {
  struct Item {
    let id: String
    let name: String
    let path: String
    let text: String
    let address: String
    let work: String
    let workPath: String
    let quoting: String?
  }
  let token: String
  let waiting: [Item]
  let standing: [Item]
  let isWaiting: Bool
  let isStanding: Bool
}

extension WebFace {
  func quoteWords(of post: Post, _ page: PageAssembly) -> QuoteWords? {
    guard let quote = page.quotes[post.id] else { return nil }
    func words(_ sentence: String) -> QuoteWords {
      QuoteWords(
        isShown: false, author: "", authorPath: "", path: "", text: "", image: nil, imageAlt: "", policy: "",
        sentence: sentence, address: quote.quotedURI.text)
    }
    switch quote.state {
    case .pending: return words("This post quotes another one. Its author has not said so far that it may.")
    case .rejected, .unauthorized: return nil
    case .revoked: return words("The author of the quoted work does not want it to be quoted here.")
    case .deleted: return words("The quoted work is no longer there.")
    case .accepted: break
    }
    guard let quoted = quote.quotedID.flatMap({ page.quoted[$0] }), let author = page.accounts[quoted.authorID],
      page.viewer != nil || quoted.isLocal
    else { return words("The quoted work is not open to you.") }
    let pictures = page.attachments[quoted.id] ?? []
    let first = quoted.isSensitive ? nil : pictures.first { $0.state == .ready }
    let file = first.flatMap { page.renditions[$0.id]?.best(.small) }
    let text = SanitizedHTML.restored(fromOwnStorage: quoted.content).text.shortened(to: 280)
    return QuoteWords(
      isShown: true, author: shownName(author), authorPath: path(of: author), path: path(of: quoted, by: author),
      text: text.isEmpty ? "A work by \(shownName(author))" : text, image: file.map { "/media/\($0.fileName)" },
      imageAlt: first?.altText ?? "",
      policy: PolicyWords(effectivePolicy(of: author, post: quoted, on: instance)).headline,
      sentence: "", address: quoted.url.text)
  }

  func responseForm(for post: Post, _ context: FaceContext) -> ResponseForm {
    let policy = post.interactionInForce
    let labels: [(InteractionPolicy.Act, String)] = [
      (.reply, "Who may answer"), (.like, "Who may like it"), (.announce, "Who may share it"),
      (.quote, "Who may quote it"),
    ]
    return ResponseForm(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", work: post.id.description,
      questions: labels.map { act, label in
        let chosen = policy[act]?.word ?? "public"
        var words: [(String, String)] = [
          ("public", "Everybody"), ("followers", "My followers"),
          ("nobody", act == .reply ? "Those mentioned" : "Nobody"),
        ]
        if act == .quote { words.insert(("ask", "Whoever asks me first"), at: 2) }
        return .init(
          name: act.rawValue, label: label,
          choices: words.map { Choice(value: $0.0, name: $0.1, hint: "", isChosen: $0.0 == chosen) })
      })
  }

  @Sendable func changeResponses(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = parameters["work"].flatMap({ Post.ID($0) }) else { throw Problem.notFound }
    var policy = InteractionPolicy()
    for act in InteractionPolicy.Act.allCases {
      guard let word = parameters[act.rawValue] else { continue }
      guard let rule = InteractionPolicy.Rule(word: word, of: act) else { throw Problem.parameter(act.rawValue) }
      policy[act] = rule
    }
    let (wanted, change) = (policy, self.context)
    let path = try await database.write { tx in
      guard let post = try tx.post(id), post.authorID == bearer.account.id else { throw OperationFailure.notFound }
      let whole = wanted.filled(from: post.interaction ?? InteractionPolicy())
      let changed = try tx.changeInteraction(of: post, to: whole, by: bearer.account, in: change)
      return self.path(of: changed, by: bearer.account)
    }
    return Response.seeOther(path)
  }

  @Sendable func quotesOfMine(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let owner = bearer.account
    let (waiting, standing) = try await database.read { tx in
      (
        try self.items(tx.consents(of: owner.id, in: .pending, limit: Limits.quotesShown), of: owner, tx),
        try self.items(tx.consents(of: owner.id, in: .accepted, limit: Limits.quotesShown), of: owner, tx)
      )
    }
    let frame = frame("Quotes of my works", context, policy: standardPolicy, isListed: false)
    let model = QuotesPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", waiting: waiting, standing: standing,
      isWaiting: !waiting.isEmpty, isStanding: !standing.isEmpty)
    return try page("quotes", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private func items(
    _ consents: [QuoteConsent], of owner: Account, _ tx: any ReadTransaction
  ) throws -> [QuotesPage.Item] {
    let people = try tx.accounts(consents.map(\.askerID))
    let works = try tx.posts(consents.map(\.quotedID), visibleTo: owner.id)
    let quoting = try tx.posts(uris: consents.map(\.quotingURI))
    return consents.compactMap { consent in
      guard let asker = people[consent.askerID], let work = works[consent.quotedID] else { return nil }
      let post = quoting[consent.quotingURI]
      let text = post.map { SanitizedHTML.restored(fromOwnStorage: $0.content).text.shortened(to: 280) } ?? ""
      let heading = SanitizedHTML.restored(fromOwnStorage: work.content).text.shortened(to: 80)
      return .init(
        id: consent.id.description, name: shownName(asker), path: path(of: asker), text: text,
        address: post?.url.text ?? consent.quotingURI.text, work: heading.isEmpty ? "a work of mine" : heading,
        workPath: path(of: work, by: owner), quoting: post?.id.description)
    }
  }

  @Sendable func answerQuote(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = parameters["request"].flatMap({ QuoteConsent.ID($0) }), let answer = parameters["answer"],
      ["accept", "decline", "revoke"].contains(answer)
    else { throw Problem.notFound }
    let change = self.context
    try await database.write { tx in
      guard answer == "revoke" else {
        return try tx.answerQuote(id, isAccepted: answer == "accept", by: bearer.account, in: change)
      }
      guard let consent = try tx.consent(id), let quoted = try tx.post(consent.quotedID),
        let quoting = try tx.post(uri: consent.quotingURI)
      else { throw OperationFailure.notFound }
      try tx.revokeQuote(of: quoted, in: quoting, by: bearer.account, in: change)
    }
    return Response.seeOther("/settings/quotes")
  }
}

extension Limits {
  static let quotesShown = 100
}
