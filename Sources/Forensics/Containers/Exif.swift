import Primitives

/// The Exif fields that tell who made a picture and with what (Exif 3.0, TIFF 6.0).
///
/// Coordinates and serial numbers are never read out, only their presence: a place nobody holds cannot leak.
package struct Exif: Hashable, Sendable {
  package var make: String?
  package var model: String?
  package var software: String?
  package var hostComputer: String?
  package var documentName: String?
  package var imageDescription: String?
  package var artist: String?
  package var copyright: String?
  package var userComment: String?
  /// The maker note, where it is text. Cameras write binary here.
  package var makerNote: String?
  package var dateTimeOriginal: String?
  package var title: String?
  package var comment: String?
  package var author: String?
  package var keywords: String?
  package var subject: String?
  package var orientation: Int?
  package var hasLocation = false
  package var hasSerialNumber = false

  /// Reads a TIFF structure. Nil when it is not one; whatever is sound in a damaged one is kept.
  package init?(reading bytes: ArraySlice<UInt8>) {
    let order: ByteOrder
    if bytes.hasPrefix("II") {
      order = .little
    } else if bytes.hasPrefix("MM") {
      order = .big
    } else {
      return nil
    }
    guard bytes.number16(2, order) == 42, let first = bytes.number32(4, order) else { return nil }
    var walk = TIFFDirectories(bytes: bytes, order: order)
    walk.visit(first)
    for entry in walk.entries { take(entry) }
  }

  private mutating func take(_ entry: TIFFEntry) {
    if entry.isLocation {
      hasLocation = true
      return
    }
    switch entry.tag {
    case 0x010D: keep(entry.text, in: \.documentName)
    case 0x010E: keep(entry.text, in: \.imageDescription)
    case 0x010F: keep(entry.text, in: \.make)
    case 0x0110: keep(entry.text, in: \.model)
    case 0x0112: orientation = orientation ?? entry.number
    case 0x0131: keep(entry.text, in: \.software)
    case 0x013B: keep(entry.text, in: \.artist)
    case 0x013C: keep(entry.text, in: \.hostComputer)
    case 0x8298: keep(entry.text, in: \.copyright)
    case 0x9003: keep(entry.text, in: \.dateTimeOriginal)
    case 0x927C: keep(entry.printable, in: \.makerNote)
    case 0x9286: keep(entry.userComment, in: \.userComment)
    case 0x9C9B: keep(entry.wideText, in: \.title)
    case 0x9C9C: keep(entry.wideText, in: \.comment)
    case 0x9C9D: keep(entry.wideText, in: \.author)
    case 0x9C9E: keep(entry.wideText, in: \.keywords)
    case 0x9C9F: keep(entry.wideText, in: \.subject)
    case 0xA430, 0xA431, 0xA435: hasSerialNumber = true
    default: break
    }
  }

  private mutating func keep(_ text: String?, in field: WritableKeyPath<Exif, String?>) {
    guard let text, !text.isEmpty, self[keyPath: field] == nil else { return }
    self[keyPath: field] = text
  }
}

/// One entry of a TIFF directory with the bytes of its value.
private struct TIFFEntry {
  var tag: Int
  var kind: Int
  var value: ArraySlice<UInt8>
  var order: ByteOrder
  var isLocation: Bool

  var number: Int? {
    switch kind {
    case 1, 7: value.byte(0)
    case 3: value.number16(0, order)
    case 4: value.number32(0, order)
    default: nil
    }
  }

  var text: String? {
    guard [1, 2, 7, 129].contains(kind) else { return nil }
    return value.prefix { $0 != 0 }.text.trimmed
  }

