import Foundation
import Media
import Model
import Persistence
import Primitives
import Store

extension Snapshot {
  /// Puts an examined snapshot into a home folder that holds no instance.
  ///
  /// Deliveries stay paused until an admin has looked: the world went on since the copy was made, and what it was told
  /// after that is not known here. The database gets its name last, so that the folder holds no instance until it holds
  /// a whole one, and the same command begins again after a crash.
  ///
  /// - Parameter skippingDamaged: Whether pictures that are not what their name says are left out.
  package func restore(
    to settings: Settings, secret: [UInt8], skippingDamaged: Bool = false, at time: Timestamp
  ) async throws {
    let manifest = try manifest()
    try check(settings, secret: secret, manifest)
    umask(0o077)
    try FileManager.default.createDirectory(
      atPath: settings.home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try restorePictures(to: settings, skippingDamaged: skippingDamaged)
    try restoreDetectors(to: settings, manifest)
    try DurableFile.write(secret, to: settings.secretPath)
    try await restoreDatabase(to: settings, manifest, at: time)
  }

  private func check(_ settings: Settings, secret: [UInt8], _ manifest: Manifest) throws {
    let files = FileManager.default
    // A log that was left there would be played into the restored database.
    for path in [settings.databasePath, settings.databasePath + "-wal"] where files.fileExists(atPath: path) {
      throw Failure("\(path) is there already. Restore into an empty folder.")
    }
    guard manifest.base == settings.instance.base.text else {
      throw Failure("This is a backup of \(manifest.base), which can not become \(settings.instance.base.text).")
    }
    guard InstanceSecret.fingerprint(of: secret) == manifest.secret else {
      throw Failure("The secret is not the one that this backup was made with.")
    }
    if let other = files.contents(atPath: settings.secretPath), Array(other) != secret {
      throw Failure("\(settings.secretPath) holds another secret. Move it away if no instance needs it.")
    }
  }

  private func restorePictures(to settings: Settings, skippingDamaged: Bool) throws {
    let source = try BlobStore(root: mediaPath)
    let target = try BlobStore(root: settings.mediaPath)
    for area in BlobStore.Area.allCases {
      for digest in try source.digests(in: area, writtenBefore: Timestamp(milliseconds: .max)) {
        do {
          if let content = try source.get(digest, in: area) { try target.put(content, in: area) }
        } catch {
          guard skippingDamaged, ["verify", "read"].contains(error.operation) else { throw error }
        }
      }
    }
  }

  private func restoreDetectors(to settings: Settings, _ manifest: Manifest) throws {
    for name in manifest.files.keys where name.hasPrefix(Snapshot.detectorsName + "/") {
      let target = settings.home + "/" + name
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
      guard let content = FileManager.default.contents(atPath: folder + "/" + name) else {
        throw Failure("\(folder)/\(name) can not be read.")
      }
      try DurableFile.write(Array(content), to: target)
    }
  }

  private func restoreDatabase(to settings: Settings, _ manifest: Manifest, at time: Timestamp) async throws {
    let files = FileManager.default
    let partial = settings.databasePath + ".restoring"
    for leftover in [partial, partial + "-wal", partial + "-shm", settings.databasePath + "-shm"]
    where files.fileExists(atPath: leftover) {
      try files.removeItem(atPath: leftover)
    }
    try files.copyItem(atPath: databasePath, toPath: partial)
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: partial)
    guard try DurableFile.digest(of: partial) == manifest.files[Snapshot.databaseName] else {
      throw Failure("The copy of the database differs from what was backed up.")
    }
    let database = try SQLiteDatabase(path: partial)
    try await database.write { try $0.pauseDeliveries(DeliveryPause(reason: .restored, since: time)) }
    try await database.closeAsOneFile()
    try DurableFile.rename(partial, to: settings.databasePath)
  }
}
