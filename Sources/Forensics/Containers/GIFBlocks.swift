import Primitives

/// The blocks of a GIF89a, walked to the trailer.
struct GIFBlocks {
  private(set) var frames = 0
  private(set) var comments: [String] = []
  /// Application extensions: the eleven-byte name, the data as it lies in the file, and the sub-blocks joined.
  private(set) var applications: [(name: String, raw: ArraySlice<UInt8>, joined: [UInt8])] = []
  private(set) var hasTransparency = false
  private(set) var end: Int?

  init(reading bytes: ArraySlice<UInt8>) {
    guard let flags = bytes.byte(10) else { return }
    var offset = 13 + Self.paletteBytes(flags)
    while let kind = bytes.byte(offset) {
      offset += 1
      switch kind {
      case 0x2C:
        guard let local = bytes.byte(offset + 8) else { return }
        offset += 9 + Self.paletteBytes(local) + 1
        guard Self.skipSubBlocks(in: bytes, at: &offset) else { return }
        frames = min(frames + 1, Limits.countedFrames)
      case 0x21:
        guard takeExtension(in: bytes, at: &offset) else { return }
      case 0x3B:
        end = offset
        return
      default: return
      }
    }
  }

  private static func paletteBytes(_ flags: Int) -> Int { flags & 0x80 == 0 ? 0 : 3 << (flags & 7 + 1) }

  private static func skipSubBlocks(in bytes: ArraySlice<UInt8>, at offset: inout Int) -> Bool {
    while let length = bytes.byte(offset) {
      offset += 1 + length
      if length == 0 { return true }
    }
    return false
  }

  private mutating func takeExtension(in bytes: ArraySlice<UInt8>, at offset: inout Int) -> Bool {
    guard let label = bytes.byte(offset) else { return false }
    let start = offset + 1
    offset = start
    guard Self.skipSubBlocks(in: bytes, at: &offset) else { return false }
    guard let raw = bytes.part(start, offset - start) else { return false }
    switch label {
    case 0xF9: hasTransparency = hasTransparency || (raw.byte(1) ?? 0) & 1 == 1
    case 0xFE:
      if comments.count < 64 { comments.append(Self.joined(raw)[...].text) }
    case 0xFF:
      if applications.count < 64, raw.byte(0) == 11, let name = raw.part(1, 11) {
        let data = raw.rest(from: 12)
        applications.append((name.text, data, Self.joined(data)))
      }
    default: break
    }
    return true
  }

  private static func joined(_ raw: ArraySlice<UInt8>) -> [UInt8] {
    var whole: [UInt8] = []
    var offset = 0
    while let length = raw.byte(offset), length > 0, let part = raw.part(offset + 1, length) {
      whole += part
      offset += 1 + length
    }
    return whole
  }
}

extension ImageContainer {
  init(gif bytes: ArraySlice<UInt8>) throws(ImageRefusal) {
    guard let width = bytes.number16(6, .little), let height = bytes.number16(8, .little) else { throw .truncated }
    guard width > 0, height > 0 else { throw .malformed }
    let walk = GIFBlocks(reading: bytes)
    var metadata = EmbeddedMetadata(format: .gif)
    metadata.comments = walk.comments
    for application in walk.applications {
      metadata.applications.append(application.name)
      switch application.name {
      case "XMP DataXMP":
        // The packet is written bare and ended by 258 bytes that lead any reader of sub-blocks to its end.
        metadata.takeXMP(application.raw.dropLast(258))
      case "ICCRGBG1012": metadata.takeICC(application.joined)
      case "C2PA_GIF\u{1}\u{0}\u{0}": metadata.jumbf.append(application.joined)
      default: break
      }
    }
    self.init(
      header: ImageHeader(
        format: .gif, width: width, height: height, frames: max(walk.frames, 1), hasAlpha: walk.hasTransparency,
        colourModel: .palette, isComplete: walk.end != nil && walk.frames > 0,
        trailingBytes: walk.end.map { bytes.count - $0 } ?? 0),
      metadata: metadata)
  }
}
