import Model
import Persistence
import Policy
import Primitives
import Store
import Testing

/// Every statement of the store is prepared, planned and run once.
@Suite struct PlannerTests {
  private struct World {
    let author: Account
    let far: Account
    let post: Post
    let reply: Post
    let picture: Model.Attachment
    let digest: Digest
    let follow: Follow

    init(_ scratch: Scratch) throws {
      author = scratch.account("author")
      far = scratch.account("far", host: "paper.test")
      let post = scratch.post(by: author)
      self.post = post
      reply = scratch.post(by: far) {
        $0.inReplyToURI = post.uri
        $0.inReplyToID = post.id
      }
      digest = try #require(Digest(rawValue: String(repeating: "a", count: 64)))
      picture = Model.Attachment(
        id: scratch.id(), ownerID: author.id, postID: post.id, state: .held, remoteURL: far.uri,
        perceptualHash: PerceptualHash(rawValue: .max), original: digest, createdAt: start)
      follow = scratch.follow(author, far, .pending)
    }

    func build(_ tx: any WriteTransaction) throws {
      try tx.insert(author, document: [1])
      try tx.insert(far)
      try tx.insert(
        User(accountID: author.id, email: "A@mail.test", passwordHash: "x", role: .admin, createdAt: start))
      try tx.insert(post, mentions: [far.id], tags: ["ink"], document: [2])
      try tx.insert(reply)
      try tx.insert(picture)
      try tx.insert(follow)
      try tx.replaceRenditions(
        of: picture.id,
        with: [
          Rendition(
            attachmentID: picture.id, kind: .federated, digest: digest, mediaType: "image/png", width: 1, height: 1,
            size: 1)
        ])
      try tx.insert(
        PolicyRevision(number: 1, document: .standard, note: "", authorID: author.id, createdAt: start))
    }
  }

  private func explain(
    allowing allowed: Set<String> = [], _ body: @escaping @Sendable (Explaining, World, Scratch) throws -> Void
  ) async throws -> (scans: [String], sorts: [String], statements: Int) {
    let scratch = try await Scratch()
    return try await scratch.write { tx in
      let world = try World(scratch)
      try world.build(tx)
      let explaining = Explaining(tx)
      try body(explaining, world, scratch)
      return (explaining.scans(allowing: allowed), explaining.sorts, explaining.plans.count)
    }
  }

  @Test func `building the rows of a post reads no table from end to end`() async throws {
    let found = try await explain { tx, world, scratch in
      let post = scratch.post(by: world.author) { $0.inReplyToID = world.post.id }
      try tx.insert(post, mentions: [world.far.id], tags: ["a", "b"], document: [1])
      try tx.update(post, version: scratch.id(), document: [2])
      try tx.setState(.held, of: post.id)
      try tx.setState(.published, of: post.id)
      try tx.adoptReplies(to: post)
      try tx.fillHomes(with: post, repliesToFollowed: world.far.id)
      try tx.backfillHome(of: world.author.id, from: world.far.id, limit: 20)
      try tx.clearHome(of: world.author.id, from: world.far.id)
      _ = try tx.wasAnnounced(post)
      let like = Favourite(
        accountID: world.far.id, postID: post.id, uri: iri("https://paper.test/l"), createdAt: start)
      #expect(try tx.insert(like))
      #expect(try !tx.insert(like))
      #expect(try tx.favourite(uri: like.uri) == like)
      #expect(try tx.favourite(of: post.id, by: world.far.id) == like)
      try tx.delete(like)
      #expect(try tx.versions(of: post.id).count == 1)
      #expect(try tx.document(of: post.id) == [2])
      try tx.delete(post)
      try tx.insert(Tombstone(uri: post.uri, authorURI: world.author.uri, deletedAt: start))
      #expect(try tx.tombstone(uri: post.uri) != nil)
    }
    #expect(found.scans == [])
  }

