import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import Mustache
import Policy
import Primitives
import Store

/// What stands around every page.
struct Frame {
  var language = "en"
  var title: String
  var site: String
  var isTrial: Bool
  var canJoin: Bool
  var visitor: Visitor?
  var token: String?
  var robots: String
  var tdmReservation: String?
  var tdmPolicy: String?
  var canonical: String?
  /// The ActivityPub document of what the page shows.
  var alternate: String?
  /// What other places may show of it beside a link (oEmbed).
  var embed: String?
  var summary: String?
  var image: String?
  var imageAlt: String?
  var kind = "website"
}

struct Visitor {
  let name: String
  let path: String
  let isModerator: Bool
}

private struct Sheet {
  let frame: Frame
  let page: Any
}

/// Escapes by scalar. The library's own escaping goes by character, and a quote followed by a combining mark is
/// another character to it: `"` plus U+0301 would end an attribute.
private struct PageText: MustacheContentType {
  func escapeText(_ text: String) -> String { escapedAttribute(text) }
}

extension WebFace {
  static func readTemplates() throws -> MustacheLibrary {
    MustacheContentTypes.register(PageText(), named: "PAGE")
    var library = MustacheLibrary()
    for (name, bytes) in pageTemplates {
      // Every partial starts over with the library's own escaping, so every template asks for ours.
      try library.register("{{% CONTENT_TYPE:PAGE}}" + String(decoding: bytes, as: UTF8.self), named: name)
    }
    return library
  }

  func frame(_ title: String, _ context: FaceContext, policy: UsagePolicy, isListed: Bool = true) -> Frame {
    let signals = OutgoingSignals(policy)
    let canFind = isListed && !policy.restricts(.searchIndexing)
    var robots = [
      canFind
        ? "index, max-image-preview:\(policy.previewSize.rawValue)" : "noindex, noimageindex, max-image-preview:none"
    ]
    if let tag = signals.xRobotsTag { robots.append(tag) }
    return Frame(
      title: title, site: self.title, isTrial: instance.isTrial,
      canJoin: joining.rules.isOpen,
      visitor: context.bearer.map {
        Visitor(name: shownName($0.account), path: path(of: $0.account), isModerator: $0.role >= .moderator)
      },
      token: context.sessionSecret.map(formToken(sessionSecret:)), robots: robots.joined(separator: ", "),
      tdmReservation: signals.tdmReservation.map { $0 ? "1" : "0" })
  }

  /// Draws a page. Strangers share one copy for a short while; what a person signed in sees is kept by nobody.
  func page(
    _ template: String, _ model: Any, _ frame: Frame, _ request: Request, _ context: FaceContext,
    policy: UsagePolicy, tdmPolicy: IRI? = nil, status: HTTPResponse.Status = .ok, isPrivate: Bool = false
  ) throws -> Response {
    var frame = frame
    frame.tdmPolicy = tdmPolicy?.text
    guard let html = templates.render(Sheet(frame: frame, page: model), withTemplate: template) else {
      throw Problem(.internalServerError, "server.error", "Something went wrong here. It has been noted.")
    }
    var response = Response.text(html, status: status, type: "text/html; charset=utf-8")
    response.state(policy, tdmPolicy: tdmPolicy)
    response.headers[.vary] = "Accept, Cookie"
    response.setHeader("link", "<\(instance.page("/license.xml").text)>; rel=\"license\"; type=\"application/rsl+xml\"")
    if isPrivate || context.bearer != nil || status != .ok {
      response.headers[.cacheControl] = "private, no-store"
      return response
    }
    response.headers[.cacheControl] = "public, max-age=30"
    let tag = "\"\(secretHash(html).prefix(32))\""
    response.headers[.eTag] = tag
    return request.holds(tag) ? response.notModified : response
  }

  /// The page for people of a request that failed; nil for programs, which get JSON.
  package func problemPage(_ problem: Problem, _ request: Request, _ context: FaceContext) -> Response? {
    let path = request.uri.path
    let isProgram = ["/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/users/", "/.well-known/", "/inbox"]
      .contains { path.hasPrefix($0) }
    guard !isProgram, request.headers[.accept]?.contains("text/html") == true else { return nil }
    let policy = standardPolicy
    var frame = frame("\(problem.status.code)", context, policy: policy, isListed: false)
    let words = ProblemWords(problem)
    frame.title = words.heading
    do {
      var response = try page(
        "problem", words, frame, request, context, policy: policy, status: problem.status, isPrivate: true)
      if let wait = problem.retryAfter { response.headers[.retryAfter] = String(wait) }
      return response
    } catch {
      return nil
    }
  }
}

private struct ProblemWords {
  let heading: String
  let sentence: String
  let code: String
  let isSignIn: Bool

  init(_ problem: Problem) {
    code = problem.code
    isSignIn = problem.status == .unauthorized
    switch problem.status {
    case .notFound:
      heading = "Nothing here"
      sentence = "This page does not exist, was taken down, or is not open to you."
    case .unauthorized:
      heading = "Please sign in"
      sentence = "This page is for people with an account here."
    case .forbidden: (heading, sentence) = ("Not allowed", problem.sentence)
    case .tooManyRequests: (heading, sentence) = ("A moment, please", problem.sentence)
    case .serviceUnavailable: (heading, sentence) = ("Busy", problem.sentence)
    case .internalServerError: (heading, sentence) = ("Something broke", problem.sentence)
    default: (heading, sentence) = ("That did not work", problem.sentence)
    }
  }
}

extension Request {
  /// Whether the client has this version already.
  func holds(_ tag: String) -> Bool {
    guard let header = headers[.ifNoneMatch], header.utf8.count <= 1_024 else { return false }
    return header.split(separator: ",").contains { candidate in
      let trimmed = candidate.drop { $0 == " " }
      return trimmed == "*" || trimmed == tag || trimmed == "W/\(tag)"
    }
  }

  /// Whether a program asks for the ActivityPub document instead of the page.
  var wantsActivity: Bool {
    guard let accept = headers[.accept] else { return false }
    return (accept.contains("application/activity+json") || accept.contains("application/ld+json"))
      && !accept.contains("text/html")
  }
}

extension Response {
  /// A header this library has no name for.
  mutating func setHeader(_ name: String, _ value: String) {
    if let name = HTTPField.Name(name) { headers[name] = value }
  }

  /// The same headers without the body, so that a cached copy keeps the reservation it came with.
  var notModified: Response {
    var headers = headers
    headers[.contentLength] = nil
    headers[.contentType] = nil
    return Response(status: .notModified, headers: headers)
  }
}
