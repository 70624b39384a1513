import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

/// A transaction whose `failing`-th change or reading fails, as a full disk or a lost page would make it.
private final class Faulty: WriteTransaction {
  private let inner: any WriteTransaction
  private let failing: Int
  private(set) var count = 0

  init(_ inner: any WriteTransaction, failing: Int) {
    self.inner = inner
    self.failing = failing
  }

  var statementCount: Int { inner.statementCount }
  func afterCommit(_ signal: Signal) { inner.afterCommit(signal) }

  func rows(_ sql: SQL) throws -> [Row] {
    try step()
    return try inner.rows(sql)
  }

  func execute(_ sql: SQL) throws -> Int {
    try step()
    return try inner.execute(sql)
  }

  private func step() throws {
    count += 1
    if count == failing { throw DatabaseError.inputOutput(code: 10) }
  }
}

private struct Undone: Error {}

/// SQLite's `crash3.test` as a law: an operation of which any one statement fails leaves the database as it was.
@Suite struct FaultTests {
  private struct World {
    let house: House
    let mika: Account
    let ines: Account
    let locked: Account
    let far: Account
    let boss: Account
    let post: Post
    let theirs: Post
    let held: Post
    let boost: Post
    let picture: Model.Attachment
    let labelled: Model.Attachment
    let refused: Model.Attachment
    let request: Follow

    init() async throws {
      house = try await House()
      try await house.setPolicy { $0.strong = "hold" }
      mika = try await house.artist("mika")
      ines = try await house.artist("ines")
      locked = try await house.artist("locked", locked: true)
      boss = try await house.artist("boss")
      far = try await house.stranger("far")
      for (follower, followee) in [(ines, mika), (far, mika), (mika, far)] {
        try await house.befriend(follower, followee)
      }
      post = try await house.publish("work", by: mika) { [ines] in
        $0.mentions = [ines.id]
        $0.tags = ["ink"]
      }
      theirs = try #require(try await house.receive(house.remote("theirs", by: far, at: "1"), from: far))
      picture = try await house.upload("a", nil, by: mika)
      let waiting = try await house.upload("b", .strong, hash: 0xf0f0_f0f0, by: mika)
      held = try await house.publish("held", by: mika) { $0.attachments = [waiting.id] }
      labelled = try await house.current(waiting.id)
      refused = try await house.remotePicture("c", .conclusive, by: far, path: "2").picture
      boost = try await house.write { [post, ines] in try $0.boost(post, by: ines, in: $1) }
      request = try await house.write { [mika, locked] in try $0.follow(locked, by: mika, in: $1) }
      try await house.write { [theirs, mika] in try $0.favourite(theirs, by: mika, in: $1) }
    }
  }

  private typealias Operation = @Sendable (any WriteTransaction, World, OperationContext) throws -> Void

  /// Fails each statement in turn; then lets it succeed and expects a change, honest counts and a sound file.
  private func sweep(_ world: World, _ name: String, _ operation: @escaping Operation) async throws {
    let before = try await world.house.dump()
    var failing = 1
    while true {
      let position = failing
      do {
        try await world.house.write { tx, context in
          let faulty = Faulty(tx, failing: position)
          try operation(faulty, world, context)
          // Every statement was reached: the same run with all of them is undone by hand, to try the next world.
          throw Undone()
        }
      } catch is Undone {
        break
      } catch DatabaseError.inputOutput {
        #expect(try await world.house.dump() == before, "\(name), statement \(position)")
      }
      failing += 1
      guard failing < 400 else { break }
    }
    #expect(failing > 1, "\(name) ran no statement")
    #expect(try await world.house.dump() == before, "\(name), undone as a whole")
    try await world.house.write { tx, context in
      try operation(tx, world, context)
      #expect(try Recount.differences(tx) == [], "\(name)")
    }
    #expect(try await world.house.dump() != before, "\(name) changed nothing")
    #expect(try await world.house.database.findDamage() == [])
  }

  private static let people: [(String, Operation)] = [
    ("follow", { tx, world, context in _ = try tx.follow(world.mika, by: world.boss, in: context) }),
    ("follow elsewhere", { tx, world, context in _ = try tx.follow(world.far, by: world.ines, in: context) }),
    ("unfollow", { tx, world, context in try tx.unfollow(world.far, by: world.mika, in: context) }),
    (
      "receive follow",
      { tx, world, context in
        try tx.receiveFollow(of: world.ines, by: world.far, uri: world.house.iri("https://paper.test/f"), in: context)
      }
    ),
    ("accept", { tx, world, context in try tx.acceptFollow(by: world.mika, to: world.locked, in: context) }),
    ("reject", { tx, world, context in try tx.rejectFollow(by: world.ines, to: world.mika, in: context) }),
    ("receive accept", { tx, world, context in try tx.receiveAccept(of: world.request, in: context) }),
    ("receive reject", { tx, world, _ in try tx.receiveReject(of: world.request) }),
    ("receive undo", { tx, world, _ in try tx.receiveUndo(of: world.request) }),
    ("block", { tx, world, context in try tx.block(world.far, by: world.mika, in: context) }),
    ("block from elsewhere", { tx, world, context in try tx.block(world.mika, by: world.far, in: context) }),
    (
      "unlock",
      { tx, world, context in
        var open = world.locked
        open.isLocked = false
        try tx.updateProfile(open, in: context)
      }
    ),
    (
      "usage policy",
      { tx, world, context in
        _ = try tx.changeUsagePolicy(of: world.mika, to: UsagePolicy(.open, basis: .explicit), in: context)
      }
    ),
    (
      "account",
      { tx, _, context in
        _ = try tx.createAccount(
          NewAccount(username: "new", email: "new@mail.test", passwordHash: "x", role: .artist, keys: []),
          id: ID(rawValue: 77), in: context)
      }
    ),
    ("departure", { tx, world, context in try tx.receiveDeparture(of: world.far, in: context) }),
    ("move", { tx, world, _ in try tx.receiveMove(of: world.far, to: world.house.iri("https://new.test/a")) }),
  ]

