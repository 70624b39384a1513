import Crypto
import Forensics
import Foundation
import Primitives
import Testing

@Suite struct DetectorModelTests {
  private static let rows: [[Float]] = {
    var rows: [[Float]] = []
    for row in 0..<4 {
      rows.append((0..<318).map { (feature: Int) -> Float in Float((37 * row + 17 * feature) % 101) / 50 - 1 })
    }
    rows.append([Float](repeating: 1e6, count: 318))
    rows.append([Float](repeating: -1e6, count: 318))
    return rows
  }()

  private func imported(_ edit: (String) -> String = { $0 }) throws -> TreeEnsemble {
    try TreeEnsemble(lightGBM: edit(ModelVectors.lightGBM), featureCount: 318)
  }

  @Test func `margins are the raw scores of LightGBM`() throws {
    let trees = try imported()
    #expect(trees.treeCount == 8)
    for (row, wanted) in zip(Self.rows, ModelVectors.margins) {
      #expect(abs(trees.margin(row) - wanted) < 1e-6)
    }
  }

  @Test(arguments: [
    ("decision_type=2 2", "decision_type=3 2"), ("decision_type=2 2", "decision_type=6 2"),
    ("left_child=2", "left_child=0"), ("left_child=2", "left_child=9"), ("left_child=2", "left_child=-9"),
    ("num_cat=0", "num_cat=1"), ("num_class=1", "num_class=2"), ("leaf_value=", "leaf_value=nan "),
    ("split_feature=", "split_feature=70000 "), ("split_feature=160", "split_feature=318"),
    ("threshold=", "threshold=x "), ("max_feature_idx=317", "max_feature_idx=318"), ("is_linear=0", "is_linear=1"),
  ])
  func `what is not read exactly is refused`(found: String, changed: String) throws {
    #expect(ModelVectors.lightGBM.contains(found))
    #expect(throws: ModelFailure.self) {
      try imported { $0.replacing(found, with: changed, maxReplacements: 1) }
    }
  }

  @Test func `contributions tell what each group moved, the strongest first`() throws {
    let model = try TestModel.make(linear: true)
    let found = model.contributions(Self.rows[1])
    #expect(found.count == FeatureSet.fs1.groups.count)
    #expect(zip(found, found.dropFirst()).allSatisfy { abs($0.weight) >= abs($1.weight) })
    // From the roots' means and the bias to the margin, the moves add up.
    let other = model.contributions(Self.rows[2])
    let moved = found.map(\.weight).reduce(0, +) - other.map(\.weight).reduce(0, +)
    #expect(abs(moved - (model.margin(Self.rows[1]) - model.margin(Self.rows[2]))) < 0.02)
  }

  // MARK: Calibration

  @Test func `the chance of a margin is exact where it matters and never too small elsewhere`() throws {
    var state: UInt64 = 1
    let margins = (0..<3_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 44) / 1_000
    }
    let calibration = try #require(Calibration(margins: margins + margins.prefix(200), images: 3_000, sources: 5))
    #expect(calibration.count == 3_200)
    #expect(calibration.knots.count <= Limits.calibrationKnots)
    var last = -1.0
    for margin in stride(from: -10.0, through: 1_060, by: 0.37) {
      let reaching = (margins + margins.prefix(200)).count { $0 >= margin }
      let exact = Double(1 + reaching) / 3_201
      #expect(calibration.chance(margin) >= exact)
      if reaching < 200 { #expect(calibration.chance(margin) <= exact + 2.0 / 3_201) }
      #expect(calibration.chance(margin) < exact + 0.01)
      #expect(calibration.score(margin) >= last)
      last = calibration.score(margin)
    }
    #expect(calibration.score(.infinity) == 1 - 1.0 / 3_201)
    #expect(calibration.score(-.infinity) == 0)
    #expect(calibration.score(.nan) == 0)
  }

  @Test func `few margins are kept one by one, and none make no calibration`() throws {
    let calibration = try #require(Calibration(margins: [3, 1, 2, 2], images: 4, sources: 1))
    #expect([0.5, 1, 1.5, 2, 2.5, 3, 3.5].map(calibration.reaching) == [4, 4, 3, 3, 2, 1, 0])
    #expect(Calibration(margins: [], images: 0, sources: 0) == nil)
    #expect(Calibration(margins: [1, .nan], images: 2, sources: 1) == nil)
  }

  // MARK: The file

  @Test func `pictures of few pixels are compared with pictures as small`() throws {
    let usual = try TestModel.make()
    let small = try #require(
      Calibration(margins: (0..<1_000).map { Double($0) / 1_000 - 4 }, images: 1_000, sources: 9))
    var model = try DetectorModel(
      card: usual.card, featureSet: usual.featureSet, components: usual.components, calibration: usual.calibration,
      smallCalibration: small)
    #expect(model.score(-3.5, shorterSide: 255) == small.score(-3.5))
    #expect(model.score(-3.5, shorterSide: 256) == usual.calibration.score(-3.5))
    #expect(usual.score(-3.5, shorterSide: 160) == usual.calibration.score(-3.5))
    let read = try DetectorModel(reading: model.bytes)
    #expect(read == model)
    #expect(read.bytes == model.bytes)
    // A collective's own calibration replaces both: the old one for small pictures belonged to the old one.
    model.calibration = small
    #expect(model.smallCalibration == nil)
  }

  @Test func `a file gives the same model and the same bytes again`() throws {
    for linear in [false, true] {
      let model = try TestModel.make(linear: linear)
      #expect(try DetectorModel(reading: model.bytes) == model)
      #expect(try DetectorModel(reading: model.bytes).bytes == model.bytes)
    }
  }

  @Test func `one flipped bit anywhere is found`() throws {
    let bytes = try TestModel.make().bytes
    for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 3_000)) {
      var damaged = bytes
      damaged[index] ^= 1 << (index % 8)
      #expect(throws: ModelFailure.checksum) { try DetectorModel(reading: damaged) }
    }
  }

  @Test func `a file that is cut short, long or another is told apart`() throws {
    let bytes = try TestModel.make().bytes
    for count in [8, 9, 47, 48, 100, bytes.count - 1] {
      #expect(throws: ModelFailure.checksum) { try DetectorModel(reading: Array(bytes.prefix(count))) }
    }
    #expect(throws: ModelFailure.unrecognized) { try DetectorModel(reading: []) }
    #expect(throws: ModelFailure.unrecognized) { try DetectorModel(reading: Array("tree\nversion=v4\n".utf8)) }
    #expect(throws: ModelFailure.checksum) { try DetectorModel(reading: bytes + [0]) }
    #expect(throws: ModelFailure.tooLarge) {
      try DetectorModel(reading: [UInt8](repeating: 0, count: Limits.modelFile + 1))
    }
  }

  /// With a checksum that fits, as somebody would who wants the reader to stumble.
  private func signed(_ body: [UInt8]) -> [UInt8] { body + Array(SHA256.hash(data: body)) }

  @Test func `another feature set or version is named`() throws {
    let body = Array(try TestModel.make().bytes.dropLast(32))
    let text = try #require(body.firstRange(of: Array("\"FS1\"".utf8)))
    var other = body
    other.replaceSubrange(text, with: Array("\"FS9\"".utf8))
    #expect(throws: ModelFailure.featureSet("FS9")) { try DetectorModel(reading: signed(other)) }
    other = body
    other[8] = 2
    #expect(throws: ModelFailure.version(2)) { try DetectorModel(reading: signed(other)) }
    #expect(throws: ModelFailure.self) { try DetectorModel(reading: signed(body + [0])) }
  }

  @Test func `whatever a signed file holds, it is refused or can be asked`() throws {
    let body = Array(try TestModel.make(linear: true).bytes.dropLast(32))
    var state: UInt64 = 7
    func chance(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var refused = 0
    for _ in 0..<3_000 {
      var changed = body
      for _ in 0...chance(3) { changed[16 + chance(changed.count - 16)] = UInt8(chance(256)) }
      if chance(4) == 0 { changed.removeLast(chance(changed.count - 16)) }
      do {
        let model = try DetectorModel(reading: signed(changed))
        for row in Self.rows { _ = model.calibration.score(model.margin(row)) }
        _ = model.contributions(Self.rows[0])
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1_000)
  }

  @Test func `branches that lead back or out are refused`() throws {
    func tree(_ left: [Int16], _ right: [Int16], features: [UInt16] = [0, 1]) throws {
      _ = try TreeEnsemble(
        [
          .init(
            features: features, thresholds: [0, 0], left: left, right: right, values: [0, 0], leaves: [1, 2, 3])
        ], featureCount: 318)
    }
    try tree([1, -1], [-2, -3])
    for (left, right): ([Int16], [Int16]) in [
      ([0, -1], [-2, -3]), ([1, 0], [-2, -3]), ([1, 1], [-2, -3]), ([2, -1], [-2, -3]), ([1, -1], [-2, -4]),
      ([1, .min], [-2, -3]), ([1], [-2, -3]),
    ] {
      #expect(throws: ModelFailure.self) { try tree(left, right) }
    }
    #expect(throws: ModelFailure.self) { try tree([1, -1], [-2, -3], features: [0, 318]) }
  }

  @Test func `a card holds plain names only`() {
    for name in ["", "a b", "ä", "a/b", "a\"b", String(repeating: "a", count: 65)] {
      #expect(throws: ModelFailure.self) { try ModelCard(name: name, version: "1", date: "2026-11-21") }
    }
    #expect(throws: ModelFailure.self) { try ModelCard(name: "a", version: "1", date: "2026-11-21", crops: 5) }
  }

  @Test func `what a trainer writes becomes a model`() throws {
    let calibration: JSON = ["margins": [0.5, -1, 2], "n_images": 3, "n_sources": 2]
    let card: JSON = [
      "name": "card", "feature_set": "FS1", "date": "2026-11-21", "figures": "none",
      "training": [
        "sources": [
          ["source": "x", "cls": "ai", "count": 2, "licence": "CC0"],
          ["source": "y", "cls": "human", "count": 5, "licence": "CC0"],
        ]
      ],
      "false_alarms_by_category": ["photo": ["n": 5, "fpr_0.005_P": 0.01, "fpr_0.005_J": 0]],
    ]
    var source = ModelImport(calibration: calibration, card: card, name: "other", version: "2", crops: 1)
    source.trees = [(ModelVectors.lightGBM, 0.5)]
    let model = try source.model()
    #expect(model.card.detector == "pixels/other-2")
    #expect(model.card.sources.map(\.kind) == ["generated", "human"])
    #expect(model.card.falseAlarms.map(\.category) == ["photo (as found)", "photo (half size, JPEG 75)"])
    #expect(model.calibration.count == 3)
    #expect(abs(model.margin(Self.rows[0]) - 0.5 * ModelVectors.margins[0]) < 1e-6)
    #expect(try DetectorModel(reading: model.bytes) == model)
  }
}
