import Primitives

/// Structured data out of a picture's metadata, whether it came as CBOR or as JSON.
package indirect enum DataTree: Hashable, Sendable {
  case null
  case bool(Bool)
  /// The number as written.
  case number(String)
  case text(String)
  case bytes([UInt8])
  case array([DataTree])
  case map([String: DataTree])

  package subscript(key: String) -> DataTree? {
    if case .map(let entries) = self { entries[key] } else { nil }
  }
  package var text: String? {
    if case .text(let text) = self { text } else { nil }
  }
  package var array: [DataTree]? {
    if case .array(let items) = self { items } else { nil }
  }
  package var map: [String: DataTree]? {
    if case .map(let entries) = self { entries } else { nil }
  }
  /// A number, or text that is one: InvokeAI 2 and Fooocus quote theirs.
  package var digits: String? {
    switch self {
    case .number(let digits): digits
    case .text(let text) where Int64(text) != nil || Double(text) != nil: text
    case .null, .bool, .text, .bytes, .array, .map: nil
    }
  }
}

extension Limits {
  static let dataTreeDepth = 48
  /// Values in one structure: a ComfyUI graph of a thousand nodes stays below.
  static let dataTreeValues = 200_000
  static let jumbfDepth = 10
  static let jumbfBoxes = 4_096
}
