import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct SettingsPage {
  let token: String
  let choices: [Choice]
  let isSaved: Bool
  let standing: PolicyWords
}

private struct NotificationsPage {
  struct Item {
    let text: String
    let name: String
    let path: String
    let target: String?
    let date: String
  }
  let items: [Item]
  let isEmpty: Bool
}

extension WebFace {
  @Sendable func policySettings(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    let bearer = try context.requireBearer()
    let policy = effectivePolicy(of: bearer.account, on: instance)
    let model = SettingsPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", choices: policyChoices(policy.preset),
      isSaved: request.uri.queryParameters["saved"] != nil, standing: PolicyWords(policy))
    let frame = frame("How machines may use my works", context, policy: policy, isListed: false)
    return try page("settings", model, frame, request, context, policy: policy, isPrivate: true)
  }

  @Sendable func changePolicySettings(_ request: Request, _ context: FaceContext) async throws -> Response {
    let bearer = try context.requireBearer()
    let parameters = try await RequestParameters(reading: request, limit: 16 << 10)
    try checkForm(parameters, request, context)
    guard let preset = parameters["policy"].flatMap({ UsagePolicy.Preset(rawValue: $0) }) else {
      throw Problem.parameter("policy")
    }
    let change = self.context
    try await database.write { tx in
      guard let account = try tx.account(bearer.account.id) else { throw OperationFailure.notFound }
      _ = try tx.changeUsagePolicy(of: account, to: UsagePolicy(preset, basis: .accountDefault), in: change)
    }
    return Response.seeOther("/settings/policy?saved=1")
  }

  @Sendable func notifications(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let (rows, people) = try await database.read { tx in
      let rows = try tx.notifications(of: bearer.account.id, kinds: Notification.Kind.allCases, Page(limit: 40))
      return (rows, try tx.accounts(Set(rows.map(\.fromID))))
    }
    let items = rows.compactMap { row -> NotificationsPage.Item? in
      guard let sender = people[row.fromID] else { return nil }
      let text =
        switch row.kind {
        case .follow: "follows you"
        case .followRequest: "wants to follow you"
        case .mention: "mentioned you"
        case .boost: "shared a work of yours"
        case .favourite: "likes a work of yours"
        case .poll: "a poll has ended"
        case .quote: "quotes a work of yours"
        case .quotedUpdate: "changed a post that you quote"
        case .quoteRequest: "would like to quote a work of yours"
        case .decision: "there is a decision on a picture of yours"
        case .assessment: "says something of a picture of yours"
        }
      let isOwn = sender.id == bearer.account.id
      return .init(
        text: text, name: isOwn ? title : shownName(sender), path: isOwn ? "/about" : path(of: sender),
        target: row.kind == .assessment ? "/settings/assessments" : row.postID.map { "/remote/\($0)" },
        date: dayInWords(row.createdAt))
    }
    let frame = frame("Notifications", context, policy: standardPolicy, isListed: false)
    return try page(
      "notifications", NotificationsPage(items: items, isEmpty: items.isEmpty), frame, request, context,
      policy: standardPolicy, isPrivate: true)
  }
}
