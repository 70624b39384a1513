import Foundation

// The 296 features that FS2 has beyond FS1, in the order and with the constants of the study's second script.
extension FeatureExtractor {
  func measureMore(_ crop: PixelCrop, _ samples: PixelSamples) {
    measureWavelets()
    // The planes of the finest detail are not needed again.
    luma.halve(into: &lumaDetail)
    redDifference.halve(into: &redDetail)
    for plane in [luma, lumaDetail, blueDifference, redDifference] { measureContrast(plane) }
    for plane in [lumaDetail, redDetail] {
      plane.mirrored(into: &scratch, side: BlockSpectrum.side)
      spectrum.measure(scratch)
      for value in spectrum.moreFeatures() { add(value) }
    }
    for y in 0..<crop.height {
      samples.row(crop, y, red: red.row(y), green: green.row(y), blue: blue.row(y))
    }
    measureColours()
  }

  // MARK: Wavelets

  private func measureWavelets() {
    var next = FloatPlane(luma)
    var before: (across: FloatPlane, diagonal: FloatPlane)?
    var energies: [Double] = []
    for _ in 0..<3 {
      let step = HaarStep(next)
      for plane in [step.across, step.diagonal] {
        add(log(plane.meanMagnitude + 1e-2) - 0.5 * log(plane.meanSquare + 1e-4))
        add(plane.shareBelowHalf)
      }
      let (across, down, diagonal) = (step.across.magnitudes, step.down.magnitudes, step.diagonal.magnitudes)
      add(correlation(across, down))
      add(correlation(across, diagonal))
      add(
        log(step.diagonal.meanSquare + 1e-2) - log((step.across.meanSquare + step.down.meanSquare) / 2 + 1e-2))
      energies.append(log(step.across.meanSquare + step.down.meanSquare + 1e-2))
      if let before {
        add(correlation(before.across.halved, across))
        add(correlation(before.diagonal.halved, diagonal))
      }
      before = (across, diagonal)
      next = step.rest
    }
    add(energies[1] - energies[0])
    add(energies[2] - energies[1])
    for plane in [blueDifference, redDifference] {
      var (brightness, colour) = (FloatPlane(luma), FloatPlane(plane))
      for _ in 0..<2 {
        let (own, other) = (HaarStep(brightness), HaarStep(colour))
        let energy = own.across.meanSquare + own.down.meanSquare
        let otherEnergy = other.across.meanSquare + other.down.meanSquare
        add(
          correlation(
            own.across.magnitudes.plus(own.down.magnitudes), other.across.magnitudes.plus(other.down.magnitudes)))
        add(log(otherEnergy + 1e-2) - log(energy + 1e-2))
        add(log(other.diagonal.meanSquare + 1e-2) - log(otherEnergy + 1e-2))
        (brightness, colour) = (own.rest, other.rest)
      }
    }
  }

  // MARK: Contrast by its surroundings

  private func measureContrast(_ plane: TexturePlane) {
    evenOut(plane)
    let sums = TextureKernels.moments(scratch)
    let count = Double(sums.count)
    let mean = sums.first / count
    let (second, third, fourth) = (sums.second / count, sums.third / count, sums.fourth / count)
    let spread = max(0, second - mean * mean).squareRoot() + 1e-6
    let skew = third - 3 * mean * second + 2 * mean * mean * mean
    let peak = fourth - 4 * mean * third + 6 * mean * mean * second - 3 * mean * mean * mean * mean
    add(log(spread))
    add(min(max(skew / (spread * spread * spread), -20), 20))
    add(log(max(0, peak) / (spread * spread * spread * spread) + 1e-6))
    add(TextureKernels.deviations(scratch, from: Float(mean)) / count / spread)
    var bins = [Int](repeating: 0, count: 9)
    for y in 0..<scratch.height {
      let row = scratch.row(y)
      for x in 0..<scratch.width { bins[Int(min(max(row[x] * 3 + 4.5, 0), 8))] += 1 }
    }
    for found in bins { add((Double(found) / count).squareRoot()) }
    for (dy, dx) in [(0, 1), (1, 0), (1, 1), (1, -1)] { addPairs(dy, dx) }
  }

  /// Over every row but the last and every column but the outermost.
  private func addPairs(_ dy: Int, _ dx: Int) {
    let columns = scratch.width - 2
    var sums = (all: 0.0, above: 0.0, below: 0.0)
    line.update(repeating: 0, count: TexturePlane.rowLength)
    for y in 0..<scratch.height - 1 {
      line.update(from: scratch.row(y) + 1, count: columns)
      TextureKernels.pairs(line, scratch.row(y + dy) + 1 + dx, columns, to: &sums)
    }
    let count = Double(columns * (scratch.height - 1))
    add(sums.all / count)
    add(log(sums.above / count + 1e-6))
    add(log(sums.below / count + 1e-6))
  }

