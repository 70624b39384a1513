import Foundation
import Primitives
import Signatures
import TestSupport
import Testing

/// One case of bad input: a file in `Cases`, named by its number in the catalogue of threats.
///
/// A file holds a title, the kind of thing that is attacked, and attempts, run in order on one server that knows
/// `bob@victim.test`. What an attempt may say is in `Cases/README.md`.
struct AbuseCase: Sendable, CustomTestStringConvertible {
  enum Shape: String, Sendable, CaseIterable { case inbox, fetch, dial, picture, wire, test, door }

  let id: String
  let title: String
  let shape: Shape
  let attempts: [JSON]
  /// Who has followed alice before the first attempt, so that their account and key are known.
  let known: [String]
  let settings: [String: String]
  /// Names of tests that show it, where a request alone can not.
  let shownBy: [String]

  var testDescription: String { "\(id) \(title)" }

  /// `ATELIER_CASES=D,H170` runs those alone.
  static func all(_ shape: Shape) -> [AbuseCase] {
    let wanted = ProcessInfo.processInfo.environment["ATELIER_CASES"]?.split(separator: ",")
    return all.filter { abuse in
      abuse.shape == shape && (wanted.map { $0.contains { abuse.id.hasPrefix($0) } } ?? true)
    }
  }

  static let all: [AbuseCase] = {
    guard let folder = Bundle.module.resourceURL?.appendingPathComponent("Cases") else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        .filter { $0.hasSuffix(".json") && $0 != "waiting.json" }
        .map { try AbuseCase(reading: folder.appendingPathComponent($0)) }
    } catch {
      Issue.record("a case can not be read: \(error)")
      return []
    }
  }()

  /// Numbers of cases whose route does not exist yet, with what they wait for.
  static let waiting: [String: String] = {
    guard let file = Bundle.module.resourceURL?.appendingPathComponent("Cases/waiting.json"),
      let data = FileManager.default.contents(atPath: file.path), let json = try? JSON(parsing: Array(data))
    else { return [:] }
    return Dictionary(uniqueKeysWithValues: json.pairs.map { ($0.key, $0.value.string ?? "") })
  }()

  struct Malformed: Error { let what: String }

  private init(reading file: URL) throws {
    let json: JSON
    do { json = try JSON(parsing: Array(Data(contentsOf: file)), depth: 64) } catch {
      throw Malformed(what: "\(file.lastPathComponent): \(error)")
    }
    guard let id = json["id"]?.string, id == file.deletingPathExtension().lastPathComponent,
      let title = json["title"]?.string, let shape = json["shape"]?.string.flatMap({ Shape(rawValue: $0) })
    else { throw Malformed(what: file.lastPathComponent) }
    let attempts = json["attempts"]?.array ?? []
    shownBy = json["shown_by"]?.array?.compactMap(\.string) ?? []
    guard shape == .test ? !shownBy.isEmpty : !attempts.isEmpty else { throw Malformed(what: file.lastPathComponent) }
    self.id = id
    self.title = title
    self.shape = shape
    self.attempts = attempts.flatMap(AbuseCase.spread)
    settings = Dictionary(
      uniqueKeysWithValues: (json["settings"]?.pairs ?? []).map { ($0.key, $0.value.string ?? "") })
    known = json["known"]?.array?.compactMap(\.string) ?? ["bob"]
  }
}

extension AbuseCase {
  /// `each` makes an attempt of every value in every property.
  private static func spread(_ attempt: JSON) -> [JSON] {
    guard let each = attempt["each"] else { return [attempt] }
    var made: [JSON] = []
    for property in each["properties"]?.array?.compactMap(\.string) ?? [] {
      for (name, value) in each["values"]?.pairs ?? [] {
        var one = attempt
        one["each"] = nil
        one["name"] = .string("\(property) as \(name), \(attempt["name"]?.string ?? "")")
        one["number"] = .integer((attempt["number"]?.integer ?? 0) + Int64(made.count))
        one["with"] = each["in"]?.string == "object" ? ["object": [property: value]] : [property: value]
        made.append(one)
      }
    }
    return made
  }
}

