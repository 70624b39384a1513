import ArgumentParser
import Forensics
import Foundation
import Media
import Primitives

struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is found in picture files. Needs no instance; every file is opened in a sandboxed process.",
    discussion: """
      A score is one minus the share of human pictures that look at least so generated: 0.995 means at most 5 in \
      1,000. It is null where there is no opinion. Nothing of this is proof.
      """)

  @Flag(help: "One JSON line a file.") var json = false
  @Argument(help: "Picture files, and folders with picture files at any depth.") var paths: [String]

  func run() async throws {
    let files = paths.flatMap(PictureFiles.at)
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
          // Straight out: a reader at the other end of a pipe follows line by line.
          try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
          printed += 1
        }
      }
    }
  }

  private func line(for file: String, _ pool: WorkerPool) async -> String {
    let assessment: Assessment
    do {
      assessment = try await pool.process(try PictureFiles.bytes(of: file), .look).report.assessment
    } catch let refusal as MediaRefusal {
      assessment = .notAnalysed(reason: refusal.code, detector: Assessment.evidenceDetector)
    } catch {
      assessment = .notAnalysed(reason: "worker.failed", detector: Assessment.evidenceDetector)
    }
    return json ? assessment.json(file: file).text : assessment.sentence(file: file)
  }
}

private enum PictureFiles {
  /// By name, those we refuse included: each gets its line with the reason.
  private static let endings: Set<String> = [
    "jpg", "jpeg", "jfif", "png", "apng", "webp", "gif", "avif", "heic", "heif", "tif", "tiff", "bmp", "svg", "jxl",
  ]

  /// A file as it is; of a folder, its picture files by name.
  static func at(_ path: String) -> [String] {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return [path]
    }
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    let folder = path.hasSuffix("/") ? path : path + "/"
    return names.sorted().filter { !$0.hasPrefix(".") && !$0.contains("/.") }.map { folder + $0 }.filter(isPicture)
  }

  /// By name or, under any other name, by what is in it.
  private static func isPicture(_ path: String) -> Bool {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
      return false
    }
    if endings.contains(path.split(separator: ".").last.map { $0.lowercased() } ?? "") { return true }
    do {
      return ImageFormat.sniff(try bytes(of: path, atMost: 64)) != nil
    } catch {
      return false
    }
  }

  /// One byte more than is accepted tells that there is more.
  static func bytes(of path: String, atMost most: Int = Limits.upload + 1) throws -> [UInt8] {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { file.closeFile() }
      return Array(try file.read(upToCount: most) ?? Data())
    } catch {
      throw MediaRefusal(code: "file.unreadable", text: "The file can not be read.")
    }
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
      case .concluded(let score):
        "\(file): \(verdict == .none ? "nothing unusual" : verdict.rawValue), score \((score * 10_000).rounded() / 10_000)"
      case .inconclusive:
        verdict == .none ? "\(file): nothing found" : "\(file): \(verdict.rawValue)"
      }
    return ([head] + evidence.map { "  \($0.strength.rawValue): \($0.text)" }).joined(separator: "\n")
  }
}
