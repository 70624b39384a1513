import Primitives

extension Scrub {
  /// Colour, transparency, size and provenance; the critical chunks are kept by their upper-case first letter.
  private static let keptChunks: Set<String> = [
    "iCCP", "sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI", "sBIT", "tRNS", "bKGD", "pHYs", "caBX",
  ]

  static func png(_ bytes: [UInt8], orientation: Int, xmp: [UInt8]?) throws(ImageRefusal) -> [UInt8] {
    let file = bytes[...]
    guard file.starts(with: ImageFormat.pngSignature) else { throw .malformed }
    var out = ImageFormat.pngSignature
    out.reserveCapacity(bytes.count + 4_096)
    var position = 8
    while true {
      guard let length = file.number32(position), let chunk = file.part(position, length + 12),
        let name = chunk.part(4, 4)
      else { throw .truncated }
      let type = String(decoding: name, as: UTF8.self)
      let isCritical = ["IHDR", "PLTE", "IDAT", "IEND"].contains(type)
      if isCritical || keptChunks.contains(type) { out += chunk }
      if type == "IHDR" {
        if let exif = exif(orientation: orientation) { out += pngChunk("eXIf", exif) }
        if let xmp { out += pngChunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + xmp) }
      }
      if type == "IEND" { return out }
      position += length + 12
    }
  }

  package static func pngChunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return big32(data.count) + body + big32(Int(crc32(body)))
  }

  /// CRC-32 of PNG, annex D. Only over chunks that are written here, a few KiB.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }
    return ~crc
  }
}
