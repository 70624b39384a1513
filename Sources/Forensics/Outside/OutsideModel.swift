import Primitives

/// What the admin said of a model from outside when adding it: how a picture is laid before it, and which of its
/// outputs speaks for generation. Models come without this knowledge in the file.
package struct OutsideModel: Codable, Hashable, Sendable {
  package enum Layout: String, Codable, Hashable, Sendable, CaseIterable {
    case channelsFirst = "nchw"
    case channelsLast = "nhwc"
  }

  /// Models of fine traces want native pixels, models of subjects the whole picture.
  package enum Fit: String, Codable, Hashable, Sendable, CaseIterable {
    case crop, resize
  }

  /// 1...40 of a-z, 0-9 and `-`: it is part of a file name.
  package var name: String
  /// SHA-256 of the file, in hex. Another file under the same name is not run.
  package var digest: String
  /// Of the square the model sees, in pixels.
  package var side: Int
  package var layout: Layout
  package var fit: Fit
  /// Samples run from 0 to 1; then these are taken away, and it is divided by those. Red, green, blue.
  package var mean: [Float]
  package var deviation: [Float]
  /// Which output speaks for generation.
  package var generated: Int

  package init(
    name: String, digest: String, side: Int, layout: Layout = .channelsFirst, fit: Fit = .crop,
    mean: [Float] = [0, 0, 0], deviation: [Float] = [1, 1, 1], generated: Int = 0
  ) throws(OutsideModelFailure) {
    self.name = name
    self.digest = digest
    self.side = side
    self.layout = layout
    self.fit = fit
    self.mean = mean
    self.deviation = deviation
    self.generated = generated
    if let problem { throw OutsideModelFailure(code: "onnx.description", text: problem) }
  }

  private var problem: String? {
    let isName = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 }
    if name.isEmpty || name.utf8.count > 40 || !name.utf8.allSatisfy(isName) {
      return "A detector's name is up to 40 of a-z, 0-9 and -."
    }
    if Hex.decode(digest)?.count != 32 || digest != digest.lowercased() {
      return "The digest of \(name) is no SHA-256 in hex."
    }
    if !Limits.outsideSides.contains(side) {
      let (least, most) = (Limits.outsideSides.lowerBound, Limits.outsideSides.upperBound)
      return "The side of \(name) must be \(least) to \(most) pixels."
    }
    if mean.count != 3 || deviation.count != 3 || !(mean + deviation).allSatisfy(\.isFinite)
      || deviation.contains(where: { abs($0) < 1e-6 })
    {
      return "Mean and deviation of \(name) are three numbers each, and no deviation is 0."
    }
    if !(0..<Limits.outsideOutputs).contains(generated) { return "\(name) can not have an output \(generated)." }
    return nil
  }

  /// Floats in the model's own order, from `side` × `side` RGB samples.
  func tensor(of samples: [UInt8], side: Int) -> [Float] {
    let area = side * side
    let scale = deviation.map { 1 / (255 * $0) }
    let shift = zip(mean, deviation).map { -$0 / $1 }
    return [Float](unsafeUninitializedCapacity: area * 3) { out, count in
      for pixel in 0..<area {
        for channel in 0..<3 {
          let place = layout == .channelsFirst ? channel * area + pixel : pixel * 3 + channel
          out[place] = Float(samples[pixel * 3 + channel]) * scale[channel] + shift[channel]
        }
      }
      count = area * 3
    }
  }

  func margin(of outputs: ArraySlice<Float>) throws(OutsideModelFailure) -> Double {
    guard outputs.indices.contains(generated) else {
      throw .wrongShape("\(name) answers \(outputs.count) numbers, and none is number \(generated).")
    }
    let others = outputs.enumerated().filter { $0.offset != generated }.map(\.element)
    let margin = Double(outputs[generated]) - Double(others.max() ?? 0)
    guard outputs.allSatisfy(\.isFinite), margin.isFinite else {
      throw OutsideModelFailure(code: "onnx.not_a_number", text: "\(name) answered something that is no number.")
    }
    return margin
  }
}

extension OutsideModel {
  /// As kept beside the model's file.
  package var json: JSON {
    JSON.members([
      "name": .string(name), "digest": .string(digest), "side": .integer(Int64(side)),
      "layout": .string(layout.rawValue), "fit": .string(fit.rawValue),
      "mean": .array(mean.map { .double(Double($0)) }), "deviation": .array(deviation.map { .double(Double($0)) }),
      "generated": .integer(Int64(generated)),
    ])
  }

  package init(reading json: JSON) throws(OutsideModelFailure) {
    func numbers(_ key: String) -> [Float]? { json[key]?.array?.compactMap { $0.double.map { Float($0) } } }
    guard let name = json["name"]?.string, let digest = json["digest"]?.string,
      let side = json["side"]?.integer.flatMap({ Int(exactly: $0) }),
      let layout = json["layout"]?.string.flatMap(Layout.init(rawValue:)),
      let fit = json["fit"]?.string.flatMap(Fit.init(rawValue:)), let mean = numbers("mean"),
      let deviation = numbers("deviation"), let generated = json["generated"]?.integer.flatMap({ Int(exactly: $0) })
    else {
      throw OutsideModelFailure(
        code: "onnx.description", text: "The description of a model from outside is incomplete.")
    }
    try self.init(
      name: name, digest: digest, side: side, layout: layout, fit: fit, mean: mean, deviation: deviation,
      generated: generated)
  }
}

extension Limits {
  /// Numbers a model from outside may answer for one picture.
  package static let outsideOutputs = 4_096
  package static let outsideSides = 16...1_024
  /// The file of a model from outside.
  package static let outsideModel = 64 << 20
}
