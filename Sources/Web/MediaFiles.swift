import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Persistence
import Policy
import Primitives
import Store

private struct FileUse {
  let rendition: Rendition
  let attachment: Attachment
  let owner: Account
  let post: Post?

  /// Nil: this use does not show the file to `bearer`. Otherwise whether everybody may have it.
  func isOpen(to bearer: Bearer?) -> Bool? {
    let isTrusted = bearer.map { $0.account.id == owner.id || $0.role >= .moderator } ?? false
    guard owner.suspendedAt == nil || isTrusted else { return nil }
    switch attachment.state {
    case .ready:
      guard let post, post.state == .published else { return isTrusted ? false : nil }
      // Followers' apps load pictures without a token: the unguessable name is the permission, and no shared cache
      // keeps a copy.
      return post.visibility.isOpen
    case .held: return isTrusted ? false : nil
    case .waiting, .refused, .failed, .linked: return nil
    }
  }
}

extension WebFace {
  /// A stored picture. Says the reservation of its author on every answer: a data set builder fetches pictures, never
  /// the page around them.
  @Sendable func media(_ request: Request, _ context: FaceContext) async throws -> Response {
    do { return try await file(request, context) } catch let problem as Problem {
      // Also where there is nothing any more: who asked wanted the picture.
      var response = problem.response
      response.state(standardPolicy)
      return response
    }
  }

  private func file(_ request: Request, _ context: FaceContext) async throws -> Response {
    let name = context.parameters.get("file") ?? ""
    guard let digest = Digest(rawValue: String(name.prefix(64))), let blob = BlobDigest(digest.rawValue) else {
      throw Problem.notFound
    }
    let uses = try await uses(of: digest).filter { $0.rendition.fileName == name }
    let open = uses.filter { $0.isOpen(to: context.bearer) != nil }
    guard let use = open.first else { return try await smallPicture(name, blob, request, context) }
    let policy = policy(of: open)
    let isPublic = open.contains { $0.isOpen(to: context.bearer) == true }
    var response = Response(status: .ok, headers: [.contentType: use.rendition.mediaType])
    response.state(policy, tdmPolicy: offer(of: use.owner, policy))
    response.setHeader("link", "<\(instance.page("/license.xml").text)>; rel=\"license\"; type=\"application/rsl+xml\"")
    response.headers[.contentDisposition] =
      "inline; filename=\"\(use.attachment.id)-\(name.prefix(8))\(name.dropFirst(64))\""
    response.headers[.acceptRanges] = "bytes"
    // The bytes never change, but what is said about them does: a work may be deleted, held, or closed to machines, and
    // no cache may go on for a year with yesterday's answer. Asking again costs a 304.
    response.headers[.cacheControl] = isPublic ? "public, max-age=3600" : "private, no-cache"
    response.makeInert()
    let tag = "\"\(digest.rawValue.prefix(32))\""
    response.headers[.eTag] = tag
    if request.holds(tag) { return response.notModified }
    return try await send(blob, tag: tag, response, request, context)
  }

  private func uses(of digest: Digest) async throws -> [FileUse] {
    try await database.read { tx in
      let found = try tx.uses(ofFile: digest)
      let owners = try tx.accounts(Set(found.map(\.attachment.ownerID)))
      return try found.compactMap { rendition, attachment in
        guard let owner = owners[attachment.ownerID] else { return nil }
        return FileUse(
          rendition: rendition, attachment: attachment, owner: owner,
          post: try attachment.postID.flatMap { try tx.post($0) })
      }
    }
  }

  /// The same file in works of different people: the strictest holds.
  private func policy(of uses: [FileUse]) -> UsagePolicy {
    let statements = uses.map { use in
      PolicyStatement(
        party: use.owner.uri, scope: .attachment,
        policy: effectivePolicy(of: use.owner, post: use.post, attachment: use.attachment, on: instance))
    }
    return combine(statements)?.policy ?? standardPolicy
  }

  func send(
    _ blob: BlobDigest, tag: String, _ head: Response, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    var response = head
    let area: BlobStore.Area
    let size: Int
    if let kept = try blobs.size(blob) {
      (area, size) = (.kept, kept)
    } else if let held = try blobs.size(blob, in: .quarantine) {
      (area, size) = (.quarantine, held)
    } else {
      throw Problem.notFound
    }
    guard size > 0 else { throw Problem.notFound }
    var range = 0...(size - 1)
    let isCurrent = request.headers[.ifRange].map { $0 == tag } ?? true
    if isCurrent, let asked = request.headers[.range] {
      switch ByteRange(asked, size: size) {
      case .whole: break
      case .part(let part):
        range = part
        response.status = .partialContent
        response.headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(size)"
      case .unsatisfiable:
        response.status = .rangeNotSatisfiable
        response.headers[.contentRange] = "bytes */\(size)"
        response.headers[.contentType] = nil
        return response
      }
    }
    response.body = try await FileIO().loadFile(path: blobs.path(blob, in: area), range: range, context: context)
    return response
  }
}

extension Response {
  /// Bytes that came from people are inert whatever they are: no type is guessed, and opened as a page they may do
  /// nothing.
  mutating func makeInert() {
    setHeader("x-content-type-options", "nosniff")
    setHeader("content-security-policy", "default-src 'none'; sandbox")
    setHeader("cross-origin-resource-policy", "cross-origin")
  }
}

/// One range of RFC 9110 §14.1.2. Several at once, which nobody needs for a picture, get the whole file.
enum ByteRange: Equatable {
  case whole
  case part(ClosedRange<Int>)
  case unsatisfiable

  init(_ header: String, size: Int) {
    self = .whole
    guard size > 0, header.utf8.count <= 64, header.hasPrefix("bytes="), !header.contains(",") else { return }
    let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return }
    if ends[0].isEmpty {
      guard let count = ByteRange.number(ends[1]) else { return }
      self = count == 0 ? .unsatisfiable : .part(max(0, size - count)...(size - 1))
      return
    }
    guard let start = ByteRange.number(ends[0]) else { return }
    guard start < size else {
      self = .unsatisfiable
      return
    }
    if ends[1].isEmpty {
      self = .part(start...(size - 1))
    } else if let end = ByteRange.number(ends[1]), end >= start {
      self = .part(start...min(end, size - 1))
    }
  }

  private static func number(_ text: Substring) -> Int? {
    guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text)
  }
}
