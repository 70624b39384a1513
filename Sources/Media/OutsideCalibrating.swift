import Forensics
import Primitives

/// Asks a detector from outside about human pictures, and counts its numbers into a calibration. The pictures take the
/// very path they take when they are judged: through a worker, stripped, and out.
package struct OutsideCalibrating: Sendable {
  /// A human picture and whose it is: a folder for each artist or collection.
  package struct Picture: Sendable {
    package let source: String
    package let read: @Sendable () throws -> [UInt8]

    package init(source: String, read: @escaping @Sendable () throws -> [UInt8]) {
      self.source = source
      self.read = read
    }
  }

  package struct Outcome: Sendable {
    package var calibration: RawCalibration
    /// Pictures without a number, by the code of the reason. They do not count.
    package var silent: [String: Int]
  }

  package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case nothingScored([String: Int])
    case severalModels([String])

    package var description: String {
      switch self {
      case .nothingScored(let reasons):
        "Not one picture got a number: "
          + reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value) times" }
          .joined(separator: ", ") + "."
      case .severalModels(let models):
        "The detector answered with several models (\(models.joined(separator: ", "))); numbers of different models do "
          + "not compare."
      }
    }
  }

  let detector: any RawDetector
  let workers: WorkerPool

  package init(_ detector: any RawDetector, workers: WorkerPool) {
    self.detector = detector
    self.workers = workers
  }

  /// - Parameters:
  ///   - date: today, as `2026-11-21`.
  ///   - step: called after every picture.
  package func calibrate(
    _ pictures: [Picture], date: String, step: @Sendable () -> Void = {}
  ) async throws -> Outcome {
    var raw: [Double] = []
    var models: Set<String> = []
    var sources: Set<String> = []
    var silent: [String: Int] = [:]
    // One by one: a detector that is somebody else's machine is not to be flooded by a thousand pictures.
    for picture in pictures {
      try Task.checkCancellation()
      switch try await ask(picture) {
      case .scored(let score):
        raw.append(score.value)
        models.insert(score.model)
        sources.insert(picture.source)
      case .none(let reason): silent[reason, default: 0] += 1
      }
      step()
    }
    guard models.count <= 1 else { throw Failure.severalModels(models.sorted()) }
    guard let model = models.first,
      let calibration = RawCalibration(
        detector: detector.name, model: model, date: date, raw: raw, sources: sources.count)
    else { throw Failure.nothingScored(silent) }
    return Outcome(calibration: calibration, silent: silent)
  }

  private func ask(_ picture: Picture) async throws -> RawAnswer {
    do {
      var options = MediaOptions.look
      options.makesStrippedCopy = true
      let processed = try await workers.process(try picture.read(), options)
      guard let copy = processed.strippedCopy, let type = processed.report.header.format.mediaType else {
        return .none(reason: "http.unsupported")
      }
      guard copy.count <= Limits.detectorUpload else { return .none(reason: "http.picture_too_large") }
      return await detector.rawScore(of: copy, mediaType: type)
    } catch let refusal as MediaRefusal {
      return .none(reason: refusal.code)
    }
  }
}
