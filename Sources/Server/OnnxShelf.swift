import Crypto
import Forensics
import Foundation
import Primitives

/// The models from outside that an operator added: `NAME.onnx` with its description `NAME.onnx.json` beside it.
package struct OnnxShelf: Sendable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  private func filePath(_ name: String) -> String { "\(folder)/\(name).onnx" }
  private func descriptionPath(_ name: String) -> String { "\(folder)/\(name).onnx.json" }

  /// By name. A description or a file that can not be read stops the caller: without it the detector would fall silent
  /// unnoticed.
  package func models() throws -> [(model: OutsideModel, file: [UInt8])] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".onnx.json") }
    return try names.sorted().map { entry in
      let name = String(entry.dropLast(".onnx.json".count))
      let model = try OutsideModel(
        reading: try JSON(parsing: try Self.bytes(descriptionPath(name), atMost: Limits.outsideDescription)))
      guard model.name == name else { throw OutsideModelFailure.unreadable(descriptionPath(name)) }
      return (model, try Self.bytes(filePath(name), atMost: Limits.outsideModel))
    }
  }

  /// Copies a model beside the others and pins its digest. The description comes last: without it there is no model.
  package func add(_ file: [UInt8], describedBy describe: (_ digest: String) throws -> OutsideModel) throws
    -> OutsideModel
  {
    let model = try describe(Hex.encode(Array(SHA256.hash(data: file))))
    guard !FileManager.default.fileExists(atPath: descriptionPath(model.name)) else {
      throw OutsideModelFailure.taken(model.name)
    }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Data(file).write(to: URL(fileURLWithPath: filePath(model.name)), options: .atomic)
    try Data(model.json.bytes).write(to: URL(fileURLWithPath: descriptionPath(model.name)), options: .atomic)
    return model
  }

  /// Never more than it may be.
  package static func bytes(_ path: String, atMost most: Int) throws -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else { throw OutsideModelFailure.unreadable(path) }
    let data = try file.read(upToCount: most + 1) ?? Data()
    try file.close()
    guard data.count <= most else { throw OutsideModelFailure.tooLarge(path) }
    return Array(data)
  }
}

extension OutsideModelFailure {
  static func unreadable(_ path: String) -> Self { Self(code: "onnx.unreadable", text: "\(path) can not be read.") }
  static func taken(_ name: String) -> Self {
    Self(code: "onnx.taken", text: "There is a model \(name) already; choose another name.")
  }
  static func tooLarge(_ path: String) -> Self {
    Self(code: "onnx.too_large", text: "\(path) is larger than \(Limits.outsideModel >> 20) MiB.")
  }
}

extension Limits {
  /// The description beside a model from outside.
  static let outsideDescription = 64 << 10
}
