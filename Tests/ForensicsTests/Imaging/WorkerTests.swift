import Forensics
import Foundation
import Primitives
import Testing

/// The program beside the test bundle: a worker is always a real process here.
enum WorkerProgram {
  static let built: WorkerProcess.Program? = {
    guard let maps = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      guard let start = line.firstIndex(of: "/"), line.hasSuffix(".xctest") else { continue }
      let path = URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent().path + "/atelier"
      if FileManager.default.isExecutableFile(atPath: path) {
        return WorkerProcess.Program(path: path, arguments: ["media-worker"])
      }
    }
    return nil
  }()
}

@Suite(.serialized) struct WorkerTests {
  private func start(_ bounds: MediaWorker.Bounds = MediaWorker.Bounds()) throws -> WorkerProcess {
    try WorkerProcess(try #require(WorkerProgram.built), bounds: bounds)
  }

  private var soon: Int64 { WorkerProcess.deadline(in: .seconds(60)) }

  @Test func `a locked worker opens no file or socket, starts nothing, signals nobody, yet runs machine code`() throws {
    let proof = try start().attemptEscape(deadline: soon)
    #expect(proof.isTight, "\(proof)")
    #expect(proof.executableMemory == 0)
    #expect(!FileManager.default.fileExists(atPath: "/tmp/atelier-sandbox-attempt"))
  }

  @Test func `all four formats are read and rendered under the lock`() throws {
    let worker = try start(MediaWorker.Bounds(jobs: 8))
    let picture = try Drawing.picture(width: 700, height: 500, bands: 4)
    let files: [[UInt8]] = [
      try Drawing.jpeg(width: 700, height: 500), try picture.encoded(as: .png, quality: 1),
      try picture.encoded(as: .webp, quality: 80), Drawing.gif(width: 90, height: 60),
      try Drawing.encode(width: 90, height: 60, bands: 3, bits: 8, format: 1, convertTo: "cmyk"),
      try Drawing.encode(width: 90, height: 60, bands: 3, bits: 16, format: 2, profile: "p3"),
    ]
    let detector = PixelDetector(model: try DetectorModel.shipped())
    for file in files {
      let made = try worker.process(file, MediaOptions(), deadline: soon)
      let here = try MediaWork.process(file, MediaOptions(), detector: detector)
      #expect(made.report == here.report)
      #expect(made.files == here.files)
    }
    #expect(worker.isAlive)
  }

  @Test func `a refusal comes back with its code and the worker goes on`() throws {
    let worker = try start(MediaWorker.Bounds(jobs: 3))
    #expect(throws: MediaRefusal(ImageRefusal.unrecognized)) {
      try worker.process([1, 2, 3], MediaOptions(), deadline: soon)
    }
    _ = try worker.process(try Drawing.jpeg(width: 50, height: 50), .look, deadline: soon)
  }

  @Test func `a worker takes another model, refuses a damaged one by name, and neither is a job`() throws {
    let worker = try start(MediaWorker.Bounds(jobs: 2))
    let picture = try Drawing.jpeg(width: 200, height: 200)
    var model = try TestModel.make(name: "own").bytes
    model[100] ^= 1
    #expect { try worker.use(model: model, deadline: soon) } throws: { ($0 as? MediaRefusal)?.code == "model.checksum" }
    let shipped = try DetectorModel.shipped().card.detector
    #expect(try worker.process(picture, .look, deadline: soon).report.assessment.detector.hasSuffix(shipped))
    model[100] ^= 1
    try worker.use(model: model, deadline: soon)
    try worker.use(model: model, deadline: soon)
    let made = try worker.process(picture, .look, deadline: soon)
    #expect(made.report.assessment.detector.hasSuffix("pixels/own-1"))
    #expect(worker.jobsLeft == 0)
  }

