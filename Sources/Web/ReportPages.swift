import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct ReportsPage {
  struct Work {
    let text: String
    let path: String
  }
  struct Row {
    let id: String
    let token: String
    let target: String
    let targetPath: String
    let accountPath: String
    let category: String
    let date: String
    let reporter: String
    let isForwarded: Bool
    let rules: [String]
    let hasRules: Bool
    let comment: String?
    let posts: [Work]
    let hasPosts: Bool
    let isResolved: String?
  }
  let reports: [Row]
  let isEmpty: Bool
  let showsResolved: Bool
  let done: Bool
  let older: String?
}

private struct ReportPage {
  let token: String
  let target: String
  let targetPath: String
  let account: String
  let work: String?
  let workID: String
  let categories: [Choice]
  let rules: [Choice]
  let hasRules: Bool
  let comment: String
  let limit: Int
  let host: String?
  let failure: String?
  let isSent: Bool
}

private struct RulesPage {
  let token: String
  let rules: String
  let isSaved: Bool
  let failure: String?
}

extension WebFace {
  func addReportRoutes(to pages: RouterGroup<FaceContext>) {
    pages.get("/reports/new", use: reportForm)
    pages.post("/reports/new", use: sendReport)
    pages.get("/moderation/reports", use: reports)
    pages.post("/moderation/reports", use: settleReport)
    pages.get("/moderation/rules", use: rulesForm)
    pages.post("/moderation/rules", use: changeRules)
  }

  // MARK: - For whoever reports

  private struct Subject: Sendable {
    let account: Account
    let post: Post?
    let rules: [String]
  }

  private func subject(account: String?, work: String?, for viewer: Account.ID) async throws -> Subject {
    let found = try await database.read { tx -> Subject? in
      let post = try work.flatMap { Post.ID($0) }.flatMap { try tx.post($0, visibleTo: viewer) }
      guard let id = post?.authorID ?? account.flatMap({ Account.ID($0) }), let target = try tx.account(id),
        target.suspendedAt == nil, target.kind != .application
      else { return nil }
      return Subject(account: target, post: post, rules: try tx.instanceRules())
    }
    guard let found else { throw Problem.notFound }
    return found
  }

  private func reportPage(
    _ subject: Subject, _ request: Request, _ context: FaceContext, draft: ReportDraft = ReportDraft(),
    failure: String? = nil, isSent: Bool = false
  ) throws -> Response {
    let words: [(Report.Category, String, String)] = [
      (.other, "I do not want to see this here", "Something the moderators should look at"),
      (.violation, "It breaks a rule", "Of this place"), (.spam, "Spam", "Advertising, false links, repetition"),
      (.legal, "It is against the law", "Where this place or its artists are"),
    ]
    let post = subject.post
    let text = post.map { SanitizedHTML.restored(fromOwnStorage: $0.content).text.shortened(to: 120) }
    let model = ReportPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", target: shownName(subject.account),
      targetPath: path(of: subject.account), account: subject.account.id.description, work: text,
      workID: post?.id.description ?? "",
      categories: words.map { .init(value: $0.0.rawValue, name: $0.1, hint: $0.2, isChosen: $0.0 == draft.category) },
      rules: subject.rules.enumerated().map {
        .init(value: String($0.offset + 1), name: $0.element, hint: "", isChosen: draft.rules.contains($0.offset + 1))
      }, hasRules: !subject.rules.isEmpty, comment: draft.comment, limit: Limits.reportComment,
      host: instance.isTrial ? nil : subject.account.host?.text, failure: failure, isSent: isSent)
    let frame = frame("Report", context, policy: standardPolicy, isListed: false)
    return try page(
      "report", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func reportForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let query = request.uri.queryParameters
    let subject = try await subject(
      account: query["account"].map(String.init), work: query["work"].map(String.init), for: bearer.account.id)
    return try reportPage(subject, request, context)
  }

  @Sendable func sendReport(_ request: Request, _ context: FaceContext) async throws -> Response {
    let reporter = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let subject = try await subject(
      account: parameters["account"], work: parameters["work"], for: reporter.id)
    var draft = ReportDraft()
    draft.posts = [subject.post?.id].compactMap { $0 }
    draft.comment = (parameters["comment"] ?? "").replacing("\r\n", with: "\n")
    draft.category = parameters["category"].flatMap { Report.Category(rawValue: $0) } ?? .other
    draft.rules = parameters.all("rule_ids").prefix(Limits.rules).compactMap { Int($0) }
    draft.forwards = parameters.flag("forward") ?? false
    try limits.reportsByAccount.spend("\(reporter.id)")
    let (wanted, change) = (draft, self.context)
    do {
      _ = try await database.write { try $0.report(subject.account, wanted, by: reporter, in: change) }
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try reportPage(subject, request, context, draft: draft, failure: failure.sentence)
    }
    return try reportPage(subject, request, context, isSent: true)
  }

