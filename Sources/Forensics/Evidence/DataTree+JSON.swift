import Primitives

extension DataTree {
  /// Reads JSON the way Python writes it: `NaN` and `Infinity` are numbers and the last of repeated keys wins, both of
  /// which the strict reader for network documents rightly refuses.
  package init?(json bytes: some Collection<UInt8>) {
    guard bytes.count <= Limits.metadataText else { return nil }
    var reading = JSONReading(Array(bytes)[...])
    guard let tree = reading.value(depth: 0), reading.isAtEnd else { return nil }
    self = tree
  }
}

private struct JSONReading {
  private let bytes: ArraySlice<UInt8>
  private var offset = 0
  private var values = 0

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return offset >= bytes.count
    }
  }

  private mutating func skipBlanks() {
    // stable-diffusion-webui forks end the field with a NUL.
    while let byte = bytes.byte(offset), [0x20, 0x09, 0x0A, 0x0D, 0x00].contains(byte) { offset += 1 }
  }

  mutating func value(depth: Int) -> DataTree? {
    values += 1
    guard depth < Limits.dataTreeDepth, values <= Limits.dataTreeValues else { return nil }
    skipBlanks()
    switch bytes.byte(offset) {
    case 0x7B: return object(depth)
    case 0x5B: return list(depth)
    case 0x22: return string().map { .text($0) }
    default: return literal()
    }
  }

  private mutating func object(_ depth: Int) -> DataTree? {
    offset += 1
    var entries: [String: DataTree] = [:]
    if take(0x7D) { return .map(entries) }
    while true {
      skipBlanks()
      guard bytes.byte(offset) == 0x22, let key = string(), take(0x3A), let item = value(depth: depth + 1) else {
        return nil
      }
      entries[key] = item
      if take(0x7D) { return .map(entries) }
      guard take(0x2C) else { return nil }
    }
  }

  private mutating func list(_ depth: Int) -> DataTree? {
    offset += 1
    var items: [DataTree] = []
    if take(0x5D) { return .array(items) }
    while true {
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
      if take(0x5D) { return .array(items) }
      guard take(0x2C) else { return nil }
    }
  }

  private mutating func take(_ byte: Int) -> Bool {
    skipBlanks()
    guard bytes.byte(offset) == byte else { return false }
    offset += 1
    return true
  }

  private mutating func string() -> String? {
    offset += 1
    var units: [UInt8] = []
    while let byte = bytes.byte(offset) {
      offset += 1
      switch byte {
      case 0x22: return units[...].text
      case 0x5C:
        guard let escape = bytes.byte(offset) else { return nil }
        offset += 1
        guard append(escape, to: &units) else { return nil }
      default: units.append(UInt8(truncatingIfNeeded: byte))
      }
    }
    return nil
  }

  private mutating func append(_ escape: Int, to units: inout [UInt8]) -> Bool {
    switch escape {
    case 0x22, 0x5C, 0x2F: units.append(UInt8(truncatingIfNeeded: escape))
    case 0x62: units.append(0x08)
    case 0x66: units.append(0x0C)
    case 0x6E: units.append(0x0A)
    case 0x72: units.append(0x0D)
    case 0x74: units.append(0x09)
    case 0x75:
      guard let first = unit() else { return false }
      var code = [first]
      if (0xD800...0xDBFF).contains(first), bytes.hasPrefix("\\u", at: offset) {
        offset += 2
        guard let second = unit() else { return false }
        code.append(second)
      }
      units += Array(String(decoding: code, as: UTF16.self).utf8)
    default: return false
    }
    return true
  }

  private mutating func unit() -> UInt16? {
    guard let part = bytes.part(offset, 4) else { return nil }
    offset += 4
    return UInt16(part.text, radix: 16)
  }

  private mutating func literal() -> DataTree? {
    let start = offset
    while let byte = bytes.byte(offset), Self.isLiteral(byte) { offset += 1 }
    guard offset - start <= 64, let part = bytes.part(start, offset - start) else { return nil }
    switch part.text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    case "NaN", "Infinity", "-Infinity": return .number("nan")
    case let digits: return Double(digits) == nil ? nil : .number(digits)
    }
  }

  private static func isLiteral(_ byte: Int) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
    default: false
    }
  }
}