  @Test func `no file ends a worker that looks at pixels: it is refused by name or scored`() throws {
    let noise = TexturePictures.samples(300, 300, .noise, seed: 2)
    let png = try Picture.from(samples: noise, width: 300, height: 300, bands: 3).encoded(as: .png, quality: 1)
    let jpeg = try Drawing.jpeg(width: 300, height: 300)
    var profiled = try Drawing.encode(width: 300, height: 300, bands: 3, bits: 8, format: 1, profile: "p3")
    // A profile whose numbers are none.
    if let place = profiled.firstRange(of: Array("acsp".utf8))?.upperBound {
      for index in place + 60..<place + 200 { profiled[index] = 0xFF }
    }
    let files: [(String, [UInt8])] = [
      ("image.truncated image.undecodable", Array(png.prefix(png.count / 2))),
      ("image.truncated image.undecodable", Array(jpeg.prefix(jpeg.count / 2))),
      ("image.too_many_pixels image.side_too_long", Drawing.pngHeader(width: 20_000, height: 15_000)),
      ("image.animated", Drawing.gif(width: 60, height: 60, frames: 3)), ("image.unrecognized", []),
      ("", profiled), ("", try Drawing.jpeg(width: 1, height: 1)), ("", png),
      ("", try Drawing.encode(width: 200, height: 200, bands: 3, bits: 8, format: 1, convertTo: "cmyk")),
    ]
    let worker = try start(MediaWorker.Bounds(jobs: files.count))
    for (codes, file) in files {
      do {
        let found = try worker.process(file, .look, deadline: soon).report.assessment
        #expect(codes.isEmpty && found.layers.count == 1, "\(codes) expected")
      } catch let refusal as MediaRefusal {
        #expect(codes.split(separator: " ").contains { $0 == refusal.code }, "\(refusal.code) for \(codes)")
      }
    }
  }

  @Test func `a worker ends after its last job`() throws {
    let worker = try start()
    _ = try worker.process(try Drawing.jpeg(width: 50, height: 50), .look, deadline: soon)
    #expect(worker.jobsLeft == 0)
    #expect(throws: MediaRefusal.crashed) {
      try worker.process(try Drawing.jpeg(width: 50, height: 50), .look, deadline: soon)
    }
  }

  @Test func `a worker that outgrows its memory is refused or dies, and nothing else happens`() throws {
    let worker = try start(MediaWorker.Bounds(memory: 60 << 20))
    let large = try Drawing.encode(width: 6_000, height: 6_000, bands: 3, bits: 8, format: 1)
    do {
      _ = try worker.process(large, .look, deadline: soon)
      Issue.record("108 MB of pixels do not fit in 60")
    } catch let refusal as MediaRefusal {
      #expect(["worker.crashed", "image.undecodable"].contains(refusal.code), "\(refusal)")
    }
  }

  @Test func `hostile files cost at most their own worker`() throws {
    var chance = SplitMix(seed: 99)
    var worker = try start(MediaWorker.Bounds(jobs: 1_000))
    let seeds: [[UInt8]] = [
      Drawing.withExif(try Drawing.jpeg(width: 60, height: 40)),
      try Drawing.picture(width: 40, height: 30, bands: 4).encoded(as: .png, quality: 1),
      try Drawing.picture(width: 40, height: 30, bands: 4).encoded(as: .webp, quality: 60),
      Drawing.gif(width: 20, height: 20),
    ]
    var outcomes: [String: Int] = [:]
    for round in 0..<160 {
      var bytes = seeds[round % seeds.count]
      for _ in 0...chance.below(6) { bytes[chance.below(bytes.count)] = UInt8(chance.below(256)) }
      do {
        _ = try worker.process(bytes, MediaOptions(), deadline: soon)
        outcomes["accepted", default: 0] += 1
      } catch let refusal as MediaRefusal {
        outcomes[refusal.code, default: 0] += 1
        if !worker.isAlive || refusal.code.hasPrefix("worker.") { worker = try start(MediaWorker.Bounds(jobs: 1_000)) }
      }
    }
    #expect(outcomes["accepted", default: 0] > 0)
    #expect(outcomes["worker.timeout"] == nil, "\(outcomes)")
  }

  @Test func `numbers on the command line that are none end the worker before it reads`() {
    #expect(MediaWorker.Bounds(arguments: ["1", "2"]) == nil)
    #expect(MediaWorker.Bounds(arguments: ["0", "1", "1"]) == nil)
    for bounds in [MediaWorker.Bounds(), MediaWorker.Bounds(onnxLibrary: "/usr/lib/libonnxruntime.so.1")] {
      #expect(MediaWorker.Bounds(arguments: bounds.arguments) == bounds)
    }
  }
}
