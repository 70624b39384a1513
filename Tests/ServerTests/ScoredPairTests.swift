import Federation
import Forensics
import Foundation
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Signatures
import Store
import Synchronization
import TestSupport
import Testing

/// Two whole servers over real sockets with real workers; the second asks a detector about what arrives.
@Suite(.serialized) struct `A score decides between two servers` {
  @Test(arguments: [Verdict.label, .hold])
  func `a flag or a card with evidence, cleared by a moderator, never comes back for the same work`(
    verdict: Verdict
  ) async throws {
    try await ScoredPair.with { pair in
      try await pair.canvas.decide(score: verdict)
      try await pair.meet()
      let study = try Study.png(seed: 3)
      let uri = try await pair.post("Study", study, type: "image/png")
      let (post, picture, decision) = try await pair.arrived(uri)
      #expect(decision.verdict == verdict)
      #expect(decision.reasons.map(\.code) == [.score])
      #expect(decision.assessment.verdict == .likely)
      #expect(picture.state == (verdict == .label ? .ready : .held))

      // What a follower is told: the layer, its words, the appeal; a card in the place of what is held.
      let shown = try await pair.shown(post.id)
      let layer = try #require(shown["ai_assessment"]?["layers"]?.array?.last)
      #expect(layer["detector"]?.string == "http.test")
      #expect(layer["text"]?.string?.contains("not proof") == true)
      #expect(layer["human_per_thousand"]?.string != nil)
      #expect(shown["ai_assessment"]?["appeal_url"]?.string?.contains("/appeals/new?work=") == true)
      #expect(shown["url"]?.string?.contains("placeholder-held") == (verdict == .hold))
      if verdict == .hold { #expect(shown["description"]?.string?.contains("flagged") == true) }

      // Nothing of it is in any public document, on either side.
      let note = try await pair.publicNote(uri)
      for word in ["AiAssessment", "ai_assessment", "falsePositiveRate", "modelDigest", "flagged", "\"score\""] {
        #expect(!note.contains(word), "\(word)")
      }

      // A moderator shows it: every automatic effect is undone.
      try await pair.clear(picture)
      let cleared = try await pair.shown(post.id)
      #expect(cleared["state"]?.string == "ready")
      #expect(cleared["url"]?.string?.contains("/media/") == true)
      #expect(cleared["ai_assessment"]?["score"] == .null)
      #expect(cleared["ai_assessment"]?["evidence"]?.array?.isEmpty == true)
      #expect(cleared["ai_assessment"]?["layers"]?.array?.isEmpty == true)
      #expect(cleared["ai_assessment"]?["verdict"] == "none")

      // The same work again: another post, another address, another encoding.
      let again = try await pair.post("Study, once more", try Study.jpeg(seed: 3), type: "image/jpeg")
      let (_, second, other) = try await pair.arrived(again)
      #expect(second.original != picture.original)
      #expect(other.verdict == .accept)
      #expect(other.facts.isCleared)
      #expect((other.assessment.opinion.score ?? 0) >= 0.995)
      #expect(second.state == .ready)

      // Another work of the same artist is looked at afresh.
      let new = try await pair.post("Another study", try Study.png(seed: 8), type: "image/png")
      #expect(try await pair.arrived(new).2.verdict == verdict)
    }
  }

  @Test(arguments: [Verdict.label, .hold])
  func `the pixel model flags, says why, and its flag is undone for good`(verdict: Verdict) async throws {
    try await ScoredPair.with(outside: false) { pair in
      pair.canvas.services.media.workers.use(model: try Study.suspicious().bytes)
      try await pair.canvas.decide(score: verdict)
      try await pair.meet()
      let (post, picture, decision) = try await pair.arrived(
        try await pair.post("Study", try Study.png(seed: 5), type: "image/png"))
      #expect(decision.verdict == verdict)
      let layer = try #require(try await pair.shown(post.id)["ai_assessment"]?["layers"]?.array?.first)
      #expect(layer["detector"]?.string == "pixels")
      #expect(layer["model"]?.string == "suspicious")
      #expect(layer["text"]?.string?.contains("in 1,000 human-made pictures") == true)
      #expect(layer["groups"]?.array?.count == 3)
      #expect(layer["calibration"]?["images"]?.integer == 400)
      let map = try #require(try await pair.canvas.services.media.heat(of: picture))
      #expect(map.tiles.contains { ($0.score ?? 0) > 0.99 })
      try await pair.clear(picture)
      #expect(try await pair.shown(post.id)["state"]?.string == "ready")
      let (_, second, other) = try await pair.arrived(
        try await pair.post("Once more", try Study.jpeg(seed: 5), type: "image/jpeg"))
      #expect(other.verdict == .accept)
      #expect((other.assessment.opinion.score ?? 0) >= 0.995)
      #expect(second.state == .ready)
    }
  }

  @Test func `a score below the threshold and a silent detector accept, and stay two things`() async throws {
    try await ScoredPair.with { pair in
      try await pair.meet()
      pair.raw.withLock { $0 = .document(["score": 0.4, "model": "m1"]) }
      let (post, _, low) = try await pair.arrived(
        try await pair.post("Low", try Study.png(seed: 1), type: "image/png"))
      #expect(low.verdict == .accept)
      #expect(low.assessment.opinion.score != nil)
      // Strangers are told no number of a picture without a flag.
      let shown = try await pair.shown(post.id)
      #expect(shown["ai_assessment"]?["score"] == .null)
      #expect(shown["ai_assessment"]?["layers"]?.array?.isEmpty == true)
      pair.raw.withLock { $0 = .answer(500) }
      let (_, _, silent) = try await pair.arrived(
        try await pair.post("Silent", try Study.png(seed: 2), type: "image/png"))
      #expect(silent.verdict == .accept)
      let reason = try #require(silent.assessment.layers.last { $0.detector == "http.test" }?.outcome)
      #expect(reason == .noOpinion(reason: "http.status_500"))
    }
  }
}

/// A picture of soft shapes, the same for a seed, that survives another encoding.
enum Study {
  static func samples(seed: Int, width: Int = 360, height: Int = 270) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(width * height * 3)
    for y in 0..<height {
      for x in 0..<width {
        for band in 0..<3 {
          let (u, v) = (Double(x) / Double(width), Double(y) / Double(height))
          let wave =
            sin(u * Double(3 + seed) + Double(band)) + cos(v * Double(5 + seed * 2)) + sin((u + v) * Double(seed * 3))
          // Without grain the picture would be flat to a detector.
          let grain = Double((x &* 7_919 ^ y &* 104_729 ^ band &* 1_299_709) >> 3 & 15) - 8
          out.append(UInt8(max(0, min(255, 128 + wave * 36 + grain))))
        }
      }
    }
    return out
  }

