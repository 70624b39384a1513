import Foundation
import Model
import Persistence
import Primitives
import Store
import TestSupport
import Testing
import Transport

/// What a case says must be true afterwards.
extension AbuseWorld {
  func check(_ expect: JSON, _ outcome: Outcome, _ name: String) {
    let text = outcome.answer?.text.prefix(300) ?? ""
    if let status = expect["status"] {
      let allowed = (status.array ?? [status]).compactMap(\.integer).map { Int($0) }
      #expect(allowed.contains(outcome.status ?? 0), "\(name): \(outcome.status ?? 0) \(text)")
    }
    if let code = expect["code"] {
      let allowed = (code.array ?? [code]).compactMap(\.string)
      #expect(allowed.contains(outcome.code ?? "none"), "\(name): \(outcome.code ?? "none") \(text)")
    }
    for (field, value) in expect["headers"]?.pairs ?? [] {
      let found = outcome.answer?[field] ?? ""
      #expect(found.contains(value.string ?? ""), "\(name): \(field) is \(found)")
    }
    for part in expect["lacks"]?.array?.compactMap(\.string) ?? [] {
      #expect(!(outcome.answer?.text.contains(part) ?? false), "\(name): the answer holds \(part)")
    }
    for part in expect["holds"]?.array?.compactMap(\.string) ?? [] {
      #expect(outcome.answer?.text.contains(part) == true, "\(name): the answer does not hold \(part): \(text)")
    }
  }

