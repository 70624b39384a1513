import CSandbox
import Foundation
import Primitives

/// The server's end of one worker. For one thread at a time, and never for a thread of the cooperative pool: every call
/// blocks until its deadline.
package final class WorkerProcess {
  package struct Program: Hashable, Sendable {
    package var path: String
    /// Before those of the bounds.
    package var arguments: [String]

    package init(path: String, arguments: [String]) {
      self.path = path
      self.arguments = arguments
    }

    /// This very file, even when it was replaced on disk since the start.
    package static let ourselves = Program(path: "/proc/self/exe", arguments: ["media-worker"])
  }

  private let process: pid_t
  private let input: Int32
  private let output: Int32
  private var isReaped = false
  package private(set) var jobsLeft: Int
  /// Of libvips, once the worker is ready.
  package private(set) var version: String?
  /// The file of the model in use, where it is not the shipped one.
  private var model: [UInt8]?

  /// Starts a worker; it loads and locks itself while the caller does other things.
  package init(_ program: Program, bounds: MediaWorker.Bounds) throws {
    let arguments = ["atelier"] + program.arguments + bounds.arguments
    var process: pid_t = 0
    var input: Int32 = -1
    var output: Int32 = -1
    let status = WorkerProcess.withCStrings(arguments) { argv in
      WorkerProcess.withCStrings(WorkerProcess.environment) { envp in
        cs_spawn(program.path, argv, envp, &process, &input, &output)
      }
    }
    guard status == 0 else { throw WorkerFailure.cannotStart(status) }
    self.process = process
    self.input = input
    self.output = output
    jobsLeft = bounds.jobs
  }

  deinit { end() }

  /// Nothing of the server's: settings there may hold secrets. One backtrace of a hostile picture helps nobody and
  /// would start a program. Few arenas, because each reserves address space that is limited.
  private static var environment: [String] {
    var out = ["LANG=C.UTF-8", "SWIFT_BACKTRACE=enable=no", "MALLOC_ARENA_MAX=2"]
    // Where the toolchain's own libraries are found in a development build.
    if let path = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] { out.append("LD_LIBRARY_PATH=" + path) }
    return out
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
      return body(UnsafePointer(base))
    }
  }

  /// Waits until the worker is locked and listening.
  package func awaitReady(deadline: Int64) throws {
    guard version == nil else { return }
    let (answer, _) = try translating { try receive(deadline) }
    switch answer {
    case .ready(let version): self.version = version
    case .cannotStart(let refusal): throw refusal
    case .done, .measured, .drawn, .refused, .escapes, .usingModel, .classified: throw MediaRefusal.crashed
    }
  }

  /// Gives the worker another model than the shipped one. Throws the model's failure as a refusal, `model.…`; the
  /// worker goes on with the model it had.
  package func use(model: [UInt8], deadline: Int64) throws {
    guard model != self.model else { return }
    // Another model is no job.
    jobsLeft += 1
    let (answer, _) = try ask(.useModel, [model], deadline)
    switch answer {
    case .usingModel: self.model = model
    case .refused(let refusal): throw refusal
    case .ready, .cannotStart, .done, .measured, .drawn, .escapes, .classified: throw MediaRefusal.crashed
    }
  }

  package func process(_ bytes: [UInt8], _ options: MediaOptions, deadline: Int64) throws -> ProcessedMedia {
    let (answer, files) = try ask(.process(options), [bytes], deadline)
    switch answer {
    case .done(let report):
      // A worker that was taken over may answer anything: what it says of sizes must be so.
      let copy = options.makesStrippedCopy ? files.dropFirst(report.renditions.count) : []
      guard report.renditions.count + copy.count == files.count, copy.count <= 1,
        copy.allSatisfy({ ImageFormat.sniff($0) == report.header.format }),
        zip(report.renditions, files).allSatisfy({ $0.byteCount == $1.count && ImageFormat.sniff($1) == $0.format })
      else { throw MediaRefusal.crashed }
      return ProcessedMedia(report: report, files: files)
    case .refused(let refusal): throw refusal
    case .ready, .cannotStart, .measured, .drawn, .escapes, .usingModel, .classified: throw MediaRefusal.crashed
    }
  }

  /// The margin of a model from outside, in its own worker.
  package func classify(_ bytes: [UInt8], by model: OutsideModel, file: [UInt8], deadline: Int64) throws -> Double {
    let (answer, _) = try ask(.classify(model), [bytes, file], deadline)
    switch answer {
    case .classified(let margin) where margin.isFinite: return margin
    case .refused(let refusal): throw refusal
    case .ready, .cannotStart, .done, .measured, .drawn, .escapes, .usingModel, .classified:
      throw MediaRefusal.crashed
    }
  }

  package func attemptEscape(deadline: Int64) throws -> SandboxProof {
    guard case (.escapes(let proof), _) = try ask(.attemptEscape, [], deadline) else { throw MediaRefusal.crashed }
    return proof
  }

  func ask(
    _ request: WorkerRequest, _ blobs: [[UInt8]], _ deadline: Int64
  ) throws -> (WorkerAnswer, [[UInt8]]) {
    jobsLeft -= 1
    try awaitReady(deadline: deadline)
    return try translating {
      for part in try WorkerFrame.encode(request, blobs) { try write(part, deadline) }
      return try receive(deadline)
    }
  }

  private func translating(
    _ exchange: () throws -> (WorkerAnswer, [[UInt8]])?
  ) throws -> (WorkerAnswer, [[UInt8]]) {
    do {
      guard let answer = try exchange() else { throw MediaRefusal.crashed }
      return answer
    } catch let refusal as MediaRefusal {
      throw refusal
    } catch WorkerFailure.deadline {
      throw MediaRefusal.timeout
    } catch {
      throw MediaRefusal.crashed
    }
  }

  private func receive(_ deadline: Int64) throws -> (WorkerAnswer, [[UInt8]])? {
    try WorkerFrame.decode(WorkerAnswer.self) { try read($0, deadline) }
  }

  private func read(_ count: Int, _ deadline: Int64) throws -> [UInt8]? {
    var failure: WorkerFailure?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let n = cs_read(output, buffer.baseAddress?.advanced(by: filled), count - filled, deadline)
        guard n > 0 else {
          failure = n < 0 && errno == ETIME ? .deadline : .ended
          return
        }
        filled += n
      }
    }
    if let failure {
      if case .ended = failure, bytes.isEmpty { return nil }
      throw failure
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], _ deadline: Int64) throws {
    var sent = 0
    while sent < bytes.count {
      let n = bytes.withUnsafeBytes {
        cs_write(input, $0.baseAddress?.advanced(by: sent), bytes.count - sent, deadline)
      }
      guard n > 0 else { throw errno == ETIME ? WorkerFailure.deadline : WorkerFailure.ended }
      sent += n
    }
  }

  /// Whether it still runs; a worker may be killed for memory while it waits.
  package var isAlive: Bool { !isReaped && cs_is_alive(process) }

  /// Kills it if it still runs, and collects it.
  package func end() {
    guard !isReaped else { return }
    isReaped = true
    close(input)
    close(output)
    _ = cs_reap(process, true)
  }

  /// A deadline for the calls above.
  package static func deadline(in time: Duration) -> Int64 {
    let (seconds, attoseconds) = time.components
    return cs_monotonic_milliseconds() &+ max(0, min(seconds, 86_400)) &* 1_000 &+ attoseconds / 1_000_000_000_000_000
  }
}
