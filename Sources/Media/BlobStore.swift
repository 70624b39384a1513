import Crypto
import Foundation
import Primitives

/// The name of a blob: SHA-256 in lower-case hex.
package struct BlobDigest: Hashable, Sendable, Codable, LosslessStringConvertible {
  package let hex: String

  package init(of bytes: [UInt8]) { hex = Hex.encode(Array(SHA256.hash(data: bytes))) }

  /// Nil unless 64 lower-case hex digits: no path is ever made of anything else.
  package init?(_ text: String) {
    guard text.utf8.count == 64,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    hex = text
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let digest = BlobDigest(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 in hex")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }

  package var description: String { hex }
  /// SHA-256, 32 bytes.
  package var bytes: [UInt8] { Hex.decode(hex) ?? [] }
}

package struct BlobFailure: Error, Hashable, Sendable {
  package var operation: String
  package var number: Int32
  /// 507 for a caller with a status to give.
  package var isOutOfSpace: Bool { number == ENOSPC || number == EDQUOT }
}

/// Immutable files named by their digest, in a directory. A file is whole and on disk before `put` returns, so that a
/// row written after it never points at nothing. Blocking: call from a thread that may wait.
package struct BlobStore: Sendable {
  /// Where bytes are: served, or held for moderators. The same bytes may be in both.
  package enum Area: String, Sendable, CaseIterable { case kept, quarantine }

  package let root: String

  /// Makes the directories, mode 0700: only the server reads them.
  package init(root: String) throws(BlobFailure) {
    self.root = root
    try BlobStore.makeDirectory(root)
    for area in Area.allCases { try BlobStore.makeDirectory(root + "/" + area.rawValue) }
    try BlobStore.makeDirectory(temporary)
  }

  private var temporary: String { root + "/incoming" }

  private func directories(_ digest: BlobDigest, _ area: Area) -> [String] {
    let first = root + "/" + area.rawValue + "/" + digest.hex.prefix(2)
    return [first, first + "/" + digest.hex.dropFirst(2).prefix(2)]
  }

  package func path(_ digest: BlobDigest, in area: Area = .kept) -> String {
    root + "/" + area.rawValue + "/" + digest.hex.prefix(2) + "/" + digest.hex.dropFirst(2).prefix(2) + "/"
      + digest.hex
  }

  /// Stores bytes and returns their name. Storing what is there does nothing.
  @discardableResult
  package func put(_ bytes: [UInt8], in area: Area = .kept) throws(BlobFailure) -> BlobDigest {
    let digest = BlobDigest(of: bytes)
    if try size(digest, in: area) == bytes.count {
      // Young again: a sweep of unused files must not take it before its new row is there.
      utimes(path(digest, in: area), nil)
      return digest
    }
    let parents = directories(digest, area)
    for parent in parents { try BlobStore.makeDirectory(parent) }
    // Unique by the kernel's choice, in the same file system, and never under a name that is served.
    let partial = try write(bytes)
    let target = path(digest, in: area)
    guard rename(partial, target) == 0 else {
      let number = errno
      unlink(partial)
      throw BlobFailure(operation: "rename", number: number)
    }
    for parent in parents.reversed() { try BlobStore.sync(parent) }
    return digest
  }

  private func write(_ bytes: [UInt8]) throws(BlobFailure) -> String {
    var template = Array((temporary + "/XXXXXX").utf8CString)
    let file = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkstemp($0) } ?? -1
    }
    guard file >= 0 else { throw BlobFailure(operation: "create", number: errno) }
    let name = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { close(file) }
    var sent = 0
    while sent < bytes.count {
      let n = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: sent), bytes.count - sent) }
      if n < 0, errno == EINTR { continue }
      guard n > 0 else {
        let number = errno
        unlink(name)
        throw BlobFailure(operation: "write", number: number)
      }
      sent += n
    }
    guard fsync(file) == 0 else {
      let number = errno
      unlink(name)
      throw BlobFailure(operation: "fsync", number: number)
    }
    return name
  }

  /// Gives a file of another store a second name here, without copying: blobs never change. False when they are in
  /// different file systems, or it is not there. The name is on disk once the caller has synced its folder.
  package func link(_ digest: BlobDigest, in area: Area = .kept, from other: BlobStore) throws(BlobFailure) -> Bool {
    let parents = directories(digest, area)
    for parent in parents { try BlobStore.makeDirectory(parent) }
    guard Glibc.link(other.path(digest, in: area), path(digest, in: area)) == 0 || errno == EEXIST else {
      guard [EXDEV, ENOENT, EPERM, EMLINK, ENOTSUP].contains(errno) else {
        throw BlobFailure(operation: "link", number: errno)
      }
      return false
    }
    return true
  }

  /// Nil when there is no such blob.
  package func size(_ digest: BlobDigest, in area: Area = .kept) throws(BlobFailure) -> Int? {
    var facts = stat()
    guard lstat(path(digest, in: area), &facts) == 0 else {
      if errno == ENOENT { return nil }
      throw BlobFailure(operation: "stat", number: errno)
    }
    return facts.st_mode & S_IFMT == S_IFREG ? Int(facts.st_size) : nil
  }

  /// Nil when there is no such blob. The bytes are checked against their name: a disk may rot.
  package func get(_ digest: BlobDigest, in area: Area = .kept) throws(BlobFailure) -> [UInt8]? {
    let file = open(path(digest, in: area), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw BlobFailure(operation: "open", number: errno)
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let n = Glibc.read(file, &buffer, buffer.count)
      if n < 0, errno == EINTR { continue }
      guard n >= 0 else { throw BlobFailure(operation: "read", number: errno) }
      if n == 0 { break }
      bytes.append(contentsOf: buffer.prefix(n))
    }
    guard BlobDigest(of: bytes) == digest else { throw BlobFailure(operation: "verify", number: EILSEQ) }
    return bytes
  }

  /// Moves bytes between areas, as a hold or a release does. False when they are not there.
  package func move(_ digest: BlobDigest, from: Area, to: Area) throws(BlobFailure) -> Bool {
    let parents = directories(digest, to)
    for parent in parents { try BlobStore.makeDirectory(parent) }
    guard rename(path(digest, in: from), path(digest, in: to)) == 0 else {
      if errno == ENOENT { return false }
      throw BlobFailure(operation: "rename", number: errno)
    }
    for parent in parents.reversed() + directories(digest, from).suffix(1) { try BlobStore.sync(parent) }
    return true
  }

  /// Removes bytes for good. Removing what is not there does nothing.
  package func delete(_ digest: BlobDigest, in area: Area = .kept) throws(BlobFailure) {
    guard unlink(path(digest, in: area)) == 0 else {
      if errno == ENOENT { return }
      throw BlobFailure(operation: "unlink", number: errno)
    }
    if let parent = directories(digest, area).last { try BlobStore.sync(parent) }
  }

  /// Removes what an interrupted `put` left. Call at the start, before any `put`. Returns how many files went.
  @discardableResult
  package func sweep() throws(BlobFailure) -> Int {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: temporary)
    } catch {
      throw BlobFailure(operation: "list", number: EIO)
    }
    var count = 0
    for name in names where unlink(temporary + "/" + name) == 0 { count += 1 }
    return count
  }

  /// Files of `area` last written before `time`: what a sweep compares with the rows.
  package func digests(in area: Area = .kept, writtenBefore time: Timestamp) throws -> [BlobDigest] {
    guard
      let files = FileManager.default.enumerator(
        at: URL(fileURLWithPath: root + "/" + area.rawValue), includingPropertiesForKeys: [.contentModificationDateKey])
    else { throw BlobFailure(operation: "list", number: EIO) }
    var found: [BlobDigest] = []
    for case let file as URL in files {
      guard let digest = BlobDigest(file.lastPathComponent),
        let written = try file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate,
        written.timeIntervalSince1970 * 1_000 < Double(time.milliseconds)
      else { continue }
      found.append(digest)
    }
    return found
  }

  private static func makeDirectory(_ path: String) throws(BlobFailure) {
    guard mkdir(path, 0o700) != 0 else {
      // A new name is durable when the directory that holds it is.
      if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try sync(String(path[..<slash])) }
      return
    }
    guard errno == EEXIST else { throw BlobFailure(operation: "mkdir", number: errno) }
  }

  private static func sync(_ path: String) throws(BlobFailure) {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw BlobFailure(operation: "open", number: errno) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw BlobFailure(operation: "fsync", number: errno) }
  }
}
