import OrderedCollections

extension JSON {
  /// Deterministic bytes: members in their order, no white space, `/` unescaped.
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    write(into: &out, canonical: false)
    return out
  }

  /// RFC 8785 (JCS): members by UTF-16 code units, numbers as ECMAScript writes them.
  package var canonicalBytes: [UInt8] {
    var out: [UInt8] = []
    write(into: &out, canonical: true)
    return out
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  private func write(into out: inout [UInt8], canonical: Bool) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value):
      // ECMAScript has doubles only: an integer past 2^53 is written as the double nearest to it.
      let isExact = value.magnitude <= 1 << 53
      out.append(contentsOf: (canonical && !isExact ? JSON.ecmaScript(Double(value)) : String(value)).utf8)
    case .double(let value): out.append(contentsOf: JSON.ecmaScript(value).utf8)
    case .string(let value): JSON.write(value, into: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (position, value) in values.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        value.write(into: &out, canonical: canonical)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      if canonical {
        let sorted = members.elements.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
        for (position, member) in sorted.enumerated() {
          JSON.write(member.key, member.value, isFirst: position == 0, into: &out, canonical: true)
        }
      } else {
        for (position, member) in members.elements.enumerated() {
          JSON.write(member.key, member.value, isFirst: position == 0, into: &out, canonical: false)
        }
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ key: String, _ value: JSON, isFirst: Bool, into out: inout [UInt8], canonical: Bool) {
    if !isFirst { out.append(UInt8(ascii: ",")) }
    write(key, into: &out)
    out.append(UInt8(ascii: ":"))
    value.write(into: &out, canonical: canonical)
  }

  /// Escapes exactly what RFC 8785 §3.2.2.2 escapes. What lies between is copied in one piece: most texts have nothing
  /// to escape, and a page of posts is mostly text.
  private static func write(_ text: String, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { bytes in
      var rest = bytes[...]
      while let next = rest.firstIndex(where: isEscaped) {
        out.append(contentsOf: UnsafeBufferPointer(rebasing: rest[..<next]))
        escape(bytes[next], into: &out)
        rest = bytes[(next + 1)...]
      }
      out.append(contentsOf: UnsafeBufferPointer(rebasing: rest))
    }
    out.append(UInt8(ascii: "\""))
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func escape(_ byte: UInt8, into out: inout [UInt8]) {
    switch byte {
    case 0x08: out.append(contentsOf: "\\b".utf8)
    case 0x09: out.append(contentsOf: "\\t".utf8)
    case 0x0a: out.append(contentsOf: "\\n".utf8)
    case 0x0c: out.append(contentsOf: "\\f".utf8)
    case 0x0d: out.append(contentsOf: "\\r".utf8)
    case 0..<0x20: out.append(contentsOf: "\\u00\(Hex.encode([byte]))".utf8)
    default:
      out.append(UInt8(ascii: "\\"))
      out.append(byte)
    }
  }

  /// ECMA-262 Number::toString. Swift's description gives the same shortest digits; only their layout differs.
  static func ecmaScript(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value.isFinite ? "0" : "null" }
    let (digits, exponent) = decimalDigits(value.magnitude)
    let count = digits.count
    let sign = value < 0 ? "-" : ""
    let text = String(decoding: digits, as: UTF8.self)
    // `exponent` is n in the standard: the value is 0.d1d2d3... times 10 to the n.
    if count <= exponent, exponent <= 21 { return sign + text + String(repeating: "0", count: exponent - count) }
    if 0 < exponent, exponent <= 21 {
      return sign + text.prefix(exponent) + "." + text.dropFirst(exponent)
    }
    if -6 < exponent, exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + text }
    let power = exponent - 1
    let mantissa = count == 1 ? text : "\(text.prefix(1)).\(text.dropFirst())"
    return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(abs(power))"
  }

  private static func decimalDigits(_ value: Double) -> (digits: [UInt8], exponent: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let whole = Array(mantissa[0].utf8)
    let fraction = mantissa.count > 1 ? Array(mantissa[1].utf8) : []
    let all = whole + fraction
    let leading = all.prefix { $0 == UInt8(ascii: "0") }.count
    var digits = Array(all.dropFirst(leading))
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, whole.count - leading + power)
  }
}
