import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Store

// What is read by machines that never see a page: crawlers, data set builders, rights checkers.
extension WebFace {
  private func file(_ text: String, _ type: String) -> Response {
    var response = Response.text(text, type: type)
    response.state(standardPolicy)
    response.headers[.cacheControl] = "public, max-age=3600"
    return response
  }

  @Sendable func robots(_ request: Request, _ context: FaceContext) async throws -> Response {
    let closed = [
      "/api/", "/oauth/", "/login", "/home", "/upload", "/settings/", "/moderation", "/appeals/", "/reports/",
    ]
    return file(RobotsText(policy: standardPolicy, closedPaths: closed).text, "text/plain; charset=utf-8")
  }

  @Sendable func aiTxt(_ request: Request, _ context: FaceContext) async throws -> Response {
    file(aiText(for: standardPolicy), "text/plain; charset=utf-8")
  }

  /// Artists whose own word differs from the standard. The rest is covered by the rule for everything.
  private func dissenters() async throws -> [(account: Account, policy: UsagePolicy)] {
    let instance = instance
    let standard = standardPolicy
    return try await database.read { tx in
      try tx.localAccounts(Page(limit: Limits.listedPolicies)).filter { $0.suspendedAt == nil }
        .map { ($0, effectivePolicy(of: $0, on: instance)) }
        .filter { !$0.1.means(theSameAs: standard) }
    }
  }

  @Sendable func tdmRep(_ request: Request, _ context: FaceContext) async throws -> Response {
    var rules = try await dissenters().map { account, policy in
      TDMRule(location: "/@\(account.username)/*", policy: policy, offer: offer(of: account, policy))
    }
    rules.append(TDMRule(location: "/*", policy: standardPolicy))
    var response = Response.json(tdmrep(rules))
    response.state(standardPolicy)
    response.headers[.cacheControl] = "public, max-age=3600"
    return response
  }

  @Sendable func license(_ request: Request, _ context: FaceContext) async throws -> Response {
    var contents = try await dissenters().map { (path: "/@\($0.account.username)/", policy: $0.policy) }
    contents.append((path: "/", policy: standardPolicy))
    return file(rslDocument(contents), "application/rsl+xml; charset=utf-8")
  }

  @Sendable func tdmPolicy(_ request: Request, _ context: FaceContext) async throws -> Response {
    let account = try await account(context.parameters.get("name") ?? "", context)
    guard account.isLocal else { throw Problem.notFound }
    let policy = effectivePolicy(of: account, on: instance)
    let assigner = Assigner(
      id: account.uri, name: shownName(account), page: instance.policyPage(account.username))
    var response = Response.json(
      tdmOffer(for: policy, at: instance.tdmPolicy(account.username), by: assigner),
      type: "application/json; charset=utf-8")
    response.state(policy)
    response.headers[.cacheControl] = "public, max-age=3600"
    return response
  }

  /// The ODRL offer of one published version: it stays when the artist says something else.
  @Sendable func versionOffer(_ request: Request, _ context: FaceContext) async throws -> Response {
    let account = try await account(context.parameters.get("name") ?? "", context)
    let text = context.parameters.get("number") ?? ""
    guard account.isLocal, text.utf8.count <= 9, let number = Int(text),
      let version = try await database.read({ try $0.policyVersion(number, of: account.id) }),
      let id = version.policy.id
    else { throw Problem.notFound }
    let assigner = Assigner(
      id: account.uri, name: shownName(account), page: instance.policyPage(account.username))
    var response = Response.json(
      tdmOffer(for: version.policy, at: instance.odrl(id), by: assigner), type: "application/json; charset=utf-8")
    response.state(version.policy)
    response.headers[.cacheControl] = "public, max-age=3600"
    return response
  }

