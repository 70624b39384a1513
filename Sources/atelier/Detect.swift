import ArgumentParser
import Forensics
import Foundation
import Media
import Primitives

struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is found in picture files. Needs no instance; every file is opened in a sandboxed process.")

  @Flag(help: "One JSON line a file.") var json = false
  @Argument(help: "Picture files.") var files: [String]

  func run() async throws {
    let width = max(1, ProcessInfo.processInfo.activeProcessorCount)
    let pool = WorkerPool(
      .init(width: width, queue: width * 4, bounds: MediaWorker.Bounds(cpuSeconds: 600, jobs: 100)))
    defer { pool.close() }
    // Answers come in the order of the arguments, whatever finishes first.
    try await withThrowingTaskGroup(of: (Int, String).self) { group in
      var waiting: [Int: String] = [:]
      var printed = 0
      var next = 0
      while next < files.count || printed < files.count {
        while next < files.count, next - printed < width * 3 {
          let index = next
          let file = files[index]
          group.addTask { (index, await line(for: file, pool)) }
          next += 1
        }
        guard let (index, line) = try await group.next() else { break }
        waiting[index] = line
        while let line = waiting.removeValue(forKey: printed) {
          print(line)
          printed += 1
        }
      }
    }
  }

  private func line(for file: String, _ pool: WorkerPool) async -> String {
    let assessment: Assessment
    do {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw MediaRefusal(code: "file.unreadable", text: "The file can not be read.")
      }
      assessment = try await pool.process(Array(data), .look).report.assessment
    } catch let refusal as MediaRefusal {
      assessment = .notAnalysed(reason: refusal.code, detector: Assessment.evidenceDetector)
    } catch {
      assessment = .notAnalysed(reason: "worker.failed", detector: Assessment.evidenceDetector)
    }
    return json ? assessment.json(file: file).text : assessment.sentence(file: file)
  }
}

extension Assessment {
  fileprivate func json(file: String) -> JSON {
    var answer: JSON = [
      "file": .string(file), "score": opinion.score.map { .double($0) } ?? .null,
      "verdict": .string(verdict.rawValue), "detector": .string(detector),
      "evidence": .array(
        evidence.map {
          ["kind": .string($0.kind), "strength": .string($0.strength.rawValue), "text": .string($0.text)]
        }),
    ]
    if case .notAnalysed(let reason) = opinion { answer["reason"] = .string(reason) }
    return answer
  }

  fileprivate func sentence(file: String) -> String {
    let head =
      switch opinion {
      case .notAnalysed(let reason): "\(file): not analysed (\(reason))"
      case .concluded(let score): "\(file): \(verdict.rawValue), score \(score)"
      case .inconclusive:
        verdict == .none ? "\(file): nothing found" : "\(file): \(verdict.rawValue)"
      }
    return ([head] + evidence.map { "  \($0.strength.rawValue): \($0.text)" }).joined(separator: "\n")
  }
}
