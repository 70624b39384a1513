import OrderedCollections

/// A JSON value as received: member order kept, numbers as integers where they are.
///
/// The one representation in the product. Foundation decides depth, duplicate keys and order silently, and those
/// are security properties here: a duplicate key makes two readers see two documents.
package indirect enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case array([JSON])
  case object(OrderedDictionary<String, JSON>)
}

package enum JSONFailure: Error, Hashable, Sendable {
  case syntax(offset: Int)
  case encoding(offset: Int)
  case depth
  case duplicateKey(String)
  case tooLarge

  /// Stable, for answers and logs.
  package var code: String {
    switch self {
    case .syntax: "json.syntax"
    case .encoding: "json.utf8"
    case .depth: "json.depth"
    case .duplicateKey: "json.duplicate_key"
    case .tooLarge: "json.too_large"
    }
  }
}

extension JSON {
  package subscript(key: String) -> JSON? {
    get { object?[key] }
    set {
      guard case .object(var members) = self else { return }
      members[key] = newValue
      self = .object(members)
    }
  }

  package var string: String? {
    if case .string(let value) = self { return value }
    return nil
  }
  package var bool: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }
  package var integer: Int64? {
    if case .integer(let value) = self { return value }
    return nil
  }
  /// Any number.
  package var double: Double? {
    switch self {
    case .double(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }
  package var array: [JSON]? {
    if case .array(let values) = self { return values }
    return nil
  }
  package var object: OrderedDictionary<String, JSON>? {
    if case .object(let members) = self { return members }
    return nil
  }
  package var isNull: Bool { self == .null }

  /// The members of an object in order; empty for anything else.
  package var pairs: [(key: String, value: JSON)] { object.map { $0.elements.map { ($0.key, $0.value) } } ?? [] }

  /// An object of `pairs` in order; of two with one key the last counts.
  package init(pairs: [(key: String, value: JSON)]) {
    self = .object(OrderedDictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last }))
  }

  /// An object of the members that have a value, in order: JSON-LD drops null, so it is never written.
  package static func members(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    var object = OrderedDictionary<String, JSON>()
    for (key, value) in members { if let value { object[key] = value } }
    return .object(object)
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(nilLiteral: ()) { self = .null }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(OrderedDictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