  /// Into `scratch`: what every pixel differs by from the mean of 7×7 around it, over one plus their deviation.
  private func evenOut(_ plane: TexturePlane) {
    let side = 7
    var sums = [Double](repeating: 0, count: plane.width)
    var squares = sums
    func take(_ y: Int, _ sign: Double) {
      let row = plane.row(y)
      for x in 0..<plane.width {
        let value = Double(row[x])
        sums[x] += sign * value
        squares[x] += sign * value * value
      }
    }
    for y in 0..<side - 1 { take(y, 1) }
    scratch.width = plane.width - side + 1
    scratch.height = plane.height - side + 1
    for y in 0..<scratch.height {
      take(y + side - 1, 1)
      let (to, middle) = (scratch.row(y), plane.row(y + side / 2) + side / 2)
      var sum = sums[..<(side - 1)].reduce(0, +)
      var square = squares[..<(side - 1)].reduce(0, +)
      for x in 0..<scratch.width {
        sum += sums[x + side - 1]
        square += squares[x + side - 1]
        let mean = sum / 49
        to[x] = Float(Double(middle[x]) - mean)
        line[x] = Float(max(0, square / 49 - mean * mean))
        sum -= sums[x]
        square -= squares[x]
      }
      TextureKernels.even(to, by: line, scratch.width)
      take(y, -1)
    }
    scratch.clearSlack()
  }

  // MARK: Colours

  private func measureColours() {
    let (width, height) = (luma.width, luma.height)
    let count = Double(width * height)
    var colours = [UInt32](repeating: 0, count: 32_768)
    var brightness = [Double](repeating: 0, count: 256)
    var saturation = [Double](repeating: 0, count: 64)
    var pale = 0
    for y in 0..<height {
      let (reds, greens, blues) = (red.row(y), green.row(y), blue.row(y))
      for x in 0..<width {
        let (r, g, b) = (Int(reds[x]), Int(greens[x]), Int(blues[x]))
        colours[(r >> 3) * 1_024 + (g >> 3) * 32 + (b >> 3)] += 1
        brightness[(77 * r + 150 * g + 29 * b + 128) >> 8] += 1
        let (low, high) = (min(r, g, b), max(r, g, b))
        // floor(64 s), and s < 0.02, of s = (high - low) / (high + 1).
        saturation[(high - low) * 64 / (high + 1)] += 1
        if (high - low) * 50 < high + 1 { pale += 1 }
      }
    }
    let shares = colours.filter { $0 > 0 }.map { Double($0) / count }
    add(log(Double(shares.count)))
    add(-shares.reduce(0) { $0 + $1 * log($1) })
    let levels = brightness.map { $0 / count }
    var rough = 0.0
    for index in levels.indices {
      let around = levels[max(0, index - 2)...min(255, index + 2)].reduce(0, +) / 5
      rough += abs(levels[index] - around)
    }
    add(rough)
    add(levels.max() ?? 0)
    add(-levels.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 })
    add(levels[..<4].reduce(0, +))
    add(levels[252...].reduce(0, +))
    for share in [0.1, 0.5, 0.9] { add(place(of: share, in: saturation)) }
    add(Double(pale) / count)
    for share in [0.02, 0.25, 0.5, 0.75, 0.98] { add(place(of: share, in: brightness)) }
    let (own, blueness, redness) = (FloatPlane(luma), FloatPlane(blueDifference), FloatPlane(redDifference))
    add(blueness.mean / 50)
    add(redness.mean / 50)
    add(log(blueness.deviation + 0.1))
    add(log(redness.deviation + 0.1))
    add(correlation(blueness, redness))
    add(correlation(own, blueness))
    add(correlation(own, redness))
  }

  /// The first bin that together with those before it holds the share, over the number of bins.
  private func place(of share: Double, in bins: [Double]) -> Double {
    let total = bins.reduce(0, +)
    var sum = 0.0
    for (index, found) in bins.enumerated() {
      sum += found
      if sum >= share * total { return Double(index) / Double(bins.count) }
    }
    return 1
  }
}

extension TexturePlane {
  /// The mean of every 2×2, an odd last row or column left out.
  func halve(into out: inout TexturePlane) {
    out.width = width / 2
    out.height = height / 2
    for y in 0..<out.height {
      let (above, below, to) = (row(y * 2), row(y * 2 + 1), out.row(y))
      for x in 0..<out.width {
        to[x] = (above[x * 2] + below[x * 2] + above[x * 2 + 1] + below[x * 2 + 1]) / 4
      }
    }
  }

