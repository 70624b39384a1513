// `Database`, `SQL`, `Row` and the SQLite driver. Holds no query of the product.
import Primitives

/// One bound value. A driver turns it into its own type; SQLite stores a boolean as 0 or 1.
package enum SQLValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

/// What may stand in `\(...)` of a statement.
package protocol SQLConvertible: Sendable {
  /// The column type of the dialect that holds it: `BIGINT`, `TEXT`, `BOOLEAN`, `DOUBLE PRECISION` or `BLOB`.
  static var sqlType: String { get }
  var sqlValue: SQLValue { get }
}

/// A statement: literal text and bound values. There is no way to make one from a string known only at run time.
///
///     "SELECT \(fragment: columns) FROM posts WHERE author_id IN \(in: authors) ORDER BY id DESC LIMIT \(limit)"
///
/// Values become `$1, $2, ...` in order of appearance, which both SQLite (first appearance) and PostgreSQL (number)
/// bind alike. An array is never a value: `\(in:)` writes a parenthesised list.
package struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
  /// Literal text around the values: always one more than there are values.
  private var pieces: [String]
  package private(set) var values: [SQLValue]

  /// Takes a `StaticString`: text that came from outside cannot become SQL.
  package init(stringLiteral value: StaticString) {
    pieces = [value.description]
    values = []
  }

  package init(stringInterpolation: Interpolation) { self = stringInterpolation.sql }

  private init(pieces: [String], values: [SQLValue]) {
    self.pieces = pieces
    self.values = values
  }

  /// The text a driver prepares, with numbered placeholders.
  package var text: String {
    var text = ""
    for (index, piece) in pieces.enumerated() {
      if index > 0 { text += "$\(index)" }
      text += piece
    }
    return text
  }

  /// `left` followed by `right`, renumbered.
  package static func + (left: SQL, right: SQL) -> SQL {
    var sql = left
    sql.append(right)
    return sql
  }

  private mutating func append(_ literal: String) {
    let last = pieces.popLast() ?? ""
    pieces.append(last + literal)
  }

  private mutating func append(_ value: SQLValue) {
    values.append(value)
    pieces.append("")
  }

  private mutating func append(_ fragment: SQL) {
    append(fragment.pieces.first ?? "")
    pieces += fragment.pieces.dropFirst()
    values += fragment.values
  }

  package struct Interpolation: StringInterpolationProtocol {
    fileprivate var sql = SQL(pieces: [""], values: [])

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: StaticString) { sql.append(literal.description) }

    package mutating func appendInterpolation(_ value: some SQLConvertible) { sql.append(value.sqlValue) }

    package mutating func appendInterpolation(_ value: (some SQLConvertible)?) {
      sql.append(value?.sqlValue ?? .null)
    }

    /// A parenthesised list for `IN` and `NOT IN`.
    ///
    /// Lists are filled up to a power of two with their last value, so that a driver's statement cache meets few
    /// texts. An empty list is an empty subquery: `(NULL)` would make `NOT IN` lose every row.
    package mutating func appendInterpolation<Values: Collection>(in values: Values)
    where Values.Element: SQLConvertible {
      guard var last = values.first?.sqlValue else {
        sql.append("(SELECT CAST(NULL AS \(Values.Element.sqlType)) WHERE FALSE)")
        return
      }
      var padded = 1
      while padded < values.count { padded *= 2 }
      sql.append("(")
      for (index, value) in values.enumerated() {
        if index > 0 { sql.append(", ") }
        last = value.sqlValue
        sql.append(last)
      }
      for _ in values.count..<padded {
        sql.append(", ")
        sql.append(last)
      }
      sql.append(")")
    }

    /// A piece of SQL written elsewhere, its placeholders renumbered.
    package mutating func appendInterpolation(fragment: SQL) { sql.append(fragment) }
  }
}

extension Int64: SQLConvertible {
  package static var sqlType: String { "BIGINT" }
  package var sqlValue: SQLValue { .integer(self) }
}

extension Int: SQLConvertible {
  package static var sqlType: String { "BIGINT" }
  package var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension String: SQLConvertible {
  package static var sqlType: String { "TEXT" }
  package var sqlValue: SQLValue { .text(self) }
}

extension Bool: SQLConvertible {
  package static var sqlType: String { "BOOLEAN" }
  package var sqlValue: SQLValue { .boolean(self) }
}

extension Double: SQLConvertible {
  package static var sqlType: String { "DOUBLE PRECISION" }
  package var sqlValue: SQLValue { .real(self) }
}

extension [UInt8]: SQLConvertible {
  package static var sqlType: String { "BLOB" }
  package var sqlValue: SQLValue { .blob(self) }
}

extension Timestamp: SQLConvertible {
  package static var sqlType: String { "BIGINT" }
  package var sqlValue: SQLValue { .integer(milliseconds) }
}

extension ID: SQLConvertible {}

extension IRI: SQLConvertible {
  package static var sqlType: String { "TEXT" }
  package var sqlValue: SQLValue { .text(text) }
}

extension Host: SQLConvertible {
  package static var sqlType: String { "TEXT" }
  package var sqlValue: SQLValue { .text(text) }
}

/// What an enumeration with raw values needs to be stored: `extension Visibility: SQLConvertible {}`.
extension SQLConvertible where Self: RawRepresentable, RawValue: SQLConvertible {
  package static var sqlType: String { RawValue.sqlType }
  package var sqlValue: SQLValue { rawValue.sqlValue }
}
