import ActivityStreams
import Markup
import Model
import Policy
import Primitives

/// An actor document as the account it describes. Pure.
struct ReadActor {
  let actor: ActivityStreams.Actor

  /// Nil, with the reason, for what can not be spoken with.
  init(_ actor: ActivityStreams.Actor) throws(ResolveFailure) {
    guard let inbox = actor.inbox else { throw .unacceptable("actor.inbox") }
    // An inbox elsewhere would send what is meant for this actor to another server (Akkoma 2025.03).
    guard inbox.hasSameOrigin(as: actor.id) else { throw .unacceptable("actor.inbox_origin") }
    guard actor.preferredUsername != nil else { throw .unacceptable("actor.username") }
    self.actor = actor
  }

  var username: String { actor.preferredUsername ?? "" }

  /// What it says beside its policy. `known` keeps what a document does not decide.
  func account(id: Account.ID, handle: Handle, known: Account?, at now: Timestamp) -> Account {
    let uri = actor.id
    let name = displayName(actor.name ?? "")
    return Account(
      id: id, username: known?.username ?? handle.username, host: known?.host ?? handle.host, kind: kind, uri: uri,
      url: page, displayName: name.isEmpty ? handle.username : name, note: sanitize(actor.summary ?? "").html,
      inbox: actor.inbox ?? uri, sharedInbox: own(actor.sharedInbox), outbox: own(actor.outbox),
      followers: own(actor.followers), following: own(actor.following), featured: own(actor.featured),
      avatarURL: avatar, headerURL: header, avatar: avatar == known?.avatarURL ? known?.avatar : nil,
      header: header == known?.headerURL ? known?.header : nil,
      fields: actor.fields.map { ProfileField(name: displayName($0.name), value: sanitize($0.value).html) },
      isLocked: actor.manuallyApprovesFollowers, isDiscoverable: actor.discoverable, isIndexable: actor.indexable,
      usagePolicy: known?.usagePolicy, policyIsProved: known?.policyIsProved ?? false,
      policyStatedAt: known?.policyStatedAt, createdAt: known?.createdAt ?? min(actor.published ?? now, now),
      fetchedAt: now, suspendedAt: known?.suspendedAt, movedTo: known?.movedTo, details: details)
  }

  private var avatar: IRI? { actor.icon.flatMap { secure($0.url) } }
  private var header: IRI? { actor.image.flatMap { secure($0.url) } }

  private var details: AccountDetails {
    var details = AccountDetails()
    details.aliases = actor.alsoKnownAs
    details.attributionDomains = actor.attributionDomains
    details.isMemorial = actor.memorial
    details.featuredTags = own(actor.featuredTags)
    return details
  }

  func incomingPolicy(_ standing: IncomingUsagePolicy.Standing) -> IncomingUsagePolicy {
    IncomingUsagePolicy(
      policy: ReadPolicy.policy(
        actor.usagePolicy, xRobotsTag: actor.xRobotsTag, contentUsage: actor.contentUsage,
        refusesSharing: actor.refusesSharing),
      standing: standing, statedAt: actor.updated ?? actor.published)
  }

  private var kind: Account.Kind {
    switch actor.kind {
    case .person: .person
    case .group: .group
    case .organization: .organization
    case .service: .service
    case .application: .application
    }
  }

  /// A page on another host is where a phisher would send people.
  private var page: IRI {
    guard let url = actor.url, url.scheme == actor.id.scheme, url.host == actor.id.host else { return actor.id }
    return url
  }

  private func own(_ iri: IRI?) -> IRI? { iri.flatMap { $0.hasSameOrigin(as: actor.id) ? $0 : nil } }
  private func secure(_ iri: IRI) -> IRI? { iri.scheme == "https" ? iri : nil }
}

/// Usage policies in received documents, in our own words or those of others.
enum ReadPolicy {
  /// Without `usagePolicy`, what FEP-5e53 and AIPREF say counts; the strictest of them in each category.
  static func policy(
    _ wire: JSON?, xRobotsTag: String?, contentUsage: String?, refusesSharing: Bool = false
  ) -> UsagePolicy? {
    if let policy = wire.flatMap({ UsagePolicy(wire: $0) }) { return policy }
    let said = [
      xRobotsTag.flatMap { UsagePolicy(xRobotsTag: $0) }, contentUsage.flatMap { UsagePolicy(contentUsage: $0) },
      refusesSharing ? UsagePolicy.refusingSharing() : nil,
    ].compactMap(\.self)
    guard let first = said.first else { return nil }
    return said.dropFirst().reduce(first) { policy, other in
      UsagePolicy.Category.allCases.reduce(policy) { policy, category in
        guard let word = other[category] else { return policy }
        return policy.setting(category, to: max(policy[category] ?? word, word))
      }
    }
  }

  static func stored(_ policy: UsagePolicy?, wasProved: Bool, statedAt: Timestamp?) -> StoredUsagePolicy? {
    policy.map {
      StoredUsagePolicy(policy: $0, wasProved: wasProved, statedAt: statedAt ?? Timestamp(milliseconds: 0))
    }
  }
}

extension RatchetOutcome {
  /// What to store; nil when the stored policy stays.
  var result: StoredUsagePolicy? {
    switch self {
    case .stored(let policy), .lifted(let policy): policy
    case .ignored: nil
    }
  }
}

extension Account {
  /// The policy goes through the ratchet; a document that says nothing takes nothing back.
  func applying(_ incoming: IncomingUsagePolicy, at now: Timestamp) -> Account {
    let before = ReadPolicy.stored(usagePolicy, wasProved: policyIsProved, statedAt: policyStatedAt)
    guard let next = ratchet(stored: before, incoming: incoming, receivedAt: now).result else { return self }
    var changed = self
    changed.usagePolicy = next.policy
    changed.policyIsProved = next.wasProved
    changed.policyStatedAt = next.statedAt
    return changed
  }
}
