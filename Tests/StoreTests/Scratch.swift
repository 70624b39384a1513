import Foundation
import Model
import Persistence
import Policy
import Primitives
import Store
import Synchronization

/// A migrated database in a folder of its own, removed with it.
final class Scratch: Sendable {
  let folder: URL
  let database: SQLiteDatabase
  private let last = Mutex<Int64>(1_000)

  init() async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: folder.appendingPathComponent("a.sqlite").path)
    _ = try await database.migrate(migrations, at: start)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func id<Entity>() -> ID<Entity> {
    ID(
      rawValue: last.withLock { last in
        last += 1
        return last
      })
  }

  func read<T: Sendable>(_ body: @escaping @Sendable (any ReadTransaction) throws -> T) async throws -> T {
    try await database.read(body)
  }

  func write<T: Sendable>(_ body: @escaping @Sendable (any WriteTransaction) throws -> T) async throws -> T {
    try await database.write(body)
  }

  func account(_ name: String, host: String? = nil) -> Account {
    let base = "https://\(host ?? "atelier.test")"
    return Account(
      id: id(), username: name, host: host.flatMap { Host($0) }, uri: iri("\(base)/users/\(name)"),
      url: iri("\(base)/@\(name)"), inbox: iri("\(base)/in/\(name)"), sharedInbox: iri("\(base)/inbox"),
      followers: iri("\(base)/users/\(name)/followers"), createdAt: start, fetchedAt: start)
  }

  func post(by author: Account, _ change: (inout Post) -> Void = { _ in }) -> Post {
    let id: Post.ID = id()
    let uri = iri("https://\(author.host?.text ?? "atelier.test")/posts/\(id)")
    var post = Post(
      id: id, uri: uri, url: uri, authorID: author.id, content: "<p>\(id)</p>", visibility: .everyone,
      createdAt: start, isLocal: author.isLocal)
    change(&post)
    return post
  }

  func follow(_ follower: Account, _ followee: Account, _ state: Follow.State = .accepted) -> Follow {
    let id: Follow.ID = id()
    return Follow(
      id: id, followerID: follower.id, followeeID: followee.id, uri: iri("https://atelier.test/follows/\(id)"),
      state: state, createdAt: start)
  }
}

let start = Timestamp(milliseconds: 1_790_000_000_000)

func iri(_ text: String) -> IRI {
  guard let iri = IRI(text) else { preconditionFailure("a test wrote \(text)") }
  return iri
}

/// splitmix64: the same numbers on every machine, from a seed that a failure prints.
struct Seeded: RandomNumberGenerator {
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

/// A transaction that asks the planner about each statement before it runs it.
final class Explaining: WriteTransaction {
  private let inner: any WriteTransaction
  private(set) var plans: [(text: String, steps: [String])] = []

  init(_ inner: any WriteTransaction) { self.inner = inner }

  var statementCount: Int { inner.statementCount }
  func afterCommit(_ signal: Signal) { inner.afterCommit(signal) }

  func rows(_ sql: SQL) throws -> [Row] {
    try explain(sql)
    return try inner.rows(sql)
  }

  func execute(_ sql: SQL) throws -> Int {
    try explain(sql)
    return try inner.execute(sql)
  }

  private func explain(_ sql: SQL) throws {
    let steps = try inner.rows("EXPLAIN QUERY PLAN \(fragment: sql)").map { try $0.string("detail") }
    plans.append((sql.text, steps))
  }

  /// Statements that read a table of the product from end to end, apart from `allowed`.
  func scans(allowing allowed: Set<String> = []) -> [String] {
    plans.compactMap { plan in
      let scans = plan.steps.filter { step in
        guard step.hasPrefix("SCAN ") else { return false }
        let name = step.dropFirst(5).prefix { $0 != " " }
        return Explaining.tables.contains(String(name)) && !allowed.contains(String(name))
      }
      return scans.isEmpty ? nil : "\(scans) in \(plan.text)"
    }
  }

  var sorts: [String] {
    plans.filter { $0.steps.contains { $0.contains("TEMP B-TREE FOR ORDER BY") } }.map { "\($0.steps) \($0.text)" }
  }

  /// Tables that grow with the life of an instance, and the aliases statements give them.
  static let tables: Set<String> = [
    "accounts", "account_counts", "users", "remote_keys", "sessions", "access_tokens", "follows", "blocks", "posts",
    "post_documents", "post_counts", "post_versions", "mentions", "post_tags", "favourites", "tombstones",
    "home_entries", "notifications", "attachments", "renditions", "decisions", "appeals", "refused_files",
    "inbox_activities", "jobs", "outgoing", "deliveries", "idempotency_keys", "waiting", "earlier", "theirs",
    "thread_reads", "thread_mutes", "direct_entries", "conversations", "quotes", "quote_consents", "others", "parents",
    "writers", "own",
    "filters", "filter_keywords", "filter_posts", "followed_tags", "scheduled_posts", "scheduled_pictures",
    "endorsements",
    "notification_permissions", "stream_events",
    "sign_ups", "mail_links", "address_changes", "invitations", "blocked_mail_hosts", "push_subscriptions",
  ]
}