  @Test func `every list of posts is a walk along an index, without sorting`() async throws {
    let found = try await explain { tx, world, _ in
      let page = Page<Post>(before: ID(rawValue: .max), limit: 20)
      for viewer in [world.author.id, nil] {
        for page in [page, Page(from: ID(rawValue: 1), limit: 20)] {
          _ = try tx.posts(by: world.author.id, visibleTo: viewer, AccountFilter(), page)
          _ = try tx.posts(
            by: world.author.id, visibleTo: viewer,
            AccountFilter(onlyMedia: true, excludeReplies: true, excludeBoosts: true), page)
          for isLocal in [true, false] {
            _ = try tx.publicPosts(localOnly: isLocal, onlyMedia: true, visibleTo: viewer, page)
          }
          #expect(try tx.posts(tagged: "ink", visibleTo: viewer, page).map(\.id) == [world.post.id])
        }
      }
      _ = try tx.home(of: world.author.id, page)
      _ = try tx.notifications(of: world.author.id, kinds: [.mention, .boost], Page(limit: 20))
    }
    #expect(found.scans == [])
    #expect(found.sorts == [])
  }

  @Test func `a single thing is looked up by an index`() async throws {
    let found = try await explain(allowing: ["users"]) { tx, world, _ in
      let (author, post) = (world.author, world.post)
      #expect(try tx.account(author.id)?.usagePolicy == author.usagePolicy)
      #expect(try tx.account(uri: author.uri) == author)
      #expect(try tx.accounts([author.id, world.far.id]).count == 2)
      #expect(try tx.accounts(uris: [author.uri]).count == 1)
      #expect(try tx.account(username: "AUTHOR", host: nil) == author)
      #expect(try tx.account(username: "far", host: Host("paper.test")) == world.far)
      #expect(try tx.account(followers: iri("https://atelier.test/users/author/followers")) == author)
      #expect(try tx.counts(of: [author.id]).count == 1)
      #expect(try tx.user(author.id)?.role == .admin)
      #expect(try tx.user(email: "a@MAIL.test") != nil)
      #expect(try tx.staff() == [author])
      #expect(try tx.accountDocument(author.id) == [1])
      #expect(try tx.accounts(behind: world.far.inbox) == [world.far])
      #expect(try tx.accounts(named: "Au", limit: 5) == [author])
      #expect(try tx.tags(named: "in", limit: 5) == ["ink"])
      #expect(try tx.post(post.id) == post)
      #expect(try tx.post(uri: post.uri) == post)
      #expect(try tx.post(url: post.url, author: author.id) == post)
      #expect(try tx.post(post.id, visibleTo: nil) == post)
      #expect(try tx.posts([post.id], visibleTo: author.id).count == 1)
      #expect(try tx.boost(of: post.id, by: author.id) == nil)
      #expect(try tx.remoteBoosters(of: post.id, limit: 5) == [])
      #expect(try tx.mentions(of: [post.id])[post.id] == [world.far])
      #expect(try tx.tags(of: [post.id])[post.id] == ["ink"])
      #expect(try tx.counts(of: [post.id])[post.id]?.replies == 1)
      #expect(try tx.openReplies(to: post.id, limit: 5).map(\.uri) == [world.reply.uri])
      #expect(try tx.ancestors(of: world.reply.id, visibleTo: nil) == [post])
      #expect(try tx.descendants(of: post.id, visibleTo: author.id) == [world.reply])
      #expect(try tx.accounts(favouriting: post.id, limit: 5) == [])
      #expect(try tx.accounts(boosting: post.id, limit: 5) == [])
      #expect(try tx.recipients(of: .mention, about: post.id) == [])
      _ = try tx.assemble([post, world.reply], for: author.id)
      _ = try tx.instanceCounts()
      #expect(try tx.activeUsers(since: start) == 1)
      #expect(try tx.lastID() > 1_000)
      #expect(try tx.standing(of: world.far.uri).isKnown)
      _ = try tx.localAccounts(Page(limit: 5))
    }
    #expect(found.scans == [])
  }

