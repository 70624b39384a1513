import Crypto
import Forensics
import Foundation
import Media
import Primitives
import Server
import TestSupport
import Testing

/// Models from outside on the disk of an instance, and what is asked of them.
struct OnnxShelfTests {
  /// 1 × 3 × 16 × 16 in, two numbers out; made with ONNX's own helper.
  private static let file =
    Base64.decode(
      "CAcSADqtAQoZCgF4EgFwIhFHbG9iYWxBdmVyYWdlUG9vbAoPCgFwEgFmIgdGbGF0dGVuChIKAWYKAXcKAWISAXkiBEdlbW0SAWcqIwgDCAIQ"
        + "AUIBd0oYAAAAPwAAAL8AAIA+AACAvgAAgL8AAIA/KhEIAhABQgFiSgjNzMw9zczMvVobCgF4EhYKFAgBEhAKAggBCgIIAwoCCBAKAggQYhMK"
        + "AXkSDgoMCAESCAoCCAEKAggCQgQKABAM") ?? []

  private func scratch() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/atelier-onnx-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  private func added(to shelf: OnnxShelf, name: String = "means") throws -> OutsideModel {
    try shelf.add(Self.file) { try OutsideModel(name: name, digest: $0, side: 16) }
  }

  @Test func `a model is kept with its description, and its name is not given twice`() throws {
    let folder = try scratch()
    let shelf = OnnxShelf(folder: folder + "/detectors")
    #expect(try shelf.models().isEmpty)
    let model = try added(to: shelf)
    #expect(model.digest == Hex.encode(Array(SHA256.hash(data: Self.file))))
    let found = try shelf.models()
    #expect(found.map(\.model) == [model])
    #expect(found.first?.file == Self.file)
    let failure = #expect(throws: OutsideModelFailure.self) { try added(to: shelf) }
    #expect(failure?.code == "onnx.taken")
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a description that was damaged stops the reader instead of falling silent`() throws {
    let folder = try scratch()
    let shelf = OnnxShelf(folder: folder)
    _ = try added(to: shelf)
    try Data(#"{"name":"other"}"#.utf8).write(to: URL(fileURLWithPath: folder + "/means.onnx.json"))
    #expect(throws: OutsideModelFailure.self) { try shelf.models() }
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a model that was not calibrated here is not asked, and without its library it has no opinion`()
    async throws
  {
    let model = try OutsideModel(
      name: "means", digest: Hex.encode(Array(SHA256.hash(data: Self.file))), side: 16)
    let detector = OnnxDetector(
      model, file: Self.file, library: "/nonexistent/libonnxruntime.so", program: TestInstance.worker, width: 1)
    let picture = CasePicture.png(width: 64, height: 48)
    let silent = await CalibratedDetector(detector, calibration: nil).opinion(of: picture, mediaType: "image/png")
    #expect(silent.outcome == .noOpinion(reason: "detector.uncalibrated"))
    #expect(await detector.rawScore(of: picture, mediaType: "image/png") == .none(reason: "onnx.not_installed"))
    await detector.close()
  }
}
