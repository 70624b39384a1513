import Forensics
import Foundation
import Primitives
import Testing

@Suite struct PixelDetectorTests {
  private func opinion(
    _ width: Int, _ height: Int, _ kind: TexturePictures.Kind = .noise, _ format: ImageFormat = .png
  ) throws -> LayerOpinion {
    let detector = PixelDetector(model: try TestModel.make())
    let samples = TexturePictures.samples(width, height, kind, seed: 9)
    return try #require(
      TexturePictures.with(samples, width, height) { detector.opinion(on: $0, format: format) })
  }

  @Test func `a picture of enough texture gets a score, three reasons, and the model's name`() throws {
    let found = try opinion(400, 300)
    let score = try #require(found.outcome.score)
    #expect((0..<1).contains(score))
    #expect(found.contributions.count == 3)
    #expect(found.detector == "pixels" && found.model == "test" && found.version == "1")
    #expect(found.calibration == .init(images: 1_000, sources: 20))
  }

  @Test func `what cannot be judged gets no opinion with its reason, never a low score`() throws {
    #expect(try opinion(159, 400).outcome == .noOpinion(reason: "pixels.too_small"))
    #expect(try opinion(1, 1).outcome == .noOpinion(reason: "pixels.too_small"))
    #expect(try opinion(400, 300, .noise, .gif).outcome == .noOpinion(reason: "pixels.format"))
    let white = [UInt8](repeating: 255, count: 400 * 400 * 3)
    let detector = PixelDetector(model: try TestModel.make())
    let flat = TexturePictures.with(white, 400, 400) { detector.opinion(on: $0, format: .png).outcome }
    #expect(flat == .noOpinion(reason: "pixels.flat"))
  }

  @Test func `the middle is asked first, then places of contrast that hardly overlap`() throws {
    // Bright noise in one corner of a large dark picture.
    let (width, height) = (1_600, 1_200)
    var samples = [UInt8](repeating: 20, count: width * height * 3)
    for y in 800..<1_200 {
      for x in 1_200..<1_600 { samples[(y * width + x) * 3] = UInt8((x * 7 + y * 13) % 256) }
    }
    let crops = try #require(TexturePictures.with(samples, width, height) { PixelCrop.chosen(from: $0, atMost: 4) })
    #expect(crops.count == 4)
    #expect(crops[0] == PixelCrop(x: 608, y: 408, width: 384, height: 384))
    #expect(crops[1].x >= 1_100 && crops[1].y >= 700)
    for (index, crop) in crops.enumerated() {
      for other in crops[..<index] { #expect(abs(crop.x - other.x) >= 192 || abs(crop.y - other.y) >= 192) }
      #expect(crop.x + 384 <= width && crop.y + 384 <= height)
    }
    let one = TexturePictures.with(samples, width, height) { PixelCrop.chosen(from: $0, atMost: 1) }
    #expect(one == [crops[0]])
    let small = TexturePictures.samples(300, 200, .noise, seed: 1)
    let whole = TexturePictures.with(small, 300, 200) { PixelCrop.chosen(from: $0, atMost: 4) }
    #expect(whole == [PixelCrop(x: 0, y: 0, width: 300, height: 200)])
  }

  @Test func `heat covers the picture, and every tile has a score or none`() throws {
    let detector = PixelDetector(model: try TestModel.make())
    for (width, height) in [(160, 700), (600, 900), (385, 200)] {
      let samples = TexturePictures.samples(width, height, .noise, seed: 9)
      let heat = try #require(
        TexturePictures.with(samples, width, height) { detector.heat(of: $0) } ?? nil)
      #expect(heat.scores.count == heat.columns.count * heat.rows.count)
      #expect(heat.columns.first == 0 && heat.columns.last == width - heat.tile)
      #expect(heat.rows.first == 0 && heat.rows.last == height - heat.tile)
      #expect(heat.scores.allSatisfy { $0.map((0..<1).contains) ?? true })
    }
  }

  // MARK: Whole pictures

  private func process(_ file: [UInt8], _ model: DetectorModel) throws -> Assessment {
    try MediaWork.process(file, .look, detector: PixelDetector(model: model)).report.assessment
  }

  private func noise(_ width: Int = 400, _ height: Int = 300) throws -> [UInt8] {
    _ = Drawing.isReady
    let samples = TexturePictures.samples(width, height, .noise, seed: 9)
    return try Picture.from(samples: samples, width: width, height: height, bands: 3).encoded(as: .png, quality: 1)
  }

  @Test func `every picture with an opinion has a number, and both layers are named`() throws {
    let found = try process(try noise(), try TestModel.make())
    #expect(found.opinion.score == found.layers.first?.outcome.score)
    #expect(found.detector == "\(Assessment.evidenceDetector)+pixels/test-1")
    let small = try process(try noise(100, 100), try TestModel.make())
    #expect(small.opinion == .inconclusive)
    #expect(small.verdict == .none)
  }

  @Test func `an unusual texture is one weak finding in plain words`() throws {
    // Every human picture of this calibration looks less generated than any picture can.
    let odd = try process(try noise(), try TestModel.make(margins: (0..<400).map { Double($0) / 1_000 - 90 }))
    #expect(odd.verdict == .likely)
    let evidence = try #require(odd.evidence.first)
    #expect(evidence.kind == "pixels.texture" && evidence.strength == .weak && evidence.implies == .generated)
    #expect(
      evidence.text
        == "Fine-texture statistics are unusual: about 2 in 1,000 known human-made pictures look this way. "
        + "This is not proof.")
    let plain = try process(try noise(), try TestModel.make(margins: (0..<400).map { Double($0) / 1_000 + 90 }))
    #expect(plain.opinion == .concluded(score: 0))
    #expect(plain.evidence.isEmpty)
  }

  @Test func `odd but lawful files are scored or not, and never end the process`() throws {
    let model = try TestModel.make()
    let picture = try Picture.from(
      samples: TexturePictures.withAlpha(TexturePictures.samples(300, 300, .noise, seed: 2)) { UInt8($0 % 256) },
      width: 300, height: 300, bands: 4)
    let files: [(String, [UInt8], Bool)] = [
      ("1x1", try noise(1, 1), false), ("1 wide", try noise(1, 900), false), ("long", try noise(160, 4_000), true),
      ("cmyk", try Drawing.encode(width: 300, height: 300, bands: 3, bits: 8, format: 1, convertTo: "cmyk"), true),
      ("16 bit", try Drawing.encode(width: 300, height: 300, bands: 3, bits: 16, format: 2, profile: "p3"), true),
      ("grey", try Drawing.encode(width: 300, height: 300, bands: 1, bits: 8, format: 2), true),
      ("alpha", try picture.encoded(as: .png, quality: 1), true),
      ("webp", try picture.encoded(as: .webp, quality: 80), true),
      ("gif", Drawing.gif(width: 300, height: 200), false),
    ]
    for (name, file, hasScore) in files {
      let found = try process(file, model)
      #expect((found.opinion.score != nil) == hasScore, "\(name): \(found.layers.map(\.outcome))")
    }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["ATELIER_BENCH"] != nil))
  func `what a picture costs, by size`() throws {
    let detector = PixelDetector(model: try DetectorModel.shipped())
    for (width, height) in [(384, 384), (1_200, 850), (2_400, 1_700), (4_200, 2_900)] {
      let samples = TexturePictures.samples(width, height, .noise, seed: 9)
      let file = try Picture.from(samples: samples, width: width, height: height, bands: 3)
        .encoded(as: .jpeg, quality: 90)
      let rounds = 10
      var times = (decode: 0.0, score: 0.0, all: 0.0)
      for _ in 0..<rounds {
        times.decode += try milliseconds { _ = try Picture.decode(file, as: .jpeg) }
        let stored = try Picture.decode(file, as: .jpeg)
        times.score += milliseconds {
          _ = stored.withSamples { samples in
            PixelSamples(samples, width: width, height: height, channels: stored.bands)
              .map { detector.opinion(on: $0, format: .jpeg) }
          }
        }
        times.all += try milliseconds { _ = try MediaWork.process(file, .look, detector: detector) }
      }
      let (decode, score, all) = (times.decode / 10, times.score / 10, times.all / 10)
      print("\(width)x\(height): decode \(decode) ms, pixel opinion \(score) ms, bytes to report \(all) ms of CPU")
    }
  }

  /// Processor time of this process.
  private func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let start = clock()
    try body()
    return Double(clock() - start) * 1_000 / Double(CLOCKS_PER_SEC)
  }
}
