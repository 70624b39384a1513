import Foundation
import Media
import Persistence
import Primitives
import Signatures
import Store

/// What is wrong with a snapshot.
package struct Examination: Hashable, Sendable {
  /// Any of these, and it is not restored.
  package var faults: [String] = []
  /// Pictures that are damaged or missing; the rest can be restored without them.
  package var pictures: [String] = []
  package var isWhole: Bool { faults.isEmpty && pictures.isEmpty }
}

extension Snapshot {
  /// Proves a snapshot as far as it can be proved without running it. Nothing of the snapshot or of an instance is
  /// written: the database is opened as a copy in `scratch`, since merely opening one writes beside it.
  ///
  /// A schema with anything that our migrations do not make is refused: a trigger in a restored file is somebody
  /// else's program.
  ///
  /// - Parameter secret: The instance's secret, when it is there to be tried on the signing keys.
  package func examine(scratch: String, secret: [UInt8]?, at time: Timestamp) async throws -> Examination {
    let manifest = try manifest()
    var result = Examination()
    let found = try fileDigests()
    for (name, digest) in manifest.files.sorted(by: { $0.key < $1.key }) where found[name] != digest {
      result.faults.append(
        found[name] == nil ? "\(name) is missing." : "\(name) is not what was backed up: its SHA-256 differs.")
    }
    for name in found.keys.sorted() where manifest.files[name] == nil {
      result.faults.append("\(name) does not belong to this backup.")
    }
    if let secret, InstanceSecret.fingerprint(of: secret) != manifest.secret {
      result.faults.append("The secret is not the one that this backup was made with.")
    }
    guard result.faults.isEmpty else { return result }
    let copy = scratch + "/examined.db"
    try FileManager.default.copyItem(atPath: databasePath, toPath: copy)
    let database = try SQLiteDatabase(path: copy)
    defer { do { try database.close() } catch {} }
    result.faults += try await faults(of: database, scratch: scratch, manifest, at: time)
    guard result.faults.isEmpty else { return result }
    if let secret { result.faults += try await unopened(by: secret, in: database) }
    result.pictures = try await damagedPictures(by: database, known: manifest.lost)
    return result
  }

  private func faults(
    of database: SQLiteDatabase, scratch: String, _ manifest: Manifest, at time: Timestamp
  ) async throws -> [String] {
    let damage = try await database.findDamage().map { "The database is damaged: \($0)" }
    guard damage.isEmpty else { return damage }
    let fresh = try SQLiteDatabase(path: scratch + "/fresh.db")
    defer { do { try fresh.close() } catch {} }
    _ = try await fresh.migrate(migrations, at: time)
    do {
      _ = try await database.migrate(migrations, at: time)
    } catch {
      return ["The database can not be brought up to date by atelier \(Version.current): \(error)"]
    }
    let (expected, actual) = (try await fresh.schema(), try await database.schema())
    var faults = actual.subtracting(expected).sorted()
      .map { "The database holds something that Atelier does not make: \($0.prefix(120))" }
    faults += expected.subtracting(actual).sorted().map { "The database lacks: \($0.prefix(120))" }
    let owner = try await database.read { try $0.setting("instance.base") }
    if owner != manifest.base { faults.append("The database belongs to \(owner ?? "nobody"), not \(manifest.base).") }
    return faults
  }

  /// Reads every picture: its name is its digest.
  private func damagedPictures(by database: SQLiteDatabase, known: Int) async throws -> [String] {
    let blobs = try BlobStore(root: mediaPath)
    var problems: [String] = []
    let absent = try await absent(from: database)
    if absent.count > known {
      problems = absent.prefix(20).map { "The picture \($0) is missing." }
      if absent.count > 20 { problems.append("\(absent.count) pictures are missing altogether.") }
    }
    for area in BlobStore.Area.allCases {
      for digest in try blobs.digests(in: area, writtenBefore: Timestamp(milliseconds: .max)) {
        do {
          _ = try blobs.get(digest, in: area)
        } catch {
          problems.append("The picture \(digest) is damaged: \(error.operation) failed.")
        }
      }
    }
    return problems
  }

  private func unopened(by secret: [UInt8], in database: SQLiteDatabase) async throws -> [String] {
    guard let seal = KeySeal(secret: secret) else { return ["The secret is not one of 32 bytes."] }
    for key in try await database.read({ try $0.someSigningKeys(limit: 8) }) {
      do {
        _ = try seal.open(key.sealedKey, for: key.keyID)
      } catch {
        return ["The secret does not open the signing keys of this backup."]
      }
    }
    return []
  }
}
