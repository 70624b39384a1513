import Foundation
import Media
import Model
import Persistence
import Primitives
import Store
import TestSupport
import Testing

@testable import Server

/// One instance with a work, its backups, and what it takes to bring it back elsewhere.
private struct Bench {
  let world: TestWorld
  let paper: TestInstance
  let alice: Resident
  let post: JSON
  var folder: String { world.folder + "/backups" }

  init(works: Bool = true) async throws {
    world = try TestWorld()
    paper = try await TestInstance("paper.test", in: world, address: "192.0.2.1", works: works)
    alice = try await paper.resident("alice")
    let upload = try await paper.upload(CasePicture.png(width: 64, height: 48), alt: "A square", as: alice)
    let media = try #require(upload.json?["id"]?.string, "\(upload.text)")
    let made = try await paper.api(
      "POST", "/api/v1/statuses", as: alice, json: ["status": "Study", "media_ids": [.string(media)]])
    post = try #require(made.json)
  }

  func backUp(keeping days: Int = 9, withSecret: Bool = false) async throws -> Snapshot {
    try await paper.services.backUp(into: folder, keeping: days, withSecret: withSecret)
  }

  func secret() throws -> [UInt8] {
    Array(try #require(FileManager.default.contents(atPath: paper.services.settings.secretPath)))
  }

  func examine(_ snapshot: Snapshot, secret: [UInt8]? = nil) async throws -> Examination {
    let scratch = world.folder + "/" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    return try await snapshot.examine(scratch: scratch, secret: secret, at: world.clock.now)
  }

  func settings(home: String) -> Settings {
    var settings = paper.services.settings
    settings.home = world.folder + "/" + home
    return settings
  }

  /// One that people are shown.
  func picture(in snapshot: Snapshot) async throws -> (BlobStore, BlobDigest) {
    let names = try await paper.database.read { try $0.fileDigests() }
    return (try BlobStore(root: snapshot.mediaPath), try #require(names.first.flatMap { BlobDigest($0) }))
  }

  func end() async throws {
    try await paper.stop()
    world.remove()
  }
}

@Suite(.serialized) struct BackupTests {
  @Test func `a backup made while the server runs comes back whole in an empty folder`() async throws {
    let bench = try await Bench()
    let shelf = bench.paper.services.settings.detectorPath
    try FileManager.default.createDirectory(atPath: shelf, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: shelf + "/ours.json"))
    let snapshot = try await bench.backUp()
    let secret = try bench.secret()
    #expect(try await bench.examine(snapshot, secret: secret).isWhole)

    let elsewhere = bench.settings(home: "elsewhere")
    try await snapshot.restore(to: elsewhere, secret: secret, at: bench.world.clock.now)
    #expect(FileManager.default.fileExists(atPath: elsewhere.detectorPath + "/ours.json"))
    let restored = try await TestInstance(
      "paper.test", in: bench.world, address: "192.0.2.2", adjust: { $0.home = elsewhere.home })
    let id = try #require(bench.post["id"]?.string)
    let answer = try await restored.api("GET", "/api/v1/statuses/\(id)", as: bench.alice)
    #expect(answer.json?["content"] == bench.post["content"])
    let url = try #require(answer.json?["media_attachments"]?.array?.first?["url"]?.string)
    let picture = try await restored.client.request(
      "GET", try #require(IRI(url)).pathAndQuery, host: "paper.test", headers: [], body: [])
    #expect(picture.status == 200)
    try await restored.stop()
    try await bench.end()
  }

  @Test func `examining a backup changes neither it nor the instance`() async throws {
    let bench = try await Bench(works: false)
    let snapshot = try await bench.backUp()
    func facts(_ folder: String) throws -> [String: String] {
      var facts: [String: String] = [:]
      for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
        facts[name] = "\(attributes[.size] ?? 0) \(attributes[.modificationDate] ?? "")"
      }
      return facts
    }
    let home = bench.paper.services.settings.home
    let before = (try facts(snapshot.folder), try facts(home))
    #expect(try await bench.examine(snapshot, secret: try bench.secret()).isWhole)
    #expect(try facts(snapshot.folder) == before.0)
    #expect(try facts(home) == before.1)
    try await bench.end()
  }

  @Test func `only the days that were asked for are kept, and their pictures are one file`() async throws {
    let bench = try await Bench(works: false)
    var last: Snapshot?
    for _ in 0..<4 {
      bench.world.clock.advance(by: .seconds(86_400))
      last = try await bench.backUp(keeping: 2)
    }
    let kept = try Snapshot.all(in: bench.folder)
    #expect(kept.count == 2)
    #expect(kept.last?.folder == last?.folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder).count == 2)
    let (blobs, digest) = try await bench.picture(in: try #require(last))
    let links = try FileManager.default.attributesOfItem(atPath: blobs.path(digest))[.referenceCount] as? Int
    #expect(links == 3)
    try await bench.end()
  }

  @Test func `all backups of the last day stay, and the newest of each earlier one`() {
    let names = [
      "20261101T030000Z", "20261102T030000Z", "20261102T120000Z", "20261104T030000Z", "20261104T090000Z",
    ]
    #expect(Snapshot.surplus(of: names, keeping: 9) == ["20261102T030000Z"])
    #expect(Snapshot.surplus(of: names, keeping: 2) == ["20261101T030000Z", "20261102T030000Z"])
    #expect(
      Snapshot.surplus(of: names, keeping: 0) == ["20261101T030000Z", "20261102T030000Z", "20261102T120000Z"])
    #expect(Snapshot.surplus(of: [], keeping: 1).isEmpty)
  }

  @Test func `a backup that was altered, or tried with another's secret, is refused with what is wrong`() async throws {
    let bench = try await Bench(works: false)
    let snapshot = try await bench.backUp()
    let wrong = try await bench.examine(snapshot, secret: [UInt8](repeating: 7, count: 32))
    #expect(wrong.faults == ["The secret is not the one that this backup was made with."])

    let (blobs, digest) = try await bench.picture(in: snapshot)
    try blobs.delete(digest)
    let missing = try await bench.examine(snapshot)
    #expect(missing.faults.isEmpty)
    #expect(missing.pictures == ["The picture \(digest) is missing."])

    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: snapshot.databasePath))
    try file.seek(toOffset: 5_000)
    try file.write(contentsOf: Data([0x55]))
    try file.close()
    let altered = try await bench.examine(snapshot)
    #expect(altered.faults == ["atelier.db is not what was backed up: its SHA-256 differs."])

