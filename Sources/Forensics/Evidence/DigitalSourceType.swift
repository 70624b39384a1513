import Primitives

/// How a picture came to be, in the words of the IPTC vocabulary
/// (`http://cv.iptc.org/newscodes/digitalsourcetype/`).
package struct DigitalSourceType: Hashable, Sendable {
  /// The last part of the term's address, such as `trainedAlgorithmicMedia`.
  package let term: String

  package static let vocabulary = "cv.iptc.org/newscodes/digitalsourcetype/"

  /// Reads the address of a term or the bare term; nil for what is neither.
  package init?(_ text: String) {
    let trimmed = text.trimmed
    if let bare = Self.known.first(where: { $0.lowercased() == trimmed.lowercased() }) {
      term = bare
      return
    }
    let lowered = trimmed.lowercased()
    guard let scheme = ["http://", "https://"].first(where: lowered.hasPrefix),
      lowered.dropFirst(scheme.count).hasPrefix(Self.vocabulary)
    else { return nil }
    let last = trimmed.dropFirst(scheme.count + Self.vocabulary.count)
    guard !last.isEmpty, last.utf8.count <= 64, last.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    term = Self.known.first { $0.lowercased() == last.lowercased() } ?? String(last)
  }

  /// What the term speaks for, and how loudly. Nil for terms that say nothing either way.
  package var meaning: (strength: EvidenceStrength, implies: Implication)? {
    switch term {
    case "trainedAlgorithmicMedia": (.conclusive, .generated)
    case "compositeWithTrainedAlgorithmicMedia": (.conclusive, .assisted)
    // Synthetic elements may be computer graphics that no model drew.
    case "compositeSynthetic", "algorithmicallyEnhanced": (.weak, .assisted)
    case "algorithmicMedia", "dataDrivenMedia", "virtualRecording", "screenCapture", "softwareImage", "composite",
      "compositeCapture", "multiFrameComputationalCapture":
      (.weak, .provenance)
    case "digitalCreation", "humanEdits", "digitalCapture", "computationalCapture", "print", "negativeFilm",
      "positiveFilm", "digitalArt", "minorHumanEdits":
      (.weak, .human)
    default: nil
    }
  }

  private static let known = [
    "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "algorithmicallyEnhanced",
    "algorithmicMedia", "dataDrivenMedia", "virtualRecording", "screenCapture", "softwareImage", "composite",
    "compositeCapture", "multiFrameComputationalCapture", "digitalCreation", "humanEdits", "digitalCapture",
    "computationalCapture", "print", "negativeFilm", "positiveFilm", "digitalArt", "minorHumanEdits",
  ]
}
