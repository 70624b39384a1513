import Model
import Persistence
import Primitives
import Store

/// What a received post says that it quotes.
package struct ReceivedQuote: Hashable, Sendable {
  package var uri: IRI
  package var stamp: IRI?
  package init(uri: IRI, stamp: IRI?) {
    self.uri = uri
    self.stamp = stamp
  }
}

extension ReadTransaction {
  /// Whether `account` may do `act` with `post`, by its author's word.
  package func consent(to act: InteractionPolicy.Act, with post: Post, of account: Account) throws -> Consent {
    let policy = post.interactionInForce
    if post.authorID == account.id || policy[act]?.automatic.contains(.everyone) == true { return .given }
    guard policy[act] != nil else { return .unsaid }
    let ties = try self.ties(of: account.id, among: [post.authorID])
    let isMentioned =
      try act == .reply && mentions(of: [post.id])[post.id, default: []].contains { $0.id == account.id }
    return policy.consent(
      to: act,
      of: Visitor(
        uri: account.uri, followsAuthor: ties.followed.contains(post.authorID),
        isFollowed: ties.following.contains(post.authorID), isMentioned: isMentioned))
  }

  func require(_ act: InteractionPolicy.Act, with post: Post, by account: Account, _ sentence: String) throws {
    guard try consent(to: act, with: post, of: account) != .refused else {
      throw OperationFailure(.forbidden, "policy.\(act.rawValue)", sentence)
    }
  }
}

extension WriteTransaction {
  /// A post of somebody here quotes `quoted`: at once where its author allows it, after they have said yes otherwise.
  func quote(_ quoted: Post, in post: Post, by author: Account, in context: OperationContext) throws {
    guard quoted.boostOfID == nil, quoted.state == .published, try self.post(quoted.id, visibleTo: author.id) != nil,
      try !isBlocked(between: author.id, and: quoted.authorID)
    else { throw OperationFailure.notFound }
    // What only followers may see must not travel in what everybody may.
    guard quoted.visibility.isOpen || (quoted.authorID == author.id && !post.visibility.isOpen) else {
      throw OperationFailure(.invalid, "quote.private", "Only public works can be quoted.")
    }
    var quote = Quote(
      postID: post.id, quotedURI: quoted.uri, quotedID: quoted.id, state: .pending, createdAt: context.now)
    let answer = try consent(to: .quote, with: quoted, of: author)
    guard answer != .refused else {
      throw OperationFailure(.invalid, "policy.quote", "The author does not want this work to be quoted.")
    }
    if quoted.authorID == author.id {
      quote.state = .accepted
    } else if quoted.isLocal {
      let consent = QuoteConsent(
        id: context.ids.next(), quotedID: quoted.id, quotingURI: post.uri, askerID: author.id, requestURI: nil,
        state: answer == .given ? .accepted : .pending, createdAt: context.now)
      try put(consent)
      if answer == .given { (quote.state, quote.stampURI) = (.accepted, try stamp(of: consent, in: context)) }
    }
    try put(quote)
    if quoted.isLocal, quoted.authorID != author.id {
      let kind: Notification.Kind = quote.state == .accepted ? .quote : .quoteRequest
      try notify(quoted.authorID, of: kind, from: author.id, post: post.id, in: context)
    }
  }

  /// Once others may see the post that wants to quote a work of theirs.
  func askToQuote(in post: Post, in context: OperationContext) throws {
    guard let quote = try quote(of: post.id), quote.state == .pending,
      let quoted = try quote.quotedID.flatMap({ try self.post($0) }), !quoted.isLocal
    else { return }
    try federate(.quoteRequested(post.id), by: post.authorID, in: context)
  }

  /// Where a consent is shown to whoever asks.
  package func stamp(of consent: QuoteConsent, in context: OperationContext) throws -> IRI? {
    guard let quoted = try post(consent.quotedID), let author = try account(quoted.authorID) else { return nil }
    return context.instance.quoteStamp(consent.id, by: author.username)
  }

