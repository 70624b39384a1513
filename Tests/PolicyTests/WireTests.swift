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

  @Test func `examples define our terms as the context does, and carry a proof wherever they are whole documents`()
    throws
  {
    let names = try FileManager.default.contentsOfDirectory(atPath: vocabulary.appending(path: "examples").path)
    #expect(names.count >= 8)
    let context = try JSON(parsing: Vocab.noaiContext)["@context"]
    for name in names.sorted() where name.hasSuffix(".json") {
      let document = try JSON(parsing: Data(contentsOf: vocabulary.appending(path: "examples/\(name)")))
      let inline = document["@context"]?.array?.last
      for (term, definition) in inline?.pairs ?? [] where context?[term] != nil {
        #expect(context?[term] == definition, "\(term) in \(name)")
      }
      #expect((document["proof"] == nil) == (name == "image.json"), "\(name)")
    }
  }

  @Test func `the specification names every term and every signal of every preset`() throws {
    let text = String(decoding: try Data(contentsOf: vocabulary.appending(path: "README.md")), as: UTF8.self)
    for term in Vocab.allTerms { #expect(text.contains("`\(term.name)`"), "\(term.name)") }
    for preset in UsagePolicy.Preset.allCases {
      let signals = OutgoingSignals(UsagePolicy(preset, basis: .explicit))
      #expect(text.contains("`\(preset.rawValue)`"))
      for said in [signals.xRobotsTag, signals.contentUsage, signals.contentSignal, signals.dataMining] {
        guard let said else { continue }
        #expect(text.contains("`\(said)`"), "\(said)")
      }
    }
    #expect(text.contains("`\(CAWGEntry.hostingCheck)`"))
    for level in Vocab.Conformance.allCases { #expect(text.contains("`\(level.rawValue)`")) }
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
