import Primitives

/// The IPTC-IIM 4.2 application record inside Photoshop image resources.
package struct IPTCRecord: Hashable, Sendable {
  package var byline: [String] = []
  package var credit: String?
  package var source: String?
  package var copyright: String?
  package var caption: String?
  package var originatingProgram: String?
  package var specialInstructions: String?

  package init() {}

  /// Reads a run of `8BIM` resources; nil when none of them is an IPTC record.
  package init?(photoshop bytes: ArraySlice<UInt8>) {
    var offset = 0
    while bytes.hasPrefix("8BIM", at: offset), let kind = bytes.number16(offset + 4),
      let name = bytes.byte(offset + 6)
    {
      // The Pascal name with its length byte is padded to an even size, and so is the data.
      let head = offset + 6 + (name + 2) & ~1
      guard let length = bytes.number32(head), let data = bytes.part(head + 4, length) else { return nil }
      if kind == 0x0404 {
        self.init(iim: data)
        return
      }
      offset = head + 4 + length + length & 1
    }
    return nil
  }

  init(iim bytes: ArraySlice<UInt8>) {
    var offset = 0
    var count = 0
    while bytes.byte(offset) == 0x1C, let record = bytes.byte(offset + 1), let data = bytes.byte(offset + 2),
      let length = bytes.number16(offset + 3), count < 1_024
    {
      // Extended datasets (length with its high bit set) carry no text that is read here.
      guard length < 0x8000, let value = bytes.part(offset + 5, length) else { return }
      if record == 2 { take(data, value.text.trimmed) }
      offset += 5 + length
      count += 1
    }
  }

  private mutating func take(_ dataset: Int, _ text: String) {
    guard !text.isEmpty else { return }
    switch dataset {
    case 40: specialInstructions = specialInstructions ?? text
    case 65: originatingProgram = originatingProgram ?? text
    case 80: if byline.count < 16 { byline.append(text) }
    case 110: credit = credit ?? text
    case 115: source = source ?? text
    case 116: copyright = copyright ?? text
    case 120: caption = caption ?? text
    default: break
    }
  }
}
