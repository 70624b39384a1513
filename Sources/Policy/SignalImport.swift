import Primitives

// Reading other mechanisms: take only what is said, never more. What comes out is combined with other statements as
// a channel of its own, so that it can add restrictions and cannot take any away. Nil: nothing was said.
extension UsagePolicy {
  /// `X-Robots-Tag`, `<meta name="robots">` or FEP-5e53 `xRobotsTag`.
  ///
  /// `noai` forbids use for data sets and training; it says nothing about search or prompts.
  package init?(xRobotsTag text: String, basis: Basis = .explicit) {
    guard text.utf8.count <= Limits.signalText else { return nil }
    var permissions: [Category: Permission] = [:]
    for part in text.split(separator: ",") {
      // `otherbot: noai` addresses one crawler; the wish behind it is taken for all, since ours relays to unknown ones.
      let directive = part.split(separator: ":").last.map { Self.word($0) } ?? ""
      switch directive {
      case "noai", "noimageai":
        permissions[.nonGenerativeTraining] = .disallow
        permissions[.generativeTraining] = .disallow
      case "noindex", "noimageindex", "none":
        permissions[.searchIndexing] = .disallow
      case "gpc":
        permissions[.dataMining] = .disallow
      default:
        continue
      }
    }
    self.init(said: permissions, basis: basis)
  }

  /// `Sec-GPC`, FEP-5e53 `SPC`: not to be sold to others or shared with them. Copies taken for mining are; a search
  /// engine that links to the original takes none away.
  package static func refusingSharing(basis: Basis = .explicit) -> UsagePolicy {
    UsagePolicy(basis: basis, permissions: [.dataMining: .disallow])
  }

  /// An AIPREF dictionary, `Content-Usage` or `contentUsage`. Labels and values nobody knows count as unsaid, as the
  /// draft asks; where a label is repeated, the last one counts (RFC 9651 §3.2).
  package init?(contentUsage text: String, basis: Basis = .explicit) {
    guard text.utf8.count <= Limits.signalText else { return nil }
    var values: [String: String] = [:]
    for member in text.split(separator: ",") {
      let preference = member.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
      let sides = preference.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, let label = sides.first, let value = sides.last else { continue }
      values[Self.word(label)] = Self.word(value)
    }
    var permissions: [Category: Permission] = [:]
    for (label, categories) in SignalTable.aiprefLabels {
      for category in categories {
        switch values[label] {
        case "n":
          permissions[category] = .disallow
        case "y" where SignalTable.currentAiprefLabels.contains(label):
          permissions[category] = max(permissions[category] ?? .allow, .allow)
        default:
          continue
        }
      }
    }
    self.init(said: permissions, basis: basis)
  }

  /// `plus:DataMining` of an XMP packet, as IRI or bare code. An unknown `DMI-PROHIBITED…` counts as prohibited.
  package init?(plusDataMining value: String, otherConstraints: String? = nil, basis: Basis = .explicit) {
    typealias DMI = SignalTable.DMI
    guard value.utf8.count <= Limits.signalText else { return nil }
    let code = String(value.split(separator: "/").last ?? "")
    let mining = SignalTable.mining
    func every(_ permission: Permission, of categories: [Category]) -> [Category: Permission] {
      Dictionary(uniqueKeysWithValues: categories.map { ($0, permission) })
    }
    var info = otherConstraints
    var permissions: [Category: Permission]
    switch code {
    case DMI.allowed:
      permissions = every(.allow, of: mining)
    case DMI.prohibitedGenerativeTraining:
      permissions = [.generativeTraining: .disallow]
    case DMI.prohibitedTraining:
      permissions = every(.disallow, of: [.nonGenerativeTraining, .generativeTraining])
    case DMI.prohibitedExceptSearch:
      permissions = every(.disallow, of: mining)
      permissions[.searchIndexing] = .allow
    case DMI.seeConstraint:
      permissions = every(.constrained, of: mining)
    case DMI.seeEmbedded:
      info = "See the rights expression embedded in the file."
      permissions = every(.constrained, of: mining)
    case DMI.seeLinked:
      info = "See the rights expression linked from the file."
      permissions = every(.constrained, of: mining)
    default:
      permissions = code.hasPrefix(DMI.prohibited) ? every(.disallow, of: mining + [.searchIndexing]) : [:]
    }
    self.init(said: permissions, basis: basis, constraintInfo: info)
  }

  /// The entries of `cawg.training-mining`, or of its older name `c2pa.training-mining`.
  package init?(cawg entries: some Sequence<CAWGEntry>, basis: Basis = .explicit) {
    var permissions: [Category: Permission] = [:]
    var conditions: Set<String> = []
    for entry in entries.prefix(Limits.trainingMiningEntries) {
      let name = entry.label.split(separator: ".").last.map(String.init) ?? ""
      guard let category = SignalTable.cawg.first(where: { $0.label == "cawg.\(name)" })?.category else { continue }
      let permission: Permission
      switch entry.use {
      case "allowed":
        permission = .allow
      case "constrained":
        // Our own remark about hosting servers is no condition anybody could meet in order to use the work.
        let condition = entry.constraintInfo.map { Self.withoutHostingCheck($0) } ?? ""
        permission = condition.isEmpty ? .disallow : .constrained
        if !condition.isEmpty { conditions.insert(condition) }
      default:
        permission = .disallow
      }
      permissions[category] = max(permissions[category] ?? .allow, permission)
    }
    self.init(
      said: permissions, basis: basis,
      constraintInfo: conditions.isEmpty ? nil : conditions.sorted().joined(separator: "; "))
  }

  private init?(said permissions: [Category: Permission], basis: Basis, constraintInfo: String? = nil) {
    if permissions.isEmpty { return nil }
    self.init(basis: basis, permissions: permissions, constraintInfo: constraintInfo)
  }

  private static func withoutHostingCheck(_ condition: String) -> String {
    guard condition.hasSuffix(CAWGEntry.hostingCheck) else { return condition }
    let rest = condition.dropLast(CAWGEntry.hostingCheck.count)
    return String(rest.hasSuffix("; ") ? rest.dropLast(2) : rest)
  }

  private static func word(_ text: some StringProtocol) -> String {
    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()).lowercased()
  }
}