/// Fills in what a file can not or should not hold: keys, repetition, nesting.
enum Template {
  /// `{"$times": 3, "of": "x"}` is a text or an array of that many, `{"$members": 3, "of": "x"}` an object of
  /// `x0`, `x1`, `x2`; `{n}` in it counts. `{"$actor": "bob"}` is that
  /// actor's document; `with` beside it changes it (RFC 7396).
  static func fill(_ json: JSON) -> JSON {
    if let count = json["$times"]?.integer, let part = json["of"] {
      if let text = part.string, json["as"]?.string != "array" {
        return .string(String(repeating: text, count: Int(count)))
      }
      return .array((0..<Int(count)).map { fill(numbered(part, Int($0))) })
    }
    if let count = json["$members"]?.integer, let value = json["of"] {
      return JSON(pairs: (0..<Int(count)).map { ("x\($0)", numbered(value, Int($0))) })
    }
    if let name = json["$actor"]?.string, let actor = RemoteActor.named(name) {
      return patched(actor.document, with: fill(json["with"] ?? [:]))
    }
    if let value = json["$pem"]?.string, let actor = RemoteActor.named(value) {
      return .string(actor.rsa.publicKey.pem)
    }
    if let array = json.array { return .array(array.map(fill)) }
    if json.object != nil { return JSON(pairs: json.pairs.map { ($0.key, fill($0.value)) }) }
    return json
  }

  private static func numbered(_ json: JSON, _ number: Int) -> JSON {
    if let text = json.string { return .string(text.replacingOccurrences(of: "{n}", with: String(number))) }
    if let array = json.array { return .array(array.map { numbered($0, number) }) }
    if json.object != nil {
      return JSON(
        pairs: json.pairs.map {
          ($0.key.replacingOccurrences(of: "{n}", with: String(number)), numbered($0.value, number))
        })
    }
    return json
  }

  /// RFC 7396: null takes away.
  static func patched(_ json: JSON, with patch: JSON) -> JSON {
    guard patch.object != nil else { return patch }
    var result: JSON = json.object == nil ? [:] : json
    for (key, value) in patch.pairs {
      // `{"$null": true}` is a null that stays.
      if value["$null"] != nil {
        result[key] = .null
      } else if value == .null {
        result[key] = nil
      } else {
        result[key] = patched(result[key] ?? .null, with: value)
      }
    }
    return result
  }

  /// A body in pieces: texts, `{"$times": n, "of": text}`, `{"hex": "00ff"}`.
  static func bytes(_ json: JSON) -> [UInt8] {
    if let text = json.string { return Array(text.utf8) }
    if let hex = json["hex"]?.string { return Hex.decode(hex) ?? [] }
    if json["$times"] != nil { return bytes(fill(json)) }
    if let pieces = json.array { return pieces.flatMap(bytes) }
    return fill(json).bytes
  }

  static let alice = "https://paper.test/users/alice"

  /// What an honest peer would send.
  static func activity(_ name: String, by actor: RemoteActor, number: Int) -> JSON {
    let context: JSON = "https://www.w3.org/ns/activitystreams"
    let everybody: JSON = "https://www.w3.org/ns/activitystreams#Public"
    let base: JSON = [
      "@context": context, "id": .string("https://\(actor.host)/activities/\(number)"), "type": "Follow",
      "actor": .string(actor.id),
    ]
    switch name {
    case "note", "update":
      return patched(
        base,
        with: [
          "type": name == "note" ? "Create" : "Update", "to": [everybody, .string(alice)],
          "object": [
            "id": .string("https://\(actor.host)/notes/\(number)"), "type": "Note",
            "attributedTo": .string(actor.id), "content": "<p>Hello</p>", "published": "2026-11-03T17:00:00Z",
            "to": [everybody, .string(alice)],
          ],
        ])
    default: return patched(base, with: ["object": .string(alice)])
    }
  }
}