  @Test func `follows and blocks are found from either end`() async throws {
    let found = try await explain { tx, world, scratch in
      let (author, far) = (world.author, world.far)
      #expect(try tx.follow(world.follow.id) == world.follow)
      #expect(try tx.follow(uri: world.follow.uri) == world.follow)
      #expect(try tx.follow(of: far.id, by: author.id) == world.follow)
      #expect(try tx.followRequests(to: far.id, Page(limit: 5)).count == 1)
      #expect(try tx.accept(world.follow))
      #expect(try !tx.accept(world.follow))
      #expect(try tx.followers(of: far.id, Page(limit: 5)).count == 1)
      #expect(try tx.following(by: author.id, Page(limit: 5)).count == 1)
      #expect(try tx.follows(by: author.id).count == 1)
      #expect(try tx.follows(touching: far.id).count == 1)
      #expect(try tx.remoteFollowers(of: author.id) == [])
      #expect(try tx.hasLocalFollowers(far.id))
      try tx.setURI(iri("https://atelier.test/follows/x"), of: world.follow.id)
      try tx.insertBlock(by: far.id, of: author.id, at: start)
      #expect(try tx.isBlocked(between: author.id, and: far.id))
      let relationship = try tx.relationships(of: author.id, to: [far.id]).first
      #expect(relationship?.following == true)
      #expect(relationship?.blockedBy == true)
      #expect(relationship?.blocking == false)
      try tx.deleteBlock(by: far.id, of: author.id)
      try tx.delete(world.follow)
      try tx.block(host: "evil.test", reason: "spam", at: start)
      #expect(try tx.block(of: try #require(Host("a.evil.test"))) == "evil.test")
      #expect(try tx.block(of: try #require(Host("notevil.test"))) == nil)
      #expect(try tx.blockedHosts().count == 1)
      try tx.unblock(host: "evil.test")
    }
    #expect(found.scans == [])
  }

  @Test func `pictures, decisions and appeals are found by what is known of them`() async throws {
    let found = try await explain { tx, world, scratch in
      let picture = world.picture
      #expect(try tx.attachment(picture.id) == picture)
      #expect(try tx.attachments([picture.id]) == [picture])
      #expect(try tx.attachments(of: [world.post.id])[world.post.id] == [picture])
      #expect(try tx.attachments(withOriginal: world.digest, besides: scratch.id()) == [picture])
      #expect(try tx.attachments(in: .held, Page(limit: 5)) == [picture])
      #expect(try tx.renditions(of: [picture.id])[picture.id]?.count == 1)
      #expect(try tx.uses(ofFile: world.digest).count == 1)
      #expect(try tx.isFileUsed(world.digest))
      var changed = picture
      changed.focus = Focus(x: 0.5, y: -1)
      changed.state = .refused
      try tx.update(changed)
      #expect(try tx.attachment(picture.id) == changed)
      #expect(try tx.hasPolicy())
      #expect(try tx.currentPolicy().number == 1)
      let assessment = Assessment(evidence: [], detector: "evidence/1")
      let record = DecisionRecord(
        id: scratch.id(), attachmentID: picture.id, verdict: .hold,
        reasons: [Reason(code: .score, verdict: .hold, sentence: "s")], facts: ImageFacts(assessment),
        assessment: assessment, policyRevision: 1, decidedAt: start, decidedBy: nil)
      try tx.insert(record)
      #expect(try tx.decisions(on: [picture.id])[picture.id] == record)
      #expect(try tx.decisionHistory(of: picture.id) == [record])
      #expect(try tx.automaticDecisions(since: ID(rawValue: 1), limit: 5) == [record])
      try tx.insertRefused(picture, digest: world.digest, at: start)
      #expect(try tx.isRefused(digest: nil, url: picture.remoteURL))
      #expect(try tx.isRefused(digest: world.digest, url: nil))
      #expect(try !tx.isRefused(digest: nil, url: nil))
      try tx.forgetRefusal(digest: nil, url: picture.remoteURL)
      #expect(try !tx.isRefused(digest: world.digest, url: picture.remoteURL))
      try tx.clear(digest: world.digest, perceptualHash: picture.perceptualHash, by: world.author.id, at: start)
      let other = try #require(Digest(rawValue: String(repeating: "b", count: 64)))
      #expect(try tx.isCleared(digest: other, perceptualHash: PerceptualHash(rawValue: .max - 3), distance: 2))
      #expect(try !tx.isCleared(digest: other, perceptualHash: PerceptualHash(rawValue: .max - 7), distance: 2))
      #expect(try !tx.isCleared(digest: other, perceptualHash: nil, distance: 64))
      try tx.unclear(digest: world.digest)
      #expect(try !tx.isCleared(digest: world.digest, perceptualHash: nil, distance: 2))
      let appeal = Appeal(
        id: scratch.id(), attachmentID: picture.id, contact: "", message: "mine", state: .open, createdAt: start)
      try tx.insert(appeal)
      #expect(try tx.appeals(in: .open, Page(limit: 5)) == [appeal])
      #expect(try tx.openAppeals(on: picture.id) == 1)
      try tx.closeAppeals(on: picture.id, as: .upheld)
      #expect(try tx.openAppeals(on: picture.id) == 0)
      try tx.delete(attachment: picture.id)
    }
    #expect(found.scans == [])
  }

