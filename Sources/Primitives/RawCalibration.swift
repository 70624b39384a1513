/// How the raw outputs of a detector from outside become scores here: what human pictures of this place got from it.
///
/// A raw output means something only beside others of the same model, so a calibration names the model and says
/// nothing of any other. Only counts are kept, no picture and no name.
package struct RawCalibration: Hashable, Sendable {
  /// A raw output, and how many of the human pictures got it or more.
  package struct Knot: Hashable, Sendable {
    package let raw: Double
    package let reached: Int

    package init(raw: Double, reached: Int) {
      self.raw = raw
      self.reached = reached
    }
  }

  /// Such as `http.vendor`.
  package let detector: String
  /// As the detector names it.
  package let model: String
  /// The day it was made: `2026-11-21`.
  package let date: String
  /// Human pictures.
  package let images: Int
  /// The artists or collections they are from. Errors come by source, so few sources prove little.
  package let sources: Int
  /// By raw output, ascending; the highest ones without gaps.
  package let knots: [Knot]

  /// Nil unless it is whole: knots ascending in raw output and descending in count, within the number of pictures.
  package init?(detector: String, model: String, date: String, images: Int, sources: Int, knots: [Knot]) {
    let names = [detector, model, date]
    guard names.allSatisfy({ !$0.isEmpty && $0.utf8.count <= Limits.detectorName }), images >= 1,
      (1...images).contains(sources), !knots.isEmpty, knots.count <= Limits.calibrationKnots,
      knots.allSatisfy({ $0.raw.isFinite && (1...images).contains($0.reached) }),
      zip(knots, knots.dropFirst()).allSatisfy({ $0.raw < $1.raw && $0.reached > $1.reached })
    else { return nil }
    self.detector = detector
    self.model = model
    self.date = date
    self.images = images
    self.sources = sources
    self.knots = knots
  }

  /// From the raw outputs of human pictures; nil without a finite one. Outputs that are no number count as the
  /// highest: a picture that confuses a detector must not make it look safer.
  package init?(detector: String, model: String, date: String, raw: [Double], sources: Int) {
    let finite = raw.filter(\.isFinite).sorted()
    guard let highest = finite.last else { return nil }
    let sorted = finite + Array(repeating: highest, count: raw.count - finite.count)
    var knots: [Knot] = []
    for (place, value) in sorted.enumerated() where knots.last?.raw != value {
      knots.append(Knot(raw: value, reached: sorted.count - place))
    }
    self.init(
      detector: detector, model: model, date: date, images: sorted.count, sources: sources,
      knots: Self.thinned(knots))
  }

  /// Half of the knots for the highest outputs, where thresholds are; the rest evenly over what is below.
  private static func thinned(_ knots: [Knot]) -> [Knot] {
    guard knots.count > Limits.calibrationKnots else { return knots }
    let half = Limits.calibrationKnots / 2
    let below = knots.count - half
    let chosen = (0..<half).map { knots[$0 * below / half] }
    return chosen + knots.suffix(half)
  }

  /// 1 minus the share of human pictures that got `raw` or more, counting the picture itself among them: never more
  /// than the pictures can show, and between two knots never too high. Nil for what is no number.
  package func score(_ raw: Double) -> Double? {
    guard raw.isFinite else { return nil }
    let after = knots.firstIndex { $0.raw > raw } ?? knots.endIndex
    let reached: Int
    if after == knots.startIndex {
      reached = images
    } else {
      let knot = knots[after - 1]
      reached = knot.raw == raw ? knot.reached : after == knots.endIndex ? 0 : knot.reached - 1
    }
    return 1 - Double(1 + reached) / Double(images + 1)
  }
}

extension RawCalibration {
  /// As kept on disk.
  package var json: JSON {
    [
      "detector": .string(detector), "model": .string(model), "date": .string(date),
      "images": .integer(Int64(images)), "sources": .integer(Int64(sources)),
      "knots": .array(knots.map { [.double($0.raw), .integer(Int64($0.reached))] }),
    ]
  }

  /// Nil for anything but what `json` writes.
  package init?(reading json: JSON) {
    guard let detector = json["detector"]?.string, let model = json["model"]?.string,
      let date = json["date"]?.string, let images = json["images"]?.integer.flatMap({ Int(exactly: $0) }),
      let sources = json["sources"]?.integer.flatMap({ Int(exactly: $0) }), let list = json["knots"]?.array
    else { return nil }
    let knots = list.compactMap { item -> Knot? in
      guard let pair = item.array, pair.count == 2, let raw = pair[0].double,
        let reached = pair[1].integer.flatMap({ Int(exactly: $0) })
      else { return nil }
      return Knot(raw: raw, reached: reached)
    }
    guard knots.count == list.count else { return nil }
    self.init(detector: detector, model: model, date: date, images: images, sources: sources, knots: knots)
  }
}

extension Limits {
  package static let calibrationKnots = 512
  /// Bytes of a detector's or a model's name.
  package static let detectorName = 120
}
