import Logging
import Media
import Model
import NIOCore
import NIOPosix
import Primitives
import Server
import Synchronization
import TestSupport
import Testing
import Transport

/// A detector that says whatever a test wants, and the client that asks it.
final class DetectorBench {
  let world: TestWorld
  let peer: FakePeer
  let detector: HTTPDetector
  let reply: Reply

  final class Reply: Sendable {
    let now = Mutex(WireReply.document(["score": 0.5, "model": "m1"]))
  }

  init(timeout: Duration = .seconds(5)) async throws {
    world = try TestWorld()
    let reply = Reply()
    self.reply = reply
    peer = try await FakePeer { _ in reply.now.withLock { $0 } }
    world.internet.name("detector.peers.test", ["45.0.0.70"])
    world.internet.name("evil.test", ["45.0.0.71"])
    world.internet.lead("45.0.0.70", to: peer.port)
    world.internet.lead("45.0.0.71", to: peer.port)
    var configuration = GuardedClient.Configuration(userAgent: "Test")
    configuration.extraCAFile = world.authorityFile
    let client = try GuardedClient(
      configuration: configuration, resolver: world.internet, dialer: world.internet,
      group: MultiThreadedEventLoopGroup.singleton)
    let url = try #require(IRI("https://detector.peers.test/score"))
    detector = HTTPDetector(
      .init(url: url, name: "test", timeout: timeout), client: client, time: world.clock.source)
  }

  func ask(_ answer: WireReply) async -> RawAnswer {
    reply.now.withLock { $0 = answer }
    return await detector.rawScore(of: Array("a picture".utf8), mediaType: "image/png")
  }

  func ask(_ body: String) async -> RawAnswer { await ask(.answer(type: "application/json", Array(body.utf8))) }

  func close() async {
    await detector.close()
    await peer.stop()
    world.remove()
  }
}

@Suite(.serialized) struct `A detector behind an address` {
  @Test func `is sent the picture and answers with a number and the name of its model`() async throws {
    let bench = try await DetectorBench()
    #expect(await bench.ask(#"{"score": 0.25, "model": "vit 3"}"#) == .scored(RawScore(value: 0.25, model: "vit3")))
    #expect(await bench.ask(#"{"score": 1, "evidence": []}"#) == .scored(RawScore(value: 1, model: "unnamed")))
    let request = try #require(bench.peer.requests.first)
    #expect(request.method == "POST")
    #expect(request.body == Array("a picture".utf8))
    #expect(request.headers["content-type"] == "image/png")
    await bench.close()
  }

