import ArgumentParser
import Foundation
import Primitives
import Server

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy database, pictures and detectors into a folder while the server runs.",
    discussion: """
      Each run makes one folder named by its time. Pictures are links where the file system allows it, so that \
      fourteen backups of the same pictures take the space of one. The instance's secret is left out, so that a stolen \
      backup signs nothing: keep a copy of it where the backups are not. Copies on the same disk help against mistakes, \
      not against the disk: copy the folder to another machine too.
      """)

  @OptionGroup var options: SettingsOptions
  @Argument(help: "The folder of all backups; backup.folder of the settings where none is given.") var folder: String?
  @Option(
    name: .customLong("keep-days"), help: "How many days of backups are kept: all of the last day, one of each earlier."
  )
  var keepDays: Int?
  @Flag(help: "Put the instance's secret into the backup too. Whoever reads it can then sign as everybody here.")
  var withSecret = false

  func validate() throws {
    if let keepDays, !(1...3_650).contains(keepDays) { throw ValidationError("Keep 1 to 3650 days.") }
  }

  func run() async throws {
    let settings = try options.existing()
    guard let folder = folder ?? settings.backupFolder, folder.hasPrefix("/") else {
      throw Complaint("Say where: the absolute path of a folder, here or as backup.folder in the settings.")
    }
    try await options.withServices { services in
      let snapshot = try await services.backUp(
        into: folder, keeping: keepDays ?? settings.backupDays, withSecret: withSecret)
      let manifest = try snapshot.manifest()
      print("\(snapshot.folder): the database and \(manifest.pictures) pictures of \(manifest.bytes / 1_000_000) MB.")
      if manifest.lost > 0 {
        printError("\(manifest.lost) pictures are missing from the instance itself; an older backup may have them.")
      }
      print(
        withSecret
          ? "The instance's secret is in it: whoever reads this folder can sign as everybody here."
          : "Not in it: \(settings.secretPath). Without a copy of that file nothing can be restored.")
    }
  }
}

struct Restore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine a backup, and put it into an empty home folder.",
    discussion: """
      With --verify nothing is put anywhere: the backup is examined as a restore would, on a copy of its database in \
      the folder for temporary files (TMPDIR). After a restore nothing is delivered to other servers, because the world \
      went on since the backup: look around, then run `atelier resume`.
      """)

  @OptionGroup var options: SettingsOptions
  @Argument(help: "One backup: a folder with a manifest.json.") var backup: String
  @Option(help: "The copy of instance.secret that was kept elsewhere; a file with its bytes or its written form.")
  var secret: String?
  @Flag(help: "Only examine the backup.") var verify = false
  @Flag(help: "Restore although pictures are damaged or missing, without them.") var withoutDamagedPictures = false

  func run() async throws {
    let snapshot = Snapshot(at: URL(fileURLWithPath: backup).standardizedFileURL.path)
    let scratch = try scratchFolder()
    defer { do { try FileManager.default.removeItem(atPath: scratch) } catch { printError("\(scratch) is left.") } }
    do {
      let manifest = try snapshot.manifest()
      let key = try key(of: snapshot, manifest)
      let now = TimeSource.system.now()
      let found = try await snapshot.examine(scratch: scratch, secret: key, at: now)
      try report(found, of: manifest, hasKey: key != nil)
      guard !verify, let key else { return }
      let settings = try options.settings()
      try await snapshot.restore(to: settings, secret: key, skippingDamaged: withoutDamagedPictures, at: now)
      print("Restored to \(settings.home). Nothing is delivered to other servers until `atelier resume`.")
    } catch let complaint as Complaint {
      throw complaint
    } catch {
      throw Complaint("\(error)")
    }
  }

  private func scratchFolder() throws -> String {
    var template = Array((FileManager.default.temporaryDirectory.path + "/atelier-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw Complaint("No folder for temporary files could be made.") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func key(of snapshot: Snapshot, _ manifest: Snapshot.Manifest) throws -> [UInt8]? {
    guard let path = secret ?? (manifest.holdsSecret ? snapshot.secretPath : nil) else {
      guard verify else {
        throw Complaint("A restore needs --secret FILE, the copy of instance.secret that was kept elsewhere.")
      }
      return nil
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw Complaint("\(path) can not be read.") }
    guard let key = InstanceSecret.parse(Array(data)) else {
      throw Complaint("\(path) holds neither the 32 bytes of a secret nor its written form.")
    }
    return key
  }

  private func report(_ found: Examination, of manifest: Snapshot.Manifest, hasKey: Bool) throws {
    let problems = found.faults + found.pictures
    guard problems.isEmpty || (found.faults.isEmpty && withoutDamagedPictures && !verify) else {
      throw Complaint("This backup is not whole:\n" + problems.map { "- \($0)" }.joined(separator: "\n"))
    }
    for problem in problems { printError("left out: \(problem)") }
    print(
      "\(problems.isEmpty ? "A whole" : "A") backup of \(manifest.base) from \(manifest.made.iso8601Seconds), "
        + "\(manifest.pictures) pictures.")
    if !hasKey { print("The signing keys were not tried: that takes --secret FILE.") }
  }
}

struct Pause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deliver nothing to other servers for now; what is to be told them waits.",
    discussion: "A running server stops within seconds. It goes on to receive, and to answer who asks.")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    _ = try options.existing()
    try await options.withServices { services in
      print(
        try await services.pauseDeliveries()
          ? "Nothing is delivered until `atelier resume`." : "Deliveries were paused already; nothing was changed.")
    }
  }
}

struct Resume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deliver to other servers again after a restore or a pause.",
    discussion: """
      After a restore, deliveries that waited when the backup was made are given up: they arrived after it, or what \
      they say was overtaken.
      """)

  @OptionGroup var options: SettingsOptions
  @Flag(help: "After a restore, also send what waited in the backup.") var sendOld = false

  func run() async throws {
    _ = try options.existing()
    try await options.withServices { services in
      guard let resumed = try await services.resumeDeliveries(sendingOld: sendOld) else {
        print("Deliveries were not paused; nothing was changed.")
        return
      }
      print("Deliveries go on within seconds; \(resumed.waiting) wait.")
      if resumed.abandoned > 0 { print("\(resumed.abandoned) that waited in the backup were given up.") }
    }
  }
}
