// The one way out: every request to another machine passes its address, size, time and redirect rules.
import Primitives

/// An IPv4 or IPv6 address, as bytes in network order.
package enum Address: Hashable, Sendable, CustomStringConvertible {
  case v4(UInt32)
  case v6(high: UInt64, low: UInt64)

  /// Dotted decimal without leading zeros, or RFC 4291 text without brackets and zone. The many other ways to write
  /// an IPv4 address (`0x7f.1`, `2130706433`, `0177.0.0.1`) are refused, since resolvers disagree about them.
  package init?(_ text: String) {
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let groups = Address.groups(text) else { return nil }
      self.init(groups: groups)
    } else {
      guard let value = Address.dotted(text[...]) else { return nil }
      self = .v4(value)
    }
  }

  /// 4 or 16 bytes.
  package init?(bytes: [UInt8]) {
    switch bytes.count {
    case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
    case 16:
      let halves = [bytes.prefix(8), bytes.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
      self = .v6(high: halves[0], low: halves[1])
    default: return nil
    }
  }

  private init(groups: [UInt16]) {
    let halves = [groups.prefix(4), groups.suffix(4)].map { $0.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
    self = .v6(high: halves[0], low: halves[1])
  }

  package var isIPv6: Bool {
    if case .v6 = self { return true }
    return false
  }

  package var description: String {
    switch self {
    case .v4(let value):
      return [24, 16, 8, 0].map { String(value >> UInt32($0) & 0xff) }.joined(separator: ".")
    case .v6(let high, let low):
      return [high, low].flatMap { half in
        [48, 32, 16, 0].map { String(half >> UInt64($0) & 0xffff, radix: 16) }
      }.joined(separator: ":")
    }
  }

  private static func dotted(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
        part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0"), let byte = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(byte)
    }
    return value
  }

  private static func groups(_ text: String) -> [UInt16]? {
    guard text.utf8.count <= 45 else { return nil }
    let halves = text.components(separatedByDoubleColon: ())
    guard halves.count <= 2 else { return nil }
    guard let first = fields(halves[0], mayEndInIPv4: halves.count == 1) else { return nil }
    if halves.count == 1 { return first.count == 8 ? first : nil }
    guard let last = fields(halves[1], mayEndInIPv4: true), first.count + last.count <= 7 else { return nil }
    return first + [UInt16](repeating: 0, count: 8 - first.count - last.count) + last
  }

  private static func fields(_ text: Substring, mayEndInIPv4: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    var fields: [UInt16] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, mayEndInIPv4, part.utf8.contains(UInt8(ascii: ".")) {
        guard let value = dotted(part) else { return nil }
        fields += [UInt16(value >> 16), UInt16(value & 0xffff)]
      } else {
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit), let field = UInt16(part, radix: 16)
        else { return nil }
        fields.append(field)
      }
    }
    return fields.count <= 8 ? fields : nil
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
  }
}

extension String {
  fileprivate func components(separatedByDoubleColon: Void) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let mark = rest.firstRange(of: "::") {
      parts.append(rest[..<mark.lowerBound])
      rest = rest[mark.upperBound...]
    }
    return parts + [rest]
  }
}

/// A network such as `10.0.0.0/8` or `fd00::/8`.
package struct CIDR: Hashable, Sendable, LosslessStringConvertible {
  package let base: Address
  package let prefix: Int

  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let base = Address(String(parts[0])), (1...3).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let prefix = Int(parts[1]),
      prefix <= (base.isIPv6 ? 128 : 32)
    else { return nil }
    self.base = base
    self.prefix = prefix
  }

  package var description: String { "\(base)/\(prefix)" }

  package func contains(_ address: Address) -> Bool {
    switch (base, address) {
    case (.v4(let network), .v4(let value)):
      prefix == 0 || (network ^ value) >> UInt32(32 - prefix) == 0
    case (.v6(let networkHigh, let networkLow), .v6(let high, let low)):
      if prefix <= 64 {
        prefix == 0 || (networkHigh ^ high) >> UInt64(64 - prefix) == 0
      } else {
        networkHigh == high && (networkLow ^ low) >> UInt64(128 - prefix) == 0
      }
    default: false
    }
  }
}