  func check(_ expect: JSON, egress: [Egress], asked: [String], _ name: String) {
    let lookups = egress.count { if case .lookup = $0 { true } else { false } }
    let sent = egress.count { if case .request = $0 { true } else { false } }
    if let most = expect["sent"]?.integer { #expect(sent <= Int(most), "\(name): asked \(asked)") }
    if let most = expect["lookups"]?.integer { #expect(lookups <= Int(most), "\(name): \(egress)") }
    for url in expect["asked"]?.array?.compactMap(\.string) ?? [] {
      #expect(asked.contains(url), "\(name): \(url) was not asked for, but \(asked)")
    }
    for url in expect["not_asked"]?.array?.compactMap(\.string) ?? [] {
      #expect(!asked.contains { $0.hasPrefix(url) }, "\(name): \(asked)")
    }
  }

  func check(stored expect: JSON, _ outcome: Outcome, _ name: String) async throws {
    if let state = expect["state"]?.string, let uri = outcome.activity, !uri.contains("\0") {
      let rows = try await instance.database.read { tx in
        try tx.rows("SELECT state, reason FROM inbox_activities WHERE activity = \(uri)").map {
          (try $0.string("state"), try $0.optionalString("reason"))
        }
      }
      #expect(rows.count == (state == "none" ? 0 : 1), "\(name): \(rows)")
      if let row = rows.first {
        #expect(row.0 == state, "\(name): \(row)")
        if let reason = expect["reason"]?.string { #expect(row.1 == reason, "\(name): \(row)") }
      }
    }
    for (uri, facts) in expect["posts"]?.pairs ?? [] {
      let post = try await instance.database.read { tx in try IRI(uri).flatMap { try tx.post(uri: $0) } }
      #expect((post != nil) == (facts["exists"]?.bool ?? true), "\(name): \(uri) \(post == nil ? "lacks" : "is there")")
      guard let post else { continue }
      if let url = facts["url"]?.string { #expect(post.url.text == url, "\(name)") }
      for part in facts["lacks"]?.array?.compactMap(\.string) ?? [] {
        #expect(!post.content.contains(part), "\(name): \(post.content)")
      }
      if let most = facts["content_bytes"]?.integer { #expect(post.content.utf8.count <= Int(most), "\(name)") }
      if let created = facts["created"]?.string { #expect(post.createdAt.iso8601Seconds == created, "\(name)") }
      if facts["created_now"]?.bool == true { #expect(post.createdAt == world.clock.now, "\(name): \(post.createdAt)") }
    }
    for (uri, facts) in expect["accounts"]?.pairs ?? [] {
      let account = try await instance.database.read { tx in try IRI(uri).flatMap { try tx.account(uri: $0) } }
      #expect((account != nil) == (facts["exists"]?.bool ?? true), "\(name): \(uri)")
      if let inbox = facts["inbox"]?.string { #expect(account?.inbox.text == inbox, "\(name)") }
      if facts["moved"]?.bool == false { #expect(account?.movedTo == nil, "\(name)") }
    }
    try await checkCounts(expect, name)
    for (url, facts) in expect["fields"]?.pairs ?? [] {
      let request = peer.requests.last { $0.url == url }
      #expect(request != nil, "\(name): \(url) was not asked for")
      for field in facts["lacks"]?.array?.compactMap(\.string) ?? [] {
        #expect(request?.headers[field] == nil, "\(name): \(field)")
      }
      for (field, other) in facts["differs"]?.pairs ?? [] {
        let first = peer.requests.last { $0.url == other.string }
        #expect(request?.headers[field] != nil && request?.headers[field] != first?.headers[field], "\(name): \(field)")
      }
    }
    for (url, verdict) in expect["verdicts"]?.pairs ?? [] {
      let found = try await instance.database.read { tx in
        try tx.first(
          """
          SELECT verdict FROM decisions JOIN attachments ON attachments.id = decisions.attachment_id
          WHERE remote_url = \(url) ORDER BY decisions.id DESC LIMIT 1
          """)?.string("verdict")
      }
      #expect(found == verdict.string, "\(name)")
    }
    for (url, facts) in expect["attachments"]?.pairs ?? [] {
      let row = try await instance.database.read { tx in
        try tx.first("SELECT state, failure FROM attachments WHERE remote_url = \(url)").map {
          (try $0.string("state"), try $0.optionalString("failure"))
        }
      }
      #expect(row?.0 == facts["state"]?.string, "\(name): \(String(describing: row))")
      if let failure = facts["failure"]?.string { #expect(row?.1 == failure, "\(name): \(String(describing: row))") }
    }
  }

  /// Rows of the few tables that cases speak of.
  private func checkCounts(_ expect: JSON, _ name: String) async throws {
    for (what, wanted) in expect["counts"]?.pairs ?? [] {
      guard let query = AbuseWorld.counters[what] else {
        Issue.record("\(name): nothing counts \(what)")
        continue
      }
      let found = try await instance.database.read { try $0.first(query)?.int("n") ?? -1 }
      let most = wanted["most"]?.integer.map { Int($0) }
      #expect(most.map { found <= $0 } ?? (found == Int(wanted.integer ?? -1)), "\(name): \(what) is \(found)")
    }
  }

  /// Statements are literals, because there is no way to make one from a file.
  private static let counters: [String: SQL] = [
    "follows": "SELECT COUNT(*) AS n FROM follows",
    "pending follows": "SELECT COUNT(*) AS n FROM follows WHERE state = 'pending'",
    "favourites": "SELECT COUNT(*) AS n FROM favourites",
    "boosts": "SELECT COUNT(*) AS n FROM posts WHERE boost_of_id IS NOT NULL",
    "mentions": "SELECT COUNT(*) AS n FROM mentions",
    "notifications": "SELECT COUNT(*) AS n FROM notifications",
    "favourite notifications": "SELECT COUNT(*) AS n FROM notifications WHERE kind = 'favourite'",
    "policies": "SELECT COUNT(*) AS n FROM posts WHERE usage_policy IS NOT NULL AND NOT is_local",
    "receipts": "SELECT COUNT(*) AS n FROM inbox_activities",
    "waiting deliveries": "SELECT COUNT(*) AS n FROM deliveries WHERE state = 'waiting'",
    "abandoned deliveries": "SELECT COUNT(*) AS n FROM deliveries WHERE state = 'abandoned'",
    "deliveries within a day":
      "SELECT COUNT(*) AS n FROM deliveries WHERE state = 'waiting' AND next_at - created_at BETWEEN 60000 AND 86400000",
    "quarantined jobs": "SELECT COUNT(*) AS n FROM jobs WHERE state = 'quarantined'",
    "reports": "SELECT COUNT(*) AS n FROM reports",
    "long comments": "SELECT COUNT(*) AS n FROM reports WHERE LENGTH(comment) > 5000",
    "reported works": "SELECT COUNT(*) AS n FROM report_posts",
    "ready jobs": "SELECT COUNT(*) AS n FROM jobs WHERE state = 'ready'",
  ]
}
