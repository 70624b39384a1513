import Primitives

/// A pixel model as a whole: parts whose margins are added up, and what human pictures score by them.
package struct DetectorModel: Hashable, Sendable {
  package enum Part: Hashable, Sendable {
    case trees(TreeEnsemble)
    case linear(LinearScorer)
  }

  package struct Component: Hashable, Sendable {
    package var part: Part
    /// What its margin counts in the sum.
    package var weight: Double

    package init(_ part: Part, weight: Double = 1) {
      self.part = part
      self.weight = weight
    }
  }

  package var card: ModelCard
  package let featureSet: FeatureSet
  package let components: [Component]
  /// Replaced when a collective calibrates with its own pictures. That for small crops goes with it: it belonged to
  /// the old one.
  package var calibration: Calibration { didSet { smallCalibration = nil } }
  /// Human pictures of few pixels, whose margins spread less. Nil compares every picture with `calibration`.
  package private(set) var smallCalibration: Calibration?

  /// Crops whose shorter side is below it are compared with pictures as small.
  package static let smallSide = 256

  package init(
    card: ModelCard, featureSet: FeatureSet, components: [Component], calibration: Calibration,
    smallCalibration: Calibration? = nil
  ) throws(ModelFailure) {
    guard !components.isEmpty, components.count <= Limits.modelParts, components.allSatisfy({ $0.weight.isFinite })
    else { throw .malformed("no parts, or too many") }
    self.card = card
    self.featureSet = featureSet
    self.components = components
    self.calibration = calibration
    self.smallCalibration = smallCalibration
  }

  /// 0..<1, for the margin of crops with this shorter side.
  package func score(_ margin: Double, shorterSide: Int) -> Double { basis(shorterSide: shorterSide).score(margin) }

  /// What crops with this shorter side are compared with.
  package func basis(shorterSide: Int) -> Calibration {
    shorterSide < Self.smallSide ? smallCalibration ?? calibration : calibration
  }

  /// Above 0 speaks for generation. Means nothing before calibration.
  package func margin(_ features: [Float]) -> Double {
    components.reduce(0) { sum, component in
      switch component.part {
      case .trees(let trees): sum + component.weight * trees.margin(features)
      case .linear(let linear): sum + component.weight * linear.margin(features)
      }
    }
  }

  /// What each group of features moved the margin by, the strongest first.
  package func contributions(_ features: [Float]) -> [LayerOpinion.Contribution] {
    var sums = [Double](repeating: 0, count: featureSet.count)
    for component in components {
      switch component.part {
      case .trees(let trees): trees.addContributions(features, weight: component.weight, to: &sums)
      case .linear(let linear): linear.addContributions(features, weight: component.weight, to: &sums)
      }
    }
    return featureSet.groups
      .map { group in
        let weight = sums[group.range].reduce(0, +)
        return LayerOpinion.Contribution(
          group: group.name, text: group.text, weight: (weight * 1_000).rounded() / 1_000)
      }
      .sorted { (abs($0.weight), $1.group) > (abs($1.weight), $0.group) }
  }
}

/// What a model says of itself: shown to admins, and kept with it wherever it goes.
package struct ModelCard: Hashable, Sendable {
  package struct Source: Hashable, Sendable {
    package var name: String
    package var licence: String
    /// `human` or `generated`.
    package var kind: String
    package var images: Int

    package init(name: String, licence: String, kind: String, images: Int) {
      self.name = name
      self.licence = licence
      self.kind = kind
      self.images = images
    }
  }

  /// How often human pictures of one kind reached a score.
  package struct FalseAlarms: Hashable, Sendable {
    package var category: String
    package var images: Int
    /// The score asked about, such as 0.995.
    package var score: Double
    /// 0...1.
    package var rate: Double

    package init(category: String, images: Int, score: Double, rate: Double) {
      self.category = category
      self.images = images
      self.score = score
      self.rate = rate
    }
  }

  /// Letters, digits, dot, dash and underscore: it goes into stored decisions.
  package var name: String
  package var version: String
  /// A day: `2026-11-21`.
  package var date: String
  /// How many crops of one picture are asked, 1...4.
  package var crops: Int
  /// SHA-256 of the list of training pictures, as hexadecimal text; empty when there is none.
  package var manifest: String
  package var sources: [Source]
  package var falseAlarms: [FalseAlarms]
  /// How it was made and what it can not do, for people.
  package var note: String

  package init(
    name: String, version: String, date: String, crops: Int = 4, manifest: String = "", sources: [Source] = [],
    falseAlarms: [FalseAlarms] = [], note: String = ""
  ) throws(ModelFailure) {
    let plain = { (text: String) in
      (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
          (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
    }
    guard plain(name), plain(version), plain(date), (1...4).contains(crops) else {
      throw .malformed("a name, version or date that is not plain, or a number of crops outside 1 to 4")
    }
    self.name = name
    self.version = version
    self.date = date
    self.crops = crops
    self.manifest = manifest
    self.sources = sources
    self.falseAlarms = falseAlarms
    self.note = note
  }

  /// The identifiers of what judged a picture, as stored with a decision.
  package var detector: String { "pixels/\(name)-\(version)" }
}
