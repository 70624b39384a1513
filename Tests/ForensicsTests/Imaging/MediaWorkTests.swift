import CVips
import Forensics
import Primitives
import Testing

@Suite struct MediaWorkTests {
  static let mining = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"

  private func process(_ bytes: [UInt8], _ options: MediaOptions = MediaOptions()) throws -> ProcessedMedia {
    _ = Drawing.isReady
    return try MediaWork.process(bytes, options)
  }

  private func refusal(_ bytes: [UInt8], _ options: MediaOptions = MediaOptions()) -> String {
    do {
      _ = try process(bytes, options)
      return "accepted"
    } catch let refusal as MediaRefusal {
      #expect(!refusal.text.isEmpty)
      return refusal.code
    } catch {
      return "\(error)"
    }
  }

  @Test func `each of the four formats is measured and rendered`() throws {
    let picture = try Drawing.picture(width: 900, height: 600)
    let files: [(ImageFormat, [UInt8])] = [
      (.jpeg, try picture.encoded(as: .jpeg, quality: 90)), (.png, try picture.encoded(as: .png, quality: 1)),
      (.webp, try picture.encoded(as: .webp, quality: 90)), (.gif, Drawing.gif(width: 900, height: 600)),
    ]
    for (format, bytes) in files {
      let made = try process(bytes, MediaOptions(rights: Rights(dataMining: Self.mining)))
      #expect(made.report.header.format == format)
      #expect(made.report.width == 900 && made.report.height == 600)
      #expect(made.report.blurhash.utf8.count == 28)
      #expect(made.report.renditions.map(\.purpose) == [.federated, .medium, .small])
      #expect(made.report.renditions.map(\.width) == [900, 640, 320])
      for (rendition, file) in zip(made.report.renditions, made.files) {
        let container = try ImageContainer(reading: file)
        try container.header.requireDecodable()
        #expect(container.header.width == rendition.width && container.header.height == rendition.height)
        #expect(Rights(found: container.metadata).dataMining == Self.mining)
      }
      #expect([ImageFormat.jpeg, .png].contains(try #require(made.report.renditions.first).format))
    }
  }

  @Test func `N1 a large picture is brought within 5,000 pixels and 16 MiB, the page sizes follow`() throws {
    let made = try process(try Drawing.jpeg(width: 6_000, height: 1_200))
    #expect(made.report.renditions.map(\.width) == [5_000, 2_048, 640, 320])
    #expect(made.report.renditions.map(\.height) == [1_000, 410, 128, 64])
    #expect(made.report.width == 6_000)
  }

  @Test(arguments: 1...8) func `N1 every orientation is baked in and measured the same`(orientation: Int) throws {
    let plain = try Drawing.jpeg(width: 400, height: 200)
    let made = try process(Drawing.withExif(plain, orientation: orientation))
    let federated = try #require(made.file(.federated))
    let turned = orientation >= 5
    #expect(made.report.width == (turned ? 200 : 400) && made.report.height == (turned ? 400 : 200))
    #expect(federated.rendition.width == made.report.width && federated.rendition.height == made.report.height)
    let metadata = try EmbeddedMetadata(reading: federated.bytes)
    #expect(metadata.exif == nil)
    // The corner that is top left when shown, found in the stored picture by the meaning of the tag.
    let shown = try Picture.decode(federated.bytes, as: .jpeg)
    let stored = try Picture.decode(plain, as: .jpeg)
    let corner = [
      1: (0, 0), 2: (399, 0), 3: (399, 199), 4: (0, 199), 5: (0, 0), 6: (0, 199), 7: (399, 199), 8: (399, 0),
    ]
    let (x, y) = try #require(corner[orientation])
    let expected = stored.withSamples { Int($0[(y * 400 + x) * 3]) }
    let found = shown.withSamples { Int($0[0]) }
    #expect(abs(expected - found) < 12)
  }

