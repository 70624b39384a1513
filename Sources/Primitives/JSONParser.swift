import OrderedCollections

extension JSON {
  /// Reads one RFC 8259 document and nothing after it.
  ///
  /// Refused: duplicate keys, nesting deeper than `depth`, invalid UTF-8, unescaped control characters, lone
  /// surrogate escapes, numbers out of the range of a double, a byte order mark.
  package init(parsing bytes: some Collection<UInt8>, depth: Int = Limits.jsonDepth) throws(JSONFailure) {
    var parser = JSONParser(bytes: ContiguousArray(bytes), depthLimit: depth)
    self = try parser.document()
  }

  package init(parsing text: String, depth: Int = Limits.jsonDepth) throws(JSONFailure) {
    try self.init(parsing: Array(text.utf8), depth: depth)
  }
}

private struct JSONParser {
  let bytes: ContiguousArray<UInt8>
  let depthLimit: Int
  var index = 0

  init(bytes: ContiguousArray<UInt8>, depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  mutating func document() throws(JSONFailure) -> JSON {
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard index == bytes.count else { throw .syntax(offset: index) }
    return value
  }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09, 0x0a, 0x0d: index += 1
      default: return
      }
    }
  }

  private mutating func value(depth: Int) throws(JSONFailure) -> JSON {
    guard let byte = current else { throw .syntax(offset: index) }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONFailure) -> JSON {
    let length = text.utf8CodeUnitCount
    guard index + length <= bytes.count else { throw .syntax(offset: index) }
    for offset in 0..<length where bytes[index + offset] != text.utf8Start[offset] { throw .syntax(offset: index) }
    index += length
    return value
  }

  private mutating func object(depth: Int) throws(JSONFailure) -> JSON {
    guard depth <= depthLimit else { throw .depth }
    index += 1
    var members = OrderedDictionary<String, JSON>()
    skipSpace()
    if current == UInt8(ascii: "}") {
      index += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw .syntax(offset: index) }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw .syntax(offset: index) }
      index += 1
      skipSpace()
      let value = try value(depth: depth)
      guard members.updateValue(value, forKey: key) == nil else { throw .duplicateKey(key) }
      skipSpace()
      switch current {
      case UInt8(ascii: ","): index += 1
      case UInt8(ascii: "}"):
        index += 1
        return .object(members)
      default: throw .syntax(offset: index)
      }
    }
  }

  private mutating func array(depth: Int) throws(JSONFailure) -> JSON {
    guard depth <= depthLimit else { throw .depth }
    index += 1
    var values: [JSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      index += 1
      return .array(values)
    }
    while true {
      skipSpace()
      values.append(try value(depth: depth))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): index += 1
      case UInt8(ascii: "]"):
        index += 1
        return .array(values)
      default: throw .syntax(offset: index)
      }
    }
  }

  private mutating func number() throws(JSONFailure) -> JSON {
    let start = index
    if current == UInt8(ascii: "-") { index += 1 }
    let integerStart = index
    let integerDigits = digits()
    guard integerDigits > 0, integerDigits == 1 || bytes[integerStart] != UInt8(ascii: "0") else {
      throw .syntax(offset: start)
    }
    var isInteger = true
    if current == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      guard digits() > 0 else { throw .syntax(offset: index) }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      index += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
      guard digits() > 0 else { throw .syntax(offset: index) }
    }
    guard index - start <= 400 else { throw .syntax(offset: start) }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    // "-0" is the double -0.0, which JCS writes as 0.
    if isInteger, let value = Int64(text), !(value == 0 && text.hasPrefix("-")) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw .syntax(offset: start) }
    return .double(value)
  }

  private mutating func digits() -> Int {
    let start = index
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    return index - start
  }

  private mutating func string() throws(JSONFailure) -> String {
    index += 1
    let start = index
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        let text = try text(Array(bytes[start..<index]), from: start)
        index += 1
        return text
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw .syntax(offset: index)
      default: index += 1
      }
      guard index - start <= Limits.jsonStringBytes else { throw .tooLarge }
    }
    throw .syntax(offset: index)
  }

  /// The slow path, entered at the first backslash.
  private mutating func escapedString(from start: Int) throws(JSONFailure) -> String {
    var out = Array(bytes[start..<index])
    while index < bytes.count {
      guard out.count <= Limits.jsonStringBytes else { throw .tooLarge }
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return try text(out, from: start)
      case UInt8(ascii: "\\"):
        index += 1
        try escape(into: &out)
      case 0..<0x20: throw .syntax(offset: index)
      default:
        out.append(byte)
        index += 1
      }
    }
    throw .syntax(offset: index)
  }

  private mutating func escape(into out: inout [UInt8]) throws(JSONFailure) {
    guard let byte = current else { throw .syntax(offset: index) }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0c)
    case UInt8(ascii: "n"): out.append(0x0a)
    case UInt8(ascii: "r"): out.append(0x0d)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      let scalar = try unicodeEscape()
      out.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw .syntax(offset: index - 1)
    }
  }

  private mutating func unicodeEscape() throws(JSONFailure) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
    // A lone surrogate has no UTF-8 form: two readers would repair it differently.
    guard (0xd800..<0xdc00).contains(first), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u")
    else { throw .encoding(offset: index) }
    index += 2
    let second = try codeUnit()
    guard (0xdc00..<0xe000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00))
    else { throw .encoding(offset: index) }
    return scalar
  }

  private mutating func codeUnit() throws(JSONFailure) -> UInt16 {
    guard index + 4 <= bytes.count, let pair = Hex.decode(String(decoding: bytes[index..<(index + 4)], as: UTF8.self)),
      pair.count == 2
    else { throw .syntax(offset: index) }
    index += 4
    return UInt16(pair[0]) << 8 | UInt16(pair[1])
  }

  private func text(_ utf8: [UInt8], from start: Int) throws(JSONFailure) -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else { throw .encoding(offset: start) }
    return text
  }
}