  /// The first square of `side`; a smaller plane is mirrored at its last row and column, which are not repeated.
  func mirrored(into out: inout TexturePlane, side: Int) {
    func place(_ index: Int, _ length: Int) -> Int {
      let period = 2 * (length - 1)
      let rest = index % max(period, 1)
      return rest < length ? rest : period - rest
    }
    out.width = side
    out.height = side
    for y in 0..<side {
      let (from, to) = (row(place(y, height)), out.row(y))
      for x in 0..<side { to[x] = from[place(x, width)] }
    }
  }
}

/// A plane of its own size, for the few that shrink.
private struct FloatPlane {
  let width: Int
  let height: Int
  var values: [Float]

  init(width: Int, height: Int, _ values: [Float]) {
    self.width = width
    self.height = height
    self.values = values
  }

  init(_ plane: TexturePlane) {
    var values: [Float] = []
    values.reserveCapacity(plane.width * plane.height)
    for y in 0..<plane.height {
      values.append(contentsOf: UnsafeBufferPointer(start: plane.row(y), count: plane.width))
    }
    self.init(width: plane.width, height: plane.height, values)
  }

  var magnitudes: FloatPlane { FloatPlane(width: width, height: height, values.map { abs($0) }) }
  var mean: Double { values.reduce(0.0) { $0 + Double($1) } / Double(values.count) }
  var meanMagnitude: Double { values.reduce(0.0) { $0 + Double(abs($1)) } / Double(values.count) }
  var meanSquare: Double { values.reduce(0.0) { $0 + Double($1 * $1) } / Double(values.count) }
  var shareBelowHalf: Double { Double(values.count { abs($0) < 0.5 }) / Double(values.count) }
  var deviation: Double {
    let mean = mean
    return (values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)).squareRoot()
  }

  func plus(_ other: FloatPlane) -> FloatPlane {
    FloatPlane(width: width, height: height, zip(values, other.values).map { $0 + $1 })
  }

  var halved: FloatPlane {
    let (w, h) = (width / 2, height / 2)
    var out = [Float](repeating: 0, count: w * h)
    for y in 0..<h {
      for x in 0..<w {
        let place = y * 2 * width + x * 2
        out[y * w + x] = (values[place] + values[place + width] + values[place + 1] + values[place + width + 1]) / 4
      }
    }
    return FloatPlane(width: w, height: h, out)
  }
}

/// One step of the Haar transform, an odd last row or column left out.
private struct HaarStep {
  let rest: FloatPlane
  let across: FloatPlane
  let down: FloatPlane
  let diagonal: FloatPlane

  init(_ plane: FloatPlane) {
    let (w, h) = (plane.width / 2, plane.height / 2)
    var (rest, across) = ([Float](repeating: 0, count: w * h), [Float](repeating: 0, count: w * h))
    var (down, diagonal) = (rest, across)
    for y in 0..<h {
      for x in 0..<w {
        let place = y * 2 * plane.width + x * 2
        let (a, b) = (plane.values[place], plane.values[place + 1])
        let (c, d) = (plane.values[place + plane.width], plane.values[place + plane.width + 1])
        rest[y * w + x] = (a + b + c + d) / 2
        across[y * w + x] = (a - b + c - d) / 2
        down[y * w + x] = (a + b - c - d) / 2
        diagonal[y * w + x] = (a - b - c + d) / 2
      }
    }
    self.rest = FloatPlane(width: w, height: h, rest)
    self.across = FloatPlane(width: w, height: h, across)
    self.down = FloatPlane(width: w, height: h, down)
    self.diagonal = FloatPlane(width: w, height: h, diagonal)
  }
}

/// Over the part that both planes have.
private func correlation(_ one: FloatPlane, _ other: FloatPlane) -> Double {
  let (width, height) = (min(one.width, other.width), min(one.height, other.height))
  var (sumX, sumY, squareX, squareY, product) = (0.0, 0.0, 0.0, 0.0, 0.0)
  for y in 0..<height {
    for x in 0..<width {
      let (a, b) = (Double(one.values[y * one.width + x]), Double(other.values[y * other.width + x]))
      sumX += a
      sumY += b
      squareX += a * a
      squareY += b * b
      product += a * b
    }
  }
  let count = Double(width * height)
  let (meanX, meanY) = (sumX / count, sumY / count)
  let (varianceX, varianceY) = (squareX / count - meanX * meanX, squareY / count - meanY * meanY)
  return (product / count - meanX * meanY) / (max(0, varianceX * varianceY) + 1e-6).squareRoot()
}
