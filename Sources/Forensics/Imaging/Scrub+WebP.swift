import Primitives

extension Scrub {
  static func webp(_ bytes: [UInt8], orientation: Int, xmp: [UInt8]?) throws(ImageRefusal) -> [UInt8] {
    let file = bytes[...]
    guard file.hasPrefix("RIFF"), file.hasPrefix("WEBP", at: 8), let size = file.number32(4, .little),
      let body = file.part(12, size - 4)
    else { throw .truncated }
    var chunks: [(type: String, data: ArraySlice<UInt8>)] = []
    var position = 0
    while position < body.count {
      guard let name = body.part(position, 4), let length = body.number32(position + 4, .little),
        let data = body.part(position + 8, length)
      else { throw .truncated }
      chunks.append((String(decoding: name, as: UTF8.self), data))
      position += 8 + length + length % 2
    }
    func first(_ type: String) -> ArraySlice<UInt8>? { chunks.first { $0.type == type }?.data }
    let exif = exif(orientation: orientation)
    let profile = first("ICCP")
    guard var header = try extendedHeader(chunks) else { throw .malformed }
    // Flags of VP8X: profile 0x20, alpha 0x10, Exif 0x08, XMP 0x04. Animation never gets here.
    header[0] =
      header[0] & 0x10 | (profile == nil ? 0 : 0x20) | (exif == nil ? 0 : 0x08) | (xmp == nil ? 0 : 0x04)
    var out = riffChunk("VP8X", header[...])
    if let profile { out += riffChunk("ICCP", profile) }
    for chunk in chunks where ["ALPH", "VP8 ", "VP8L"].contains(chunk.type) { out += riffChunk(chunk.type, chunk.data) }
    if let exif { out += riffChunk("EXIF", exif[...]) }
    if let xmp { out += riffChunk("XMP ", xmp[...]) }
    for chunk in chunks where chunk.type == "C2PA" { out += riffChunk(chunk.type, chunk.data) }
    return Array("RIFF".utf8) + little32(out.count + 4) + Array("WEBP".utf8) + out
  }

  /// The ten bytes of VP8X: those of the file, or made from the one picture chunk of a simple file.
  private static func extendedHeader(
    _ chunks: [(type: String, data: ArraySlice<UInt8>)]
  ) throws(ImageRefusal) -> [UInt8]? {
    if let own = chunks.first(where: { $0.type == "VP8X" })?.data {
      guard let ten = own.part(0, 10) else { throw .malformed }
      return Array(ten)
    }
    for chunk in chunks {
      if chunk.type == "VP8 ", let width = chunk.data.number16(6, .little), let height = chunk.data.number16(8, .little)
      {
        return header(width: width & 0x3FFF, height: height & 0x3FFF, alpha: false)
      }
      if chunk.type == "VP8L", let bits = chunk.data.number32(1, .little) {
        return header(width: bits & 0x3FFF + 1, height: bits >> 14 & 0x3FFF + 1, alpha: bits >> 28 & 1 == 1)
      }
    }
    return nil
  }

  private static func header(width: Int, height: Int, alpha: Bool) -> [UInt8]? {
    guard width >= 1, height >= 1 else { return nil }
    return [alpha ? 0x10 : 0, 0, 0, 0] + little32(width - 1).prefix(3) + little32(height - 1).prefix(3)
  }

  private static func riffChunk(_ type: String, _ data: ArraySlice<UInt8>) -> [UInt8] {
    Array(type.utf8) + little32(data.count) + data + (data.count % 2 == 1 ? [0] : [])
  }
}
