import Crypto
import Primitives

/// A model trained outside, from what its trainer wrote:
///
/// - trees: the text of LightGBM's `save_model`, each with its weight in the sum;
/// - linear parts: `{"means": […], "scales": […], "weights": […], "bias": 0, "bound": 10}`, one number a feature;
/// - calibration: `{"margins": […], "n_images": 1, "n_sources": 1}`, out of fold by source, and the same for small crops;
/// - card: `{"name", "date", "feature_set", "training": {"sources": [{"source", "cls", "count", "licence"}]},
///   "false_alarms_by_category": {"…": {"n": 1, "fpr_0.005_P": 0}}, "figures": "…"}`, as the study's scripts write it.
package struct ModelImport: Sendable {
  package var trees: [(text: String, weight: Double)] = []
  package var linear: [(json: JSON, weight: Double)] = []
  package var calibration: JSON
  package var smallCalibration: JSON?
  package var card: JSON
  /// In place of the card's, where given.
  package var name: String?
  package var version: String
  package var crops: Int

  package init(calibration: JSON, card: JSON, name: String? = nil, version: String = "1", crops: Int = 4) {
    self.calibration = calibration
    self.card = card
    self.name = name
    self.version = version
    self.crops = crops
  }

  package func model() throws(ModelFailure) -> DetectorModel {
    let header = ModelHeader(json: card)
    let named = try header.text("feature_set")
    // The study names the larger set by its two halves.
    guard let set = FeatureSet(rawValue: named.hasPrefix("FS1+FS2") ? "FS2" : named) else { throw .featureSet(named) }
    var components: [DetectorModel.Component] = []
    for (text, weight) in trees {
      components.append(.init(.trees(try TreeEnsemble(lightGBM: text, featureCount: set.count)), weight: weight))
    }
    for (json, weight) in linear {
      let part = ModelHeader(json: json)
      components.append(
        .init(
          .linear(
            try LinearScorer(
              means: try part.numbers("means").map { Float($0) }, scales: try part.numbers("scales").map { Float($0) },
              weights: try part.numbers("weights").map { Float($0) }, bias: try part.number("bias"),
              bound: try part.number("bound"), featureCount: set.count)),
          weight: weight))
    }
    var small: Calibration?
    if let smallCalibration { small = try table(smallCalibration) }
    return try DetectorModel(
      card: try modelCard(header), featureSet: set, components: components, calibration: try table(calibration),
      smallCalibration: small)
  }

  private func table(_ json: JSON) throws(ModelFailure) -> Calibration {
    let table = ModelHeader(json: json)
    guard
      let calibration = Calibration(
        margins: try table.numbers("margins"), images: try table.count("n_images"),
        sources: try table.count("n_sources"))
    else { throw .malformed("a calibration without margins") }
    return calibration
  }

  private func modelCard(_ header: ModelHeader) throws(ModelFailure) -> ModelCard {
    let training = try header.member("training")
    var sources: [ModelCard.Source] = []
    for source in try training.list("sources", atMost: 10_000) {
      sources.append(
        ModelCard.Source(
          name: try source.text("source"), licence: try source.text("licence"),
          kind: try source.text("cls") == "ai" ? "generated" : "human",
          images: try source.count(source.json["count"] == nil ? "images" : "count")))
    }
    var name = name ?? ""
    if name.isEmpty { name = try header.text("name") }
    return try ModelCard(
      name: name, version: version, date: try header.text("date"), crops: crops,
      manifest: Hex.encode(Array(SHA256.hash(data: training.json.canonicalBytes))), sources: sources,
      falseAlarms: try alarms(header), note: note)
  }

  /// How it was made and what it can not do; or, in older cards, its figures.
  private var note: String {
    let lines = [card["method"]?.string].compactMap { $0 } + (card["limits"]?.array ?? []).compactMap(\.string)
    return lines.isEmpty ? card["figures"]?.string ?? "" : lines.joined(separator: "\n")
  }

  /// `fpr_0.005_P`, or `P` within `fpr_0.005`, is the share of a category that crossed the score 0.995 as found; C and J
  /// are recompressed and made smaller.
  private func alarms(_ header: ModelHeader) throws(ModelFailure) -> [ModelCard.FalseAlarms] {
    var out: [ModelCard.FalseAlarms] = []
    for (category, rates) in try header.member("false_alarms_by_category").json.pairs {
      let row = ModelHeader(json: rates)
      let images = try row.count("n")
      let flat = rates.pairs.flatMap { key, value in
        value.object == nil ? [(key, value)] : value.pairs.map { ("\(key)_\($0.key)", $0.value) }
      }
      for (key, rate) in flat where key.hasPrefix("fpr_") && ["P", "C", "J"].contains(key.split(separator: "_").last) {
        let parts = key.split(separator: "_").map(String.init)
        guard parts.count == 3, let share = Double(parts[1]), let rate = rate.double else {
          throw ModelFailure.malformed("a false-alarm rate named \"\(key.prefix(40))\"")
        }
        let treatment = ["P": "as found", "C": "JPEG 90", "J": "half size, JPEG 75"][parts[2]] ?? parts[2]
        out.append(.init(category: "\(category) (\(treatment))", images: images, score: 1 - share, rate: rate))
      }
    }
    return out
  }
}

extension ModelHeader {
  func numbers(_ key: String) throws(ModelFailure) -> [Double] {
    guard let values = json[key]?.array else { throw .malformed("no list \"\(key)\"") }
    let numbers = values.compactMap(\.double).filter(\.isFinite)
    guard numbers.count == values.count else { throw .malformed("a list \"\(key)\" of other things than numbers") }
    return numbers
  }
}
