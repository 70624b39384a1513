import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

private struct AccountModerationPage {
  struct Found {
    let handle: String
    let name: String
    let path: String
    let role: String?
    let since: String?
    let isSuspended: Bool
  }
  let token: String
  let asked: String
  let found: Found?
  let isMissing: Bool
  let done: Bool
}

extension WebFace {
  /// `mika`, `@mika`, `mika@paper.test`: whoever is known here, in sight or not.
  func known(_ text: String) async throws -> (Account, User?)? {
    let parts = text.split(separator: "@").map { $0.filter { $0 != " " } }
    guard (1...2).contains(parts.count), text.utf8.count <= 512 else { return nil }
    var host: Host?
    if parts.count == 2 {
      guard let named = Host(parts[1]) else { return nil }
      host = named == instance.host ? nil : named
    }
    let wanted = host
    return try await database.read { tx in
      guard let account = try tx.account(username: parts[0], host: wanted),
        account.kind != .application || wanted != nil
      else { return nil }
      return (account, account.isLocal ? try tx.user(account.id) : nil)
    }
  }

  @Sendable func accountModeration(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .moderator)
    let asked = request.uri.queryParameters["name"].map { String($0) } ?? ""
    let found = try await known(percentDecoded(asked, plusIsSpace: true) ?? asked)
    let model = AccountModerationPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "",
      asked: percentDecoded(asked, plusIsSpace: true) ?? asked,
      found: found.map { account, user in
        .init(
          handle: handle(of: account), name: shownName(account), path: path(of: account),
          role: user.map(\.role.rawValue), since: account.suspendedAt.map(dayInWords),
          isSuspended: account.suspendedAt != nil)
      }, isMissing: found == nil && !asked.isEmpty, done: request.uri.queryParameters["done"] != nil)
    let frame = frame("Accounts", context, policy: standardPolicy, isListed: false)
    return try page(
      "moderation-account", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  /// Moderators act on artists and on people of other servers; only an admin acts on the staff, and nobody on themselves.
  @Sendable func moderateAccount(_ request: Request, _ context: FaceContext) async throws -> Response {
    let moderator = try context.require(role: .moderator)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let name = parameters["name"] ?? ""
    guard let (account, user) = try await known(name) else { throw Problem.notFound }
    guard account.id != moderator.account.id, user.map({ $0.role < moderator.role }) ?? true else {
      throw Problem(.forbidden, "moderation.rank", "Only somebody of a higher role can do this to this account.")
    }
    let change = self.context
    switch parameters["act"] {
    case "suspend": try await database.write { try $0.suspend(account, in: change) }
    case "unsuspend": try await database.write { try $0.unsuspend(account, in: change) }
    default: throw Problem.parameter("act")
    }
    return Response.seeOther("/moderation/accounts?done=1&name=\(percentEncoded(name))")
  }
}
