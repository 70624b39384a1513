import Primitives

/// The work on one picture, without any input or output of its own. Runs libvips here: only the worker calls it, and
/// tests.
package enum MediaWork {
  /// `detector` nil looks at evidence alone.
  package static func process(
    _ bytes: [UInt8], _ options: MediaOptions, detector: PixelDetector? = nil
  ) throws(MediaRefusal) -> ProcessedMedia {
    guard bytes.count <= Limits.upload else { throw .fileTooLarge }
    let container = try open(bytes, declaredType: options.declaredType)
    let header = container.header
    do {
      let stored = try Picture.decode(bytes, as: header.format)
      // The container decides whether this picture is read at all; a decoder that sees another one is being fooled.
      guard stored.width == header.width, stored.height == header.height else { throw MediaRefusal.undecodable }
      let texture = TextureFindings(stored, header.format, options, detector)
      let assessment = Assessment(
        of: container, pixels: pixels(container.header, stored), layers: [texture.opinion].compactMap { $0 })
      let upright = try stored.upright()
      var smallest = upright
      let sourceRights = Rights(found: container.metadata)
      var files: [RenditionFile] = []
      if options.makesRenditions {
        let rights = options.keepsSourceRights ? options.rights.filled(from: sourceRights) : options.rights
        let maker = RenditionMaker(source: bytes, header: header, rights: rights, untouched: options.untouched)
        if let side = options.portraitSide {
          files = [try maker.portrait(upright, side: side)]
        } else {
          files = try maker.make(upright, wasCMYK: stored.wasCMYK, smallest: &smallest)
        }
      }
      let measured = try Measures(smallest)
      let report = MediaReport(
        header: header, width: upright.width, height: upright.height, blurhash: measured.blurhash,
        perceptualHash: measured.perceptualHash, colours: measured.colours,
        assessment: assessment, sourceRights: sourceRights,
        hadLocation: container.metadata.exif?.hasLocation ?? false,
        hadSerialNumber: container.metadata.exif?.hasSerialNumber ?? false, hasProfile: upright.profile != nil,
        renditions: files.map(\.rendition), heat: texture.heat)
      let copy = options.makesStrippedCopy ? stripped(bytes, header) : nil
      return ProcessedMedia(report: report, files: files.map(\.bytes) + [copy].compactMap { $0 })
    } catch let refusal as MediaRefusal {
      throw refusal
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch {
      throw .undecodable
    }
  }

  /// What a model from outside says of a picture as it is seen: upright, in sRGB, on white.
  package static func margin(
    of bytes: [UInt8], by model: OutsideModel, file: [UInt8]
  ) throws(MediaRefusal) -> Double {
    let container = try open(bytes, declaredType: nil)
    do {
      let classifier = try OnnxClassifier(model, bytes: file)
      let stored = try Picture.decode(bytes, as: container.header.format)
      return try classifier.margin(of: try stored.upright().inSRGB().overWhite())
    } catch let failure as OutsideModelFailure {
      throw MediaRefusal(code: failure.code, text: failure.text)
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch {
      throw .undecodable
    }
  }

  /// Nil for a format that can not be rewritten without touching pixels.
  private static func stripped(_ bytes: [UInt8], _ header: ImageHeader) -> [UInt8]? {
    do {
      return try Scrub.rewrite(bytes, format: header.format, orientation: header.orientation)
    } catch {
      return nil
    }
  }

  static func open(_ bytes: [UInt8], declaredType: String?) throws(MediaRefusal) -> ImageContainer {
    do {
      let container = try ImageContainer(reading: bytes)
      if let declaredType, let found = container.header.format.mediaType,
        declaredType.lowercased().prefix(while: { $0 != ";" }) != found
      {
        throw MediaRefusal.mislabelled(declared: declaredType, found: container.header.format)
      }
      try container.header.requireDecodable()
      return container
    } catch let refusal as ImageRefusal {
      throw MediaRefusal(refusal)
    } catch let refusal as MediaRefusal {
      throw refusal
    } catch {
      throw .undecodable
    }
  }

  /// The samples as stored, before profile and orientation: marks in single bits do not survive either.
  private static func pixels(_ header: ImageHeader, _ stored: Picture) -> PixelView? {
    guard stored.bitsPerSample == 8, header.width * header.height <= Limits.evidencePixels else { return nil }
    return PixelView(
      width: header.width, height: header.height, channels: stored.bands, bytes: stored.withSamples { Array($0) })
  }
}

/// What the pixel model says of the samples as stored: profile and orientation would resample what it looks at.
private struct TextureFindings {
  var opinion: LayerOpinion?
  var heat: PixelHeat?

  init(_ stored: Picture, _ format: ImageFormat, _ options: MediaOptions, _ detector: PixelDetector?) {
    let (width, height, channels) = (stored.width, stored.height, stored.bands)
    stored.withSamples { samples in
      guard let samples = PixelSamples(samples, width: width, height: height, channels: channels) else { return }
      opinion = detector?.opinion(on: samples, format: format)
      if options.drawsHeat { heat = detector?.heat(of: samples) }
    }
  }
}

/// What is measured on a small copy over white, in sRGB.
private struct Measures {
  var blurhash: String
  var perceptualHash: PerceptualHash
  var colours: PictureColours

  init(_ picture: Picture) throws {
    let base = try picture.fitted(within: 320).inSRGB().overWhite()
    let dots = try base.fitted(within: 64)
    let square = try base.resized(width: 32, height: 32)
    let samples = dots.withSamples { Array($0) }
    guard let blurhash = Blurhash.encode(samples, width: dots.width, height: dots.height),
      let perceptualHash = PerceptualHash(samples: square.withSamples { Array($0) }),
      let colours = PictureColours(samples: samples)
    else { throw MediaRefusal.undecodable }
    self.blurhash = blurhash
    self.perceptualHash = perceptualHash
    self.colours = colours
  }
}
