import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

/// splitmix64: the same walk on every machine, from a seed that a failure prints.
private struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// What no sequence of acts may break, whoever acts in whatever order.
@Suite struct WanderingTests {
  @Test(arguments: [UInt64(11), 12, 13, 14])
  func `numbers, home timelines and notifications stay true through any sequence of acts`(seed: UInt64) async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    var locals: [Account] = []
    for name in ["a", "b", "c"] { locals.append(try await house.artist(name, locked: name == "c")) }
    let remotes = [try await house.stranger("x"), try await house.stranger("y")]
    let people = locals
    let context = house.context
    let complaints = try await house.write { tx, _ in
      var walk = Walk(seed: seed, locals: people, remotes: remotes, house: house)
      var complaints: [String] = []
      for step in 0..<400 where complaints.isEmpty {
        let act: String
        do { act = try walk.step(tx, context) } catch is OperationFailure { continue }
        complaints = try Recount.differences(tx) + Self.strays(tx)
        complaints = complaints.map { "seed \(seed), step \(step), \(act): \($0)" }
      }
      return complaints
    }
    #expect(complaints == [])
    #expect(try await house.database.findDamage() == [])
  }

  /// Rows that should not be there: of people who do not follow, about oneself, of held posts, beside a block.
  private static func strays(_ tx: any ReadTransaction) throws -> [String] {
    let homes = try tx.rows(
      """
      SELECT posts.id AS id FROM home_entries JOIN posts ON posts.id = home_entries.post_id
      WHERE home_entries.owner_id <> posts.author_id AND NOT EXISTS (SELECT 1 FROM follows
        WHERE follows.follower_id = home_entries.owner_id AND follows.followee_id = posts.author_id
          AND follows.state = 'accepted')
      """)
    let own = try tx.rows("SELECT id FROM notifications WHERE recipient_id = from_id AND kind <> 'atelier.decision'")
    let follows = try tx.rows(
      """
      SELECT follows.id AS id FROM follows JOIN blocks ON (blocks.account_id = follows.follower_id
        AND blocks.target_id = follows.followee_id) OR (blocks.target_id = follows.follower_id
        AND blocks.account_id = follows.followee_id)
      """)
    let doubled = try tx.rows(
      """
      SELECT MIN(id) AS id FROM notifications WHERE kind <> 'atelier.decision'
      GROUP BY recipient_id, from_id, kind, post_id HAVING COUNT(*) > 1
      """)
    let early = try tx.rows(
      """
      SELECT posts.id AS id FROM home_entries JOIN posts ON posts.id = home_entries.post_id
      WHERE posts.state = 'held' AND posts.edited_at IS NULL
      """)
    return try homes.map { "a stray home entry \(try $0.int64("id"))" }
      + own.map { "a notification about oneself \(try $0.int64("id"))" }
      + follows.map { "a follow beside a block \(try $0.int64("id"))" }
      + doubled.map { "told twice \(try $0.int64("id"))" } + early.map { "shown while held \(try $0.int64("id"))" }
  }
}

private struct Walk {
  var chance: Seeded
  let locals: [Account]
  let remotes: [Account]
  let house: House
  var serial = 0

  init(seed: UInt64, locals: [Account], remotes: [Account], house: House) {
    chance = Seeded(seed)
    self.locals = locals
    self.remotes = remotes
    self.house = house
  }

  private mutating func pick<T>(_ from: [T]) throws -> T {
    guard let found = from.randomElement(using: &chance) else { throw OperationFailure.notFound }
    return found
  }

  private mutating func anyPost(_ tx: any ReadTransaction) throws -> Post {
    let ids = try tx.rows("SELECT id FROM posts ORDER BY id").map { try $0.id("id") as Post.ID }
    guard let post = try tx.post(try pick(ids)) else { throw OperationFailure.notFound }
    return post
  }

  private mutating func name(_ kind: String) -> IRI {
    serial += 1
    return house.iri("https://paper.test/\(kind)/\(serial)")
  }

  /// Does one thing at random and says what.
  mutating func step(_ tx: any WriteTransaction, _ context: OperationContext) throws -> String {
    let (local, remote) = (try pick(locals), try pick(remotes))
    let other = try pick(locals + remotes)
    switch Int.random(in: 0..<14, using: &chance) {
    case 0...2: return try people(tx, context, local, other, remote)
    case 3, 4: return try writing(tx, context, local, other)
    case 5, 6: return try arriving(tx, context, remote, local)
    case 7, 8: return try reacting(tx, context, local, try anyPost(tx))
    case 9, 10: return try reactingElsewhere(tx, context, remote, try anyPost(tx))
    case 11: return try deciding(tx, context, local)
    default: return try editing(tx, context, try anyPost(tx), local)
    }
  }

  private mutating func people(
    _ tx: any WriteTransaction, _ context: OperationContext, _ local: Account, _ other: Account, _ remote: Account
  ) throws -> String {
    switch Int.random(in: 0..<12, using: &chance) {
    case 0...2: _ = try tx.follow(other, by: local, in: context)
    case 3: try tx.unfollow(other, by: local, in: context)
    case 4, 5: try tx.receiveFollow(of: local, by: remote, uri: name("f"), in: context)
    case 6: try tx.acceptFollow(by: other, to: local, in: context)
    case 7: try tx.rejectFollow(by: other, to: local, in: context)
    case 8, 9:
      if let follow = try tx.follow(of: remote.id, by: local.id) {
        try tx.receiveAccept(of: follow, in: context)
        if Bool.random(using: &chance), Bool.random(using: &chance) { try tx.receiveReject(of: follow) }
      }
    case 10:
      try tx.block(other, by: local, in: context)
      if Bool.random(using: &chance) { try tx.unblock(other, by: local) }
    default:
      try tx.block(local, by: remote, in: context)
      try tx.deleteBlock(by: remote.id, of: local.id)
    }
    return "people"
  }