  @Sendable func asset(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let asset = assets[context.parameters.get("file") ?? ""] else { throw Problem.notFound }
    var response = Response.bytes(asset.bytes, type: asset.mediaType)
    response.headers[.cacheControl] = "public, max-age=3600"
    response.headers[.eTag] = asset.tag
    // Apps on other servers show our placeholders.
    response.setHeader("cross-origin-resource-policy", "cross-origin")
    response.state(standardPolicy)
    return request.holds(asset.tag) ? response.notModified : response
  }

  @Sendable func favicon(_ request: Request, _ context: FaceContext) async throws -> Response {
    Response(status: .movedPermanently, headers: [.location: "/assets/favicon.svg"])
  }
}

/// A file that comes with the program.
struct Asset: Sendable {
  let bytes: [UInt8]
  let mediaType: String
  let tag: String

  private init(_ bytes: [UInt8], _ mediaType: String) {
    self.bytes = bytes
    self.mediaType = mediaType
    tag = "\"\(secretHash(String(decoding: bytes, as: UTF8.self)).prefix(24))\""
  }

  static let all: [String: Asset] = [
    "atelier.css": Asset(PackageResources.atelier_css, "text/css; charset=utf-8"),
    "favicon.svg": Asset(PackageResources.favicon_svg, "image/svg+xml"),
    "placeholder-held.png": Asset(PackageResources.placeholder_held_png, "image/png"),
    "placeholder-refused.png": Asset(PackageResources.placeholder_refused_png, "image/png"),
    "placeholder-failed.png": Asset(PackageResources.placeholder_failed_png, "image/png"),
    "placeholder-waiting.png": Asset(PackageResources.placeholder_waiting_png, "image/png"),
  ]
}

let pageTemplates: [String: [UInt8]] = [
  "layout": PackageResources.layout_mustache,
  "tiles": PackageResources.tiles_mustache,
  "tile": PackageResources.tile_mustache,
  "profile": PackageResources.profile_mustache,
  "report": PackageResources.report_mustache,
  "reports": PackageResources.reports_mustache,
  "rules": PackageResources.rules_mustache,
  "decision": PackageResources.decision_mustache,
  "front": PackageResources.front_mustache,
  "grid": PackageResources.grid_mustache,
  "artist": PackageResources.artist_mustache,
  "artwork": PackageResources.artwork_mustache,
  "series": PackageResources.series_mustache,
  "series-list": PackageResources.series_list_mustache,
  "series-edit": PackageResources.series_edit_mustache,
  "policy": PackageResources.policy_mustache,
  "about": PackageResources.about_mustache,
  "problem": PackageResources.problem_mustache,
  "login": PackageResources.login_mustache,
  "consent": PackageResources.consent_mustache,
  "code": PackageResources.code_mustache,
  "applications": PackageResources.applications_mustache,
  "upload": PackageResources.upload_mustache,
  "settings": PackageResources.settings_mustache,
  "ledger": PackageResources.ledger_mustache,
  "copies": PackageResources.copies_mustache,
  "assessors": PackageResources.assessors_mustache,
  "assessments": PackageResources.assessments_mustache,
  "appeal": PackageResources.appeal_mustache,
  "moderation": PackageResources.moderation_mustache,
  "moderation-servers": PackageResources.moderation_servers_mustache,
  "moderation-account": PackageResources.moderation_account_mustache,
  "password": PackageResources.password_mustache,
  "quotes": PackageResources.quotes_mustache,
  "search": PackageResources.search_mustache,
  "sign-up": PackageResources.sign_up_mustache,
  "word": PackageResources.word_mustache,
  "reset": PackageResources.reset_mustache,
  "reset-new": PackageResources.reset_new_mustache,
  "email": PackageResources.email_mustache,
  "moderation-joining": PackageResources.moderation_joining_mustache,
  "where": PackageResources.where_mustache,
  "notifications": PackageResources.notifications_mustache,
]

extension Limits {
  /// Artists named one by one in the files for machines.
  static let listedPolicies = 5_000
}
