import Foundation

/// The mean logarithm of the power of all whole blocks of 128×128, with a Hann window.
///
/// A transform of real numbers: two columns travel as one complex one, and half of the rows follow from the other half
/// by symmetry. Both passes run along the slow axis, so that the fast one fills the lanes.
final class BlockSpectrum {
  static let side = 128
  private static let half = side / 2
  /// Rows 0...64 of the spectrum, rounded up to whole steps.
  private static let lanesDown = 72

  private let window: [Float]
  private let cosines: [Float]
  private let sines: [Float]
  private let order = (0..<side).map(reversed)
  private let real = UnsafeMutablePointer<Float>.allocate(capacity: side * lanesDown)
  private let imaginary = UnsafeMutablePointer<Float>.allocate(capacity: side * lanesDown)
  private let realDown = UnsafeMutablePointer<Float>.allocate(capacity: side * lanesDown)
  private let imaginaryDown = UnsafeMutablePointer<Float>.allocate(capacity: side * lanesDown)
  private let product = UnsafeMutablePointer<Double>.allocate(capacity: side * lanesDown)
  /// 128 rows of 65: frequencies down by frequencies across.
  private(set) var power = [Double](repeating: 0, count: side * (half + 1))

  init() {
    let hann = (0..<Self.side).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(Self.side - 1)) }
    window = hann.flatMap { row in hann.map { Float(row * $0) } }
    cosines = (0..<Self.half).map { Float(cos(2 * Double.pi * Double($0) / Double(Self.side))) }
    sines = (0..<Self.half).map { Float(-sin(2 * Double.pi * Double($0) / Double(Self.side))) }
    for plane in [real, imaginary, realDown, imaginaryDown] {
      plane.initialize(repeating: 0, count: Self.side * Self.lanesDown)
    }
    product.initialize(repeating: 1, count: Self.side * Self.lanesDown)
  }

  deinit {
    for plane in [real, imaginary, realDown, imaginaryDown] { plane.deallocate() }
    product.deallocate()
  }

  /// Fills `power`. The plane has at least 128 pixels on each side.
  func measure(_ plane: TexturePlane) {
    product.update(repeating: 1, count: Self.side * Self.lanesDown)
    var blocks = 0
    for y in stride(from: 0, through: plane.height - Self.side, by: Self.side) {
      for x in stride(from: 0, through: plane.width - Self.side, by: Self.side) {
        load(plane, x, y)
        transform(real, imaginary, lanes: Self.half)
        separate()
        transform(realDown, imaginaryDown, lanes: Self.lanesDown)
        multiply()
        blocks += 1
      }
    }
    settle(blocks)
  }

  /// Columns 0..<64 as real parts and 64..<128 as imaginary ones.
  private func load(_ plane: TexturePlane, _ x: Int, _ y: Int) {
    var sum = 0.0
    for line in 0..<Self.side {
      let row = plane.row(y + line) + x
      var part = SIMD8<Float>.zero
      for column in stride(from: 0, to: Self.side, by: 8) {
        part += UnsafeRawPointer(row + column).loadUnaligned(as: SIMD8<Float>.self)
      }
      sum += Double(part.sum())
    }
    let mean = Float(sum / Double(Self.side * Self.side))
    window.withUnsafeBufferPointer { window in
      for line in 0..<Self.side {
        let row = plane.row(y + line) + x
        let to = order[line] * Self.half
        for column in 0..<Self.half {
          real[to + column] = (row[column] - mean) * window[line * Self.side + column]
          imaginary[to + column] =
            (row[column + Self.half] - mean) * window[line * Self.side + column + Self.half]
        }
      }
    }
  }

  private static func reversed(_ index: Int) -> Int {
    var (from, to) = (index, 0)
    for _ in 0..<7 {
      to = to << 1 | from & 1
      from >>= 1
    }
    return to
  }

  /// Radix 2 along the slow axis, in place, rows already in bit-reversed order; `lanes` is a multiple of eight.
  private func transform(_ re: UnsafeMutablePointer<Float>, _ im: UnsafeMutablePointer<Float>, lanes: Int) {
    var span = 1
    while span < Self.side {
      let turn = Self.half / span
      for start in stride(from: 0, to: Self.side, by: span * 2) {
        for offset in 0..<span {
          let a = (start + offset) * lanes
          butterfly(re, im, a, a + span * lanes, lanes, cosines[offset * turn], sines[offset * turn])
        }
      }
      span *= 2
    }
  }

  @inline(__always) private func butterfly(
    _ re: UnsafeMutablePointer<Float>, _ im: UnsafeMutablePointer<Float>, _ a: Int, _ b: Int, _ lanes: Int,
    _ cosine: Float, _ sine: Float
  ) {
    typealias Lanes = SIMD8<Float>
    for lane in stride(from: 0, to: lanes, by: 8) {
      let reA = UnsafeMutableRawPointer(re + a + lane)
      let imA = UnsafeMutableRawPointer(im + a + lane)
      let reB = UnsafeMutableRawPointer(re + b + lane)
      let imB = UnsafeMutableRawPointer(im + b + lane)
      let (x, y) = (reB.loadUnaligned(as: Lanes.self), imB.loadUnaligned(as: Lanes.self))
      let (u, v) = (reA.loadUnaligned(as: Lanes.self), imA.loadUnaligned(as: Lanes.self))
      let turnedX = x * cosine - y * sine
      let turnedY = x * sine + y * cosine
      reA.storeBytes(of: u + turnedX, as: Lanes.self)
      imA.storeBytes(of: v + turnedY, as: Lanes.self)
      reB.storeBytes(of: u - turnedX, as: Lanes.self)
      imB.storeBytes(of: v - turnedY, as: Lanes.self)
    }
  }

  /// Takes the two columns of each complex one apart, and turns the plane on its side: columns become the slow axis,
  /// in bit-reversed order, and frequencies 0...64 the lanes.
  private func separate() {
    let order = order
    for frequency in 0...Self.half {
      let here = frequency * Self.half
      let mirror = (Self.side - frequency) % Self.side * Self.half
      for column in 0..<Self.half {
        let (a, b) = (real[here + column], imaginary[here + column])
        let (c, d) = (real[mirror + column], imaginary[mirror + column])
        let left = order[column] * Self.lanesDown + frequency
        let right = order[column + Self.half] * Self.lanesDown + frequency
        realDown[left] = (a + c) * 0.5
        imaginaryDown[left] = (b - d) * 0.5
        realDown[right] = (b + d) * 0.5
        imaginaryDown[right] = (c - a) * 0.5
      }
    }
  }

  /// One logarithm of a product takes the place of nine: each factor is at most about 1e12, so that nine stay far
  /// below the largest double.
  private func multiply() {
    for index in 0..<Self.side * Self.lanesDown {
      let (x, y) = (realDown[index], imaginaryDown[index])
      product[index] *= Double(x * x + y * y + 0.1)
    }
  }

  private func settle(_ blocks: Int) {
    let share = 1 / Double(max(blocks, 1))
    for down in 0..<Self.side {
      for across in 0...Self.half {
        // The other half of the plane, by symmetry of real input.
        let (row, column) =
          down <= Self.half ? (down, across) : (Self.side - down, (Self.side - across) % Self.side)
        power[down * (Self.half + 1) + across] = log(product[column * Self.lanesDown + row]) * share
      }
    }
  }

  // MARK: Features

  /// 51 numbers: the power in 24 rings against that of rings 4..<10, its slope, how far 24 places of a grid of an
  /// eighth stand out of their surroundings, and two differences between the directions.
  func features() -> [Double] {
    var rings = [Double](repeating: 0, count: 24)
    for (index, ring) in Self.ring.enumerated() { rings[ring] += power[index] }
    for ring in rings.indices { rings[ring] /= Self.ringCounts[ring] }
    let reference = rings[4..<10].reduce(0, +) / 6
    var out = rings.map { $0 - reference }
    out.append(slope(rings))
    for i in 0..<5 {
      for j in 0..<5 where (i, j) != (0, 0) {
        let across = min(j * 16, 64)
        out.append(max(peak(i * 16, across), peak((Self.side - i * 16) % Self.side, across)))
      }
    }
    let right = mean(0..<128, 48..<65)
    out.append(right - mean(40..<88, 0..<65))
    out.append(mean(40..<88, 48..<65) - right)
    return out
  }

  /// 67 numbers of a plane of one block, as half of a crop always is: the power in 35 of 36 cells of equal frequency in
  /// either direction, the 24 rings, and how much eight rings differ within themselves.
  func moreFeatures() -> [Double] {
    var cells = [Double](repeating: 0, count: 36)
    var counts = cells
    for (index, cell) in Self.cell.enumerated() {
      cells[cell] += power[index]
      counts[cell] += 1
    }
    for cell in cells.indices { cells[cell] /= counts[cell] }
    let mean = cells[1...].reduce(0, +) / 35
    var rings = [Double](repeating: 0, count: 24)
    for (index, ring) in Self.ring.enumerated() { rings[ring] += power[index] }
    for ring in rings.indices { rings[ring] /= Self.ringCounts[ring] }
    var within = [Double](repeating: 0, count: 24)
    for (index, ring) in Self.ring.enumerated() {
      within[ring] += (power[index] - rings[ring]) * (power[index] - rings[ring])
    }
    let reference = rings[4..<10].reduce(0, +) / 6
    return cells[1...].map { $0 - mean } + rings.map { $0 - reference }
      + stride(from: 2, to: 24, by: 3).map { (within[$0] / Self.ringCounts[$0]).squareRoot() }
  }

  private static let cell: [Int] = (0..<side * (half + 1)).map { index in
    let row = index / (half + 1)
    let down = min(min(row, side - row) * 8 / 65, 7)
    let across = min(index % (half + 1) * 8 / 65, 7)
    let (low, high) = (min(down, across), max(down, across))
    // Pairs (0, 0), (0, 1) … (0, 7), (1, 1) … (7, 7).
    return low * 8 - low * (low - 1) / 2 + high - low
  }

  /// Of the line through rings 3...21 over the logarithm of their number.
  private func slope(_ rings: [Double]) -> Double {
    let places = (3..<22).map { log(Double($0)) }
    let place = places.reduce(0, +) / 19
    let value = rings[3..<22].reduce(0, +) / 19
    var (shared, own) = (0.0, 0.0)
    for index in 0..<19 {
      shared += (places[index] - place) * (rings[index + 3] - value)
      own += (places[index] - place) * (places[index] - place)
    }
    return shared / own
  }

  /// Against the mean of 7×7 around it; both axes wrap at their own length.
  private func peak(_ down: Int, _ across: Int) -> Double {
    let columns = Self.half + 1
    var sum = 0.0
    for y in -3...3 {
      for x in -3...3 {
        sum += power[(down + y + Self.side) % Self.side * columns + (across + x + columns) % columns]
      }
    }
    return power[down * columns + across] - sum / 49
  }

  private func mean(_ rows: Range<Int>, _ columns: Range<Int>) -> Double {
    var sum = 0.0
    for y in rows { for x in columns { sum += power[y * (Self.half + 1) + x] } }
    return sum / Double(rows.count * columns.count)
  }

  /// The ring of each place of `power`: 24 of equal width, the last one taking the corner.
  private static let ring: [Int] = (0..<side * (half + 1)).map { index in
    let row = index / (half + 1)
    let down = Double(row < half ? row : row - side) / Double(side)
    let across = Double(index % (half + 1)) / Double(side)
    let radius = (down * down + across * across).squareRoot()
    return min(Int(exactly: (radius / 0.7072 * 24).rounded(.down)) ?? 23, 23)
  }

  private static let ringCounts: [Double] = ring.reduce(into: [Double](repeating: 0, count: 24)) { $0[$1] += 1 }
}
