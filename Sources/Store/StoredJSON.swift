import Foundation
import Persistence

/// Values of our own kept as JSON text in one column, never queried by their parts.
enum StoredJSON {
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func text(ifPresent value: (some Encodable)?) throws -> String? { try value.map { try text($0) } }

  static func value<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

extension Row {
  func json<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
    try StoredJSON.value(type, from: try string(column))
  }

  func optionalJSON<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
    try optionalString(column).map { try StoredJSON.value(type, from: $0) }
  }
}
