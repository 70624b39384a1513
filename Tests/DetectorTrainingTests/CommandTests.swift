import DetectorTraining
import Forensics
import Foundation
import Primitives
import Testing

/// The whole way through the program itself: its command line, its workers, its files.
@Suite(.serialized) struct CommandTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/detector-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Six artists with five pictures each, two generators with eight.
  private func fill(artists: Int = 6, pictures: Int = 5) throws {
    for artist in 0..<artists {
      for number in 0..<pictures {
        try write(.drawn(seed: UInt64(artist * 100 + number)), "human/artist-\(artist)/\(number).png")
      }
    }
    for generator in 0..<2 {
      for number in 0..<8 {
        try write(.generated(seed: UInt64(9_000 + generator * 100 + number)), "ai/model-\(generator)/\(number).png")
      }
    }
  }

  private func write(_ texture: Texture, _ path: String) throws {
    try write(texture.png(), path)
  }

  private func write(_ bytes: [UInt8], _ path: String) throws {
    let url = URL(fileURLWithPath: folder + "/" + path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  private var training: [String] {
    ["train", "--human", folder + "/human", "--ai", folder + "/ai", "--trees", "15", "--json"]
  }

  @Test func `train, list, activate, look, roll back`() throws {
    try fill()
    let home = folder + "/home"
    let trained = try Program.run(training + ["--name", "own", "--activate"], home: home)
    // Thirty pictures prove nothing: written, but not activated.
    #expect(trained.status == 3, "\(trained.error)")
    let report = try JSON(parsing: Array(trained.output.utf8))
    #expect(report["fit"]?.bool == false && report["images"]?.integer == 30 && report["sources"]?.integer == 6)
    #expect(report["measuring"]?["measured_now"]?.integer == 46)
    #expect((report["auroc"]?["value"]?.double ?? 0) > 0.9)
    let listed = try Program.run(["list"], home: home)
    #expect(listed.output.contains("  own\tpixels/own-1") && listed.output.contains("takes 299 pictures"))

    let refused = try Program.run(["activate", "own"], home: home)
    #expect(refused.status != 0 && refused.error.contains("[detector.not_fit]"))
    #expect(try Program.run(["activate", "own", "--knowing-the-reasons"], home: home).status == 0)
    let listedAgain = try Program.run(["list"], home: home)
    #expect(listedAgain.output.contains("* own"))

    let picture = folder + "/ai/model-0/0.png"
    let map = folder + "/map.png"
    let told = try Program.run(["explain", picture, "--out", map], home: home)
    #expect(told.output.contains("Layer pixels, own 1") && told.output.contains("30 human pictures of 6 sources"))
    #expect(told.output.contains("speaks") && told.output.contains("no proof"))
    let drawn = try #require(FileManager.default.contents(atPath: map))
    #expect(ImageFormat.sniff(Array(drawn)) == .png)

    #expect(try Program.run(["rollback"], home: home).output.contains("shipped is active again"))
    #expect(try Program.run(["list"], home: home).output.contains("* shipped"))
    #expect(try Program.run(["rollback"], home: home).error.contains("[model.nothing_before]"))
    let taken = try Program.run(training + ["--name", "own"], home: home)
    #expect(taken.error.contains("[model.taken]"))
  }

  @Test func `a training that was killed goes on where it was`() throws {
    try fill()
    let home = folder + "/home"
    let killed = try Program.run(training + ["--name", "own"], home: home) { $0.contains("Measuring: 1") }
    #expect(killed.status == SIGKILL)
    let again = try Program.run(training + ["--name", "own"], home: home)
    let measuring = try JSON(parsing: Array(again.output.utf8))["measuring"]
    let known = measuring?["known_before"]?.integer ?? 0
    #expect(known > 0 && known + (measuring?["measured_now"]?.integer ?? 0) == 46)
    // What a kill left of the last record does not spoil the rest.
    let cache = home + "/detectors/features-FS2-4.cache"
    let file = try #require(FileHandle(forWritingAtPath: cache))
    try file.seekToEnd()
    try file.write(contentsOf: Data([9, 9, 0, 0, 1, 2, 3]))
    try file.close()
    let third = try Program.run(training + ["--name", "third"], home: home)
    let counts = try JSON(parsing: Array(third.output.utf8))["measuring"]
    #expect(counts?["known_before"]?.integer == 46 && counts?["measured_now"]?.integer == 0)
    #expect(try Program.run(["list"], home: home).output.contains("third"))
  }

  @Test func `calibrate and evaluate say what so few pictures can not prove`() throws {
    try fill()
    let home = folder + "/home"
    _ = try Program.run(training + ["--name", "own"], home: home)
    let same = ["calibrate", "--human", folder + "/human", "--detector", "own"]
    let learned = try Program.run(same, home: home)
    #expect(learned.status != 0 && learned.error.contains("30 pictures are left out: own learned from them"))
    for artist in 0..<6 {
      for number in 0..<5 {
        try write(.drawn(seed: UInt64(50_000 + artist * 100 + number)), "others/artist-\(artist)/\(number).png")
      }
    }
    let calibrated = try Program.run(
      ["calibrate", "--human", folder + "/others", "--detector", "own", "--name", "here"], home: home)
    #expect(calibrated.status == 0, "\(calibrated.error)")
    #expect(calibrated.output.contains("30 pictures of 6 artists"))
    #expect(calibrated.output.contains("30 pictures can not certify 0.5 %: that takes at least 598"))
    #expect(calibrated.error.contains("30 measured now, 0 known from before"))
    #expect(try Program.run(["list"], home: home).output.contains("here\tpixels/own-1-c"))

    let out = folder + "/out"
    let model = home + "/detectors/own.aidet"
    let judged = try Program.run(["eval", folder, "--detector", model, "--out", out, "--json"], home: nil)
    #expect(judged.status == 0, "\(judged.error)")
    let figures = try JSON(parsing: Array(judged.output.utf8))
    let first = figures["conditions"]?.array?.first
    #expect(first?["human"]?.integer == 30 && first?["generated"]?.integer == 16)
    #expect(first?["by_generator"]?.array?.count == 2 && first?["by_human_kind"]?.array?.count == 6)
    for name in ["eval.json", "roc.svg", "scores-as_found.svg"] {
      #expect(FileManager.default.fileExists(atPath: "\(out)/\(name)"), "\(name)")
    }
  }

  @Test func `what can not be used is said in one sentence with its code`() throws {
    try fill(artists: 1, pictures: 3)
    let home = folder + "/home"
    func complaint(_ arguments: [String]) throws -> String {
      let run = try Program.run(arguments, home: home)
      #expect(run.status != 0)
      return run.error
    }
    #expect(try complaint(training).contains("[training.sources]"))
    #expect(try complaint(["calibrate", "--human", folder + "/nowhere"]).contains("[detector.no_folder]"))
    try write([1, 2, 3], "loose/picture.png")
    #expect(
      try complaint(["train", "--human", folder + "/loose", "--ai", folder + "/ai"]).contains("[detector.empty]"))
    try write(Array("no picture at all".utf8), "text/artist/notes.png")
    try write(Array("no picture at all".utf8), "text/other/notes.jpg")
    let text = try complaint(["train", "--human", folder + "/text", "--ai", folder + "/ai"])
    #expect(text.contains("left out (image.unrecognized)") && text.contains("[training.sources]"))
    try FileManager.default.copyItem(atPath: folder + "/ai/model-0/0.png", toPath: folder + "/human/artist-0/same.png")
    #expect(try complaint(training).contains("[detector.both_kinds]"))
    #expect(try complaint(["activate", "../own"]).contains("[model.name]"))
    #expect(try complaint(["activate", "nobody"]).contains("[model.missing]"))
    #expect(!FileManager.default.fileExists(atPath: home + "/detectors/active.json"))
  }

  @Test func `a model with one flipped bit is refused, and an active one is replaced by the shipped`() throws {
    try fill()
    let home = folder + "/home"
    _ = try Program.run(training + ["--name", "own"], home: home)
    _ = try Program.run(["activate", "own", "--knowing-the-reasons"], home: home)
    let path = home + "/detectors/own.aidet"
    var bytes = Array(try #require(FileManager.default.contents(atPath: path)))
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let listed = try Program.run(["list"], home: home)
    #expect(listed.output.contains("own\tunusable: [model.checksum]"))
    let refused = try Program.run(["activate", "own", "--knowing-the-reasons"], home: home)
    #expect(refused.status != 0 && refused.error.contains("[model.checksum]"))
    #expect(listed.error.contains("the one that ships is asked instead"))
    try Data("{".utf8).write(to: URL(fileURLWithPath: home + "/detectors/active.json"))
    #expect(try Program.run(["list"], home: home).error.contains("active.json is damaged"))
    #expect(try Program.run(["calibrate", "--human", folder + "/human", "--detector", "own"], home: home).status != 0)
  }
}

/// Runs the built program.
private enum Program {
  struct Result {
    var status: Int32
    var output: String
    var error: String
  }

  static let path: String? = {
    guard let maps = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      guard let start = line.firstIndex(of: "/"), line.hasSuffix(".xctest") else { continue }
      let path = URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent().path + "/atelier"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return nil
  }()

  /// - Parameter killing: Asked with what has come on standard error; true kills the program there and then.
  static func run(
    _ arguments: [String], home: String?, killing: ((String) -> Bool)? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = ["detector"] + arguments + (home.map { ["--home", $0] } ?? [])
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()
    var text = ""
    if let killing {
      while true {
        let data = error.fileHandleForReading.availableData
        if data.isEmpty { break }
        text += String(decoding: data, as: UTF8.self)
        if killing(text) {
          kill(process.processIdentifier, SIGKILL)
          break
        }
      }
    } else {
      // Standard error is short; both fit their pipes.
      text = String(decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
    let printed = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return Result(status: process.terminationStatus, output: printed, error: text)
  }
}

/// Small pictures that differ as drawings and decoded latents do, for tests alone.
private struct Texture {
  static let side = 208
  var samples: [UInt8]

  /// Strokes and paper grain: noise in every pixel, each channel its own.
  static func drawn(seed: UInt64) -> Texture {
    var chance = SeededChance(seed)
    let base = (0..<3).map { _ in 60 + chance.unit() * 120 }
    let waves = (0..<4).map { _ in (chance.unit() * 0.2, chance.unit() * 0.2, 10 + chance.unit() * 20) }
    return Texture(side) { x, y, channel in
      let shade = waves.reduce(0.0) { $0 + sin(Double(x) * $1.0 + Double(y) * $1.1 + Double(channel)) * $1.2 }
      return base[channel] + shade + (chance.unit() + chance.unit() - 1) * 12
    }
  }

  /// Noise on a grid of eight pixels, made larger, with the grid's own trace.
  static func generated(seed: UInt64) -> Texture {
    var chance = SeededChance(seed)
    let cells = side / 8 + 2
    let grid = (0..<cells * cells * 3).map { _ in 40 + chance.unit() * 170 }
    return Texture(side) { x, y, channel in
      let (left, top) = (x / 8, y / 8)
      let (u, v) = (Double(x % 8) / 8, Double(y % 8) / 8)
      let at = { (column: Int, row: Int) in grid[(row * cells + column) * 3 + channel] }
      let upper = at(left, top) * (1 - u) + at(left + 1, top) * u
      let lower = at(left, top + 1) * (1 - u) + at(left + 1, top + 1) * u
      return upper * (1 - v) + lower * v + (x % 2 == y % 2 ? 1.5 : -1.5) + chance.unit()
    }
  }

  private init(_ side: Int, _ value: (Int, Int, Int) -> Double) {
    samples = []
    samples.reserveCapacity(side * side * 3)
    for y in 0..<side {
      for x in 0..<side {
        for channel in 0..<3 { samples.append(UInt8(max(0, min(255, value(x, y, channel))))) }
      }
    }
  }

  func png() throws -> [UInt8] {
    guard case .ready = ImagingLibrary.start() else { throw MediaRefusal.notInstalled }
    return try Picture.from(samples: samples, width: Self.side, height: Self.side, bands: 3)
      .encoded(as: .png, quality: 100)
  }
}
