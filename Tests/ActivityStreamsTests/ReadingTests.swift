import ActivityStreams
import Primitives
import Testing

/// SplitMix64: the same documents on every run.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

private let keys = [
  "id", "type", "actor", "object", "target", "to", "cc", "attributedTo", "content", "contentMap", "summary", "name",
  "attachment",
  "tag", "url", "href", "icon", "image", "publicKey", "assertionMethod", "endpoints", "sharedInbox", "published",
  "oneOf", "replies",
  "totalItems", "votersCount", "focalPoint", "width", "blurhash", "items", "orderedItems", "first", "implements",
  "generator",
  "usagePolicy", "sensitive", "inbox", "mediaType", "owner", "publicKeyPem", "alsoKnownAs", "attributionDomains",
  "webfinger",
]
private let words = [
  "Create", "Note", "Person", "Image", "Mention", "Hashtag", "Emoji", "Follow", "Undo", "PropertyValue",
  "OrderedCollection", "Flag",
  "https://a.example/1", "https://a.example/2", "as:Public", "", "en", "2026-13-45", "x\u{0}y", "true", "#a", ":b:",
  "Multikey",
]

private func random(_ depth: Int, _ chance: inout SeededGenerator) -> JSON {
  switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &chance) {
  case 0: return .null
  case 1: return .bool(.random(using: &chance))
  case 2: return .integer([0, -1, 1, .max, .min].randomElement(using: &chance) ?? 0)
  case 3: return .double([1e300, -1e300, 0.5, 1e19, -0.0, 9.3e18].randomElement(using: &chance) ?? 0)
  case 4, 5: return .string(words.randomElement(using: &chance) ?? "")
  case 6: return .array((0..<Int.random(in: 0...3, using: &chance)).map { _ in random(depth - 1, &chance) })
  default: return object(depth - 1, &chance)
  }
}

private func object(_ depth: Int, _ chance: inout SeededGenerator) -> JSON {
  var json: JSON = [:]
  for _ in 0..<Int.random(in: 0...12, using: &chance) {
    json[keys.randomElement(using: &chance) ?? ""] = random(depth, &chance)
  }
  return json
}

@Suite struct ReadingTests {
  private func failure(_ text: String) -> VocabularyError? {
    do {
      let node = try Document(parsing: Array(text.utf8)).node
      _ = try Activity(reading: node)
      return nil
    } catch { return error }
  }