  private static let posts: [(String, Operation)] = [
    (
      "publish",
      { tx, world, context in
        var draft = PostDraft(text: "new", content: "new")
        draft.mentions = [world.ines.id]
        draft.tags = ["a", "b"]
        draft.inReplyTo = world.post
        draft.attachments = [world.picture.id]
        draft.idempotencyKey = "k"
        _ = try tx.publish(draft, by: world.mika, in: context)
      }
    ),
    (
      "edit",
      { tx, world, context in
        var draft = PostDraft(text: "changed", content: "changed")
        draft.mentions = [world.boss.id]
        draft.attachments = [world.picture.id]
        _ = try tx.edit(world.post, to: draft, altTexts: [world.picture.id: "alt"], by: world.mika, in: context)
      }
    ),
    (
      "edit out of a hold",
      { tx, world, context in
        let draft = PostDraft(text: "changed", content: "changed")
        _ = try tx.edit(world.held, to: draft, altTexts: [:], by: world.mika, in: context)
      }
    ),
    ("delete", { tx, world, context in try tx.delete(world.post, by: world.mika, in: context) }),
    ("boost", { tx, world, context in _ = try tx.boost(world.post, by: world.boss, in: context) }),
    ("unboost", { tx, world, context in try tx.unboost(world.boost, by: world.ines, in: context) }),
    ("favourite", { tx, world, context in try tx.favourite(world.theirs, by: world.ines, in: context) }),
    ("unfavourite", { tx, world, context in try tx.unfavourite(world.theirs, by: world.mika, in: context) }),
    (
      "receive",
      { tx, world, context in
        var received = world.house.remote("r", by: world.far, at: "9")
        received.post.id = ID(rawValue: 99)
        received.post.inReplyToID = world.post.id
        received.post.inReplyToURI = world.post.uri
        received.mentions = [world.mika.id]
        received.tags = ["x"]
        received.attachments = [
          Model.Attachment(
            id: ID(rawValue: 98), ownerID: world.far.id, remoteURL: world.house.iri("https://paper.test/9.png"),
            createdAt: context.now)
        ]
        _ = try tx.receive(received, from: world.far, in: context)
      }
    ),
    (
      "receive edit",
      { tx, world, context in
        var received = world.house.remote("r", by: world.far, at: "1")
        received.mentions = [world.mika.id]
        try tx.receiveEdit(received, of: world.theirs, in: context)
      }
    ),
    (
      "receive delete",
      { tx, world, context in try tx.receiveDelete(of: world.theirs.uri, by: world.far.uri, in: context) }
    ),
    (
      "receive boost",
      { tx, world, context in
        _ = try tx.receiveBoost(
          of: world.post, by: world.far, uri: world.house.iri("https://paper.test/b"), published: context.now,
          visibility: .everyone, in: context)
      }
    ),
    (
      "receive favourite",
      { tx, world, context in
        try tx.receiveFavourite(
          of: world.post, by: world.far, uri: world.house.iri("https://paper.test/l"), in: context)
      }
    ),
  ]

  private static let decisions: [(String, Operation)] = [
    (
      "settle",
      { tx, world, context in
        let analysed = world.house.analysed("d", .strong, hash: 3, for: world.picture.id)
        _ = try tx.settle(world.picture, as: analysed, in: context)
      }
    ),
    (
      "settle as refused",
      { tx, world, context in
        let analysed = world.house.analysed("d", .conclusive, hash: 3, for: world.picture.id)
        _ = try tx.settle(world.picture, as: analysed, in: context)
      }
    ),
    ("fail", { tx, world, context in try tx.fail(world.picture, reason: "image.truncated", in: context) }),
    ("overturn and release", { tx, world, context in try tx.overturn(world.labelled, by: world.boss, in: context) }),
    ("overturn a refusal", { tx, world, context in try tx.overturn(world.refused, by: world.boss, in: context) }),
    (
      "decide",
      { tx, world, context in
        try tx.decide(.refuse, on: world.labelled, sentence: "No.", by: world.boss, in: context)
      }
    ),
    (
      "appeal",
      { tx, world, context in _ = try tx.appeal(world.labelled, message: "mine", contact: "", in: context) }
    ),
    (
      "policy",
      { tx, world, context in
        _ = try tx.changePolicy(to: .standard, from: 2, note: "", by: world.boss.id, in: context)
      }
    ),
    (
      "reconsider",
      { tx, world, context in
        _ = try tx.changePolicy(to: .standard, from: 2, note: "", by: nil, in: context)
        try tx.reconsider(world.labelled, in: context)
      }
    ),
  ]

  @Test func `an act between people that fails anywhere has not happened`() async throws {
    for (name, operation) in Self.people { try await sweep(try await World(), name, operation) }
  }

  @Test func `an act on a post that fails anywhere has not happened`() async throws {
    for (name, operation) in Self.posts { try await sweep(try await World(), name, operation) }
  }

  @Test func `a decision that fails anywhere has not been made`() async throws {
    for (name, operation) in Self.decisions { try await sweep(try await World(), name, operation) }
  }
}
