import Forensics
import Foundation
import Primitives
import Testing

/// Real files of known origin, outside the repository: set `ATELIER_PROVENANCE` to a folder with their `manifest.csv`.
struct EvidenceProvenanceTests {
  private static let folder = ProcessInfo.processInfo.environment["ATELIER_PROVENANCE"]

  @Test(.enabled(if: folder != nil))
  func `every file of the provenance set is decided as its manifest says`() throws {
    let folder = URL(filePath: try #require(Self.folder))
    let manifest = try String(contentsOf: folder.appending(path: "manifest.csv"), encoding: .utf8)
    let lines = manifest.split(whereSeparator: \.isNewline)
    for line in lines.dropFirst() {
      let columns = line.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      let name = try #require(columns.first)
      let expected = columns[1]
      let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
      let container = try ImageContainer(reading: bytes)
      let assessment = Assessment(of: container, pixels: nil)
      let verdict = assessment.verdict
      let holds =
        switch expected {
        case "human": verdict == .none
        case "ai": verdict == .generated || verdict == .likely
        default: verdict == .generated || verdict == .likely || verdict == .assisted
        }
      let kinds = assessment.evidence.map { "\($0.kind)/\($0.strength)/\($0.implies)" }.joined(separator: " ")
      print("\(holds ? "ok " : "BAD") \(name) expected \(expected) got \(verdict) [\(kinds)]")
      #expect(holds, "\(name): \(verdict)")
    }
  }
}
