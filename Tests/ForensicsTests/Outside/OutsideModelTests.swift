import Crypto
import Forensics
import Foundation
import Primitives
import Testing

/// Models of under 200 bytes, made with ONNX's own helper (operator set 12).
enum OnnxFixture {
  /// 1 × 3 × 16 × 16 in, two numbers out: the mean of each colour, then `y = x·[[½,-½],[¼,-¼],[-1,1]] + [0.1,-0.1]`.
  static let means =
    "CAcSADqtAQoZCgF4EgFwIhFHbG9iYWxBdmVyYWdlUG9vbAoPCgFwEgFmIgdGbGF0dGVuChIKAWYKAXcKAWISAXkiBEdlbW0SAWcqIwgDCAIQ"
    + "AUIBd0oYAAAAPwAAAL8AAIA+AACAvgAAgL8AAIA/KhEIAhABQgFiSgjNzMw9zczMvVobCgF4EhYKFAgBEhAKAggBCgIIAwoCCBAKAggQYhMK"
    + "AXkSDgoMCAESCAoCCAEKAggCQgQKABAM"
  /// Takes a row of 512 floats.
  static let row =
    "CAcSADpBChAKAXgSAXkiCElkZW50aXR5EgFnWhQKAXgSDwoNCAESCQoCCAEKAwiABGIUCgF5Eg8KDQgBEgkKAggBCgMIgARCBAoAEAw="
  /// Takes a picture of 64-bit integers.
  static let integers =
    "CAcSADpPChAKAXgSAXkiCElkZW50aXR5EgFnWhsKAXgSFgoUCAcSEAoCCAEKAggDCgIIEAoCCBBiGwoBeRIWChQIBxIQCgIIAQoCCAMKAggQ"
    + "CgIIEEIECgAQDA=="

  static func bytes(_ text: String) -> [UInt8] { Base64.decode(text) ?? [] }

  static func digest(_ bytes: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(data: bytes))) }

  /// The library where a test machine has one: in its usual place, or where ATELIER_ONNXRUNTIME says.
  static let runtime = ProcessInfo.processInfo.environment["ATELIER_ONNXRUNTIME"] ?? OnnxRuntime.usualLibrary
  static let isThere: Bool = {
    if case .ready = OnnxRuntime.start(library: runtime), case .ready = ImagingLibrary.start() { return true }
    return false
  }()
}

struct OutsideModelTests {
  private func described(
    _ bytes: [UInt8], side: Int = 16, layout: OutsideModel.Layout = .channelsFirst, generated: Int = 0
  ) throws -> OutsideModel {
    try OutsideModel(
      name: "means", digest: OnnxFixture.digest(bytes), side: side, layout: layout, mean: [0.5, 0.25, 0],
      deviation: [0.5, 0.5, 2], generated: generated)
  }

  @Test func `a description survives being written and read`() throws {
    let model = try described([1, 2, 3], layout: .channelsLast, generated: 1)
    #expect(try OutsideModel(reading: try JSON(parsing: model.json.bytes)) == model)
  }

