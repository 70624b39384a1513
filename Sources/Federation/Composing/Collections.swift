import ActivityStreams
import Model
import Persistence
import Primitives
import Store

/// Lists as they are served. Who follows whom is counted and not listed: no peer needs the names, and harvesters do.
extension Composer {
  package enum AccountList: String, Sendable, CaseIterable { case outbox, followers, following, featured }
  package enum PostList: String, Sendable, CaseIterable { case replies, likes, shares, context }

  package func list(_ list: AccountList, of account: Account) async throws -> Document {
    let (counts, pins) = try await environment.database.read { tx in
      (
        try tx.counts(of: [account.id])[account.id] ?? AccountCounts(),
        list == .featured ? try tx.pinnedPosts(of: account.id, visibleTo: nil) : []
      )
    }
    var collection: ObjectCollection
    switch list {
    case .outbox:
      collection = ObjectCollection(id: account.outbox, kind: .ordered)
      collection.totalItems = counts.posts
      collection.first = account.outbox?.appending("?page=true").map { .link($0) }
    case .followers:
      collection = ObjectCollection(id: account.followers, kind: .ordered)
      collection.totalItems = counts.followers
    case .following:
      collection = ObjectCollection(id: account.following, kind: .ordered)
      collection.totalItems = counts.following
    case .featured:
      collection = ObjectCollection(id: account.featured, kind: .ordered)
      // Ids alone: each post says for itself who may read it.
      collection.totalItems = pins.count
      collection.items = pins.map { .string($0.uri.text) }
    }
    return Document(bytes: collection.document.bytes, policy: account.usagePolicy)
  }

  /// The newest activities that `viewer` may see, below `before`; each names its object, which is fetched by itself.
  package func outboxPage(
    of account: Account, visibleTo viewer: Account.ID?, before: Post.ID?
  ) async throws -> Document {
    let page = Page<Post>(before: before, limit: Limits.collectionPage)
    let (posts, originals) = try await environment.database.read { tx in
      let posts = try tx.posts(by: account.id, visibleTo: viewer, AccountFilter(), page)
      return (posts, try tx.posts(posts.compactMap(\.boostOfID), visibleTo: viewer))
    }
    let address = account.outbox?.text ?? account.uri.text
    var collection = ObjectCollection(
      id: IRI("\(address)?page=true" + (before.map { "&max_id=\($0)" } ?? "")), kind: .orderedPage)
    collection.partOf = account.outbox
    collection.items = posts.compactMap { post in
      post.boostOfID == nil
        ? created(post, by: account)
        : post.boostOfID.flatMap { originals[$0] }.flatMap { announced(post, $0, by: account) }
    }
    if posts.count == Limits.collectionPage, let last = posts.last {
      collection.next = IRI("\(address)?page=true&max_id=\(last.id)")
    }
    return Document(bytes: collection.document.bytes, policy: account.usagePolicy)
  }

  private func created(_ post: Post, by author: Account) -> JSON? {
    let header = Header(
      id: instance.activity(of: post.uri), actor: author.uri,
      addressing: Addressing(post.visibility.audience, followers: author.followers), published: post.createdAt)
    return Activity.create(Create(header: header, object: .link(post.uri))).json
  }

  private func announced(_ boost: Post, _ original: Post, by booster: Account) -> JSON? {
    let header = Header(
      id: boost.uri, actor: booster.uri,
      addressing: Addressing(boost.visibility.audience, followers: booster.followers), published: boost.createdAt)
    return Activity.announce(Announce(header: header, object: original.uri)).json
  }

  /// Nothing is ever published by the server itself.
  package func serverOutbox() -> Document {
    var collection = ObjectCollection(id: instance.page("/actor/outbox"), kind: .ordered)
    collection.totalItems = 0
    collection.items = []
    return Document(bytes: collection.document.bytes, policy: nil)
  }

  /// Nil for the conversation of a post that did not begin it: its first post's server keeps that list (FEP-7888).
  package func list(_ list: PostList, of post: Post) async throws -> Document? {
    guard list != .context || post.inReplyToURI == nil else { return nil }
    let (counts, thread, author) = try await environment.database.read { tx in
      (
        try tx.counts(of: [post.id])[post.id] ?? PostCounts(),
        list == .context ? try tx.openThreadCount(of: post.id) : 0, try tx.account(post.authorID)
      )
    }
    var collection = ObjectCollection(
      id: post.uri.appending("/\(list.rawValue)"), kind: list == .context ? .ordered : .collection)
    collection.attributedTo = author?.uri
    switch list {
    case .likes: collection.totalItems = counts.favourites
    case .shares: collection.totalItems = counts.boosts
    case .replies, .context:
      collection.totalItems = list == .replies ? counts.replies : thread
      // The first page goes inside: most conversations end there, and a request is saved.
      let page = try await page(of: list, of: post, after: nil)
      collection.first = page.flatMap { Node($0.json) }.map { .embedded($0) }
    }
    return Document(bytes: collection.document.bytes, policy: nil)
  }

  package func listPage(_ list: PostList, of post: Post, after: Post.ID?) async throws -> Document? {
    try await page(of: list, of: post, after: after).map { Document(bytes: $0.document.bytes, policy: nil) }
  }

  private func page(of list: PostList, of post: Post, after: Post.ID?) async throws -> ObjectCollection? {
    guard list == .replies || (list == .context && post.inReplyToURI == nil) else { return nil }
    let found = try await environment.database.read { tx in
      list == .replies
        ? try tx.openReplies(to: post.id, after: after, limit: Limits.collectionPage)
        : try tx.openThread(of: post.id, after: after, limit: Limits.collectionPage)
    }
    let address = "\(post.uri.text)/\(list.rawValue)"
    var page = ObjectCollection(
      id: IRI("\(address)?page=true" + (after.map { "&after=\($0)" } ?? "")),
      kind: list == .context ? .orderedPage : .page)
    page.partOf = IRI(address)
    page.items = found.map { .string($0.uri.text) }
    if found.count == Limits.collectionPage, let last = found.last {
      page.next = IRI("\(address)?page=true&after=\(last.id)")
    }
    return page
  }

  package func tombstone(of uri: IRI) async throws -> Document? {
    guard let found = try await environment.database.read({ try $0.tombstone(uri: uri) }) else { return nil }
    let tombstone = ActivityStreams.Tombstone(id: found.uri, formerType: "Note", deleted: found.deletedAt)
    return Document(bytes: tombstone.document.bytes, policy: nil)
  }

  /// What an unsigned request may read of a person where signatures are asked for: enough to verify with, no more.
  package func keyDocument(_ account: Account) async throws -> Document {
    let keys = try await environment.database.read { try $0.signingKeys(of: account.id) }
    let whole = account.actor(keys: keys, in: instance)
    var actor = Actor(id: whole.id, kind: account.uri == instance.assessor ? .service : whole.kind)
    actor.preferredUsername = whole.preferredUsername
    actor.inbox = whole.inbox
    actor.sharedInbox = whole.sharedInbox
    actor.publicKeys = whole.publicKeys
    actor.assertionMethods = whole.assertionMethods
    actor.webfinger = whole.webfinger
    return Document(bytes: actor.document.bytes, policy: nil)
  }
}
