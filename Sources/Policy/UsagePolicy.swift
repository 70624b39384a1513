import Primitives

/// What may be done with a work by machines: five disjoint categories, each permitted, bound to a condition,
/// forbidden or left unsaid.
///
/// The categories follow CAWG 1.1 so that the mapping to it is exact. Invariant: a `constrained` category has a
/// condition to read. One without is stored as `disallow` (CAWG 1.1: constrained without information is notAllowed).
package struct UsagePolicy: Hashable, Sendable {
  package enum Category: String, Codable, Hashable, Sendable, CaseIterable {
    /// Finding and linking to the original.
    case searchIndexing
    /// Automated analysis for patterns (text and data mining).
    case dataMining
    /// Training classifiers, detectors and embedders.
    case nonGenerativeTraining
    /// Training or fine-tuning a model that can generate.
    case generativeTraining
    /// Use as a prompt image, for retrieval, or for captioning by somebody else's model.
    case aiInput
  }

  /// Ordered by how much it restricts. Absence of a value is below all of them.
  package enum Permission: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    case allow, constrained, disallow

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// 1...3; 0 is reserved for silence.
    var rank: Int {
      switch self {
      case .allow: 1
      case .constrained: 2
      case .disallow: 3
      }
    }

    /// True for everything that is not a plain yes.
    package var restricts: Bool { self != .allow }
  }

  /// Who chose. Without it a default reads like an artist's reservation, and the signal is diluted for everybody.
  package enum Basis: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    case explicit, accountDefault, collectiveDefault, instanceDefault

    /// The more explicit is the greater.
    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .instanceDefault: 0
      case .collectiveDefault: 1
      case .accountDefault: 2
      case .explicit: 3
      }
    }

    /// True where the artist spoke, for this work or for the whole account.
    package var isArtists: Bool { self >= .accountDefault }
  }

  /// Where the immutable, signed text of this policy is published.
  package let id: IRI?
  package let basis: Basis
  /// URL or text of the condition, shown wherever a value is `constrained`.
  package let constraintInfo: String?
  private let permissions: [Category: Permission]

  package init(
    basis: Basis, permissions: [Category: Permission], constraintInfo: String? = nil, id: IRI? = nil
  ) {
    let info = constraintInfo.flatMap(Self.readable)
    self.id = id
    self.basis = basis
    self.permissions = info == nil ? permissions.mapValues { $0 == .constrained ? .disallow : $0 } : permissions
    self.constraintInfo = permissions.values.contains(.constrained) ? info : nil
  }

  /// Nil when the category is left unsaid.
  package subscript(category: Category) -> Permission? { permissions[category] }

  package func restricts(_ category: Category) -> Bool { permissions[category]?.restricts ?? false }

  package func allows(_ category: Category) -> Bool { permissions[category] == .allow }

  /// True when no category has a value.
  package var isSilent: Bool { permissions.isEmpty }

  package func with(basis: Basis? = nil, id: IRI?) -> UsagePolicy {
    UsagePolicy(basis: basis ?? self.basis, permissions: permissions, constraintInfo: constraintInfo, id: id)
  }

  package func setting(_ category: Category, to permission: Permission?) -> UsagePolicy {
    var changed = permissions
    changed[category] = permission
    return UsagePolicy(basis: basis, permissions: changed, constraintInfo: constraintInfo, id: id)
  }

  /// True when both say the same in every category, whoever chose it and wherever it is published.
  package func means(theSameAs other: UsagePolicy) -> Bool {
    permissions == other.permissions && constraintInfo == other.constraintInfo
  }

  /// The condition without what XML and terminals cannot carry; nil when nothing is left or it is too long to be read
  /// by anybody, since a condition cut short could permit more than was meant.
  private static func readable(_ text: String) -> String? {
    guard text.utf8.count <= Limits.constraintInfo else { return nil }
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isForbidden = scalar.properties.generalCategory == .control || (0xFFFE...0xFFFF).contains(scalar.value)
      scalars.append(isForbidden ? " " : scalar)
    }
    let trimmed = String(scalars).split(separator: " ").joined(separator: " ")
    return trimmed.isEmpty ? nil : trimmed
  }
}

// Stable names: this is the stored form and, but for `type`, the wire form.
extension UsagePolicy: Codable {
  private enum CodingKeys: String, CodingKey {
    case id, basis, constraintInfo
    case searchIndexing, dataMining, nonGenerativeTraining, generativeTraining, aiInput

    init(_ category: Category) {
      self =
        switch category {
        case .searchIndexing: .searchIndexing
        case .dataMining: .dataMining
        case .nonGenerativeTraining: .nonGenerativeTraining
        case .generativeTraining: .generativeTraining
        case .aiInput: .aiInput
        }
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var permissions: [Category: Permission] = [:]
    for category in Category.allCases {
      permissions[category] = try container.decodeIfPresent(Permission.self, forKey: CodingKeys(category))
    }
    self.init(
      basis: try container.decode(Basis.self, forKey: .basis), permissions: permissions,
      constraintInfo: try container.decodeIfPresent(String.self, forKey: .constraintInfo),
      id: try container.decodeIfPresent(IRI.self, forKey: .id))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(id, forKey: .id)
    try container.encode(basis, forKey: .basis)
    for category in Category.allCases {
      try container.encodeIfPresent(self[category], forKey: CodingKeys(category))
    }
    try container.encodeIfPresent(constraintInfo, forKey: .constraintInfo)
  }
}

extension UsagePolicy {
  /// The four choices an artist is offered first. Names are stored and travel in URLs.
  package enum Preset: String, Codable, Hashable, Sendable, CaseIterable {
    case noAI = "no-ai"
    case noGenAI = "no-genai"
    case researchOnly = "research-only"
    case open

    package static let standard = Preset.noAI
  }

  /// The condition of the `research-only` preset. Compared as a whole: only this text becomes `tdm:research`.
  package static let researchCondition =
    "Permitted for scientific research only; any other use needs the consent of the artist."

  package init(_ preset: Preset, basis: Basis, id: IRI? = nil) {
    let values: [Permission] =
      switch preset {
      case .noAI: [.allow, .disallow, .disallow, .disallow, .disallow]
      case .noGenAI: [.allow, .allow, .allow, .disallow, .disallow]
      case .researchOnly: [.allow, .constrained, .constrained, .constrained, .constrained]
      case .open: [.allow, .allow, .allow, .allow, .allow]
      }
    self.init(
      basis: basis, permissions: Dictionary(uniqueKeysWithValues: zip(Category.allCases, values)),
      constraintInfo: Self.researchCondition, id: id)
  }

  /// The preset that says exactly this, if one does.
  package var preset: Preset? {
    Preset.allCases.first { means(theSameAs: UsagePolicy($0, basis: basis)) }
  }
}