  /// Somebody elsewhere asks whether their post may quote one of ours. Asking twice is answered twice, alike.
  package func receiveQuoteRequest(
    of quoted: Post, by asker: Account, in quoting: IRI, request: IRI, in context: OperationContext
  ) throws -> QuoteConsent.State {
    var consent: QuoteConsent
    if let known = try self.consent(toQuote: quoted.id, in: quoting) {
      // The id of somebody else's post would otherwise be asked for in their name.
      guard known.askerID == asker.id else { throw OperationFailure(.forbidden, "owner", "Not theirs.") }
      consent = known
      consent.requestURI = request
    } else {
      let isUnwanted = try asker.suspendedAt != nil || isBlocked(between: asker.id, and: quoted.authorID)
      let answer: Consent = try isUnwanted ? .refused : self.consent(to: .quote, with: quoted, of: asker)
      let isOpen = quoted.visibility.isOpen && quoted.state == .published && quoted.boostOfID == nil
      let state: QuoteConsent.State =
        switch answer {
        case .given: isOpen ? .accepted : .rejected
        case .mayAsk: isOpen ? .pending : .rejected
        case .refused, .unsaid: .rejected
        }
      consent = QuoteConsent(
        id: context.ids.next(), quotedID: quoted.id, quotingURI: quoting, askerID: asker.id, requestURI: request,
        state: state, createdAt: context.now)
      let post = try self.post(uri: quoting)
      if state == .accepted { try notify(quoted.authorID, of: .quote, from: asker.id, post: post?.id, in: context) }
      if state == .pending {
        try notify(quoted.authorID, of: .quoteRequest, from: asker.id, post: post?.id, in: context)
      }
    }
    try put(consent)
    try settleQuote(by: consent, in: context)
    if consent.state != .pending { try federate(.quoteAnswered(consent.id), by: quoted.authorID, in: context) }
    return consent.state
  }

  /// Carries what was said to the quoting post, if it is here.
  private func settleQuote(by consent: QuoteConsent, in context: OperationContext) throws {
    guard let post = try post(uri: consent.quotingURI), post.authorID == consent.askerID,
      var quote = try quote(of: post.id), quote.quotedID == consent.quotedID
    else { return }
    quote.state =
      switch consent.state {
      case .pending: .pending
      case .accepted: .accepted
      case .rejected: .rejected
      case .revoked: .revoked
      }
    quote.stampURI = consent.state == .accepted ? try stamp(of: consent, in: context) : nil
    try put(quote)
    if post.isLocal { try federate(.redescribed(post.id), by: post.authorID, in: context) }
    afterCommit(.posts)
  }

  /// An artist here answers somebody who asked.
  package func answerQuote(
    _ id: QuoteConsent.ID, isAccepted: Bool, by author: Account, in context: OperationContext
  ) throws {
    guard var consent = try consent(id), let quoted = try post(consent.quotedID), quoted.authorID == author.id,
      consent.state == .pending
    else { throw OperationFailure.notFound }
    consent.state = isAccepted ? .accepted : .rejected
    try put(consent)
    try settleQuote(by: consent, in: context)
    if consent.requestURI != nil { try federate(.quoteAnswered(id), by: author.id, in: context) }
    guard let post = try post(uri: consent.quotingURI) else { return }
    try deleteNotifications(of: .quoteRequest, to: author.id, from: consent.askerID, post: post.id)
    if isAccepted { try notify(author.id, of: .quote, from: consent.askerID, post: post.id, in: context) }
  }

  /// An artist here takes consent back: the stamp is gone, and everybody who may show the quote is told.
  package func revokeQuote(of quoted: Post, in quoting: Post, by author: Account, in context: OperationContext) throws {
    guard quoted.authorID == author.id, var quote = try quote(of: quoting.id), quote.quotedID == quoted.id else {
      throw OperationFailure.notFound
    }
    if var consent = try consent(toQuote: quoted.id, in: quoting.uri) {
      guard consent.state != .revoked else { return }
      let wasAccepted = consent.state == .accepted
      consent.state = .revoked
      try put(consent)
      if wasAccepted, let stamp = try stamp(of: consent, in: context) {
        try federate(.quoteRevoked(stamp: stamp, author: author.id, asker: consent.askerID), by: author.id, in: context)
      }
    }
    (quote.state, quote.stampURI) = (.revoked, nil)
    try put(quote)
    if quoting.isLocal { try federate(.redescribed(quoting.id), by: quoting.authorID, in: context) }
    try deleteNotifications(of: .quote, to: author.id, from: quoting.authorID, post: quoting.id)
    afterCommit(.posts)
  }
}

