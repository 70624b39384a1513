import ActivityStreams
import Model
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Synchronization

/// Makes the documents that other servers read: from rows, once, signed by their author.
package struct Composer: Sendable {
  let environment: FederationEnvironment
  var instance: Instance { environment.instance }

  private let memory = ActorMemory()

  package init(environment: FederationEnvironment) { self.environment = environment }

  /// A document as it is served, and under which policy.
  package struct Document: Hashable, Sendable {
    package let bytes: [UInt8]
    package let policy: UsagePolicy?
  }

  /// The actor document of a local account; the server's own for the Application.
  package func actor(_ account: Account) async throws -> Document {
    if let known = memory.bytes(for: account) { return Document(bytes: known, policy: account.usagePolicy) }
    let bytes = try await actorDocument(account).bytes
    memory.keep(bytes, for: account)
    return Document(bytes: bytes, policy: account.usagePolicy)
  }

  func actorDocument(_ account: Account) async throws -> JSON {
    let instance = instance
    let keys = try await environment.database.read { try $0.signingKeys(of: account.id) }
    let actor =
      switch account.uri {
      case instance.actor: account.serverActor(keys: keys, in: instance)
      case instance.assessor: account.assessorActor(keys: keys, in: instance)
      default: account.actor(keys: keys, in: instance)
      }
    // The time of the proof is that of the last change we know of, so that the same actor has the same bytes.
    return try await signed(
      actor.document, by: account.id, at: max(account.createdAt, account.policyStatedAt ?? account.createdAt))
  }

  /// A local post that is no boost; nil otherwise.
  package func note(_ post: Post) async throws -> Document? {
    guard let facts = try await environment.database.read({ try $0.facts(of: post) }) else { return nil }
    return Document(bytes: try await noteDocument(facts).bytes, policy: facts.policy)
  }

  func noteDocument(_ facts: PostFacts) async throws -> JSON {
    let document = facts.note(in: instance).document
    guard facts.isSigned else { return document }
    return try await signed(document, by: facts.author.id, at: facts.post.changedAt)
  }

  /// The Create of a local post, or the Announce that a local boost is: what `…/activity` leads to.
  package func activity(of post: Post) async throws -> Document? {
    if post.boostOfID != nil {
      guard let composed = try await boosted(post) else { return nil }
      return Document(bytes: composed.body, policy: nil)
    }
    guard let facts = try await environment.database.read({ try $0.facts(of: post) }) else { return nil }
    return Document(bytes: try await created(facts).body, policy: facts.policy)
  }

  /// `document` with the Ed25519 proof of `account`.
  func signed(_ document: JSON, by account: Account.ID, at time: Timestamp) async throws -> JSON {
    let key = try await environment.keys.keys(of: account).ed25519
    guard case .ed25519(let privateKey) = key.key else { throw KeyRingFailure.missing }
    return try IntegrityProof.sign(document: document, key: privateKey, verificationMethod: key.id, created: time)
  }
}

/// The last document of each local actor. The same row makes the same bytes, proof included, and servers ask for them
/// at every first contact; a changed row is another row.
private final class ActorMemory: Sendable {
  private let documents = Mutex<[Account.ID: (account: Account, bytes: [UInt8])]>([:])
  private let capacity = 1_000

  func bytes(for account: Account) -> [UInt8]? {
    documents.withLock { documents in
      guard let known = documents[account.id], known.account == account else { return nil }
      return known.bytes
    }
  }

  func keep(_ bytes: [UInt8], for account: Account) {
    documents.withLock { documents in
      if documents.count >= capacity { documents.removeAll() }
      documents[account.id] = (account, bytes)
    }
  }
}
