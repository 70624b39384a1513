import Primitives

/// The chunks of a PNG (third edition), walked to IEND.
///
/// Checksums are the decoder's business: a chunk that lies about itself still says what it says.
struct PNGChunks {
  struct Chunk {
    var type: String
    var data: ArraySlice<UInt8>
  }

  /// Every chunk that is not pixel data, in order.
  private(set) var chunks: [Chunk] = []
  private(set) var hasPixels = false
  /// Offset just after IEND, nil when the file ends before it.
  private(set) var end: Int?

  init(reading bytes: ArraySlice<UInt8>) {
    var offset = ImageFormat.pngSignature.count
    while let length = bytes.number32(offset), let name = bytes.part(offset + 4, 4),
      let data = bytes.part(offset + 8, length)
    {
      // Length, name and checksum are 12 bytes; a checksum cut off is a file cut off.
      guard bytes.part(offset + 8 + length, 4) != nil else { return }
      offset += 12 + length
      let type = name.text
      switch type {
      case "IDAT", "fdAT": hasPixels = true
      case "IEND":
        end = offset
        return
      default:
        if chunks.count < Limits.containerParts { chunks.append(Chunk(type: type, data: data)) }
      }
    }
  }
}

extension ImageContainer {
  init(png bytes: ArraySlice<UInt8>) throws(ImageRefusal) {
    let walk = PNGChunks(reading: bytes)
    guard let first = walk.chunks.first else { throw .truncated }
    guard first.type == "IHDR", let width = first.data.number32(0), let height = first.data.number32(4),
      let depth = first.data.byte(8), let kind = first.data.byte(9), width > 0, height > 0
    else { throw .malformed }
    let colour: ColourModel =
      switch kind {
      case 0, 4: .grey
      case 2, 6: .rgb
      case 3: .palette
      default: .other
      }
    guard colour != .other, [1, 2, 4, 8, 16].contains(depth) else { throw .malformed }
    let frames = walk.chunks.first { $0.type == "acTL" }?.data.number32(0) ?? 1
    self.init(
      header: ImageHeader(
        format: .png, width: width, height: height, frames: max(frames, 1),
        hasAlpha: kind == 4 || kind == 6 || walk.chunks.contains { $0.type == "tRNS" }, bitDepth: depth,
        colourModel: colour, isComplete: walk.end != nil && walk.hasPixels,
        trailingBytes: walk.end.map { bytes.count - $0 } ?? 0),
      metadata: EmbeddedMetadata(png: walk.chunks))
  }
}

extension EmbeddedMetadata {
  init(png chunks: [PNGChunks.Chunk]) {
    self.init(format: .png)
    // One budget for all: a thousand small chunks that inflate to the limit each are the same bomb.
    var budget = Limits.metadataText
    for chunk in chunks {
      switch chunk.type {
      case "tEXt", "zTXt", "iTXt":
        if let entry = PNGText(chunk, budget: &budget) { take(entry) }
      case "eXIf": takeExif(chunk.data)
      case "caBX":
        if jumbf.count < 64 { jumbf.append(Array(chunk.data)) }
      case "iCCP":
        if icc == nil, let (_, rest) = chunk.data.split(atFirst: 0), rest.first == 0,
          let profile = Inflate.zlib(rest.dropFirst(), limit: Limits.iccProfile)
        {
          takeICC(profile)
        }
      default: break
      }
    }
  }

  private mutating func take(_ entry: PNGText) {
    switch entry.keyword {
    case "XML:com.adobe.xmp": takeXMP(Array(entry.text.utf8)[...])
    case "Raw profile type exif", "Raw profile type APP1":
      guard let bytes = entry.rawProfile else { break }
      let name = "http://ns.adobe.com/xap/1.0/\0"
      if bytes[...].hasPrefix(name) { takeXMP(bytes[name.utf8.count...]) } else { takeExif(bytes[...]) }
    case "Raw profile type xmp":
      if let bytes = entry.rawProfile { takeXMP(bytes[...]) }
    case "Raw profile type iptc":
      if iptc == nil, let bytes = entry.rawProfile { iptc = IPTCRecord(photoshop: bytes[...]) }
    default: break
    }
    if pngText.count < 1_024 { pngText.append(entry) }
  }
}

extension PNGText {
  init?(_ chunk: PNGChunks.Chunk, budget: inout Int) {
    guard budget > 0, let (name, rest) = chunk.data.split(atFirst: 0), (1...79).contains(name.count) else { return nil }
    guard let value = Self.value(of: chunk.type, rest, limit: budget), value.count <= budget else { return nil }
    budget -= value.count
    self.init(chunk: chunk.type, keyword: name.text, text: value.text)
  }

  private static func value(of type: String, _ rest: ArraySlice<UInt8>, limit: Int) -> ArraySlice<UInt8>? {
    switch type {
    case "tEXt": return rest
    case "zTXt":
      return rest.first == 0 ? Inflate.zlib(rest.dropFirst(), limit: limit)?[...] : nil
    default:
      // iTXt: compression flag and method, language tag, translated keyword, text.
      guard let flag = rest.byte(0), let (_, afterLanguage) = rest.rest(from: 2).split(atFirst: 0),
        let (_, text) = afterLanguage.split(atFirst: 0)
      else { return nil }
      return flag == 0 ? text : Inflate.zlib(text, limit: limit)?[...]
    }
  }

  /// ImageMagick's way to keep other containers' metadata: a name, a decimal length, then hexadecimal lines.
  var rawProfile: [UInt8]? {
    let lines = text.utf8.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: true)
    guard lines.count == 3, let body = lines.last else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in body {
      let digit: UInt8
      switch character {
      case 0x30...0x39: digit = character - 0x30
      case 0x61...0x66: digit = character - 0x57
      case 0x41...0x46: digit = character - 0x37
      default: continue
      }
      if let upper = high {
        bytes.append(upper << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}
