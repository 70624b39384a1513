import Primitives

/// Work that a committed change has caused. Payloads are ids, never models, keys or documents; stored as JSON, so a
/// case is never renamed once released.
package enum Job: Codable, Hashable, Sendable {
  case receive(ID<InboxActivity>)
  case federate(FederationIntent)
  /// Analyse and decide an upload or a received picture.
  case fetchMedia(Attachment.ID)
  case refreshActor(Account.ID)
  case fetchPost(IRI)
  /// Look for the posts of a conversation that were not sent here, on the servers it lives on.
  case readThread(Post.ID)
  /// Find out what a post quotes, and whether it may.
  case resolveQuote(Post.ID)
  /// Reads the counts of a poll of another server, tells those of ours, and ends it when its time has come.
  case settlePoll(Post.ID)
  /// Its time has come, or came and was changed since.
  case publishScheduled(ScheduledPost.ID)
  /// Compares who of here follows an account elsewhere with what its server lists at `url`, if that still has `digest`.
  case compareFollowers(Account.ID, url: IRI, digest: String)
  /// Decide stored facts again under the current policy.
  case reconsider(Attachment.ID)
  /// Make the files of a picture again, so that they carry what its work says to machines now.
  case remark(Attachment.ID)
  /// Reads the collection of pinned posts of an account elsewhere.
  case fetchFeatured(Account.ID)
  /// Copies the portraits of an account elsewhere.
  case fetchPortraits(Account.ID)
  /// Delete these files unless a work still needs them: a refused picture's bytes do not stay.
  case discardFiles([Digest])
  case mail(Letter)
  /// Tells one app of one notification.
  case push(Notification.ID, PushSubscription.ID)

  package var lane: Lane {
    switch self {
    case .receive: .inbound
    case .federate: .federation
    case .fetchMedia, .reconsider, .remark, .discardFiles, .fetchPortraits: .media
    case .refreshActor, .fetchPost, .readThread, .resolveQuote, .settlePoll, .publishScheduled, .fetchFeatured:
      .resolving
    case .compareFollowers: .resolving
    case .mail: .mail
    case .push: .push
    }
  }

  package enum Lane: String, Codable, Hashable, Sendable, CaseIterable {
    case inbound, federation, media, resolving, mail, push
  }
}

/// What other servers must be told. Composed to bytes once, after the change has been committed.
package enum FederationIntent: Codable, Hashable, Sendable {
  case created(Post.ID)
  case updated(Post.ID)
  /// The post is gone: `recipients` are the remote accounts that were addressed besides the followers.
  case deleted(uri: IRI, author: Account.ID, visibility: Visibility, recipients: [Account.ID])
  case boosted(Post.ID)
  case unboosted(uri: IRI, of: IRI, author: Account.ID, recipients: [Account.ID])
  case favourited(account: Account.ID, post: Post.ID)
  case unfavourited(uri: IRI, account: Account.ID, post: IRI, recipient: Account.ID)
  case followed(Follow.ID)
  case unfollowed(uri: IRI, follower: Account.ID, followee: Account.ID)
  case accepted(follow: Follow.ID)
  /// The follow row is gone.
  case rejected(uri: IRI, follower: Account.ID, followee: Account.ID)
  case profileUpdated(Account.ID)
  /// One answer to a poll of another server.
  case voted(PollVote.ID)
  /// A post of ours asks to quote another's.
  case quoteRequested(Post.ID)
  /// What an artist here said to such a wish.
  case quoteAnswered(QuoteConsent.ID)
  case quoteRevoked(stamp: IRI, author: Account.ID, asker: Account.ID)
  /// What stands beside the words of a post has changed: who may do what with it, or its quote's consent. No edit.
  case redescribed(Post.ID)
  /// A poll of ours has new counts, or has ended.
  case pollCounted(Post.ID)
  /// A policy of an artist elsewhere was read and is honoured here.
  case policyAnswered(policy: IRI, author: Account.ID)
  case pinned(Post.ID)
  case unpinned(Post.ID)
  /// The server tells another one of a report, without saying whose it is.
  case flagged(Report.ID)
  case relayJoined(Relay.ID)
  /// The row is gone. `object` is what our Follow named; nil for everybody.
  case relayLeft(follow: IRI, inbox: IRI, object: IRI?)
  /// A decision on a picture from elsewhere, for the assessors that may hear it.
  case assessed(DecisionRecord.ID)
}

