import Primitives

/// Asks a model about a decoded picture. Keeps working memory: make one for each thread and reuse it.
package final class PixelDetector {
  /// Stable codes of having no opinion.
  package enum Reason {
    /// The shorter side is under 160 pixels.
    package static let tooSmall = "pixels.too_small"
    /// Nearly nothing but flat colour in every crop.
    package static let flat = "pixels.flat"
    /// A format whose own marks were never learned: a palette of 256 colours.
    package static let format = "pixels.format"
  }

  package static let detector = "pixels"
  /// Below it there is too little texture to measure.
  package static let shortestSide = 160
  /// Crops with more pixels that differ from their neighbour by less than a third of a step are not asked.
  package static let flatShare: Float = 0.93

  package let model: DetectorModel
  private let extractor = FeatureExtractor()

  package init(model: DetectorModel) {
    self.model = model
  }

  /// The median of the crops' margins decides: one odd corner accuses nobody.
  package func opinion(on samples: PixelSamples, format: ImageFormat) -> LayerOpinion {
    guard format != .gif else { return answer(.noOpinion(reason: Reason.format)) }
    guard min(samples.width, samples.height) >= Self.shortestSide else {
      return answer(.noOpinion(reason: Reason.tooSmall))
    }
    let asked = PixelCrop.chosen(from: samples, atMost: model.card.crops).compactMap { ask($0, samples) }
    guard let margin = Self.median(asked.map(\.margin)) else { return answer(.noOpinion(reason: Reason.flat)) }
    // Of the crop that decided, or the stronger of the two that did.
    let decisive = asked.min { (abs($0.margin - margin), $1.margin) < (abs($1.margin - margin), $0.margin) }
    return answer(
      .scored(model.score(margin, shorterSide: min(samples.width, samples.height))),
      Array((decisive.map { model.contributions($0.features) } ?? []).prefix(3)))
  }

  private func ask(_ crop: PixelCrop, _ samples: PixelSamples) -> (margin: Double, features: [Float])? {
    guard let features = extractor.features(of: crop, in: samples, model.featureSet), Self.isTextured(features) else {
      return nil
    }
    return (model.margin(features), features)
  }

  /// Whether the features of a crop, of any set, are worth an opinion. The trainer leaves out what is not.
  package static func isTextured(_ features: [Float]) -> Bool {
    guard let group = FeatureSet.fs1.groups.first(where: { $0.name == "flatness" }),
      features.indices.contains(group.range.lowerBound)
    else { return false }
    return features[group.range.lowerBound] <= flatShare
  }

  static func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    guard let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    if sorted.count % 2 == 1 { return sorted[middle] }
    return middle > 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : last
  }

  private func answer(
    _ outcome: LayerOpinion.Outcome, _ contributions: [LayerOpinion.Contribution] = []
  ) -> LayerOpinion {
    LayerOpinion(
      detector: Self.detector, model: model.card.name, version: model.card.version, date: model.card.date,
      outcome: outcome,
      calibration: .init(images: model.calibration.images, sources: model.calibration.sources),
      contributions: contributions)
  }

  // MARK: Heat

  /// Every place of the picture by itself, for a person who wants to see what was unusual where. The score of one
  /// tile is a weaker thing than that of the picture: of many human tiles some are always unusual.
  package func heat(of samples: PixelSamples) -> PixelHeat? {
    guard min(samples.width, samples.height) >= Self.shortestSide else { return nil }
    let tile = min(samples.width, samples.height) >= 576 ? FeatureExtractor.side : FeatureExtractor.shortest
    var step = tile / 2
    while places(samples.width, tile, step).count * places(samples.height, tile, step).count > Limits.heatTiles {
      step += tile / 2
    }
    let (columns, rows) = (places(samples.width, tile, step), places(samples.height, tile, step))
    let scores = rows.flatMap { y in
      columns.map { x in
        ask(PixelCrop(x: x, y: y, width: tile, height: tile), samples)
          .map { model.score($0.margin, shorterSide: tile) }
      }
    }
    return PixelHeat(
      width: samples.width, height: samples.height, tile: tile, columns: columns, rows: rows, scores: scores)
  }

  /// Where tiles begin: at even steps, and one that ends with the picture.
  private func places(_ length: Int, _ tile: Int, _ step: Int) -> [Int] {
    let last = max(0, length - tile)
    let even = Array(stride(from: 0, through: last, by: step))
    return even.last == last ? even : even + [last]
  }
}

