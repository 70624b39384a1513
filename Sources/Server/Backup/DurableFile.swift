import Crypto
import Foundation
import Primitives

/// Files that are whole and on disk when a call returns, or not there under their name.
enum DurableFile {
  struct Failure: Error, Hashable, CustomStringConvertible {
    let operation: String
    let path: String
    let number: Int32
    var description: String { "\(path): \(operation) failed, \(String(cString: strerror(number)))." }
  }

  /// Writes beside `path` and renames, so that a reader and a crash find the old file or the new one. Readable by the
  /// owner alone.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let partial = path + ".partial"
    unlink(partial)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(operation: "create", path: partial, number: errno) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data(bytes))
    try file.synchronize()
    try file.close()
    try rename(partial, to: path)
  }

  /// Renames and makes the new name durable.
  static func rename(_ path: String, to target: String) throws {
    guard Glibc.rename(path, target) == 0 else { throw Failure(operation: "rename", path: target, number: errno) }
    try sync(folder(of: target))
  }

  /// Waits until a file or a folder is on disk.
  static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(operation: "open", path: path, number: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure(operation: "fsync", path: path, number: errno) }
  }

  /// Waits until every name in `folder` and below it is on disk: once for each folder, not for each of a hundred
  /// thousand links. Most of the waits are short, since the first one carries the journal of all.
  static func syncFolders(under folder: String) throws {
    for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
      let path = folder + "/" + name
      var facts = stat()
      guard lstat(path, &facts) == 0 else { throw Failure(operation: "stat", path: path, number: errno) }
      if facts.st_mode & S_IFMT == S_IFDIR { try sync(path) }
    }
    try sync(folder)
  }

  /// SHA-256 in hex, read in pieces.
  static func digest(of path: String) throws -> String {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { do { try file.close() } catch {} }
    var hash = SHA256()
    while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { hash.update(data: part) }
    return Hex.encode(Array(hash.finalize()))
  }

  private static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().path
  }
}

/// One process at a time writes to a folder of backups; the kernel ends the lock with the process.
struct FolderLock: ~Copyable {
  private let descriptor: Int32

  /// Nil when somebody else holds it.
  init?(_ folder: String) throws {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DurableFile.Failure(operation: "open", path: folder, number: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
