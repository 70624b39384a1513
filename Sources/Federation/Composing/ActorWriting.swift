import ActivityStreams
import Model
import Policy
import Primitives
import Store
import Vocab

extension Account {
  /// The document of an account of this server. `keys` are its rows; only their public halves are used.
  package func actor(keys: [StoredKey], in instance: Instance) -> Actor {
    var actor = Actor(id: uri, kind: Actor.Kind(rawValue: kind.rawValue) ?? .person)
    actor.preferredUsername = username
    actor.name = displayName.isEmpty ? username : displayName
    actor.summary = note
    actor.url = url
    actor.inbox = inbox
    actor.outbox = outbox
    actor.followers = followers
    actor.following = following
    actor.featured = featured
    actor.sharedInbox = instance.sharedInbox
    actor.published = createdAt
    // A reader lifts a restriction only for a later statement.
    if let policyStatedAt, policyStatedAt > createdAt { actor.updated = policyStatedAt }
    actor.featuredTags = kind == .application ? nil : instance.featuredTags(username)
    actor.icon = avatar.map { Actor.Picture(url: instance.media($0.fileName), mediaType: $0.mediaType) }
    actor.image = header.map { Actor.Picture(url: instance.media($0.fileName), mediaType: $0.mediaType) }
    actor.fields = fields.map { Actor.Field(name: $0.name, value: $0.value) }
    actor.manuallyApprovesFollowers = isLocked
    actor.discoverable = isDiscoverable
    actor.indexable = isIndexable
    actor.suspended = suspendedAt != nil
    actor.movedTo = movedTo
    actor.alsoKnownAs = details.aliases
    actor.attributionDomains = details.attributionDomains
    actor.memorial = details.isMemorial
    actor.webfinger = "\(username)@\(instance.host.text)"
    if let usagePolicy {
      let signals = OutgoingSignals(usagePolicy)
      actor.usagePolicy = usagePolicy.embedded(on: instance)
      actor.xRobotsTag = signals.xRobotsTag
      actor.contentUsage = signals.contentUsage
    }
    for key in keys {
      switch key.kind {
      case .rsa:
        actor.publicKeys.append(ActivityStreams.PublicKey(id: key.keyID, owner: uri, pem: key.publicKey))
      case .ed25519:
        actor.assertionMethods.append(
          Multikey(id: key.keyID, controller: uri, publicKeyMultibase: key.publicKey))
      }
    }
    return actor
  }

  /// The actor that speaks for the server: unlisted, followed by nobody, and telling what the server implements.
  package func serverActor(keys: [StoredKey], in instance: Instance) -> Actor {
    var actor = actor(keys: keys, in: instance)
    actor.kind = .application
    actor.outbox = instance.page("/actor/outbox")
    actor.implements = Capability.implemented
    actor.policyConformance = Capability.conformance
    return actor
  }
}

extension Account {
  /// The actor that exchanges assessments. A Service of its own, since whoever follows a server's actor asks for a
  /// relay.
  package func assessorActor(keys: [StoredKey], in instance: Instance) -> Actor {
    var actor = actor(keys: keys, in: instance)
    actor.kind = .service
    actor.featured = nil
    actor.summary =
      "<p>Tells assessors of other servers, once an admin here has approved them, which pictures were flagged here. "
      + "A flag is not proof.</p>"
    return actor
  }
}

/// FEP-844e: what this server does, told by its own actor and nowhere else.
package enum Capability {
  /// `signal`, not `restrict`: public works can be read through the client API without a token.
  package static let conformance = Vocab.Conformance.signal.rawValue

  /// The proposals (FEPs) that are built, by their slugs. FEDERATION.md names the same: a test compares the two.
  package static let proposals = [
    "67ff", "8b32", "521a", "5feb", "5e53", "1311", "fe34", "844e", "d556", "2c59", "f1d5", "0151",
    "268d", "044f", "e232", "7888", "f228", "ae0c", "8fcf",
  ]

  private static let specifications: [(address: String, name: String)] = [
    ("https://datatracker.ietf.org/doc/html/rfc9421", "RFC-9421: HTTP Message Signatures"),
    (
      "https://datatracker.ietf.org/doc/html/rfc9421#name-eddsa-using-curve-edwards25",
      "RFC-9421 signatures using the Ed25519 algorithm"
    ),
    ("https://w3id.org/fep/8b32", "FEP-8b32: Object Integrity Proofs"),
    (Vocab.optOutSpecification, "FEP-5e53: Opt-out Preference Signals"),
    (Vocab.specification, "AI usage policies"),
  ]

  package static var implemented: [Actor.Implementation] {
    specifications.compactMap { entry in IRI(entry.address).map { Actor.Implementation(href: $0, name: entry.name) } }
  }
}
