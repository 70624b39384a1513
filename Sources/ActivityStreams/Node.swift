import Primitives

/// An object of a document, read with tolerance: absent, one, many, string or object are one code path.
package struct Node: Hashable, Sendable {
  package let json: JSON

  package init?(_ json: JSON) {
    guard case .object = json else { return nil }
    self.json = json
  }

  /// The property's values; none when it is absent or null, one when it is no array.
  package func values(_ key: String) -> [JSON] {
    switch json[key] {
    case nil, .null: []
    case .array(let values): values.filter { !$0.isNull }
    case .some(let value): [value]
    }
  }

  package func first(_ key: String) -> JSON? { values(key).first }

  package func id() throws(VocabularyError) -> IRI { try require(.id) }

  /// An IRI, or the id of an embedded object.
  func require(_ property: VocabularyError.Property) throws(VocabularyError) -> IRI {
    let values = values(property.rawValue)
    guard let value = values.first else { throw .missing(property) }
    // A second owner is one whose consent nobody checked.
    guard Set(values.map { Node.iri($0) }).count == 1 || property == .attributedTo,
      let iri = Node.iri(value)
    else { throw .invalid(property) }
    return iri
  }

  /// The one type, or the one among `known` when there are several.
  package func type(among known: Set<String>) throws(VocabularyError) -> String {
    let values = values("type")
    guard let first = values.first else { throw .missing(.type) }
    guard values.count <= Limits.contexts else { throw .invalid(.type) }
    let names = values.compactMap(\.string).filter { $0.utf8.count <= Limits.typeBytes }
    guard names.count == values.count, let name = first.string else { throw .invalid(.type) }
    let recognized = Set(names).intersection(known)
    guard recognized.count <= 1 else { throw .ambiguousType }
    return recognized.first ?? name
  }

  /// Whether `type` holds `name`.
  package func isA(_ name: String) -> Bool { values("type").contains { $0.string == name } }

  package static func iri(_ value: JSON) -> IRI? {
    switch value {
    case .string("as:Public"), .string("Public"): everyone
    case .string(let text): IRI(text)
    case .object: value["id"].flatMap { iri($0.isObject ? .null : $0) } ?? value["href"]?.string.flatMap { IRI($0) }
    default: nil
    }
  }

  package func iri(_ key: String) -> IRI? { first(key).flatMap { Node.iri($0) } }

  package func iris(_ key: String, limit: Int = Limits.receivedAddresses) -> [IRI] {
    var omissions = 0
    return list(key, limit: limit, omissions: &omissions) { Node.iri($0) }
  }

  package func nodes(_ key: String, limit: Int = Limits.receivedItems) -> [Node] {
    var omissions = 0
    return list(key, limit: limit, omissions: &omissions) { Node($0) }
  }

  package func node(_ key: String) -> Node? { first(key).flatMap { Node($0) } }

  /// The elements `read` makes something of, at most `limit`; the others are counted in `omissions`.
  func list<Element>(
    _ key: String, limit: Int, omissions: inout Int, _ read: (JSON) -> Element?
  ) -> [Element] {
    let values = values(key)
    let elements = values.prefix(limit).compactMap(read)
    omissions += values.count - elements.count
    return elements
  }

  /// The property as text, cut to `bytes` of UTF-8, without NUL, which PostgreSQL can not store.
  package func text(_ key: String, bytes: Int = Limits.shortTextBytes) -> String? {
    first(key)?.string.map { Node.cut($0, bytes: bytes) }
  }

  static func cut(_ text: String, bytes: Int) -> String {
    var clean = text
    if text.utf8.contains(0) { clean.unicodeScalars.removeAll { $0 == "\0" } }
    guard clean.utf8.count > bytes else { return clean }
    var end = clean.utf8.index(clean.startIndex, offsetBy: max(0, bytes))
    while end > clean.startIndex, UTF8.isContinuation(clean.utf8[end]) { end = clean.utf8.index(before: end) }
    return String(clean[..<end])
  }

  /// True, or the text "true", which older PHP peers send.
  package func bool(_ key: String) -> Bool? {
    guard let value = first(key) else { return nil }
    return value.bool ?? (value.string == "true" ? true : nil)
  }

  /// A count or a size: never negative, never more than 2^53.
  package func count(_ key: String) -> Int? {
    guard let value = first(key) else { return nil }
    if let integer = value.integer { return Int(clamping: min(max(0, integer), 1 << 53)) }
    guard let double = value.double, double.isFinite else { return nil }
    return double <= 0 ? 0 : Int(exactly: min(double, 0x1p53).rounded())
  }

  package func timestamp(_ key: String) -> Timestamp? { first(key)?.string.flatMap { Timestamp(iso8601: $0) } }

  /// FEP-5e53 writes the number 1, Epicyon 1.7 the text "1" under another name.
  var refusesSharing: Bool {
    ["SPC", "secGPC"].contains { key in
      first(key).map { $0.integer == 1 || $0.bool == true || $0.string == "1" } ?? false
    }
  }

  /// An embedded object kept as it is, such as a usage policy.
  package func raw(_ key: String) -> JSON? { values(key).first { $0.isObject } }

  /// `key` and `keyMap` (`content`, `contentMap`); the map alone is enough.
  package func naturalLanguage(_ key: String, bytes: Int = Limits.receivedContentBytes) -> NaturalText? {
    var translations: [NaturalText.Translation] = []
    for (language, value) in json["\(key)Map"]?.members ?? [] where translations.count < Limits.receivedLanguages {
      guard isLanguageTag(language), let text = value.string else { continue }
      translations.append(NaturalText.Translation(language: language, text: Node.cut(text, bytes: bytes)))
    }
    guard let value = text(key, bytes: bytes) ?? translations.first?.text else { return nil }
    return NaturalText(value, translations: translations)
  }
}

extension JSON {
  /// The members of an object, in order; none of anything else.
  package var members: [(key: String, value: JSON)] { object.map { Array($0) } ?? [] }

  var isObject: Bool {
    if case .object = self { return true }
    return false
  }
}

/// Text with its renderings in named languages.
package struct NaturalText: Hashable, Sendable {
  package struct Translation: Hashable, Sendable {
    package var language: String
    package var text: String
    package init(language: String, text: String) {
      self.language = language
      self.text = text
    }
  }

  package var value: String
  package var translations: [Translation]

  package init(_ value: String, translations: [Translation] = []) {
    self.value = value
    self.translations = translations
  }

  package init(_ value: String, language: String) {
    self.init(value, translations: [Translation(language: language, text: value)])
  }

  /// The one language it is written in; nil when none or several are named.
  package var language: String? { translations.count == 1 ? translations.first?.language : nil }

  var map: JSON? {
    guard !translations.isEmpty else { return nil }
    var map: JSON = [:]
    for translation in translations { map[translation.language] = .string(translation.text) }
    return map
  }
}

private func isLanguageTag(_ text: String) -> Bool {
  let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
  guard text.utf8.count <= 35, let primary = parts.first, (2...8).contains(primary.count) else { return false }
  let isLetter: (UInt8) -> Bool = { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
  let isDigit: (UInt8) -> Bool = { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
  return primary.allSatisfy(isLetter)
    && parts.dropFirst().allSatisfy { (1...8).contains($0.count) && $0.allSatisfy { isLetter($0) || isDigit($0) } }
}

/// A property that may be an IRI or the thing itself.
package enum Reference<Object: Sendable & Hashable>: Hashable, Sendable {
  case link(IRI)
  case embedded(Object)
}
