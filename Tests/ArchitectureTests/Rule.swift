import Testing

/// One thing that must never be, as data: where, what, and why.
struct Rule: Sendable, CustomTestStringConvertible {
  enum Check: Sendable {
    /// Words in code. Where a word begins or ends with a letter, so must its neighbour not.
    case words([String])
    /// Text anywhere in the file, comments and markup included, parts of words too, with letter case ignored.
    case anywhere([String])
    /// Words that need a comment beside them.
    case uncommented([String])
    /// Modules, each with the folders that may import it.
    case imports([String: [String]])
    /// String literals that begin with one of these words.
    case literals(startingWith: [String])
    /// Words within string literals that begin as SQL does.
    case statements(containing: [String])
    /// Template values printed without escaping under a name that does not end as given.
    case unescaped(nameMustEndWith: String)
    case functionLines(Int)
    case fileLines(Int)
  }

  let name: String
  let reason: String
  var within = ["Sources/", "Vocab/"]
  var endings = [".swift"]
  /// Where the rule does not hold, each with its reason. Every one must still exist.
  var exceptions: [Exception] = []
  let check: Check

  struct Exception: Sendable {
    /// A folder or file, or `file:function` for a function's length.
    let place: String
    let reason: String
  }

  var testDescription: String { name }
}

struct Violation: Sendable, CustomStringConvertible {
  let path: String
  let line: Int
  let found: String
  let reason: String
  var description: String { "\(path):\(line): \(found): \(reason)" }
}

extension Rule {
  func violations(in source: SourceText) -> [Violation] {
    guard within.contains(where: { source.path.hasPrefix($0) }), endings.contains(where: { source.path.hasSuffix($0) }),
      !exceptions.contains(where: { source.path.hasPrefix($0.place) })
    else { return [] }
    return findings(in: source).map { Violation(path: source.path, line: $0.line, found: $0.found, reason: reason) }
  }

  private typealias Finding = (line: Int, found: String)

  private func findings(in source: SourceText) -> [Finding] {
    switch check {
    case .words(let words):
      return Self.lines(of: source.code, containing: words)
    case .anywhere(let words):
      let wanted = words.map { $0.lowercased() }
      return source.lines.enumerated().compactMap { index, line in
        let lowered = line.lowercased()
        return wanted.first(where: lowered.contains).map { (index + 1, $0) }
      }
    case .uncommented(let words):
      return Self.lines(of: source.code, containing: words).filter { !source.isCommented(line: $0.line) }
    case .imports(let allowed):
      return Self.imports(of: source).filter { module in
        guard let folders = allowed[module.found] else { return false }
        return !folders.contains(where: { source.path.hasPrefix($0) })
      }
    case .literals(let starts):
      return source.literals.filter { literal in starts.contains(where: literal.begins(with:)) }
        .map { ($0.line, "SQL") }
    case .statements(let words):
      return source.literals.filter { literal in Rules.statements.contains(where: literal.begins(with:)) }
        .flatMap { literal in
          Self.lines(of: literal.text.uppercased().split(separator: "\n").map(String.init), containing: words)
            .map { (literal.line, $0.found) }
        }
    case .unescaped(let ending):
      return Self.unescaped(in: source.lines, nameMustEndWith: ending)
    case .functionLines(let limit):
      return functions(in: source, longerThan: limit)
    case .fileLines(let limit):
      return source.lines.count > limit + 1 ? [(1, "\(source.lines.count) lines, at most \(limit)")] : []
    }
  }

  private static func lines(of lines: [String], containing words: [String]) -> [Finding] {
    lines.enumerated().compactMap { index, line in
      words.first(where: { line.hasWord($0) }).map { (index + 1, $0) }
    }
  }

  private static func imports(of source: SourceText) -> [Finding] {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    return source.code.enumerated().compactMap { index, line in
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import") else { return nil }
      let module = words.dropFirst(position + 1).first { !kinds.contains($0) }
      return module.map { (index + 1, String($0.prefix { $0 != "." })) }
    }
  }

  private static func unescaped(in lines: [String], nameMustEndWith ending: String) -> [Finding] {
    lines.enumerated().compactMap { index, line in
      for mark in ["{{{", "{{&"] {
        var rest = line[...]
        while let range = rest.firstRange(of: mark) {
          rest = rest[range.upperBound...]
          let name = rest.drop(while: { $0 == " " }).prefix { $0 != "}" && $0 != " " }
          if !name.hasSuffix(ending) { return (index + 1, String(name)) }
        }
      }
      return nil
    }
  }

  private func functions(in source: SourceText, longerThan limit: Int) -> [Finding] {
    Function.all(in: source).filter { function in
      function.lines > limit
        && !exceptions.contains(where: { $0.place == "\(source.path):\(function.name)" })
    }
    .map { ($0.line, "\($0.name) has \($0.lines) lines, at most \(limit)") }
  }
}

extension SourceText.Literal {
  func begins(with word: String) -> Bool {
    text.drop(while: \.isWhitespace).hasPrefix(word)
  }
}

extension String {
  /// Whether the word is there, not as part of a longer identifier.
  func hasWord(_ word: String) -> Bool {
    let line = utf8
    let wanted = Array(word.utf8)
    var rest = line[...]
    while let range = rest.firstRange(of: wanted) {
      let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
      let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
      let isWholeBefore = !Self.isLetter(wanted.first) || !Self.isLetter(before)
      let isWholeAfter = !Self.isLetter(wanted.last) || !Self.isLetter(after)
      if isWholeBefore && isWholeAfter { return true }
      rest = line[line.index(after: range.lowerBound)...]
    }
    return false
  }

  private static func isLetter(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      return true
    default:
      return false
    }
  }
}

/// A function with a body, measured from its first line to its closing brace.
struct Function {
  let name: String
  let line: Int
  let lines: Int

  static func all(in source: SourceText) -> [Function] {
    source.code.indices.compactMap { index in
      name(declaredOn: source.code[index]).flatMap { name in
        length(of: source.code[index...]).map { Function(name: name, line: index + 1, lines: $0) }
      }
    }
  }

  private static func name(declaredOn line: String) -> String? {
    let trimmed = line.drop(while: { $0 == " " })
    if let range = trimmed.firstRange(of: "func "), range.lowerBound == trimmed.startIndex || line.hasWord("func") {
      return String(trimmed[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }
    for keyword in ["init", "deinit", "subscript"] {
      let declares = trimmed.split(whereSeparator: { " (?<{".contains($0) }).prefix(4)
        .drop { ["package", "private", "convenience", "override", "required", "mutating", "nonisolated"].contains($0) }
      if declares.first == Substring(keyword), trimmed.contains("(") || keyword == "deinit" { return keyword }
    }
    return nil
  }

  /// Lines until the body closes; nil where there is no body (a requirement of a protocol).
  private static func length(of lines: ArraySlice<String>) -> Int? {
    var braces = 0
    var parentheses = 0
    var hasBody = false
    for (offset, line) in lines.enumerated() {
      if !hasBody, offset > 0, parentheses == 0, name(declaredOn: line) != nil { return nil }
      for character in line.utf8 {
        switch character {
        case UInt8(ascii: "("): parentheses += 1
        case UInt8(ascii: ")"): parentheses -= 1
        case UInt8(ascii: "{") where parentheses == 0 || hasBody:
          braces += 1
          hasBody = true
        case UInt8(ascii: "}") where hasBody:
          braces -= 1
          if braces == 0 { return offset + 1 }
        case UInt8(ascii: "}") where parentheses == 0:
          return nil
        default: break
        }
      }
    }
    return nil
  }
}
