import Primitives

extension UsagePolicy {
  /// The value of `usagePolicy`: a flat object, no `null`, no empty array, since JSON-LD drops both.
  package var wire: JSON {
    var members: [(key: String, value: JSON)] = [("type", "UsagePolicy")]
    if let id { members.append(("id", .string(id.text))) }
    members.append(("basis", .string(basis.rawValue)))
    for category in Category.allCases {
      if let permission = self[category] { members.append((category.rawValue, .string(permission.rawValue))) }
    }
    if let constraintInfo { members.append(("constraintInfo", .string(constraintInfo))) }
    return JSON(pairs: members)
  }

  /// Reads an embedded `UsagePolicy`; nil when it is none, such as a bare IRI, or when it says nothing.
  ///
  /// A value nobody knows yet counts as `disallow`: its author did say something, and reading it as silence would let
  /// a newer vocabulary weaken an older reader. An unknown `basis` counts as the least explicit one.
  package init?(wire: JSON) {
    let policy = wire.array.flatMap { $0.count == 1 ? $0.first : nil } ?? wire
    guard policy.object != nil, Self.isUsagePolicy(policy["type"]) else { return nil }
    var permissions: [Category: Permission] = [:]
    for category in Category.allCases {
      guard let value = policy[category.rawValue], value != .null else { continue }
      permissions[category] = value.string.flatMap(Permission.init(rawValue:)) ?? .disallow
    }
    guard !permissions.isEmpty else { return nil }
    self.init(
      basis: policy["basis"]?.string.flatMap(Basis.init(rawValue:)) ?? .instanceDefault,
      permissions: permissions, constraintInfo: policy["constraintInfo"]?.string,
      id: policy["id"]?.string.flatMap { IRI($0) })
  }

  private static func isUsagePolicy(_ type: JSON?) -> Bool {
    switch type {
    case nil: true
    case .string(let name): name == "UsagePolicy"
    case .array(let names): names.contains(.string("UsagePolicy"))
    default: false
    }
  }
}