/// A verified activity as received, waiting for or after its effects.
package struct InboxActivity: Hashable, Sendable {
  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case pending, done, rejected }
  package var id: ID<InboxActivity>
  package var activityURI: IRI
  package var signer: IRI
  /// The bytes that were verified.
  package var body: [UInt8]
  package var state: State
  package var reason: String?
  package var receivedAt: Timestamp
  /// Who passed it on, if not its own actor.
  package var forwarder: IRI?

  package init(
    id: ID<InboxActivity>, activityURI: IRI, signer: IRI, body: [UInt8], state: State, reason: String?,
    receivedAt: Timestamp, forwarder: IRI? = nil
  ) {
    self.id = id
    self.activityURI = activityURI
    self.signer = signer
    self.body = body
    self.state = state
    self.reason = reason
    self.receivedAt = receivedAt
    self.forwarder = forwarder
  }
}

/// A job taken for a while. Its attempt was counted before the work began, so that a job that kills the process is
/// recognised.
package struct JobLease: Hashable, Sendable {
  package var id: ID<Job>
  package var job: Job
  package var attempt: Int
  package init(id: ID<Job>, job: Job, attempt: Int) {
    self.id = id
    self.job = job
    self.attempt = attempt
  }
}

/// Activity bytes, made once: what is signed, stored and sent again.
package struct Outgoing: Hashable, Sendable {
  package var id: ID<Outgoing>
  package var senderID: Account.ID
  package var uri: IRI
  /// What it is about, so that parked Updates of one object can be coalesced.
  package var objectURI: IRI
  package var isUpdate: Bool
  /// Somebody else's words, passed on as they came (ActivityPub 7.1.2).
  package var isForwarded: Bool
  /// Addressed to the followers of the sender, so that their servers may compare lists (FEP-8fcf).
  package var toFollowers: Bool
  package var body: [UInt8]
  package var createdAt: Timestamp
  package init(
    id: ID<Outgoing>, senderID: Account.ID, uri: IRI, objectURI: IRI, isUpdate: Bool, isForwarded: Bool = false,
    toFollowers: Bool = false, body: [UInt8], createdAt: Timestamp
  ) {
    self.id = id
    self.senderID = senderID
    self.uri = uri
    self.objectURI = objectURI
    self.isUpdate = isUpdate
    self.isForwarded = isForwarded
    self.toFollowers = toFollowers
    self.body = body
    self.createdAt = createdAt
  }
}

/// One body on its way to one inbox.
package struct Delivery: Hashable, Sendable {
  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case waiting, delivered, abandoned, expired }
  package var id: ID<Delivery>
  package var outgoingID: ID<Outgoing>
  package var senderID: Account.ID
  package var inbox: IRI
  package var attempt: Int
  package var createdAt: Timestamp
  package var isForwarded: Bool
  package var toFollowers: Bool
  package var body: [UInt8]
  package init(
    id: ID<Delivery>, outgoingID: ID<Outgoing>, senderID: Account.ID, inbox: IRI, attempt: Int, createdAt: Timestamp,
    isForwarded: Bool = false, toFollowers: Bool = false, body: [UInt8]
  ) {
    self.id = id
    self.outgoingID = outgoingID
    self.senderID = senderID
    self.inbox = inbox
    self.attempt = attempt
    self.createdAt = createdAt
    self.isForwarded = isForwarded
    self.toFollowers = toFollowers
    self.body = body
  }
}
