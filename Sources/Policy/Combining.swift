import Primitives

/// What a policy is attached to, from the general to the specific.
package enum PolicyScope: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  case account, series, object, attachment

  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .account: 0
    case .series: 1
    case .object: 2
    case .attachment: 3
    }
  }
}

/// How a statement reached this instance. The same person through two channels counts as two parties, because the
/// older channel, such as a file's metadata, may say what the newer forgot.
package enum PolicyChannel: String, Codable, Hashable, Sendable, CaseIterable {
  case statement, xmp, c2pa, signal
}

/// One party's policy for one thing.
package struct PolicyStatement: Hashable, Codable, Sendable {
  /// Who asserts it: `attributedTo` of the policy.
  package var party: IRI
  package var channel: PolicyChannel
  package var scope: PolicyScope
  package var policy: UsagePolicy

  package init(party: IRI, channel: PolicyChannel = .statement, scope: PolicyScope, policy: UsagePolicy) {
    self.party = party
    self.channel = channel
    self.scope = scope
    self.policy = policy
  }
}

/// What all statements together come to, and whose statement decided each category.
package struct CombinedPolicy: Hashable, Sendable {
  package struct Source: Hashable, Sendable {
    package let party: IRI
    package let channel: PolicyChannel
    package let scope: PolicyScope
    package let basis: UsagePolicy.Basis
  }

  /// Its `basis` is the least explicit of the bases that decided a category, so a default never reads as a choice.
  package let policy: UsagePolicy
  package let sources: [UsagePolicy.Category: Source]
}

/// Combines statements by the three rules, category by category:
/// 1. one party through one channel: the most specific scope that says anything wins;
/// 2. different parties or channels: the most restrictive wins;
/// 3. a default only fills what is still silent: first the collective's, then the instance's.
///
/// The order of `statements` does not matter, and repeating one changes nothing. Nil when nothing is said at all.
package func combine(_ statements: some Sequence<PolicyStatement>) -> CombinedPolicy? {
  let all = Array(statements)
  let tiers: [(UsagePolicy.Basis) -> Bool] = [
    { $0.isArtists }, { $0 == .collectiveDefault }, { $0 == .instanceDefault },
  ]
  var permissions: [UsagePolicy.Category: UsagePolicy.Permission] = [:]
  var winners: [UsagePolicy.Category: PolicyStatement] = [:]
  var conditions: Set<String> = []
  for category in UsagePolicy.Category.allCases {
    for tier in tiers where winners[category] == nil {
      let strictest = strictest(of: all.filter { tier($0.policy.basis) }, in: category)
      winners[category] = strictest.max(by: precedes)
      permissions[category] = winners[category]?.policy[category]
      // Two parties with two conditions: both hold.
      if permissions[category] == .constrained { conditions.formUnion(strictest.compactMap(\.policy.constraintInfo)) }
    }
  }
  guard let basis = winners.values.map(\.policy.basis).min() else { return nil }
  let ids = Set(winners.values.map(\.policy.id))
  let combined = UsagePolicy(
    basis: basis, permissions: permissions,
    constraintInfo: conditions.isEmpty ? nil : conditions.sorted().joined(separator: "; "))
  // The result is a published policy only when it says exactly what that policy says.
  let id = ids.count == 1 ? ids.first.flatMap(\.self) : nil
  let isPublished = all.contains { $0.policy.id == id && $0.policy.means(theSameAs: combined) }
  return CombinedPolicy(
    policy: isPublished ? combined.with(id: id) : combined,
    sources: winners.mapValues {
      .init(party: $0.party, channel: $0.channel, scope: $0.scope, basis: $0.policy.basis)
    })
}

/// Rules 1 and 2 among statements of equal standing: those that forbid most, of what each speaker last narrowed down.
private func strictest(
  of statements: [PolicyStatement], in category: UsagePolicy.Category
) -> [PolicyStatement] {
  struct Speaker: Hashable {
    let party: IRI
    let channel: PolicyChannel
  }
  let speaking = statements.filter { $0.policy[category] != nil }
  let perSpeaker = Dictionary(grouping: speaking) { Speaker(party: $0.party, channel: $0.channel) }
  let heard = perSpeaker.values.flatMap { theirs in
    let scope = theirs.map(\.scope).max()
    return theirs.filter { $0.scope == scope }
  }
  let permission = heard.compactMap { $0.policy[category] }.max()
  return heard.filter { $0.policy[category] == permission }
}

/// By basis, then by names, so that the one named as the source does not depend on the order of input.
private func precedes(_ left: PolicyStatement, _ right: PolicyStatement) -> Bool {
  guard left.policy.basis == right.policy.basis else { return left.policy.basis < right.policy.basis }
  return left.sortingNames.lexicographicallyPrecedes(right.sortingNames)
}

extension PolicyStatement {
  fileprivate var sortingNames: [String] {
    [party.text, channel.rawValue, scope.rawValue, policy.id?.text ?? "", policy.constraintInfo ?? ""]
  }
}
