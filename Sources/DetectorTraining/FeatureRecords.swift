import Forensics
import Primitives

extension Treatment {
  package init(_ condition: Condition) {
    switch condition {
    case .asFound: self.init(scale: 1_000, quality: 0)
    case .jpeg90: self.init(scale: 1_000, quality: 90)
    case .half75: self.init(scale: 500, quality: 75)
    }
  }

  /// One of many that a picture may meet on its way, the same for the same picture for ever: between 40 % and full
  /// size, JPEG quality 60 to 95. Training and calibration see it beside the file as found.
  package init(travelled digest: [UInt8]) {
    var chance = SeededChance(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    self.init(scale: 400 + chance.below(601), quality: 60 + chance.below(36))
  }
}

/// What was measured of one picture under one treatment: numbers only, from which no picture can be made again.
package struct FeatureRecord: Hashable, Sendable {
  /// SHA-256 of the file.
  package var digest: [UInt8]
  package var treatment: Treatment
  /// The shorter side of the picture after it; 0 where it was never opened.
  package var side: Int
  /// One row a crop; empty when there is no opinion.
  package var crops: [[Float]]
  /// Why there are no features, as a stable code.
  package var reason: String?

  package init(digest: [UInt8], treatment: Treatment, side: Int, crops: [[Float]], reason: String? = nil) {
    self.digest = digest
    self.treatment = treatment
    self.side = side
    self.crops = crops
    self.reason = reason
  }
}

extension Limits {
  /// One record of the feature cache: 16 crops of 4,096 features are 262,144 bytes.
  static let featureRecord = 1 << 20
  static let featureCrops = 16
  static let featureColumns = 4_096
}

/// The cache of features is a list of records that only grows: a length, the record, a checksum, all numbers
/// little-endian. Whatever a kill or a full disk left of the last one is cut off when the file is opened again.
package enum FeatureRecords {
  /// Says what the numbers are: features of another set are worthless here, and other crops were chosen where another
  /// number of them was asked for.
  package static func heading(_ set: FeatureSet, crops: Int) -> [UInt8] {
    Array("atelier features 1 \(set.rawValue) \(crops)\n".utf8)
  }

  package static func encode(_ record: FeatureRecord) -> [UInt8] {
    var body = record.digest
    append(UInt16(clamping: record.treatment.scale), to: &body)
    append(UInt16(clamping: record.treatment.quality), to: &body)
    append(UInt16(clamping: record.side), to: &body)
    let reason = Array((record.reason ?? "").utf8.prefix(255))
    body.append(UInt8(truncatingIfNeeded: reason.count))
    body += reason
    append(UInt16(clamping: record.crops.count), to: &body)
    append(UInt16(clamping: record.crops.first?.count ?? 0), to: &body)
    for crop in record.crops { for value in crop { append(value.bitPattern, to: &body) } }
    var out: [UInt8] = []
    append(UInt32(clamping: body.count), to: &out)
    out += body
    append(checksum(body), to: &out)
    return out
  }

  /// The records, and how many bytes of the file are whole. Nil when the file holds something else altogether.
  package static func decode(
    _ bytes: [UInt8], _ set: FeatureSet, crops: Int
  ) -> (records: [FeatureRecord], whole: Int)? {
    let heading = heading(set, crops: crops)
    guard bytes.starts(with: heading) else { return nil }
    var records: [FeatureRecord] = []
    var place = heading.count
    while let length = number(bytes, place, 4), length <= Limits.featureRecord,
      let sum = number(bytes, place + 4 + length, 4)
    {
      let body = bytes[(place + 4)..<(place + 4 + length)]
      guard UInt32(clamping: sum) == checksum(body), let record = record(Array(body), columns: set.count) else { break }
      records.append(record)
      place += length + 8
    }
    return (records, place)
  }

  private static func record(_ body: [UInt8], columns: Int) -> FeatureRecord? {
    guard body.count >= 43, let scale = number(body, 32, 2), let quality = number(body, 34, 2),
      let side = number(body, 36, 2)
    else { return nil }
    let reasonEnd = 39 + Int(body[38])
    guard let crops = number(body, reasonEnd, 2), let width = number(body, reasonEnd + 2, 2),
      crops <= Limits.featureCrops, width <= Limits.featureColumns, crops == 0 || width == columns,
      body.count == reasonEnd + 4 + crops * width * 4
    else { return nil }
    var place = reasonEnd + 4
    var rows: [[Float]] = []
    for _ in 0..<crops {
      let row = (0..<width).compactMap { number(body, place + $0 * 4, 4) }
        .map { Float(bitPattern: UInt32(clamping: $0)) }
      guard row.count == width, row.allSatisfy(\.isFinite) else { return nil }
      rows.append(row)
      place += width * 4
    }
    let reason = String(decoding: body[39..<reasonEnd], as: UTF8.self)
    return FeatureRecord(
      digest: Array(body[..<32]), treatment: Treatment(scale: scale, quality: quality), side: side,
      crops: rows, reason: reason.isEmpty ? nil : reason)
  }

  private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int? {
    guard place >= 0, count >= 0, place <= bytes.count - count else { return nil }
    return bytes[place..<(place + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// FNV-1a: it finds accidents, and nobody gains by forging the operator's own cache.
  private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
