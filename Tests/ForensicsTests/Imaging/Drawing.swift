import CVips
import Forensics
import Foundation

/// Pictures made here, so that no file of anybody's is needed.
enum Drawing {
  static let isReady: Bool = {
    if case .ready = ImagingLibrary.start() { return true }
    return false
  }()

  /// Smooth gradients with a few shapes: something a photograph-like encoder and a hash can work with.
  static func samples(width: Int, height: Int, bands: Int = 3, seed: Int = 1) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(width * height * bands)
    let fx = 2 * Double.pi / Double(max(width, 2))
    let fy = 2 * Double.pi / Double(max(height, 2))
    let s = Double(seed)
    for y in 0..<height {
      for x in 0..<width {
        let a = sin(fx * Double(x) * (1 + s.truncatingRemainder(dividingBy: 3)) + s)
        let b = cos(fy * Double(y) * (1 + s.truncatingRemainder(dividingBy: 4)) + 2 * s)
        let c = sin((fx * Double(x) + fy * Double(y)) * (2 + s.truncatingRemainder(dividingBy: 5)))
        let inside = hypot(Double(x) / Double(width) - 0.3, Double(y) / Double(height) - 0.4) < 0.2
        for band in 0..<bands {
          let wave = [a, b, c, 1][band % 4]
          let value = band == 3 ? Double((x * 3 + y) % 256) : 128 + 90 * wave * (inside ? -0.6 : 1)
          out.append(UInt8(max(0, min(255, value))))
        }
      }
    }
    return out
  }

  static func picture(width: Int, height: Int, bands: Int = 3, seed: Int = 1) throws -> Picture {
    _ = isReady
    let dots = samples(width: width, height: height, bands: bands, seed: seed)
    return try Picture.from(samples: dots, width: width, height: height, bands: bands)
  }

  static func jpeg(width: Int, height: Int, seed: Int = 1, quality: Int = 92) throws -> [UInt8] {
    try picture(width: width, height: height, seed: seed).encoded(as: .jpeg, quality: quality)
  }

  /// A file through the C interface, for what our own encoder never makes.
  static func encode(
    width: Int32, height: Int32, bands: Int32, bits: Int32, format: Int32, profile: String? = nil,
    convertTo space: String? = nil
  ) throws -> [UInt8] {
    _ = isReady
    var dots = samples(width: Int(width), height: Int(height), bands: Int(bands))
    if bits == 16 { dots = dots.flatMap { [$0, $0] } }
    var image: OpaquePointer?
    var status = dots.withUnsafeBytes { cv_from_samples($0.baseAddress, $0.count, width, height, bands, bits, &image) }
    guard status == 0, var made = image else { throw Broken() }
    defer { cv_free(made) }
    if let profile {
      let bytes = try builtInProfile(profile)
      _ = bytes.withUnsafeBytes { cv_attach_profile(made, $0.baseAddress, $0.count) }
    }
    if let space {
      var converted: OpaquePointer?
      status = cv_convert(made, space, &converted)
      guard status == 0, let converted else { throw Broken() }
      cv_free(made)
      made = converted
    }
    var out: UnsafeMutableRawPointer?
    var length = 0
    status = cv_encode(made, format, 90, &out, &length)
    guard status == 0, let out else { throw Broken() }
    defer { cv_free_bytes(out) }
    return Array(UnsafeRawBufferPointer(start: out, count: length))
  }

  static func builtInProfile(_ name: String) throws -> [UInt8] {
    _ = isReady
    var start: UnsafePointer<UInt8>?
    var length = 0
    guard cv_builtin_profile(name, &start, &length) == 0, let start else { throw Broken() }
    defer { free(UnsafeMutableRawPointer(mutating: start)) }
    return Array(UnsafeBufferPointer(start: start, count: length))
  }

  struct Broken: Error {}

  /// Exif with a place, a serial number and an orientation, behind the start of a JPEG.
  static func withExif(_ jpeg: [UInt8], orientation: Int = 1, location: Bool = true) -> [UInt8] {
    func entry(_ tag: Int, _ kind: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
      Scrub.big16(tag) + Scrub.big16(kind) + Scrub.big32(count) + value
    }
    // Main directory at 8 with four entries ends at 62; GPS directory at 62 with one entry ends at 80.
    var tiff: [UInt8] = [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8]
    tiff += Scrub.big16(4)
    tiff += entry(0x0112, 3, 1, Scrub.big16(orientation) + [0, 0])
    tiff += entry(0x013B, 2, 4, Array("Ada\0".utf8))
    tiff += entry(location ? 0x8825 : 0x9999, 4, 1, Scrub.big32(62))
    tiff += entry(0xA431, 2, 10, Scrub.big32(80))
    tiff += Scrub.big32(0)
    tiff += Scrub.big16(1) + entry(1, 2, 2, Array("N\0\0\0".utf8)) + Scrub.big32(0)
    tiff += Array("SERIAL-77\0".utf8)
    let payload = Array("Exif\0\0".utf8) + tiff
    let segment: [UInt8] = [0xFF, 0xE1] + Scrub.big16(payload.count + 2) + payload
    return Array(jpeg.prefix(2)) + segment + Array(jpeg.dropFirst(2))
  }

  /// One or more frames of GIF89a, each a plain square of one colour.
  static func gif(width: Int, height: Int, frames: Int = 1) -> [UInt8] {
    func little16(_ value: Int) -> [UInt8] { Scrub.big16(value).reversed() }
    var out = Array("GIF89a".utf8) + little16(width) + little16(height) + [0x80, 0, 0, 200, 30, 40, 10, 20, 30]
    for _ in 0..<frames {
      out += [0x2C] + little16(0) + little16(0) + little16(width) + little16(height) + [0]
      out += [7]  // seven-bit codes: a clear code (128) keeps the code size at eight, one byte a code
      var codes: [UInt8] = []
      for pixel in 0..<width * height {
        if pixel % 100 == 0 { codes.append(0x80) }
        codes.append(pixel % 7 == 0 ? 1 : 0)
      }
      codes.append(0x81)
      var rest = codes[...]
      while !rest.isEmpty {
        let block = rest.prefix(255)
        out += [UInt8(block.count)] + block
        rest = rest.dropFirst(255)
      }
      out.append(0)
    }
    return out + [0x3B]
  }

  /// A PNG whose header declares what its data do not hold.
  static func pngHeader(width: Int, height: Int, bits: UInt8 = 1, colour: UInt8 = 0, more: [UInt8] = []) -> [UInt8] {
    ImageFormat.pngSignature
      + Scrub.pngChunk("IHDR", Scrub.big32(width) + Scrub.big32(height) + [bits, colour, 0, 0, 0]) + more
      + Scrub.pngChunk("IDAT", [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]) + Scrub.pngChunk("IEND", [])
  }
}