  @Test func `who asks, what came in and what is queued is found by an index`() async throws {
    let found = try await explain { tx, world, scratch in
      let author = world.author
      try tx.insert(
        AccessToken(
          id: scratch.id(), secretHash: "t", accountID: author.id, application: "a", scopes: "read write",
          createdAt: start))
      try tx.insertSession(hash: "s", of: author.id, at: start, until: start.adding(.seconds(9)))
      #expect(try tx.bearer(tokenHash: "t")?.scopes == ["read", "write"])
      #expect(try tx.bearer(sessionHash: "s", at: start)?.account == author)
      #expect(try tx.bearer(sessionHash: "s", at: start.adding(.seconds(9))) == nil)
      try tx.deleteSession(hash: "s")
      try tx.deleteSessions(expiredBefore: start)
      try tx.setPasswordHash("y", of: author.id)
      try tx.revokeEverything(of: author.id, at: start)
      #expect(try tx.bearer(tokenHash: "t") == nil)
      let activity = InboxActivity(
        id: scratch.id(), activityURI: iri("https://paper.test/1"), signer: world.far.uri, body: [1], state: .pending,
        reason: nil, receivedAt: start)
      #expect(try tx.insert(activity))
      #expect(try !tx.insert(activity))
      #expect(try tx.hasSeen(activity.activityURI))
      #expect(try tx.inboxActivity(activity.id) == activity)
      try tx.finish(activity.id, as: .done, reason: nil)
      try tx.deleteInboxActivities(receivedBefore: start.adding(.seconds(1)))
      #expect(try !tx.hasSeen(activity.activityURI))
      let host = try #require(Host("paper.test"))
      let parked = ParkedRequest(
        id: scratch.id(), keyHost: host, request: "{}", body: [], receivedAt: start, attempt: 0)
      try tx.insert(parked, next: start)
      #expect(try tx.parkedCount(of: host) == (1, 1))
      #expect(try tx.parkedRequests(dueAt: start, limit: 5) == [parked])
      try tx.postpone(parked, to: start)
      try tx.delete(parked)
      try tx.insertIdempotencyKey("k", of: author.id, post: world.post.id, at: start)
      #expect(try tx.idempotentPost(of: author.id, key: "k", since: Timestamp(milliseconds: 0)) == world.post.id)
      #expect(try tx.idempotentPost(of: author.id, key: "k", since: start) == nil)
      try tx.deleteIdempotencyKeys(before: start.adding(.seconds(1)))
    }
    #expect(found.scans == [])
  }

  @Test func `keys, settings and notifications are found by an index`() async throws {
    let found = try await explain { tx, world, scratch in
      let author = world.author
      try tx.replaceRemoteKeys(
        of: world.far.uri,
        with: [
          RemoteKey(
            keyID: iri("https://paper.test/k"), owner: world.far.uri, publicKey: "p", fetchedAt: start)
        ])
      #expect(try tx.remoteKey(iri("https://paper.test/k"))?.owner == world.far.uri)
      try tx.insert(
        StoredKey(
          accountID: author.id, kind: .rsa, keyID: iri("https://atelier.test/k"), publicKey: "p", sealedKey: [1]),
        at: start)
      #expect(try tx.signingKeys(of: author.id).count == 1)
      try tx.set("name", to: "value")
      #expect(try tx.setting("name") == "value")
      try tx.insert(
        Model.Notification(
          id: scratch.id(), recipientID: author.id, kind: .follow, fromID: world.far.id, postID: nil,
          createdAt: start))
      try tx.deleteNotifications(of: .follow, to: author.id, from: world.far.id, post: nil)
      try tx.deleteNotifications(to: author.id, from: world.far.id)
      #expect(try tx.notifications(of: author.id, kinds: [.follow], Page(limit: 5)) == [])
      try tx.update(author)
    }
    #expect(found.scans == [])
  }