  @Test(arguments: [
    (#""side":16"#, #""depth":16"#, "incomplete"), (#""a""#, #""../a""#, "name"), (#""ab"#, #""xy"#, "digest"),
    (#""side":16"#, #""side":100000"#, "side"), ("[0,0,0]", "[0,0]", "Mean"), ("[1,1,1]", "[1,0,1]", "deviation"),
    (#""generated":0"#, #""generated":-1"#, "output"),
  ])
  func `a description that can not be right is refused with what is wrong`(
    part: String, wrong: String, word: String
  ) throws {
    let digest = String(repeating: "ab", count: 32)
    let whole =
      #"{"name":"a","digest":"\#(digest)","side":16,"layout":"nchw","fit":"crop","mean":[0,0,0],"deviation":[1,1,1],"#
      + #""generated":0}"#
    #expect(try OutsideModel(reading: try JSON(parsing: Array(whole.utf8))).side == 16)
    let json = try JSON(parsing: Array(whole.replacingOccurrences(of: part, with: wrong).utf8))
    let failure = #expect(throws: OutsideModelFailure.self) { try OutsideModel(reading: json) }
    #expect(failure?.code == "onnx.description")
    #expect(failure?.text.contains(word) == true, "\(failure?.text ?? "")")
  }

  @Test func `another file under the pinned name is not run`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    var changed = bytes
    changed[40] ^= 1
    let failure = #expect(throws: OutsideModelFailure.self) { try OnnxClassifier(try described(bytes), bytes: changed) }
    #expect(failure?.code == "onnx.digest")
  }

  @Test(.enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"), arguments: [0, 1])
  func `a model answers what its own arithmetic says`(generated: Int) throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let classifier = try OnnxClassifier(try described(bytes, generated: generated), bytes: bytes)
    let samples: [UInt8] = (0..<20 * 18 * 3).map { [200, 100, 50][$0 % 3] }
    let picture = try Picture.from(samples: samples, width: 20, height: 18, bands: 3)
    let (red, green, blue) = (
      (200.0 / 255 - 0.5) / 0.5, (100.0 / 255 - 0.25) / 0.5, 50.0 / 255 / 2
    )
    let first = red / 2 + green / 4 - blue + 0.1
    // The second output is the negative of the first, so that the margin is twice the chosen one.
    let expected = 2 * (generated == 0 ? first : -first)
    #expect(abs(try classifier.margin(of: picture) - expected) < 1e-5)
  }

  @Test(.enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"))
  func `a picture smaller than the crop gets no opinion and not a guess`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let classifier = try OnnxClassifier(try described(bytes), bytes: bytes)
    let picture = try Picture.from(samples: [UInt8](repeating: 9, count: 15 * 40 * 3), width: 15, height: 40, bands: 3)
    let failure = #expect(throws: OutsideModelFailure.self) { try classifier.margin(of: picture) }
    #expect(failure?.code == "onnx.too_small")
  }

  @Test(
    .enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"),
    arguments: [
      (OnnxFixture.row, 16, "onnx.wrong_shape"), (OnnxFixture.integers, 16, "onnx.wrong_shape"),
      (OnnxFixture.means, 32, "onnx.wrong_shape"), ("AAAA", 16, "onnx.failed"), ("", 16, "onnx.failed"),
    ])
  func `a file with another shape, or none, is refused with a clear error`(
    model: String, side: Int, code: String
  ) throws {
    let bytes = OnnxFixture.bytes(model)
    let failure = #expect(throws: OutsideModelFailure.self) {
      try OnnxClassifier(try described(bytes, side: side), bytes: bytes)
    }
    #expect(failure?.code == code)
    #expect(failure?.text.isEmpty == false)
  }

  @Test(.enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"))
  func `a model read with its colours last is told apart from one with its colours first`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let failure = #expect(throws: OutsideModelFailure.self) {
      try OnnxClassifier(try described(bytes, layout: .channelsLast), bytes: bytes)
    }
    #expect(failure?.code == "onnx.wrong_shape")
  }

  @Test(.enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"))
  func `an output that does not exist is a wrong shape`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let classifier = try OnnxClassifier(try described(bytes, generated: 2), bytes: bytes)
    let picture = try Picture.from(samples: [UInt8](repeating: 9, count: 16 * 16 * 3), width: 16, height: 16, bands: 3)
    let failure = #expect(throws: OutsideModelFailure.self) { try classifier.margin(of: picture) }
    #expect(failure?.code == "onnx.wrong_shape")
  }

  @Test(.enabled(if: OnnxFixture.isThere, "onnxruntime or libvips is not installed here"))
  func `a locked worker runs a model from outside, and refuses a wrong one without dying`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let picture = try Picture.from(
      samples: (0..<20 * 18 * 3).map { [200, 100, 50][$0 % 3] }, width: 20, height: 18, bands: 3
    ).encoded(as: .png, quality: 1)
    let worker = try WorkerProcess(
      try #require(WorkerProgram.built), bounds: .init(memory: 2 << 30, jobs: 4, onnxLibrary: OnnxFixture.runtime))
    let soon = WorkerProcess.deadline(in: .seconds(60))
    let here = try MediaWork.margin(of: picture, by: try described(bytes), file: bytes)
    #expect(try worker.classify(picture, by: try described(bytes), file: bytes, deadline: soon) == here)
    let row = OnnxFixture.bytes(OnnxFixture.row)
    let wrong = #expect(throws: MediaRefusal.self) {
      try worker.classify(picture, by: try described(row), file: row, deadline: soon)
    }
    #expect(wrong?.code == "onnx.wrong_shape")
    let broken = #expect(throws: MediaRefusal.self) {
      try worker.classify([1, 2, 3], by: try described(bytes), file: bytes, deadline: soon)
    }
    #expect(broken?.code == "image.unrecognized")
    #expect(try worker.classify(picture, by: try described(bytes), file: bytes, deadline: soon) == here)
  }

  @Test func `a worker without the library says that it is not installed`() throws {
    let bytes = OnnxFixture.bytes(OnnxFixture.means)
    let picture = try Drawing.jpeg(width: 40, height: 40)
    for library in [nil, "/nonexistent/libonnxruntime.so"] {
      let worker = try WorkerProcess(try #require(WorkerProgram.built), bounds: .init(onnxLibrary: library))
      let refusal = #expect(throws: MediaRefusal.self) {
        try worker.classify(
          picture, by: try described(bytes), file: bytes, deadline: WorkerProcess.deadline(in: .seconds(60)))
      }
      #expect(refusal?.code == "onnx.not_installed")
    }
  }
}
