import Primitives

/// The few parts of XML that XMP packets use, read without ever expanding anything.
///
/// Only the five named entities and character references are known, and a document type ends the reading: there is
/// nothing here for a billion laughs or an outside entity to hold on to.
struct XMLScanner {
  enum Token: Hashable {
    /// Names as written; attributes in order.
    case open(name: String, attributes: [Attribute], isEmpty: Bool)
    case close(name: String)
    case text(String)
  }

  struct Attribute: Hashable {
    var name: String
    var value: String
  }

  private let bytes: ArraySlice<UInt8>
  private var offset = 0

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// The next token, nil at the end and at the first thing that is not well formed.
  mutating func next() -> Token? {
    while offset < bytes.count {
      guard bytes.byte(offset) == 0x3C else { return text() }
      if bytes.hasPrefix("<!--", at: offset) {
        guard skip(past: "-->") else { return nil }
      } else if bytes.hasPrefix("<![CDATA[", at: offset) {
        return characterData()
      } else if bytes.hasPrefix("<?", at: offset) {
        guard skip(past: "?>") else { return nil }
      } else if bytes.hasPrefix("<!", at: offset) {
        return nil
      } else if bytes.hasPrefix("</", at: offset) {
        return closing()
      } else {
        return opening()
      }
    }
    return nil
  }

  private mutating func skip(past end: String) -> Bool {
    guard let found = bytes.offset(of: end.utf8, from: offset) else { return false }
    offset = found + end.utf8.count
    return true
  }

  private mutating func text() -> Token? {
    let end = bytes.offset(of: [0x3C], from: offset) ?? bytes.count
    guard let part = bytes.part(offset, end - offset) else { return nil }
    offset = end
    return .text(Self.resolved(part))
  }

  private mutating func characterData() -> Token? {
    let start = offset + 9
    guard let end = bytes.offset(of: "]]>".utf8, from: start), let part = bytes.part(start, end - start) else {
      return nil
    }
    offset = end + 3
    return .text(part.text)
  }

  private mutating func closing() -> Token? {
    offset += 2
    guard let name = name() else { return nil }
    skipBlanks()
    guard bytes.byte(offset) == 0x3E else { return nil }
    offset += 1
    return .close(name: name)
  }

  private mutating func opening() -> Token? {
    offset += 1
    guard let name = name() else { return nil }
    var attributes: [Attribute] = []
    while true {
      skipBlanks()
      switch bytes.byte(offset) {
      case 0x3E:
        offset += 1
        return .open(name: name, attributes: attributes, isEmpty: false)
      case 0x2F:
        guard bytes.byte(offset + 1) == 0x3E else { return nil }
        offset += 2
        return .open(name: name, attributes: attributes, isEmpty: true)
      default:
        guard attributes.count < Limits.xmlProperties, let attribute = attribute() else { return nil }
        attributes.append(attribute)
      }
    }
  }

  private mutating func attribute() -> Attribute? {
    guard let name = name() else { return nil }
    skipBlanks()
    guard bytes.byte(offset) == 0x3D else { return nil }
    offset += 1
    skipBlanks()
    guard let quote = bytes.byte(offset), quote == 0x22 || quote == 0x27,
      let end = bytes.offset(of: [UInt8(truncatingIfNeeded: quote)], from: offset + 1),
      let part = bytes.part(offset + 1, end - offset - 1)
    else { return nil }
    offset = end + 1
    return Attribute(name: name, value: Self.resolved(part))
  }

  private mutating func name() -> String? {
    let start = offset
    while let byte = bytes.byte(offset), Self.isName(byte) { offset += 1 }
    guard offset > start, offset - start <= 256, let part = bytes.part(start, offset - start) else { return nil }
    return part.text
  }

  private mutating func skipBlanks() {
    while let byte = bytes.byte(offset), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
  }

  private static func isName(_ byte: Int) -> Bool {
    switch byte {
    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
    default: false
    }
  }

  static func resolved(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(0x26) else { return bytes.text }
    var result: [UInt8] = []
    var rest = bytes
    while let (head, tail) = rest.split(atFirst: 0x26) {
      result += head
      if let (entity, after) = tail.prefix(12).split(atFirst: 0x3B), let scalar = character(entity) {
        result += Array(String(Character(scalar)).utf8)
        rest = tail.rest(from: entity.count + 1)
        _ = after
      } else {
        result.append(0x26)
        rest = tail
      }
    }
    result += rest
    return result[...].text
  }

  private static func character(_ entity: ArraySlice<UInt8>) -> Unicode.Scalar? {
    switch entity.text {
    case "lt": return "<"
    case "gt": return ">"
    case "amp": return "&"
    case "quot": return "\""
    case "apos": return "'"
    case let name where name.hasPrefix("#x"): return UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
    case let name where name.hasPrefix("#"): return UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init)
    default: return nil
    }
  }
}
