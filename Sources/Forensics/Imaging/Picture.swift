import CVips
import Primitives

/// Whether pictures can be decoded here at all, and what to do about it.
package enum ImagingLibrary {
  package enum Status: Hashable, Sendable {
    case ready(version: String)
    case notInstalled
    case incompatible
  }

  /// Loads libvips on the first call. Call from one thread: the worker does before anything else, the server never.
  package static func start() -> Status {
    switch cv_start() {
    case Int32(CV_OK): .ready(version: String(cString: cv_version()))
    case Int32(CV_NOT_INSTALLED): .notInstalled
    default: .incompatible
    }
  }

  /// The line that installs it on Debian and Ubuntu.
  package static let installLine = "apt-get install libvips42"
}

package enum PictureFailure: Error {
  case notInstalled
  case tooLarge
  /// libvips' own words, for the log.
  case failed(String)

  init(_ status: Int32) {
    switch status {
    case Int32(CV_NOT_INSTALLED), Int32(CV_INCOMPATIBLE): self = .notInstalled
    case Int32(CV_TOO_LARGE): self = .tooLarge
    default: self = .failed(String(cString: cv_last_error()))
    }
  }
}

/// A decoded picture: 8-bit RGB or RGBA in memory, perhaps with an RGB profile. Not to be shared between threads.
package final class Picture {
  private let handle: OpaquePointer
  /// 1...8: how the stored rows are to be turned. 1 after `upright`.
  package let orientation: Int
  package let wasCMYK: Bool
  package let bitsPerSample: Int

  private init(_ handle: OpaquePointer, orientation: Int = 1, wasCMYK: Bool = false, bitsPerSample: Int = 8) {
    self.handle = handle
    self.orientation = orientation
    self.wasCMYK = wasCMYK
    self.bitsPerSample = bitsPerSample
  }

  deinit { cv_free(handle) }

  package var width: Int { Int(cv_width(handle)) }
  package var height: Int { Int(cv_height(handle)) }
  package var bands: Int { Int(cv_bands(handle)) }
  package var isOpaque: Bool { cv_is_opaque(handle) }

  package static func decode(_ bytes: [UInt8], as format: ImageFormat) throws(PictureFailure) -> Picture {
    guard let code = format.libvipsCode else { throw .failed("format") }
    var out: OpaquePointer?
    var info = cv_info()
    let status = bytes.withUnsafeBytes {
      cv_decode(
        code, $0.baseAddress, $0.count, Int64(Limits.imagePixels), Int32(Limits.imageSide), Limits.keptProfile, &out,
        &info)
    }
    guard status == Int32(CV_OK), let out else { throw PictureFailure(status) }
    return Picture(
      out, orientation: Int(info.orientation), wasCMYK: info.is_cmyk, bitsPerSample: Int(info.bits))
  }

  /// A picture from samples, 3 or 4 a pixel. For the tests and for placeholders.
  package static func from(samples: [UInt8], width: Int, height: Int, bands: Int) throws(PictureFailure) -> Picture {
    guard let w = Int32(exactly: width), let h = Int32(exactly: height), let b = Int32(exactly: bands) else {
      throw .tooLarge
    }
    return try make { out in
      samples.withUnsafeBytes { cv_from_samples($0.baseAddress, $0.count, w, h, b, 8, &out) }
    }
  }

  private static func make(_ body: (inout OpaquePointer?) -> Int32) throws(PictureFailure) -> Picture {
    var out: OpaquePointer?
    let status = body(&out)
    guard status == Int32(CV_OK), let out else { throw PictureFailure(status) }
    return Picture(out)
  }

  package func upright() throws(PictureFailure) -> Picture {
    guard orientation != 1 else { return self }
    return try Picture.make { out in cv_upright(handle, &out) }
  }

  package func resized(width: Int, height: Int) throws(PictureFailure) -> Picture {
    guard let w = Int32(exactly: width), let h = Int32(exactly: height) else { throw .tooLarge }
    return try Picture.make { out in cv_resize(handle, w, h, &out) }
  }

  /// So that neither side exceeds `side`; never enlarged, never below one pixel.
  package func fitted(within side: Int) throws(PictureFailure) -> Picture {
    let longest = max(width, height)
    guard longest > side else { return self }
    let scale = { (length: Int) in max(1, (length * side + longest / 2) / longest) }
    return try resized(width: scale(width), height: scale(height))
  }

  package func inSRGB() throws(PictureFailure) -> Picture { try Picture.make { out in cv_to_srgb(handle, &out) } }
  package func overWhite() throws(PictureFailure) -> Picture {
    bands == 3 ? self : try Picture.make { out in cv_flatten(handle, &out) }
  }

  /// Rows top to bottom, `bands` samples a pixel.
  package func withSamples<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    var length = 0
    let start = cv_samples(handle, &length)
    return body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : length))
  }

  /// Four samples a pixel, opaque where there is no alpha.
  package func rgba() -> [UInt8] {
    let bands = bands
    return withSamples { samples in
      if bands == 4 { return Array(samples) }
      let pixels = samples.count / 3
      return [UInt8](unsafeUninitializedCapacity: pixels * 4) { out, count in
        for pixel in 0..<pixels {
          out[pixel * 4] = samples[pixel * 3]
          out[pixel * 4 + 1] = samples[pixel * 3 + 1]
          out[pixel * 4 + 2] = samples[pixel * 3 + 2]
          out[pixel * 4 + 3] = 255
        }
        count = pixels * 4
      }
    }
  }

  package var profile: [UInt8]? {
    var length = 0
    guard let start = cv_profile(handle, &length), length > 0 else { return nil }
    return Array(UnsafeBufferPointer(start: start, count: length))
  }

  /// Quality 1...100, without meaning for PNG.
  package func encoded(as format: ImageFormat, quality: Int) throws(PictureFailure) -> [UInt8] {
    guard let code = format.libvipsCode else { throw .failed("format") }
    var bytes: UnsafeMutableRawPointer?
    var length = 0
    let status = cv_encode(handle, code, Int32(clamping: quality), &bytes, &length)
    defer { cv_free_bytes(bytes) }
    guard status == Int32(CV_OK), let bytes else { throw PictureFailure(status) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: length))
  }
}

extension ImageFormat {
  fileprivate var libvipsCode: Int32? {
    switch self {
    case .jpeg: Int32(CV_JPEG)
    case .png: Int32(CV_PNG)
    case .webp: Int32(CV_WEBP)
    case .gif: Int32(CV_GIF)
    case .tiff, .svg, .pdf, .avif, .heif, .bmp, .jpegXL, .jpeg2000, .photoshop, .postScript: nil
    }
  }
}
