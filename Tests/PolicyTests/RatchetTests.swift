import Policy
import Primitives
import Testing

private let noon = Timestamp(milliseconds: 1_793_000_000_000)
private let later = Timestamp(milliseconds: 1_793_000_060_000)
private let earlier = Timestamp(milliseconds: 1_792_999_940_000)
private let strict = UsagePolicy(.noAI, basis: .explicit)
private let open = UsagePolicy(.open, basis: .explicit)

private typealias Turn = (StoredUsagePolicy?, IncomingUsagePolicy) -> RatchetOutcome

private func real(_ stored: StoredUsagePolicy?, _ incoming: IncomingUsagePolicy) -> RatchetOutcome {
  ratchet(stored: stored, incoming: incoming, receivedAt: later)
}

private func stored(_ policy: UsagePolicy, proved: Bool) -> StoredUsagePolicy {
  StoredUsagePolicy(policy: policy, wasProved: proved, statedAt: noon)
}

private func incoming(
  _ policy: UsagePolicy?, _ standing: IncomingUsagePolicy.Standing, at time: Timestamp? = later
) -> IncomingUsagePolicy {
  IncomingUsagePolicy(policy: policy, standing: standing, statedAt: time)
}

extension RatchetOutcome {
  fileprivate var isLifted: Bool {
    if case .lifted = self { return true }
    return false
  }
  fileprivate func after(_ before: StoredUsagePolicy?) -> StoredUsagePolicy? {
    switch self {
    case .stored(let next), .lifted(let next): next
    case .ignored: before
    }
  }
}

@Suite struct `A restriction is lifted only by its author` {
  @Test func `a later document with a valid proof lifts a proved restriction`() {
    #expect(real(stored(strict, proved: true), incoming(open, .proved)).isLifted)
  }

  @Test(arguments: [IncomingUsagePolicy.Standing.refetched, .delivered])
  func `nothing without a proof replaces a policy that had one`(standing: IncomingUsagePolicy.Standing) {
    #expect(real(stored(strict, proved: true), incoming(open, standing)) == .ignored(.lacksProof))
    #expect(real(stored(open, proved: true), incoming(strict, standing)) == .ignored(.lacksProof))
  }

  @Test func `a proof that does not verify changes nothing, not even for the first time`() {
    #expect(real(nil, incoming(open, .forged)) == .ignored(.forgedProof))
    #expect(real(stored(strict, proved: false), incoming(open, .forged)) == .ignored(.forgedProof))
  }

  @Test func `a replayed older document lifts nothing`() {
    #expect(real(stored(strict, proved: true), incoming(open, .proved, at: earlier)) == .ignored(.stale))
    #expect(real(stored(strict, proved: true), incoming(open, .proved, at: noon)) == .ignored(.stale))
    #expect(real(stored(strict, proved: true), incoming(open, .proved, at: nil)) == .ignored(.stale))
  }

  @Test func `an update that merely lacks a policy changes nothing`() {
    for standing in IncomingUsagePolicy.Standing.allCases where standing != .forged {
      for proved in [true, false] {
        #expect(real(stored(strict, proved: proved), incoming(nil, standing)) == .ignored(.silent))
      }
    }
  }

  @Test func `a policy that never had a proof yields to its origin`() {
    #expect(real(stored(strict, proved: false), incoming(open, .refetched)).isLifted)
    #expect(real(stored(strict, proved: false), incoming(open, .delivered)) == .ignored(.needsRefetch))
  }

  @Test func `a delivery may add a restriction and not take one away in the same breath`() {
    let mixed = open.setting(.searchIndexing, to: .disallow)
    let outcome = real(stored(strict, proved: false), incoming(mixed, .delivered))
    let next = outcome.after(nil)
    #expect(next?.policy[.searchIndexing] == .disallow)
    #expect(next?.policy[.generativeTraining] == .disallow)
    #expect(!outcome.isLifted)
  }

  @Test func `the first policy is stored as it comes, and remembers its proof`() {
    #expect(real(nil, incoming(strict, .delivered)).after(nil)?.wasProved == false)
    #expect(real(nil, incoming(strict, .proved)).after(nil)?.wasProved == true)
    #expect(real(stored(strict, proved: false), incoming(strict, .proved)).after(nil)?.wasProved == true)
    #expect(real(stored(strict, proved: false), incoming(strict, .delivered)) == .ignored(.unchanged))
  }

  @Test func `another condition counts as lifting`() {
    let one = UsagePolicy(basis: .explicit, permissions: [.dataMining: .constrained], constraintInfo: "Ask.")
    let other = UsagePolicy(basis: .explicit, permissions: [.dataMining: .constrained], constraintInfo: "Take it.")
    #expect(real(stored(one, proved: false), incoming(other, .delivered)) == .ignored(.needsRefetch))
  }

  @Test func `a delivery from the far future does not outdate its author`() throws {
    let never = Timestamp(milliseconds: 253_402_300_799_000)
    let tightened = try #require(real(stored(open, proved: false), incoming(strict, .delivered, at: never)).after(nil))
    #expect(tightened.statedAt == later)
    let afterwards = later.adding(.seconds(60))
    let outcome = ratchet(
      stored: tightened, incoming: incoming(open, .proved, at: afterwards), receivedAt: afterwards)
    #expect(outcome.isLifted)
    #expect(real(stored(strict, proved: true), incoming(open, .proved, at: never)) == .ignored(.future))
  }

  private static func keepsRestrictions(_ turn: Turn) -> Int {
    violations(
      1000,
      of: { chance in
        let before = StoredUsagePolicy(policy: chance.policy(), wasProved: chance.maybe(), statedAt: noon)
        let next = IncomingUsagePolicy(
          policy: chance.one(of: [chance.policy(), chance.policy(), nil]),
          standing: chance.one(of: IncomingUsagePolicy.Standing.allCases),
          statedAt: chance.one(of: [nil, earlier, noon, later]))
        return (before, next)
      },
      unless: { before, next in
        let outcome = turn(before, next)
        guard let after = outcome.after(before) else { return false }
        let isLifted = after.policy.lifts(restrictionsOf: before.policy)
        let isAllowed =
          before.wasProved
          ? next.standing == .proved && next.statedAt == later
          : (next.standing == .proved && next.statedAt == later)
            || (next.standing == .refetched && next.statedAt != earlier)
        return isLifted == outcome.isLifted && (!isLifted || isAllowed) && (after.wasProved || !before.wasProved)
      })
  }

  @Test func `over 1,000 random turns no restriction is lost, and the law sees a broken ratchet`() {
    #expect(Self.keepsRestrictions(real) == 0)
    let lastWins: Turn = { _, next in
      next.policy.map { .stored(.init(policy: $0, wasProved: false, statedAt: later)) } ?? .ignored(.silent)
    }
    #expect(Self.keepsRestrictions(lastWins) > 0)
    let forgetsProof: Turn = { before, next in
      var unproved = before
      unproved?.wasProved = false
      return real(unproved, next)
    }
    #expect(Self.keepsRestrictions(forgetsProof) > 0)
    let ignoresTime: Turn = { before, next in
      var dated = next
      dated.statedAt = later
      return real(before, dated)
    }
    #expect(Self.keepsRestrictions(ignoresTime) > 0)
  }
}
