import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

extension Receiver {
  func create(_ create: Create, _ received: ReceivedActivity, _ budget: FetchBudget) async throws -> Effect {
    switch create.object {
    case .embedded(.note(let note)):
      let read = try owned(note, received, by: create.actor)
      if read.isVote { return try await vote(read, by: create.actor, budget) }
      // Nobody here is meant: then nobody is fetched either.
      let concernsUs = try await mayConcernUs(read, author: create.actor)
      let isPassedOn = try await isPassedOn(read, received)
      guard concernsUs || isPassedOn else { return { _, _ in .rejected("audience.none") } }
      let author = try await actor(create.actor, budget)
      let standing = await standing(of: read, received, budget)
      let prepared = try await checked(PreparedNote(read: read, author: author, standing: standing), budget)
      return try store(prepared, uninvited: !concernsUs)
    case .link(let iri):
      let prepared = try await posts.prepare(iri, budget: budget)
      guard prepared.author.uri == create.actor else { throw ReceiveFailure.permanent("owner") }
      let concernsUs = try await mayConcernUs(prepared.read, author: create.actor)
      let isPassedOn = try await isPassedOn(prepared.read, received)
      return try store(prepared, uninvited: !concernsUs && isPassedOn)
    case .embedded(.other(_, "AiAssessment", let json)):
      return try await assessment(json, by: create.header, isChange: false, received, budget)
    case .embedded(.actor), .embedded(.other): return { _, _ in .done("object.unsupported") }
    }
  }

  /// Public words of strangers that a relay of ours, or somebody who is followed here, passes on.
  private func isPassedOn(_ read: ReadNote, _ received: ReceivedActivity) async throws -> Bool {
    guard let forwarder = received.inbox.forwarder, read.visibility(followers: nil) == .everyone else { return false }
    return try await environment.database.read { try $0.mayPassOn(forwarder) }
  }

  func store(_ prepared: PreparedNote, uninvited: Bool = false) throws -> Effect {
    let ids = environment.ids
    return { tx, context in
      // Another tail is drawn when the id of a post made in the same millisecond is taken.
      var id: Post.ID = ids.at(prepared.read.published(at: context.now))
      for _ in 0..<4 where try tx.post(id) != nil { id = ids.at(prepared.read.published(at: context.now)) }
      let (post, settlement) = try tx.store(prepared, id: id, uninvited: uninvited, in: context)
      if post != nil, settlement == .done(nil) { try PostResolver.queueParent(of: prepared.read, tx, in: context) }
      return settlement
    }
  }

  func owned(_ note: Note, _ received: ReceivedActivity, by actor: IRI) throws -> ReadNote {
    do {
      return try ReadNote(
        note, json: received.object ?? note.json, ownedBy: actor, local: environment.instance.base)
    } catch { throw ReceiveFailure.permanent(error.code) }
  }

  private func mayConcernUs(_ read: ReadNote, author: IRI) async throws -> Bool {
    let addressed = read.addressed
    return try await environment.database.read { tx in
      if let account = try tx.account(uri: author), try tx.hasLocalFollowers(account.id) { return true }
      if let parent = try read.note.inReplyTo.flatMap({ try tx.post(uri: $0) }), parent.isLocal { return true }
      return try tx.accounts(uris: addressed).contains { $0.isLocal }
    }
  }

  /// A proof that does not hold on what its author delivers is noted; the signature around it decides, and the policy
  /// counts as unsaid.
  func standing(
    of read: ReadNote, _ received: ReceivedActivity, _ budget: FetchBudget
  ) async -> IncomingUsagePolicy.Standing {
    let standing = await ProofCheck(keys: keys, budget: budget).standing(
      of: read.json, within: received.document.json, owner: read.note.attributedTo,
      without: received.isFromOrigin ? .refetched : .delivered, at: received.now)
    if standing == .forged { environment.log.warning("proof.bad", metadata: ["host": "\(read.note.id.host.text)"]) }
    return standing
  }

  func update(_ update: Update, _ received: ReceivedActivity, _ budget: FetchBudget) async throws -> Effect {
    switch update.object {
    case .embedded(.note(let note)):
      let read = try owned(note, received, by: update.actor)
      guard let known = try await environment.database.read({ try $0.post(uri: note.id) }) else {
        return { _, _ in .done("object.unknown") }
      }
      let author = try await actor(update.actor, budget)
      var prepared = PreparedNote(read: read, author: author, standing: await standing(of: read, received, budget))
      if PostRatchet.needsOrigin(known, read.incomingPolicy(prepared.standing), at: received.now) {
        prepared = try await posts.prepare(note.id, budget: budget)
      }
      return edit(try await checked(prepared, budget))
    case .embedded(.actor(let profile)):
      // Read from its origin rather than from here: a delivered profile could bring another's inbox and key.
      guard profile.id == update.actor else { throw ReceiveFailure.permanent("owner") }
      return try await refresh(update.actor, budget)
    case .link(let iri) where iri == update.actor: return try await refresh(update.actor, budget)
    case .link(let iri):
      guard try await environment.database.read({ try $0.post(uri: iri) }) != nil else {
        return { _, _ in .done("object.unknown") }
      }
      let prepared = try await posts.prepare(iri, budget: budget)
      guard prepared.author.uri == update.actor else { throw ReceiveFailure.permanent("owner") }
      return edit(prepared)
    case .embedded(.other(_, "AiAssessment", let json)):
      return try await assessment(json, by: update.header, isChange: true, received, budget)
    case .embedded(.other): return { _, _ in .done("object.unsupported") }
    }
  }

