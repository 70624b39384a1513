import Crypto
import Foundation
import Media
import Primitives

/// A copy of one instance at one moment: a folder with `atelier.db`, `media/`, `detectors/` and `manifest.json`.
///
/// The instance's secret is in it only when it was asked for: without it a stolen copy signs nothing, and it is one
/// file that never changes, so that one copy kept somewhere else once is enough.
package struct Snapshot: Sendable {
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
  }

  /// What the copy says of itself. The names of media files are their digests, and need no list.
  package struct Manifest: Hashable, Sendable {
    package var base: String
    package var program: String
    package var made: Timestamp
    /// Tells whether a secret is the right one, and nothing else of it.
    package var secret: String
    package var holdsSecret: Bool
    /// SHA-256 in hex of every file but pictures and this one, by path.
    package var files: [String: String]
    package var pictures: Int
    package var bytes: Int
    /// Pictures that rows name and the instance itself had lost.
    package var lost: Int
  }

  package let folder: String

  package init(at folder: String) { self.folder = folder }

  static let databaseName = "atelier.db"
  static let secretName = "instance.secret"
  static let detectorsName = "detectors"

  package var databasePath: String { folder + "/" + Self.databaseName }
  package var mediaPath: String { folder + "/media" }
  package var secretPath: String { folder + "/" + Self.secretName }
  var manifestPath: String { folder + "/manifest.json" }

  /// Written last: a folder without it is no backup.
  package func manifest() throws -> Manifest {
    guard let data = FileManager.default.contents(atPath: manifestPath), data.count <= Limits.backupManifest,
      let json = Self.parsed(data), let manifest = Manifest(reading: json)
    else {
      throw Failure(
        "\(folder) holds no backup of Atelier: it has no manifest.json, or one that was cut off or altered.")
    }
    return manifest
  }

  private static func parsed(_ data: Data) -> JSON? {
    do { return try JSON(parsing: data) } catch { return nil }
  }

  /// The finished snapshots in `folder`, oldest first.
  package static func all(in folder: String) throws -> [Snapshot] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder).filter(isName).sorted()
      .map { Snapshot(at: folder + "/" + $0) }
      .filter { FileManager.default.fileExists(atPath: $0.manifestPath) }
  }

  /// `20261103T180000Z`, so that names sort by time.
  static func name(at time: Timestamp) -> String { time.iso8601Seconds.filter { $0 != "-" && $0 != ":" } }

  static func isName(_ text: String) -> Bool {
    text.utf8.count == 16 && text.utf8.dropLast().allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "T") }
  }

  /// The names that `days` days of backups do not need: all of the newest day are kept, and of each earlier day the
  /// last one. A day without a backup does not count, so that a machine that slept forgets nothing.
  package static func surplus(of names: [String], keeping days: Int) -> [String] {
    let byDay = Dictionary(grouping: names.sorted()) { String($0.prefix(8)) }
    let kept = byDay.keys.sorted().suffix(max(1, days))
    var needed = Set(kept.last.flatMap { byDay[$0] } ?? [])
    for day in kept { if let last = byDay[day]?.last { needed.insert(last) } }
    return names.filter { !needed.contains($0) }.sorted()
  }
}

extension Snapshot.Manifest {
  /// The last member is a digest of the others.
  var json: JSON {
    var json = JSON.members([
      "format": 1, "base_url": .string(base), "program": .string(program), "made": .string(made.iso8601),
      "secret_fingerprint": .string(secret), "holds_secret": .bool(holdsSecret),
      "files": JSON(pairs: files.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.string($0.value)) }),
      "pictures": .integer(Int64(pictures)), "picture_bytes": .integer(Int64(bytes)),
      "lost_pictures": .integer(Int64(lost)),
    ])
    json["sha256"] = .string(Self.sum(json))
    return json
  }

  /// Nil for anything that is not what `json` made.
  init?(reading json: JSON) {
    var rest = json
    rest["sha256"] = nil
    guard json["format"]?.integer == 1, json["sha256"]?.string == Self.sum(rest), let base = json["base_url"]?.string,
      let program = json["program"]?.string, let made = json["made"]?.string.flatMap({ Timestamp(iso8601: $0) }),
      let secret = json["secret_fingerprint"]?.string, let holdsSecret = json["holds_secret"]?.bool,
      let files = json["files"]?.pairs, let pictures = json["pictures"]?.integer,
      let bytes = json["picture_bytes"]?.integer, let lost = json["lost_pictures"]?.integer
    else { return nil }
    self.init(
      base: base, program: program, made: made, secret: secret, holdsSecret: holdsSecret,
      files: Dictionary(
        files.compactMap { pair in pair.value.string.map { (pair.key, $0) } },
        uniquingKeysWith: { _, last in last }),
      pictures: Int(clamping: pictures), bytes: Int(clamping: bytes), lost: Int(clamping: lost))
    // A path that leads out of the folder is nobody's honest manifest.
    guard self.files[Snapshot.databaseName] != nil, self.files.count == files.count,
      self.files.keys.allSatisfy({ !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") })
    else { return nil }
  }

  private static func sum(_ json: JSON) -> String { Hex.encode(Array(SHA256.hash(data: json.canonicalBytes))) }
}

extension Limits {
  /// A line for each file of the detectors.
  static let backupManifest = 1 << 20
}
