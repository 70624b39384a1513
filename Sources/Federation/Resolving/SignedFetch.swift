import ActivityStreams
import Logging
import Model
import Persistence
import Primitives
import Signatures
import Store
import Synchronization
import Transport

/// A document found at its own id.
package struct FetchedDocument: Hashable, Sendable {
  package let id: IRI
  package let document: Document
}

/// Counts the fetches one cause may make, over all it leads to.
package final class FetchBudget: Sendable {
  private let left: Mutex<Int>
  package let deadline: Duration

  package init(_ count: Int = Limits.fetchesPerActivity, deadline: Duration = Limits.exchangeDeadline) {
    left = Mutex(count)
    self.deadline = deadline
  }

  func spend() throws(FetchFailure) {
    let mayGo = left.withLock { left in
      left -= 1
      return left >= 0
    }
    guard mayGo else { throw .budget }
  }
}

/// Gets ActivityPub documents, signed by the instance actor, and believes none of them about its own id.
///
/// Signed with draft-cavage first and once more with RFC 9421 after 400 or 401; what worked is remembered.
package final class SignedFetch: Sendable {
  private let environment: FederationEnvironment
  private let schemes = Mutex<[Host: SignatureClaim.Scheme]>([:])

  package init(_ environment: FederationEnvironment) { self.environment = environment }

  /// The document whose id is `url`, or the one that `url` leads to. An answer that names another id is not believed:
  /// that id is asked for once, and has to answer for itself.
  package func document(_ url: IRI, budget: FetchBudget) async throws(FetchFailure) -> FetchedDocument {
    let first = try await get(url, budget: budget)
    let asked = url.withoutFragment
    if first.id == first.url { return FetchedDocument(id: first.id, document: first.document) }
    // Asked for by its id, redirected within its origin: the origin speaks for its own names.
    if first.id == asked, asked.hasSameOrigin(as: first.url) {
      return FetchedDocument(id: first.id, document: first.document)
    }
    guard first.id != asked else { throw .mismatch }
    let second = try await get(first.id, budget: budget)
    guard second.id == first.id, second.url == first.id else { throw .mismatch }
    return FetchedDocument(id: second.id, document: second.document)
  }

  private struct Answer {
    let id: IRI
    let url: IRI
    let document: Document
  }

  private func get(_ url: IRI, budget: FetchBudget) async throws(FetchFailure) -> Answer {
    guard !url.hasSameOrigin(as: environment.instance.base) else { throw .local }
    try budget.spend()
    let response = try await exchange(url, deadline: budget.deadline)
    switch response.status {
    case 200...299: break
    case 404, 410: throw .gone(status: response.status)
    default: throw .status(response.status)
    }
    let types = response.values(of: "content-type")
    guard types.count == 1, let type = types.first, MediaType.isActivityPub(type) else { throw .contentType }
    guard !response.url.hasSameOrigin(as: environment.instance.base) else { throw .local }
    do {
      let document = try Document(parsing: response.body)
      return Answer(id: try document.node.id(), url: response.url, document: document)
    } catch { throw .document(error) }
  }

  private func exchange(_ url: IRI, deadline: Duration) async throws(FetchFailure) -> IncomingResponse {
    let known = try await scheme(of: url.host)
    let ring: KeyRing.ActorKeys
    do { ring = try await environment.keys.instanceKeys(of: environment.instance) } catch { throw .unsigned }
    var knocking = SignatureKnocking(known: known)
    while true {
      let response = try await send(url, as: knocking.style, ring, deadline: deadline)
      if response.isSuccess, knocking.style.scheme != known { await remember(knocking.style.scheme, of: url.host) }
      let asked = response.header("accept-signature").flatMap {
        SignatureRequest(acceptSignature: $0, hasBody: false, keys: [ring.rsa.id, ring.ed25519.id])
      }
      guard knocking.next(after: response.status, asked: asked) != nil else { return response }
    }
  }

  private func send(
    _ url: IRI, as style: SignatureKnocking.Style, _ ring: KeyRing.ActorKeys, deadline: Duration
  ) async throws(FetchFailure) -> IncomingResponse {
    let key = ring.key(for: style)
    let time = environment.time
    let base = environment.instance.base
    let detour = Detour()
    let request = OutgoingRequest(
      url: url, headers: [HeaderField("Accept", MediaType.accept)], maximumResponse: Limits.fetchedDocument,
      deadline: deadline,
      prepare: { target in
        // A redirect to ourselves is not followed: what is ours is in the database or nowhere.
        guard !target.url.hasSameOrigin(as: base) else {
          detour.isLocal.withLock { $0 = true }
          throw FetchFailure.local
        }
        let facts = RequestFacts(method: target.method.rawValue, url: target.url)
        return try key.sign(facts, as: style, at: time.now()).all.map { HeaderField($0.name, $0.value) }
      })
    do { return try await environment.client.get(request) } catch {
      throw detour.isLocal.withLock { $0 } ? .local : .transport(error)
    }
  }

  /// Where a redirect led, told from inside the request.
  private final class Detour: Sendable {
    let isLocal = Mutex(false)
  }

  /// How `host` likes to be signed to, if that is known. Throws for a blocked host: nothing is asked of it, whatever
  /// names it.
  func scheme(of host: Host) async throws(FetchFailure) -> SignatureClaim.Scheme? {
    let oldest = environment.time.now().adding(.zero - Limits.schemeMemory)
    let found: (peer: Peer?, isBlocked: Bool)
    do {
      found = try await environment.database.read { tx in
        (peer: try tx.peer(host), isBlocked: try tx.block(of: host) != nil)
      }
    } catch { throw .unsigned }
    if found.isBlocked { throw .blockedHost }
    if let known = schemes.withLock({ $0[host] }) { return known }
    guard let peer = found.peer, let scheme = peer.scheme, let at = peer.schemeAt, at > oldest else { return nil }
    return scheme == .rfc9421 ? .messageSignature : .cavage
  }

  private func remember(_ scheme: SignatureClaim.Scheme, of host: Host) async {
    schemes.withLock { schemes in
      if schemes.count >= Limits.rememberedSchemes { schemes.removeAll(keepingCapacity: true) }
      schemes[host] = scheme
    }
    // Draft-cavage is what we try anyway.
    guard scheme == .messageSignature else { return }
    let now = environment.time.now()
    do {
      try await environment.database.write { tx in
        var peer = try tx.peer(host) ?? Peer(host: host)
        peer.scheme = .rfc9421
        peer.schemeAt = now
        try tx.save(peer)
      }
    } catch { environment.log.notice("scheme.not_stored") }
  }
}

/// Content types as peers write them: any case, any order of parameters.
package enum MediaType {
  static let accept = "\(Names.mediaType), \(Names.linkedDataType)"

  /// `application/activity+json`, or `application/ld+json` whose profile names ActivityStreams.
  package static func isActivityPub(_ text: String) -> Bool {
    var parts = parameters(text)[...]
    guard let type = parts.popFirst()?.lowercased() else { return false }
    if type == Names.mediaType { return true }
    guard type == "application/ld+json" else { return false }
    return parts.contains { part in
      let sides = part.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      guard sides.count == 2, sides[0].lowercased() == "profile" else { return false }
      var value = sides[1][...]
      if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
      return value.split(separator: " ").contains("https://www.w3.org/ns/activitystreams")
    }
  }

  static func isJSON(_ text: String) -> Bool {
    ["application/jrd+json", "application/json"].contains(parameters(text).first?.lowercased())
  }

  private static func parameters(_ text: String) -> [String] {
    guard text.utf8.count <= 512 else { return [] }
    return text.split(separator: ";").map { $0.trimmed }
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let kept = drop { $0 == " " || $0 == "\t" }
    return String(kept.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}
