// The loops that take the time. All in one file, so that they are compiled into one another whatever the build.

private typealias Lanes = SIMD8<Float>
private typealias Counts = SIMD8<Int32>

extension UnsafeMutablePointer<Float> {
  @inline(__always) fileprivate func lanes(_ x: Int) -> Lanes {
    UnsafeRawPointer(self + x).loadUnaligned(as: Lanes.self)
  }

  @inline(__always) fileprivate func put(_ value: Lanes, _ x: Int) {
    UnsafeMutableRawPointer(self + x).storeBytes(of: value, as: Lanes.self)
  }
}

@inline(__always) private func magnitude(_ value: Lanes) -> Lanes { value.replacing(with: -value, where: value .< 0) }

@inline(__always) private func ones(_ mask: SIMDMask<SIMD8<Int32>>) -> Counts {
  Counts.zero.replacing(with: 1, where: mask)
}

enum TextureKernels {
  /// Eight-connected high pass of 3×3, a quarter of [1 -2 1; -2 4 -2; 1 -2 1], one pixel smaller on every side. The
  /// order of the sums is the study's: where channels are equal, only rounding is left and it is a feature too.
  static func highPass(_ plane: TexturePlane, into out: inout TexturePlane) {
    out.width = plane.width - 2
    out.height = plane.height - 2
    for y in 0..<out.height {
      let above = plane.row(y)
      let here = plane.row(y + 1)
      let below = plane.row(y + 2)
      let to = out.row(y)
      for x in stride(from: 0, to: out.width, by: 8) {
        let cross = above.lanes(x + 1) + below.lanes(x + 1) + here.lanes(x) + here.lanes(x + 2)
        let middle = 4 * here.lanes(x + 1) - 2 * cross
        let corners = middle + above.lanes(x) + above.lanes(x + 2) + below.lanes(x) + below.lanes(x + 2)
        to.put(corners * 0.25, x)
      }
    }
    out.clearSlack()
  }

  /// Differences of neighbours in one row: first order (right minus here).
  static func step(_ row: UnsafeMutablePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<Float>) {
    for x in stride(from: 0, to: count, by: 8) { out.put(row.lanes(x + 1) - row.lanes(x), x) }
    (out + count).update(repeating: 0, count: TexturePlane.rowLength - count)
  }

  static func fall(
    _ row: UnsafeMutablePointer<Float>, _ next: UnsafeMutablePointer<Float>, _ count: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    for x in stride(from: 0, to: count, by: 8) { out.put(next.lanes(x) - row.lanes(x), x) }
    (out + count).update(repeating: 0, count: TexturePlane.rowLength - count)
  }

  /// Second order (right - 2 here + left), and its magnitude added to one sum a column.
  static func bend(
    _ row: UnsafeMutablePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<Float>,
    columns: UnsafeMutablePointer<Float>
  ) {
    for x in stride(from: 0, to: count, by: 8) {
      let value = row.lanes(x + 2) - 2 * row.lanes(x + 1) + row.lanes(x)
      out.put(value, x)
      columns.put(columns.lanes(x) + magnitude(value), x)
    }
    (out + count).update(repeating: 0, count: TexturePlane.rowLength - count)
  }

  /// Adds one row that is followed by zeros.
  static func add(_ row: UnsafeMutablePointer<Float>, _ count: Int, to sums: inout MomentSums) {
    var first = Lanes.zero
    var second = Lanes.zero
    var third = Lanes.zero
    var fourth = Lanes.zero
    var absolute = Lanes.zero
    for x in stride(from: 0, to: count, by: 8) {
      let value = row.lanes(x)
      let square = value * value
      first += value
      second += square
      third += square * value
      fourth += square * square
      absolute += magnitude(value)
    }
    sums.first += Double(first.sum())
    sums.second += Double(second.sum())
    sums.third += Double(third.sum())
    sums.fourth += Double(fourth.sum())
    sums.absolute += Double(absolute.sum())
    sums.count += count
  }

  static func moments(_ plane: TexturePlane) -> MomentSums {
    var sums = MomentSums()
    for y in 0..<plane.height { add(plane.row(y), plane.width, to: &sums) }
    return sums
  }

  static func products(_ a: TexturePlane, _ b: TexturePlane, _ c: TexturePlane) -> ProductSums {
    var sums = ProductSums()
    for y in 0..<a.height {
      let (rowA, rowB, rowC) = (a.row(y), b.row(y), c.row(y))
      var (aa, bb, cc) = (Lanes.zero, Lanes.zero, Lanes.zero)
      var (ab, bc, ac) = (Lanes.zero, Lanes.zero, Lanes.zero)
      for x in stride(from: 0, to: a.width, by: 8) {
        let (left, middle, right) = (rowA.lanes(x), rowB.lanes(x), rowC.lanes(x))
        aa += left * left
        bb += middle * middle
        cc += right * right
        ab += left * middle
        bc += middle * right
        ac += left * right
      }
      sums.aa += Double(aa.sum())
      sums.bb += Double(bb.sum())
      sums.cc += Double(cc.sum())
      sums.ab += Double(ab.sum())
      sums.bc += Double(bc.sum())
      sums.ac += Double(ac.sum())
    }
    return sums
  }

