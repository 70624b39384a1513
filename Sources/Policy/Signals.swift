import Primitives

/// One usage policy in the words of every other mechanism a crawler may read.
///
/// The lossy rule: where a mechanism cannot say exactly what the policy says, it says something stricter, never
/// something weaker; `constrained` degrades to no. What is unsaid stays unsaid.
package struct OutgoingSignals: Hashable, Sendable {
  /// Grows with any change to the tables of this file, so that served copies can be refreshed. Vocabularies still
  /// move: AIPREF renamed its labels in every draft up to -05.
  package static let tableVersion = "2026-11"

  /// `X-Robots-Tag`, and FEP-5e53 `xRobotsTag`.
  package let xRobotsTag: String?
  /// AIPREF `Content-Usage` (draft-ietf-aipref-vocab-07), and `contentUsage`.
  package let contentUsage: String?
  /// The value of a `Content-Signal` line in robots.txt.
  package let contentSignal: String?
  /// TDMRep `tdm-reservation`.
  package let tdmReservation: Bool?
  /// True when a bare reservation would hide what is permitted, so that a `tdm-policy` ought to stand beside it.
  package let needsTDMPolicy: Bool
  /// The code of `plus:DataMining`, such as `DMI-PROHIBITED`.
  package let dataMining: String?
  /// `plus:OtherConstraints`, which `DMI-PROHIBITED-SEECONSTRAINT` points at.
  package let otherConstraints: String?
  package let cawg: [CAWGEntry]
  package let rsl: RSLTerms
  /// The file-type rules of ai.txt; nil when the policy says nothing about training.
  package let aiTxtAllows: Bool?

  package init(_ policy: UsagePolicy) {
    xRobotsTag = Self.xRobotsTag(policy)
    contentUsage = Self.contentUsage(policy)
    contentSignal = Self.contentSignal(policy)
    tdmReservation = Self.isRestricted(policy, in: SignalTable.artificialIntelligence)
    needsTDMPolicy =
      tdmReservation == true && SignalTable.mining.contains { policy[$0] != .disallow }
    dataMining = Self.dataMining(policy)
    otherConstraints = dataMining == SignalTable.DMI.seeConstraint ? policy.constraintInfo : nil
    cawg = CAWGEntry.entries(policy)
    rsl = RSLTerms(policy)
    aiTxtAllows = Self.isRestricted(policy, in: SignalTable.mining).map { !$0 }
  }
}

extension OutgoingSignals {
  /// True when one of the categories is restricted, false when all are allowed, nil when something is left unsaid.
  static func isRestricted(_ policy: UsagePolicy, in categories: [UsagePolicy.Category]) -> Bool? {
    if categories.contains(where: policy.restricts) { return true }
    return categories.allSatisfy(policy.allows) ? false : nil
  }

  private static func xRobotsTag(_ policy: UsagePolicy) -> String? {
    // `noai` has no finer grain, so one restricted use of AI is said of all of them.
    var directives: [String] = []
    if SignalTable.models.contains(where: policy.restricts) { directives += SignalTable.noAIDirectives }
    if policy.restricts(.searchIndexing) { directives += SignalTable.noIndexDirectives }
    return directives.isEmpty ? nil : directives.joined(separator: ", ")
  }

  private static func contentUsage(_ policy: UsagePolicy) -> String? {
    var members: [String] = []
    if let isRestricted = isRestricted(policy, in: [.generativeTraining]) {
      members.append("\(SignalTable.aiprefTraining)=\(isRestricted ? "n" : "y")")
    }
    // `search=y` also permits training models used only inside search, so it takes consent to everything; and
    // leaving it out is not a no.
    if policy.restricts(.searchIndexing) {
      members.append("\(SignalTable.aiprefSearch)=n")
    } else if UsagePolicy.Category.allCases.allSatisfy(policy.allows) {
      members.append("\(SignalTable.aiprefSearch)=y")
    }
    return members.isEmpty ? nil : members.joined(separator: ", ")
  }

  private static func contentSignal(_ policy: UsagePolicy) -> String? {
    let signals = SignalTable.contentSignals.compactMap { signal in
      isRestricted(policy, in: signal.categories).map { "\(signal.label)=\($0 ? "no" : "yes")" }
    }
    return signals.isEmpty ? nil : signals.joined(separator: ", ")
  }

