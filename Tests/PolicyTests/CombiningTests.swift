import Policy
import Primitives
import Testing

private typealias Combine = ([PolicyStatement]) -> CombinedPolicy?

private let stacks = 1000

@Suite struct `Usage policies of many layers combine by three rules` {
  /// The rules read off the specification the slow way, for comparison.
  private static func expected(_ stack: [PolicyStatement], _ category: Category) -> Permission? {
    for tier in [[UsagePolicy.Basis.explicit, .accountDefault], [.collectiveDefault], [.instanceDefault]] {
      var values: [Permission] = []
      for party in parties {
        for channel in PolicyChannel.allCases {
          let theirs = stack.filter {
            $0.party == party && $0.channel == channel && tier.contains($0.policy.basis) && $0.policy[category] != nil
          }
          for scope in [PolicyScope.attachment, .object, .series, .account] {
            let here = theirs.filter { $0.scope == scope }
            if here.isEmpty { continue }
            values += here.compactMap { $0.policy[category] }
            break
          }
        }
      }
      for permission in [Permission.disallow, .constrained, .allow] where values.contains(permission) {
        return permission
      }
    }
    return nil
  }

  private static func followsTheRules(_ combine: Combine) -> Int {
    violations(
      stacks, of: { $0.stack() },
      unless: { stack in
        let result = combine(stack)
        return Category.allCases.allSatisfy { result?.policy[$0] == expected(stack, $0) }
      })
  }

  private static func ignoresOrderAndRepetition(_ combine: Combine) -> Int {
    violations(
      stacks, of: { chance in (chance.stack(), chance.next()) },
      unless: { stack, seed in
        var chance = Seeded(seed)
        let reference = combine(stack)
        return combine(stack.shuffled(using: &chance)) == reference && combine(stack + stack) == reference
      })
  }

  private static func isNeverMilderThanAnotherParty(_ combine: Combine) -> Int {
    violations(
      stacks, of: { $0.stack() },
      unless: { stack in
        let artists = stack.filter { $0.policy.basis.isArtists }
        let result = combine(stack)
        return Category.allCases.allSatisfy { category in
          parties.allSatisfy { party in
            PolicyChannel.allCases.allSatisfy { channel in
              let own = combine(artists.filter { $0.party == party && $0.channel == channel })?.policy[category]
              guard let own else { return true }
              return (result?.policy[category]).map { $0 >= own } ?? false
            }
          }
        }
      })
  }

  private static func defaultsOnlyFillSilence(_ combine: Combine) -> Int {
    violations(
      stacks, of: { $0.stack() },
      unless: { stack in
        let spoken = combine(stack.filter { $0.policy.basis.isArtists })
        let all = combine(stack)
        return Category.allCases.allSatisfy { category in
          spoken?.policy[category] == nil || spoken?.policy[category] == all?.policy[category]
        }
      })
  }

  private static func namesTheBasis(_ combine: Combine) -> Int {
    violations(
      stacks, of: { $0.stack() },
      unless: { stack in
        guard let result = combine(stack) else { return stack.allSatisfy(\.policy.isSilent) }
        return result.policy.basis == result.sources.values.map(\.basis).min()
          && Category.allCases.allSatisfy { category in
            guard let source = result.sources[category] else { return result.policy[category] == nil }
            return stack.contains {
              $0.party == source.party && $0.channel == source.channel && $0.scope == source.scope
                && $0.policy.basis == source.basis && $0.policy[category] == result.policy[category]
            }
          }
      })
  }

  private static func real(_ stack: [PolicyStatement]) -> CombinedPolicy? { combine(stack) }

  @Test func `1,000 random stacks follow the rules as the specification writes them`() {
    #expect(Self.followsTheRules(Self.real) == 0)
    #expect(Self.ignoresOrderAndRepetition(Self.real) == 0)
    #expect(Self.isNeverMilderThanAnotherParty(Self.real) == 0)
    #expect(Self.defaultsOnlyFillSilence(Self.real) == 0)
    #expect(Self.namesTheBasis(Self.real) == 0)
  }

  @Test func `each law fails where its rule is broken`() {
    func rewriting(_ change: @escaping (PolicyStatement) -> PolicyStatement) -> Combine { { combine($0.map(change)) } }
    let withoutScopes = rewriting { .init(party: $0.party, channel: $0.channel, scope: .account, policy: $0.policy) }
    #expect(Self.followsTheRules(withoutScopes) > 0)
    #expect(Self.namesTheBasis(withoutScopes) > 0)

    let withoutParties = rewriting { .init(party: parties[0], channel: .statement, scope: $0.scope, policy: $0.policy) }
    #expect(Self.isNeverMilderThanAnotherParty(withoutParties) > 0)

    let withoutBases = rewriting {
      .init(party: $0.party, channel: $0.channel, scope: $0.scope, policy: $0.policy.with(basis: .explicit, id: nil))
    }
    #expect(Self.defaultsOnlyFillSilence(withoutBases) > 0)

    let firstWins: Combine = { combine($0.prefix(1)) }
    #expect(Self.ignoresOrderAndRepetition(firstWins) > 0)
  }

  @Test func `an artist relaxes her own default for one piece`() throws {
    let result = try #require(
      combine([
        .init(party: parties[0], scope: .account, policy: UsagePolicy(.noAI, basis: .explicit)),
        .init(party: parties[0], scope: .attachment, policy: UsagePolicy(.open, basis: .explicit)),
      ]))
    #expect(result.policy.preset == .open)
    #expect(result.policy.basis == .explicit)
  }

  @Test func `what a file says binds although the post says otherwise`() throws {
    let file = try #require(UsagePolicy(plusDataMining: "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"))
    let result = try #require(
      combine([
        .init(party: parties[0], scope: .attachment, policy: UsagePolicy(.open, basis: .explicit)),
        .init(party: parties[0], channel: .xmp, scope: .attachment, policy: file),
      ]))
    #expect(result.policy[.generativeTraining] == .disallow)
    #expect(result.policy[.searchIndexing] == .disallow)
    #expect(result.policy[.aiInput] == .allow)
    #expect(result.sources[.generativeTraining]?.channel == .xmp)
  }

  @Test func `two conditions of two parties both hold`() {
    let one = UsagePolicy(basis: .explicit, permissions: [.dataMining: .constrained], constraintInfo: "Ask Mika.")
    let other = UsagePolicy(basis: .explicit, permissions: [.dataMining: .constrained], constraintInfo: "Ask Tomoe.")
    let result = combine([
      .init(party: parties[0], scope: .object, policy: one), .init(party: parties[1], scope: .object, policy: other),
    ])
    #expect(result?.policy.constraintInfo == "Ask Mika.; Ask Tomoe.")
  }

  @Test func `an instance default is never published as the artist's word`() {
    let result = combine([
      .init(party: parties[0], scope: .object, policy: UsagePolicy(basis: .explicit, permissions: [.aiInput: .allow])),
      .init(
        party: iri("https://atelier.example/actor"), scope: .account,
        policy: UsagePolicy(.noAI, basis: .instanceDefault)),
    ])
    #expect(result?.policy[.aiInput] == .allow)
    #expect(result?.policy[.generativeTraining] == .disallow)
    #expect(result?.policy.basis == .instanceDefault)
    #expect(result?.sources[.aiInput]?.basis == .explicit)
  }
}