  @Test(arguments: [
    (#"{"score": NaN}"#, "http.not_json"), (#"{"score": 2.0}"#, "http.out_of_range"),
    (#"{"score": -0.001}"#, "http.out_of_range"), (#"{"score": "0.9"}"#, "http.no_score"),
    (#"{"score": null}"#, "http.no_score"), (#"{"model": "m"}"#, "http.no_score"), ("[0.9]", "http.no_score"),
    ("0.9", "http.no_score"), ("", "http.not_json"), (#"{"score": 0.1, "score": 0.9}"#, "http.not_json"),
    (#"{"score": 1e999}"#, "http.not_json"), ("<html>", "http.not_json"),
  ])
  func `has no opinion when its answer is no score`(body: String, reason: String) async throws {
    let bench = try await DetectorBench()
    #expect(await bench.ask(body) == .none(reason: reason))
    await bench.close()
  }

  @Test func `is read only so far, waited for only so long, and followed nowhere`() async throws {
    let bench = try await DetectorBench(timeout: .milliseconds(700))
    let head = Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n".utf8)
    let tenMegabytes = Array("Content-Length: 10485760\r\n\r\n{".utf8)
    #expect(await bench.ask(.flood(head + tenMegabytes)) == .none(reason: "http.too_large"))
    #expect(await bench.ask(.flood(head + Array("\r\n{".utf8))) == .none(reason: "http.too_large"))
    let slow = await bench.ask(.drip(head + Array("Content-Length: 60000\r\n\r\n{".utf8)))
    #expect(slow == .none(reason: "http.timeout_total"))
    let mute = await bench.ask(.nothing)
    #expect(mute == .none(reason: "http.timeout_total") || mute == .none(reason: "http.timeout_idle"))
    #expect(await bench.ask(.answer(503)) == .none(reason: "http.status_503"))
    #expect(await bench.ask(.hangUp) == .none(reason: "http.disconnected"))
    bench.world.clock.advance(by: .seconds(3_600))
    for status in [302, 307, 308] {
      let answer = await bench.ask(.redirect(status, "https://evil.test/score"))
      #expect(answer == .none(reason: "http.redirect"), "\(status)")
    }
    #expect(!bench.peer.asked.contains { $0.contains("evil.test") })
    await bench.close()
  }

  @Test func `is left in peace after ten failures, and asked again after a minute`() async throws {
    let bench = try await DetectorBench()
    for _ in 1...10 { _ = await bench.ask(.answer(500)) }
    #expect(await bench.ask(#"{"score": 0.5}"#) == .none(reason: "http.resting"))
    #expect(bench.peer.requests.count == 10)
    bench.world.clock.advance(by: .seconds(61))
    #expect(await bench.ask(#"{"score": 0.5}"#) == .scored(RawScore(value: 0.5, model: "unnamed")))
    // What it refuses is no failure of its own.
    for _ in 1...20 { _ = await bench.ask(.answer(415)) }
    #expect(await bench.ask(#"{"score": 0.5}"#) == .scored(RawScore(value: 0.5, model: "unnamed")))
    await bench.close()
  }

  @Test func `has no opinion before it was calibrated here, and is not even asked`() async throws {
    let bench = try await DetectorBench()
    let picture = Array("a picture".utf8)
    let silent = CalibratedDetector(bench.detector, calibration: nil)
    let opinion = await silent.opinion(of: picture, mediaType: "image/png")
    #expect(opinion.outcome == .noOpinion(reason: "detector.uncalibrated"))
    #expect(bench.peer.requests.isEmpty)
    #expect(silent.basis == nil)
    let humans = (0..<400).map { Double($0) / 400 }
    let made = try #require(
      RawCalibration(detector: "http.test", model: "m1", date: "2026-11-21", raw: humans, sources: 20))
    let calibrated = CalibratedDetector(bench.detector, calibration: made)
    // 40 of the 400 human pictures got 0.9 or more, and this picture counts too.
    _ = await bench.ask(#"{"score": 0.9, "model": "m1"}"#)
    let scored = await calibrated.opinion(of: picture, mediaType: "image/png")
    #expect(scored.outcome == .scored(1 - 41.0 / 401))
    #expect(scored.calibration == .init(images: 400, sources: 20))
    _ = await bench.ask(#"{"score": 0.9, "model": "m2"}"#)
    let changed = await calibrated.opinion(of: picture, mediaType: "image/png")
    #expect(changed.outcome == .noOpinion(reason: "detector.model_changed"))
    #expect(await calibrated.opinion(of: nil, mediaType: "image/gif").outcome.score == nil)
    let foreign = try #require(
      RawCalibration(detector: "http.other", model: "m1", date: "2026-11-21", raw: humans, sources: 20))
    #expect(!CalibratedDetector(bench.detector, calibration: foreign).isCalibrated)
    await bench.close()
  }

  @Test func `is calibrated by the path that pictures take, and only as one model`() async throws {
    let bench = try await DetectorBench()
    let pool = WorkerPool(.init(program: TestInstance.worker, width: 1))
    defer { pool.close() }
    let calibrating = OutsideCalibrating(bench.detector, workers: pool)
    func pictures(_ count: Int) -> [OutsideCalibrating.Picture] {
      (0..<count).map { number in
        OutsideCalibrating.Picture(source: "artist \(number % 2)") {
          CasePicture.png(width: 64, height: 48, text: ("Author", "Mika"), seed: number + 1)
        }
      }
    }
    let made = try await calibrating.calibrate(
      pictures(3) + [.init(source: "x", read: { CasePicture.gif(frames: 1) })], date: "2026-11-21")
    #expect(made.calibration.images == 3)
    #expect(made.calibration.sources == 2)
    #expect(made.calibration.model == "m1")
    #expect(made.silent.values.reduce(0, +) == 1)
    // What names the artist stays here.
    #expect(bench.peer.requests.count == 3)
    for request in bench.peer.requests { #expect(!String(decoding: request.body, as: UTF8.self).contains("Mika")) }
    _ = await bench.ask(.answer(404))
    await #expect(throws: OutsideCalibrating.Failure.nothingScored(["http.status_404": 2])) {
      try await calibrating.calibrate(pictures(2), date: "2026-11-21")
    }
    await bench.close()
  }

  @Test func `makes accusations no more frequent: two opinions share the chance`() throws {
    func layer(_ name: String, _ score: Double) -> LayerOpinion {
      LayerOpinion(
        detector: name, model: "m", version: "1", date: "2026-11-21", outcome: .scored(score),
        calibration: .init(images: 1_000, sources: 20))
    }
    let first = Assessment(evidence: [], layers: [layer("pixels", 0.996)], detector: "evidence/1+pixels/m")
    #expect(first.verdict == .likely)
    let both = first.heard(layer("http.test", 0.5))
    #expect(both.opinion == .concluded(score: Assessment.combinedScore([0.996, 0.5]) ?? 0))
    #expect((both.opinion.score ?? 1) < 0.993)
    #expect(both.verdict == .none)
    #expect(both.layers.count == 2)
    let unseen = Assessment.notAnalysed(reason: "image.truncated", detector: "evidence/1")
    #expect(unseen.heard(layer("http.test", 0.999)) == unseen)
  }
}

@Suite struct `Settings of a detector from outside` {
  private func settings(_ values: [String: String]) throws -> Settings {
    var flags = ["instance.base_url": "https://paper.test", "home": "/tmp/paper"]
    flags.merge(values) { _, new in new }
    return try Settings(reading: SettingsSources(flags: flags))
  }

  @Test func `are off by default, and checked with all others`() throws {
    #expect(try settings([:]).httpDetector == nil)
    let set = try settings([
      "detector.http.url": "http://127.0.0.1:9000/score", "detector.http.name": "vit",
      "detector.http.timeout": "5", "detector.http.private_networks": "127.0.0.0/8",
    ])
    #expect(set.httpDetector?.timeout == .seconds(5))
    #expect(set.detectorNetworks.count == 1)
    #expect(set.allowedPrivateNetworks.isEmpty)
    #expect(set.httpDetector?.privacyNotice.contains("leaves this instance") == true)
    let problems = #expect(throws: SettingsProblems.self) {
      try settings([
        "detector.http.url": "ftp://x", "detector.http.name": "../x", "detector.http.timeout": "900",
        "detector.http.private_networks": "here",
      ])
    }
    #expect(problems?.problems.count == 4)
  }
}