/// Scores of overlapping square tiles.
package struct PixelHeat: Codable, Hashable, Sendable {
  /// Of the picture as stored, before orientation.
  package var width: Int
  package var height: Int
  /// The side of a tile.
  package var tile: Int
  /// The left edges of the tiles.
  package var columns: [Int]
  /// The upper edges.
  package var rows: [Int]
  /// Row by row; nil where the tile is flat.
  package var scores: [Double?]
}

extension PixelCrop {
  /// The largest crop in the middle.
  package static func centre(width: Int, height: Int) -> PixelCrop {
    let (w, h) = (min(width, FeatureExtractor.side), min(height, FeatureExtractor.side))
    return PixelCrop(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
  }

  /// The middle, then the places of most contrast that cover less than half of one another's sides. Places are half a
  /// crop apart; contrast is the variance of every fourth pixel of every fourth row.
  package static func chosen(from samples: PixelSamples, atMost count: Int) -> [PixelCrop] {
    let centre = PixelCrop.centre(width: samples.width, height: samples.height)
    let step = FeatureExtractor.side / 2
    func starts(_ length: Int, _ crop: Int) -> [Int] {
      let room = length - crop
      return stride(from: room % step / 2, through: room, by: step).map { $0 }
    }
    let candidates = starts(samples.height, centre.height).flatMap { y in
      starts(samples.width, centre.width).map { x in
        PixelCrop(x: x, y: y, width: centre.width, height: centre.height)
      }
    }
    guard count > 1, candidates.count > 1 else { return [centre] }
    let cells = ContrastCells(samples)
    let ranked = candidates.map { (crop: $0, contrast: cells.variance($0)) }
      .sorted { ($1.contrast, $0.crop.y, $0.crop.x) < ($0.contrast, $1.crop.y, $1.crop.x) }
    var out = [centre]
    for (crop, _) in ranked where out.count < count {
      let isNew = out.allSatisfy { abs($0.x - crop.x) >= step || abs($0.y - crop.y) >= step }
      if isNew { out.append(crop) }
    }
    return out
  }
}

/// Sums of brightness for every fourth pixel of every fourth row, so that any rectangle is four look-ups.
private struct ContrastCells {
  private let columns: Int
  private var sums: [Int]
  private var squares: [Int]

  init(_ samples: PixelSamples) {
    let (across, down) = ((samples.width + 3) / 4, (samples.height + 3) / 4)
    columns = across + 1
    sums = [Int](repeating: 0, count: columns * (down + 1))
    squares = sums
    for y in 0..<down {
      var (sum, square) = (0, 0)
      for x in 0..<across {
        let value = samples.brightness(x * 4, y * 4)
        sum += value
        square += value * value
        sums[(y + 1) * columns + x + 1] = sums[y * columns + x + 1] + sum
        squares[(y + 1) * columns + x + 1] = squares[y * columns + x + 1] + square
      }
    }
  }

  /// Times the square of the count, which is the same for crops of one size up to a row of cells.
  func variance(_ crop: PixelCrop) -> Double {
    let (left, top) = ((crop.x + 3) / 4, (crop.y + 3) / 4)
    let (right, bottom) = ((crop.x + crop.width + 3) / 4, (crop.y + crop.height + 3) / 4)
    func total(_ table: [Int]) -> Double {
      Double(
        table[bottom * columns + right] - table[top * columns + right] - table[bottom * columns + left]
          + table[top * columns + left])
    }
    let count = Double((right - left) * (bottom - top))
    let mean = total(sums) / count
    return total(squares) / count - mean * mean
  }
}
