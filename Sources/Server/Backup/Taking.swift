import Foundation
import Media
import Model
import Persistence
import Primitives
import Store

extension Services {
  /// Makes a snapshot in `folder` while the instance goes on, then removes what `days` days of backups do not need.
  ///
  /// Pictures first, then the database, then the pictures that came meanwhile: whatever the copied rows name is in the
  /// copy. Files are linked where source and copy share a file system, since they never change, and else taken from
  /// the last snapshot where it has them. Everything happens under a name that is no backup's, which a killed run
  /// leaves behind and the next one removes; the manifest is written last, and the final name is given after that.
  package func backUp(into folder: String, keeping days: Int, withSecret: Bool = false) async throws -> Snapshot {
    let files = FileManager.default
    try files.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    guard let lock = try FolderLock(folder) else {
      throw Snapshot.Failure("Another backup into \(folder) is under way. This one was not begun.")
    }
    for name in try files.contentsOfDirectory(atPath: folder) where Snapshot.isLeftover(name) {
      try files.removeItem(atPath: folder + "/" + name)
    }
    let made = time.now()
    let target = folder + "/" + Snapshot.name(at: made)
    let partial = Snapshot(at: folder + "/." + Snapshot.name(at: made) + ".partial")
    do {
      try files.createDirectory(
        atPath: partial.folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      try await fill(partial, earlier: try Snapshot.all(in: folder).last, made: made, withSecret: withSecret)
      guard !files.fileExists(atPath: target) else { throw Snapshot.Failure("\(target) is there already.") }
      try DurableFile.rename(partial.folder, to: target)
    } catch {
      if files.fileExists(atPath: partial.folder) { try files.removeItem(atPath: partial.folder) }
      throw error
    }
    for name in Snapshot.surplus(
      of: try files.contentsOfDirectory(atPath: folder).filter(Snapshot.isName), keeping: days)
    {
      // Half a removed backup must not look like a backup.
      try DurableFile.rename(folder + "/" + name, to: folder + "/." + name + ".removed")
      try files.removeItem(atPath: folder + "/." + name + ".removed")
    }
    _ = consume lock
    return Snapshot(at: target)
  }

  private func fill(_ snapshot: Snapshot, earlier: Snapshot?, made: Timestamp, withSecret: Bool) async throws {
    try copyPictures(to: snapshot, earlier: earlier)
    var (lost, before) = (0, -1)
    // A picture that was posted and deleted between two steps is in the rows and not in the copy: then once more.
    for _ in 0..<3 {
      for file in [snapshot.databasePath, snapshot.databasePath + "-wal", snapshot.databasePath + "-shm"]
      where FileManager.default.fileExists(atPath: file) {
        try FileManager.default.removeItem(atPath: file)
      }
      try await database.backUp(to: snapshot.databasePath)
      try copyPictures(to: snapshot, earlier: earlier)
      lost = try await snapshot.absent().count
      if lost == 0 || lost == before { break }
      before = lost
    }
    try copyDetectors(to: snapshot)
    let secret = try InstanceSecret.bytes(settings, surroundings)
    if withSecret { try DurableFile.write(secret, to: snapshot.secretPath) }
    let (pictures, bytes) = try snapshot.weigh()
    let manifest = Snapshot.Manifest(
      base: instance.base.text, program: Version.current, made: made, secret: InstanceSecret.fingerprint(of: secret),
      holdsSecret: withSecret, files: try snapshot.fileDigests(), pictures: pictures, bytes: bytes, lost: lost)
    try DurableFile.syncFolders(under: snapshot.folder)
    try DurableFile.write(manifest.json.bytes, to: snapshot.manifestPath)
  }

  private func copyPictures(to snapshot: Snapshot, earlier: Snapshot?) throws {
    let target = try BlobStore(root: snapshot.mediaPath)
    let previous = try earlier.map { try BlobStore(root: $0.mediaPath) }
    for area in BlobStore.Area.allCases {
      for digest in try media.blobs.digests(in: area, writtenBefore: .max) {
        guard try target.size(digest, in: area) == nil else { continue }
        if try target.link(digest, in: area, from: media.blobs) { continue }
        if let previous, try target.link(digest, in: area, from: previous) { continue }
        // Nil when it was deleted since it was listed.
        if let content = try media.blobs.get(digest, in: area) { try target.put(content, in: area) }
      }
    }
  }

  /// Models and calibrations are written by renaming, so that each is whole, whenever it is read.
  private func copyDetectors(to snapshot: Snapshot) throws {
    let files = FileManager.default
    guard let names = files.enumerator(atPath: settings.detectorPath) else { return }
    for case let name as String in names {
      let source = settings.detectorPath + "/" + name
      guard try files.attributesOfItem(atPath: source)[.type] as? FileAttributeType == .typeRegular else { continue }
      let target = snapshot.folder + "/" + Snapshot.detectorsName + "/" + name
      try files.createDirectory(
        atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
      try files.copyItem(atPath: source, toPath: target)
      try DurableFile.sync(target)
    }
  }
}

extension Snapshot {
  /// What a killed backup or removal leaves.
  static func isLeftover(_ name: String) -> Bool {
    guard name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
    return isName(String(name[..<dot].dropFirst())) && [".partial", ".removed"].contains(String(name[dot...]))
  }

  /// Digests of the pictures that rows of the copied database name and the copy does not hold.
  func absent() async throws -> [String] {
    let database = try SQLiteDatabase(path: databasePath)
    let names: [String]
    do {
      names = try await absent(from: database)
    } catch {
      try database.close()
      throw error
    }
    // What stands in a log is not in the file whose digest is taken.
    try await database.closeAsOneFile()
    return names
  }

  func absent(from database: SQLiteDatabase) async throws -> [String] {
    let blobs = try BlobStore(root: mediaPath)
    return try await database.read { try $0.fileDigests() }.filter { name in
      guard let digest = BlobDigest(name) else { return false }
      return try BlobStore.Area.allCases.allSatisfy { try blobs.size(digest, in: $0) == nil }
    }
  }

  func weigh() throws -> (count: Int, bytes: Int) {
    let blobs = try BlobStore(root: mediaPath)
    var (count, bytes) = (0, 0)
    for area in BlobStore.Area.allCases {
      for digest in try blobs.digests(in: area, writtenBefore: .max) {
        count += 1
        bytes += try blobs.size(digest, in: area) ?? 0
      }
    }
    return (count, bytes)
  }

  /// SHA-256 of every file but pictures and the manifest, by path within the snapshot.
  func fileDigests() throws -> [String: String] {
    var digests: [String: String] = [:]
    for name in [Snapshot.databaseName, Snapshot.secretName]
    where FileManager.default.fileExists(atPath: folder + "/" + name) {
      digests[name] = try DurableFile.digest(of: folder + "/" + name)
    }
    let detectors = folder + "/" + Snapshot.detectorsName
    for case let name as String in FileManager.default.enumerator(atPath: detectors) ?? .init() {
      let path = detectors + "/" + name
      guard try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular else {
        continue
      }
      digests[Snapshot.detectorsName + "/" + name] = try DurableFile.digest(of: path)
    }
    return digests
  }
}

extension Timestamp {
  fileprivate static let max = Timestamp(milliseconds: .max)
}
