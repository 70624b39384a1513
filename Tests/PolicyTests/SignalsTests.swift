import Foundation
import Policy
import Primitives
import Testing

@Suite struct `One policy speaks to every crawler` {
  private func signals(_ preset: UsagePolicy.Preset) -> OutgoingSignals {
    OutgoingSignals(UsagePolicy(preset, basis: .explicit))
  }

  @Test func `presets map as the table says`() {
    let noAI = signals(.noAI)
    #expect(noAI.xRobotsTag == "noai, noimageai")
    #expect(noAI.contentUsage == "train-ai=n")
    #expect(noAI.contentSignal == "search=yes, ai-input=no, ai-train=no")
    #expect(noAI.tdmReservation == true)
    #expect(!noAI.needsTDMPolicy)
    #expect(noAI.dataMining == "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING")
    #expect(noAI.cawg.map(\.use) == ["notAllowed", "constrained", "notAllowed", "notAllowed"])
    #expect(noAI.cawg.first { $0.label == "cawg.ai_inference" }?.constraintInfo == CAWGEntry.hostingCheck)
    #expect(noAI.rsl.permits == ["search"])
    #expect(noAI.rsl.prohibits == ["ai-all"])
    #expect(noAI.aiTxtAllows == false)

    let noGenAI = signals(.noGenAI)
    #expect(noGenAI.xRobotsTag == noAI.xRobotsTag)
    #expect(noGenAI.contentUsage == noAI.contentUsage)
    #expect(noGenAI.contentSignal == noAI.contentSignal)
    #expect(noGenAI.needsTDMPolicy)
    #expect(noGenAI.dataMining == "DMI-PROHIBITED-GENAIMLTRAINING")
    #expect(noGenAI.cawg.map(\.use) == ["allowed", "constrained", "notAllowed", "allowed"])
    #expect(noGenAI.rsl.prohibits == ["ai-train", "ai-input"])
    #expect(noGenAI.aiTxtAllows == false)

    let research = signals(.researchOnly)
    #expect(research.xRobotsTag == noAI.xRobotsTag)
    #expect(research.contentUsage == "train-ai=n")
    #expect(research.contentSignal == noAI.contentSignal)
    #expect(research.needsTDMPolicy)
    #expect(research.dataMining == "DMI-PROHIBITED-SEECONSTRAINT")
    #expect(research.otherConstraints == UsagePolicy.researchCondition)
    #expect(research.cawg.map(\.use) == Array(repeating: "constrained", count: 4))

    let open = signals(.open)
    #expect(open.xRobotsTag == nil)
    #expect(open.contentUsage == "train-ai=y, search=y")
    #expect(open.contentSignal == "search=yes, ai-input=yes, ai-train=yes")
    #expect(open.tdmReservation == false)
    #expect(open.dataMining == "DMI-ALLOWED")
    #expect(open.rsl.permits == ["all"])
    #expect(open.aiTxtAllows == true)
  }

  @Test func `keeping out of search adds its own words`() {
    let hidden = OutgoingSignals(UsagePolicy(.noAI, basis: .explicit).setting(.searchIndexing, to: .disallow))
    #expect(hidden.xRobotsTag == "noai, noimageai, noindex, noimageindex")
    #expect(hidden.contentUsage == "train-ai=n, search=n")
    #expect(hidden.contentSignal == "search=no, ai-input=no, ai-train=no")
    #expect(hidden.dataMining == "DMI-PROHIBITED")
  }

  @Test func `headers of a picture`() {
    let offer = iri("https://atelier.example/users/mika/policies/3/odrl")
    let headers = policyHeaders(for: UsagePolicy(.noAI, basis: .explicit), tdmPolicyURL: offer)
    #expect(headers.map(\.name) == ["content-usage", "x-robots-tag", "tdm-reservation", "tdm-policy"])
    #expect(headers.map(\.value) == ["train-ai=n", "noai, noimageai", "1", offer.text])
    #expect(policyHeaders(for: UsagePolicy(basis: .explicit, permissions: [:])).isEmpty)
  }

  private typealias Emit = (UsagePolicy) -> OutgoingSignals

  /// What a signal says, read back, is at least as strict as the policy wherever both speak.
  private static func isNeverWeaker(_ emit: Emit) -> Int {
    violations(
      2000, of: { $0.policy() },
      unless: { policy in
        let signals = emit(policy)
        let readings = [
          signals.xRobotsTag.flatMap { UsagePolicy(xRobotsTag: $0) },
          signals.contentUsage.flatMap { UsagePolicy(contentUsage: $0) },
          signals.dataMining.flatMap { UsagePolicy(plusDataMining: $0, otherConstraints: signals.otherConstraints) },
          UsagePolicy(cawg: signals.cawg),
        ].compactMap(\.self)
        let isStrict = readings.allSatisfy { reading in
          Category.allCases.allSatisfy { category in
            guard let said = reading[category], let meant = policy[category] else { return true }
            return said >= meant
          }
        }
        let isHeard =
          !policy.restricts(.generativeTraining)
          || (signals.xRobotsTag?.contains("noai") == true && signals.contentUsage?.contains("train-ai=n") == true
            && signals.tdmReservation == true && signals.dataMining?.hasPrefix("DMI-PROHIBITED") == true)
        let searches = signals.contentUsage?.contains("search=y") == true
        return isStrict && isHeard && (!searches || Category.allCases.allSatisfy(policy.allows))
      })
  }

