import Primitives

/// Why a model can not be used. `code` is stable, `text` is one sentence for an admin.
package struct ModelFailure: Error, Hashable, Sendable {
  package var code: String
  package var text: String

  package init(code: String, text: String) {
    self.code = code
    self.text = text
  }

  package static let none = ModelFailure(code: "model.none", text: "No detector model comes with this program.")
  package static let unrecognized = ModelFailure(
    code: "model.unrecognized", text: "The file is not a detector model.")
  package static let tooLarge = ModelFailure(
    code: "model.too_large", text: "The file is larger than \(Limits.modelFile >> 20) MiB.")
  package static let checksum = ModelFailure(
    code: "model.checksum", text: "The model file is damaged or cut short: its checksum does not match.")
  package static func version(_ found: Int) -> ModelFailure {
    ModelFailure(
      code: "model.version", text: "The model file has version \(found); this program reads version 1.")
  }
  package static func featureSet(_ found: String) -> ModelFailure {
    ModelFailure(
      code: "model.feature_set",
      text: "The model was trained on the features \"\(found.prefix(40))\", which this program does not take.")
  }
  package static func malformed(_ what: String) -> ModelFailure {
    ModelFailure(code: "model.malformed", text: "The model is not usable: \(what).")
  }
}

extension Limits {
  package static let modelFile = 32 << 20
  package static let modelHeader = 1 << 20
  package static let modelParts = 16
  package static let modelTrees = 20_000
  /// Children are 16-bit numbers with a sign.
  package static let treeNodes = 32_767
  /// A tree as text takes about six times its binary form.
  package static let modelText = 128 << 20
  /// Tiles of a heat map: a 64-megapixel picture has about 1,700 at the usual step.
  package static let heatTiles = 2_500
}
