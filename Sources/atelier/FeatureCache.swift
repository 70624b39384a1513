import DetectorTraining
import Forensics
import Foundation
import Primitives
import Synchronization

/// Features of pictures by digest and treatment, in memory and, where there is a home, in a file that only grows.
final class FeatureCache: Sendable {
  struct Key: Hashable, Sendable {
    var digest: [UInt8]
    var treatment: Treatment
  }

  private struct State {
    var records: [Key: FeatureRecord] = [:]
    var file: FileHandle?
  }

  private let state = Mutex(State())

  /// In memory only.
  init() {}

  /// In a file that no other process writes to at the same time.
  init(folder: String, _ set: FeatureSet, crops: Int) throws {
    let path = "\(folder)/features-\(set.rawValue)-\(crops).cache"
    do {
      let before = umask(0o077)
      defer { umask(before) }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Complaint("[detector.cache] \(folder) can not be made.")
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Complaint("[detector.cache] \(path) can not be opened.") }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Complaint("[detector.busy] Another atelier measures pictures here at this moment (\(path)).")
    }
    do {
      let bytes = Array(try file.readToEnd() ?? Data())
      let heading = FeatureRecords.heading(set, crops: crops)
      let (records, whole) = FeatureRecords.decode(bytes, set, crops: crops) ?? ([], 0)
      try file.truncate(atOffset: UInt64(whole))
      try file.seekToEnd()
      if whole == 0 { try file.write(contentsOf: Data(heading)) }
      state.withLock { state in
        for record in records { state.records[Key(digest: record.digest, treatment: record.treatment)] = record }
        state.file = file
      }
    } catch {
      throw Complaint("[detector.cache] \(path) can not be used: \(error)")
    }
  }

  func record(_ digest: [UInt8], _ treatment: Treatment) -> FeatureRecord? {
    state.withLock { $0.records[Key(digest: digest, treatment: treatment)] }
  }

  func add(_ record: FeatureRecord) throws {
    try state.withLock { state in
      state.records[Key(digest: record.digest, treatment: record.treatment)] = record
      do {
        // One write a record: a kill leaves whole records and at most the front of one.
        try state.file?.write(contentsOf: Data(FeatureRecords.encode(record)))
      } catch {
        throw Complaint("[detector.cache] The features can not be kept; the disk may be full.")
      }
    }
  }
}
