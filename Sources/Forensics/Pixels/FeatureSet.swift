/// A fixed, versioned list of numbers that are taken from one crop. A model belongs to exactly one.
package enum FeatureSet: String, Codable, Hashable, Sendable, CaseIterable {
  /// The 318 features of texture, noise and spectrum that the study of our baseline describes.
  case fs1 = "FS1"
  /// Those, and 296 more: wavelets, contrast by its surroundings, the spectrum at half size, colours.
  case fs2 = "FS2"

  package var count: Int {
    switch self {
    case .fs1: 318
    case .fs2: 614
    }
  }

  /// Without gaps, in the order of the features.
  package var groups: [FeatureGroup] {
    switch self {
    case .fs1: FeatureGroup.fs1
    case .fs2: FeatureGroup.fs2
    }
  }
}

/// Neighbouring features that look at one thing, so that a reason can be told to a person.
package struct FeatureGroup: Hashable, Sendable {
  /// A stable code.
  package let name: String
  package let range: Range<Int>
  /// What the group looks at, as a phrase that stands alone.
  package let text: String

  static let fs1: [FeatureGroup] = {
    var start = 0
    func group(_ name: String, _ count: Int, _ text: String) -> FeatureGroup {
      defer { start += count }
      return FeatureGroup(name: name, range: start..<start + count, text: text)
    }
    return [
      group("residual_moments", 12, "how strong and how spiky the finest detail is, in brightness and in colour"),
      group("channel_correlation", 6, "how alike the finest detail is in red, green and blue"),
      group("gradients", 12, "how steep the steps between neighbouring pixels are"),
      group("flatness", 8, "how much of the picture is exactly or nearly flat"),
      group("local_noise", 12, "how the noise level differs from place to place"),
      group("co_occurrence", 117, "which patterns of fine detail follow one another"),
      group("local_patterns", 20, "how often edges, corners, spots and smooth places occur at the smallest scale"),
      group("autocorrelation", 21, "how fine detail repeats at distances of one to eight pixels"),
      group("brightness_spectrum", 51, "how the detail of brightness is spread from coarse to fine"),
      group("colour_spectrum", 51, "how the noise of colour is spread from coarse to fine"),
      group("grid_energy", 8, "traces of an eight-pixel grid, as compression and decoders leave it"),
    ]
  }()

  static let fs2: [FeatureGroup] = {
    var start = fs1.last?.range.upperBound ?? 0
    func group(_ name: String, _ count: Int, _ text: String) -> FeatureGroup {
      defer { start += count }
      return FeatureGroup(name: name, range: start..<start + count, text: text)
    }
    return fs1 + [
      group("wavelets", 39, "how detail at one scale follows from detail at the next, and colour from brightness"),
      group("local_contrast", 100, "how pixels differ from their surroundings once contrast is evened out"),
      group("half_size_spectrum", 134, "how the detail of the picture at half its size is spread and directed"),
      group("colours", 23, "how many colours there are and how brightness and saturation are distributed"),
    ]
  }()
}
