import ActivityStreams
import Model
import Persistence
import Primitives
import Store

/// An activity as bytes, and whom to tell.
struct ComposedActivity: Sendable {
  var sender: Account
  /// The activity's id.
  var id: IRI
  var object: IRI
  var isUpdate = false
  var body: [UInt8]
  /// Every remote follower of the sender is told.
  var toFollowers = false
  var recipients: [Account] = []
  /// Beside them, as they stand.
  var inboxes: [IRI] = []
  /// Public words, for relays too.
  var isForEveryone = false
  /// False for what may be said again under the same id, such as a Like after its Undo.
  var isUnique = true
  /// What is remembered of it, in the commit that queues it.
  var note: (@Sendable (any WriteTransaction) throws -> Void)?
}

extension Composer {
  func created(_ facts: PostFacts) async throws -> ComposedActivity {
    let id = instance.activity(of: facts.post.uri)
    let header = Header(
      id: id, actor: facts.author.uri, addressing: facts.addressing, published: facts.post.createdAt)
    let create = Activity.create(Create(header: header, object: .embedded(.note(facts.note(in: instance)))))
    let byReference = Activity.create(Create(header: header, object: .link(facts.post.uri)))
    return try await composed(facts, id: id, create, byReference, isUpdate: false)
  }

  func updated(_ facts: PostFacts) async throws -> ComposedActivity {
    try await updated(facts, at: facts.post.changedAt, and: [])
  }

  func updated(_ facts: PostFacts, at time: Timestamp, and others: [Account]) async throws -> ComposedActivity {
    let id = instance.update(of: facts.post.uri, at: time)
    let header = Header(id: id, actor: facts.author.uri, addressing: facts.addressing, published: time)
    let update = Activity.update(Update(header: header, object: .embedded(.note(facts.note(in: instance)))))
    let byReference = Activity.update(Update(header: header, object: .link(facts.post.uri)))
    var composed = try await composed(facts, id: id, update, byReference, isUpdate: true)
    composed.recipients += others
    return composed
  }

  /// The object goes inside with its own context and proof (FEP-8b32, example 3), unless the whole would be too large
  /// for Misskey: then its id goes, and the peer fetches it.
  private func composed(
    _ facts: PostFacts, id: IRI, _ activity: Activity, _ byReference: Activity, isUpdate: Bool
  ) async throws -> ComposedActivity {
    let time = facts.post.changedAt
    var document = activity.document ?? .null
    document["object"] = try await noteDocument(facts)
    if facts.isSigned { document = try await signed(document, by: facts.author.id, at: time) }
    var body = document.bytes
    if body.count > Limits.outgoingDocument {
      var small = byReference.document ?? .null
      if facts.isSigned { small = try await signed(small, by: facts.author.id, at: time) }
      body = small.bytes
    }
    var people = facts.mentions
    if facts.post.visibility.isOpen, let parent = facts.parentAuthor { people.append(parent) }
    return ComposedActivity(
      sender: facts.author, id: id, object: facts.post.uri, isUpdate: isUpdate, body: body,
      toFollowers: facts.post.visibility != .direct, recipients: people,
      isForEveryone: facts.post.visibility == .everyone)
  }

  func boosted(_ boost: Post) async throws -> ComposedActivity? {
    let found = try await environment.database.read { tx -> (Account, Post, Account)? in
      guard let booster = try tx.account(boost.authorID),
        let original = try boost.boostOfID.flatMap({ try tx.post($0) }),
        let author = try tx.account(original.authorID)
      else { return nil }
      return (booster, original, author)
    }
    guard let (booster, original, author) = found else { return nil }
    let header = Header(
      id: boost.uri, actor: booster.uri,
      addressing: Addressing(boost.visibility.audience, followers: booster.followers, mentions: [author.uri]),
      published: boost.createdAt)
    let activity = Activity.announce(Announce(header: header, object: original.uri))
    return ComposedActivity(
      sender: booster, id: boost.uri, object: original.uri,
      body: try await signed(activity.document ?? .null, by: booster.id, at: boost.createdAt).bytes, toFollowers: true,
      recipients: [author])
  }

  /// An activity of `sender` that is signed unless it speaks of private words.
  func simple(
    _ activity: Activity, id: IRI, by sender: Account, about object: IRI, to recipients: [Account],
    toFollowers: Bool = false, isSigned: Bool = true, isUnique: Bool = true
  ) async throws -> ComposedActivity {
    var document = activity.document ?? .null
    if isSigned { document = try await signed(document, by: sender.id, at: environment.time.now()) }
    return ComposedActivity(
      sender: sender, id: id, object: object, body: document.bytes, toFollowers: toFollowers, recipients: recipients,
      isUnique: isUnique)
  }
}
