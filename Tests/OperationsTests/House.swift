import Foundation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Synchronization
import Testing

/// An instance on a database of its own, with a clock that only the test moves.
final class House: Sendable {
  let folder: URL
  let database: SQLiteDatabase
  let instance: Instance
  let ids: SnowflakeGenerator
  private let clock = Mutex(Timestamp(milliseconds: 1_790_000_000_000))

  init(base: String = "https://atelier.test") async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: folder.appendingPathComponent("a.sqlite").path)
    _ = try await database.migrate(migrations, at: Timestamp(milliseconds: 1))
    instance = try #require(IRI(base).flatMap { Instance(base: $0) })
    let random = Mutex<UInt64>(1)
    ids = SnowflakeGenerator(
      time: TimeSource { Timestamp(milliseconds: 1_790_000_000_000) },
      random: RandomBytes { count in
        (0..<count).map { _ in
          random.withLock { state in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
          }
        }
      })
    let start = now
    try await database.write { tx in
      try tx.insert(
        PolicyRevision(number: 1, document: .standard, note: "start", authorID: nil, createdAt: start))
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var now: Timestamp { clock.withLock { $0 } }
  func pass(_ duration: Duration) { clock.withLock { $0 = $0.adding(duration) } }
  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: now) }

  func iri(_ text: String) -> IRI { IRI(text) ?? instance.base }

  func artist(_ name: String, locked: Bool = false, role: Role = .artist) async throws -> Account {
    let context = context
    return try await database.write { tx in
      var account = try tx.createAccount(
        NewAccount(username: name, email: "\(name)@mail.test", passwordHash: "x", role: role, keys: []),
        id: context.ids.next(), in: context)
      if locked {
        account.isLocked = true
        try tx.update(account)
      }
      return account
    }
  }

  func stranger(_ name: String, host: String = "paper.test") async throws -> Account {
    let uri = iri("https://\(host)/users/\(name)")
    let account = Account(
      id: ids.next(), username: name, host: Host(host), uri: uri, url: uri, inbox: iri("https://\(host)/in/\(name)"),
      followers: iri("https://\(host)/users/\(name)/followers"), createdAt: now, fetchedAt: now)
    try await database.write { try $0.insert(account) }
    return account
  }

  func write<T: Sendable>(
    _ body: @escaping @Sendable (any WriteTransaction, OperationContext) throws -> T
  ) async throws -> T {
    let context = context
    return try await database.write { try body($0, context) }
  }

  func read<T: Sendable>(_ body: @escaping @Sendable (any ReadTransaction) throws -> T) async throws -> T {
    try await database.read(body)
  }

  func befriend(_ follower: Account, _ followee: Account) async throws {
    try await write { tx, context in
      let follow = Follow(
        id: context.ids.next(), followerID: follower.id, followeeID: followee.id,
        uri: context.instance.follow(context.ids.next()), state: .accepted, createdAt: context.now)
      try tx.insert(follow)
    }
  }

  func publish(
    _ text: String, by author: Account, _ change: @escaping @Sendable (inout PostDraft) -> Void = { _ in }
  ) async throws -> Post {
    try await write { tx, context in
      var draft = PostDraft(text: text, content: "<p>\(text)</p>")
      change(&draft)
      return try tx.publish(draft, by: author, in: context)
    }
  }

  /// A post of somebody elsewhere, as its document would have been read.
  func remote(
    _ text: String, by author: Account, at path: String, _ change: (inout ReceivedPost) -> Void = { _ in }
  ) -> ReceivedPost {
    let uri = iri("https://\(author.host?.text ?? "x.test")/\(path)")
    let post = Post(
      id: ids.next(), uri: uri, url: uri, authorID: author.id, content: "<p>\(text)</p>", visibility: .everyone,
      createdAt: now, isLocal: false)
    var received = ReceivedPost(post: post, attachments: [], mentions: [], tags: [], document: Array("{}".utf8))
    change(&received)
    return received
  }

  func receive(_ received: ReceivedPost, from author: Account) async throws -> Post? {
    try await write { tx, context in try tx.receive(received, from: author, in: context) }
  }

  func home(of account: Account) async throws -> [String] {
    try await read { try $0.home(of: account.id, Page(limit: 40)).map(\.content) }
  }

  func counts(_ post: Post) async throws -> PostCounts? {
    try await read { try $0.counts(of: [post.id])[post.id] }
  }

  func counts(_ account: Account) async throws -> AccountCounts? {
    try await read { try $0.counts(of: [account.id])[account.id] }
  }

  func told(_ account: Account) async throws -> [Model.Notification.Kind] {
    try await read { tx in
      try tx.notifications(of: account.id, kinds: Model.Notification.Kind.allCases, Page(limit: 100)).map(\.kind)
    }
  }

  /// Payloads of every queued job in the order they would run.
  func jobs() async throws -> [Job] {
    try await read { tx in
      try tx.rows("SELECT payload FROM jobs ORDER BY id").map {
        try JSONDecoder().decode(Job.self, from: Data($0.string("payload").utf8))
      }
    }
  }

  func intents() async throws -> [FederationIntent] {
    try await jobs().compactMap { if case .federate(let intent) = $0 { intent } else { nil } }
  }

  func clearJobs() async throws { try await write { tx, _ in _ = try tx.execute("DELETE FROM jobs") } }

  /// Everything the database holds, as one text.
  func dump() async throws -> String {
    try await read { tx in
      let tables = try tx.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      return try tables.map { row in
        let name = try row.string("name")
        return try "\(name): " + Dump.rows(of: name, tx)
      }.joined(separator: "\n")
    }
  }

  /// Every number beside a post or an account equals a recount, and none is negative.
  func expectHonestCounts(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let wrong = try await read { tx in try Recount.differences(tx) }
    #expect(wrong == [], comment, sourceLocation: sourceLocation)
  }
}

enum Recount {
  static func differences(_ tx: any ReadTransaction) throws -> [String] {
    let posts = try tx.rows(
      """
      SELECT post_id AS id, replies, boosts, favourites,
        (SELECT COUNT(*) FROM posts WHERE in_reply_to_id = post_id AND state = 'published'
          AND visibility IN ('public', 'unlisted')) AS real_replies,
        (SELECT COUNT(*) FROM posts WHERE boost_of_id = post_id) AS real_boosts,
        (SELECT COUNT(*) FROM favourites WHERE favourites.post_id = post_counts.post_id) AS real_favourites
      FROM post_counts
      """
    ).filter { row in
      try row.int("replies") != row.int("real_replies") || row.int("boosts") != row.int("real_boosts")
        || row.int("favourites") != row.int("real_favourites")
    }
    let accounts = try tx.rows(
      """
      SELECT account_id AS id, posts, followers, following,
        (SELECT COUNT(*) FROM posts WHERE author_id = account_id AND boost_of_id IS NULL AND state = 'published'
          AND visibility <> 'direct') AS real_posts,
        (SELECT COUNT(*) FROM follows WHERE followee_id = account_id AND state = 'accepted') AS real_followers,
        (SELECT COUNT(*) FROM follows WHERE follower_id = account_id AND state = 'accepted') AS real_following
      FROM account_counts
      """
    ).filter { row in
      try row.int("posts") != row.int("real_posts") || row.int("followers") != row.int("real_followers")
        || row.int("following") != row.int("real_following")
    }
    return try posts.map { "post \(try $0.int64("id"))" } + accounts.map { "account \(try $0.int64("id"))" }
  }
}
