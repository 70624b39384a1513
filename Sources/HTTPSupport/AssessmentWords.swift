import Policy
import Primitives

/// What one detector said of a picture, in words for people: the same on pages and in the API.
///
/// It tells how unusual a picture is among human ones, never what the picture is.
package struct LayerWords: Sendable {
  /// `Fine-texture statistics are unusual: about 3 in 1,000 human-made pictures look this way. This is not proof.`
  package let sentence: String
  /// Which detector spoke, its version and its date, and what stands behind its number.
  package let source: String
  /// How much the opinion says; nil where there is none.
  package let strength: EvidenceStrength?
  /// How many of 1,000 human pictures look at least so unusual.
  package let perThousand: String?
  /// What stood out most, as plain phrases.
  package let groups: [String]

  package init(_ layer: LayerOpinion) {
    let isOurs = layer.detector == "pixels"
    switch layer.outcome {
    case .scored(let score):
      let share = LayerWords.about(1 - score)
      let subject = isOurs ? "Fine-texture statistics are" : "To this detector the picture is"
      let isUnusual = score >= LayerWords.unusual
      sentence =
        isUnusual
        ? "\(subject) unusual: \(share) in 1,000 human-made pictures look this way. This is not proof."
        : "\(subject) not unusual: \(share) in 1,000 human-made pictures look this way or more so."
      strength = isUnusual ? .weak : nil
      perThousand = Policy.perThousand(1 - score)
      groups = isUnusual ? layer.contributions.filter { $0.weight > 0 }.prefix(3).map(\.text) : []
    case .noOpinion(let reason):
      sentence = "This detector has no opinion: \(LayerWords.inWords(reason))."
      strength = nil
      perThousand = nil
      groups = []
    }
    source = LayerWords.source(of: layer, isOurs: isOurs)
  }

  /// From here on a picture is called unusual: 50 in 1,000.
  private static let unusual = 0.95

  private static func about(_ share: Double) -> String {
    guard share.isFinite, share >= 0.001 else { return "fewer than 1" }
    return "about \(perThousandWhole(share))"
  }

  private static func perThousandWhole(_ share: Double) -> Int { Int(exactly: (min(share, 1) * 1_000).rounded()) ?? 0 }

  private static func source(of layer: LayerOpinion, isOurs: Bool) -> String {
    let version = layer.version.isEmpty ? "" : ", version \(layer.version)"
    let date = layer.date.isEmpty ? "" : ", of \(layer.date)"
    let name = isOurs ? "Model \(layer.model)" : "Detector \(layer.detector), model \(layer.model)"
    let behind =
      layer.calibration.images > 0
      ? ", measured on \(layer.calibration.images) human pictures from \(layer.calibration.sources) sources" : ""
    return name + version + date + behind
  }

  /// Codes are stable; what is not in the table is shown as its code.
  private static func inWords(_ reason: String) -> String {
    switch reason.split(separator: ".").last.map(String.init) {
    case "too_small": "the picture is too small"
    case "too_large", "picture_too_large": "the picture is too large for it"
    case "flat": "almost all of the picture is flat colour"
    case "animated": "the picture is animated"
    case "uncalibrated": "it was not yet measured on human pictures here, so its numbers would mean nothing"
    case "model_changed": "its model has changed since it was measured on human pictures here"
    case "resting": "it has failed again and again and is left in peace for a while"
    case "timeout_total", "timeout_idle", "timeout_queue", "timeout_connect": "it did not answer in time"
    case "unsupported": "it can not read this format"
    default: "it could not look at the picture (\(reason))"
    }
  }
}

extension Assessment {
  /// What strangers are told of a picture that is shown without a flag: what its file says, and no number. A number
  /// below the threshold accuses nobody, and lists of numbers by artist must not be gathered from outside. Of a work
  /// that a moderator cleared nothing is left.
  package func told(cleared: Bool) -> Assessment {
    guard verdict != .notAnalysed else { return self }
    return Assessment(
      evidence: cleared ? [] : evidence.filter { !$0.kind.hasPrefix("pixels.") }, detector: detector)
  }
}
