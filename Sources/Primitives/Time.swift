import Foundation

/// Milliseconds since 1970-01-01T00:00:00Z. What databases, ids and signatures agree on.
package struct Timestamp: Hashable, Comparable, Codable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }
  package init(secondsSince1970 seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  package var secondsSince1970: Int64 { milliseconds.floorDivided(by: 1_000) }
  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  /// `self + duration`, held at the ends of the range instead of trapping.
  package func adding(_ duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    if overflow { return Timestamp(milliseconds: seconds < 0 ? .min : .max) }
    let (delta, tooMuch) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    if tooMuch { return Timestamp(milliseconds: whole < 0 ? .min : .max) }
    let (sum, tooFar) = milliseconds.addingReportingOverflow(delta)
    return Timestamp(milliseconds: tooFar ? (delta < 0 ? .min : .max) : sum)
  }

  package func since(_ earlier: Timestamp) -> Duration {
    let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
    return .milliseconds(overflow ? (milliseconds < 0 ? Int64.min : .max) : difference)
  }
}

/// The present. Injected, so that a test may own it.
package struct TimeSource: Sendable {
  package var now: @Sendable () -> Timestamp
  package init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

  package static let system = TimeSource {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
  }
}

/// A date and time of day in UTC, in the proleptic Gregorian calendar.
private struct CivilTime {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int
  var millisecond = 0

  var isReal: Bool {
    guard (0...9_999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
      (0...60).contains(second)
    else { return false }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[month - 1]).contains(day)
  }

  /// Days since 1970-01-01, by the era arithmetic of H. Hinnant's "chrono-compatible low-level date algorithms".
  private var daysSinceEpoch: Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted.floorDivided(by: 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The weekday, 0 for Sunday.
  var weekday: Int { (daysSinceEpoch + 4) - (daysSinceEpoch + 4).floorDivided(by: 7) * 7 }

  var timestamp: Timestamp {
    let seconds = ((daysSinceEpoch * 24 + hour) * 60 + minute) * 60 + second
    return Timestamp(milliseconds: Int64(seconds) * 1_000 + Int64(millisecond))
  }

  init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, millisecond: Int = 0) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.millisecond = millisecond
  }

  /// Held to the years 0 to 9999, which are all that the two text forms can say.
  init(_ timestamp: Timestamp) {
    let clamped = min(max(timestamp.milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let days = Int(clamped.floorDivided(by: 86_400_000))
    let rest = Int(clamped) - days * 86_400_000
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
    month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = rest / 3_600_000
    minute = rest / 60_000 % 60
    second = rest / 1_000 % 60
    millisecond = rest % 1_000
  }
}

extension BinaryInteger {
  fileprivate func floorDivided(by divisor: Self) -> Self {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

private func padded(_ value: Int, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

extension Timestamp {
  /// `2026-11-03T18:00:00.000Z`: Mastodon's clients expect the milliseconds.
  package var iso8601: String {
    let civil = CivilTime(self)
    return "\(date(civil))T\(time(civil)).\(padded(civil.millisecond, 3))Z"
  }

  /// `2026-11-03T18:00:00Z`: ActivityPub documents and proofs.
  package var iso8601Seconds: String {
    let civil = CivilTime(self)
    return "\(date(civil))T\(time(civil))Z"
  }

  /// `2026-11-03`.
  package var iso8601Day: String { date(CivilTime(self)) }

  /// IMF-fixdate of RFC 9110 §5.6.7: `Tue, 03 Nov 2026 18:00:02 GMT`.
  package var httpDate: String {
    let civil = CivilTime(self)
    let day = "\(weekdays[civil.weekday]), \(padded(civil.day, 2)) \(months[civil.month - 1])"
    return "\(day) \(padded(civil.year, 4)) \(time(civil)) GMT"
  }

  private func date(_ civil: CivilTime) -> String {
    "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
  }

  private func time(_ civil: CivilTime) -> String {
    "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
  }

  /// RFC 3339 with any offset and any fraction; seconds may be absent, as Pleroma has sent them.
  package init?(iso8601 text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard (16...40).contains(bytes.count), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") || bytes[10] == UInt8(ascii: " "),
      bytes[13] == UInt8(ascii: ":"),
      let year = decimal(bytes[0..<4], digits: 4), let month = decimal(bytes[5..<7], digits: 2),
      let day = decimal(bytes[8..<10], digits: 2), let hour = decimal(bytes[11..<13], digits: 2),
      let minute = decimal(bytes[14..<16], digits: 2)
    else { return nil }
    var civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: 0)
    var rest = bytes[16...]
    if rest.first == UInt8(ascii: ":") {
      guard let second = decimal(rest.dropFirst().prefix(2), digits: 2), rest.count >= 3 else { return nil }
      civil.second = second
      rest = rest.dropFirst(3)
      if rest.first == UInt8(ascii: ".") {
        let digits = rest.dropFirst().prefix { (48...57).contains($0) }
        guard !digits.isEmpty else { return nil }
        let firstThree = Array((Array(digits) + [48, 48]).prefix(3))
        guard let fraction = decimal(firstThree, digits: 3) else { return nil }
        civil.millisecond = fraction
        rest = rest.dropFirst(1 + digits.count)
      }
    }
    guard civil.isReal, let offset = Timestamp.offsetMinutes(Array(rest)) else { return nil }
    self = civil.timestamp.adding(.seconds(-60 * offset))
  }

  private static func offsetMinutes(_ zone: [UInt8]) -> Int? {
    if zone == [UInt8(ascii: "Z")] || zone == [UInt8(ascii: "z")] { return 0 }
    guard let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
    let digits = zone.dropFirst().filter { $0 != UInt8(ascii: ":") }
    guard digits.count == 4, zone.count <= 6, let hours = decimal(digits.prefix(2), digits: 2),
      let minutes = decimal(digits.suffix(2), digits: 2), hours < 24, minutes < 60
    else { return nil }
    return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
  }

  /// IMF-fixdate only; the two obsolete forms of RFC 9110 §5.6.7 are refused, as no fediverse server sends them.
  package init?(httpDate text: some StringProtocol) {
    let parts = String(text).split(separator: Character(" "), omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 6, parts[5] == "GMT", parts[0].hasSuffix(","), weekdays.contains(String(parts[0].dropLast())),
      parts[1].utf8.count == 2, let day = decimal(parts[1].utf8, digits: 2),
      let month = months.firstIndex(of: parts[2]),
      parts[3].utf8.count == 4, let year = decimal(parts[3].utf8, digits: 4)
    else { return nil }
    let clock = parts[4].split(separator: Character(":"), omittingEmptySubsequences: false)
    guard clock.count == 3, clock.allSatisfy({ $0.utf8.count == 2 }), let hour = decimal(clock[0].utf8, digits: 2),
      let minute = decimal(clock[1].utf8, digits: 2), let second = decimal(clock[2].utf8, digits: 2)
    else { return nil }
    let civil = CivilTime(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
    guard civil.isReal else { return nil }
    self = civil.timestamp
  }
}
