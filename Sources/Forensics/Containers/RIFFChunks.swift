import Primitives

/// The chunks of a WebP file (RFC 9649 §2.3).
struct RIFFChunks {
  struct Chunk {
    var type: String
    var data: ArraySlice<UInt8>
  }

  private(set) var chunks: [Chunk] = []
  private(set) var frames = 0
  /// Whether every byte that the RIFF header promises is there.
  private(set) var isComplete = false
  private(set) var trailingBytes = 0

  init(reading bytes: ArraySlice<UInt8>) {
    guard let size = bytes.number32(4, .little) else { return }
    let end = size + 8
    isComplete = end <= bytes.count
    trailingBytes = max(bytes.count - end, 0)
    let body = bytes.prefix(end)
    var offset = 12
    while let name = body.part(offset, 4), let length = body.number32(offset + 4, .little) {
      guard let data = body.part(offset + 8, length) else {
        isComplete = false
        return
      }
      let type = name.text
      if type == "ANMF" {
        frames = min(frames + 1, Limits.countedFrames)
      } else if chunks.count < Limits.containerParts {
        chunks.append(Chunk(type: type, data: data))
      }
      offset += 8 + length + length & 1
    }
  }

  func first(_ type: String) -> ArraySlice<UInt8>? { chunks.first { $0.type == type }?.data }
}

extension ImageContainer {
  init(webp bytes: ArraySlice<UInt8>) throws(ImageRefusal) {
    let walk = RIFFChunks(reading: bytes)
    guard let picture = Self.webpPicture(walk) else { throw walk.isComplete ? .malformed : .truncated }
    guard picture.width > 0, picture.height > 0 else { throw .malformed }
    var metadata = EmbeddedMetadata(format: .webp)
    for chunk in walk.chunks {
      switch chunk.type {
      case "EXIF": metadata.takeExif(chunk.data)
      case "XMP ": metadata.takeXMP(chunk.data)
      case "ICCP": metadata.takeICC(Array(chunk.data))
      case "C2PA":
        if metadata.jumbf.count < 64 { metadata.jumbf.append(Array(chunk.data)) }
      default: break
      }
    }
    self.init(
      header: ImageHeader(
        format: .webp, width: picture.width, height: picture.height,
        frames: walk.first("ANIM") == nil ? max(walk.frames, 1) : max(walk.frames, 2), hasAlpha: picture.hasAlpha,
        isComplete: walk.isComplete && picture.hasPixels, trailingBytes: walk.trailingBytes),
      metadata: metadata)
  }

  private typealias Picture = (width: Int, height: Int, hasAlpha: Bool, hasPixels: Bool)

  private static func webpPicture(_ walk: RIFFChunks) -> Picture? {
    let lossy = walk.first("VP8 ")
    let lossless = walk.first("VP8L")
    let hasPixels = lossy != nil || lossless != nil || walk.frames > 0
    if let canvas = walk.first("VP8X"), let flags = canvas.byte(0), let width = canvas.number24(4, .little),
      let height = canvas.number24(7, .little)
    {
      return (width + 1, height + 1, flags & 0x10 != 0, hasPixels)
    }
    if let lossy {
      // RFC 6386 §9.1: a key frame has its low bit clear and a start code before the sides.
      guard let tag = lossy.byte(0), tag & 1 == 0, lossy.part(3, 3).map(Array.init) == [0x9D, 0x01, 0x2A],
        let width = lossy.number16(6, .little), let height = lossy.number16(8, .little)
      else { return nil }
      return (width & 0x3FFF, height & 0x3FFF, walk.first("ALPH") != nil, hasPixels)
    }
    if let lossless {
      guard lossless.byte(0) == 0x2F, let bits = lossless.number32(1, .little) else { return nil }
      return (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1, bits >> 28 & 1 == 1, hasPixels)
    }
    return nil
  }
}