  @Test func `taking work reads the queues along their indexes`() async throws {
    let found = try await explain { tx, world, scratch in
      try tx.enqueue(.reconsider(world.picture.id), id: scratch.id(), at: start, ordering: "a", dedup: "b")
      let leases = try tx.leaseJobs(in: .media, at: start, until: start, limit: 5)
      #expect(leases.count == 1)
      #expect(try tx.nextJob(in: .media) == start)
      for lease in leases {
        try tx.release(lease, at: start)
        try tx.retry(lease, at: start, error: "e")
        try tx.quarantine(lease, error: "e")
        try tx.finish(lease)
      }
      let outgoing = Outgoing(
        id: scratch.id(), senderID: world.author.id, uri: iri("https://atelier.test/a"),
        objectURI: world.post.uri, isUpdate: true, body: [1], createdAt: start)
      #expect(try tx.insert(outgoing))
      #expect(try tx.outgoing(uri: outgoing.uri) == outgoing)
      try tx.deliver(outgoing, to: world.far.inbox, id: scratch.id(), at: start)
      let host = try #require(Host("paper.test"))
      try tx.save(Peer(host: host, failures: 2, openUntil: start, scheme: .cavage, schemeAt: start))
      #expect(try tx.peer(host)?.scheme == .cavage)
      #expect(try tx.peers([host]).count == 1)
      #expect(try tx.nextDelivery() == start)
      let deliveries = try tx.leaseDeliveries(at: start, until: start, limit: 5, perHost: 2, busy: ["x.test"])
      #expect(deliveries.map(\.body) == [[1]])
      for delivery in deliveries {
        try tx.retry(delivery.id, at: start, status: 503, error: "e")
        try tx.park(delivery.id, until: start)
        try tx.finish(delivery.id, as: .abandoned, status: 410, error: nil)
      }
      #expect(try tx.closeCircuit(of: host, at: start))
      try tx.wakeDeliveries(to: host, at: start)
      try tx.parkDeliveries(to: host, until: start)
      #expect(try tx.expireDeliveries(createdBefore: start) == 0)
    }
    #expect(found.scans == [])
  }

  @Test func `relays, forwarding and lists of followers use indexes`() async throws {
    // An admin adds each relay by hand: they are few, and all of them are meant.
    let found = try await explain(allowing: ["relays"]) { tx, world, scratch in
      let inbox = iri("https://relay.test/inbox")
      var relay = Relay(
        id: scratch.id(), style: .mastodon, inbox: inbox, follow: iri("https://atelier.test/relays/1"),
        createdAt: start)
      try tx.insert(relay)
      #expect(try tx.relay(inbox: inbox) == relay)
      #expect(try tx.relay(follow: relay.follow) == relay)
      relay.actor = iri("https://relay.test/actor")
      relay.state = .accepted
      relay.answeredAt = start
      try tx.update(relay)
      #expect(try tx.relay(relay.id) == relay)
      #expect(try tx.relay(actor: iri("https://relay.test/actor")) == relay)
      #expect(try tx.relays() == [relay])
      #expect(try tx.mayPassOn(iri("https://relay.test/actor")))
      #expect(try !tx.mayPassOn(world.far.uri))
      try tx.delete(relay: relay.id)
      #expect(try tx.forwardCount(by: world.author.id, after: ID(rawValue: 0)) == 0)
      #expect(try tx.accept(world.follow))
      #expect(try tx.localFollowers(of: world.far.id).map(\.follower) == [world.author.uri])
      #expect(try tx.remoteFollowerURIs(of: world.author.id, limit: 5) == [])
      #expect(try tx.followerCheck(of: world.far.id) == nil)
      try tx.noteFollowerCheck(of: world.far.id, at: start)
      try tx.noteFollowerCheck(of: world.far.id, at: start.adding(.seconds(1)))
      #expect(try tx.followerCheck(of: world.far.id) == start.adding(.seconds(1)))
    }
    #expect(found.scans == [])
  }

  /// Upkeep and the console may read a whole table; they still have to run.
  @Test func `upkeep and counting run`() async throws {
    let found = try await explain(allowing: Explaining.tables) { tx, world, _ in
      try tx.releaseAllLeases(at: start)
      try tx.deleteOutgoing(createdBefore: start)
      _ = try tx.jobCounts()
      _ = try tx.deliveryCounts()
      #expect(try tx.deliveryTroubles() == [])
      try tx.delete(account: world.far.id)
      #expect(try tx.counts(of: [world.post.id])[world.post.id]?.replies == 0)
    }
    #expect(found.statements > 5)
  }
}
