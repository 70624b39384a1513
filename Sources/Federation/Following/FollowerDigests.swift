import Model
import Persistence
import Primitives
import Store
import Synchronization

/// What each server should have for the followers of our senders, computed once for all of a sender's deliveries.
///
/// A digest that is a minute old makes a peer ask for the list, which is of that moment, and find nothing to change.
final class FollowerDigests: Sendable {
  private struct Entry: Sendable {
    let at: Timestamp
    let collection: IRI?
    let url: IRI?
    /// By origin.
    let digests: [String: FollowerDigest]
  }

  private let environment: FederationEnvironment
  private let entries = Mutex<[Account.ID: Entry]>([:])

  init(_ environment: FederationEnvironment) { self.environment = environment }

  /// The field for a delivery of `sender` to `inbox`; nil when nobody there follows, or when the lists are too long to
  /// be compared.
  func field(of sender: Account.ID, to inbox: IRI) async -> CollectionSynchronization? {
    let entry: Entry
    do { entry = try await self.entry(of: sender) } catch { return nil }
    guard let collection = entry.collection, let url = entry.url, let digest = entry.digests[inbox.origin] else {
      return nil
    }
    return CollectionSynchronization(collection: collection, url: url, digest: digest)
  }

  private func entry(of sender: Account.ID) async throws -> Entry {
    let now = environment.time.now()
    let known = entries.withLock { $0[sender] }
    if let known, now.since(known.at) < Limits.followerDigestLifetime { return known }
    let instance = environment.instance
    let made = try await environment.database.read { tx -> Entry in
      guard let account = try tx.account(sender), account.isLocal, let collection = account.followers else {
        return Entry(at: now, collection: nil, url: nil, digests: [:])
      }
      let uris = try tx.remoteFollowerURIs(of: sender, limit: Limits.synchronizedFollowers + 1)
      guard uris.count <= Limits.synchronizedFollowers else {
        return Entry(at: now, collection: nil, url: nil, digests: [:])
      }
      let parts = Dictionary(grouping: uris, by: \.origin).filter { $0.value.count <= Limits.synchronizedPart }
      return Entry(
        at: now, collection: collection, url: instance.followersSynchronization(account.username),
        digests: parts.mapValues { FollowerDigest(of: $0) })
    }
    entries.withLock { entries in
      if entries.count >= Limits.followerDigestSenders { entries.removeAll() }
      entries[sender] = made
    }
    return made
  }
}

extension Composer {
  /// The followers of `account` that are of `origin`, for a reader who is of it too; nil when they are too many.
  package func followers(of account: Account, at origin: String) async throws -> Document? {
    let uris = try await environment.database.read {
      try $0.remoteFollowerURIs(of: account.id, limit: Limits.synchronizedFollowers + 1)
    }
    let part = uris.filter { $0.origin == origin }.sorted()
    guard uris.count <= Limits.synchronizedFollowers, part.count <= Limits.synchronizedPart else { return nil }
    return Document(
      bytes: ActivityDocuments.list(instance.followersSynchronization(account.username), of: part), policy: nil)
  }
}
