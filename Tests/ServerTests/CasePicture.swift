import Forensics
import Foundation
import Primitives

/// Pictures with a fault, made here so that no file of anybody's is needed.
enum CasePicture {
  struct Unknown: Error { let name: String }

  static func make(_ name: String) throws -> [UInt8] {
    switch name {
    case "png": return png(width: 64, height: 48)
    case "png_other": return png(width: 48, height: 64)
    case "jpeg": return try jpeg()
    case "gif": return gif(frames: 1)
    default: return try bounded(name) ?? odd(name) ?? disguised(name)
    }
  }

  /// What a browser would announce.
  static func type(of bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0x89, 0x50]) { return "image/png" }
    if bytes.starts(with: [0xFF, 0xD8]) { return "image/jpeg" }
    if bytes.starts(with: Array("GIF8".utf8)) { return "image/gif" }
    return "image/png"
  }

  private static func bounded(_ name: String) throws -> [UInt8]? {
    switch name {
    case "png_900_megapixels": pngHeader(width: 30_000, height: 30_000)
    case "png_100_megapixels": pngHeader(width: 10_000, height: 10_000)
    case "png_long_side": pngHeader(width: 16_385, height: 4)
    case "png_zero": pngHeader(width: 0, height: 0)
    case "png_negative": pngHeader(width: 0xFFFF_FFFF, height: 0xFFFF_FFFF)
    case "webp_16383": webpHeader(width: 16_383, height: 16_383)
    case "jpeg_65500": try jpegHeader(width: 65_500, height: 65_500)
    case "gif_many_frames": gif(frames: 10_000)
    case "apng": apng()
    case "webp_animated": animatedWebP()
    case "png_one_pixel": png(width: 1, height: 1)
    case "png_thin": png(width: 1, height: 2_000)
    case "png_flat": png(width: 2_000, height: 1)
    case "png_sixteen_bits": png(width: 16, height: 16, bits: 16)
    case "png_assisted":
      png(
        width: 64, height: 48,
        xmp: "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia")
    case "png_settings":
      png(
        width: 64, height: 48,
        text: (
          "Description",
          "a blue study\nNegative prompt: red\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x48"
        ))
    case "png_one_mebibyte": png(width: 600, height: 600)
    case "png_alpha": png(width: 16, height: 16, alpha: true)
    case let name where name.hasPrefix("jpeg_scans_"): progressive(scans: Int(name.dropFirst(11)) ?? 1)
    default: nil
    }
  }

  private static func odd(_ name: String) throws -> [UInt8]? {
    switch name {
    case "jpeg_half": Array(try jpeg().prefix(try jpeg().count / 2))
    case "jpeg_no_end": Array(try jpeg().dropLast(2))
    case "png_no_end": Array(png(width: 64, height: 48).dropLast(12))
    case "png_bad_crc": badCRC(png(width: 64, height: 48))
    case "png_cut_data": cutData()
    case "jpeg_bad_icc": withSegment(try jpeg(), 0xE2, Array("ICC_PROFILE\0\u{1}\u{1}not a profile at all".utf8))
    case "png_huge_icc": withHugeProfile()
    case "jpeg_exif": withExif(try jpeg(), orientation: 6)
    case "jpeg_exif_loop": withSegment(try jpeg(), 0xE1, exifLoop())
    case "jpeg_exif_huge_count": withSegment(try jpeg(), 0xE1, exifHugeCount())
    case let name where name.hasPrefix("jpeg_orientation_"):
      withExif(try jpeg(), orientation: Int(name.dropFirst(17)) ?? 1)
    default: nil
    }
  }

  private static func disguised(_ name: String) throws -> [UInt8] {
    switch name {
    case "gif_script": gif(frames: 1) + Array("/*<script>alert(1)</script>*/".utf8)
    case "jpeg_zip": try jpeg() + Array("PK\u{3}\u{4}".utf8) + Array(repeating: 0, count: 64)
    case "png_php": png(width: 8, height: 8, text: ("Comment", "<?php system($_GET['c']); ?>"))
    case "jpeg_html_comment": withSegment(try jpeg(), 0xFE, Array("<html><script>alert(1)</script></html>".utf8))
    case "pdf_jpeg": Array("%PDF-1.4\n".utf8) + (try jpeg())
    case "svg": Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>".utf8)
    case "pdf": Array("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF".utf8)
    case "postscript": Array("%!PS-Adobe-3.0\n(%pipe%id) (r) file\n".utf8)
    case "mvg": Array("push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://evil.test/x.jpg\"|ls)'".utf8)
    case "tiff": Array("II*\0".utf8) + Array(repeating: 0, count: 64)
    case "hdr": Array("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n".utf8) + [1, 2, 3, 4]
    case "fits": Array("SIMPLE  =                    T".utf8) + Array(repeating: 32, count: 2_850)
    case "vips": [0x08, 0xF2, 0xA6, 0xB6] + Array(repeating: 0, count: 64)
    case "mat": Array("MATLAB 5.0 MAT-file".utf8) + Array(repeating: 32, count: 109)
    case "jp2": [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A] + Array(repeating: 0, count: 32)
    case "jxl": [0xFF, 0x0A] + Array(repeating: 0, count: 32)
    case "avif": [0, 0, 0, 28] + Array("ftypavif\0\0\0\0avifmif1miaf".utf8)
    case "heic": [0, 0, 0, 24] + Array("ftypheic\0\0\0\0heicmif1".utf8)
    case "subtitles": Array("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n".utf8)
    case "html": Array("<!doctype html><script>alert(1)</script>".utf8)
    case "activity":
      Array(
        "{\"@context\":\"https://www.w3.org/ns/activitystreams\",\"type\":\"Person\",\"id\":\"https://paper.test/x\"}"
          .utf8)
    case "empty": []
    default: throw Unknown(name: name)
    }
  }
}

