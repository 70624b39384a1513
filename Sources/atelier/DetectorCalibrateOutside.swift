import Forensics
import Foundation
import Logging
import Media
import Policy
import Primitives
import Server

extension DetectorCommand.Calibrate {
  /// Measures a detector from outside (`http.NAME`, `onnx.NAME`) against human pictures. One behind an address is
  /// sent them, so this is announced first. The calibration is in force from the next start of the server on.
  func calibrateOutside(_ name: String) async throws {
    let settings = try options.fullSettings()
    let services = try await Services.open(settings, Surroundings(log: logger(level: "warning")))
    do {
      guard let outside = services.media.detectors.first(where: { $0.detector.name == name }) else {
        throw Complaint(
          "[detector.unknown] There is no detector \"\(name)\": see detector.http.url, and `atelier detector add-onnx`."
        )
      }
      if name.hasPrefix("http."), let notice = services.detectorNotice { printError(notice) }
      let files = try PictureFolder(human, isGenerated: false)
      if files.loose > 0 { printError("\(files.loose) files lie in no artist's folder and are left out.") }
      let pictures = files.files.map { file in
        OutsideCalibrating.Picture(source: file.source) {
          guard let data = FileManager.default.contents(atPath: file.path) else {
            throw MediaRefusal(code: "file.unreadable", text: "The file can not be read.")
          }
          return Array(data)
        }
      }
      let progress = Progress("Asking \(name)", of: pictures.count)
      let made = try await OutsideCalibrating(outside.detector, workers: services.media.workers)
        .calibrate(pictures, date: today) { progress.advance() }
      progress.end()
      // One that never reaches the threshold would still count in Holm's correction, and silence the others.
      guard (made.calibration.score(.greatestFiniteMagnitude) ?? 0) >= Assessment.labelScore else {
        throw Complaint(
          "[detector.few_pictures] \(made.calibration.images) pictures got a number; it takes at least 199 human ones, "
            + "or no score could ever reach \(Assessment.labelScore). Nothing was written.")
      }
      try settings.keep(made.calibration)
      for line in words(made) { print(line) }
      try await services.close()
    } catch {
      try await services.close()
      if let failure = error as? OutsideCalibrating.Failure { throw Complaint("[detector.calibration] \(failure)") }
      throw error
    }
  }

  private func words(_ made: OutsideCalibrating.Outcome) -> [String] {
    let calibration = made.calibration
    let basis = DetectorBasis(
      name: "\(calibration.detector), model \(calibration.model)", images: calibration.images,
      sources: calibration.sources)
    let silent = made.silent.sorted { $0.key < $1.key }.map { "\($0.value) pictures got no number: \($0.key)" }
    let meaning = ScoreMeaning(threshold: Assessment.labelScore, detectors: [basis])
    return silent + [
      "\(calibration.images) pictures of \(calibration.sources) artists; the score ends at "
        + "\(calibration.score(.greatestFiniteMagnitude) ?? 0).",
      meaning.objection ?? meaning.sentence, "It is asked from the next start of the server on.",
    ]
  }
}
