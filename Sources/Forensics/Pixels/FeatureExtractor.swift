import Foundation

/// Takes the features of one crop. Keeps its working memory (about 12 MB), so make one for each thread and reuse it.
///
/// The samples are those of the file: neither profile nor orientation is applied, since both would resample the
/// finest detail. Alpha is laid over white.
package final class FeatureExtractor {
  /// The longest side of a crop, and the shortest that can be measured.
  package static let side = TexturePlane.side
  package static let shortest = BlockSpectrum.side

  var red = TexturePlane.allocate()
  var green = TexturePlane.allocate()
  var blue = TexturePlane.allocate()
  var luma = TexturePlane.allocate()
  var blueDifference = TexturePlane.allocate()
  var redDifference = TexturePlane.allocate()
  var scratch = TexturePlane.allocate()
  var lumaDetail = TexturePlane.allocate()
  private var blueDetail = TexturePlane.allocate()
  var redDetail = TexturePlane.allocate()
  private let levels = UnsafeMutablePointer<UInt8>.allocate(capacity: TexturePlane.rowLength * TexturePlane.side)
  private let bins = UnsafeMutablePointer<UInt32>.allocate(capacity: 1_024)
  let line = UnsafeMutablePointer<Float>.allocate(capacity: TexturePlane.rowLength)
  private let columns = UnsafeMutablePointer<Float>.allocate(capacity: TexturePlane.rowLength)
  let spectrum = BlockSpectrum()
  private var out: [Float] = []

  package init() {
    levels.initialize(repeating: 0, count: TexturePlane.rowLength * TexturePlane.side)
    bins.initialize(repeating: 0, count: 1_024)
    line.initialize(repeating: 0, count: TexturePlane.rowLength)
    columns.initialize(repeating: 0, count: TexturePlane.rowLength)
  }

  deinit {
    for plane in [
      red, green, blue, luma, blueDifference, redDifference, scratch, lumaDetail, blueDetail, redDetail,
    ] { plane.start.deallocate() }
    levels.deallocate()
    bins.deallocate()
    line.deallocate()
    columns.deallocate()
  }

  /// The features of `set`, or nil where the crop does not lie in the picture or a side is not within
  /// `shortest...side`.
  package func features(of crop: PixelCrop, in samples: PixelSamples, _ set: FeatureSet = .fs1) -> [Float]? {
    guard samples.contains(crop), (Self.shortest...Self.side).contains(crop.width),
      (Self.shortest...Self.side).contains(crop.height)
    else { return nil }
    load(crop, samples)
    out.removeAll(keepingCapacity: true)
    out.reserveCapacity(set.count)
    measureDetail()
    measureSteps()
    measureNoise()
    measureOrder()
    measurePatterns()
    measureRepetition()
    measureSpectrum(luma)
    measureSpectrum(redDifference)
    measureGrid()
    if set == .fs2 { measureMore(crop, samples) }
    // No crop gives anything else; a tree asked about a NaN would answer by accident.
    return out.map { $0.isFinite ? $0 : 0 }
  }

  func add(_ value: Double) { out.append(Float(value)) }

  private func load(_ crop: PixelCrop, _ samples: PixelSamples) {
    for plane in [\FeatureExtractor.red, \.green, \.blue, \.luma, \.blueDifference, \.redDifference] {
      self[keyPath: plane].width = crop.width
      self[keyPath: plane].height = crop.height
    }
    for y in 0..<crop.height {
      samples.row(crop, y, red: red.row(y), green: green.row(y), blue: blue.row(y))
      let (r, g, b) = (red.row(y), green.row(y), blue.row(y))
      let (l, cb, cr) = (luma.row(y), blueDifference.row(y), redDifference.row(y))
      for x in 0..<crop.width {
        let value = 0.299 * r[x] + 0.587 * g[x] + 0.114 * b[x]
        l[x] = value
        cb[x] = b[x] - value
        cr[x] = r[x] - value
      }
    }
  }

  // MARK: Finest detail

  private func measureDetail() {
    TextureKernels.highPass(luma, into: &lumaDetail)
    TextureKernels.highPass(blueDifference, into: &blueDetail)
    TextureKernels.highPass(redDifference, into: &redDetail)
    for plane in [lumaDetail, blueDetail, redDetail] { addMoments(TextureKernels.moments(plane)) }
    let own = TextureKernels.products(lumaDetail, blueDetail, redDetail)
    // The colour planes themselves are not needed again.
    TextureKernels.highPass(red, into: &scratch)
    TextureKernels.highPass(green, into: &red)
    TextureKernels.highPass(blue, into: &green)
    let colours = TextureKernels.products(scratch, red, green)
    let count = Double(lumaDetail.width * lumaDetail.height)
    func alike(_ product: Double, _ one: Double, _ other: Double) {
      add(product / count / (one / count * other / count + 1e-6).squareRoot())
    }
    alike(colours.ab, colours.aa, colours.bb)
    alike(colours.bc, colours.bb, colours.cc)
    alike(colours.ac, colours.aa, colours.cc)
    alike(own.ab, own.aa, own.bb)
    alike(own.ac, own.aa, own.cc)
    alike(own.bc, own.bb, own.cc)
  }

  /// Logarithm of spread, skewness, logarithms of peakedness and of the mean magnitude.
  private func addMoments(_ sums: MomentSums) {
    let count = Double(sums.count)
    let mean = sums.first / count
    let second = sums.second / count
    let spread = max(0, second - mean * mean).squareRoot() + 1e-6
    let third = sums.third / count - 3 * mean * second + 2 * mean * mean * mean
    let fourth =
      sums.fourth / count - 4 * mean * sums.third / count + 6 * mean * mean * second - 3 * mean * mean * mean * mean
    add(log(spread))
    add(min(max(third / (spread * spread * spread), -20), 20))
    add(log(max(0, fourth) / (spread * spread * spread * spread) + 1e-6))
    add(log(sums.absolute / count + 1e-4))
  }

  // MARK: Steps between neighbours

  private func measureSteps() {
    let (width, height) = (luma.width, luma.height)
    var across = MomentSums()
    var down = MomentSums()
    var bend = MomentSums()
    let bounds: [Float] = [0.3, 1, 2, 4, 8]
    var flat = [Int](repeating: 0, count: 5)
    var flatColour = [Int](repeating: 0, count: 3)
    columns.update(repeating: 0, count: TexturePlane.rowLength)
    for y in 0..<height {
      let row = luma.row(y)
      TextureKernels.step(row, width - 1, into: line)
      TextureKernels.add(line, width - 1, to: &across)
      for (index, bound) in bounds.enumerated() { flat[index] += TextureKernels.near(line, width - 1, bound) }
      if y + 1 < height {
        TextureKernels.fall(row, luma.row(y + 1), width, into: line)
        TextureKernels.add(line, width, to: &down)
      }
      TextureKernels.bend(row, width - 2, into: line, columns: columns)
      TextureKernels.add(line, width - 2, to: &bend)
      TextureKernels.step(blueDifference.row(y), width - 1, into: line)
      for index in 0..<3 { flatColour[index] += TextureKernels.near(line, width - 1, bounds[index]) }
    }
    for sums in [across, down, bend] { addMoments(sums) }
    for found in flat + flatColour { add(Double(found) / Double(height * (width - 1))) }
  }

  // MARK: Noise from place to place

  private func measureNoise() {
    let brightness = levelsOfNoise(lumaDetail)
    let colour = levelsOfNoise(blueDetail)
    let (sortedBrightness, sortedColour) = (brightness.sorted(), colour.sorted())
    for share in [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98] { add(quantile(sortedBrightness, share)) }
    let (spread, colourSpread) = (deviation(brightness), deviation(colour))
    add(spread)
    for share in [0.1, 0.5, 0.9] { add(quantile(sortedColour, share)) }
    guard spread > 1e-6, colourSpread > 1e-6 else { return add(0) }
    let (mean, colourMean) = (average(brightness), average(colour))
    let shared = zip(brightness, colour).reduce(0.0) { $0 + ($1.0 - mean) * ($1.1 - colourMean) }
    add(shared / Double(brightness.count) / (spread * colourSpread))
  }

  /// The logarithm of the mean square of every block of 8×8; the picture is mirrored at its end.
  private func levelsOfNoise(_ plane: TexturePlane) -> [Double] {
    var out: [Double] = []
    for y in stride(from: 0, to: plane.height - 4, by: 8) {
      for x in stride(from: 0, to: plane.width - 4, by: 8) {
        var sum = 0.0
        if x + 8 <= plane.width, y + 8 <= plane.height {
          sum = TextureKernels.blockEnergy(plane, x, y)
        } else {
          for line in y..<y + 8 {
            let row = plane.row(min(line, 2 * plane.height - 1 - line))
            for column in x..<x + 8 {
              let value = Double(row[min(column, 2 * plane.width - 1 - column)])
              sum += value * value
            }
          }
        }
        out.append(Double(Float(log(Float(sum / 64) + 0.01))))
      }
    }
    return out
  }

  private func average(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

  private func deviation(_ values: [Double]) -> Double {
    let mean = average(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(values.count, 1))).squareRoot()
  }

  /// Between the two nearest, as far as it lies from each.
  private func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let index = min(max(Int(exactly: place.rounded(.down)) ?? 0, 0), sorted.count - 1)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (sorted[next] - sorted[index]) * (place - Double(index))
  }

  // MARK: What follows what

  private func measureOrder() {
    let sums = TextureKernels.moments(lumaDetail)
    let adaptive = Float(sums.absolute / Double(sums.count)) + 0.1
    for (plane, unit) in [(lumaDetail, Float(1)), (lumaDetail, adaptive), (blueDetail, 0.7)] {
      TextureKernels.quantise(plane, unit: unit, into: levels)
      TextureKernels.countTriples(levels, width: plane.width, height: plane.height, bins: bins)
      addTriples()
    }
  }

  /// A triple counts together with its negative and with both read backwards: 39 classes of 125.
  private func addTriples() {
    func code(_ a: Int, _ b: Int, _ c: Int) -> Int { a * 25 + b * 5 + c }
    var sum = 0.0
    for index in 0..<125 { sum += 4 * Double(bins[index]) }
    for first in 0..<5 {
      for middle in 0..<5 {
        for last in 0..<5 {
          let here = (first, middle, last)
          let negative = (4 - first, 4 - middle, 4 - last)
          let backNegative = (4 - last, 4 - middle, 4 - first)
          guard here <= (last, middle, first), here <= negative, here <= backNegative else { continue }
          let found = [here, (last, middle, first), negative, backNegative]
            .reduce(0.0) { $0 + Double(bins[code($1.0, $1.1, $1.2)]) }
          add((found / sum).squareRoot())
        }
      }
    }
  }

  private static let patternClasses: [Int] = (0..<256).map { pattern in
    let bits = (0..<8).map { pattern >> $0 & 1 }
    let changes = bits.indices.count { bits[$0] != bits[($0 + 1) % 8] }
    return changes <= 2 ? bits.reduce(0, +) : 9
  }

  private func measurePatterns() {
    addPatterns(luma)
    scratch.width = (luma.width + 1) / 2
    scratch.height = (luma.height + 1) / 2
    for y in 0..<scratch.height {
      let (from, to) = (luma.row(y * 2), scratch.row(y))
      for x in 0..<scratch.width { to[x] = from[x * 2] }
    }
    addPatterns(scratch)
  }

  private func addPatterns(_ plane: TexturePlane) {
    TextureKernels.countPatterns(plane, codes: levels, bins: bins)
    var classes = [Double](repeating: 0, count: 10)
    for (pattern, index) in Self.patternClasses.enumerated() { classes[index] += Double(bins[pattern]) }
    let count = Double((plane.width - 2) * (plane.height - 2))
    for found in classes { add((found / count).squareRoot()) }
  }

  // MARK: Repetition

  private func measureRepetition() {
    let (width, height) = (lumaDetail.width, lumaDetail.height)
    func power(_ plane: TexturePlane) -> Double {
      TextureKernels.moments(plane).second / Double(width * height) + 1e-6
    }
    let (across, down) = (TextureKernels.across(lumaDetail), TextureKernels.down(lumaDetail))
    let brightness = power(lumaDetail)
    for lag in 1...8 {
      add(across[lag - 1] / Double(height * (width - lag)) / brightness)
      add(down[lag - 1] / Double((height - lag) * width) / brightness)
    }
    let colour = TextureKernels.across(blueDetail)
    let colourPower = power(blueDetail)
    for lag in [1, 2, 3, 4, 8] { add(colour[lag - 1] / Double(height * (width - lag)) / colourPower) }
  }

  private func measureSpectrum(_ plane: TexturePlane) {
    spectrum.measure(plane)
    for value in spectrum.features() { add(value) }
  }

  /// The mean bend at each of eight phases, sorted: where the grid begins does not matter.
  private func measureGrid() {
    let count = (luma.width - 2) / 8 * 8
    var phases = [Double](repeating: 0, count: 8)
    for x in 0..<count { phases[x % 8] += Double(columns[x]) }
    let scale = Double(luma.height) * Double(count / 8)
    for index in 0..<8 { phases[index] /= scale }
    let mean = average(phases) + 1e-6
    for phase in phases.sorted() { add(phase / mean) }
  }
}