// MARK: - By hand

extension CasePicture {
  static func big32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  static func big16(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }

  static func crc(_ bytes: [UInt8]) -> Int {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return Int(crc ^ 0xFFFF_FFFF)
  }

  static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
    let named = Array(kind.utf8) + data
    return big32(data.count) + named + big32(crc(named))
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Zlib with stored blocks: no compressor needed.
  static func stored(_ data: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x78, 0x01]
    var rest = data[...]
    repeat {
      let block = rest.prefix(65_535)
      rest = rest.dropFirst(65_535)
      let length = [UInt8(truncatingIfNeeded: block.count), UInt8(truncatingIfNeeded: block.count >> 8)]
      out += [rest.isEmpty ? 1 : 0] + length + length.map { ~$0 } + block
    } while !rest.isEmpty
    var a = 1
    var b = 0
    for byte in data {
      a = (a + Int(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return out + big32(b << 16 | a)
  }

  static func png(
    width: Int, height: Int, bits: Int = 8, alpha: Bool = false, text: (String, String)? = nil, seed: Int = 1,
    xmp sourceType: String? = nil
  ) -> [UInt8] {
    let bands = alpha ? 4 : 3
    var rows: [UInt8] = []
    for y in 0..<height {
      rows.append(0)
      for x in 0..<width {
        for band in 0..<bands {
          let value = UInt8(
            truncatingIfNeeded: (x * 3 + y * (5 + seed) + band * 70 + (x / 8 + y / 8) * seed * 20) & 255)
          rows.append(value)
          if bits == 16 { rows.append(value) }
        }
      }
    }
    var out = signature
    out += chunk("IHDR", big32(width) + big32(height) + [UInt8(bits), alpha ? 6 : 2, 0, 0, 0])
    if let text { out += chunk("tEXt", Array(text.0.utf8) + [0] + Array(text.1.utf8)) }
    if let sourceType {
      let packet = """
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
        <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
        Iptc4xmpExt:DigitalSourceType="\(sourceType)"/></rdf:RDF></x:xmpmeta>
        """
      out += chunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + Array(packet.utf8))
    }
    return out + chunk("IDAT", stored(rows)) + chunk("IEND", [])
  }

  static func pngHeader(width: Int, height: Int) -> [UInt8] {
    signature + chunk("IHDR", big32(width) + big32(height) + [1, 0, 0, 0, 0])
      + chunk("IDAT", [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]) + chunk("IEND", [])
  }

  private static func badCRC(_ png: [UInt8]) -> [UInt8] {
    var out = png
    let position = out.count - 12 - 4
    out[position] ^= 0xFF
    return out
  }

  /// Whole to the last chunk, but with half of the rows.
  private static func cutData() -> [UInt8] {
    signature + chunk("IHDR", big32(64) + big32(48) + [8, 2, 0, 0, 0])
      + chunk("IDAT", Array(stored(Array(repeating: 0, count: (64 * 3 + 1) * 48)).prefix(3_000))) + chunk("IEND", [])
  }

  private static func withHugeProfile() -> [UInt8] {
    let whole = png(width: 16, height: 16)
    let profile = chunk("iCCP", Array("big\0\0".utf8) + stored(Array(repeating: 65, count: 16 << 20)))
    return Array(whole.prefix(33)) + profile + Array(whole.dropFirst(33))
  }

  private static func apng() -> [UInt8] {
    let whole = png(width: 16, height: 16)
    return Array(whole.prefix(33)) + chunk("acTL", big32(1_000_000) + big32(0)) + Array(whole.dropFirst(33))
  }

  static func gif(frames: Int) -> [UInt8] {
    var out = Array("GIF89a".utf8) + [3, 0, 2, 0, 0x80, 0, 0, 200, 30, 40, 10, 20, 30]
    for _ in 0..<frames {
      out += [0x2C, 0, 0, 0, 0, 3, 0, 2, 0, 0, 7, 8, 0x80, 0, 1, 0, 1, 0, 1, 0x81, 0]
    }
    return out + [0x3B]
  }

  private static func little24(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value >> 16)]
  }

  private static func riff(_ chunks: [UInt8]) -> [UInt8] {
    Array("RIFF".utf8) + Array(big32(chunks.count + 4).reversed()) + Array("WEBP".utf8) + chunks
  }

  private static func webpHeader(width: Int, height: Int) -> [UInt8] {
    // A lossless stream that announces its size and then ends.
    let size = UInt32(width - 1) | UInt32(height - 1) << 14
    let stream: [UInt8] = [0x2F] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * UInt32($0))) } + [0]
    return riff(Array("VP8L".utf8) + Array(big32(stream.count).reversed()) + stream)
  }

  private static func animatedWebP() -> [UInt8] {
    let extended: [UInt8] = [0x02, 0, 0, 0] + little24(15) + little24(15)
    let animation = Array("ANIM".utf8) + Array(big32(6).reversed()) + [0, 0, 0, 0, 0, 0]
    let frame = Array("ANMF".utf8) + Array(big32(16).reversed()) + Array(repeating: 0, count: 16)
    return riff(Array("VP8X".utf8) + Array(big32(10).reversed()) + extended + animation + frame + frame)
  }

  static func jpeg(width: Int = 64, height: Int = 48) throws -> [UInt8] {
    guard case .ready = ImagingLibrary.start() else { throw Unknown(name: "no libvips") }
    let samples = (0..<height).flatMap { y in
      (0..<width).flatMap { x in (0..<3).map { UInt8(truncatingIfNeeded: x * 3 + y * 5 + $0 * 60) } }
    }
    return try Picture.from(samples: samples, width: width, height: height, bands: 3).encoded(as: .jpeg, quality: 90)
  }

  /// A real JPEG whose frame says another size.
  private static func jpegHeader(width: Int, height: Int) throws -> [UInt8] {
    var bytes = try jpeg()
    guard let frame = bytes.indices.dropLast(9).first(where: { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 }) else {
      return bytes
    }
    bytes.replaceSubrange((frame + 5)..<(frame + 9), with: big16(height) + big16(width))
    return bytes
  }

  /// A grey progressive JPEG of 64 x 48: its first scan holds all there is to see, and each that is appended sends one
  /// coefficient of every block again (ITU-T T.81 annex G). Well-formed, and every scan is a pass over the picture.
  static func progressive(scans: Int) -> [UInt8] {
    func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
      [0xFF, marker] + big16(payload.count + 2) + payload
    }
    /// One code, of one bit, for one symbol.
    func code(_ table: UInt8, _ symbol: UInt8) -> [UInt8] {
      segment(0xC4, [table, 1] + [UInt8](repeating: 0, count: 15) + [symbol])
    }
    /// 48 blocks of one bit each: no difference, or the end of the block.
    let data = [UInt8](repeating: 0, count: 6)
    var out: [UInt8] = [0xFF, 0xD8]
    out += segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
    out += segment(0xC2, [8] + big16(48) + big16(64) + [1, 1, 0x11, 0])
    out += code(0x00, 0) + code(0x10, 0)
    for scan in 0..<scans {
      let coefficient = scan == 0 ? 0 : UInt8(1 + (scan - 1) % 63)
      out += segment(0xDA, [1, 1, 0, coefficient, coefficient, 0]) + data
    }
    return out + [0xFF, 0xD9]
  }

  static func withSegment(_ jpeg: [UInt8], _ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
    Array(jpeg.prefix(2)) + [0xFF, marker] + big16(payload.count + 2) + payload + Array(jpeg.dropFirst(2))
  }

  private static func entry(_ tag: Int, _ kind: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
    big16(tag) + big16(kind) + big32(count) + value
  }

  /// Where it was taken, by whom, with which camera, and which way up.
  static func withExif(_ jpeg: [UInt8], orientation: Int) -> [UInt8] {
    var tiff: [UInt8] = [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8] + big16(4)
    tiff += entry(0x0112, 3, 1, big16(orientation) + [0, 0])
    tiff += entry(0x013B, 2, 4, Array("Ada\0".utf8))
    tiff += entry(0x8825, 4, 1, big32(62))
    tiff += entry(0xA431, 2, 10, big32(80)) + big32(0)
    tiff += big16(1) + entry(1, 2, 2, Array("N\0\0\0".utf8)) + big32(0)
    tiff += Array("SERIAL-77\0".utf8)
    return withSegment(jpeg, 0xE1, Array("Exif\0\0".utf8) + tiff)
  }

  /// A directory that names itself as the next one, and as its own sub-directory.
  private static func exifLoop() -> [UInt8] {
    Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8] + big16(2) + entry(0x8769, 4, 1, big32(8))
      + entry(0x8825, 4, 1, big32(8)) + big32(8)
  }

  private static func exifHugeCount() -> [UInt8] {
    Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8] + big16(0xFFFF)
      + entry(0x9286, 7, 0xFFFF_FFFF, big32(0xFFFF_FFF0)) + entry(0x0112, 3, 0x7FFF_FFFF, big32(0x7FFF_FFFF))
  }
}
