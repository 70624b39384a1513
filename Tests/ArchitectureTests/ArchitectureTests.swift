import Foundation
import Testing

@Suite struct ArchitectureTests {
  @Test(arguments: Rules.all)
  func `a rule holds in the whole repository`(rule: Rule) throws {
    for violation in Repository.sources.flatMap(rule.violations(in:)) {
      Issue.record("\(violation)")
    }
  }

  /// A check that was never seen to fail is taken to be broken.
  @Test(arguments: Rules.all)
  func `a rule flags each line of its planted violation and no other`(rule: Rule) throws {
    let planted = try Planted(rule: rule.name)
    let flagged = Set(rule.violations(in: planted.source).map(\.line))
    #expect(flagged == planted.wanted, "\(rule.name)")
  }

  @Test func `every planted violation belongs to a rule`() throws {
    let planted = try FileManager.default.contentsOfDirectory(atPath: Repository.root + Planted.folder)
      .filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }
    #expect(Set(planted) == Set(Rules.all.map(\.name)))
  }

  /// An exception for what is gone would shelter whatever takes its name next.
  @Test(arguments: Rules.all)
  func `every exception still exists`(rule: Rule) {
    for exception in rule.exceptions {
      let isFunction = exception.place.contains(".swift:")
      let exists = Repository.sources.contains { source in
        isFunction
          ? Function.all(in: source).contains { "\(source.path):\($0.name)" == exception.place }
          : source.path.hasPrefix(exception.place)
      }
      #expect(exists, "\(rule.name) excepts \(exception.place), which is gone")
    }
  }

  @Test func `the repository was read`() {
    #expect(Repository.sources.count > 20)
    #expect(Repository.sources.contains { $0.path == "Package.swift" })
  }
}

enum Repository {
  /// Three folders up from this file, with a slash at its end.
  static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/"
  }()

  static let sources: [SourceText] = ["Package.swift"].map(read) + ["Sources", "Vocab", "Deploy", ".ci"].flatMap(walk)

  private static func walk(_ folder: String) -> [SourceText] {
    let names = FileManager.default.enumerator(atPath: root + folder)?.compactMap { $0 as? String } ?? []
    return names.sorted().map { folder + "/" + $0 }.filter(isFile).map(read)
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder = ObjCBool(false)
    return FileManager.default.fileExists(atPath: root + path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  private static func read(_ path: String) -> SourceText {
    let bytes = FileManager.default.contents(atPath: root + path) ?? Data()
    return SourceText(path: path, text: String(decoding: bytes, as: UTF8.self))
  }
}

/// A text that breaks one rule. Its first line says where it pretends to be and how many lines it has at least; each
/// line that the rule must flag says `<- flagged`.
struct Planted {
  static let folder = "Tests/ArchitectureTests/Planted/"
  let source: SourceText
  let wanted: Set<Int>

  init(rule: String) throws {
    let file = Self.folder + rule + ".txt"
    var lines = try String(contentsOfFile: Repository.root + file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let header = try #require(lines.first).split(separator: " ")
    let path = try #require(header.dropFirst(2).first)
    let length = header.dropFirst(3).first.flatMap { Int($0) } ?? 0
    while lines.count < length { lines.append("") }
    source = SourceText(path: String(path), text: lines.joined(separator: "\n"))
    wanted = Set(lines.indices.filter { lines[$0].contains("<- flagged") }.map { $0 + 1 })
    try #require(!wanted.isEmpty, "\(file) plants nothing")
  }
}
