import Primitives

extension StructuredFields {
  /// The parsing algorithms of RFC 9651 §4.2. Every function answers nil for what the grammar does not allow; where it
  /// has stopped then does not matter, since the whole field fails with it.
  struct Parser {
    private let input: [UInt8]
    private let duplicates: Duplicates
    private var position = 0

    init(_ text: String, duplicates: Duplicates) {
      // A field that is too long is a field that can not be parsed: "\0" is allowed nowhere.
      input = text.utf8.count <= Limits.signatureFieldBytes ? Array(text.utf8) : [0]
      self.duplicates = duplicates
    }

    /// Runs `parse` and accepts its value only when the whole input, but for spaces around it, was used up.
    mutating func whole<Value>(_ parse: (inout Parser) -> Value?) -> Value? {
      skip { $0 == 32 }
      guard let value = parse(&self) else { return nil }
      skip { $0 == 32 }
      return position == input.count ? value : nil
    }

    private var next: UInt8? { position < input.count ? input[position] : nil }

    private mutating func skip(while matches: (UInt8) -> Bool) {
      while let byte = next, matches(byte) { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
      guard let expected = byte.asciiValue, next == expected else { return false }
      position += 1
      return true
    }

    private mutating func takeAll(while matches: (UInt8) -> Bool) -> [UInt8] {
      let start = position
      skip(while: matches)
      return Array(input[start..<position])
    }

    mutating func dictionary() -> [Dictionary.Entry]? {
      var members: [Dictionary.Entry] = []
      while next != nil {
        guard let key = key(), let value = member() else { return nil }
        if let known = members.firstIndex(where: { $0.key == key }) {
          guard duplicates == .lastWins else { return nil }
          members[known] = Dictionary.Entry(key, value)
        } else {
          members.append(Dictionary.Entry(key, value))
        }
        guard members.count <= Limits.structuredFieldMembers else { return nil }
        skip { $0 == 32 || $0 == 9 }
        if next == nil { return members }
        guard take(",") else { return nil }
        skip { $0 == 32 || $0 == 9 }
        // A trailing comma is an error of its own in RFC 9651 §4.2.2.
        guard next != nil else { return nil }
      }
      return members
    }

    private mutating func member() -> Member? {
      guard take("=") else { return parameters().map { .item(Item(.boolean(true), $0)) } }
      if next == UInt8(ascii: "(") { return innerList().map { .innerList($0) } }
      return item().map { .item($0) }
    }

    mutating func innerList() -> InnerList? {
      guard take("(") else { return nil }
      var items: [Item] = []
      while next != nil {
        skip { $0 == 32 }
        if take(")") { return parameters().map { InnerList(items, $0) } }
        guard let item = item() else { return nil }
        items.append(item)
        guard items.count <= Limits.structuredFieldMembers, next == 32 || next == UInt8(ascii: ")") else { return nil }
      }
      return nil
    }

    mutating func item() -> Item? {
      guard let value = bareItem(), let parameters = parameters() else { return nil }
      return Item(value, parameters)
    }

    private mutating func parameters() -> Parameters? {
      var all: [Parameters.Parameter] = []
      while take(";") {
        skip { $0 == 32 }
        guard let key = key() else { return nil }
        var value = BareItem.boolean(true)
        if take("=") {
          guard let bare = bareItem() else { return nil }
          value = bare
        }
        if let known = all.firstIndex(where: { $0.key == key }) {
          guard duplicates == .lastWins else { return nil }
          all[known] = Parameters.Parameter(key, value)
        } else {
          all.append(Parameters.Parameter(key, value))
        }
        guard all.count <= Limits.structuredFieldParameters else { return nil }
      }
      return Parameters(all)
    }

    private mutating func key() -> String? {
      guard let first = next, isLower(first) || first == UInt8(ascii: "*") else { return nil }
      let bytes = takeAll {
        isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
          || $0 == UInt8(ascii: "*")
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func bareItem() -> BareItem? {
      guard let first = next else { return nil }
      switch first {
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
      case UInt8(ascii: "\""): return quoted().map { .string($0) }
      case UInt8(ascii: ":"): return byteSequence()
      case UInt8(ascii: "?"): return boolean()
      case UInt8(ascii: "@"):
        position += 1
        guard case .integer(let seconds)? = number() else { return nil }
        return .date(seconds)
      case UInt8(ascii: "%"):
        position += 1
        return displayString()
      default:
        guard isLetter(first) || first == UInt8(ascii: "*") else { return nil }
        return .token(String(decoding: takeAll(while: isTokenByte), as: UTF8.self))
      }
    }

    /// At most 15 digits, or 12 before and 3 after a point: neither can overflow an Int64 of thousandths.
    private mutating func number() -> BareItem? {
      let isNegative = take("-")
      let whole = takeAll(while: isDigit)
      guard !whole.isEmpty, whole.count <= 15 else { return nil }
      guard take(".") else { return .integer(value(of: whole, isNegative: isNegative)) }
      var fraction = takeAll(while: isDigit)
      guard whole.count <= 12, (1...3).contains(fraction.count) else { return nil }
      while fraction.count < 3 { fraction.append(UInt8(ascii: "0")) }
      return .decimal(thousandths: value(of: whole + fraction, isNegative: isNegative))
    }

    private func value(of digits: [UInt8], isNegative: Bool) -> Int64 {
      let magnitude = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
      return isNegative ? -magnitude : magnitude
    }

    private mutating func quoted() -> String? {
      guard take("\"") else { return nil }
      var bytes: [UInt8] = []
      while let byte = next {
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
        case UInt8(ascii: "\\"):
          guard let escaped = next, escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") else { return nil }
          position += 1
          bytes.append(escaped)
        case 0x20...0x7e: bytes.append(byte)
        default: return nil
        }
      }
      return nil
    }

    private mutating func byteSequence() -> BareItem? {
      guard take(":") else { return nil }
      let text = takeAll { $0 != UInt8(ascii: ":") }
      // Canonical base64 only: RFC 9651 §4.2.7 lets parsers be lenient about padding, and lenience is a second spelling.
      guard take(":"), let bytes = Base64.decode(String(decoding: text, as: UTF8.self)) else { return nil }
      return .bytes(bytes)
    }

    private mutating func boolean() -> BareItem? {
      guard take("?") else { return nil }
      if take("1") { return .boolean(true) }
      return take("0") ? .boolean(false) : nil
    }

    private mutating func displayString() -> BareItem? {
      guard take("\"") else { return nil }
      var bytes: [UInt8] = []
      while let byte = next {
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self).map { .displayString($0) }
        case UInt8(ascii: "%"):
          let digits = Array(input[position...].prefix(2))
          guard digits.allSatisfy({ isDigit($0) || (97...102).contains($0) }),
            let decoded = Hex.decode(String(decoding: digits, as: UTF8.self)), decoded.count == 1
          else { return nil }
          position += 2
          bytes += decoded
        case 0x20...0x7e: bytes.append(byte)
        default: return nil
        }
      }
      return nil
    }
  }
}

func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
func isLetter(_ byte: UInt8) -> Bool { isLower(byte) || (65...90).contains(byte) }

/// tchar of RFC 9110 §5.6.2.
func isTchar(_ byte: UInt8) -> Bool {
  isLetter(byte) || isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
}

private func isTokenByte(_ byte: UInt8) -> Bool {
  isTchar(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
}
