import Crypto
import DetectorTraining
import Forensics
import Foundation
import Media
import Primitives

/// A picture with its features, one take for each treatment.
struct MeasuredFile: Sendable {
  var file: PictureFile
  var digest: [UInt8]
  var takes: [FeatureRecord]
}

/// Takes the features of many pictures in sandboxed processes; what is known already is not taken again.
struct Measuring {
  let set: FeatureSet
  let crops: Int
  let cache: FeatureCache
  /// How a picture of this digest is to be treated.
  let treatments: @Sendable ([UInt8]) -> [Treatment]

  struct Result: Sendable {
    var measured: [MeasuredFile] = []
    /// Pictures opened in this run, and those whose features were there from before.
    var extractions = 0
    var known = 0
    /// Same bytes as an earlier file.
    var duplicates = 0
    /// Files that gave nothing, by reason.
    var reasons: [String: Int] = [:]

    /// One sentence for people.
    var sentence: String {
      var parts = ["\(measured.count) pictures: \(extractions) measured now, \(known) known from before"]
      if duplicates > 0 { parts.append("\(duplicates) files left out because another has the same bytes") }
      for (reason, count) in reasons.sorted(by: { $0.key < $1.key }) {
        parts.append("\(count) left out (\(reason))")
      }
      return parts.joined(separator: "; ") + "."
    }

    var json: JSON {
      [
        "pictures": .integer(Int64(measured.count)), "measured_now": .integer(Int64(extractions)),
        "known_before": .integer(Int64(known)), "duplicates": .integer(Int64(duplicates)),
        "left_out": JSON(
          pairs: reasons.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }),
      ]
    }
  }

  private enum Outcome: Sendable {
    case measured(MeasuredFile, isNew: Bool)
    case left(reason: String)
  }

  func measure(_ files: [PictureFile], title: String) async throws -> Result {
    let width = max(1, ProcessInfo.processInfo.activeProcessorCount)
    let pool = WorkerPool(
      .init(
        width: width, queue: width * 4, deadline: .seconds(120),
        bounds: MediaWorker.Bounds(cpuSeconds: 3_600, jobs: 200)))
    defer { pool.close() }
    let progress = Progress(title, of: files.count)
    let outcomes = try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
      var outcomes: [Int: Outcome] = [:]
      var next = 0
      while next < files.count || outcomes.count < files.count {
        while next < files.count, next - outcomes.count < width * 3 {
          let index = next
          group.addTask { (index, try await outcome(files[index], pool)) }
          next += 1
        }
        guard let (index, outcome) = try await group.next() else { break }
        outcomes[index] = outcome
        progress.advance()
      }
      return outcomes
    }
    progress.end()
    return try gather(files.indices.compactMap { outcomes[$0] })
  }

  private func gather(_ outcomes: [Outcome]) throws -> Result {
    var result = Result()
    var seen: [[UInt8]: PictureFile] = [:]
    for outcome in outcomes {
      switch outcome {
      case .left(let reason): result.reasons[reason, default: 0] += 1
      case .measured(let file, let isNew):
        if isNew { result.extractions += 1 } else { result.known += 1 }
        if let other = seen[file.digest] {
          guard other.isGenerated == file.file.isGenerated else {
            throw Complaint(
              """
              [detector.both_kinds] \(file.file.path) and \(other.path) are the same picture, once among human work \
              and once among generated pictures.
              """)
          }
          result.duplicates += 1
          continue
        }
        seen[file.digest] = file.file
        // Without an opinion as found there is nothing to count; other takes may drop out one by one.
        if let reason = file.takes.first?.reason {
          result.reasons[reason, default: 0] += 1
        } else {
          result.measured.append(file)
        }
      }
    }
    return result
  }

  private func outcome(_ file: PictureFile, _ pool: WorkerPool) async throws -> Outcome {
    guard let data = FileHandle(forReadingAtPath: file.path) else { return .left(reason: "file.unreadable") }
    let bytes: [UInt8]
    do {
      bytes = Array(try data.read(upToCount: Limits.upload + 1) ?? Data())
      try data.close()
    } catch {
      return .left(reason: "file.unreadable")
    }
    let digest = Array(SHA256.hash(data: bytes))
    let wanted = treatments(digest)
    let missing = wanted.filter { cache.record(digest, $0) == nil }
    if !missing.isEmpty {
      do {
        let found = try await pool.measure(
          bytes, MeasuringOptions(featureSet: set, crops: crops, treatments: missing))
        for part in found.parts {
          try cache.add(
            FeatureRecord(
              digest: digest, treatment: part.treatment, side: part.side, crops: part.crops, reason: part.reason))
        }
      } catch let refusal as MediaRefusal {
        if refusal.code == MediaRefusal.notInstalled.code { throw refusal }
        guard refusal.code.hasPrefix("image.") else { return .left(reason: refusal.code) }
        // What the file itself is to blame for stays so.
        for treatment in missing {
          try cache.add(FeatureRecord(digest: digest, treatment: treatment, side: 0, crops: [], reason: refusal.code))
        }
      }
    }
    let takes = wanted.compactMap { cache.record(digest, $0) }
    return .measured(MeasuredFile(file: file, digest: digest, takes: takes), isNew: !missing.isEmpty)
  }
}

extension DetectorModel {
  /// Log-odds of a picture from its crops: the median, as the detector does it. Nil without an opinion.
  func margin(of record: FeatureRecord) -> Double? { medianOf(record.crops.map { margin($0) }) }

  func score(of record: FeatureRecord) -> Double? { margin(of: record).map { score($0, shorterSide: record.side) } }
}

extension MeasuredFile {
  func margins(_ model: DetectorModel) -> [Double] { takes.compactMap(model.margin) }

  /// Of the file as found, as the detector gives it.
  func score(_ model: DetectorModel) -> Double? { takes.first.flatMap(model.score) }
}

/// As the detector decides: one odd crop accuses nobody.
@Sendable func medianOf(_ values: [Double]) -> Double? {
  let sorted = values.sorted()
  guard let last = sorted.last else { return nil }
  let middle = sorted.count / 2
  if sorted.count % 2 == 1 { return sorted[middle] }
  return middle > 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : last
}
