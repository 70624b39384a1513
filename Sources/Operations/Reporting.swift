import Model
import Persistence
import Primitives
import Store

/// What somebody tells the moderators, before anything of it is checked.
package struct ReportDraft: Sendable {
  package var posts: [Post.ID] = []
  package var category = Report.Category.other
  package var comment = ""
  /// Numbers of rules, from 1.
  package var rules: [Int] = []
  /// Whether the target's own server is told, without saying by whom.
  package var forwards = false
  package init() {}
}

extension WriteTransaction {
  package func report(
    _ target: Account, _ draft: ReportDraft, by reporter: Account, in context: OperationContext
  ) throws -> Report {
    guard target.id != reporter.id else {
      throw OperationFailure(.invalid, "report.self", "Validation failed: You cannot report yourself")
    }
    guard draft.comment.unicodeScalars.count <= Limits.reportComment else {
      throw OperationFailure(
        .invalid, "report.comment_too_long",
        "Validation failed: Comment is too long (maximum is \(Limits.reportComment) characters)")
    }
    guard draft.posts.count <= Limits.reportPosts else {
      throw OperationFailure(
        .invalid, "report.too_many_posts", "Validation failed: A report has at most \(Limits.reportPosts) posts")
    }
    // Only what the reporter can see: a report must not be a way to find out what there is.
    let seen = try posts(draft.posts, visibleTo: reporter.id).values.filter { $0.authorID == target.id }
    let rules = try instanceRules()
    let broken = draft.rules.compactMap { rules.indices.contains($0 - 1) ? rules[$0 - 1] : nil }
    let forwards = draft.forwards && !target.isLocal && !context.instance.isTrial
    let report = Report(
      id: context.ids.next(), reporterID: reporter.id, targetID: target.id,
      category: broken.isEmpty ? draft.category : .violation, comment: draft.comment, rules: broken,
      isForwarded: forwards, createdAt: context.now)
    try insert(report, posts: seen.map(\.id))
    if forwards, let sender = try account(uri: context.instance.actor) {
      try federate(.flagged(report.id), by: sender.id, in: context)
    }
    return report
  }

  /// Another server forwards a report. Nil when there is too much of it already, or it was told before.
  package func receiveReport(
    _ uri: IRI, from origin: Host, of target: Account, posts: [Post], comment: String, in context: OperationContext
  ) throws -> Report? {
    guard target.isLocal, try report(uri: uri) == nil,
      try openReports(from: origin.text) < Limits.openReportsPerHost
    else { return nil }
    let report = Report(
      id: context.ids.next(), uri: uri, origin: origin.text, targetID: target.id,
      comment: String(comment.prefix(Limits.reportComment)), createdAt: context.now)
    let own = posts.filter { $0.authorID == target.id }.prefix(Limits.reportPosts)
    try insert(report, posts: own.map(\.id))
    return report
  }

  package func resolve(_ id: Report.ID, by moderator: Account, in context: OperationContext) throws {
    guard try report(id) != nil else { throw OperationFailure.notFound }
    try setResolved(id, by: moderator.id, at: context.now)
  }

  package func reopen(_ id: Report.ID) throws {
    guard try report(id) != nil else { throw OperationFailure.notFound }
    try setResolved(id, by: nil, at: nil)
  }

  /// `text` has one rule a line.
  package func changeRules(to text: String) throws {
    let rules = text.split(whereSeparator: \.isNewline).map { line in
      String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }.filter { !$0.isEmpty }
    guard rules.count <= Limits.rules, rules.allSatisfy({ $0.unicodeScalars.count <= Limits.ruleCharacters }) else {
      throw OperationFailure(
        .invalid, "rules.too_long",
        "There are at most \(Limits.rules) rules, of at most \(Limits.ruleCharacters) characters each.")
    }
    try set("instance.rules", to: rules.joined(separator: "\n"))
  }
}

extension Limits {
  package static let reportComment = 1_000
  package static let reportPosts = 20
  package static let openReportsPerHost = 50
  package static let rules = 30
  package static let ruleCharacters = 300
}
