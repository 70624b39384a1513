import ArgumentParser
import Forensics
import Foundation
import Primitives

/// `atelier detector import-lightgbm`: how the shipped model's file is made from what its trainer wrote.
struct DetectorImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-lightgbm",
    abstract: "Make a detector file from a model that was trained outside with LightGBM.",
    discussion: """
      The features must be ours, and the calibration must be of human pictures that no model scored whose training \
      had seen their source. The same input always gives the same file.
      """)

  @Option(help: "LightGBM's text, with =WEIGHT where several are summed. Repeatable.") var model: [String] = []
  @Option(help: "JSON of a linear part, with =WEIGHT where several are summed. Repeatable.") var linear: [String] = []
  @Option(help: "JSON with the margins of human pictures.") var calibration: String
  @Option(help: "The same for pictures of fewer than 256 pixels on the shorter side.") var smallCalibration: String?
  @Option(help: "JSON that says what the model was trained on.") var card: String
  @Option(help: "Another name than the card's.") var name: String?
  @Option(help: "Letters, digits, dots, dashes.") var version = "1"
  @Option(help: "How many crops of a picture are asked, 1 to 4.") var crops = 4
  @Option(help: "The file to write, ending in .aidet.") var output: String

  func run() throws {
    do {
      var source = ModelImport(
        calibration: try json(calibration), card: try json(card), name: name, version: version, crops: crops)
      source.smallCalibration = try smallCalibration.map { try json($0) }
      source.trees = try model.map { text in
        let (path, weight) = weighted(text)
        return (String(decoding: try bytes(path), as: UTF8.self), weight)
      }
      source.linear = try linear.map { text in
        let (path, weight) = weighted(text)
        return (try json(path), weight)
      }
      let made = try source.model()
      let file = made.bytes
      // Read again before anybody else has to.
      guard try DetectorModel(reading: file) == made else { throw ModelFailure.checksum }
      try Data(file).write(to: URL(filePath: output), options: .atomic)
      let images = made.calibration.images
      print("\(output): \(made.card.detector), \(file.count) bytes, calibrated on \(images) human pictures")
    } catch let failure as ModelFailure {
      throw ValidationError("[\(failure.code)] \(failure.text)")
    }
  }

  private func weighted(_ text: String) -> (path: String, weight: Double) {
    let parts = text.split(separator: "=")
    guard parts.count == 2, let weight = Double(parts[1]) else { return (text, 1) }
    return (String(parts[0]), weight)
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path), data.count <= Limits.modelText else {
      throw ValidationError("\(path) can not be read, or is larger than \(Limits.modelText >> 20) MiB.")
    }
    return Array(data)
  }

  private func json(_ path: String) throws -> JSON {
    do {
      return try JSON(parsing: try bytes(path))
    } catch let failure as JSONFailure {
      throw ValidationError("\(path) is no JSON (\(failure.code)).")
    }
  }
}
