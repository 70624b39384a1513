import Foundation

// The 296 features that FS2 has beyond FS1, in the order and with the constants of the study's second script. Sums of
// many squares are taken in 64 bits: what they are compared with is small.
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
    let levels = HaarStep.levels(of: luma, 3)
    var energies: [Double] = []
    for (level, step) in levels.enumerated() {
      for plane in [step.across, step.diagonal] {
        add(log(plane.meanMagnitude + 1e-2) - 0.5 * log(plane.meanSquare + 1e-4))
        add(plane.shareBelowHalf)
      }
      add(correlation(step.across.magnitudes, step.down.magnitudes))
      add(correlation(step.across.magnitudes, step.diagonal.magnitudes))
      let (across, down) = (step.across.meanSquare, step.down.meanSquare)
      add(log(step.diagonal.meanSquare + 1e-2) - log((across + down) / 2 + 1e-2))
      energies.append(log(across + down + 1e-2))
      guard level > 0 else { continue }
      add(correlation(levels[level - 1].across.magnitudes.halved, step.across.magnitudes))
      add(correlation(levels[level - 1].diagonal.magnitudes.halved, step.diagonal.magnitudes))
    }
    add(energies[1] - energies[0])
    add(energies[2] - energies[1])
    for plane in [blueDifference, redDifference] {
      for (own, other) in zip(levels, HaarStep.levels(of: plane, 2)) {
        let energy = own.across.meanSquare + own.down.meanSquare
        let otherEnergy = other.across.meanSquare + other.down.meanSquare
        add(correlation(own.edges, other.edges))
        add(log(otherEnergy + 1e-2) - log(energy + 1e-2))
        add(log(other.diagonal.meanSquare + 1e-2) - log(otherEnergy + 1e-2))
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
    for found in TextureKernels.thirds(scratch) { add((Double(found) / count).squareRoot()) }
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
    scratch.width = plane.width - 6
    scratch.height = plane.height - 6
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * plane.width) { room in
      room.initialize(repeating: 0)
      guard let sums = room.baseAddress else { return }
      let squares = sums + plane.width
      for y in 0..<6 { TextureKernels.accumulate(plane.row(y), nil, plane.width, sums, squares) }
      for y in 0..<scratch.height {
        TextureKernels.accumulate(plane.row(y + 6), y > 0 ? plane.row(y - 1) : nil, plane.width, sums, squares)
        let (to, middle) = (scratch.row(y), plane.row(y + 3) + 3)
        var (sum, square) = (0.0, 0.0)
        for x in 0..<6 {
          sum += sums[x]
          square += squares[x]
        }
        for x in 0..<scratch.width {
          sum += sums[x + 6]
          square += squares[x + 6]
          let mean = sum * (1.0 / 49)
          to[x] = Float(Double(middle[x]) - mean)
          line[x] = Float(max(0, square * (1.0 / 49) - mean * mean))
          sum -= sums[x]
          square -= squares[x]
        }
        TextureKernels.even(to, by: line, scratch.width)
      }
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
        colours[(r >> 3) << 10 | (g >> 3) << 5 | b >> 3] += 1
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
