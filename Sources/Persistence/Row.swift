import Primitives

/// One row of an answer. Columns are read by name; a wrong name, a null or a wrong type throws and never traps.
package struct Row: Sendable {
  let columns: ColumnNames
  let values: [SQLValue]

  /// The stored value, `.null` included.
  package func value(_ column: String) throws(ColumnError) -> SQLValue {
    guard let index = columns.indexes[column], values.indices.contains(index) else {
      throw ColumnError(column: column, expected: "a column of that name")
    }
    return values[index]
  }

  package func isNull(_ column: String) throws(ColumnError) -> Bool { try value(column) == .null }

  package func optionalInt64(_ column: String) throws(ColumnError) -> Int64? {
    switch try value(column) {
    case .null: nil
    case .integer(let integer): integer
    default: throw ColumnError(column: column, expected: "an integer")
    }
  }

  package func optionalDouble(_ column: String) throws(ColumnError) -> Double? {
    switch try value(column) {
    case .null: nil
    case .real(let double): double
    // SQLite may store 1.0 as 1.
    case .integer(let integer): Double(integer)
    default: throw ColumnError(column: column, expected: "a number")
    }
  }

  package func optionalString(_ column: String) throws(ColumnError) -> String? {
    switch try value(column) {
    case .null: nil
    case .text(let text): text
    default: throw ColumnError(column: column, expected: "text")
    }
  }

  package func optionalBool(_ column: String) throws(ColumnError) -> Bool? {
    switch try value(column) {
    case .null: nil
    case .boolean(let boolean): boolean
    case .integer(0): false
    case .integer(1): true
    default: throw ColumnError(column: column, expected: "a boolean")
    }
  }

  package func optionalBytes(_ column: String) throws(ColumnError) -> [UInt8]? {
    switch try value(column) {
    case .null: nil
    case .blob(let bytes): bytes
    default: throw ColumnError(column: column, expected: "bytes")
    }
  }

  package func optionalInt(_ column: String) throws(ColumnError) -> Int? { try optionalInt64(column).map { Int($0) } }

  package func optionalTimestamp(_ column: String) throws(ColumnError) -> Timestamp? {
    try optionalInt64(column).map { Timestamp(milliseconds: $0) }
  }

  package func optionalID<Entity>(_ column: String) throws(ColumnError) -> ID<Entity>? {
    try optionalInt64(column).map { ID(rawValue: $0) }
  }

  package func optionalIRI(_ column: String) throws(ColumnError) -> IRI? {
    guard let text = try optionalString(column) else { return nil }
    guard let iri = IRI(text) else { throw ColumnError(column: column, expected: "an IRI") }
    return iri
  }

  package func optionalHost(_ column: String) throws(ColumnError) -> Host? {
    guard let text = try optionalString(column) else { return nil }
    guard let host = Host(text) else { throw ColumnError(column: column, expected: "a host") }
    return host
  }

  /// An enumeration stored as text.
  package func optionalCase<Value: RawRepresentable>(
    _ column: String, as: Value.Type = Value.self
  ) throws(ColumnError) -> Value? where Value.RawValue == String {
    guard let text = try optionalString(column) else { return nil }
    guard let value = Value(rawValue: text) else { throw ColumnError(column: column, expected: "a \(Value.self)") }
    return value
  }
}

extension Row {
  package func int64(_ column: String) throws(ColumnError) -> Int64 { try present(column, optionalInt64(column)) }
  package func int(_ column: String) throws(ColumnError) -> Int { try present(column, optionalInt(column)) }
  package func double(_ column: String) throws(ColumnError) -> Double { try present(column, optionalDouble(column)) }
  package func string(_ column: String) throws(ColumnError) -> String { try present(column, optionalString(column)) }
  package func bool(_ column: String) throws(ColumnError) -> Bool { try present(column, optionalBool(column)) }
  package func bytes(_ column: String) throws(ColumnError) -> [UInt8] { try present(column, optionalBytes(column)) }
  package func iri(_ column: String) throws(ColumnError) -> IRI { try present(column, optionalIRI(column)) }
  package func host(_ column: String) throws(ColumnError) -> Host { try present(column, optionalHost(column)) }

  package func timestamp(_ column: String) throws(ColumnError) -> Timestamp {
    try present(column, optionalTimestamp(column))
  }

  package func id<Entity>(_ column: String) throws(ColumnError) -> ID<Entity> {
    try present(column, optionalID(column))
  }

  /// An enumeration stored as text.
  package func enumCase<Value: RawRepresentable>(
    _ column: String, as: Value.Type = Value.self
  ) throws(ColumnError) -> Value where Value.RawValue == String {
    try present(column, optionalCase(column))
  }

  private func present<Value>(_ column: String, _ value: Value?) throws(ColumnError) -> Value {
    guard let value else { throw ColumnError(column: column, expected: "a value, not null") }
    return value
  }
}

/// A column that is absent, null or of another type than the reader expected: query and reader disagree.
package struct ColumnError: Error, Hashable, Sendable, CustomStringConvertible {
  package let column: String
  package let expected: String

  package init(column: String, expected: String) {
    self.column = column
    self.expected = expected
  }

  package var description: String { "column \(column): expected \(expected)" }
}

/// The names of one answer, shared by its rows. Of two columns with one name the first is meant.
final class ColumnNames: Sendable {
  let names: [String]
  let indexes: [String: Int]

  init(_ names: [String]) {
    self.names = names
    indexes = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