    var manifest = try String(contentsOfFile: snapshot.manifestPath, encoding: .utf8)
    manifest = manifest.replacingOccurrences(of: "paper.test", with: "other.test")
    try manifest.write(toFile: snapshot.manifestPath, atomically: true, encoding: .utf8)
    #expect(throws: Snapshot.Failure.self) { try snapshot.manifest() }
    try await bench.end()
  }

  @Test func `a rotten picture is named, and left out only when that was asked for`() async throws {
    let bench = try await Bench(works: false)
    let snapshot = try await bench.backUp()
    let (blobs, digest) = try await bench.picture(in: snapshot)
    // A file of its own: the backup's is the instance's.
    let rotten = blobs.path(digest)
    try FileManager.default.removeItem(atPath: rotten)
    try Data("rot".utf8).write(to: URL(fileURLWithPath: rotten))
    let found = try await bench.examine(snapshot)
    #expect(found.faults.isEmpty)
    #expect(found.pictures == ["The picture \(digest) is damaged: verify failed."])
    let secret = try bench.secret()
    let now = bench.world.clock.now
    let strict = bench.settings(home: "strict")
    await #expect(throws: BlobFailure.self) { try await snapshot.restore(to: strict, secret: secret, at: now) }
    #expect(!FileManager.default.fileExists(atPath: strict.databasePath))
    let lenient = bench.settings(home: "lenient")
    try await snapshot.restore(to: lenient, secret: secret, skippingDamaged: true, at: now)
    #expect(try BlobStore(root: lenient.mediaPath).size(digest) == nil)
    try await bench.end()
  }

  @Test func `a backup with a trigger that Atelier does not make is refused`() async throws {
    let bench = try await Bench(works: false)
    try await bench.paper.database.write { tx in
      _ = try tx.execute("CREATE TRIGGER greedy AFTER INSERT ON posts BEGIN DELETE FROM accounts; END")
    }
    let found = try await bench.examine(try await bench.backUp())
    #expect(found.faults.count == 1)
    #expect(found.faults.first?.contains("trigger greedy") == true, "\(found)")
    try await bench.end()
  }

  @Test func `the secret is in a backup only when it was asked for, and is not world's to read`() async throws {
    let bench = try await Bench(works: false)
    let without = try await bench.backUp()
    #expect(!FileManager.default.fileExists(atPath: without.secretPath))
    #expect(try !without.manifest().holdsSecret)
    bench.world.clock.advance(by: .seconds(5))
    let with = try await bench.backUp(withSecret: true)
    let secret = try bench.secret()
    #expect(FileManager.default.contents(atPath: with.secretPath).map(Array.init) == secret)
    let mode = try FileManager.default.attributesOfItem(atPath: with.secretPath)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try await bench.examine(with, secret: secret).isWhole)
    try await bench.end()
  }

  @Test func `the secret comes back from paper, and a slip of the pen is seen`() {
    let secret = (0..<32).map { UInt8($0 * 7) }
    let line = InstanceSecret.written(secret)
    #expect(line.split(separator: " ").count == 17)
    #expect(InstanceSecret.parse(Array((line.uppercased() + "\n").utf8)) == secret)
    #expect(InstanceSecret.parse(secret) == secret)
    #expect(InstanceSecret.parse(Array(line.replacingOccurrences(of: "0007", with: "0008").utf8)) == nil)
    #expect(InstanceSecret.parse(Array(line.utf8.dropLast())) == nil)
    #expect(InstanceSecret.parse([]) == nil)
  }

  @Test func `nothing is restored over an instance, its log, another's secret or under another name`() async throws {
    let bench = try await Bench(works: false)
    let snapshot = try await bench.backUp()
    let secret = try bench.secret()
    let now = bench.world.clock.now
    let files = FileManager.default
    await #expect(throws: Snapshot.Failure.self) {
      try await snapshot.restore(to: bench.paper.services.settings, secret: secret, at: now)
    }
    for (name, content) in [("atelier.db-wal", [UInt8]()), ("instance.secret", [UInt8](repeating: 1, count: 32))] {
      let taken = bench.settings(home: "taken-\(name)")
      try files.createDirectory(atPath: taken.home, withIntermediateDirectories: true)
      try Data(content).write(to: URL(fileURLWithPath: taken.home + "/" + name))
      await #expect(throws: Snapshot.Failure.self) { try await snapshot.restore(to: taken, secret: secret, at: now) }
      #expect(files.contents(atPath: taken.home + "/" + name).map(Array.init) == content)
      #expect(!files.fileExists(atPath: taken.databasePath))
    }
    var other = bench.settings(home: "other")
    other.instance = try #require(IRI("https://other.test").flatMap { Instance(base: $0) })
    await #expect(throws: Snapshot.Failure.self) { try await snapshot.restore(to: other, secret: secret, at: now) }
    let again = bench.settings(home: "again")
    await #expect(throws: Snapshot.Failure.self) { try await snapshot.restore(to: again, secret: [1], at: now) }
    #expect(!files.fileExists(atPath: again.home))
    try await bench.end()
  }

  @Test func `a restore that was cut off begins again and ends whole`() async throws {
    let bench = try await Bench(works: false)
    let snapshot = try await bench.backUp()
    let secret = try bench.secret()
    let home = bench.settings(home: "again")
    let files = FileManager.default
    // What a restore leaves that was killed while it copied the database, with its log, and the secret.
    try files.createDirectory(atPath: home.home, withIntermediateDirectories: true)
    for name in ["atelier.db.restoring", "atelier.db.restoring-wal", "instance.secret.partial"] {
      try Data("half".utf8).write(to: URL(fileURLWithPath: home.home + "/" + name))
    }
    try await snapshot.restore(to: home, secret: secret, at: bench.world.clock.now)
    let database = try SQLiteDatabase(path: home.databasePath)
    #expect(try await database.findDamage().isEmpty)
    #expect(try await database.read { try $0.deliveryPause() }?.reason == .restored)
    try await database.closeAsOneFile()
    #expect(
      try files.contentsOfDirectory(atPath: home.home).sorted() == ["atelier.db", "instance.secret", "media"])
    try await bench.end()
  }

  @Test func `what a killed backup leaves is no backup, and the next one removes it`() async throws {
    let bench = try await Bench(works: false)
    let files = FileManager.default
    for name in [".20261101T030000Z.partial", ".20261101T020000Z.removed"] {
      let left = bench.folder + "/" + name
      try files.createDirectory(atPath: left + "/media", withIntermediateDirectories: true)
      #expect(throws: Snapshot.Failure.self) { try Snapshot(at: left).manifest() }
    }
    try Data("mine".utf8).write(to: URL(fileURLWithPath: bench.folder + "/.keep"))
    #expect(try Snapshot.all(in: bench.folder).isEmpty)
    let snapshot = try await bench.backUp()
    #expect(
      try files.contentsOfDirectory(atPath: bench.folder).sorted()
        == [".keep", URL(fileURLWithPath: snapshot.folder).lastPathComponent])
    try await bench.end()
  }

  @Test func `two backups into one folder at a time are one too many`() async throws {
    let bench = try await Bench(works: false)
    try FileManager.default.createDirectory(atPath: bench.folder, withIntermediateDirectories: true)
    guard let held = try FolderLock(bench.folder) else {
      Issue.record("the lock is taken")
      return
    }
    await #expect(throws: Snapshot.Failure.self) { _ = try await bench.backUp() }
    _ = consume held
    _ = try await bench.backUp()
    try await bench.end()
  }
}
