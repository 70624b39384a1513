import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import Persistence
import Policy
import Primitives
import Store

extension ClientAPI {
  var embedRoutes: [Route] { [Route(.get, "/api/oembed", .open, oEmbed)] }

  /// oEmbed 1.0 of one public work: a photo where its artist lets previews be large, a link with a small picture where
  /// a use is reserved, and a bare link where search engines are not to have it.
  @Sendable func oEmbed(_ call: Call) async throws -> Response {
    let format = call.parameters["format"] ?? "json"
    guard format == "json" else { throw Problem(.notImplemented, "oembed.format", "Only JSON is served here") }
    guard let written = call.parameters["url"], !written.isEmpty else { return .json(place) }
    guard let url = IRI(written), url.hasSameOrigin(as: instance.base),
      let id = url.path.split(separator: "/").last.flatMap({ Post.ID(String($0)) })
    else { throw Problem.notFound }
    let longest = try min(call.parameters.integer("maxwidth") ?? .max, call.parameters.integer("maxheight") ?? .max)
    let found = try await database.read { tx -> (Post, Account, PageAssembly)? in
      guard let post = try tx.post(id, visibleTo: nil), post.isLocal, post.boostOfID == nil,
        post.url == url || post.uri == url, let author = try tx.account(post.authorID)
      else { return nil }
      return (post, author, try tx.assemble([post], for: nil))
    }
    guard let (post, author, page) = found else { throw Problem.notFound }
    let policy = effectivePolicy(of: author, post: post, on: instance)
    let text = SanitizedHTML.restored(fromOwnStorage: post.content).text
    let name = author.displayName.isEmpty ? author.username : author.displayName
    var answer: JSON = [
      "version": "1.0", "type": "link",
      "title": .string(String((text.isEmpty ? "A work by \(name)" : text).prefix(200))),
      "author_name": .string(name), "author_url": .string(author.url.text), "provider_name": .string(facts.title),
      "provider_url": .string(instance.page("/").text), "cache_age": 3_600,
    ]
    let picture = page.attachments[post.id, default: []].first { $0.state == .ready }
    if let picture, !post.isSensitive, policy.previewSize != .none {
      show(page.renditions[picture.id, default: []], longest, isLarge: policy.previewSize == .large, in: &answer)
    }
    var response = Response.json(answer)
    response.state(policy)
    response.headers[.cacheControl] = "public, max-age=300"
    return response
  }

  /// The instance itself, for whoever names no work.
  private var place: JSON {
    [
      "version": "1.0", "type": "link", "title": .string(facts.title), "provider_name": .string(facts.title),
      "provider_url": .string(instance.page("/").text), "cache_age": 3_600,
    ]
  }

  private func show(_ files: [Rendition], _ longest: Int, isLarge: Bool, in answer: inout JSON) {
    let fitting = files.filter { max($0.width, $0.height) <= longest }
    if isLarge, let file = fitting.max(by: { $0.width < $1.width }) {
      answer["type"] = "photo"
      answer["url"] = .string(instance.media(file.fileName).text)
      answer["width"] = .number(file.width)
      answer["height"] = .number(file.height)
    }
    guard
      let small = fitting.filter({ max($0.width, $0.height) <= Limits.embeddedThumbnail }).max(by: {
        $0.width < $1.width
      })
    else { return }
    answer["thumbnail_url"] = .string(instance.media(small.fileName).text)
    answer["thumbnail_width"] = .number(small.width)
    answer["thumbnail_height"] = .number(small.height)
  }
}

extension Limits {
  /// Pixels of the longest side of a picture beside a link.
  static let embeddedThumbnail = 640
}
