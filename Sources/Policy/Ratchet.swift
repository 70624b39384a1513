import Primitives

/// What this instance remembers of a remote policy, so that a restriction is not lost on the way.
package struct StoredUsagePolicy: Hashable, Codable, Sendable {
  package var policy: UsagePolicy
  /// True once any document that carried this policy had a valid proof. Never becomes false again.
  package var wasProved: Bool
  /// `updated` of the document, else `published`, else when it was received.
  package var statedAt: Timestamp

  package init(policy: UsagePolicy, wasProved: Bool, statedAt: Timestamp) {
    self.policy = policy
    self.wasProved = wasProved
    self.statedAt = statedAt
  }
}

/// A document that has arrived, as far as policies are concerned.
package struct IncomingUsagePolicy: Hashable, Sendable {
  package enum Standing: String, Codable, Hashable, Sendable, CaseIterable {
    /// Its proof verifies with the author's key.
    case proved
    /// It carries no proof and was just fetched from the author's origin.
    case refetched
    /// It carries no proof and was delivered or forwarded.
    case delivered
    /// It carries a proof that does not verify: somebody changed it on the way.
    case forged
  }

  /// Nil when the document has no `usagePolicy`.
  package var policy: UsagePolicy?
  package var standing: Standing
  /// `updated` of the document, else `published`; nil when it has neither.
  package var statedAt: Timestamp?

  package init(policy: UsagePolicy?, standing: Standing, statedAt: Timestamp?) {
    self.policy = policy
    self.standing = standing
    self.statedAt = statedAt
  }
}

/// What the ratchet makes of an incoming policy.
package enum RatchetOutcome: Hashable, Sendable {
  package enum Ignored: String, Codable, Hashable, Sendable, CaseIterable {
    /// A document that merely lacks a policy takes nothing back.
    case silent
    case unchanged
    case forgedProof = "forged_proof"
    /// The stored policy once carried a proof; only a proof replaces it.
    case lacksProof = "lacks_proof"
    /// It would lift a restriction: fetch the document from its origin and try again.
    case needsRefetch = "needs_refetch"
    /// It is not later than what is stored.
    case stale
    /// It would lift a restriction and is dated in the future, beyond what clocks may differ by.
    case future
  }

  /// First seen, or at least as strict as before.
  case stored(StoredUsagePolicy)
  case ignored(Ignored)
  /// A restriction is gone, by the author's word.
  case lifted(StoredUsagePolicy)
}

/// Decides what an incoming policy does to the stored one. Changes are never retroactive, and a restriction is
/// lifted only by the author:
/// - what never carried a proof yields to its origin, what did yields only to a later document with a valid proof;
/// - an unproved delivery may add restrictions to an unproved policy and never takes one away, because whoever
///   forwards a document can strip it.
package func ratchet(
  stored: StoredUsagePolicy?, incoming: IncomingUsagePolicy, receivedAt: Timestamp
) -> RatchetOutcome {
  if incoming.standing == .forged { return .ignored(.forgedProof) }
  guard let policy = incoming.policy, !policy.isSilent else { return .ignored(.silent) }
  let isProved = incoming.standing == .proved
  guard let stored else {
    let statedAt = min(incoming.statedAt ?? receivedAt, receivedAt)
    return .stored(.init(policy: policy, wasProved: isProved, statedAt: statedAt))
  }
  if stored.wasProved && !isProved { return .ignored(.lacksProof) }
  if let statedAt = incoming.statedAt, statedAt < stored.statedAt { return .ignored(.stale) }
  if stored.policy == policy && (stored.wasProved || !isProved) { return .ignored(.unchanged) }

  // Never the date a stranger wrote beyond now: one delivery from the year 9999 would outdate its author for ever.
  let statedAt = max(stored.statedAt, min(incoming.statedAt ?? stored.statedAt, receivedAt))
  let next = StoredUsagePolicy(policy: policy, wasProved: stored.wasProved || isProved, statedAt: statedAt)
  guard policy.lifts(restrictionsOf: stored.policy) else { return .stored(next) }
  switch incoming.standing {
  case .forged:
    return .ignored(.forgedProof)
  case .proved:
    guard let statedAt = incoming.statedAt, statedAt > stored.statedAt else { return .ignored(.stale) }
    if statedAt > receivedAt.adding(Limits.signatureWindow) { return .ignored(.future) }
    return .lifted(next)
  case .refetched:
    return .lifted(next)
  case .delivered:
    return tightened(stored, by: policy)
  }
}

extension UsagePolicy {
  /// True when a category that `earlier` restricts is less restricted here. A changed condition counts, since no
  /// program can tell which of two conditions permits more.
  package func lifts(restrictionsOf earlier: UsagePolicy) -> Bool {
    Category.allCases.contains { category in
      guard let before = earlier[category], before.restricts else { return false }
      guard let after = self[category], after >= before else { return true }
      return before == .constrained && after == .constrained && constraintInfo != earlier.constraintInfo
    }
  }
}

/// Takes over what an unproved delivery adds, and asks the origin about the rest.
private func tightened(_ stored: StoredUsagePolicy, by policy: UsagePolicy) -> RatchetOutcome {
  var merged = stored.policy
  for category in UsagePolicy.Category.allCases {
    // A new condition would replace the stored one for every category, so only plain refusals are taken.
    if policy[category] == .disallow { merged = merged.setting(category, to: .disallow) }
  }
  if merged == stored.policy { return .ignored(.needsRefetch) }
  return .stored(
    .init(policy: merged.with(id: nil), wasProved: stored.wasProved, statedAt: stored.statedAt))
}
