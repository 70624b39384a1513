import Primitives

extension DataTree {
  /// Reads one CBOR item (RFC 8949). Tags are looked through; keys that are not text are kept by their number.
  package init?(cbor bytes: ArraySlice<UInt8>) {
    var reading = CBORReading(bytes)
    guard let tree = reading.value(depth: 0) else { return nil }
    self = tree
  }
}

private struct CBORReading {
  private let bytes: ArraySlice<UInt8>
  private var offset = 0
  private var values = 0

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  mutating func value(depth: Int) -> DataTree? {
    values += 1
    guard depth < Limits.dataTreeDepth, values <= Limits.dataTreeValues, let head = bytes.byte(offset) else {
      return nil
    }
    offset += 1
    let major = head >> 5
    let detail = head & 0x1F
    if detail == 31 { return indefinite(major, depth) }
    guard let argument = argument(detail) else { return nil }
    switch major {
    case 0: return .number(String(argument))
    case 1: return .number("-\(argument &+ 1)")
    case 2: return take(argument).map { .bytes(Array($0)) }
    case 3: return take(argument).map { .text($0.text) }
    case 4: return list(argument, depth)
    case 5: return map(argument, depth)
    case 6: return value(depth: depth + 1)
    default: return simple(detail)
    }
  }

  private mutating func argument(_ detail: Int) -> UInt64? {
    guard detail >= 24 else { return UInt64(detail) }
    guard detail <= 27 else { return nil }
    let size = 1 << (detail - 24)
    guard let part = bytes.part(offset, size) else { return nil }
    offset += size
    return part.reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func take(_ length: UInt64) -> ArraySlice<UInt8>? {
    guard let length = Int(exactly: length), let part = bytes.part(offset, length) else { return nil }
    offset += length
    return part
  }

  /// A count on the wire reserves nothing: each item is paid for by at least one byte.
  private mutating func list(_ count: UInt64, _ depth: Int) -> DataTree? {
    guard count <= UInt64(bytes.count) else { return nil }
    var items: [DataTree] = []
    for _ in 0..<count {
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
    }
    return .array(items)
  }

  private mutating func map(_ count: UInt64, _ depth: Int) -> DataTree? {
    guard count <= UInt64(bytes.count) else { return nil }
    var entries: [String: DataTree] = [:]
    for _ in 0..<count {
      guard entry(into: &entries, depth) else { return nil }
    }
    return .map(entries)
  }

  private mutating func entry(into entries: inout [String: DataTree], _ depth: Int) -> Bool {
    guard let key = value(depth: depth + 1), let item = value(depth: depth + 1) else { return false }
    if let name = key.text ?? key.digits { entries[name] = item }
    return true
  }

  private mutating func indefinite(_ major: Int, _ depth: Int) -> DataTree? {
    var items: [DataTree] = []
    var entries: [String: DataTree] = [:]
    var whole: [UInt8] = []
    while let next = bytes.byte(offset) {
      if next == 0xFF {
        offset += 1
        switch major {
        case 2: return .bytes(whole)
        case 3: return .text(whole[...].text)
        case 4: return .array(items)
        default: return .map(entries)
        }
      }
      switch major {
      case 2, 3:
        guard next >> 5 == major, next & 0x1F != 31, let piece = value(depth: depth + 1) else { return nil }
        if case .bytes(let bytes) = piece { whole += bytes }
        if let text = piece.text { whole += Array(text.utf8) }
      case 4:
        guard let item = value(depth: depth + 1) else { return nil }
        items.append(item)
      case 5:
        guard entry(into: &entries, depth) else { return nil }
      default: return nil
      }
    }
    return nil
  }

  private func simple(_ detail: Int) -> DataTree? {
    switch detail {
    case 20: .bool(false)
    case 21: .bool(true)
    case 22, 23: .null
    // Floating-point values say nothing that is read here; their bytes were already passed.
    case 24...27: .number("0")
    default: nil
    }
  }
}
