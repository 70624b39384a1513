import Policy
import Primitives

/// Who this server is, and the addresses of everything on it. Actor ids are permanent, so the host never changes.
package struct Instance: Hashable, Sendable {
  /// Without a trailing slash: `https://paper.test`.
  package let base: IRI
  /// What this place says of the works shown on it where their author is silent, marked as a default.
  package let usagePolicy: UsagePolicy
  /// Its own actor's name in WebFinger is the host name.
  package var host: Host { base.host }
  /// On plain http and loopback: federation is off, and every page says so.
  package var isTrial: Bool { base.scheme == "http" }

  /// `base` must be an origin: no path, query or fragment.
  package init?(base: IRI, usagePolicy: UsagePolicy.Preset = .standard) {
    guard base.pathAndQuery == "/", base.fragment == nil, let origin = IRI(base.origin) else { return nil }
    self.base = origin
    self.usagePolicy = UsagePolicy(usagePolicy, basis: .instanceDefault)
  }

  /// `path` is ours and made of names and numbers, so it is always an IRI; the base stands in should it not be.
  private func at(_ path: String) -> IRI { base.appending(path) ?? base }

  package var actor: IRI { at("/actor") }
  package var sharedInbox: IRI { at("/inbox") }
  /// The actor that exchanges assessments of pictures with those of other servers.
  package var assessor: IRI { at("/actors/\(Instance.assessorName)") }
  package static let assessorName = "assessor"

  package func actor(_ username: String) -> IRI { at("/users/\(username)") }
  package func profile(_ username: String) -> IRI { at("/@\(username)") }
  package func inbox(_ username: String) -> IRI { at("/users/\(username)/inbox") }
  package func outbox(_ username: String) -> IRI { at("/users/\(username)/outbox") }
  package func followers(_ username: String) -> IRI { at("/users/\(username)/followers") }
  package func followersSynchronization(_ username: String) -> IRI {
    at("/users/\(username)/followers_synchronization")
  }
  package func following(_ username: String) -> IRI { at("/users/\(username)/following") }
  package func featured(_ username: String) -> IRI { at("/users/\(username)/featured") }
  package func featuredTags(_ username: String) -> IRI { at("/users/\(username)/collections/tags") }
  /// Add and Remove have no row that names them: the job that sends them does.
  package func pin(_ job: Int64, by username: String) -> IRI { at("/users/\(username)#pins/\(job)") }
  package func flag(_ report: Report.ID) -> IRI { at("/reports/\(report)") }
  package func rsaKey(_ actor: IRI) -> IRI { actor.appending("#main-key") ?? actor }
  package func ed25519Key(_ actor: IRI) -> IRI { actor.appending("#ed25519-key") ?? actor }
  package func policyPage(_ username: String) -> IRI { at("/@\(username)/policy") }
  package func tdmPolicy(_ username: String) -> IRI { at("/users/\(username)/tdm-policy") }
  /// One published state of what an artist says to machines. It never changes.
  package func policy(_ number: Int, of username: String) -> IRI { at("/users/\(username)/policies/\(number)") }
  /// The same as an ODRL offer.
  package func odrl(_ policy: IRI) -> IRI { policy.appending("/odrl") ?? policy }
  package func receipt(_ id: Int64) -> IRI { at("/receipts/\(id)") }

  package func post(_ id: Post.ID, by username: String) -> IRI { at("/users/\(username)/statuses/\(id)") }
  package func postPage(_ id: Post.ID, by username: String) -> IRI { at("/@\(username)/\(id)") }
  package func activity(of post: IRI) -> IRI { post.appending("/activity") ?? post }
  package func update(of post: IRI, at time: Timestamp) -> IRI {
    post.appending("#updates/\(time.milliseconds)") ?? post
  }
  package func delete(of post: IRI) -> IRI { post.appending("#delete") ?? post }
  package func follow(_ id: Follow.ID) -> IRI { at("/follows/\(id)") }
  package func like(_ post: Post.ID, by username: String) -> IRI { at("/users/\(username)/likes/\(post)") }
  package func vote(_ id: PollVote.ID, by username: String) -> IRI { at("/users/\(username)#votes/\(id)") }
  package func quoteStamp(_ id: QuoteConsent.ID, by username: String) -> IRI {
    at("/users/\(username)/quote_authorizations/\(id)")
  }
  package func quoteRequest(_ post: Post.ID, by username: String) -> IRI {
    at("/users/\(username)/quote_requests/\(post)")
  }
  package func undo(of activity: IRI) -> IRI { activity.appending("#undo") ?? activity }
  /// An answer to a Follow of another server: named by our follow row.
  package func accept(_ follow: Follow.ID) -> IRI { at("/accepts/\(follow)") }
  package func reject(_ id: Int64) -> IRI { at("/rejects/\(id)") }

  package func media(_ fileName: String) -> IRI { at("/media/\(fileName)") }
  package func page(_ path: String) -> IRI { at(path) }
  package var tagPages: IRI { at("/tags/") }
  /// What a score means here, and what it was measured on.
  package var detectorPage: IRI { at("/about#detectors") }
  package func assessment(_ id: DecisionRecord.ID) -> IRI { at("/assessments/\(id)") }
  package func appeal(_ attachment: Attachment.ID) -> IRI { at("/appeals/new?work=\(attachment)") }

  /// Whose policy `iri` names, and which of them, if it is one of this server.
  package func policy(named iri: IRI) -> (username: String, number: Int)? {
    guard iri.hasSameOrigin(as: base), iri.query == nil, iri.fragment == nil else { return nil }
    let parts = iri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    guard parts.count == 4, parts[0] == "users", parts[2] == "policies", Handle.isUsername(parts[1]),
      (1...9).contains(parts[3].utf8.count), let number = Int(parts[3]), number > 0
    else { return nil }
    return (parts[1], number)
  }

  /// The local name in an actor id of this server.
  package func username(ofActor iri: IRI) -> String? {
    guard iri.hasSameOrigin(as: base) else { return nil }
    let parts = iri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard parts.count == 2, parts.first == "users", let name = parts.last, Handle.isUsername(name) else { return nil }
    return String(name)
  }
}