  /// Text only where every byte of it reads as text.
  var printable: String? {
    let body = value.prefix { $0 != 0 }
    guard body.count >= 4, value.count - body.count <= 4,
      body.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) })
    else { return nil }
    return body.text.trimmed
  }

  /// The XP fields of Windows: UTF-16, always little-endian.
  var wideText: String? { value.wideText(.little).trimmed }

  /// Exif §4.6.6: eight bytes name the encoding. OpenAI writes plain ASCII without them.
  var userComment: String? {
    let body = value.rest(from: 8)
    if value.hasPrefix("ASCII\0\0\0") { return body.prefix { $0 != 0 }.text.trimmed }
    if value.hasPrefix("UNICODE\0") {
      // piexif writes big-endian whatever the order of the file, so that the bytes decide and not the header.
      return body.wideText(body.looksLittleEndian(unless: order)).trimmed
    }
    if value.hasPrefix("JIS\0\0\0\0\0") { return nil }
    if value.part(0, 8)?.allSatisfy({ $0 == 0 }) == true { return body.prefix { $0 != 0 }.text.trimmed }
    return value.prefix { $0 != 0 }.text.trimmed
  }
}

/// The directories of a TIFF file, each visited once: offsets may form a loop.
private struct TIFFDirectories {
  let bytes: ArraySlice<UInt8>
  let order: ByteOrder
  private(set) var entries: [TIFFEntry] = []
  private var visited: Set<Int> = []

  init(bytes: ArraySlice<UInt8>, order: ByteOrder) {
    self.bytes = bytes
    self.order = order
  }

  /// The first directory and those it points to. The thumbnail's directory, linked from the first, is left alone.
  mutating func visit(_ offset: Int, isLocation: Bool = false) {
    guard visited.count < Limits.exifDirectories, visited.insert(offset).inserted,
      let count = bytes.number16(offset, order)
    else { return }
    for index in 0..<min(count, Limits.exifEntries) {
      guard let entry = entry(at: offset + 2 + index * 12, isLocation: isLocation) else { continue }
      switch entry.tag {
      case 0x8769: if let next = entry.number { visit(next) }
      case 0x8825: if let next = entry.number { visit(next, isLocation: true) }
      default: entries.append(entry)
      }
    }
  }

  private func entry(at offset: Int, isLocation: Bool) -> TIFFEntry? {
    guard let tag = bytes.number16(offset, order), let kind = bytes.number16(offset + 2, order),
      let count = bytes.number32(offset + 4, order), let size = Self.size(of: kind)
    else { return nil }
    // Both factors are below 2^33, their product below 2^36.
    let length = count * size
    guard length <= Limits.metadataText else { return nil }
    let place = length <= 4 ? offset + 8 : bytes.number32(offset + 8, order)
    guard let place, let value = bytes.part(place, length) else { return nil }
    return TIFFEntry(tag: tag, kind: kind, value: value, order: order, isLocation: isLocation)
  }

  private static func size(of kind: Int) -> Int? {
    switch kind {
    case 1, 2, 6, 7, 129: 1
    case 3, 8: 2
    case 4, 9, 11, 13: 4
    case 5, 10, 12: 8
    default: nil
    }
  }
}

extension ArraySlice where Element == UInt8 {
  /// UTF-16 up to the first NUL, a byte order mark winning over `order`.
  fileprivate func wideText(_ order: ByteOrder) -> String {
    var order = order
    var start = 0
    if starts(with: [0xFF, 0xFE]) { (order, start) = (.little, 2) }
    if starts(with: [0xFE, 0xFF]) { (order, start) = (.big, 2) }
    var units: [UInt16] = []
    while let unit = number16(start, order), unit != 0 {
      units.append(UInt16(truncatingIfNeeded: unit))
      start += 2
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// Text in most scripts has many zero high bytes; where they lie tells the order.
  fileprivate func looksLittleEndian(unless order: ByteOrder) -> ByteOrder {
    var even = 0
    var odd = 0
    for (index, byte) in prefix(512).enumerated() where byte == 0 {
      if index & 1 == 0 { even += 1 } else { odd += 1 }
    }
    return even == odd ? order : even > odd ? .big : .little
  }
}

extension String {
  /// Without leading and trailing white space, NULs and byte order marks.
  var trimmed: String {
    let isBlank = { (scalar: Unicode.Scalar) in
      scalar.properties.isWhitespace || scalar == "\0" || scalar == "\u{FEFF}"
    }
    var view = Substring(self).unicodeScalars
    while let first = view.first, isBlank(first) { view.removeFirst() }
    while let last = view.last, isBlank(last) { view.removeLast() }
    return String(view)
  }
}
