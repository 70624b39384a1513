import Synchronization

/// An identifier of one kind of thing. Sorts by time of creation: milliseconds since 1970 in the high 48 bits.
package struct ID<Entity>: RawRepresentable, Hashable, Comparable, Sendable {
  package let rawValue: Int64
  package init(rawValue: Int64) { self.rawValue = rawValue }
  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  /// When the thing was made, to the millisecond.
  package var time: Timestamp { Timestamp(milliseconds: rawValue >> 16) }
}

extension ID: LosslessStringConvertible {
  /// Plain decimal digits of a positive 64-bit number; clients echo ids back and may send anything.
  package init?(_ text: String) {
    guard (1...19).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(text)
    else { return nil }
    rawValue = value
  }
  package var description: String { String(rawValue) }
}

extension ID: Codable {
  package init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(Int64.self)
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

/// Mints identifiers: `milliseconds << 16 | tail`.
///
/// Ids minted for the present strictly increase even when the clock steps back: within one millisecond the tail
/// counts up, and when it overflows the time runs ahead by one millisecond.
package final class SnowflakeGenerator: Sendable {
  private let time: TimeSource
  private let random: RandomBytes
  private let last: Mutex<Int64>

  package init(time: TimeSource, random: RandomBytes, after last: Int64 = 0) {
    self.time = time
    self.random = random
    self.last = Mutex(last)
  }

  package func next<Entity>() -> ID<Entity> {
    let candidate = mint(at: time.now())
    return ID(
      rawValue: last.withLock { last in
        last = max(candidate, last &+ 1)
        return last
      })
  }

  /// An id for something that was made at `moment` elsewhere. 65,536 tails a millisecond: with 100 posts in the same
  /// millisecond the odds of a collision are about 7 %, so callers retry on a unique constraint.
  package func at<Entity>(_ moment: Timestamp) -> ID<Entity> { ID(rawValue: mint(at: moment)) }

  private func mint(at moment: Timestamp) -> Int64 {
    let tail = random.make(2).reduce(Int64(0)) { $0 << 8 | Int64($1) }
    let clamped = min(max(moment.milliseconds, 0), (1 << 47) - 1)
    return clamped << 16 | tail
  }
}