  /// Sums of the magnitudes of what values differ by from `mean`.
  static func deviations(_ plane: TexturePlane, from mean: Float) -> Double {
    var sum = 0.0
    for y in 0..<plane.height {
      let row = plane.row(y)
      var part = Lanes.zero
      for x in stride(from: 0, to: plane.width, by: 8) { part += magnitude(row.lanes(x) - mean) }
      sum += Double(part.sum())
    }
    // The zeros behind each row differ too.
    return sum - Double((plane.width + 7) / 8 * 8 - plane.width) * Double(plane.height) * Double(abs(mean))
  }

  /// For one row that is followed by zeros and another: the sum of the products, of the squares of those above zero,
  /// and of those of the others.
  static func pairs(
    _ row: UnsafeMutablePointer<Float>, _ other: UnsafeMutablePointer<Float>, _ count: Int,
    to sums: inout (all: Double, above: Double, below: Double)
  ) {
    var all = Lanes.zero
    var above = Lanes.zero
    var below = Lanes.zero
    for x in stride(from: 0, to: count, by: 8) {
      let product = row.lanes(x) * other.lanes(x)
      let square = product * product
      all += product
      above += square.replacing(with: 0, where: product .<= 0)
      below += square.replacing(with: 0, where: product .> 0)
    }
    sums.all += Double(all.sum())
    sums.above += Double(above.sum())
    sums.below += Double(below.sum())
  }

  /// Differences over one plus the root of their variances, in place.
  static func even(_ row: UnsafeMutablePointer<Float>, by variance: UnsafeMutablePointer<Float>, _ count: Int) {
    for x in stride(from: 0, to: count, by: 8) { row.put(row.lanes(x) / (variance.lanes(x).squareRoot() + 1), x) }
  }

  /// How many values lie in each ninth of -1.5...1.5, those outside counted with the outermost.
  static func thirds(_ plane: TexturePlane) -> [Int] {
    var reached = [Int](repeating: 0, count: 10)
    let slack = (plane.width + 7) / 8 * 8 - plane.width
    for y in 0..<plane.height {
      let row = plane.row(y)
      var counts = (Counts.zero, Counts.zero, Counts.zero, Counts.zero)
      var more = counts
      for x in stride(from: 0, to: plane.width, by: 8) {
        let place = row.lanes(x) * 3 + 4.5
        counts.0 &+= ones(place .>= 1)
        counts.1 &+= ones(place .>= 2)
        counts.2 &+= ones(place .>= 3)
        counts.3 &+= ones(place .>= 4)
        more.0 &+= ones(place .>= 5)
        more.1 &+= ones(place .>= 6)
        more.2 &+= ones(place .>= 7)
        more.3 &+= ones(place .>= 8)
      }
      // The zeros behind each row lie in the middle.
      let low = [counts.0, counts.1, counts.2, counts.3].map { Int($0.wrappedSum()) - slack }
      let high = [more.0, more.1, more.2, more.3].map { Int($0.wrappedSum()) }
      for (index, found) in (low + high).enumerated() { reached[index + 1] += found }
    }
    reached[0] = plane.width * plane.height
    return (0..<9).map { reached[$0] - reached[$0 + 1] }
  }

  /// Adds one row to sums and sums of squares of each column, and takes another one off.
  static func accumulate(
    _ row: UnsafeMutablePointer<Float>, _ gone: UnsafeMutablePointer<Float>?, _ count: Int,
    _ sums: UnsafeMutablePointer<Double>, _ squares: UnsafeMutablePointer<Double>
  ) {
    if let gone {
      for x in 0..<count {
        let (new, old) = (Double(row[x]), Double(gone[x]))
        sums[x] += new - old
        squares[x] += new * new - old * old
      }
    } else {
      for x in 0..<count {
        sums[x] += Double(row[x])
        squares[x] += Double(row[x]) * Double(row[x])
      }
    }
  }

  /// How many values of a row that is followed by zeros lie closer to zero than `bound`.
  static func near(_ row: UnsafeMutablePointer<Float>, _ count: Int, _ bound: Float) -> Int {
    var found = Counts.zero
    for x in stride(from: 0, to: count, by: 8) { found &+= ones(magnitude(row.lanes(x)) .< bound) }
    // The zeros behind the row lie closer than any bound.
    return Int(found.wrappedSum()) - ((count + 7) / 8 * 8 - count)
  }

