import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

/// What a search for one thing found.
package enum Resolved: Hashable, Sendable {
  case account(Account)
  case post(Post)
}

/// Everything that receives and resolves, over one set of keys.
package struct FederationReceiving: Sendable {
  package let fetch: SignedFetch
  package let keys: KeyDirectory
  package let inbox: InboxGate
  package let gets: FetchGate
  package let parked: ParkedVerifier
  package let actors: ActorResolver
  package let posts: PostResolver
  package let receiver: Receiver
  private let environment: FederationEnvironment

  package init(_ environment: FederationEnvironment) {
    self.environment = environment
    fetch = SignedFetch(environment)
    keys = KeyDirectory(environment, fetch: fetch)
    inbox = InboxGate(environment, keys: keys, fetch: fetch)
    gets = FetchGate(environment, keys: keys)
    parked = ParkedVerifier(inbox)
    actors = ActorResolver(environment, fetch: fetch, keys: keys)
    posts = PostResolver(environment, fetch: fetch, keys: keys, actors: actors)
    receiver = Receiver(environment, fetch: fetch, keys: keys, actors: actors, posts: posts)
  }

  /// Runs a job of the lanes `inbound` and `resolving`; false for a job of another lane. Throws only when the database
  /// fails: the lease then runs out.
  package func run(_ lease: JobLease) async throws -> Bool {
    switch lease.job {
    case .receive(let id): try await receiver.run(receiving: id, lease: lease)
    case .refreshActor(let id): try await actors.run(refreshing: id, lease: lease)
    case .fetchPost(let iri): try await posts.run(fetching: iri, lease: lease)
    case .readThread(let id): try await posts.run(readingThreadOf: id, lease: lease)
    case .resolveQuote(let id): try await posts.run(resolvingQuoteOf: id, lease: lease)
    case .settlePoll(let id): try await posts.run(settling: id, lease: lease)
    case .compareFollowers(let id, let url, let digest):
      try await actors.run(comparing: id, url: url, digest: digest, lease: lease)
    case .fetchFeatured(let id): try await posts.run(featuredBy: id, lease: lease)
    case .federate, .fetchMedia, .reconsider, .remark, .discardFiles, .publishScheduled, .fetchPortraits, .mail,
      .push:
      return false
    }
    return true
  }

  /// A handle or an address, as a person types it into a search. Nil when there is no such thing, or it is none of
  /// ours to see; throws when its server did not answer.
  package func resolve(query: String) async throws(ResolveFailure) -> Resolved? {
    guard query.utf8.count <= Limits.queryBytes else { return nil }
    let text = String(query.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    let budget = FetchBudget(deadline: Limits.fetchInRequest)
    do {
      // A trial knows itself only.
      if let handle = Handle(text), !environment.instance.isTrial || handle.host == environment.instance.host {
        return try await looked(at: actors.account(handle, budget: budget))
      }
      guard let iri = IRI(text), !environment.instance.isTrial || iri.hasSameOrigin(as: environment.instance.base)
      else { return nil }
      let found = try await resolve(iri, budget: budget)
      if case .account(let account) = found { return try await looked(at: account) }
      return found
    } catch {
      guard error.isTransient else { return nil }
      throw error
    }
  }

  /// Somebody here opens a page that shows nothing yet: what its owner shows first is asked for in the background.
  private func looked(at account: Account) async throws(ResolveFailure) -> Resolved {
    guard !account.isLocal, account.featured != nil else { return .account(account) }
    let context = environment.context
    do { try await environment.database.write { try $0.queueFeatured(of: account, in: context) } } catch {
      throw ResolveFailure(error)
    }
    return .account(account)
  }

  private func resolve(_ iri: IRI, budget: FetchBudget) async throws(ResolveFailure) -> Resolved? {
    if let post = try await posts.stored(iri) { return .post(post) }
    if let account = try await actors.stored(iri) { return .account(account) }
    guard !iri.hasSameOrigin(as: environment.instance.base) else { return nil }
    let page: FetchedDocument
    do { page = try await fetch.document(iri, budget: budget) } catch { throw .fetch(error) }
    if ActivityStreams.Actor.types.contains(where: page.document.node.isA) {
      return .account(try await actors.account(page.id, budget: budget))
    }
    return .post(try await posts.post(page.id, budget: budget))
  }
}