  static func png(seed: Int, width: Int = 360, height: Int = 270) throws -> [UInt8] {
    try picture(seed, width, height).encoded(as: .png, quality: 90)
  }

  static func jpeg(seed: Int, width: Int = 360, height: Int = 270) throws -> [UInt8] {
    try picture(seed, width, height).encoded(as: .jpeg, quality: 82)
  }

  /// A model to which every picture with texture is odder than all of 400 human ones.
  static func suspicious() throws -> DetectorModel {
    let count = FeatureSet.fs1.count
    var weights = [Float](repeating: 0, count: count)
    for place in [0, 12, 18] { weights[place] = 1 }
    let scorer = try LinearScorer(
      means: [Float](repeating: -1_000, count: count), scales: [Float](repeating: 1, count: count), weights: weights,
      bias: 10, bound: 2, featureCount: count)
    let calibration = try #require(
      Calibration(margins: (0..<400).map { Double($0) / 400 }, images: 400, sources: 20))
    return try DetectorModel(
      card: try ModelCard(name: "suspicious", version: "1", date: "2026-11-21"), featureSet: .fs1,
      components: [.init(.linear(scorer))], calibration: calibration)
  }

  private static func picture(_ seed: Int, _ width: Int, _ height: Int) throws -> Picture {
    guard case .ready = ImagingLibrary.start() else { throw CasePicture.Unknown(name: "no libvips") }
    return try Picture.from(
      samples: samples(seed: seed, width: width, height: height), width: width, height: height, bands: 3)
  }
}

/// paper.test with alice; canvas.test with berta, mo the moderator, and a calibrated detector behind an address.
final class ScoredPair: Sendable {
  let world: TestWorld
  let paper: TestInstance
  let canvas: TestInstance
  let alice: Resident
  let berta: Resident
  let mo: Resident
  let raw: Mutex<WireReply>
  private let peer: FakePeer

  private final class Script: Sendable {
    let owner = Mutex<ScoredPair?>(nil)
  }

