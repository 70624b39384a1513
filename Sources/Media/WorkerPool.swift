import Forensics
import Foundation
import Primitives
import Synchronization

/// Reads pictures in throw-away processes. Blocking work happens on the pool's own threads, one for each worker; callers
/// suspend. A worker that crashes, hangs or answers nonsense costs its one job.
package final class WorkerPool: Sendable {
  package struct Settings: Sendable {
    package var program: WorkerProcess.Program
    /// Workers at a time.
    package var width: Int
    /// Jobs that may wait beyond those being worked on.
    package var queue: Int
    /// Wall clock for one job.
    package var deadline: Duration
    /// Wall clock for a worker to start and lock itself.
    package var startDeadline: Duration
    /// Jobs before a worker is thrown away, memory, processor time of its life.
    package var bounds: MediaWorker.Bounds

    package init(
      program: WorkerProcess.Program = .ourselves, width: Int = 1, queue: Int = 64, deadline: Duration = .seconds(30),
      startDeadline: Duration = .seconds(20), bounds: MediaWorker.Bounds = MediaWorker.Bounds()
    ) {
      self.program = program
      self.width = max(1, width)
      self.queue = max(0, queue)
      self.deadline = deadline
      self.startDeadline = startDeadline
      self.bounds = bounds
    }
  }

  /// Counts since the start, for `doctor` and the metrics page.
  package struct Counts: Hashable, Sendable {
    package var started = 0
    package var done = 0
    package var refused = 0
    package var crashed = 0
    package var timedOut = 0
    package var turnedAway = 0
  }

  private enum Work: Sendable {
    case process([UInt8], MediaOptions, @Sendable (Result<ProcessedMedia, any Error>) -> Void)
    case classify([UInt8], OutsideModel, [UInt8], @Sendable (Result<Double, any Error>) -> Void)
    case measure([UInt8], MeasuringOptions, @Sendable (Result<MeasuredFeatures, any Error>) -> Void)
    case draw(PixelHeat, [UInt8], @Sendable (Result<[UInt8], any Error>) -> Void)
    case prove(@Sendable (Result<SandboxProof, any Error>) -> Void)
  }

  private struct State {
    var waiting: [Work] = []
    var busy = 0
    var isClosed = false
    /// The file of the pixel model in use; nil for the shipped one.
    var model: [UInt8]?
    var counts = Counts()
  }

  private let settings: Settings
  private let state = Mutex(State())
  /// Guards nothing: the state has its own lock. Threads without a job sleep on it.
  private let arrival = NSCondition()

  package init(_ settings: Settings = Settings()) {
    self.settings = settings
    for index in 0..<settings.width {
      // The threads hold the pool until `close`.
      let thread = Thread { [self] in run() }
      thread.name = "media-\(index)"
      thread.start()
    }
  }

  package var counts: Counts { state.withLock { $0.counts } }

  /// Throws `MediaRefusal`: the picture's fault (`image.…`), the worker's (`worker.crashed`, `worker.timeout`), or the
  /// moment's (`worker.busy`, `imaging.not_installed`).
  package func process(_ bytes: [UInt8], _ options: MediaOptions = MediaOptions()) async throws -> ProcessedMedia {
    try await withCheckedThrowingContinuation { continuation in
      submit(.process(bytes, options) { continuation.resume(with: $0) }) { continuation.resume(throwing: $0) }
    }
  }

  /// The model for every picture from now on, as the bytes of its file; nil for the one that comes with the program.
  /// The caller has read it once: a picture whose worker refuses the model is refused with the model's code.
  package func use(model: [UInt8]?) { state.withLock { $0.model = model } }

  /// What a model from outside says of a picture: only its rank among human pictures means anything. For a pool whose
  /// bounds name the library. Throws `MediaRefusal`, also with the codes of `OutsideModelFailure`.
  package func classify(_ bytes: [UInt8], by model: OutsideModel, file: [UInt8]) async throws -> Double {
    try await withCheckedThrowingContinuation { continuation in
      submit(.classify(bytes, model, file) { continuation.resume(with: $0) }) { continuation.resume(throwing: $0) }
    }
  }

  /// The features of a picture, for calibration and training. Throws as `process` does.
  package func measure(_ bytes: [UInt8], _ options: MeasuringOptions) async throws -> MeasuredFeatures {
    try await withCheckedThrowingContinuation { continuation in
      submit(.measure(bytes, options) { continuation.resume(with: $0) }) { continuation.resume(throwing: $0) }
    }
  }

  /// The heat of a picture laid over it, as PNG. Throws as `process` does.
  package func draw(_ heat: PixelHeat, over bytes: [UInt8]) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      submit(.draw(heat, bytes) { continuation.resume(with: $0) }) { continuation.resume(throwing: $0) }
    }
  }

  /// What a worker could still do if a decoder in it were taken over: for `doctor`.
  package func proveSandbox() async throws -> SandboxProof {
    try await withCheckedThrowingContinuation { continuation in
      submit(.prove { continuation.resume(with: $0) }) { continuation.resume(throwing: $0) }
    }
  }

  /// Lets running jobs end, turns waiting and new ones away, ends the workers.
  package func close() {
    let left = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for work in left { fail(work, MediaRefusal.busy) }
    arrival.lock()
    arrival.broadcast()
    arrival.unlock()
  }

  private func submit(_ work: Work, turnedAway: (MediaRefusal) -> Void) {
    let accepted = state.withLock { state in
      guard !state.isClosed, state.waiting.count + state.busy < settings.queue + settings.width else {
        state.counts.turnedAway += 1
        return false
      }
      state.waiting.append(work)
      return true
    }
    guard accepted else { return turnedAway(.busy) }
    arrival.lock()
    arrival.signal()
    arrival.unlock()
  }

  private func run() {
    var worker = start()
    while let work = next() {
      if worker?.isAlive != true { worker = start() }
      perform(work, &worker)
      // The next worker loads libvips while nobody waits for it.
      if worker == nil, state.withLock({ !$0.isClosed }) { worker = start() }
    }
    worker?.end()
  }

  /// Waits for a job; nil after `close`.
  private func next() -> Work? {
    arrival.lock()
    defer { arrival.unlock() }
    while true {
      let (work, isClosed) = state.withLock { state -> (Work?, Bool) in
        guard !state.waiting.isEmpty else { return (nil, state.isClosed) }
        state.busy += 1
        return (state.waiting.removeFirst(), false)
      }
      if work != nil || isClosed { return work }
      arrival.wait()
    }
  }

  private func start() -> WorkerProcess? {
    do {
      let worker = try WorkerProcess(settings.program, bounds: settings.bounds)
      state.withLock { $0.counts.started += 1 }
      return worker
    } catch {
      return nil
    }
  }

  private func perform(_ work: Work, _ worker: inout WorkerProcess?) {
    guard let current = worker else {
      leave { $0.crashed += 1 }
      fail(work, MediaRefusal.crashed)
      return
    }
    do {
      try current.awaitReady(deadline: WorkerProcess.deadline(in: settings.startDeadline))
      let deadline = WorkerProcess.deadline(in: settings.deadline)
      switch work {
      case .process(let bytes, let options, let answer):
        if let model = state.withLock({ $0.model }) { try current.use(model: model, deadline: deadline) }
        let media = try current.process(bytes, options, deadline: deadline)
        leave { $0.done += 1 }
        answer(.success(media))
      case .classify(let bytes, let model, let file, let answer):
        let margin = try current.classify(bytes, by: model, file: file, deadline: deadline)
        leave { $0.done += 1 }
        answer(.success(margin))
      case .measure(let bytes, let options, let answer):
        let features = try current.measure(bytes, options, deadline: deadline)
        leave { $0.done += 1 }
        answer(.success(features))
      case .draw(let heat, let bytes, let answer):
        let png = try current.draw(heat, over: bytes, deadline: deadline)
        leave { $0.done += 1 }
        answer(.success(png))
      case .prove(let answer):
        let proof = try current.attemptEscape(deadline: deadline)
        leave { $0.done += 1 }
        answer(.success(proof))
      }
      if current.jobsLeft > 0 { return }
    } catch {
      let refusal = error as? MediaRefusal ?? .crashed
      let isPictures = refusal.code.hasPrefix("image.")
      leave {
        if isPictures { $0.refused += 1 } else if refusal == .timeout { $0.timedOut += 1 } else { $0.crashed += 1 }
      }
      fail(work, refusal)
      if isPictures, current.jobsLeft > 0 { return }
    }
    current.end()
    worker = nil
  }

  /// Before the caller is answered, so that a caller who answers at once with another job finds the place free.
  private func leave(_ count: (inout Counts) -> Void) {
    state.withLock { state in
      state.busy -= 1
      count(&state.counts)
    }
  }

  private func fail(_ work: Work, _ refusal: MediaRefusal) {
    switch work {
    case .process(_, _, let answer): answer(.failure(refusal))
    case .classify(_, _, _, let answer): answer(.failure(refusal))
    case .measure(_, _, let answer): answer(.failure(refusal))
    case .draw(_, _, let answer): answer(.failure(refusal))
    case .prove(let answer): answer(.failure(refusal))
    }
  }
}