extension WriteTransaction {
  /// What a received post quotes: shown once consent was seen, until then a link. A consent of ours is in our rows; one
  /// of others is read where it lies, in the background.
  package func receiveQuote(
    _ received: ReceivedQuote?, in post: Post, by author: Account, in context: OperationContext
  ) throws {
    let known = try quote(of: post.id)
    guard let received else {
      if known != nil { try deleteQuote(of: post.id) }
      return
    }
    if let known, known.quotedURI == received.uri, known.state != .pending || known.stampURI == received.stamp {
      return
    }
    let quoted = try self.post(uri: received.uri)
    var quote = Quote(
      postID: post.id, quotedURI: received.uri, quotedID: quoted?.id, state: .pending, stampURI: received.stamp,
      createdAt: context.now)
    if let quoted, quoted.authorID == author.id {
      quote.state = .accepted
    } else if let quoted, quoted.isLocal {
      quote.stampURI = nil
    }
    try put(quote)
    if let quoted, quoted.isLocal {
      if let consent = try consent(toQuote: quoted.id, in: post.uri), consent.askerID == author.id {
        try settleQuote(by: consent, in: context)
        if consent.state == .accepted {
          try notify(quoted.authorID, of: .quote, from: author.id, post: post.id, in: context)
        }
      }
    } else if quote.state == .pending, !received.uri.hasSameOrigin(as: context.instance.base) {
      try enqueue(.resolveQuote(post.id), id: context.ids.next(), at: context.now, dedup: "quote \(post.id)")
    }
    afterCommit(.posts)
  }

  /// `Job.resolveQuote` and the answer to a request of ours: what was found out about a quote of another's work.
  package func settleQuote(
    of post: Post, quoting quoted: Post?, state: Quote.State, stamp: IRI?, in context: OperationContext
  ) throws {
    guard var quote = try quote(of: post.id), quote.state == .pending || quote.state == .accepted else { return }
    let before = quote
    quote.quotedID = quoted?.id ?? quote.quotedID
    quote.state = state
    if state != .pending { quote.stampURI = stamp }
    guard quote != before else { return }
    try put(quote)
    if post.isLocal { try federate(.redescribed(post.id), by: post.authorID, in: context) }
    afterCommit(.posts)
  }

  /// The quoted author elsewhere takes consent back.
  package func receiveRevocation(of quote: Quote, in context: OperationContext) throws {
    guard let post = try post(quote.postID) else { return }
    var revoked = quote
    (revoked.state, revoked.stampURI) = (.revoked, nil)
    try put(revoked)
    if post.isLocal { try federate(.redescribed(post.id), by: post.authorID, in: context) }
    afterCommit(.posts)
  }

  /// Tells those here who quoted a work that it says something else now.
  func notifyQuoters(of post: Post, in context: OperationContext) throws {
    for account in try localQuoters(of: post.id, limit: Limits.toldOfEdit) {
      try notify(account, of: .quotedUpdate, from: post.authorID, post: post.id, in: context)
    }
  }

  /// Says anew who may do what with a work; no edit of it.
  package func changeInteraction(
    of post: Post, to policy: InteractionPolicy, by author: Account, in context: OperationContext
  ) throws -> Post {
    guard post.authorID == author.id, post.boostOfID == nil else { throw OperationFailure.notFound }
    try setInteraction(policy, post.searchability, of: post.id)
    try federate(.redescribed(post.id), by: author.id, in: context)
    afterCommit(.posts)
    return try self.post(post.id) ?? post
  }
}

extension Limits {
  package static let toldOfEdit = 1_000
}
