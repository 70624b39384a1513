import Primitives

/// The heat of a picture laid over it, for a person who looks where something was unusual.
extension MediaWork {
  /// As shown, the longest side at most 1,024 pixels, as PNG. The picture is paled to grey; unusual places are red, the
  /// redder the fewer human pictures have such a place; what was not measured is left as it is.
  static func draw(_ heat: PixelHeat, over bytes: [UInt8]) throws(MediaRefusal) -> [UInt8] {
    guard bytes.count <= Limits.upload else { throw .fileTooLarge }
    let container = try open(bytes, declaredType: nil)
    do {
      let stored = try Picture.decode(bytes, as: container.header.format)
      guard stored.width == heat.width, stored.height == heat.height else { throw MediaRefusal.undecodable }
      let orientation = stored.orientation
      let base = try stored.upright().inSRGB().fitted(within: 1_024).overWhite()
      var samples = base.withSamples { Array($0) }
      let (width, height) = (base.width, base.height)
      // In blocks of eight pixels: a tile is at least 128 wide.
      for top in stride(from: 0, to: height, by: 8) {
        for left in stride(from: 0, to: width, by: 8) {
          let (across, down) = (Double(left + 4) / Double(width), Double(top + 4) / Double(height))
          let (u, v) = unturned(min(across, 1), min(down, 1), orientation)
          let warmth = heat.warmth(u * Double(heat.width), v * Double(heat.height))
          for y in top..<min(top + 8, height) {
            for x in left..<min(left + 8, width) { tint(&samples, (y * width + x) * 3, warmth) }
          }
        }
      }
      return try Picture.from(samples: samples, width: width, height: height, bands: 3)
        .encoded(as: .png, quality: 100)
    } catch let refusal as MediaRefusal {
      throw refusal
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch {
      throw .undecodable
    }
  }

  private static func tint(_ samples: inout [UInt8], _ place: Int, _ warmth: Double) {
    guard place + 2 < samples.count else { return }
    let grey = Double(samples[place]) * 0.3 + Double(samples[place + 1]) * 0.59 + Double(samples[place + 2]) * 0.11
    let cool = (90 + grey * 0.6) * (1 - warmth)
    samples[place] = byte(cool + 225 * warmth)
    samples[place + 1] = byte(cool + 40 * warmth)
    samples[place + 2] = byte(cool + 30 * warmth)
  }

  private static func byte(_ value: Double) -> UInt8 { UInt8(max(0, min(255, value.rounded()))) }

  /// From a place of the picture as shown to that of the picture as stored, both 0...1 (EXIF 2.32, tag 0x0112).
  private static func unturned(_ x: Double, _ y: Double, _ orientation: Int) -> (Double, Double) {
    switch orientation {
    case 2: (1 - x, y)
    case 3: (1 - x, 1 - y)
    case 4: (x, 1 - y)
    case 5: (y, x)
    case 6: (y, 1 - x)
    case 7: (1 - y, 1 - x)
    case 8: (1 - y, x)
    default: (x, y)
    }
  }
}

extension PixelHeat {
  /// 0 where nothing is unusual, 0.8 at most: the mean over the tiles that cover a place. A score of 0.9 begins to
  /// glow; each further nine of ten pictures ruled out adds a third.
  fileprivate func warmth(_ x: Double, _ y: Double) -> Double {
    var sum = 0.0
    var count = 0.0
    for (row, top) in rows.enumerated() where Double(top) <= y && y < Double(top + tile) {
      for (column, left) in columns.enumerated() where Double(left) <= x && x < Double(left + tile) {
        let index = row * columns.count + column
        guard scores.indices.contains(index), let score = scores[index] else { continue }
        // Tenths of pictures left: 0.9 is 1, 0.99 is 2, 0.999 is 3.
        let nines = score < 0.9 ? 0 : score < 0.99 ? 1 : score < 0.999 ? 2 : 3
        sum += Double(nines) / 3
        count += 1
      }
    }
    return count > 0 ? 0.8 * sum / count : 0
  }
}

extension WorkerProcess {
  package func draw(_ heat: PixelHeat, over bytes: [UInt8], deadline: Int64) throws -> [UInt8] {
    let (answer, blobs) = try ask(.draw(heat), [bytes], deadline)
    switch answer {
    case .drawn:
      guard let png = blobs.first, ImageFormat.sniff(png) == .png else { throw MediaRefusal.crashed }
      return png
    case .refused(let refusal): throw refusal
    default: throw MediaRefusal.crashed
    }
  }
}
