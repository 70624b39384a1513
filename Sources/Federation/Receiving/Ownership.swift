import ActivityStreams
import Primitives

/// Who may speak for what. Each function is one law, and names the attack it ends. Nothing here asks anybody.
package enum Ownership {
  package enum Failure: String, Error, Hashable, Sendable {
    /// An activity named on another origin than its actor's: it would take the place of the genuine one
    /// (GHSA-4qhx).
    case idOrigin = "id.origin"
    /// Our own id, made elsewhere.
    case idLocal = "id.local"
    /// One of our own actors as the author of what came from outside.
    case actorLocal = "actor.local"
    /// Signed by somebody else than the actor (CVE-2025-54888).
    case signer = "sig.actor_mismatch"
    /// An object of another owner (CVE-2024-37903, CVE-2026-73090).
    case owner
    /// Several owners on several hosts: checking only the first is how the second is robbed.
    case owners

    package var code: String {
      switch self {
      case .owner, .owners: "owner"
      default: rawValue
      }
    }
  }

  /// An activity's id and its actor belong to one origin, and neither is ours.
  package static func checkActivity(id: IRI, actor: IRI, local: IRI) throws(Failure) {
    guard !actor.hasSameOrigin(as: local) else { throw .actorLocal }
    guard !id.hasSameOrigin(as: local) else { throw .idLocal }
    guard id.hasSameOrigin(as: actor) else { throw .idOrigin }
  }

  /// The owner of the key that verified is the actor itself. Not its origin: mallory is on victim's host too.
  package static func checkSigner(owner: IRI, actor: IRI) throws(Failure) {
    guard owner == actor else { throw .signer }
  }

  /// A key lies on its owner's origin. Whether the owner lists it is read from the owner's document.
  package static func mayOwn(_ owner: IRI, key: IRI) -> Bool { key.hasSameOrigin(as: owner) }

  /// An object belongs to `actor`: by its word, and by its origin.
  package static func checkObject(id: IRI, attributedTo: IRI, actor: IRI, local: IRI) throws(Failure) {
    guard !id.hasSameOrigin(as: local) else { throw .idLocal }
    guard id.hasSameOrigin(as: actor) else { throw .idOrigin }
    guard attributedTo == actor else { throw .owner }
  }

  /// Every owner that a document names is on the actor's origin. PeerTube names the account and its channel.
  package static func checkOwners(_ node: Node, actor: IRI) throws(Failure) {
    for value in node.values("attributedTo") {
      guard let owner = Node.iri(value), owner.hasSameOrigin(as: actor) else { throw .owners }
    }
  }
}
