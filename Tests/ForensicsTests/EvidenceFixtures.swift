import Forensics
import Primitives

/// Pictures written byte by byte, so that every test says what is in its file.
enum Fixture {
  static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  static func big32(_ value: Int) -> [UInt8] { big16(value >> 16) + big16(value & 0xFFFF) }
  static func little16(_ value: Int) -> [UInt8] { big16(value).reversed() }
  static func little32(_ value: Int) -> [UInt8] { big32(value).reversed() }
  static func little24(_ value: Int) -> [UInt8] { Array(little32(value).prefix(3)) }

  // PNG

  static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    // Checksums are not read here; zero shows it.
    big32(data.count) + Array(type.utf8) + data + [0, 0, 0, 0]
  }

  static func png(
    _ chunks: [[UInt8]] = [], width: Int = 8, height: Int = 6, depth: UInt8 = 8, kind: UInt8 = 2, end: Bool = true
  ) -> [UInt8] {
    let header = big32(width) + big32(height) + [depth, kind, 0, 0, 0]
    return ImageFormat.pngSignature + chunk("IHDR", header) + chunks.flatMap { $0 } + chunk("IDAT", [1, 2, 3])
      + (end ? chunk("IEND", []) : [])
  }

  static func png(text entries: [(String, String)]) -> [UInt8] {
    png(entries.map { chunk("tEXt", Array($0.0.utf8) + [0] + Array($0.1.utf8)) })
  }

  /// zlib with one stored block.
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var low = 1
    var high = 0
    for byte in bytes {
      low = (low + Int(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return [0x78, 0x01, 0x01] + little16(bytes.count) + little16(bytes.count ^ 0xFFFF) + bytes + big16(high)
      + big16(low)
  }

  // JPEG

  static func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0xFF, marker] + big16(payload.count + 2) + payload
  }

  static func jpeg(
    _ segments: [[UInt8]] = [], width: Int = 8, height: Int = 6, components: UInt8 = 3, scans: Int = 1,
    end: Bool = true
  ) -> [UInt8] {
    let frame = segment(0xC2, [8] + big16(height) + big16(width) + [components])
    let scan = segment(0xDA, [1, 1, 0, 0, 63, 0]) + [0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56]
    return [0xFF, 0xD8] + segments.flatMap { $0 } + frame + (0..<scans).flatMap { _ in scan }
      + (end ? [0xFF, 0xD9] : [])
  }

  static func jpeg(xmp: String) -> [UInt8] {
    jpeg([segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + Array(xmp.utf8))])
  }

  static func jpeg(exif: [UInt8]) -> [UInt8] { jpeg([segment(0xE1, Array("Exif\0\0".utf8) + exif)]) }

  static func jpeg(jumbf: [UInt8]) -> [UInt8] {
    // Two pieces, the second repeating the first eight bytes.
    let half = jumbf.count / 2
    let first = Array("JP".utf8) + [2, 0x11] + big32(1) + jumbf[..<half]
    let second = Array("JP".utf8) + [2, 0x11] + big32(2) + jumbf[..<8] + jumbf[half...]
    return jpeg([segment(0xEB, first), segment(0xEB, second)])
  }

  // WebP and GIF

  static func webp(_ chunks: [(String, [UInt8])], lies: Int = 0) -> [UInt8] {
    let canvas: [UInt8] = [0x10, 0, 0, 0] + little24(7) + little24(5)
    let all = [("VP8X", canvas), ("VP8L", [0x2F, 7, 0x40, 1, 0])] + chunks
    let body = all.flatMap { name, data -> [UInt8] in
      Array(name.utf8) + little32(data.count) + data + (data.count % 2 == 1 ? [0] : [])
    }
    return Array("RIFF".utf8) + little32(body.count + 4 + lies) + Array("WEBP".utf8) + body
  }

  static func gif(frames: Int = 1, comment: String? = nil, end: Bool = true) -> [UInt8] {
    let head = Array("GIF89a".utf8) + little16(8) + little16(6) + [0x80, 0, 0] + [0, 0, 0, 255, 255, 255]
    let note: [UInt8] = comment.map { [0x21, 0xFE, UInt8($0.utf8.count)] + Array($0.utf8) + [0] } ?? []
    let frame: [UInt8] = [0x2C, 0, 0, 0, 0, 8, 0, 6, 0, 0, 2, 2, 0x44, 0x01, 0]
    return head + note + (0..<frames).flatMap { _ in frame } + (end ? [0x3B] : [])
  }

  // Exif

  struct Tag {
    var tag: Int
    var kind: Int
    var value: [UInt8]

    static func text(_ tag: Int, _ text: String) -> Tag { Tag(tag: tag, kind: 2, value: Array(text.utf8) + [0]) }
    static func comment(_ text: String, big: Bool) -> Tag {
      let wide = text.utf16.flatMap { big ? big16(Int($0)) : little16(Int($0)) }
      return Tag(tag: 0x9286, kind: 7, value: Array("UNICODE\0".utf8) + wide)
    }
  }

  /// A first directory with `tags` and an Exif directory with `inner`.
  static func exif(_ tags: [Tag], inner: [Tag] = [], big: Bool = false) -> [UInt8] {
    func n16(_ value: Int) -> [UInt8] { big ? big16(value) : little16(value) }
    func n32(_ value: Int) -> [UInt8] { big ? big32(value) : little32(value) }
    func directory(_ tags: [Tag], at start: Int) -> [UInt8] {
      var entries = n16(tags.count)
      var data: [UInt8] = []
      let dataStart = start + 2 + tags.count * 12 + 4
      for tag in tags {
        let size = tag.kind == 3 ? 2 : tag.kind == 4 ? 4 : 1
        entries += n16(tag.tag) + n16(tag.kind) + n32(tag.value.count / size)
        if tag.value.count <= 4 {
          entries += tag.value + [UInt8](repeating: 0, count: 4 - tag.value.count)
        } else {
          entries += n32(dataStart + data.count)
          data += tag.value
        }
      }
      return entries + n32(0) + data
    }
    let head = Array((big ? "MM" : "II").utf8) + n16(42) + n32(8)
    let pointer = inner.isEmpty ? [] : [Tag(tag: 0x8769, kind: 4, value: n32(0))]
    let length = directory(tags + pointer, at: 8).count
    let pointed = inner.isEmpty ? [] : [Tag(tag: 0x8769, kind: 4, value: n32(8 + length))]
    return head + directory(tags + pointed, at: 8) + directory(inner, at: 8 + length)
  }

  // XMP

  static func xmp(_ body: String, attributes: String = "") -> String {
    """
    <?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
     xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"
     xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:core="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
     xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
     xmlns:rights="http://ns.adobe.com/xap/1.0/rights/" \(attributes)>\(body)</rdf:Description></rdf:RDF></x:xmpmeta>
    <?xpacket end="w"?>
    """
  }

  // C2PA

  static func box(_ type: String, _ data: [UInt8]) -> [UInt8] { big32(data.count + 8) + Array(type.utf8) + data }

  static func superbox(_ type: String, _ label: String, _ contents: [[UInt8]]) -> [UInt8] {
    let identifier = Array(type.utf8) + [0, 0x11, 0, 0x10, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    return box("jumb", box("jumd", identifier + [3] + Array(label.utf8) + [0]) + contents.flatMap { $0 })
  }

  static func json(_ label: String, _ text: String) -> [UInt8] {
    superbox("json", label, [box("json", Array(text.utf8))])
  }

  static func manifest(_ label: String, generator: String = "Test", _ assertions: [[UInt8]]) -> [UInt8] {
    superbox(
      "c2ma", label,
      [
        superbox("c2as", "c2pa.assertions", assertions),
        superbox("c2cl", "c2pa.claim", [box("json", Array("{\"claim_generator\":\"\(generator)\"}".utf8))]),
      ])
  }

  static func actions(_ actions: [(name: String, source: String?)]) -> [UInt8] {
    let list = actions.map { action in
      let source = action.source.map {
        ",\"digitalSourceType\":\"http://cv.iptc.org/newscodes/digitalsourcetype/\($0)\""
      }
      return "{\"action\":\"\(action.name)\"\(source ?? "")}"
    }
    return json("c2pa.actions", "{\"actions\":[\(list.joined(separator: ","))]}")
  }

  static func ingredient(_ relationship: String, of label: String) -> [UInt8] {
    json(
      "c2pa.ingredient",
      "{\"relationship\":\"\(relationship)\",\"c2pa_manifest\":{\"url\":\"self#jumbf=/c2pa/\(label)\"}}")
  }

  static func c2pa(_ manifests: [[UInt8]]) -> [UInt8] { superbox("c2pa", "c2pa", manifests) }
}

/// What the finders say of a file, by kind, and what follows from it.
struct Reading {
  var container: ImageContainer
  var evidence: [Evidence]
  var verdict: AssessmentVerdict
  var kinds: [String] { evidence.map(\.kind) }

  init(_ bytes: [UInt8], pixels: PixelView? = nil) throws {
    container = try ImageContainer(reading: bytes)
    let assessment = Assessment(of: container, pixels: pixels)
    evidence = assessment.evidence
    verdict = assessment.verdict
  }
}
