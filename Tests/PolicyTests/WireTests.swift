import Foundation
import Policy
import Primitives
import Testing
import Vocab

@Suite struct `Policies on the wire and in the vocabulary` {
  @Test func `what is written is read back`() {
    let returns: (UsagePolicy) -> Bool = { policy in
      UsagePolicy(wire: policy.wire) == (policy.isSilent ? nil : policy)
        && UsagePolicy(wire: .array([policy.wire])) == UsagePolicy(wire: policy.wire)
    }
    #expect(violations(1000, of: { $0.policy() }, unless: returns) == 0)
  }

  @Test func `a stored policy loads as it was`() throws {
    var chance = Seeded(3)
    for _ in 0..<200 {
      let policy = chance.policy()
      #expect(try JSONDecoder().decode(UsagePolicy.self, from: JSONEncoder().encode(policy)) == policy)
    }
  }

  @Test func `a value from a newer vocabulary restricts, and a bare reference is no policy`() {
    let newer: JSON = ["type": "UsagePolicy", "basis": "someday", "aiInput": "licensed", "dataMining": 7]
    let policy = UsagePolicy(wire: newer)
    #expect(policy?[.aiInput] == .disallow)
    #expect(policy?[.dataMining] == .disallow)
    #expect(policy?[.searchIndexing] == nil)
    #expect(policy?.basis == .instanceDefault)
    #expect(UsagePolicy(wire: "https://atelier.example/policies/1") == nil)
    #expect(UsagePolicy(wire: .array([])) == nil)
    #expect(UsagePolicy(wire: ["type": "Note", "aiInput": "allow"]) == nil)
    #expect(UsagePolicy(wire: ["type": "UsagePolicy"]) == nil)
  }

  @Test func `a condition nobody can read is no condition`() {
    for info in [nil, "", " \u{1}\n ", String(repeating: "a", count: Limits.constraintInfo + 1)] as [String?] {
      let policy = UsagePolicy(basis: .explicit, permissions: [.aiInput: .constrained], constraintInfo: info)
      #expect(policy[.aiInput] == .disallow)
      #expect(policy.constraintInfo == nil)
    }
    let cleaned = UsagePolicy(
      basis: .explicit, permissions: [.aiInput: .constrained], constraintInfo: "Ask\r\nX-Evil: 1")
    #expect(cleaned.constraintInfo == "Ask X-Evil: 1")
  }

  @Test func `the context defines every term as the code names it`() throws {
    let context = try JSON(parsing: Vocab.noaiContext)["@context"]
    #expect(context?[Vocab.prefix] == .string(Vocab.namespace))
    for term in Vocab.allTerms {
      let expected: JSON = term.isReference ? ["@id": .string(term.iri), "@type": "@id"] : .string(term.iri)
      #expect(context?[term.name] == expected, "\(term.name)")
    }
    #expect(context?.pairs.count == Vocab.allTerms.count + 1)
    for category in Category.allCases {
      #expect(Vocab.policyTerms.contains { $0.name == category.rawValue })
    }
    #expect(Vocab.namespace == Vocab.specification + "#" && Vocab.specification.hasSuffix(Vocab.slug))
  }

  @Test(arguments: ["actor.json", "note.json", "policy.json"])
  func `the policy of every example is the no-ai preset`(name: String) throws {
    let document = try JSON(parsing: Data(contentsOf: vocabulary.appending(path: "examples/\(name)")))
    let policy = try #require(UsagePolicy(wire: document["usagePolicy"] ?? document))
    #expect(policy.preset == .noAI)
    #expect(policy.basis == .explicit)
    #expect(document["xRobotsTag"]?.string == OutgoingSignals(policy).xRobotsTag)
    #expect(document["contentUsage"]?.string == OutgoingSignals(policy).contentUsage)
  }
}

/// The folder Vocab of this package.
let vocabulary = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Vocab")
