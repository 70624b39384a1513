import Primitives
import Testing

@Suite struct `A calibration of raw outputs` {
  private func made(_ raw: [Double]) throws -> RawCalibration {
    try #require(
      RawCalibration(detector: "http.test", model: "m1", date: "2026-11-21", raw: raw, sources: min(3, raw.count)))
  }

  /// The definition, by counting.
  private func counted(_ raw: Double, _ humans: [Double]) -> Double {
    1 - Double(1 + humans.count { $0 >= raw }) / Double(humans.count + 1)
  }

  @Test func `gives one minus the share of human pictures that reach an output`() throws {
    let humans = (0..<400).map { Double(($0 * 7_919) % 400) / 400 }
    let calibration = try made(humans)
    for raw in humans + [-1, 0.00001, 0.5003, 0.9999, 2] { #expect(calibration.score(raw) == counted(raw, humans)) }
    #expect(calibration.score(2) == 1 - 1.0 / 401)
    #expect(calibration.score(-1) == 0)
    #expect(calibration.score(.nan) == nil)
    #expect(calibration.score(.infinity) == nil)
  }

  @Test func `is exact at the top and never too high below when it is thinned`() throws {
    let humans = (0..<20_000).map { Double(($0 * 7_919) % 20_000) / 20_000 }
    let calibration = try made(humans)
    #expect(calibration.knots.count == Limits.calibrationKnots)
    for step in 0...1_000 {
      let raw = Double(step) / 1_000 + 0.000_013
      let score = try #require(calibration.score(raw))
      let truth = counted(raw, humans)
      #expect(score <= truth + 1e-12)
      #expect(raw < 0.99 || abs(score - truth) < 1e-12)
      #expect(truth - score < 0.005)
    }
  }

  @Test func `rises with the output and does not fall for equal ones`() throws {
    let calibration = try made([0.5, 0.5, 0.5, 0.1, 0.9, 0.9, 0.2])
    let scores = (0...100).compactMap { calibration.score(Double($0) / 100) }
    #expect(scores == scores.sorted())
    #expect(calibration.score(0.5) == 1 - 6.0 / 8)
  }

  @Test func `counts a picture that confuses the detector as the worst one`() throws {
    let calibration = try made([0.1, 0.2, .nan, 0.3])
    #expect(calibration.images == 4)
    #expect(calibration.score(0.3) == 1 - 3.0 / 5)
    #expect(RawCalibration(detector: "d", model: "m", date: "x", raw: [.nan], sources: 1) == nil)
  }

  @Test func `comes back from its file, and a changed file does not load`() throws {
    let calibration = try made((0..<900).map { Double($0) / 900 })
    #expect(RawCalibration(reading: calibration.json) == calibration)
    #expect(RawCalibration(reading: try JSON(parsing: calibration.json.bytes)) == calibration)
    for (key, value) in [
      ("images", .integer(3)), ("sources", .integer(0)), ("model", .string("")), ("knots", []), ("images", "900"),
      ("knots", [[0.5, 2], [0.4, 1]]), ("knots", [[0.5, 1], [0.6, 1]]), ("knots", [[0.5]]), ("detector", .null),
    ] as [(String, JSON)] {
      var broken = calibration.json
      broken[key] = value
      #expect(RawCalibration(reading: broken) == nil, "\(key)")
    }
  }
}
