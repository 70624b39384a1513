/// One channel of one crop. Rows are followed by zeros, so that sums of products need no special last step.
struct TexturePlane {
  /// Sides of the largest crop.
  static let side = 384
  /// Room behind a row: one step of eight lanes, and eight more for the farthest neighbour.
  static let slack = 16
  static let rowLength = side + slack

  let start: UnsafeMutablePointer<Float>
  var width = 0
  var height = 0

  func row(_ y: Int) -> UnsafeMutablePointer<Float> { start + y * Self.rowLength }

  /// Zeros behind the width of every row.
  func clearSlack() {
    for y in 0..<height { (row(y) + width).update(repeating: 0, count: Self.rowLength - width) }
  }

  /// The caller frees it. One row more than is used: a step of eight lanes may look past the last one.
  static func allocate() -> TexturePlane {
    let count = rowLength * (side + 1)
    let start = UnsafeMutablePointer<Float>.allocate(capacity: count)
    start.initialize(repeating: 0, count: count)
    return TexturePlane(start: start)
  }
}

/// Sums over one plane, from which mean, spread, skewness and peakedness follow.
struct MomentSums {
  var first = 0.0
  var second = 0.0
  var third = 0.0
  var fourth = 0.0
  var absolute = 0.0
  var count = 0
}

/// Sums of squares and of products of three planes.
struct ProductSums {
  var aa = 0.0
  var bb = 0.0
  var cc = 0.0
  var ab = 0.0
  var bc = 0.0
  var ac = 0.0
}
