import Crypto
import Forensics
import Foundation
import Primitives
import Testing

@Suite struct FeatureExtractorTests {
  private func features(_ samples: [UInt8], _ width: Int, _ height: Int, channels: Int = 3) throws -> [Float] {
    let found = TexturePictures.with(samples, width, height, channels: channels) {
      FeatureExtractor().features(of: .centre(width: width, height: height), in: $0)
    }
    return try #require(found ?? nil)
  }

  /// A thousandth of the value, and near zero the rounding of 32-bit sums; logarithms of power show that of 32-bit
  /// transforms where there is hardly any.
  private func expectEqual(_ found: [Float], _ wanted: [Float], _ name: String) {
    #expect(found.count == wanted.count)
    for group in FeatureSet.fs1.groups {
      let least: Float = group.name.hasSuffix("spectrum") ? 2e-4 : 2e-5
      let far = group.range.filter { abs(found[$0] - wanted[$0]) > max(1e-3 * abs(wanted[$0]), least) }
      #expect(far.isEmpty, "\(name) \(group.name): \(far.map { ($0, found[$0], wanted[$0]) })")
    }
  }

  @Test func `the features are those of the study's script`() throws {
    let noise = TexturePictures.samples(200, 168, .noise, seed: 7)
    expectEqual(try features(noise, 200, 168), FeatureVectors.noise, "noise")
    let grey = TexturePictures.samples(400, 390, .grey, seed: 11)
    expectEqual(try features(grey, 400, 390), FeatureVectors.grey, "grey")
    let shapes = TexturePictures.samples(180, 161, .shapes, seed: 3)
    expectEqual(try features(shapes, 180, 161), FeatureVectors.shapes, "shapes")
  }

  private static let golden = ProcessInfo.processInfo.environment["ATELIER_GOLDEN"]

  /// Real pictures, outside the repository: set `ATELIER_GOLDEN` to a folder with their `golden.json`.
  @Test(.enabled(if: golden != nil))
  func `the features of real pictures are those of the study's script`() throws {
    _ = Drawing.isReady
    let folder = URL(filePath: try #require(Self.golden))
    let entries = try JSON(parsing: [UInt8](try Data(contentsOf: folder.appending(path: "golden.json")))).array
    for entry in try #require(entries) {
      let name = try #require(entry["file"]?.string)
      guard name.hasSuffix(".png") else { continue }
      let picture = try Picture.decode([UInt8](try Data(contentsOf: folder.appending(path: name))), as: .png)
      let wanted = try #require((entry["features"] ?? entry["fs1"])?.array).compactMap { $0.double.map { Float($0) } }
      let samples = picture.withSamples { Array($0) }
      let found = try features(samples, picture.width, picture.height, channels: picture.bands)
      expectEqual(found, wanted, name)
    }
  }

  @Test func `one extractor gives the same again after a larger picture`() throws {
    let extractor = FeatureExtractor()
    func take(_ width: Int, _ height: Int, _ kind: TexturePictures.Kind) throws -> [Float] {
      let samples = TexturePictures.samples(width, height, kind, seed: 7)
      let found = TexturePictures.with(samples, width, height) {
        extractor.features(of: .centre(width: width, height: height), in: $0)
      }
      return try #require(found ?? nil)
    }
    let first = try take(200, 168, .noise)
    _ = try take(400, 390, .grey)
    #expect(try take(200, 168, .noise) == first)
  }

  @Test func `alpha lies over white`() throws {
    let rgb = TexturePictures.samples(180, 161, .noise, seed: 3)
    let opaque = TexturePictures.withAlpha(rgb) { _ in 255 }
    #expect(try features(opaque, 180, 161, channels: 4) == features(rgb, 180, 161))
    let hidden = TexturePictures.withAlpha(rgb) { _ in 0 }
    let white = [UInt8](repeating: 255, count: rgb.count)
    #expect(try features(hidden, 180, 161, channels: 4) == features(white, 180, 161))
  }

  @Test func `a flat picture has features and none is odd`() throws {
    for value in [UInt8(0), 77, 255] {
      let found = try features([UInt8](repeating: value, count: 384 * 384 * 3), 384, 384)
      #expect(found.count == 318)
      #expect(found.allSatisfy { $0.isFinite })
    }
  }

  @Test func `crops outside the picture or too small or large are refused`() throws {
    let samples = TexturePictures.samples(200, 168, .noise, seed: 7)
    let crops = [
      PixelCrop(x: 73, y: 0, width: 128, height: 128), PixelCrop(x: 0, y: 41, width: 128, height: 128),
      PixelCrop(x: -1, y: 0, width: 128, height: 128), PixelCrop(x: 0, y: 0, width: 127, height: 128),
      PixelCrop(x: .max, y: .max, width: .max, height: 128), PixelCrop(x: 0, y: 0, width: 385, height: 128),
    ]
    TexturePictures.with(samples, 200, 168) { samples in
      for crop in crops { #expect(FeatureExtractor().features(of: crop, in: samples) == nil, "\(crop)") }
      let inside = PixelCrop(x: 72, y: 40, width: 128, height: 128)
      #expect(FeatureExtractor().features(of: inside, in: samples) != nil)
    }
    #expect(TexturePictures.with(samples, 201, 168) { _ in } == nil)
  }

  @Test func `groups cover the features without gaps and speak to people`() {
    for set in FeatureSet.allCases {
      #expect(set.groups.flatMap { Array($0.range) } == Array(0..<set.count))
      #expect(set.groups.allSatisfy { !$0.text.isEmpty })
      #expect(Set(set.groups.map(\.name)).count == set.groups.count)
    }
  }

  /// The samples decide, so the decoder must be the one of the pictures a model was trained on.
  @Test func `JPEG is decoded to the samples that the study saw`() throws {
    _ = Drawing.isReady
    let bytes = try #require(Data(base64Encoded: ModelVectors.jpeg, options: .ignoreUnknownCharacters))
    let picture = try Picture.decode([UInt8](bytes), as: .jpeg)
    #expect(picture.width == 120 && picture.height == 88 && picture.bands == 3)
    #expect(picture.withSamples { Hex.encode(Array(SHA256.hash(data: Data($0)))) } == ModelVectors.jpegSamples)
  }
}