  @Test func `N1 a wide-gamut profile is in every rendition, byte for byte`() throws {
    let profile = try Drawing.builtInProfile("p3")
    for format in [Int32(CV_JPEG), Int32(CV_PNG), Int32(CV_WEBP)] {
      let made = try process(
        try Drawing.encode(width: 700, height: 500, bands: 3, bits: 8, format: format, profile: "p3"))
      #expect(made.report.hasProfile)
      #expect(made.files.count == 3)
      for file in made.files { #expect(try EmbeddedMetadata(reading: file).icc == profile) }
    }
  }

  @Test func `a broken profile is dropped and the picture read as sRGB`() throws {
    var profile = try Drawing.builtInProfile("p3")
    for index in 128..<profile.count { profile[index] = UInt8(truncatingIfNeeded: index &* 31) }
    let jpeg = try Drawing.jpeg(width: 60, height: 40)
    let payload = Array("ICC_PROFILE\0".utf8) + [1, 1] + profile
    let segment: [UInt8] = [0xFF, 0xE2] + Scrub.big16(payload.count + 2) + payload
    let made = try process(jpeg.prefix(2) + segment + jpeg.dropFirst(2))
    #expect(!made.report.hasProfile)
  }

  @Test func `CMYK, grey and 16-bit pictures become 8-bit RGB that looks the same`() throws {
    let cases = [
      try Drawing.encode(width: 300, height: 200, bands: 3, bits: 8, format: Int32(CV_JPEG), convertTo: "cmyk"),
      try Drawing.encode(width: 300, height: 200, bands: 3, bits: 16, format: Int32(CV_PNG)),
      try Drawing.encode(width: 300, height: 200, bands: 4, bits: 16, format: Int32(CV_PNG)),
    ]
    let reference = try process(try Drawing.jpeg(width: 300, height: 200)).report
    for (index, bytes) in cases.enumerated() {
      let made = try process(bytes)
      #expect(made.report.width == 300)
      let header = try ImageHeader(reading: try #require(made.files.first))
      #expect(header.bitDepth == 8)
      #expect(header.colourModel != .cmyk)
      if index < 2 { #expect(made.report.perceptualHash.distance(to: reference.perceptualHash) <= 8) }
    }
    let grey = try process(try Drawing.encode(width: 30, height: 20, bands: 1, bits: 8, format: Int32(CV_PNG)))
    #expect(grey.report.colours.average.dropFirst().prefix(2) == grey.report.colours.average.suffix(2))
  }

  @Test func `alpha stays in PNG and WebP and never becomes black`() throws {
    let bytes = try Drawing.picture(width: 700, height: 300, bands: 4).encoded(as: .png, quality: 1)
    let made = try process(bytes)
    #expect(made.report.renditions.map(\.format) == [.png, .webp, .webp])
    for (rendition, file) in zip(made.report.renditions, made.files) {
      #expect(try Picture.decode(file, as: rendition.format).bands == 4)
    }
  }

  @Test func `a small flat drawing stays PNG, a photograph in PNG becomes JPEG`() throws {
    let dots = (0..<400 * 300 * 3).map { UInt8($0 / 3 % 400 < 200 ? 250 : 30) }
    let flat = try Picture.from(samples: dots, width: 400, height: 300, bands: 3).encoded(as: .png, quality: 1)
    #expect(try process(flat).report.renditions.first?.format == .png)
    var chance = SplitMix(seed: 3)
    let noise = (0..<400 * 300 * 3).map { _ in UInt8(chance.below(256)) }
    let photo = try Picture.from(samples: noise, width: 400, height: 300, bands: 3).encoded(as: .png, quality: 1)
    #expect(try process(photo).report.renditions.first?.format == .jpeg)
  }

  @Test func `N9 the place is gone, the artist stays, and both are reported`() throws {
    let made = try process(Drawing.withExif(try Drawing.jpeg(width: 500, height: 400)))
    #expect(made.report.hadLocation && made.report.hadSerialNumber)
    #expect(made.report.sourceRights.creator == "Ada")
    for file in made.files {
      let metadata = try EmbeddedMetadata(reading: file)
      #expect(metadata.exif == nil)
      #expect(Rights(found: metadata).creator == "Ada")
      #expect(file[...].offset(of: "SERIAL".utf8) == nil)
    }
  }

  @Test func `untouched keeps the picture data of a JPEG and cleans its metadata`() throws {
    let source = Drawing.withExif(try Drawing.jpeg(width: 500, height: 400), orientation: 6)
    let made = try process(source, MediaOptions(rights: Rights(dataMining: Self.mining), untouched: true))
    let federated = try #require(made.file(.federated))
    #expect(federated.rendition.isUntouched)
    #expect(federated.rendition.width == 400 && federated.rendition.height == 500)
    let same = try Picture.decode(federated.bytes, as: .jpeg).withSamples { Array($0) }
    #expect(same == (try Picture.decode(source, as: .jpeg).withSamples { Array($0) }))
    let metadata = try EmbeddedMetadata(reading: federated.bytes)
    #expect(metadata.exif?.hasLocation == false && metadata.exif?.orientation == 6)
    #expect(Rights(found: metadata).dataMining == Self.mining)
  }

  @Test func `what is cut, too large, moving, mislabelled or no picture is refused with its code`() throws {
    let jpeg = try Drawing.jpeg(width: 300, height: 200)
    let png = try Drawing.picture(width: 30, height: 20).encoded(as: .png, quality: 1)
    #expect(refusal(Array(jpeg.prefix(jpeg.count / 2))) == "image.truncated")
    #expect(refusal(Array(png.dropLast(12))) == "image.truncated")
    #expect(refusal(Array(Drawing.gif(width: 30, height: 20).dropLast(1))) == "image.truncated")
    #expect(refusal(Drawing.pngHeader(width: 30_000, height: 30_000)) == "image.side_too_long")
    #expect(refusal(Drawing.pngHeader(width: 16_000, height: 16_000)) == "image.too_many_pixels")
    #expect(refusal(Drawing.gif(width: 20, height: 20, frames: 2)) == "image.animated")
    #expect(
      refusal(Drawing.pngHeader(width: 20, height: 20, more: Scrub.pngChunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0])))
        == "image.animated")
    #expect(refusal(jpeg, MediaOptions(declaredType: "image/png")) == "image.mislabelled")
    #expect(refusal(jpeg, MediaOptions(declaredType: "IMAGE/JPEG; charset=x")) == "accepted")
    #expect(refusal(Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8)) == "image.unsupported")
    #expect(refusal(Array("%PDF-1.7 and so on".utf8)) == "image.unsupported")
    #expect(refusal([]) == "image.unrecognized")
    #expect(refusal(Drawing.pngHeader(width: 20, height: 20)) == "image.undecodable")
    #expect(refusal([UInt8](repeating: 0, count: Limits.upload + 1)) == "image.file_too_large")
  }