  @Test func `no signal says less than the policy`() {
    #expect(Self.isNeverWeaker { OutgoingSignals($0) } == 0)
    #expect(Self.isNeverWeaker { OutgoingSignals($0.setting(.generativeTraining, to: .allow)) } > 0)
    #expect(Self.isNeverWeaker { OutgoingSignals($0.setting(.dataMining, to: .allow)) } > 0)
  }

  @Test func `what goes out as CAWG comes back the same`() {
    let returns: (UsagePolicy) -> Bool = { policy in
      let back = UsagePolicy(cawg: OutgoingSignals(policy).cawg)
      return Category.allCases.allSatisfy { $0 == .searchIndexing || back?[$0] == policy[$0] }
    }
    #expect(violations(1000, of: { $0.policy() }, unless: returns) == 0)
  }

  @Test func `import takes only what is said`() throws {
    let epicyon = try #require(UsagePolicy(xRobotsTag: "noai, noimageai, GPC"))
    #expect(epicyon[.generativeTraining] == .disallow)
    #expect(epicyon[.searchIndexing] == nil)
    #expect(epicyon[.aiInput] == nil)
    #expect(UsagePolicy(xRobotsTag: "index, follow") == nil)
    #expect(UsagePolicy(xRobotsTag: "otherbot: noai")?[.generativeTraining] == .disallow)
    #expect(UsagePolicy(contentUsage: "train-ai=n;exceptions=cc-cr, search=y")?[.generativeTraining] == .disallow)
    #expect(UsagePolicy(contentUsage: "train-ai=n, train-ai=y")?[.generativeTraining] == .allow)
    #expect(UsagePolicy(contentUsage: "genai=n")?[.generativeTraining] == .disallow)
    #expect(UsagePolicy(contentUsage: "genai=y") == nil)
    #expect(UsagePolicy(contentUsage: "train-ai=maybe, \"=,;;=") == nil)
    #expect(UsagePolicy(plusDataMining: "DMI-PROHIBITED-SOMETHINGNEW")?[.dataMining] == .disallow)
    #expect(UsagePolicy(plusDataMining: "DMI-PROHIBITED-SEECONSTRAINT")?[.dataMining] == .disallow)
    #expect(UsagePolicy(plusDataMining: "DMI-UNSPECIFIED") == nil)
    #expect(
      UsagePolicy(cawg: [.init(label: "c2pa.ai_training", use: "constrained")])?[.nonGenerativeTraining] == .disallow)
  }

  @Test func `every crawler hears the preferences, and search engines stay welcome`() {
    let text = RobotsText(
      policy: UsagePolicy(.noAI, basis: .instanceDefault), closedPaths: ["/api/", "/x\nAllow: /secret"],
      alsoBlocked: ["MyBot", "bad\nbot"]
    ).text
    let groups = text.components(separatedBy: "\n\n")
    #expect(groups.count == 2)
    for group in groups {
      #expect(group.contains("Content-Usage: train-ai=n"))
      #expect(group.contains("Content-Signal: search=yes, ai-input=no, ai-train=no"))
    }
    #expect(groups.first?.contains("Allow: /") == true)
    #expect(groups.last?.hasSuffix("Disallow: /\n") == true)
    for token in ["GPTBot", "img2dataset", "ChatGPT-User", "MyBot"] { #expect(text.contains("User-agent: \(token)\n")) }
    for token in ["Applebot\n", "facebookexternalhit", "OAI-SearchBot", "Googlebot", "secret", "badbot", "bad"] {
      #expect(!text.contains(token))
    }
    #expect(!RobotsText(policy: UsagePolicy(.open, basis: .explicit)).text.contains("GPTBot"))
    #expect(
      RobotsText(policy: UsagePolicy(.noAI, basis: .explicit), blocksAnswerEngines: true).text
        .contains("OAI-SearchBot"))
  }

  @Test func `offers, rules and licences`() {
    let uid = iri("https://atelier.example/users/mika/policies/3/odrl")
    let mika = Assigner(id: parties[0], name: "Mika", page: iri("https://atelier.example/@mika/licensing"))
    let offer = tdmOffer(for: UsagePolicy(.noAI, basis: .explicit), at: uid, by: mika)
    #expect(offer["permission"]?.array?.first?["duty"]?.array?.first?["action"] == "obtainConsent")
    #expect(offer["permission"]?.array?.first?["constraint"] == nil)
    let research = tdmOffer(for: UsagePolicy(.researchOnly, basis: .explicit), at: uid, by: mika)
    #expect(research["permission"]?.array?.count == 2)
    #expect(research["permission"]?.array?.first?["duty"] == nil)
    let open = tdmOffer(for: UsagePolicy(.open, basis: .explicit), at: uid, by: mika)
    #expect(open["permission"]?.array?.first?["duty"] == nil)

    let rules = tdmrep([
      TDMRule(location: "/@mika/*", policy: UsagePolicy(.noAI, basis: .explicit), offer: uid),
      TDMRule(location: "/*", policy: UsagePolicy(.open, basis: .instanceDefault)),
    ])
    #expect(rules.array?.first?["tdm-reservation"] == 1)
    #expect(rules.array?.first?["tdm-policy"] == .string(uid.text))
    #expect(rules.array?.last?["tdm-reservation"] == 0)

    let rsl = rslDocument([("/@a&b/", UsagePolicy(.noAI, basis: .explicit))])
    #expect(rsl.contains("<content url=\"/@a&amp;b/\">"))
    #expect(rsl.contains("<prohibits type=\"usage\">ai-all</prohibits>"))
    #expect(aiText(for: UsagePolicy(.noAI, basis: .explicit)).contains("Disallow: *.jpg\n"))
  }
}
