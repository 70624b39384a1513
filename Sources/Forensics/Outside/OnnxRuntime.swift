import COnnx
import Crypto
import Primitives

/// Whether models from outside can run here, and what to do about it.
package enum OnnxRuntime {
  package enum Status: Hashable, Sendable {
    case ready(version: String)
    case notInstalled
    case incompatible
  }

  /// Where the library is looked for when the settings name no file.
  package static let usualLibrary = "libonnxruntime.so.1"

  /// Loads the library on the first call; later calls repeat that answer. Call from one thread, before the lock: the
  /// worker does, the server never.
  package static func start(library: String = usualLibrary) -> Status {
    switch co_start(library) {
    case Int32(CO_OK): .ready(version: String(cString: co_version()))
    case Int32(CO_NOT_INSTALLED): .notInstalled
    default: .incompatible
    }
  }
}

/// Why a model from outside can not be used, or has nothing to say of a picture.
package struct OutsideModelFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Such as `onnx.not_installed`.
  package var code: String
  package var text: String

  package init(code: String, text: String) {
    self.code = code
    self.text = text
  }

  package var description: String { "[\(code)] \(text)" }

  static let notInstalled = Self(
    code: "onnx.not_installed", text: "onnxruntime is not installed, so models from outside are off.")
  static func wrongShape(_ text: String) -> Self { Self(code: "onnx.wrong_shape", text: text) }
}

/// A model that somebody else trained, open in this process. Not to be shared between threads.
///
/// Its raw output is no probability of anything here: it becomes a score through a calibration made on this instance.
package final class OnnxClassifier {
  package let description: OutsideModel
  private let model: OpaquePointer
  /// Of the square that is looked at, in pixels.
  private let side: Int

  /// Checks the bytes against the pinned digest before the library sees them.
  package init(_ description: OutsideModel, bytes: [UInt8]) throws(OutsideModelFailure) {
    guard Hex.encode(Array(SHA256.hash(data: bytes))) == description.digest else {
      throw OutsideModelFailure(
        code: "onnx.digest", text: "The file of \(description.name) is not the one that was added.")
    }
    var opened: OpaquePointer?
    var shape = co_shape()
    let status = bytes.withUnsafeBytes { co_open($0.baseAddress, $0.count, &opened, &shape) }
    guard status == Int32(CO_OK), let opened else { throw OutsideModelFailure(status, description.name) }
    let sides = description.layout.sides(of: shape)
    guard sides.batch == 1 || sides.batch < 0, sides.channels == 3, sides.height == sides.width,
      sides.height < 0 || sides.height == Int64(description.side)
    else {
      co_close(opened)
      throw .wrongShape(
        "\(description.name) takes \(shape.text), which is not one square RGB picture of side \(description.side).")
    }
    self.description = description
    model = opened
    side = description.side
  }

  deinit { co_close(model) }

  /// How much the model holds a picture for generated: the output that speaks for it, less the greatest of the others.
  /// Only its rank among human pictures means anything.
  ///
  /// - Parameter picture: Upright, in sRGB, without alpha.
  package func margin(of picture: Picture) throws -> Double {
    let square = try fitted(picture)
    var sides = description.layout.shape(side: Int64(side)).sides
    var outputs = [Float](repeating: 0, count: Limits.outsideOutputs)
    var count = 0
    let samples = description.tensor(of: square, side: side)
    let status = withUnsafePointer(to: &sides) {
      $0.withMemoryRebound(to: Int64.self, capacity: 4) { shape in
        co_run(model, samples, samples.count, shape, &outputs, outputs.count, &count)
      }
    }
    guard status == Int32(CO_OK) else { throw OutsideModelFailure(status, description.name) }
    return try description.margin(of: outputs.prefix(count))
  }

  /// `side` × `side` × 3 samples.
  private func fitted(_ picture: Picture) throws -> [UInt8] {
    switch description.fit {
    case .resize: return try picture.resized(width: side, height: side).withSamples { Array($0) }
    case .crop:
      let (width, height) = (picture.width, picture.height)
      guard min(width, height) >= side else {
        throw OutsideModelFailure(
          code: "onnx.too_small", text: "The picture is smaller than what \(description.name) looks at.")
      }
      let (left, top) = ((width - side) / 2, (height - side) / 2)
      return picture.withSamples { samples in
        (0..<side).flatMap { row in
          let start = ((top + row) * width + left) * 3
          return samples[start..<start + side * 3]
        }
      }
    }
  }
}

extension OutsideModelFailure {
  fileprivate init(_ status: Int32, _ name: String) {
    switch status {
    case Int32(CO_NOT_INSTALLED), Int32(CO_INCOMPATIBLE), Int32(CO_NOT_STARTED): self = .notInstalled
    case Int32(CO_WRONG_SHAPE):
      self = .wrongShape("\(name) does not take one picture of floats and answer a row of them.")
    default:
      self.init(code: "onnx.failed", text: "\(name) failed: \(String(cString: co_last_error()).prefix(200))")
    }
  }
}

extension co_shape {
  fileprivate var text: String {
    let (a, b, c, d) = sides
    return [a, b, c, d].map { $0 < 0 ? "any" : String($0) }.joined(separator: " × ")
  }
}

extension OutsideModel.Layout {
  fileprivate func sides(of shape: co_shape) -> (batch: Int64, channels: Int64, height: Int64, width: Int64) {
    let (a, b, c, d) = shape.sides
    return self == .channelsFirst ? (a, b, c, d) : (a, d, b, c)
  }

  fileprivate func shape(side: Int64) -> co_shape {
    self == .channelsFirst ? co_shape(sides: (1, 3, side, side)) : co_shape(sides: (1, side, side, 3))
  }
}