  @Test(arguments: [(1, 1), (1, 9_000), (9_000, 1), (2, 3)])
  func `extreme shapes have renditions of at least one pixel`(
    size: (Int, Int)
  ) throws {
    let made = try process(try Drawing.picture(width: size.0, height: size.1).encoded(as: .png, quality: 1))
    #expect(made.report.width == size.0 && made.report.height == size.1)
    #expect(made.report.renditions.allSatisfy { $0.width >= 1 && $0.height >= 1 })
  }

  @Test func `a palette and a one-bit picture are decoded`() throws {
    let made = try process(Drawing.gif(width: 64, height: 64))
    #expect(made.report.renditions.first?.format == .png)
  }
}

extension MediaWorkTests {
  @Test func `what a generator wrote is found by the one pass that renders, and is in no rendition`() throws {
    _ = Drawing.isReady
    let plain = try Drawing.picture(width: 400, height: 300).encoded(as: .png, quality: 1)
    let settings = "parameters\0a duck\nSteps: 15, Sampler: Euler a, CFG scale: 5, Seed: 2352, Size: 400x300"
    let chunk = Scrub.pngChunk("tEXt", Array(settings.utf8))
    let made = try MediaWork.process(Array(plain.prefix(33)) + chunk + Array(plain.dropFirst(33)), MediaOptions())
    #expect(made.report.assessment.verdict == .generated)
    #expect(made.report.assessment.detector == Assessment.evidenceDetector)
    for file in made.files { #expect(file[...].offset(of: "Sampler".utf8) == nil) }
    #expect(try MediaWork.process(plain, .look).report.assessment.verdict == AssessmentVerdict.none)
  }
}
