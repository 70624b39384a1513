/// One file, read three ways: as it is, as code only, and as its string literals.
///
/// Rules look at code with comments and literals blanked out, so that a sentence about `try!` is not a `try!`.
struct SourceText: Sendable {
  struct Literal: Sendable {
    let line: Int
    let text: String
  }

  let path: String
  let lines: [String]
  let code: [String]
  let literals: [Literal]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if path.hasSuffix(".swift") {
      var scanner = Scanner(Array(text.utf8))
      scanner.run()
      code = String(decoding: scanner.code, as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      literals = scanner.literals
    } else {
      code = lines
      literals = path.hasSuffix(".sql") ? [Literal(line: 1, text: text)] : []
    }
  }

  /// Whether the given line (from 1) says something in a comment, on itself or directly above its declaration.
  func isCommented(line: Int) -> Bool {
    var index = line - 1
    guard lines.indices.contains(index) else { return false }
    if lines[index].contains("//") { return true }
    while index > 0 {
      index -= 1
      let above = lines[index].drop(while: { $0 == " " })
      if above.hasPrefix("//") { return true }
      guard above.hasPrefix("@") else { return false }
    }
    return false
  }
}

extension SourceText {
  /// Splits Swift into code and literals. Interpolations are code, however deep they are nested.
  private struct Scanner {
    private struct Open {
      let hashes: Int
      let isMultiline: Bool
      let line: Int
      var text: [UInt8] = []
      var parentheses = 0
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var open: [Open] = []
    private var isInterpolating = false
    private(set) var code: [UInt8] = []
    private(set) var literals: [Literal] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
      while index < bytes.count {
        if open.isEmpty || isInterpolating { scanCode() } else { scanLiteral() }
      }
    }

    private func has(_ text: String, at offset: Int) -> Bool {
      bytes[min(offset, bytes.count)...].starts(with: text.utf8)
    }

    /// Copies a byte to the code, or a blank in its place; line ends always stay.
    private mutating func pass(blank: Bool) {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\n") { line += 1 }
      code.append(byte == UInt8(ascii: "\n") || !blank ? byte : UInt8(ascii: " "))
      index += 1
    }

    private mutating func pass(_ count: Int, blank: Bool) {
      for _ in 0..<count where index < bytes.count { pass(blank: blank) }
    }

    private mutating func scanCode() {
      if has("//", at: index) {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { pass(blank: true) }
      } else if has("/*", at: index) {
        while index < bytes.count, !has("*/", at: index) { pass(blank: true) }
        pass(2, blank: true)
      } else if bytes[index] == UInt8(ascii: "`") {
        // A raw identifier may hold any words: a test named after a rule does not break it.
        pass(blank: true)
        while index < bytes.count, bytes[index] != UInt8(ascii: "`") { pass(blank: true) }
        pass(1, blank: true)
      } else if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "#"), openLiteral() {
        isInterpolating = false
      } else {
        if isInterpolating { countParentheses() }
        pass(blank: false)
      }
    }

    private mutating func countParentheses() {
      if bytes[index] == UInt8(ascii: "(") { open[open.count - 1].parentheses += 1 }
      if bytes[index] == UInt8(ascii: ")") {
        open[open.count - 1].parentheses -= 1
        if open[open.count - 1].parentheses == 0 { isInterpolating = false }
      }
    }

    private mutating func openLiteral() -> Bool {
      var hashes = 0
      while index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
      guard has("\"", at: index + hashes) else { return false }
      let isMultiline = has("\"\"\"", at: index + hashes)
      open.append(Open(hashes: hashes, isMultiline: isMultiline, line: line))
      pass(hashes + (isMultiline ? 3 : 1), blank: true)
      return true
    }

    private mutating func scanLiteral() {
      guard let current = open.last else { return }
      let marks = String(repeating: "#", count: current.hashes)
      let end = (current.isMultiline ? "\"\"\"" : "\"") + marks
      if has("\\" + marks + "(", at: index) {
        pass(1 + current.hashes, blank: true)
        isInterpolating = true
      } else if has("\\" + marks, at: index) {
        open[open.count - 1].text.append(UInt8(ascii: " "))
        pass(2 + current.hashes, blank: true)
      } else if has(end, at: index) {
        literals.append(Literal(line: current.line, text: String(decoding: current.text, as: UTF8.self)))
        open.removeLast()
        pass(end.utf8.count, blank: true)
        isInterpolating = !open.isEmpty
      } else {
        open[open.count - 1].text.append(bytes[index])
        pass(blank: true)
      }
    }
  }
}
