import Policy
import Primitives
import Synchronization
import Transport

/// A number that a detector from outside gave a picture, before any calibration: comparable only within one model.
package struct RawScore: Hashable, Sendable {
  package let value: Double
  /// As the detector names what it answered with; letters, digits and marks of ASCII only.
  package let model: String

  package init(value: Double, model: String) {
    self.value = value
    self.model = model
  }
}

/// What a detector from outside answers. Why there is no number is said as a stable code.
package enum RawAnswer: Hashable, Sendable {
  case scored(RawScore)
  case none(reason: String)
}

/// What `calibrate` runs over the human pictures of a place: any detector whose numbers mean nothing by themselves.
///
/// It is given a whole file, and always the stripped copy that the worker makes (`MediaOptions.makesStrippedCopy`):
/// pixels to the last bit, without places, names and serial numbers. Calibration and decisions must take this same
/// path, or a score is measured against something else than it is compared with.
package protocol RawDetector: Sendable {
  /// 1...40 of a-z, 0-9 and `-`, behind its kind: `http.vendor`.
  var name: String { get }
  func rawScore(of bytes: [UInt8], mediaType: String) async -> RawAnswer
  /// Call once, when nothing more will be asked.
  func close() async
}

/// A detector behind an address that an operator chose: it is sent the picture and answers
/// `{"score": 0...1, "model": "..."}`.
///
/// The picture leaves this instance, so it is off by default and announced wherever the policy is. No redirect is
/// followed: the operator named one place. Whatever goes wrong is no opinion; it never delays a picture by more than
/// the timeout, and a detector that keeps failing is left in peace.
package final class HTTPDetector: RawDetector {
  package struct Settings: Hashable, Sendable {
    package var url: IRI
    package var name: String
    package var timeout: Duration

    package init(url: IRI, name: String, timeout: Duration = .seconds(10)) {
      self.url = url
      self.name = name
      self.timeout = timeout
    }

    /// For operators at the start, in `doctor` and on the page about the policy.
    package var privacyNotice: String {
      "Every picture that is looked at here, members' own and those of others, is also sent to \(url.host.text) "
        + "(detector http.\(name)). It leaves this instance."
    }
  }

  package let settings: Settings
  private let client: GuardedClient
  private let time: TimeSource
  private let breaker = Mutex(CircuitBreaker())

  package init(_ settings: Settings, client: GuardedClient, time: TimeSource) {
    self.settings = settings
    self.client = client
    self.time = time
  }

  package var name: String { "http.\(settings.name)" }

  package func close() async { await client.shutDown() }

  package func rawScore(of bytes: [UInt8], mediaType: String) async -> RawAnswer {
    let now = time.now()
    guard breaker.withLock({ $0.state(at: now) }) != .open else { return .none(reason: "http.resting") }
    let url = settings.url
    let request = OutgoingRequest(
      url: url, headers: [HeaderField("accept", "application/json"), HeaderField("content-type", mediaType)],
      body: bytes, maximumResponse: Limits.detectorAnswer, deadline: settings.timeout,
      prepare: { target in
        guard target.url == url.withoutFragment else { throw Elsewhere() }
        return []
      })
    do {
      let response = try await client.post(request)
      guard response.isSuccess else { return fail("http.status_\(response.status)", isOurs: response.status < 500) }
      breaker.withLock { $0.succeed() }
      return Self.read(response.body)
    } catch .notPrepared, .badRedirect, .tooManyRedirects {
      return fail("http.redirect")
    } catch {
      return fail(error.code.replacing("fetch.", with: "http."))
    }
  }

  private struct Elsewhere: Error {}

  /// - Parameter isOurs: it answered, and what we sent was the matter.
  private func fail(_ reason: String, isOurs: Bool = false) -> RawAnswer {
    if !isOurs { _ = breaker.withLock { $0.fail(at: time.now()) } }
    return .none(reason: reason)
  }

  /// Strict: a detector that answers loosely is not guessed at.
  static func read(_ body: [UInt8]) -> RawAnswer {
    let answer: JSON
    do { answer = try JSON(parsing: body) } catch { return .none(reason: "http.not_json") }
    guard let score = answer["score"], score.double != nil else { return .none(reason: "http.no_score") }
    guard let value = score.double, value.isFinite, (0...1).contains(value) else {
      return .none(reason: "http.out_of_range")
    }
    let model = (answer["model"]?.string ?? "").unicodeScalars.prefix(Limits.detectorName)
      .filter { ("!"..."~").contains($0) }
    return .scored(RawScore(value: value, model: model.isEmpty ? "unnamed" : String(String.UnicodeScalarView(model))))
  }
}

/// A detector from outside with the calibration that was made for it here, if there is one.
package struct CalibratedDetector: Sendable {
  package let detector: any RawDetector
  package let calibration: RawCalibration?

  package init(_ detector: any RawDetector, calibration: RawCalibration?) {
    self.detector = detector
    self.calibration = calibration.flatMap { $0.detector == detector.name ? $0 : nil }
  }

  package var isCalibrated: Bool { calibration != nil }

  /// For the admin who sets a threshold.
  package var basis: DetectorBasis? {
    calibration.map {
      DetectorBasis(
        name: "\($0.detector), model \($0.model) of \($0.date)", images: $0.images, sources: $0.sources)
    }
  }

  /// Never a raw number: without a calibration for exactly this model there is no opinion.
  package func opinion(of copy: [UInt8]?, mediaType: String?) async -> LayerOpinion {
    // Nothing is sent away for an answer that could not be used.
    guard let calibration else { return silent("detector.uncalibrated", model: "unknown") }
    guard let bytes = copy, let mediaType else { return silent("http.unsupported", model: calibration.model) }
    guard bytes.count <= Limits.detectorUpload else {
      return silent("http.picture_too_large", model: calibration.model)
    }
    switch await detector.rawScore(of: bytes, mediaType: mediaType) {
    case .none(let reason):
      return silent(reason, model: calibration.model)
    case .scored(let raw) where raw.model != calibration.model:
      return silent("detector.model_changed", model: raw.model)
    case .scored(let raw):
      guard let score = calibration.score(raw.value) else {
        return silent("http.out_of_range", model: raw.model)
      }
      return layer(.scored(score), model: raw.model)
    }
  }

  private func silent(_ reason: String, model: String) -> LayerOpinion {
    layer(.noOpinion(reason: reason), model: model)
  }

  private func layer(_ outcome: LayerOpinion.Outcome, model: String) -> LayerOpinion {
    LayerOpinion(
      detector: detector.name, model: model, version: "", date: calibration?.date ?? "", outcome: outcome,
      calibration: .init(images: calibration?.images ?? 0, sources: calibration?.sources ?? 0))
  }
}

extension Assessment {
  /// The same findings with one more voice, combined anew: another detector must not make accusations more frequent.
  package func heard(_ layer: LayerOpinion) -> Assessment {
    guard verdict != .notAnalysed else { return self }
    return Assessment(
      evidence: evidence, layers: layers + [layer], detector: "\(detector)+\(layer.detector)/\(layer.model)")
  }
}

extension Limits {
  /// Bytes of a picture that is sent to a detector from outside.
  package static let detectorUpload = 20 << 20
  /// Bytes of the answer of a detector from outside.
  package static let detectorAnswer = 65_536
  /// Bytes of the file that holds the calibration of one.
  package static let calibrationFile = 1 << 20
}
