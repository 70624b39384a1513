import Crypto
import Primitives

/// The file of a model, `.aidet`. All numbers little-endian.
///
/// 1. 8 bytes: `89 41 49 44 45 54 0D 0A`, `.AIDET` with a line end that a text transfer would break
/// 2. 4 bytes: version, 1
/// 3. 4 bytes: length of the header
/// 4. header: a JSON object
/// 5. the lists of each component in order. Of trees: the node count of each (UInt16); then feature (UInt16), threshold
///    (Float32), left, right (Int16) and value (Float32) of every node; every leaf (Float32). Of a linear part: means,
///    scales and weights (Float32), bias and bound (Float64)
/// 6. calibration: margins (Float64), then how many reach each (UInt32); that for small crops, if there is one
/// 7. 32 bytes: SHA-256 of everything before
extension DetectorModel {
  package static let magic: [UInt8] = [0x89, 0x41, 0x49, 0x44, 0x45, 0x54, 0x0D, 0x0A]

  package init(reading bytes: [UInt8]) throws(ModelFailure) {
    guard bytes.count <= Limits.modelFile else { throw .tooLarge }
    let start = zip(bytes, Self.magic).count { $0 == $1 }
    // One damaged byte in the first eight is damage, not another kind of file.
    guard start >= Self.magic.count - 1 else { throw .unrecognized }
    let body = bytes.dropLast(SHA256.byteCount)
    guard bytes.count >= 16 + SHA256.byteCount, Array(SHA256.hash(data: body)) == bytes.suffix(SHA256.byteCount) else {
      throw .checksum
    }
    var reader = ModelReader(body.dropFirst(Self.magic.count))
    let version = try reader.count()
    guard version == 1 else { throw .version(version) }
    let header = try reader.header()
    let set = try header.text("feature_set")
    guard let featureSet = FeatureSet(rawValue: set) else { throw .featureSet(set) }
    var components: [Component] = []
    for part in try header.list("components", atMost: Limits.modelParts) {
      components.append(Component(try reader.part(part, featureSet), weight: try part.number("weight")))
    }
    let calibration = try reader.calibration(try header.member("calibration"))
    let hasSmall = header.json["small_calibration"] != nil
    let small = hasSmall ? try reader.calibration(try header.member("small_calibration")) : nil
    guard reader.isAtEnd else { throw .malformed("bytes behind the end") }
    try self.init(
      card: try ModelCard(header), featureSet: featureSet, components: components, calibration: calibration,
      smallCalibration: small)
  }

  /// The same model always gives the same bytes.
  package var bytes: [UInt8] {
    var lists: [UInt8] = []
    var parts: [JSON] = []
    for component in components {
      switch component.part {
      case .trees(let trees):
        parts.append([
          "kind": "trees", "weight": .double(component.weight), "trees": .integer(Int64(trees.treeCount)),
        ])
        trees.append(to: &lists)
      case .linear(let linear):
        parts.append(["kind": "linear", "weight": .double(component.weight)])
        for list in [linear.means, linear.scales, linear.weights] { list.append(to: &lists) }
        [linear.bias, linear.bound].append(to: &lists)
      }
    }
    for table in [calibration, smallCalibration].compactMap({ $0 }) {
      table.knots.append(to: &lists)
      table.reaching.append(to: &lists)
    }
    var header = card.json
    header["feature_set"] = .string(featureSet.rawValue)
    header["components"] = .array(parts)
    header["calibration"] = calibration.header
    if let smallCalibration { header["small_calibration"] = smallCalibration.header }
    let text = header.bytes
    var out = Self.magic
    [UInt32(1), UInt32(clamping: text.count)].append(to: &out)
    out += text + lists
    return out + Array(SHA256.hash(data: out))
  }
}

extension Calibration {
  fileprivate var header: JSON {
    [
      "scores": .integer(Int64(count)), "images": .integer(Int64(images)), "sources": .integer(Int64(sources)),
      "knots": .integer(Int64(knots.count)),
    ]
  }
}