  private mutating func writing(
    _ tx: any WriteTransaction, _ context: OperationContext, _ local: Account, _ other: Account
  ) throws -> String {
    var draft = PostDraft(text: "text", content: "text")
    draft.visibility = try pick(Visibility.allCases)
    draft.mentions = [other.id]
    if Bool.random(using: &chance) { draft.inReplyTo = try anyPost(tx) }
    if draft.inReplyTo?.boostOfID != nil { draft.inReplyTo = nil }
    if Int.random(in: 0..<3, using: &chance) == 0 {
      let picture = Model.Attachment(id: context.ids.next(), ownerID: local.id, createdAt: context.now)
      try tx.insert(picture)
      let letter = try pick(Array("abcdef"))
      let analysed = house.analysed(
        letter, .strong, hash: UInt64.random(in: 0 ... .max, using: &chance), for: picture.id)
      _ = try tx.settle(picture, as: analysed, in: context)
      draft.attachments = [picture.id]
    }
    return "publish \(try tx.publish(draft, by: local, in: context).visibility)"
  }

  private mutating func arriving(
    _ tx: any WriteTransaction, _ context: OperationContext, _ remote: Account, _ local: Account
  ) throws -> String {
    let uri = name("p")
    var post = Post(
      id: context.ids.next(), uri: uri, url: uri, authorID: remote.id, content: "x", visibility: .everyone,
      createdAt: context.now, isLocal: false)
    post.visibility = try pick(Visibility.allCases)
    if Bool.random(using: &chance) {
      let parent = try anyPost(tx)
      if parent.boostOfID == nil {
        post.inReplyToID = parent.id
        post.inReplyToURI = parent.uri
        post.inReplyToAccountID = parent.authorID
      }
    } else if Bool.random(using: &chance) {
      // Its parent will come later, or never.
      post.inReplyToURI = house.iri("https://paper.test/p/\(serial + 1)")
    }
    _ = try tx.receive(
      ReceivedPost(post: post, attachments: [], mentions: [local.id], tags: [], document: []), from: remote,
      in: context)
    return "receive"
  }

  private mutating func reacting(
    _ tx: any WriteTransaction, _ context: OperationContext, _ local: Account, _ post: Post
  ) throws -> String {
    switch Int.random(in: 0..<4, using: &chance) {
    case 0: _ = try tx.boost(post, by: local, in: context)
    case 1:
      if let boost = try tx.boost(of: post.id, by: local.id) { try tx.unboost(boost, by: local, in: context) }
    case 2: try tx.favourite(post, by: local, in: context)
    default: try tx.unfavourite(post, by: local, in: context)
    }
    return "react"
  }

  private mutating func reactingElsewhere(
    _ tx: any WriteTransaction, _ context: OperationContext, _ remote: Account, _ post: Post
  ) throws -> String {
    switch Int.random(in: 0..<4, using: &chance) {
    case 0:
      _ = try tx.receiveBoost(
        of: post, by: remote, uri: name("b"), published: context.now, visibility: .everyone, in: context)
    case 1: if let boost = try tx.boost(of: post.id, by: remote.id) { try tx.receiveUndo(ofBoost: boost) }
    case 2: try tx.receiveFavourite(of: post, by: remote, uri: name("l"), in: context)
    default: if let like = try tx.favourite(of: post.id, by: remote.id) { try tx.receiveUndo(of: like) }
    }
    return "react elsewhere"
  }

  private mutating func deciding(
    _ tx: any WriteTransaction, _ context: OperationContext, _ moderator: Account
  ) throws -> String {
    let ids = try tx.rows("SELECT id FROM attachments ORDER BY id").map { try $0.id("id") as Model.Attachment.ID }
    guard let picture = try tx.attachment(try pick(ids)) else { throw OperationFailure.notFound }
    try tx.decide(try pick(Verdict.allCases), on: picture, sentence: "So.", by: moderator, in: context)
    return "decide"
  }

  private mutating func editing(
    _ tx: any WriteTransaction, _ context: OperationContext, _ post: Post, _ local: Account
  ) throws -> String {
    let deletes = Bool.random(using: &chance)
    guard let author = (locals + remotes).first(where: { $0.id == post.authorID }) else {
      throw OperationFailure.notFound
    }
    switch (author.isLocal, deletes) {
    case (true, true): try tx.delete(post, by: author, in: context)
    case (true, false):
      var draft = PostDraft(text: "edited", content: "edited")
      draft.mentions = [local.id]
      _ = try tx.edit(post, to: draft, altTexts: [:], by: author, in: context)
    case (false, true): try tx.receiveDelete(of: post.uri, by: author.uri, in: context)
    case (false, false):
      guard post.boostOfID == nil else { throw OperationFailure.notFound }
      try tx.receiveEdit(
        ReceivedPost(post: post, attachments: [], mentions: [local.id], tags: [], document: []), of: post,
        in: context)
    }
    return deletes ? "delete" : "edit"
  }
}
