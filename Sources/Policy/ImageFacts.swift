import Primitives

/// What the file or its author says about how a picture was made.
package enum Declaration: String, Codable, Hashable, Sendable, CaseIterable {
  case none, human, assisted, generated
}

/// How well this instance knows the author.
package enum Standing: String, Codable, Hashable, Sendable, CaseIterable {
  case member, known, unknown
}

/// One finding of a detector, without its words.
package struct Finding: Hashable, Codable, Sendable, Comparable {
  package let strength: EvidenceStrength
  package let implies: Implication

  package init(strength: EvidenceStrength, implies: Implication) {
    self.strength = strength
    self.implies = implies
  }

  package init(_ evidence: Evidence) {
    self.init(strength: evidence.strength, implies: evidence.implies)
  }

  /// The strongest first, so that stored facts are the same text for the same facts.
  package static func < (left: Finding, right: Finding) -> Bool {
    guard left.strength == right.strength else { return left.strength > right.strength }
    return left.implies.rawValue < right.implies.rawValue
  }
}

/// Everything a rule may look at, and nothing else. Stored with every decision, so that any revision of the policy can
/// be replayed without touching a pixel.
package struct ImageFacts: Hashable, Sendable {
  package var opinion: Opinion
  /// Without repetitions, the strongest first.
  package private(set) var findings: [Finding]
  package var declaration: Declaration
  /// Nil: uploaded here.
  package var origin: Host?
  /// A moderator or an appeal found the work human: it is accepted whatever a detector says later.
  package var isCleared: Bool
  package var author: Standing
  /// What trusted assessors of other servers ask for together; never more than `hold`.
  package var peers: Verdict?

  package init(
    opinion: Opinion, findings: some Sequence<Finding>, declaration: Declaration = .none, origin: Host? = nil,
    isCleared: Bool = false, author: Standing = .unknown
  ) {
    self.opinion = opinion
    self.findings = Set(findings).sorted()
    self.declaration = declaration
    self.origin = origin
    self.isCleared = isCleared
    self.author = author
  }

  package init(
    _ assessment: Assessment, declaration: Declaration = .none, origin: Host? = nil, isCleared: Bool = false,
    author: Standing = .unknown
  ) {
    self.init(
      opinion: assessment.opinion, findings: assessment.evidence.map { Finding($0) }, declaration: declaration,
      origin: origin, isCleared: isCleared, author: author)
  }

  /// The strongest finding that speaks for `implication`.
  package func strongest(_ implication: Implication) -> EvidenceStrength? {
    findings.first { $0.implies == implication }?.strength
  }
}

extension ImageFacts: Codable {
  private enum CodingKeys: String, CodingKey {
    case opinion, findings, declaration, origin, author, peers
    case isCleared = "cleared"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      opinion: try container.decode(Opinion.self, forKey: .opinion),
      findings: try container.decode([Finding].self, forKey: .findings),
      declaration: try container.decode(Declaration.self, forKey: .declaration),
      origin: try container.decodeIfPresent(Host.self, forKey: .origin),
      isCleared: try container.decode(Bool.self, forKey: .isCleared),
      author: try container.decode(Standing.self, forKey: .author))
    peers = try container.decodeIfPresent(Verdict.self, forKey: .peers)
  }
}

extension Declaration {
  /// What the author's `digitalSourceType` says, as an IPTC IRI or a bare code. Retired and unknown codes say nothing.
  package init(digitalSourceType value: String) {
    switch value.split(separator: "/").last.map(String.init) ?? "" {
    case "trainedAlgorithmicMedia":
      self = .generated
    case "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic":
      self = .assisted
    case "digitalCreation", "humanEdits", "digitalCapture", "computationalCapture", "print", "negativeFilm",
      "positiveFilm", "screenCapture":
      self = .human
    default:
      self = .none
    }
  }
}
