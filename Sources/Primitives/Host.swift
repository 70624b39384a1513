/// A network host with an optional port, lower-cased, compared byte for byte.
///
/// Accepts ASCII only: an internationalised name must arrive in its `xn--` form, so that two spellings of one
/// domain cannot pose as two (CVE-2023-42451). IPv6 literals keep their brackets.
package struct Host: Hashable, Comparable, Sendable, Codable, LosslessStringConvertible {
  /// The name or address literal, without the port.
  package let name: String
  package let port: Int?

  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, bytes.count <= 260 else { return nil }
    var nameEnd = bytes.count
    if bytes.first == UInt8(ascii: "[") {
      guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      nameEnd = close + 1
      guard bytes[1..<close].allSatisfy(Host.isIPv6Byte), close > 1 else { return nil }
    } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
      nameEnd = colon
    }
    let nameBytes = bytes[..<nameEnd].map(asciiLowercased)
    if nameEnd < bytes.count {
      guard bytes[nameEnd] == UInt8(ascii: ":"),
        let port = decimal(bytes[(nameEnd + 1)...], digits: 5), (1...65_535).contains(port)
      else { return nil }
      self.port = port
    } else {
      port = nil
    }
    guard bytes.first == UInt8(ascii: "[") || Host.isName(nameBytes) else { return nil }
    name = String(decoding: nameBytes, as: UTF8.self)
  }

  package var text: String { port.map { "\(name):\($0)" } ?? name }
  package var description: String { text }

  package static func < (left: Host, right: Host) -> Bool { left.text < right.text }

  private static func isName(_ bytes: [UInt8]) -> Bool {
    guard !bytes.isEmpty, bytes.count <= 253 else { return false }
    return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      !label.isEmpty && label.count <= 63 && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
        && label.allSatisfy { isASCIILetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
  }

  private static func isIPv6Byte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

extension Host {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let host = Host(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a host"))
    }
    self = host
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

func asciiLowercased(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

func isASCIILetterOrDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
    UInt8(ascii: "A")...UInt8(ascii: "Z"):
    true
  default: false
  }
}

/// A run of at most `digits` decimal digits; nil for anything else, so the sum can not overflow.
func decimal(_ bytes: some Collection<UInt8>, digits: Int) -> Int? {
  guard !bytes.isEmpty, bytes.count <= min(digits, 17) else { return nil }
  var value = 0
  for byte in bytes {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
    value = value * 10 + Int(byte - UInt8(ascii: "0"))
  }
  return value
}