/// Numbers that stand in lists, little-endian.
private protocol ListNumber {
  associatedtype Bits: FixedWidthInteger
  var listBits: Bits { get }
  init(listBits: Bits)
}

extension UInt16: ListNumber {
  var listBits: UInt16 { self }
  init(listBits: UInt16) { self = listBits }
}
extension Int16: ListNumber {
  var listBits: Int16 { self }
  init(listBits: Int16) { self = listBits }
}
extension UInt32: ListNumber {
  var listBits: UInt32 { self }
  init(listBits: UInt32) { self = listBits }
}
extension Float: ListNumber {
  var listBits: UInt32 { bitPattern }
  init(listBits: UInt32) { self.init(bitPattern: listBits) }
}
extension Double: ListNumber {
  var listBits: UInt64 { bitPattern }
  init(listBits: UInt64) { self.init(bitPattern: listBits) }
}

extension Array where Element: ListNumber {
  fileprivate func append(to bytes: inout [UInt8]) {
    for value in self { Swift.withUnsafeBytes(of: value.listBits.littleEndian) { bytes.append(contentsOf: $0) } }
  }
}

extension TreeEnsemble {
  fileprivate func append(to bytes: inout [UInt8]) {
    nodeCounts.append(to: &bytes)
    features.append(to: &bytes)
    thresholds.append(to: &bytes)
    left.append(to: &bytes)
    right.append(to: &bytes)
    values.append(to: &bytes)
    leaves.append(to: &bytes)
  }
}

/// Takes lists from the front of what is left. Nothing is allocated that the bytes do not hold.
private struct ModelReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func list<Number: ListNumber>(_ count: Int) throws(ModelFailure) -> [Number] {
    let width = Number.Bits.bitWidth / 8
    let (size, overflowed) = count.multipliedReportingOverflow(by: width)
    guard count >= 0, !overflowed, let part = rest.part(0, size) else {
      throw .malformed("a list that ends early")
    }
    rest = rest.dropFirst(size)
    return part.withUnsafeBytes { raw in
      (0..<count).map {
        Number(listBits: Number.Bits(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * width, as: Number.Bits.self)))
      }
    }
  }

  mutating func count() throws(ModelFailure) -> Int {
    let numbers: [UInt32] = try list(1)
    return Int(numbers.first ?? 0)
  }

  mutating func header() throws(ModelFailure) -> ModelHeader {
    let length = try count()
    guard length <= Limits.modelHeader, let text = rest.part(0, length) else {
      throw .malformed("a header that ends early")
    }
    rest = rest.dropFirst(length)
    do {
      return ModelHeader(json: try JSON(parsing: text))
    } catch {
      throw .malformed("a header that is no JSON")
    }
  }

  mutating func calibration(_ header: ModelHeader) throws(ModelFailure) -> Calibration {
    let knots = try header.count("knots", atMost: Limits.calibrationKnots)
    return try Calibration(
      knots: try list(knots), reaching: try list(knots), images: try header.count("images"),
      sources: try header.count("sources"))
  }

  mutating func part(_ header: ModelHeader, _ set: FeatureSet) throws(ModelFailure) -> DetectorModel.Part {
    let kind = try header.text("kind")
    switch kind {
    case "trees": return .trees(try trees(try header.count("trees", atMost: Limits.modelTrees), set))
    case "linear":
      let (means, scales, weights): ([Float], [Float], [Float]) =
        (try list(set.count), try list(set.count), try list(set.count))
      let ends: [Double] = try list(2)
      return .linear(
        try LinearScorer(
          means: means, scales: scales, weights: weights, bias: ends[0], bound: ends[1], featureCount: set.count))
    default: throw .malformed("a part of the unknown kind \"\(kind.prefix(40))\"")
    }
  }

  private mutating func trees(_ count: Int, _ set: FeatureSet) throws(ModelFailure) -> TreeEnsemble {
    let counts: [UInt16] = try list(count)
    let nodes = counts.reduce(0) { $0 + Int($1) }
    let (features, thresholds): ([UInt16], [Float]) = (try list(nodes), try list(nodes))
    let (left, right): ([Int16], [Int16]) = (try list(nodes), try list(nodes))
    let (values, leaves): ([Float], [Float]) = (try list(nodes), try list(nodes + count))
    var trees: [TreeEnsemble.Tree] = []
    var (node, leaf) = (0, 0)
    for size in counts.map(Int.init) {
      let part = node..<node + size
      trees.append(
        TreeEnsemble.Tree(
          features: Array(features[part]), thresholds: Array(thresholds[part]), left: Array(left[part]),
          right: Array(right[part]), values: Array(values[part]), leaves: Array(leaves[leaf...leaf + size])))
      node += size
      leaf += size + 1
    }
    return try TreeEnsemble(trees, featureCount: set.count)
  }
}

