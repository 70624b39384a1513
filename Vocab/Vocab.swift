// The published documents of the vocabulary, compiled in: what is served, what is embedded and what is read here are
// the same file. The names below are the only place where the namespace and its terms are written down in code.

package enum Vocab {
  /// The slug is provisional until the proposal is submitted. Signed documents freeze this string: it changes before
  /// the first federation or never.
  package static let slug = "f007"
  package static let specification = "https://w3id.org/fep/f007"
  package static let namespace = "https://w3id.org/fep/f007#"
  package static let prefix = "noai"
  package static let optOutSpecification = "https://w3id.org/fep/5e53"

  /// The JSON-LD context `contexts/noai-v1.jsonld`, byte for byte.
  package static let noaiContext: [UInt8] = PackageResources.noai_v1_jsonld

  /// A term of the context.
  package struct Term: Hashable, Sendable {
    package let name: String
    /// Compact, such as `noai:basis`, or absolute for terms of other vocabularies.
    package let iri: String
    /// True when the value is itself an IRI, so the context says `"@type": "@id"`.
    package let isReference: Bool

    init(_ name: String, _ iri: String? = nil, isReference: Bool = false) {
      self.name = name
      self.iri = iri ?? "\(Vocab.prefix):\(name)"
      self.isReference = isReference
    }
  }

  /// Terms of a usage policy, in the order in which documents define them inline.
  package static let policyTerms: [Term] = [
    Term("usagePolicy"), Term("UsagePolicy"), Term("basis"), Term("searchIndexing"), Term("dataMining"),
    Term("nonGenerativeTraining"), Term("generativeTraining"), Term("aiInput"), Term("constraintInfo"),
    Term("contentUsage"), Term("xRobotsTag", "https://w3id.org/fep/5e53#xRobotsTag"),
  ]

  /// Added where a policy is published as a document of its own.
  package static let policyDocumentTerms: [Term] = [Term("supersedes", isReference: true)]

  /// Terms of an attachment.
  package static let attachmentTerms: [Term] = [
    Term("digestMultibase", "https://w3id.org/security#digestMultibase"),
    Term(
      "digitalSourceType", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/DigitalSourceType", isReference: true),
  ]

  /// Terms of the instance actor.
  package static let instanceTerms: [Term] = [Term("policyConformance")]

  /// Terms of an assessment, which only ever travels between assessors.
  package static let assessmentTerms: [Term] = [
    Term("AiAssessment"), Term("subject", isReference: true), Term("subjectDigest"), Term("detector"),
    Term("detectorVersion"), Term("modelDigest"), Term("score"), Term("threshold"), Term("falsePositiveRate"),
    Term("calibration", isReference: true), Term("decision"), Term("reviewedBy"), Term("appeal", isReference: true),
  ]

  package static let allTerms: [Term] =
    policyTerms + policyDocumentTerms + attachmentTerms + instanceTerms + assessmentTerms

  /// The levels of `policyConformance`; each includes those before it.
  package enum Conformance: String, Hashable, Sendable, CaseIterable, Comparable {
    case preserve, signal, restrict, audit

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .preserve: 0
      case .signal: 1
      case .restrict: 2
      case .audit: 3
      }
    }
  }
}
