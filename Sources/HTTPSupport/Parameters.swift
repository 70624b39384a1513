import HTTPTypes
import Hummingbird
import NIOCore
import Primitives

/// What a client sent, from the query, a form, a multipart form or a JSON body: clients use all four for the same
/// call. Names are as Mastodon's documentation writes them; `media_ids[]` and `media_ids` are one.
package struct RequestParameters: Sendable {
  package struct File: Sendable {
    package let name: String
    package let mediaType: String
    package let bytes: [UInt8]
  }

  /// In order of appearance.
  private var values: [(name: String, value: String)] = []
  package private(set) var files: [String: File] = [:]
  /// The JSON body, for nested members such as `poll[options]`.
  package private(set) var json: JSON?

  package init() {}

  package subscript(name: String) -> String? { values.last { $0.name == name }?.value }
  package func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }
  /// Those whose name begins so, in order: nested lists such as `fields_attributes[0][name]`.
  package func named(_ prefix: String) -> [(name: String, value: String)] {
    values.filter { $0.name.hasPrefix(prefix) }
  }
  package func contains(_ name: String) -> Bool { values.contains { $0.name == name } }

  /// Mastodon reads these words as false and every other as true.
  package func flag(_ name: String) -> Bool? { self[name].map(RequestParameters.isTrue) }

  package static func isTrue(_ word: String) -> Bool {
    !["false", "f", "0", "off", "no", "", "FALSE", "False"].contains(word)
  }

  /// Nil when absent; 422 when it is no number.
  package func integer(_ name: String) throws -> Int? {
    guard let text = self[name] else { return nil }
    guard text.utf8.count <= 18, let value = Int(text) else { throw Problem.parameter(name) }
    return value
  }

  package func id<Entity>(_ name: String, of: Entity.Type = Entity.self) throws -> ID<Entity>? {
    guard let text = self[name], !text.isEmpty else { return nil }
    guard let id = ID<Entity>(text) else { throw Problem.parameter(name) }
    return id
  }

  package func ids<Entity>(_ name: String, of: Entity.Type = Entity.self) throws -> [ID<Entity>] {
    try all(name).map { text in
      guard let id = ID<Entity>(text) else { throw Problem.parameter(name) }
      return id
    }
  }

  /// The entries of a list of records, from JSON or from a form: `x[][id]`, where a name that comes again begins the
  /// next record, and `x[0][id]`, where the number says which.
  package func records(_ name: String) -> [[String: String]] {
    if let entries = json?[name]?.array {
      return entries.prefix(Limits.formFields).map { entry in
        Dictionary(
          entry.pairs.compactMap { key, value in
            switch value {
            case .string(let text): (key, text)
            case .bool(let flag): (key, flag ? "true" : "false")
            case .integer, .double: (key, value.text)
            default: nil
            }
          }, uniquingKeysWith: { first, _ in first })
      }
    }
    var records: [(index: Substring, fields: [String: String])] = []
    for (key, value) in values where key.hasPrefix(name + "[") {
      let parts = key.dropFirst(name.count).split(separator: "[", omittingEmptySubsequences: false).dropFirst()
        .map { $0.hasSuffix("]") ? $0.dropLast() : $0 }
      guard parts.count == 2, let index = parts.first, let field = parts.last.map(String.init) else { continue }
      if let place = records.lastIndex(where: { $0.index == index }),
        !index.isEmpty || records[place].fields[field] == nil
      {
        records[place].fields[field] = value
      } else {
        records.append((index, [field: value]))
      }
    }
    return records.map(\.fields)
  }

  /// Everything the request carries. `limit` bounds the body in bytes.
  package init(reading request: Request, limit: Int = Limits.formBody) async throws {
    try appendPairs(request.uri.query ?? "")
    let type = request.headers[.contentType] ?? ""
    let kind = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    // Mastodon.py asks for `familiar_followers` with its ids in a body.
    guard request.method != .head, request.method != .get || kind == "application/json" else { return }
    switch kind {
    case "application/json":
      let body = try await request.collected(upTo: limit)
      guard !body.isEmpty else { return }
      do { try append(JSON(parsing: body), named: nil) } catch let failure as JSONFailure {
        throw Problem(.badRequest, failure.code, "The body is not valid JSON.")
      }
    case "multipart/form-data":
      guard let boundary = MultipartForm.boundary(in: type) else { throw Problem.malformedForm }
      let body = try await request.collected(upTo: limit)
      for part in try MultipartForm.parts(of: body, boundary: boundary) { try append(part) }
    default:
      let body = try await request.collected(upTo: limit)
      try appendPairs(String(decoding: body, as: UTF8.self))
    }
  }

  private mutating func add(_ name: String, _ value: String) throws {
    guard values.count < Limits.formFields else {
      throw Problem(.badRequest, "request.too_many_parameters", "The request has too many parameters.")
    }
    values.append((name.hasSuffix("[]") ? String(name.dropLast(2)) : name, value))
  }

  private mutating func appendPairs(_ text: some StringProtocol) throws {
    for pair in text.split(separator: "&" as Character) {
      let parts = pair.split(separator: "=" as Character, maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = percentDecoded(parts[0], plusIsSpace: true),
        let value = percentDecoded(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
      else { throw Problem.malformedForm }
      try add(name, value)
    }
  }

  private mutating func append(_ part: MultipartForm.Part) throws {
    if let fileName = part.fileName {
      let name = part.name.hasSuffix("[]") ? String(part.name.dropLast(2)) : part.name
      files[name] = File(name: fileName, mediaType: part.mediaType, bytes: part.bytes)
    } else {
      guard let text = String(validating: part.bytes, as: UTF8.self) else { throw Problem.malformedForm }
      try add(part.name, text)
    }
  }

  private mutating func append(_ json: JSON, named name: String?) throws {
    switch json {
    case .object:
      if name == nil { self.json = json }
      for (key, value) in json.pairs { try append(value, named: name.map { "\($0)[\(key)]" } ?? key) }
    case .array(let elements): for element in elements { try append(element, named: name) }
    case .null: break
    case .string(let text): try add(name ?? "", text)
    case .bool(let value): try add(name ?? "", value ? "true" : "false")
    case .integer, .double: try add(name ?? "", json.text)
    }
  }
}

extension Problem {
  package static func parameter(_ name: String) -> Problem {
    Problem(.unprocessableContent, "parameter.invalid", "Validation failed: \(name) is invalid")
  }
  package static let malformedForm = Problem(.badRequest, "request.malformed", "The form could not be read.")
}

extension Request {
  /// The whole body, or 413 as soon as it is longer than `limit`, whatever its header says.
  package func collected(upTo limit: Int) async throws -> [UInt8] {
    if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit { throw Problem.tooLarge }
    let buffer = try await body.collect(upTo: limit)
    return Array(buffer.readableBytesView)
  }
}

extension Limits {
  /// A form or JSON body without a file.
  package static let formBody = 1 << 20
  /// A form with a picture: the picture and a little for the fields.
  package static let uploadForm = upload + (64 << 10)
  package static let formFields = 1_000
  package static let multipartParts = 64
}
