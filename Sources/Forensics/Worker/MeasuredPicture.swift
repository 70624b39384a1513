import Primitives

/// How a picture is treated before it is measured: made smaller, then saved as JPEG.
package struct Treatment: Codable, Hashable, Sendable {
  /// Of width and height, in thousandths; 1000 leaves the size.
  package var scale: Int
  /// 1...100; 0 saves nothing.
  package var quality: Int

  package init(scale: Int, quality: Int) {
    self.scale = min(1_000, max(1, scale))
    self.quality = min(100, max(0, quality))
  }

  package static let asFound = Treatment(scale: 1_000, quality: 0)
}

/// What is measured of a picture for calibration and training.
package struct MeasuringOptions: Codable, Hashable, Sendable {
  package var featureSet: FeatureSet
  /// 1...4.
  package var crops: Int
  /// At most `Limits.treatments`; each gives one part.
  package var treatments: [Treatment]

  package init(featureSet: FeatureSet, crops: Int, treatments: [Treatment]) {
    self.featureSet = featureSet
    self.crops = min(4, max(1, crops))
    self.treatments = treatments
  }
}

/// The head of the answer; the numbers are its one blob, Float32 little-endian, crop after crop.
package struct MeasuredPicture: Codable, Hashable, Sendable {
  package struct Part: Codable, Hashable, Sendable {
    package var treatment: Treatment
    /// The shorter side of the treated picture: small ones are compared with small ones.
    package var side: Int
    /// How many crops were measured; those that are flat are left out.
    package var crops: Int
    /// Why there are none, as a stable code.
    package var reason: String?

    package init(treatment: Treatment, side: Int, crops: Int, reason: String?) {
      self.treatment = treatment
      self.side = side
      self.crops = crops
      self.reason = reason
    }
  }

  package var parts: [Part]

  package init(parts: [Part]) { self.parts = parts }
}

/// A measured picture with its numbers: by part, then crop.
package struct MeasuredFeatures: Sendable {
  package struct Part: Sendable {
    package var treatment: Treatment
    package var side: Int
    package var crops: [[Float]]
    package var reason: String?
  }

  package var parts: [Part]
}

extension Limits {
  package static let treatments = 4
}

extension MediaWork {
  /// Decodes once and measures under every treatment. Pixels as stored, as the detector sees them.
  static func measure(
    _ bytes: [UInt8], _ options: MeasuringOptions
  ) throws(MediaRefusal) -> (MeasuredPicture, [UInt8]) {
    guard bytes.count <= Limits.upload else { throw .fileTooLarge }
    guard options.treatments.count <= Limits.treatments else { throw .undecodable }
    let container = try open(bytes, declaredType: nil)
    do {
      let stored = try Picture.decode(bytes, as: container.header.format)
      guard stored.width == container.header.width, stored.height == container.header.height else {
        throw MediaRefusal.undecodable
      }
      let extractor = FeatureExtractor()
      var parts: [MeasuredPicture.Part] = []
      var blob: [UInt8] = []
      for treatment in options.treatments {
        let picture = try stored.treated(treatment)
        let (rows, reason) = features(picture, container.header.format, options, extractor)
        for row in rows {
          for value in row { withUnsafeBytes(of: value.bitPattern.littleEndian) { blob.append(contentsOf: $0) } }
        }
        let side = min(picture.width, picture.height)
        parts.append(.init(treatment: treatment, side: side, crops: rows.count, reason: reason))
      }
      return (MeasuredPicture(parts: parts), blob)
    } catch let refusal as MediaRefusal {
      throw refusal
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch {
      throw .undecodable
    }
  }

  /// The same pictures that the detector has no opinion on have no features.
  private static func features(
    _ picture: Picture, _ format: ImageFormat, _ options: MeasuringOptions, _ extractor: FeatureExtractor
  ) -> ([[Float]], String?) {
    guard format != .gif else { return ([], PixelDetector.Reason.format) }
    guard picture.bitsPerSample == 8, min(picture.width, picture.height) >= PixelDetector.shortestSide else {
      return ([], PixelDetector.Reason.tooSmall)
    }
    let rows = picture.withSamples { raw -> [[Float]] in
      guard
        let samples = PixelSamples(raw, width: picture.width, height: picture.height, channels: picture.bands)
      else { return [] }
      return PixelCrop.chosen(from: samples, atMost: options.crops)
        .compactMap { extractor.features(of: $0, in: samples, options.featureSet) }.filter(PixelDetector.isTextured)
    }
    return (rows, rows.isEmpty ? PixelDetector.Reason.flat : nil)
  }
}

extension Picture {
  fileprivate func treated(_ treatment: Treatment) throws -> Picture {
    var out = self
    if treatment.scale < 1_000 {
      let side = { (length: Int) in max(1, length * treatment.scale / 1_000) }
      out = try out.resized(width: side(out.width), height: side(out.height))
    }
    guard treatment.quality > 0 else { return out }
    return try Picture.decode(try out.overWhite().encoded(as: .jpeg, quality: treatment.quality), as: .jpeg)
  }
}

extension WorkerProcess {
  package func measure(_ bytes: [UInt8], _ options: MeasuringOptions, deadline: Int64) throws -> MeasuredFeatures {
    let (answer, blobs) = try ask(.measure(options), [bytes], deadline)
    switch answer {
    case .measured(let head):
      guard let features = MeasuredFeatures(head, blobs.first ?? [], options) else { throw MediaRefusal.crashed }
      return features
    case .refused(let refusal): throw refusal
    default: throw MediaRefusal.crashed
    }
  }
}

extension MeasuredFeatures {
  /// Nil unless the answer is to these very questions and every number is one: a worker that was taken over may answer
  /// anything.
  package init?(_ head: MeasuredPicture, _ blob: [UInt8], _ options: MeasuringOptions) {
    let columns = options.featureSet.count
    guard head.parts.map(\.treatment) == options.treatments,
      head.parts.allSatisfy({ (0...options.crops).contains($0.crops) && (1...Limits.imageSide).contains($0.side) }),
      blob.count == head.parts.reduce(0, { $0 + $1.crops }) * columns * 4
    else { return nil }
    var place = 0
    var parts: [Part] = []
    for part in head.parts {
      var rows: [[Float]] = []
      for _ in 0..<part.crops {
        let row = blob.withUnsafeBytes { raw in
          (0..<columns).map { column in
            Float(
              bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: place + column * 4, as: UInt32.self)))
          }
        }
        guard row.allSatisfy(\.isFinite) else { return nil }
        rows.append(row)
        place += columns * 4
      }
      let reason = rows.isEmpty ? String((part.reason ?? PixelDetector.Reason.flat).prefix(64)) : nil
      parts.append(Part(treatment: part.treatment, side: part.side, crops: rows, reason: reason))
    }
    self.parts = parts
  }
}