  private init(outside: Bool) async throws {
    let world = try TestWorld()
    self.world = world
    raw = Mutex(.document(["score": 0.99, "model": "m1"]))
    let script = Script()
    peer = try await FakePeer { _ in
      script.owner.withLock { $0 }?.raw.withLock { $0 } ?? .answer(500)
    }
    world.internet.name("detector.peers.test", ["45.0.0.70"])
    world.internet.lead("45.0.0.70", to: peer.port)
    paper = try await TestInstance("paper.test", in: world, address: "45.0.0.8", listensTLS: true) {
      // So that a stranger's view of a note can be read here as it is.
      $0.authorizedFetch = .off
    }
    // 400 human pictures, none of which got more than 0.9.
    let humans = (0..<400).map { Double($0) / 400 * 0.9 }
    guard let url = IRI("https://detector.peers.test/score"),
      let calibration = RawCalibration(
        detector: "http.test", model: "m1", date: "2026-11-21", raw: humans, sources: 20)
    else { throw CasePicture.Unknown(name: "calibration") }
    let folder = "\(world.folder)/canvas.test/detectors"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(calibration.json.bytes).write(to: URL(fileURLWithPath: folder + "/http.test.calibration.json"))
    canvas = try await TestInstance("canvas.test", in: world, address: "45.0.0.9", listensTLS: true) {
      $0.httpDetector = outside ? HTTPDetector.Settings(url: url, name: "test") : nil
    }
    alice = try await paper.resident("alice")
    berta = try await canvas.resident("berta")
    mo = try await canvas.resident("mo", role: .moderator)
    script.owner.withLock { $0 = self }
  }

  static func with(outside: Bool = true, _ body: (ScoredPair) async throws -> Void) async throws {
    let pair = try await ScoredPair(outside: outside)
    let result: Result<Void, any Error>
    do { result = .success(try await body(pair)) } catch { result = .failure(error) }
    try await pair.paper.stop()
    try await pair.canvas.stop()
    await pair.peer.stop()
    pair.world.remove()
    try result.get()
  }

  func meet() async throws {
    let search = try await canvas.api(
      "GET", "/api/v2/search?q=@alice@paper.test&resolve=true&type=accounts", as: berta)
    let id = try #require(search.json?["accounts"]?.array?.first?["id"]?.string, "\(search.status) \(search.text)")
    let answer = try await canvas.api("POST", "/api/v1/accounts/\(id)/follow", as: berta)
    try #require(answer.status == 200, "\(answer.text)")
    let followed = try await canvas.eventually { tx in
      try tx.first("SELECT state FROM follows")?.string("state") == "accepted" ? true : nil
    }
    try #require(followed == true, "the follow was not accepted")
  }

  /// The address of a new post of alice with one picture.
  func post(_ text: String, _ bytes: [UInt8], type: String) async throws -> IRI {
    let upload = try await paper.upload(bytes, type: type, alt: "A study", as: alice)
    try #require(upload.status == 200, "\(upload.text)")
    let media = try #require(upload.json?["id"]?.string)
    let answer = try await paper.api(
      "POST", "/api/v1/statuses", as: alice,
      json: ["status": .string(text), "visibility": "public", "media_ids": [.string(media)]])
    return try #require(answer.json?["uri"]?.string.flatMap { IRI($0) }, "\(answer.text)")
  }

  func arrived(_ uri: IRI) async throws -> (Post, Model.Attachment, DecisionRecord) {
    let found = try await canvas.eventually { tx -> (Post, Model.Attachment, DecisionRecord)? in
      guard let post = try tx.post(uri: uri), let picture = try tx.attachments(of: [post.id])[post.id]?.first,
        picture.state != .waiting, let decision = try tx.decisions(on: [picture.id])[picture.id]
      else { return nil }
      return (post, picture, decision)
    }
    return try #require(found)
  }

  /// The picture of a post as berta's client gets it.
  func shown(_ id: Post.ID) async throws -> JSON {
    let answer = try await canvas.api("GET", "/api/v1/statuses/\(id)", as: berta)
    return try #require(answer.json?["media_attachments"]?.array?.first, "\(answer.text)")
  }

  func publicNote(_ uri: IRI) async throws -> String {
    let answer = try await paper.client.request(
      "GET", uri.pathAndQuery, host: "paper.test", headers: [("Accept", "application/activity+json")])
    try #require(answer.status == 200, "\(answer.text)")
    return answer.text
  }

  func clear(_ picture: Model.Attachment) async throws {
    let context = canvas.services.context
    let moderator = mo.account
    try await canvas.database.write { tx in
      guard let picture = try tx.attachment(picture.id) else { throw OperationFailure.notFound }
      try tx.decide(.accept, on: picture, sentence: "", by: moderator, in: context)
    }
  }
}

extension TestInstance {
  /// A second revision of the policy, with another answer to scores.
  func decide(score verdict: Verdict) async throws {
    var draft = PolicyDocument.standard.draft
    draft.score = verdict.rawValue
    draft.acceptsFalseRefusals = verdict > .label
    let document = try PolicyDocument(draft)
    let context = services.context
    try await database.write { tx in
      _ = try tx.changePolicy(to: document, from: 1, note: "A test", by: nil, in: context)
    }
  }
}
