/// A plane of its own size, for the few that shrink.
struct FloatPlane {
  let width: Int
  let height: Int
  private(set) var values: [Float]

  private init(width: Int, height: Int, _ values: [Float]) {
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

  var mean: Double { total { Double($0) } / Double(values.count) }
  var meanMagnitude: Double { total { Double(abs($0)) } / Double(values.count) }
  var meanSquare: Double { total { Double($0 * $0) } / Double(values.count) }
  var shareBelowHalf: Double { Double(values.count { abs($0) < 0.5 }) / Double(values.count) }
  var deviation: Double {
    let mean = mean
    return (total { (Double($0) - mean) * (Double($0) - mean) } / Double(values.count)).squareRoot()
  }

  /// Four sums side by side: one alone would wait for itself at every step.
  @inline(__always) private func total(_ term: (Float) -> Double) -> Double {
    values.withUnsafeBufferPointer { values in
      var sums = SIMD4<Double>.zero
      let whole = values.count / 4 * 4
      for index in stride(from: 0, to: whole, by: 4) {
        sums += SIMD4(
          term(values[index]), term(values[index + 1]), term(values[index + 2]), term(values[index + 3]))
      }
      return values[whole...].reduce(sums.sum()) { $0 + term($1) }
    }
  }

  var magnitudes: FloatPlane { FloatPlane(width: width, height: height, values.map { abs($0) }) }

  func plus(_ other: FloatPlane) -> FloatPlane {
    FloatPlane(width: width, height: height, zip(values, other.values).map { $0 + $1 })
  }

  /// The mean of every 2×2, an odd last row or column left out.
  var halved: FloatPlane { quarters { ($0 + $2 + $1 + $3) / 4 } }

  /// One number of every 2×2: upper left, upper right, lower left, lower right.
  @inline(__always) fileprivate func quarters(_ number: (Float, Float, Float, Float) -> Float) -> FloatPlane {
    let (w, h) = (width / 2, height / 2)
    let out = [Float](unsafeUninitializedCapacity: w * h) { out, count in
      values.withUnsafeBufferPointer { values in
        for y in 0..<h {
          let (above, below, to) = (y * 2 * width, (y * 2 + 1) * width, y * w)
          for x in 0..<w {
            let (left, right) = (x * 2, x * 2 + 1)
            out[to + x] = number(
              values[above + left], values[above + right], values[below + left], values[below + right])
          }
        }
      }
      count = w * h
    }
    return FloatPlane(width: w, height: h, out)
  }
}

/// One step of the Haar transform, an odd last row or column left out.
struct HaarStep {
  private let rest: FloatPlane
  let across: FloatPlane
  let down: FloatPlane
  let diagonal: FloatPlane

  init(_ plane: FloatPlane) {
    rest = plane.quarters { ($0 + $1 + $2 + $3) / 2 }
    across = plane.quarters { ($0 - $1 + $2 - $3) / 2 }
    down = plane.quarters { ($0 + $1 - $2 - $3) / 2 }
    diagonal = plane.quarters { ($0 - $1 - $2 + $3) / 2 }
  }

  /// Each step of what the one before left over.
  static func levels(of plane: TexturePlane, _ count: Int) -> [HaarStep] {
    var out: [HaarStep] = []
    while out.count < count { out.append(HaarStep(out.last?.rest ?? FloatPlane(plane))) }
    return out
  }

  /// Magnitudes across and down together.
  var edges: FloatPlane { across.magnitudes.plus(down.magnitudes) }
}

/// Over the part that both planes have.
func correlation(_ one: FloatPlane, _ other: FloatPlane) -> Double {
  let (width, height) = (min(one.width, other.width), min(one.height, other.height))
  var (sumX, sumY, squareX, squareY, product) = (0.0, 0.0, 0.0, 0.0, 0.0)
  one.values.withUnsafeBufferPointer { left in
    other.values.withUnsafeBufferPointer { right in
      for y in 0..<height {
        for x in 0..<width {
          let (a, b) = (Double(left[y * one.width + x]), Double(right[y * other.width + x]))
          sumX += a
          sumY += b
          squareX += a * a
          squareY += b * b
          product += a * b
        }
      }
    }
  }
  let count = Double(width * height)
  let (meanX, meanY) = (sumX / count, sumY / count)
  let (varianceX, varianceY) = (squareX / count - meanX * meanX, squareY / count - meanY * meanY)
  return (product / count - meanX * meanY) / (max(0, varianceX * varianceY) + 1e-6).squareRoot()
}
