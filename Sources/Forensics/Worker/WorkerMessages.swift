import Foundation
import Primitives

/// What goes between the server and a worker. A frame is a count of head bytes, a count of blobs, the length of each
/// blob (all 32-bit, big-endian), the JSON head, the blobs.
enum WorkerRequest: Codable, Sendable {
  /// Another model than the shipped one for all that follows; its file is the one blob. Counts as no job.
  case useModel
  case process(MediaOptions)
  /// What a model from outside says of the first blob; its file is the second.
  case classify(OutsideModel)
  /// Numbers for calibration and training, and nothing else.
  case measure(MeasuringOptions)
  /// Lays the heat over the picture.
  case draw(PixelHeat)
  /// What the worker could still do if a decoder were taken over.
  case attemptEscape
}

enum WorkerAnswer: Codable, Sendable {
  /// Sent once, when the worker is locked and waiting.
  case ready(version: String)
  case cannotStart(MediaRefusal)
  case done(MediaReport)
  case measured(MeasuredPicture)
  /// The one blob is a PNG.
  case drawn
  case refused(MediaRefusal)
  case escapes(SandboxProof)
  case usingModel
  /// The margin of `OnnxClassifier`.
  case classified(Double)
}

/// The error number of each attempt from inside a locked worker; 0 is an attempt that worked.
package struct SandboxProof: Codable, Hashable, Sendable {
  package var openForReading: Int32
  package var openForWriting: Int32
  package var openSocket: Int32
  package var openUnixSocket: Int32
  package var execute: Int32
  package var fork: Int32
  package var trace: Int32
  package var signal: Int32
  package var raiseLimit: Int32
  /// Must be 0: libvips' ORC writes machine code.
  package var executableMemory: Int32

  package var isTight: Bool {
    ![openForReading, openForWriting, openSocket, openUnixSocket, execute, fork, trace, signal, raiseLimit].contains(0)
  }
}

extension Limits {
  /// The head of a frame in either direction.
  static let workerHead = 1 << 20
  static let workerBlobs = 8
  /// All blobs of one frame: an upload, or the four files made from it.
  static let workerFrame = 96 << 20
}

enum WorkerFrame {
  static func encode(_ message: some Encodable, _ blobs: [[UInt8]]) throws -> [[UInt8]] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    let head = try encoder.encode(message)
    var start = number(head.count) + number(blobs.count)
    for blob in blobs { start += number(blob.count) }
    return [start + head] + blobs
  }

  /// Nil at the end of the stream. `read` returns exactly the count asked for, or nil.
  static func decode<Message: Decodable>(
    _ type: Message.Type, read: (Int) throws -> [UInt8]?
  ) throws -> (Message, [[UInt8]])? {
    guard let start = try read(8) else { return nil }
    guard let headLength = start[...].number32(0), headLength <= Limits.workerHead,
      let count = start[...].number32(4), count <= Limits.workerBlobs, let table = try read(count * 4)
    else { throw WorkerFailure.protocolBroken }
    let lengths = (0..<count).compactMap { table[...].number32($0 * 4) }
    guard lengths.reduce(0, +) <= Limits.workerFrame, let head = try read(headLength) else {
      throw WorkerFailure.protocolBroken
    }
    // Strictly first: a worker that was taken over writes what it likes.
    _ = try JSON(parsing: head)
    let message = try JSONDecoder().decode(type, from: Data(head))
    var blobs: [[UInt8]] = []
    for length in lengths {
      guard let blob = try read(length) else { throw WorkerFailure.protocolBroken }
      blobs.append(blob)
    }
    return (message, blobs)
  }

  private static func number(_ value: Int) -> [UInt8] {
    let bits = UInt32(clamping: value)
    return [UInt8(bits >> 24 & 0xFF), UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
  }
}

enum WorkerFailure: Error {
  case protocolBroken
  case ended
  case deadline
  case cannotStart(Int32)
}
