import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var reportRoutes: [Route] {
    [
      Route(.post, "/api/v1/reports", .scope("write:reports"), report),
      Route(.get, "/api/v1/instance/rules", .open, instanceRules),
    ]
  }

  @Sendable func report(_ call: Call) async throws -> Response {
    let reporter = try call.member()
    let parameters = call.parameters
    guard let target: Account.ID = try parameters.id("account_id") else { throw Problem.parameter("account_id") }
    var draft = ReportDraft()
    draft.posts = try Array(parameters.ids("status_ids").prefix(Limits.reportPosts + 1))
    draft.comment = parameters["comment"] ?? ""
    draft.forwards = parameters.flag("forward") ?? false
    draft.rules = parameters.all("rule_ids").prefix(Limits.rules).compactMap { Int($0) }
    if let text = parameters["category"], !text.isEmpty {
      guard let category = Report.Category(rawValue: text) else { throw Problem.parameter("category") }
      draft.category = category
    }
    if let wait = reports.take("\(reporter.id)") {
      throw Problem(
        .tooManyRequests, "request.too_many", "Too many reports at once. Try again later.", retryAfter: wait)
    }
    let wanted = draft
    let context = context
    return try await database.write { [self] tx in
      let account = try tx.shownAccount(target)
      let report = try tx.report(account, wanted, by: reporter, in: context)
      let posts = try tx.posts(in: [report.id])[report.id] ?? []
      return entities.report(
        report, posts: posts, rules: wanted.rules, target: account, counts: try tx.counts(of: [target])[target])
    }.response
  }

  @Sendable func instanceRules(_ call: Call) async throws -> Response {
    try await database.read { [self] tx in JSON.array(entities.rules(try tx.instanceRules())) }.response
  }
}

extension Entities {
  func rules(_ rules: [String]) -> [JSON] {
    rules.enumerated().map { place, text in
      ["id": .string(String(place + 1)), "text": .string(text), "hint": "", "translations": [:]]
    }
  }

  func report(
    _ report: Report, posts: [Post], rules: [Int], target: Account, counts: AccountCounts?
  ) -> JSON {
    [
      "id": .string(report.id.description), "action_taken": .bool(report.resolvedAt != nil),
      "action_taken_at": .text(report.resolvedAt?.iso8601), "category": .string(report.category.rawValue),
      "comment": .string(report.comment), "forwarded": .bool(report.isForwarded),
      "created_at": .string(report.createdAt.iso8601),
      "status_ids": .array(posts.map { .string($0.id.description) }),
      "rule_ids": .array(rules.prefix(report.rules.count).map { .string(String($0)) }),
      "target_account": account(target, counts: counts),
    ]
  }
}

extension Limits {
  /// Of one account in an hour.
  package static let reportsPerHour = 20
}