  private func edit(_ prepared: PreparedNote) -> Effect {
    { tx, context in
      guard let known = try tx.post(uri: prepared.read.note.id) else { return .done("object.unknown") }
      return try tx.edit(known, to: prepared, in: context)
    }
  }

  private func refresh(_ uri: IRI, _ budget: FetchBudget) async throws -> Effect {
    guard let known = try await environment.database.read({ try $0.account(uri: uri) }) else {
      return { _, _ in .done("actor.unknown") }
    }
    _ = try await actors.refresh(uri, known: known, budget: budget)
    return { _, _ in .done(nil) }
  }

  /// Works without a fetch: what is deleted is often gone with its server.
  func delete(_ delete: Delete) -> Effect {
    let local = environment.instance.base
    return { tx, context in
      let account = try tx.account(uri: delete.actor)
      if delete.object == delete.actor {
        guard let account else { return .done("actor.unknown") }
        try tx.receiveDeparture(of: account, in: context)
        return .done(nil)
      }
      guard !delete.object.hasSameOrigin(as: local) else { return .rejected("id.local") }
      guard delete.object.hasSameOrigin(as: delete.actor) else { return .rejected("owner") }
      for quote in try tx.quotes(stampedBy: delete.object) {
        guard let account, try quote.quotedID.flatMap({ try tx.post($0) })?.authorID == account.id else { continue }
        try tx.receiveRevocation(of: quote, in: context)
      }
      if let post = try tx.post(uri: delete.object) {
        guard let account, post.authorID == account.id else { return .rejected("owner") }
        if post.boostOfID != nil {
          try tx.receiveUndo(ofBoost: post)
          return .done(nil)
        }
      }
      // Of an unknown post too: its Create may be on its way still.
      try tx.receiveDelete(of: delete.object, by: delete.actor, in: context)
      return .done(nil)
    }
  }

  func like(_ like: Like, _ budget: FetchBudget) async throws -> Effect {
    guard try await environment.database.read({ try $0.post(uri: like.object) }) != nil else {
      return { _, _ in .done("object.unknown") }
    }
    let account = try await actor(like.actor, budget)
    return { tx, context in
      guard let post = try tx.post(uri: like.object) else { return .done("object.unknown") }
      // A like of what one can not see tells its author of nobody, and others of a hidden post.
      guard try tx.post(post.id, visibleTo: account.id) != nil else { return .rejected("visibility") }
      if post.isLocal, try tx.consent(to: .like, with: post, of: account) == .refused {
        return .rejected("policy.like")
      }
      try tx.receiveFavourite(of: post, by: account, uri: like.id, in: context)
      return .done(nil)
    }
  }

  /// By id only. A copy inside the activity is whatever the booster likes (GHSA-39gj): a post of ours is looked up,
  /// one of others is asked for at its origin.
  func announce(_ announce: Announce, _ budget: FetchBudget) async throws -> Effect {
    let found = try await environment.database.read { tx in
      let account = try tx.account(uri: announce.actor)
      return (
        post: try tx.post(uri: announce.object), isSeen: try account.map { try tx.hasLocalFollowers($0.id) } ?? false
      )
    }
    guard found.isSeen || found.post?.isLocal == true else { return { _, _ in .rejected("audience.none") } }
    let account = try await actor(announce.actor, budget)
    let post: Post
    if let known = found.post { post = known } else { post = try await posts.post(announce.object, budget: budget) }
    let visibility: Visibility =
      switch announce.addressing.audience(followers: account.followers) {
      case .public: .everyone
      case .unlisted: .unlisted
      case .followers, .direct: .followers
      }
    return { tx, context in
      guard let current = try tx.post(post.id) else { return .done("object.unknown") }
      guard current.boostOfID == nil else { return .rejected("object.boost") }
      guard current.visibility.isOpen else { return .rejected("visibility") }
      if current.isLocal, try tx.consent(to: .announce, with: current, of: account) == .refused {
        return .rejected("policy.announce")
      }
      let boost = try tx.receiveBoost(
        of: current, by: account, uri: announce.id, published: announce.published ?? context.now,
        visibility: visibility, in: context)
      return .done(boost == nil ? "duplicate" : nil)
    }
  }
}
