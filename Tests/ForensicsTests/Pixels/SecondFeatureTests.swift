import Forensics
import Foundation
import Primitives
import Testing

@Suite struct SecondFeatureTests {
  private func features(
    _ samples: [UInt8], _ width: Int, _ height: Int, channels: Int = 3, _ set: FeatureSet = .fs2
  ) throws -> [Float] {
    let found = TexturePictures.with(samples, width, height, channels: channels) {
      FeatureExtractor().features(of: .centre(width: width, height: height), in: $0, set)
    }
    return try #require(found ?? nil)
  }

  private func expectEqual(_ found: [Float], _ wanted: [Float], _ name: String) {
    #expect(found.count == FeatureSet.fs2.count)
    #expect(wanted.count == FeatureSet.fs2.count - FeatureSet.fs1.count)
    for group in FeatureSet.fs2.groups where group.range.lowerBound >= FeatureSet.fs1.count {
      let far = group.range.filter {
        let other = wanted[$0 - FeatureSet.fs1.count]
        return abs(found[$0] - other) > 1e-3 * (1 + abs(other))
      }
      #expect(far.isEmpty, "\(name) \(group.name): \(far.map { ($0, found[$0], wanted[$0 - 318]) })")
    }
  }

  @Test(arguments: 0..<6)
  func `the numbers and the margin are those of the study's script`(_ index: Int) throws {
    let (samples, width, height) = TexturePictures.synthetic(index)
    let found = try features(samples, width, height)
    expectEqual(found, SecondFeatureVectors.all[index], "picture \(index)")
    #expect(abs(try DetectorModel.shipped().margin(found) - SecondFeatureVectors.margins[index]) < 1e-4)
  }

  private static let golden = ProcessInfo.processInfo.environment["ATELIER_GOLDEN"]

  /// Real pictures, outside the repository: set `ATELIER_GOLDEN` to a folder with their `golden.json`.
  @Test(.enabled(if: golden != nil))
  func `the numbers and the margins of real pictures are those of the study's script`() throws {
    _ = Drawing.isReady
    let model = try DetectorModel.shipped()
    let folder = URL(filePath: try #require(Self.golden))
    let entries = try JSON(parsing: [UInt8](try Data(contentsOf: folder.appending(path: "golden.json")))).array
    var seen = 0
    for entry in try #require(entries) {
      let name = try #require(entry["file"]?.string)
      guard name.hasSuffix(".png"), let wanted = entry["fs2"]?.array else { continue }
      let picture = try Picture.decode([UInt8](try Data(contentsOf: folder.appending(path: name))), as: .png)
      let found = try features(
        picture.withSamples { Array($0) }, picture.width, picture.height, channels: picture.bands)
      expectEqual(found, wanted.compactMap { $0.double.map { Float($0) } }, name)
      #expect(abs(model.margin(found) - (try #require(entry["margin"]?.double))) < 1e-4, "\(name)")
      seen += 1
    }
    #expect(seen > 0)
  }

  @Test func `the first numbers of the second set are the first set`() throws {
    let noise = TexturePictures.samples(200, 168, .noise, seed: 7)
    #expect(try Array(features(noise, 200, 168).prefix(318)) == features(noise, 200, 168, .fs1))
  }

  @Test func `one extractor gives the same again after a larger picture and another set`() throws {
    let extractor = FeatureExtractor()
    func take(_ index: Int, _ set: FeatureSet) throws -> [Float] {
      let (samples, width, height) = TexturePictures.synthetic(index)
      let found = TexturePictures.with(samples, width, height) {
        extractor.features(of: .centre(width: width, height: height), in: $0, set)
      }
      return try #require(found ?? nil)
    }
    let first = try take(0, .fs2)
    _ = try take(5, .fs1)
    _ = try take(4, .fs2)
    #expect(try take(0, .fs2) == first)
  }

  @Test func `the smallest and the flattest crops have finite numbers`() throws {
    for (width, height) in [(128, 128), (129, 384), (384, 131)] {
      let found = try features(
        TexturePictures.samples(width, height, .shapes, seed: 5), width, height)
      #expect(found.count == 614 && found.allSatisfy { $0.isFinite })
    }
    for value in [UInt8(0), 255] {
      let found = try features([UInt8](repeating: value, count: 160 * 160 * 3), 160, 160)
      #expect(found.count == 614 && found.allSatisfy { $0.isFinite })
    }
  }

  @Test func `the shipped model reads the second set and says what it learned from`() throws {
    let model = try DetectorModel.shipped()
    #expect(model.featureSet == .fs2)
    #expect(model.calibration.images >= 3_000 && model.smallCalibration != nil)
    #expect(model.card.sources.count > 80 && model.card.falseAlarms.count > 40 && !model.card.note.isEmpty)
    let (samples, width, height) = TexturePictures.synthetic(3)
    let names = model.contributions(try features(samples, width, height)).map(\.group)
    #expect(Set(names) == Set(FeatureSet.fs2.groups.map(\.name)))
  }
}
