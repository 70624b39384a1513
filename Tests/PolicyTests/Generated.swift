import Policy
import Primitives

/// SplitMix64: the same inputs on every run, so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func one<Value>(of values: [Value]) -> Value { values[Int(next() % UInt64(values.count))] }

  mutating func maybe() -> Bool { next() & 1 == 0 }
}

typealias Category = UsagePolicy.Category
typealias Permission = UsagePolicy.Permission

func iri(_ text: String) -> IRI {
  guard let iri = IRI(text) else { preconditionFailure("not an IRI in a test: \(text)") }
  return iri
}

let parties = ["mika", "tomoe", "collective"].map { iri("https://atelier.example/users/\($0)") }

extension Seeded {
  mutating func policy(basis: UsagePolicy.Basis? = nil) -> UsagePolicy {
    var permissions: [Category: Permission] = [:]
    for category in Category.allCases {
      permissions[category] = one(of: [nil, .allow, .constrained, .disallow, .disallow, .allow])
    }
    return UsagePolicy(
      basis: basis ?? one(of: UsagePolicy.Basis.allCases), permissions: permissions,
      constraintInfo: one(of: ["Ask first.", "https://atelier.example/terms", UsagePolicy.researchCondition]),
      id: maybe() ? iri("https://atelier.example/policies/\(next() % 5)") : nil)
  }

  mutating func stack() -> [PolicyStatement] {
    (0..<(1 + next() % 7)).map { _ in
      PolicyStatement(
        party: one(of: parties), channel: one(of: PolicyChannel.allCases), scope: one(of: PolicyScope.allCases),
        policy: policy())
    }
  }

  mutating func facts() -> ImageFacts {
    let findings = (0..<(next() % 4)).map { _ in
      Finding(strength: one(of: EvidenceStrength.allCases), implies: one(of: Implication.allCases))
    }
    return ImageFacts(
      opinion: one(of: [
        .inconclusive, .notAnalysed(reason: "image.truncated"), .concluded(score: score()), .concluded(score: score()),
      ]),
      findings: findings, declaration: one(of: Declaration.allCases),
      origin: maybe() ? Host("peer.example") : nil, isCleared: next() % 8 == 0, author: one(of: Standing.allCases))
  }

  mutating func score() -> Double { one(of: [0, 0.2, 0.5, 0.9, 0.98, 0.995, 1, Double(next() % 1000) / 1000]) }

  mutating func document() -> PolicyDocument {
    var draft = PolicyDocument.Draft()
    let verdicts = Verdict.allCases.map(\.rawValue)
    draft.threshold = one(of: [0.001, 0.5, 0.9, 0.995, 1])
    draft.conclusive = one(of: verdicts)
    draft.strong = one(of: verdicts)
    draft.score = one(of: verdicts)
    draft.declared = one(of: verdicts)
    draft.assisted = one(of: verdicts)
    draft.whenUnanalysed = one(of: verdicts)
    draft.acceptsFalseRefusals = true
    do { return try PolicyDocument(draft) } catch { preconditionFailure("a generated draft is valid: \(error)") }
  }
}

/// Inputs on which a law does not hold. A law is checked twice: it holds for the product and fails for a broken copy.
func violations<Input>(_ count: Int, seed: UInt64 = 7, of make: (inout Seeded) -> Input, unless holds: (Input) -> Bool)
  -> Int
{
  var chance = Seeded(seed)
  return (0..<count).count { _ in !holds(make(&chance)) }
}