  // MARK: - For moderators

  @Sendable func reports(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .moderator)
    let isResolved = request.uri.queryParameters["resolved"] != nil
    let before = request.uri.queryParameters["before"].flatMap { Report.ID(String($0)) }
    let found = try await database.read { tx -> ReportRows in
      let reports = try tx.reports(resolved: isResolved, Page(before: before, limit: Limits.reportsShown))
      return ReportRows(
        reports: reports, posts: try tx.posts(in: reports.map(\.id)),
        people: try tx.accounts(
          Set(reports.map(\.targetID)).union(reports.compactMap(\.reporterID)).union(reports.compactMap(\.resolvedBy))))
    }
    let token = context.sessionSecret.map(formToken(sessionSecret:)) ?? ""
    let rows = found.reports.compactMap { row($0, found, token: token) }
    let isFull = found.reports.count == Limits.reportsShown
    let older = isFull ? found.reports.last.map { "?\(isResolved ? "resolved=1&" : "")before=\($0.id)" } : nil
    let model = ReportsPage(
      reports: rows, isEmpty: rows.isEmpty, showsResolved: isResolved,
      done: request.uri.queryParameters["done"] != nil, older: older.map { "/moderation/reports\($0)" })
    let frame = frame("Reports", context, policy: standardPolicy, isListed: false)
    return try page("reports", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private struct ReportRows: Sendable {
    let reports: [Report]
    let posts: [Report.ID: [Post]]
    let people: [Account.ID: Account]
  }

  private func row(_ report: Report, _ found: ReportRows, token: String) -> ReportsPage.Row? {
    guard let target = found.people[report.targetID] else { return nil }
    let category =
      switch report.category {
      case .spam: "Spam"
      case .legal: "Against the law"
      case .violation: "Against the rules"
      case .other: "Something else"
      }
    let reporter =
      report.origin.isEmpty
      ? report.reporterID.flatMap { found.people[$0] }.map(handle) ?? "somebody who has left"
      : "somebody on \(report.origin)"
    let works = (found.posts[report.id] ?? []).map { post in
      let text = SanitizedHTML.restored(fromOwnStorage: post.content).text.shortened(to: 120)
      return ReportsPage.Work(text: text.isEmpty ? "A work without words" : text, path: path(of: post, by: target))
    }
    return .init(
      id: report.id.description, token: token, target: shownName(target), targetPath: path(of: target),
      accountPath: "/moderation/accounts?name=\(percentEncoded(target.acct))", category: category,
      date: dayInWords(report.createdAt), reporter: reporter, isForwarded: report.isForwarded, rules: report.rules,
      hasRules: !report.rules.isEmpty, comment: report.comment.isEmpty ? nil : report.comment, posts: works,
      hasPosts: !works.isEmpty,
      isResolved: report.resolvedAt.map { time in
        let who = report.resolvedBy.flatMap { found.people[$0] }.map { " by \(shownName($0))" } ?? ""
        return "\(dayInWords(time))\(who)"
      })
  }

  @Sendable func settleReport(_ request: Request, _ context: FaceContext) async throws -> Response {
    let moderator = try context.require(role: .moderator).account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id: Report.ID = try parameters.id("report") else { throw Problem.parameter("report") }
    let change = self.context
    switch parameters["act"] {
    case "resolve": try await database.write { try $0.resolve(id, by: moderator, in: change) }
    case "reopen": try await database.write { try $0.reopen(id) }
    default: throw Problem.parameter("act")
    }
    return Response.seeOther("/moderation/reports?done=1")
  }

  // MARK: - Rules

  private func rulesPage(
    _ text: String, _ request: Request, _ context: FaceContext, failure: String? = nil
  ) throws -> Response {
    let model = RulesPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", rules: text,
      isSaved: request.uri.queryParameters["saved"] != nil, failure: failure)
    let frame = frame("Rules", context, policy: standardPolicy, isListed: false)
    return try page(
      "rules", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func rulesForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .admin)
    let rules = try await database.read { try $0.instanceRules() }
    return try rulesPage(rules.joined(separator: "\n"), request, context)
  }

  @Sendable func changeRules(_ request: Request, _ context: FaceContext) async throws -> Response {
    _ = try context.require(role: .admin)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let text = parameters["rules"] ?? ""
    do { try await database.write { try $0.changeRules(to: text) } } catch let failure as OperationFailure
      where failure.kind == .invalid
    { return try rulesPage(text, request, context, failure: failure.sentence) }
    return Response.seeOther("/moderation/rules?saved=1")
  }
}

extension Limits {
  static let reportsShown = 30
}
