import Primitives

/// The marker segments of a JPEG (ITU-T T.81 annex B), walked to the end of the picture.
struct JPEGSegments {
  struct Segment {
    var marker: UInt8
    var payload: ArraySlice<UInt8>
  }

  /// Application segments and comments, in order.
  private(set) var segments: [Segment] = []
  /// The first start of frame.
  private(set) var frame: Segment?
  private(set) var scans = 0
  /// Offset just after EOI, nil when the file ends before it.
  private(set) var end: Int?

  init(reading bytes: ArraySlice<UInt8>) {
    var offset = 2
    while let marker = Self.nextMarker(in: bytes, at: &offset) {
      if marker == 0xD9 {
        end = offset
        return
      }
      guard !Self.standsAlone(marker) else { continue }
      guard let length = bytes.number16(offset), length >= 2, let payload = bytes.part(offset + 2, length - 2) else {
        return
      }
      offset += length
      take(Segment(marker: marker, payload: payload))
      if marker == 0xDA {
        scans += 1
        Self.skipEntropy(in: bytes, at: &offset)
      }
    }
  }

  private mutating func take(_ segment: Segment) {
    switch segment.marker {
    case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
      if frame == nil { frame = segment }
    case 0xE0...0xEF, 0xFE:
      if segments.count < Limits.containerParts { segments.append(segment) }
    default: break
    }
  }

  /// Finds the next marker and moves past it. Cameras leave padding and stray bytes between segments.
  private static func nextMarker(in bytes: ArraySlice<UInt8>, at offset: inout Int) -> UInt8? {
    while let byte = bytes.byte(offset) {
      offset += 1
      guard byte == 0xFF else { continue }
      while bytes.byte(offset) == 0xFF { offset += 1 }
      guard let code = bytes.byte(offset) else { return nil }
      offset += 1
      // 0x02...0xBF are reserved (T.81 table B.1): such a pair is stray data.
      if code == 0x01 || code >= 0xC0 { return UInt8(truncatingIfNeeded: code) }
    }
    return nil
  }

  private static func standsAlone(_ marker: UInt8) -> Bool {
    marker == 0x01 || (0xD0...0xD8).contains(marker)
  }

  /// Moves to the marker that ends a scan. Inside one, 0xFF is followed by 0x00 or by a restart marker.
  private static func skipEntropy(in bytes: ArraySlice<UInt8>, at offset: inout Int) {
    var index = bytes.startIndex + offset
    let last = bytes.endIndex - 1
    while index < last {
      if bytes[index] == 0xFF {
        let next = bytes[index + 1]
        if next != 0x00, next != 0xFF, !(0xD0...0xD7).contains(next) { break }
        if next == 0xFF {
          index += 1
          continue
        }
        index += 2
      } else {
        index += 1
      }
    }
    offset = index < last ? index - bytes.startIndex : bytes.count
  }
}

extension ImageContainer {
  init(jpeg bytes: ArraySlice<UInt8>) throws(ImageRefusal) {
    let walk = JPEGSegments(reading: bytes)
    guard let frame = walk.frame?.payload else { throw walk.end == nil ? .truncated : .malformed }
    guard let depth = frame.byte(0), let height = frame.number16(1), let width = frame.number16(3),
      let components = frame.byte(5), width > 0, height > 0
    else { throw .malformed }
    let colour: ColourModel =
      switch components {
      case 1: .grey
      case 3: .rgb
      case 4: .cmyk
      default: .other
      }
    self.init(
      header: ImageHeader(
        format: .jpeg, width: width, height: height, bitDepth: depth, colourModel: colour,
        isComplete: walk.end != nil && walk.scans > 0, trailingBytes: walk.end.map { bytes.count - $0 } ?? 0,
        scans: walk.scans),
      metadata: EmbeddedMetadata(jpeg: walk.segments))
  }
}

