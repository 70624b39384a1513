import Forensics
import Foundation
import Media
import Policy
import Primitives
import Transport

extension Services {
  /// The detectors from outside that an operator named, each with the calibration that was made for it here.
  static func detectors(
    _ settings: Settings, _ surroundings: Surroundings, _ configuration: GuardedClient.Configuration
  ) throws -> [CalibratedDetector] {
    try onnxDetectors(settings, surroundings) + httpDetectors(settings, surroundings, configuration)
  }

  private static func onnxDetectors(_ settings: Settings, _ surroundings: Surroundings) throws -> [CalibratedDetector] {
    try OnnxShelf(folder: settings.detectorPath).models().map { model, file in
      let detector = OnnxDetector(
        model, file: file, library: settings.onnxLibrary, program: surroundings.worker, width: settings.mediaWorkers)
      return CalibratedDetector(detector, calibration: try calibration(of: detector.name, settings))
    }
  }

  private static func httpDetectors(
    _ settings: Settings, _ surroundings: Surroundings, _ configuration: GuardedClient.Configuration
  ) throws -> [CalibratedDetector] {
    guard let http = settings.httpDetector else { return [] }
    // A client of its own: the networks it may reach are not opened to whoever can name an address to this server.
    var own = configuration
    own.policy = AddressPolicy(allowedPrivateNetworks: settings.detectorNetworks)
    own.readIdle = http.timeout
    let client = try GuardedClient(
      configuration: own, resolver: surroundings.resolver, dialer: surroundings.dialer, group: surroundings.group,
      record: surroundings.recordEgress)
    let detector = HTTPDetector(http, client: client, time: surroundings.time)
    return [CalibratedDetector(detector, calibration: try calibration(of: detector.name, settings))]
  }

  /// Nil when none was made. A file that can not be read stops the start: without it the detector would fall silent
  /// unnoticed.
  private static func calibration(of detector: String, _ settings: Settings) throws -> RawCalibration? {
    let path = settings.calibrationPath(of: detector)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    guard data.count <= Limits.calibrationFile, let found = RawCalibration(reading: try JSON(parsing: data)) else {
      throw DetectorFailure.calibration(path: path)
    }
    return found
  }

  /// What stands behind the scores of every detector in use, for whoever sets or reads a threshold.
  package var detectorBases: [DetectorBasis] {
    let pixels = DetectorShelf(home: settings.home).active().map { DetectorBasis($0.model) }
    return [pixels].compactMap { $0 } + media.detectors.compactMap(\.basis)
  }

  /// Said at every start, by `doctor`, and on the page about the policy.
  package var detectorNotice: String? { settings.httpDetector?.privacyNotice }
}

extension DetectorBasis {
  init(_ model: DetectorModel) {
    self.init(
      name: "pixels, model \(model.card.name) \(model.card.version) of \(model.card.date)",
      images: model.calibration.images, sources: model.calibration.sources)
  }
}

extension Settings {
  /// Written by `detector calibrate`.
  package func calibrationPath(of detector: String) -> String { "\(detectorPath)/\(detector).calibration.json" }
}

package enum DetectorFailure: Error, CustomStringConvertible, Sendable {
  case calibration(path: String)

  package var description: String {
    switch self {
    case .calibration(let path):
      "\(path) is no calibration. Make it again with `atelier detector calibrate`, or delete it."
    }
  }
}

extension Settings {
  /// Puts a calibration where the next start finds it.
  package func keep(_ calibration: RawCalibration) throws {
    try FileManager.default.createDirectory(
      atPath: detectorPath, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let place = URL(fileURLWithPath: calibrationPath(of: calibration.detector))
    try Data(calibration.json.bytes).write(to: place, options: .atomic)
  }
}
