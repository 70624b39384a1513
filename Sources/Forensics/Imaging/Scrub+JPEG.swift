import Primitives

extension Scrub {
  static func jpeg(_ bytes: [UInt8], orientation: Int, xmp: [UInt8]?) throws(ImageRefusal) -> [UInt8] {
    let file = bytes[...]
    guard file.starts(with: [0xFF, 0xD8]) else { throw .malformed }
    var out: [UInt8] = [0xFF, 0xD8]
    out.reserveCapacity(bytes.count + 4_096)
    var inserted = false
    var position = 2
    while true {
      guard file.byte(position) == 0xFF, let marker = file.byte(position + 1) else { throw .truncated }
      // Fill bytes may stand before a marker.
      if marker == 0xFF {
        position += 1
        continue
      }
      // JFIF must stay first where it is; ours goes right behind.
      if marker != 0xE0, !inserted {
        out += ownSegments(orientation: orientation, xmp: xmp)
        inserted = true
      }
      if marker == 0xD9 { return out + [0xFF, 0xD9] }
      if (0xD0...0xD7).contains(marker) || marker == 0x01 {
        position += 2
        continue
      }
      guard let length = file.number16(position + 2), length >= 2, let segment = file.part(position, length + 2) else {
        throw .truncated
      }
      let payload = segment.rest(from: 4)
      if marker == 0xE0, payload.hasPrefix("JFIF\0"), let fixed = payload.part(0, 12) {
        out += self.segment(0xE0, fixed + [0, 0])  // the thumbnail behind these shows what the picture may not
      } else if keeps(marker, payload) {
        out += segment
      }
      position += length + 2
      if marker == 0xDA {
        let end = try endOfScan(file, from: position)
        out += file.part(position, end - position) ?? []
        position = end
      }
    }
  }

  private static func keeps(_ marker: Int, _ payload: ArraySlice<UInt8>) -> Bool {
    switch marker {
    case 0xE2: payload.hasPrefix("ICC_PROFILE\0")  // not MPF, which points behind the picture
    case 0xEB: payload.hasPrefix("JP")  // JUMBF: C2PA manifests
    case 0xEE: payload.hasPrefix("Adobe")  // how the samples are coded
    case 0xC0...0xCF, 0xDA...0xDF: true
    default: false
    }
  }

  private static func ownSegments(orientation: Int, xmp: [UInt8]?) -> [UInt8] {
    var out: [UInt8] = []
    if let exif = exif(orientation: orientation) { out += segment(0xE1, Array("Exif\0\0".utf8) + exif) }
    if let xmp { out += segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + xmp) }
    return out
  }

  /// Empty when the payload does not fit one segment: a rights block never comes near.
  private static func segment(_ marker: UInt8, _ payload: some Collection<UInt8>) -> [UInt8] {
    guard payload.count <= 65_533 else { return [] }
    return [0xFF, marker] + big16(payload.count + 2) + payload
  }

  /// Coded data runs to the next marker that is neither a stuffed zero nor a restart.
  private static func endOfScan(_ file: ArraySlice<UInt8>, from start: Int) throws(ImageRefusal) -> Int {
    let found = file.withUnsafeBufferPointer { bytes -> Int? in
      var position = start
      while position + 1 < bytes.count {
        if bytes[position] == 0xFF {
          let next = bytes[position + 1]
          if next != 0, next != 0xFF, !(0xD0...0xD7).contains(next) { return position }
        }
        position += 1
      }
      return nil
    }
    guard let found else { throw .truncated }
    return found
  }
}
