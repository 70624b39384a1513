import Primitives

/// Structured Field Values for HTTP (RFC 8941, with the dates and display strings of RFC 9651).
///
/// Parsing is total: bytes in, value or nil out, bounded by `Limits`, nothing repaired. Writing gives the one canonical
/// text, which is what RFC 9421 signs.
package enum StructuredFields {
  package enum BareItem: Hashable, Sendable {
    case integer(Int64)
    /// In thousandths: RFC 9651 allows three digits after the point.
    case decimal(thousandths: Int64)
    case string(String)
    case token(String)
    case bytes([UInt8])
    case boolean(Bool)
    /// Seconds since 1970.
    case date(Int64)
    case displayString(String)
  }

  /// What to do when a key comes twice. RFC 8941 lets the last one win; where that would let two readers of a signature
  /// disagree, the whole field is refused instead.
  package enum Duplicates: Sendable { case lastWins, refused }

  package struct Parameters: Hashable, Sendable {
    package struct Parameter: Hashable, Sendable {
      package let key: String
      package let value: BareItem
      package init(_ key: String, _ value: BareItem) {
        self.key = key
        self.value = value
      }
    }

    package var all: [Parameter]
    package init(_ all: [Parameter] = []) { self.all = all }
    package subscript(key: String) -> BareItem? { all.first { $0.key == key }?.value }

    /// `;key=value` for each, `;key` for true.
    package var text: String {
      all.map { $0.value == .boolean(true) ? ";\($0.key)" : ";\($0.key)=\($0.value.text)" }.joined()
    }
  }

  package struct Item: Hashable, Sendable {
    package var value: BareItem
    package var parameters: Parameters

    package init(_ value: BareItem, _ parameters: Parameters = Parameters()) {
      self.value = value
      self.parameters = parameters
    }

    package init?(parsing text: String, duplicates: Duplicates = .lastWins) {
      var parser = Parser(text, duplicates: duplicates)
      guard let item = parser.whole({ $0.item() }) else { return nil }
      self = item
    }

    package var text: String { value.text + parameters.text }
  }

  package struct InnerList: Hashable, Sendable {
    package var items: [Item]
    package var parameters: Parameters

    package init(_ items: [Item], _ parameters: Parameters = Parameters()) {
      self.items = items
      self.parameters = parameters
    }

    package init?(parsing text: String, duplicates: Duplicates = .lastWins) {
      var parser = Parser(text, duplicates: duplicates)
      guard let list = parser.whole({ $0.innerList() }) else { return nil }
      self = list
    }

    package var text: String { "(\(items.map(\.text).joined(separator: " ")))\(parameters.text)" }
  }

  package enum Member: Hashable, Sendable {
    case item(Item)
    case innerList(InnerList)
  }

  package struct Dictionary: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
      package let key: String
      package let value: Member
      package init(_ key: String, _ value: Member) {
        self.key = key
        self.value = value
      }
    }

    package var members: [Entry]
    package init(_ members: [Entry] = []) { self.members = members }

    package init?(parsing text: String, duplicates: Duplicates = .lastWins) {
      var parser = Parser(text, duplicates: duplicates)
      guard let members = parser.whole({ $0.dictionary() }) else { return nil }
      self.members = members
    }

    package subscript(key: String) -> Member? { members.first { $0.key == key }?.value }

    package var text: String {
      members.map { entry in
        switch entry.value {
        case .innerList(let list): "\(entry.key)=\(list.text)"
        case .item(let item) where item.value == .boolean(true): entry.key + item.parameters.text
        case .item(let item): "\(entry.key)=\(item.text)"
        }
      }
      .joined(separator: ", ")
    }
  }
}

extension StructuredFields.BareItem {
  /// The canonical text of RFC 9651 §4.1.
  package var text: String {
    switch self {
    case .integer(let value): String(value)
    case .decimal(let thousandths): decimalText(thousandths)
    case .string(let value):
      "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    case .token(let value): value
    case .bytes(let value): ":\(Base64.encode(value)):"
    case .boolean(let value): value ? "?1" : "?0"
    case .date(let seconds): "@\(seconds)"
    case .displayString(let value): "%\"\(displayText(value))\""
    }
  }

  private func decimalText(_ thousandths: Int64) -> String {
    let magnitude = thousandths.magnitude
    var fraction = String(magnitude % 1_000)
    while fraction.utf8.count < 3 { fraction = "0" + fraction }
    while fraction.utf8.count > 1, fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(thousandths < 0 ? "-" : "")\(magnitude / 1_000).\(fraction)"
  }

  private func displayText(_ value: String) -> String {
    value.utf8.map { byte in
      let isPlain = (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%") && byte != UInt8(ascii: "\"")
      return isPlain ? String(decoding: [byte], as: UTF8.self) : "%" + Hex.encode([byte])
    }
    .joined()
  }
}