  private static func dataMining(_ policy: UsagePolicy) -> String? {
    typealias DMI = SignalTable.DMI
    if policy.restricts(.searchIndexing) { return DMI.prohibited }
    let restricted = SignalTable.artificialIntelligence.filter(policy.restricts)
    if !restricted.isEmpty && restricted.allSatisfy({ policy[$0] == .constrained }) { return DMI.seeConstraint }
    if policy.restricts(.dataMining) { return DMI.prohibitedExceptSearch }
    if policy.restricts(.nonGenerativeTraining) { return DMI.prohibitedTraining }
    // PLUS has no word for use as an input; the ban on generative training is the nearest that is not weaker.
    if !restricted.isEmpty { return DMI.prohibitedGenerativeTraining }
    return UsagePolicy.Category.allCases.allSatisfy(policy.allows) ? DMI.allowed : nil
  }
}

/// One entry of the CAWG 1.1 assertion `cawg.training-mining`.
package struct CAWGEntry: Hashable, Sendable {
  package let label: String
  /// `allowed`, `notAllowed` or `constrained`.
  package let use: String
  package let constraintInfo: String?

  package init(label: String, use: String, constraintInfo: String? = nil) {
    self.label = label
    self.use = use
    self.constraintInfo = constraintInfo
  }

  /// Said beside every restriction of inference: without it, the check that a hosting server runs on the copy it
  /// holds would breach the policy it carries.
  package static let hostingCheck = "local integrity and moderation checks by a hosting server permitted"

  static func entries(_ policy: UsagePolicy) -> [CAWGEntry] {
    SignalTable.cawg.compactMap { label, category in
      guard let permission = policy[category] else { return nil }
      switch (permission, category) {
      case (.allow, _):
        return CAWGEntry(label: label, use: "allowed")
      case (.disallow, .aiInput):
        return CAWGEntry(label: label, use: "constrained", constraintInfo: hostingCheck)
      case (.disallow, _):
        return CAWGEntry(label: label, use: "notAllowed")
      case (.constrained, .aiInput):
        let info = [policy.constraintInfo, hostingCheck].compactMap(\.self).joined(separator: "; ")
        return CAWGEntry(label: label, use: "constrained", constraintInfo: info)
      case (.constrained, _):
        return CAWGEntry(label: label, use: "constrained", constraintInfo: policy.constraintInfo)
      }
    }
  }
}

/// The usage terms of RSL 1.0.
package struct RSLTerms: Hashable, Sendable {
  package let permits: [String]
  package let prohibits: [String]
  /// Where a licence can be asked for, when a condition is stated as a URL.
  package let terms: IRI?

  init(_ policy: UsagePolicy) {
    terms = policy.constraintInfo.flatMap { IRI($0) }
    if UsagePolicy.Category.allCases.allSatisfy(policy.allows) {
      permits = ["all"]
      prohibits = []
      return
    }
    var prohibited = policy.restricts(.searchIndexing) ? ["search"] : []
    if policy.restricts(.dataMining) {
      prohibited.append("ai-all")
    } else {
      if [.nonGenerativeTraining, .generativeTraining].contains(where: policy.restricts) {
        prohibited.append("ai-train")
      }
      if policy.restricts(.aiInput) { prohibited.append("ai-input") }
    }
    permits = policy.allows(.searchIndexing) ? ["search"] : []
    prohibits = prohibited
  }
}

/// The response headers of a page, a document or a picture under this policy, names in lower case.
///
/// They belong on every media response, 206 and 304 included: a data set builder fetches pictures, never the page
/// around them, and a reservation it could not have met is none (OLG Hamburg 5 U 104/24).
package func policyHeaders(
  for policy: UsagePolicy, tdmPolicyURL: IRI? = nil
) -> [(name: String, value: String)] {
  let signals = OutgoingSignals(policy)
  var headers: [(name: String, value: String)] = []
  if let contentUsage = signals.contentUsage { headers.append(("content-usage", contentUsage)) }
  if let xRobotsTag = signals.xRobotsTag { headers.append(("x-robots-tag", xRobotsTag)) }
  if let isReserved = signals.tdmReservation {
    headers.append(("tdm-reservation", isReserved ? "1" : "0"))
    if isReserved, let tdmPolicyURL { headers.append(("tdm-policy", tdmPolicyURL.text)) }
  }
  return headers
}