  @Test(arguments: 0..<8)
  func `arbitrary JSON is read or refused`(seed: Int) throws {
    var chance = SeededGenerator(state: UInt64(seed))
    var readable = 0
    for _ in 0..<400 {
      var json = object(4, &chance)
      // Half of them get past the required members.
      if Bool.random(using: &chance) {
        json["id"] = "https://a.example/1"
        json["actor"] = "https://a.example/2"
        json["attributedTo"] = "https://a.example/2"
        json["type"] = .string(
          ["Create", "Note", "Person", "Flag", "OrderedCollectionPage", "Undo", "Accept"].randomElement(using: &chance)
            ?? "")
      }
      // As it arrives: a double without a fraction is read as an integer.
      guard let node = Node(try JSON(parsing: json.bytes)) else { continue }
      do { if try Document(Activity(reading: node).document ?? json).node == node { readable += 1 } } catch {}
      do {
        let note = try Note(reading: node)
        var clean = note
        clean.omissions = 0
        #expect(try Note(reading: Document(parsing: note.json.bytes).node) == clean)
        readable += 1
      } catch { #expect(!error.code.isEmpty) }
      do {
        let actor = try Actor(reading: node)
        var clean = actor
        clean.omissions = 0
        clean.publicKeys = Array(actor.publicKeys.prefix(1))
        #expect(try Actor(reading: Document(parsing: actor.json.bytes).node) == clean)
        readable += 1
      } catch { #expect(!error.code.isEmpty) }
      do { if try ObjectCollection(reading: node).kind == .orderedPage { readable += 1 } } catch {}
    }
    #expect(readable > 20)
  }

  @Test(arguments: ["to", "cc", "tag", "attachment", "inReplyTo", "name", "content", "replies"])
  func `a list of one is its element`(key: String) throws {
    let element: JSON =
      switch key {
      case "tag": ["type": "Hashtag", "name": "#a"]
      case "attachment": ["type": "Image", "url": "https://a.example/i.png"]
      default: "https://a.example/9"
      }
    var one: JSON = ["id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/2"]
    var many = one
    one[key] = element
    many[key] = [element]
    many["type"] = ["Note"]
    many["attributedTo"] = ["https://a.example/2"]
    #expect(try Note(reading: #require(Node(one))) == Note(reading: #require(Node(many))))
  }

  @Test(arguments: ["https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"])
  func `every form of the public collection is one value`(form: String) throws {
    let json: JSON = [
      "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/2", "to": .string(form),
    ]
    #expect(try Note(reading: #require(Node(json))).addressing.audience(followers: nil) == .public)
  }

  private static let head =
    "\"id\":\"https://a.example/1\",\"type\":\"Follow\",\"actor\":\"https://a.example/2\",\"object\":\"https://b.example/3\""

  @Test func `a plain Follow is accepted`() { #expect(failure("{\(ReadingTests.head)}") == nil) }

  @Test(arguments: [
    (",\"@graph\":[]", VocabularyError.unsupportedStructure), (",\"@included\":[]", .unsupportedStructure),
    (",\"@reverse\":{}", .unsupportedStructure), (",\"x\":[{\"@reverse\":{}}]", .unsupportedStructure),
    (",\"https://www.w3.org/ns/activitystreams#actor\":\"https://e.example/\"", .unsupportedStructure),
    (",\"@id\":\"https://e.example/\"", .conflictingAlias), (",\"@type\":\"Delete\"", .conflictingAlias),
    (",\"@context\":{\"actor\":\"as:object\",\"object\":\"as:actor\"}", .redefinedTerm("actor")),
    (",\"@context\":[{\"as\":\"https://e.example/\"}]", .redefinedTerm("as")),
    (",\"@context\":{\"id\":\"https://e.example/\"}", .redefinedTerm("id")),
    (",\"object\":\"https://e.example/\"", .json(.duplicateKey("object"))),
  ])
  func `two views of one document are refused`(extra: String, expected: VocabularyError) {
    #expect(failure("{\(ReadingTests.head)\(extra)}") == expected)
  }

  @Test func `a thousand contexts are refused`() {
    let contexts = Array(repeating: "\"https://a.example/c\"", count: 1_000).joined(separator: ",")
    #expect(failure("{\(ReadingTests.head),\"@context\":[\(contexts)]}") == .unsupportedStructure)
  }

  @Test(arguments: [
    ("42", VocabularyError.invalid(.type)), ("[\"Create\",\"Delete\"]", .ambiguousType), ("null", .missing(.type)),
    ("\"\(String(repeating: "x", count: 100_000))\"", .invalid(.type)),
  ])
  func `a type that is none is refused`(type: String, expected: VocabularyError) {
    #expect(failure("{\"id\":\"https://a.example/1\",\"actor\":\"https://a.example/2\",\"type\":\(type)}") == expected)
  }

  @Test func `an unknown type asks for nothing`() throws {
    let json: JSON = ["type": "Foo"]
    #expect(try Activity(reading: #require(Node(json))) == .unrecognized(type: "Foo"))
  }

  @Test func `required members are named when they are missing`() {
    #expect(failure("{\"type\":\"Follow\"}") == .missing(.id))
    #expect(failure("{\"type\":\"Follow\",\"id\":\"https://a.example/1\"}") == .missing(.actor))
    #expect(failure("{\"type\":\"Follow\",\"id\":\"x:y\"}") == .invalid(.id))
    #expect(
      failure(
        "{\"type\":\"Follow\",\"id\":\"https://a.example/1\",\"actor\":[\"https://a.example/1\",\"https://a.example/2\"]}"
      ) == .invalid(.actor))
    #expect(failure("[]") == .notAnObject)
  }

  @Test func `excess is cut and counted`() throws {
    var json: JSON = ["id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/2"]
    json["content"] = .string(String(repeating: "é", count: 400_000))
    json["tag"] = .array(Array(repeating: ["type": "Hashtag", "name": "#a"], count: 10_000))
    json["attachment"] = .array(Array(repeating: ["type": "Image", "url": "https://a.example/i.png"], count: 1_000))
    json["votersCount"] = .double(1e30)
    json["oneOf"] = .array(
      Array(repeating: ["name": "a", "replies": ["totalItems": -5]], count: 1_000))
    var languages: JSON = [:]
    for first in "abcdefghij" { for second in "abcdefghij" { languages["\(first)\(second)"] = "x" } }
    languages["<script>"] = "x"
    json["contentMap"] = languages
    let note = try Note(reading: #require(Node(json)))
    #expect(note.content?.value.utf8.count == Limits.receivedContentBytes)
    #expect(note.content?.translations.count == Limits.receivedLanguages)
    #expect(note.tags.count == Limits.receivedTags && note.attachments.count == Limits.receivedAttachments)
    #expect(note.omissions == 10_000 - Limits.receivedTags + 1_000 - Limits.receivedAttachments)
    #expect(note.poll?.options.count == Limits.receivedPollOptions && note.poll?.options.first?.votes == 0)
    #expect(note.poll?.voters == 1 << 53)
  }

  @Test(arguments: ["data:image/png,x", "javascript:x", "http://a.example/x.png", "magnet:?x"])
  func `an emoji's picture is fetched over https or not at all`(url: String) throws {
    let json: JSON = ["type": "Emoji", "name": ":a:", "icon": ["url": .string(url)]]
    #expect(ActivityStreams.Tag(reading: try #require(Node(json))) == nil)
  }

  @Test func `dates that are none are absent`() throws {
    for date in ["2026-13-45", "0000", "292277026596-01-01T00:00:00Z", "2026-01-01T00:00:00+25:00"] {
      let json: JSON = [
        "id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/2", "published": .string(date),
      ]
      #expect(try Note(reading: #require(Node(json))).published == nil)
    }
  }
}
