import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Persistence
import Policy
import Primitives
import Store

extension WebFace {
  /// A portrait, of here or copied from elsewhere: open to everybody while one of those it shows is in sight, under the
  /// strictest of what they say about machines.
  func smallPicture(
    _ name: String, _ blob: BlobDigest, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    guard let portrait = Portrait(fileName: name) else { throw Problem.notFound }
    let owners = try await database.read { try $0.accounts(withPortrait: name) }.filter { $0.suspendedAt == nil }
    guard let owner = owners.first else { throw Problem.notFound }
    let statements = owners.map {
      PolicyStatement(party: $0.uri, scope: .account, policy: effectivePolicy(of: $0, on: instance))
    }
    let policy = combine(statements)?.policy ?? standardPolicy
    var response = Response(status: .ok, headers: [.contentType: portrait.mediaType])
    response.state(policy, tdmPolicy: offer(of: owner, policy))
    response.setHeader("link", "<\(instance.page("/license.xml").text)>; rel=\"license\"; type=\"application/rsl+xml\"")
    response.headers[.contentDisposition] = "inline; filename=\"\(name.prefix(8))\(name.dropFirst(64))\""
    response.headers[.acceptRanges] = "bytes"
    // What is said about it may change though the bytes can not.
    response.headers[.cacheControl] = "public, max-age=3600"
    response.makeInert()
    let tag = "\"\(portrait.digest.rawValue.prefix(32))\""
    response.headers[.eTag] = tag
    if request.holds(tag) { return response.notModified }
    return try await send(blob, tag: tag, response, request, context)
  }
}