extension EmbeddedMetadata {
  init(jpeg segments: [JPEGSegments.Segment]) {
    self.init(format: .jpeg)
    var icc = NumberedParts()
    var extended = ExtendedXMP()
    var boxes = JUMBFSegments()
    for segment in segments {
      let payload = segment.payload
      switch segment.marker {
      case 0xE1: takeAPP1(payload, &extended)
      case 0xE2 where payload.hasPrefix("ICC_PROFILE\0"):
        if let number = payload.byte(12) { icc.add(payload.rest(from: 14), number: number) }
      case 0xEB: boxes.add(payload)
      case 0xED where payload.hasPrefix("Photoshop 3.0\0"):
        if iptc == nil { iptc = IPTCRecord(photoshop: payload.rest(from: 14)) }
      case 0xFE where payload.count <= Limits.metadataText:
        if comments.count < 64 { comments.append(payload.text) }
      default: break
      }
    }
    takeICC(icc.joined(limit: Limits.iccProfile))
    for packet in extended.packets { takeXMP(packet[...]) }
    jumbf = boxes.joined
  }

  private mutating func takeAPP1(_ payload: ArraySlice<UInt8>, _ extended: inout ExtendedXMP) {
    let standard = "http://ns.adobe.com/xap/1.0/\0"
    let more = "http://ns.adobe.com/xmp/extension/\0"
    if payload.hasPrefix("Exif\0") {
      takeExif(payload.rest(from: 6))
    } else if payload.hasPrefix(standard) {
      takeXMP(payload.rest(from: standard.utf8.count))
    } else if payload.hasPrefix(more) {
      extended.add(payload.rest(from: more.utf8.count))
    }
  }
}

/// Parts that carry their own number, joined in that order. A number seen twice keeps its first part.
private struct NumberedParts {
  private var parts: [Int: ArraySlice<UInt8>] = [:]

  mutating func add(_ part: ArraySlice<UInt8>, number: Int) {
    if parts[number] == nil { parts[number] = part }
  }

  func joined(limit: Int) -> [UInt8] {
    var whole: [UInt8] = []
    for number in parts.keys.sorted() {
      guard let part = parts[number], part.count <= limit - whole.count else { return [] }
      whole += part
    }
    return whole
  }
}

/// XMP beyond 64 KiB (XMP part 3, 1.1.3.1): a GUID, the whole length, and the offset of each piece.
private struct ExtendedXMP {
  private var parts: [[UInt8]: [Int: ArraySlice<UInt8>]] = [:]

  mutating func add(_ payload: ArraySlice<UInt8>) {
    guard let guid = payload.part(0, 32), let offset = payload.number32(36), offset <= Limits.xmpPacket else { return }
    let key = Array(guid)
    guard parts[key] != nil || parts.count < 4 else { return }
    parts[key, default: [:]][offset] = payload.rest(from: 40)
  }

  /// Each extension whose pieces follow one another without a gap.
  var packets: [[UInt8]] {
    parts.values.compactMap { pieces in
      var whole: [UInt8] = []
      for offset in pieces.keys.sorted() {
        guard let piece = pieces[offset], offset == whole.count, piece.count <= Limits.xmpPacket - offset else {
          return nil
        }
        whole += piece
      }
      return whole
    }
  }
}

/// JUMBF in APP11 (ISO/IEC 19566-5 annex D): pieces of one box share an instance number, and each repeats the header.
private struct JUMBFSegments {
  private var order: [Int] = []
  private var parts: [Int: [(sequence: Int, piece: ArraySlice<UInt8>)]] = [:]

  mutating func add(_ payload: ArraySlice<UInt8>) {
    guard payload.hasPrefix("JP"), let instance = payload.number16(2), let sequence = payload.number32(4),
      let length = payload.number32(8)
    else { return }
    if parts[instance] == nil {
      guard order.count < 64 else { return }
      order.append(instance)
    }
    let isFirst = parts[instance] == nil
    let piece = payload.rest(from: isFirst ? 8 : length == 1 ? 24 : 16)
    parts[instance, default: []].append((sequence, piece))
  }

  var joined: [[UInt8]] {
    order.map { instance in
      (parts[instance] ?? []).sorted { $0.sequence < $1.sequence }.flatMap { Array($0.piece) }
    }
  }
}