/// Members of a header, each demanded with its type.
struct ModelHeader {
  let json: JSON

  func text(_ key: String) throws(ModelFailure) -> String {
    guard let value = json[key]?.string else { throw .malformed("no text \"\(key)\" in the header") }
    return value
  }

  func number(_ key: String) throws(ModelFailure) -> Double {
    guard let value = json[key]?.double, value.isFinite else { throw .malformed("no number \"\(key)\" in the header") }
    return value
  }

  func count(_ key: String, atMost most: Int = 1 << 40) throws(ModelFailure) -> Int {
    guard let value = json[key]?.integer, let count = Int(exactly: value), (0...most).contains(count) else {
      throw .malformed("no count \"\(key)\" in the header, or one out of bounds")
    }
    return count
  }

  func member(_ key: String) throws(ModelFailure) -> ModelHeader {
    guard let value = json[key], value.object != nil else { throw .malformed("no object \"\(key)\" in the header") }
    return ModelHeader(json: value)
  }

  func list(_ key: String, atMost most: Int) throws(ModelFailure) -> [ModelHeader] {
    guard let values = json[key]?.array, values.count <= most else {
      throw .malformed("no list \"\(key)\" in the header, or one too long")
    }
    return values.map { ModelHeader(json: $0) }
  }
}

extension ModelCard {
  init(_ header: ModelHeader) throws(ModelFailure) {
    var sources: [Source] = []
    for source in try header.list("sources", atMost: 10_000) {
      sources.append(
        Source(
          name: try source.text("name"), licence: try source.text("licence"), kind: try source.text("kind"),
          images: try source.count("images")))
    }
    var alarms: [FalseAlarms] = []
    for alarm in try header.list("false_alarms", atMost: 10_000) {
      alarms.append(
        FalseAlarms(
          category: try alarm.text("category"), images: try alarm.count("images"), score: try alarm.number("score"),
          rate: try alarm.number("rate")))
    }
    try self.init(
      name: try header.text("name"), version: try header.text("version"), date: try header.text("date"),
      crops: try header.count("crops", atMost: 4), manifest: try header.text("manifest"), sources: sources,
      falseAlarms: alarms, note: try header.text("note"))
  }

  package var json: JSON {
    [
      "name": .string(name), "version": .string(version), "date": .string(date), "crops": .integer(Int64(crops)),
      "manifest": .string(manifest),
      "sources": .array(
        sources.map {
          [
            "name": .string($0.name), "licence": .string($0.licence), "kind": .string($0.kind),
            "images": .integer(Int64($0.images)),
          ]
        }),
      "false_alarms": .array(
        falseAlarms.map {
          [
            "category": .string($0.category), "images": .integer(Int64($0.images)), "score": .double($0.score),
            "rate": .double($0.rate),
          ]
        }),
      "note": .string(note),
    ]
  }
}
