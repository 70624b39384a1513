import CSandbox
import Foundation
import Primitives

/// The child process that reads pictures. It starts, loads libvips, gives up every right it does not need, says so,
/// and only then accepts bytes. It ends when its input does.
package enum MediaWorker {
  /// How a worker is limited; given on its command line by `arguments`.
  package struct Bounds: Hashable, Sendable {
    /// Of address space, beyond what the program itself takes.
    package var memory: Int
    /// Seconds of processor time over the worker's whole life.
    package var cpuSeconds: Int
    package var jobs: Int
    /// Where onnxruntime is, for a worker that asks a model from outside.
    package var onnxLibrary: String?

    package init(memory: Int = 1_536 << 20, cpuSeconds: Int = 20, jobs: Int = 1, onnxLibrary: String? = nil) {
      self.memory = memory
      self.cpuSeconds = cpuSeconds
      self.jobs = jobs
      self.onnxLibrary = onnxLibrary
    }

    package var arguments: [String] {
      [String(memory), String(cpuSeconds), String(jobs)] + [onnxLibrary].compactMap { $0 }
    }

    package init?(arguments: [String]) {
      let numbers = arguments.prefix(3).compactMap { Int($0) }
      guard (3...4).contains(arguments.count), numbers.count == 3, numbers.allSatisfy({ $0 >= 1 }) else { return nil }
      self.init(
        memory: numbers[0], cpuSeconds: numbers[1], jobs: numbers[2],
        onnxLibrary: arguments.count == 4 ? arguments[3] : nil)
    }
  }

  /// Runs to the end of its input. `arguments` are those of `Bounds`, or none for the defaults. Returns the exit status.
  package static func main(arguments: [String] = []) -> Int32 {
    guard let bounds = arguments.isEmpty ? Bounds() : Bounds(arguments: arguments) else { return 64 }
    // A refusal here is no reason to stop: the filter denies every socket anyway.
    _ = cs_leave_network()
    guard case .ready(let version) = ImagingLibrary.start() else {
      return send(.cannotStart(.notInstalled), []) ? 69 : 74
    }
    warmUp()
    // Before the lock and the limit on memory, like every library.
    var detector = shippedDetector()
    // Without it a model from outside answers that it is not installed.
    if let library = bounds.onnxLibrary { _ = OnnxRuntime.start(library: library) }
    if let failure = lock(bounds) {
      let refusal = MediaRefusal(
        code: "worker.unsafe", text: "The media worker could not be locked down (error \(failure)).")
      return send(.cannotStart(refusal), []) ? 71 : 74
    }
    guard send(.ready(version: version), []) else { return 74 }
    var jobs = bounds.jobs
    while jobs > 0 {
      do {
        guard let (request, blobs) = try WorkerFrame.decode(WorkerRequest.self, read: read) else { return 0 }
        if case .useModel = request {
          guard send(use(blobs.first ?? [], &detector), []) else { return 74 }
          continue
        }
        jobs -= 1
        let (answer, files) = perform(request, blobs, detector)
        guard send(answer, files) else { return 74 }
      } catch {
        return 65
      }
    }
    return 0
  }

  /// A program without a usable model still reads pictures and finds evidence.
  private static func shippedDetector() -> PixelDetector? {
    do {
      return PixelDetector(model: try DetectorModel.shipped())
    } catch {
      return nil
    }
  }

  private static func use(_ bytes: [UInt8], _ detector: inout PixelDetector?) -> WorkerAnswer {
    do {
      detector = PixelDetector(model: try DetectorModel(reading: bytes))
      return .usingModel
    } catch {
      return .refused(MediaRefusal(code: error.code, text: error.text))
    }
  }

  private static func perform(
    _ request: WorkerRequest, _ blobs: [[UInt8]], _ detector: PixelDetector?
  ) -> (WorkerAnswer, [[UInt8]]) {
    switch request {
    case .useModel: return (.usingModel, [])
    case .process(let options):
      do {
        let made = try MediaWork.process(blobs.first ?? [], options, detector: detector)
        return (.done(made.report), made.files)
      } catch {
        return (.refused(error), [])
      }
    case .classify(let model):
      do {
        return (.classified(try MediaWork.margin(of: blobs.first ?? [], by: model, file: blobs.last ?? [])), [])
      } catch {
        return (.refused(error), [])
      }
    case .measure(let options):
      do {
        let (measured, numbers) = try MediaWork.measure(blobs.first ?? [], options)
        return (.measured(measured), [numbers])
      } catch {
        return (.refused(error), [])
      }
    case .draw(let heat):
      do {
        return (.drawn, [try MediaWork.draw(heat, over: blobs.first ?? [])])
      } catch {
        return (.refused(error), [])
      }
    case .attemptEscape:
      let tried = cs_try_everything()
      return (
        .escapes(
          SandboxProof(
            openForReading: tried.open_read, openForWriting: tried.open_write, openSocket: tried.socket,
            openUnixSocket: tried.connect_unix, execute: tried.exec, fork: tried.fork, trace: tried.ptrace,
            signal: tried.kill, raiseLimit: tried.raise_limit, executableMemory: tried.executable_memory)), []
      )
    }
  }

  /// Every format once through decoder and encoder, so that nothing is loaded or looked up by name after the lock.
  private static func warmUp() {
    do {
      let dots = try Picture.from(samples: [UInt8](repeating: 90, count: 8 * 8 * 4), width: 8, height: 8, bands: 4)
      for format in [ImageFormat.png, .webp] {
        _ = try Picture.decode(try dots.encoded(as: format, quality: 80), as: format).resized(width: 4, height: 4)
      }
      let jpeg = try dots.overWhite().encoded(as: .jpeg, quality: 80)
      _ = try Picture.decode(jpeg, as: .jpeg).inSRGB()
      _ = try JSONDecoder().decode(MediaOptions.self, from: try JSONEncoder().encode(MediaOptions()))
    } catch {
      // What fails here fails again with the first picture, where there is somebody to tell.
    }
  }

  private static func lock(_ bounds: Bounds) -> Int32? {
    let used = addressSpaceInUse()
    let limits = cs_limit(UInt64(used + bounds.memory), UInt64(bounds.cpuSeconds), 8)
    if limits != 0 { return limits }
    let locked = cs_lock()
    return locked == 0 ? nil : locked
  }

  /// Libraries and thread stacks reserve what they never touch; a limit on the sum alone would be a guess.
  private static func addressSpaceInUse() -> Int {
    guard let text = FileManager.default.contents(atPath: "/proc/self/statm"),
      let pages = String(decoding: text, as: UTF8.self).split(separator: " ").first.flatMap({ Int($0) }),
      pages < 1 << 36
    else { return 4 << 30 }
    return pages * 4_096
  }

  private static func read(_ count: Int) throws -> [UInt8]? {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let n = Glibc.read(0, buffer.baseAddress?.advanced(by: filled), count - filled)
        if n < 0, errno == EINTR { continue }
        guard n > 0 else {
          failed = true
          return
        }
        filled += n
      }
    }
    if failed, bytes.isEmpty { return nil }
    guard !failed else { throw WorkerFailure.ended }
    return bytes
  }

  private static func send(_ answer: WorkerAnswer, _ blobs: [[UInt8]]) -> Bool {
    do {
      for part in try WorkerFrame.encode(answer, blobs) {
        var sent = 0
        while sent < part.count {
          let n = part.withUnsafeBytes { Glibc.write(1, $0.baseAddress?.advanced(by: sent), part.count - sent) }
          if n < 0, errno == EINTR { continue }
          guard n > 0 else { return false }
          sent += n
        }
      }
      return true
    } catch {
      return false
    }
  }
}
