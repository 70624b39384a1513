import Forensics
import Primitives

/// A model from outside that runs here, in worker processes of its own: no picture leaves this instance.
///
/// A worker opens the model for each picture anew, because it is thrown away with the picture; for a model of some
/// megabytes that is tens of milliseconds.
package final class OnnxDetector: RawDetector {
  private let model: OutsideModel
  private let file: [UInt8]
  private let workers: WorkerPool

  /// - Parameters:
  ///   - file: The bytes of the model's file. They are checked against the pinned digest in the worker.
  ///   - library: Where onnxruntime is.
  package init(_ model: OutsideModel, file: [UInt8], library: String, program: WorkerProcess.Program, width: Int) {
    self.model = model
    self.file = file
    workers = WorkerPool(
      .init(program: program, width: width, bounds: .init(memory: 2 << 30, cpuSeconds: 30, onnxLibrary: library)))
  }

  package var name: String { "onnx.\(model.name)" }

  package func close() async { workers.close() }

  package func rawScore(of bytes: [UInt8], mediaType: String) async -> RawAnswer {
    do {
      let margin = try await workers.classify(bytes, by: model, file: file)
      return .scored(RawScore(value: margin, model: String(model.digest.prefix(12))))
    } catch let refusal as MediaRefusal {
      return .none(reason: refusal.code)
    } catch {
      return .none(reason: MediaRefusal.crashed.code)
    }
  }
}
