import CShippedDetector
import Primitives

/// The model that comes with the program.
package enum ShippedDetector {
  /// Its file; empty where none was built in.
  package static var bytes: [UInt8] {
    var length = 0
    let start = csd_shipped(&length)
    return Array(UnsafeBufferPointer(start: start, count: length))
  }

}

extension DetectorModel {
  package static func shipped() throws(ModelFailure) -> DetectorModel {
    let bytes = ShippedDetector.bytes
    guard !bytes.isEmpty else { throw .none }
    return try DetectorModel(reading: bytes)
  }
}

extension Assessment {
  /// Evidence of the file and what the detectors say, together. One of `layers` that finds a picture unusual adds a
  /// weak finding in words; only the score itself meets a policy's threshold.
  package init(of container: ImageContainer, pixels: PixelView?, layers: [LayerOpinion]) {
    let found = collectEvidence(metadata: container.metadata, header: container.header, pixels: pixels)
    let names = layers.map { "\($0.detector)/\($0.model)-\($0.version)" }
    self.init(
      evidence: found + layers.compactMap(\.textureEvidence), layers: layers,
      detector: ([Self.evidenceDetector] + names).joined(separator: "+"))
  }
}

extension LayerOpinion {
  /// From one in twenty on it is worth a sentence.
  static let unusualScore = 0.95

  var textureEvidence: Evidence? {
    guard detector == PixelDetector.detector, let score = outcome.score, score >= Self.unusualScore else { return nil }
    let share = (1 - score) * 1_000
    let count = share < 1 ? "fewer than 1" : "about \(Int(exactly: share.rounded()) ?? 1)"
    return Evidence(
      kind: "pixels.texture", strength: .weak, implies: .generated,
      text:
        "Fine-texture statistics are unusual: \(count) in 1,000 known human-made pictures look this way. This is not proof.",
      place: "pixels")
  }
}