  /// Sums of the products of pixels `1...8` apart along rows.
  static func across(_ plane: TexturePlane) -> [Double] {
    var sums = [Double](repeating: 0, count: 8)
    for y in 0..<plane.height {
      let row = plane.row(y)
      for lag in 1...8 {
        var sum = Lanes.zero
        for x in stride(from: 0, to: plane.width, by: 8) { sum += row.lanes(x) * row.lanes(x + lag) }
        sums[lag - 1] += Double(sum.sum())
      }
    }
    return sums
  }

  /// Sums of the products of pixels `1...8` apart along columns.
  static func down(_ plane: TexturePlane) -> [Double] {
    var sums = [Double](repeating: 0, count: 8)
    for y in 0..<plane.height {
      let row = plane.row(y)
      for lag in 1...8 where y + lag < plane.height {
        let other = plane.row(y + lag)
        var sum = Lanes.zero
        for x in stride(from: 0, to: plane.width, by: 8) { sum += row.lanes(x) * other.lanes(x) }
        sums[lag - 1] += Double(sum.sum())
      }
    }
    return sums
  }

  /// The sum of the squares of 8×8 whole pixels.
  static func blockEnergy(_ plane: TexturePlane, _ x: Int, _ y: Int) -> Double {
    var sum = Lanes.zero
    for line in y..<y + 8 {
      let value = plane.row(line).lanes(x)
      sum += value * value
    }
    return Double(sum.sum())
  }

  /// Values in steps of `unit`, ties to even, limited to -2...2 and stored as 0...4. Rows of `TexturePlane.rowLength`.
  static func quantise(_ plane: TexturePlane, unit: Float, into levels: UnsafeMutablePointer<UInt8>) {
    for y in 0..<plane.height {
      let row = plane.row(y)
      let to = levels + y * TexturePlane.rowLength
      for x in stride(from: 0, to: plane.width, by: 8) {
        let value = row.lanes(x) / unit
        // 0.5 rounds to 0 and 1.5 to 2.
        let up = ones(value .> 0.5) &+ ones(value .>= 1.5)
        let down = ones(value .< -0.5) &+ ones(value .<= -1.5)
        let level = SIMD8<UInt8>(truncatingIfNeeded: up &- down &+ 2)
        UnsafeMutableRawPointer(to + x).storeBytes(of: level, as: SIMD8<UInt8>.self)
      }
    }
  }

  /// Counts of three neighbouring levels in a row and in a column together; 125 bins, the first level the highest
  /// digit. `bins` has room for four tables of 128: neighbours fall into different ones, so that none waits.
  static func countTriples(
    _ levels: UnsafeMutablePointer<UInt8>, width: Int, height: Int, bins: UnsafeMutablePointer<UInt32>
  ) {
    let length = TexturePlane.rowLength
    bins.update(repeating: 0, count: 512)
    for y in 0..<height {
      let row = levels + y * length
      for x in 0..<width - 2 {
        let code = Int(row[x]) * 25 + Int(row[x + 1]) * 5 + Int(row[x + 2])
        bins[(x & 3) * 128 + code] &+= 1
      }
      guard y + 2 < height else { continue }
      let next = row + length
      let last = next + length
      for x in 0..<width {
        let code = Int(row[x]) * 25 + Int(next[x]) * 5 + Int(last[x])
        bins[(x & 3) * 128 + code] &+= 1
      }
    }
    for code in 0..<128 { bins[code] &+= bins[128 + code] &+ bins[256 + code] &+ bins[384 + code] }
  }

  /// Counts of the 256 patterns of which neighbours are brighter by half a step. `codes` holds one row; `bins` four
  /// tables of 256, the sum in the first.
  static func countPatterns(
    _ plane: TexturePlane, codes: UnsafeMutablePointer<UInt8>, bins: UnsafeMutablePointer<UInt32>
  ) {
    bins.update(repeating: 0, count: 1_024)
    let width = plane.width - 2
    for y in 0..<plane.height - 2 {
      let (above, here, below) = (plane.row(y), plane.row(y + 1), plane.row(y + 2))
      for x in stride(from: 0, to: width, by: 8) {
        let bound = here.lanes(x + 1) + 0.5
        var code = ones(above.lanes(x) .>= bound)
        code |= ones(above.lanes(x + 1) .>= bound) &<< 1
        code |= ones(above.lanes(x + 2) .>= bound) &<< 2
        code |= ones(here.lanes(x + 2) .>= bound) &<< 3
        code |= ones(below.lanes(x + 2) .>= bound) &<< 4
        code |= ones(below.lanes(x + 1) .>= bound) &<< 5
        code |= ones(below.lanes(x) .>= bound) &<< 6
        code |= ones(here.lanes(x) .>= bound) &<< 7
        UnsafeMutableRawPointer(codes + x).storeBytes(
          of: SIMD8<UInt8>(truncatingIfNeeded: code), as: SIMD8<UInt8>.self)
      }
      for x in 0..<width { bins[(x & 3) * 256 + Int(codes[x])] &+= 1 }
    }
    for code in 0..<256 { bins[code] &+= bins[256 + code] &+ bins[512 + code] &+ bins[768 + code] }
  }
}
