import Forensics
import Foundation
import Media
import Model
import Policy
import Primitives
import TOMLKit
import Transport

/// What an operator decides before the start. What admins change at run time lives in the database.
package struct Settings: Hashable, Sendable {
  package enum Listen: Hashable, Sendable, CustomStringConvertible {
    case address(String, Int)
    case unixSocket(String)
    package var description: String {
      switch self {
      case .address(let host, let port): "\(host):\(port)"
      case .unixSocket(let path): "unix:\(path)"
      }
    }
  }

  /// Which GETs of ActivityPub documents must be signed.
  package enum AuthorizedFetch: String, Hashable, Sendable, CaseIterable { case off, objects, all }

  package var instance: Instance
  package var title: String
  package var about: String
  package var listen: Listen
  /// The folder of database, media and secret.
  package var home: String
  package var allowedPrivateNetworks: [CIDR]
  package var extraCAFile: String?
  package var authorizedFetch: AuthorizedFetch
  package var logLevel: String
  package var mediaWorkers: Int
  /// MiB that the pictures of one account may take; nil is as many as there is room for.
  package var mediaQuota: Int?
  /// Off unless an operator names one: pictures leave the instance.
  package var httpDetector: HTTPDetector.Settings?
  /// Private networks in which it may be, such as that of this machine.
  package var detectorNetworks: [CIDR]
  /// Where onnxruntime is; asked for only when a model from outside was added.
  package var onnxLibrary: String
  /// Nil sends nothing.
  package var mail: MailSettings?
  package var signUps: SignUpRules
  /// Where `atelier backup` puts backups; nil where nobody said.
  package var backupFolder: String?
  /// Days of backups that are kept.
  package var backupDays: Int

  package var databasePath: String { home + "/atelier.db" }
  package var mediaPath: String { home + "/media" }
  package var secretPath: String { home + "/instance.secret" }
  /// Models, and the calibrations made here.
  package var detectorPath: String { home + "/detectors" }
}

/// Everything that is wrong with the settings, at once: an operator fixes them in one go.
package struct SettingsProblems: Error, CustomStringConvertible, Sendable {
  package let problems: [String]
  package var description: String { problems.map { "- \($0)" }.joined(separator: "\n") }
}

/// Where a setting may come from, strongest first: a flag, the environment, the file.
package struct SettingsSources: Sendable {
  package var flags: [String: String]
  package var environment: [String: String]
  /// Keys as `section.name`.
  package var file: [String: String]

  package init(flags: [String: String] = [:], environment: [String: String] = [:], file: [String: String] = [:]) {
    self.flags = flags
    self.environment = environment
    self.file = file
  }

  package static let names =
    [
      "instance.base_url", "instance.title", "instance.about", "instance.usage_policy", "listen", "home",
      "federation.allowed_private_networks", "federation.extra_ca_file", "federation.authorized_fetch", "log.level",
      "media.workers", "media.quota", "detector.http.url", "detector.http.name", "detector.http.timeout",
      "detector.http.private_networks", "detector.onnx.runtime", "backup.folder", "backup.days",
    ] + Settings.mailNames

  /// `instance.base_url` is `ATELIER_INSTANCE_BASE_URL` in the environment.
  package static func variable(_ name: String) -> String {
    "ATELIER_" + name.uppercased().replacingOccurrences(of: ".", with: "_")
  }

  func value(_ name: String) -> String? { flags[name] ?? environment[Self.variable(name)] ?? file[name] }

  /// Reads a TOML file into `section.name` keys; an array becomes a comma-separated list.
  package mutating func read(file path: String) throws(SettingsProblems) {
    do {
      let table = try TOMLTable(string: String(contentsOfFile: path, encoding: .utf8))
      collect(table, prefix: "")
    } catch {
      throw SettingsProblems(problems: ["\(path) could not be read as TOML: \(error)"])
    }
  }

  private mutating func collect(_ table: TOMLTable, prefix: String) {
    for (key, value) in table {
      let name = prefix + key
      if let nested = value.table {
        collect(nested, prefix: name + ".")
      } else if let list = value.array {
        file[name] = list.compactMap(\.string).joined(separator: ",")
      } else if let text = value.string {
        file[name] = text
      } else if let number = value.int {
        file[name] = String(number)
      } else if let flag = value.bool {
        file[name] = String(flag)
      }
    }
  }
}

extension Settings {
  package init(reading sources: SettingsSources) throws(SettingsProblems) {
    var problems: [String] = []
    let known = Set(SettingsSources.names)
    for name in sources.file.keys.sorted() where !known.contains(name) {
      problems.append("\(name) in the settings file is no setting of Atelier.")
    }
    for name in sources.environment.keys.sorted()
    where name.hasPrefix("ATELIER_") && !SettingsSources.names.contains(where: { SettingsSources.variable($0) == name })
      && !Settings.foreignVariables.contains(name)
    {
      problems.append("\(name) in the environment is no setting of Atelier.")
    }
    let preset = Settings.preset(sources.value("instance.usage_policy"), &problems)
    let instance = Settings.instance(sources.value("instance.base_url"), preset, &problems)
    let listen = Settings.listen(sources.value("listen") ?? "127.0.0.1:8080", &problems)
    let home = sources.value("home") ?? ""
    if !home.hasPrefix("/") { problems.append("home must be the absolute path of a folder, such as /var/lib/atelier.") }
    let networks = Settings.networks(sources, "federation.allowed_private_networks", &problems)
    let detectorNetworks = Settings.networks(sources, "detector.http.private_networks", &problems)
    let detector = Settings.detector(sources, &problems)
    let mail = Settings.mail(sources, &problems)
    let signUps = Settings.signUps(sources, &problems)
    let extraCA = sources.value("federation.extra_ca_file").flatMap { $0.isEmpty ? nil : $0 }
    if let extraCA, !FileManager.default.isReadableFile(atPath: extraCA) {
      problems.append("federation.extra_ca_file: \(extraCA) can not be read.")
    }
    let fetchText = sources.value("federation.authorized_fetch") ?? "objects"
    let fetch = AuthorizedFetch(rawValue: fetchText)
    if fetch == nil { problems.append("federation.authorized_fetch is off, objects or all, not \"\(fetchText)\".") }
    let level = sources.value("log.level") ?? "info"
    if !["trace", "debug", "info", "notice", "warning", "error", "critical"].contains(level) {
      problems.append("log.level \"\(level)\" is none of trace, debug, info, notice, warning, error, critical.")
    }
    let workersText = sources.value("media.workers") ?? "2"
    let workers = Int(workersText).flatMap { (1...64).contains($0) ? $0 : nil }
    if workers == nil { problems.append("media.workers is a number from 1 to 64, not \"\(workersText)\".") }
    let quotaText = sources.value("media.quota") ?? "10240"
    let quota = Int(quotaText).flatMap { (0...1 << 30).contains($0) ? $0 : nil }
    if quota == nil {
      problems.append(
        "media.quota is the MiB one account's pictures may take, or 0 for no bound, not \"\(quotaText)\".")
    }
    let backupFolder = sources.value("backup.folder").flatMap { $0.isEmpty ? nil : $0 }
    if let backupFolder, !backupFolder.hasPrefix("/") {
      problems.append("backup.folder must be the absolute path of a folder, such as /var/backups/atelier.")
    }
    let daysText = sources.value("backup.days") ?? "14"
    let days = Int(daysText).flatMap { (1...3_650).contains($0) ? $0 : nil }
    if days == nil { problems.append("backup.days is a number from 1 to 3650, not \"\(daysText)\".") }
    guard problems.isEmpty, let instance, let listen, let fetch, let workers, let days else {
      throw SettingsProblems(problems: problems)
    }
    self.init(
      instance: instance, title: sources.value("instance.title") ?? instance.host.text,
      about: sources.value("instance.about") ?? "", listen: listen, home: home, allowedPrivateNetworks: networks,
      extraCAFile: extraCA, authorizedFetch: fetch, logLevel: level, mediaWorkers: workers,
      mediaQuota: quota == 0 ? nil : quota, httpDetector: detector, detectorNetworks: detectorNetworks,
      onnxLibrary: sources.value("detector.onnx.runtime") ?? OnnxRuntime.usualLibrary, mail: mail, signUps: signUps,
      backupFolder: backupFolder, backupDays: days)
  }

  /// Variables of this name that the deployment scripts use for themselves.
  private static let foreignVariables: Set<String> = ["ATELIER_CONFIG", "ATELIER_PORT"]

  private static func preset(_ text: String?, _ problems: inout [String]) -> UsagePolicy.Preset {
    guard let text else { return .standard }
    guard let preset = UsagePolicy.Preset(rawValue: text) else {
      let names = UsagePolicy.Preset.allCases.map(\.rawValue).joined(separator: ", ")
      problems.append("instance.usage_policy is one of \(names), not \"\(text)\".")
      return .standard
    }
    return preset
  }

  private static func instance(
    _ text: String?, _ usagePolicy: UsagePolicy.Preset, _ problems: inout [String]
  ) -> Instance? {
    guard let text, !text.isEmpty else {
      problems.append("instance.base_url is missing: the address people will use, such as https://paper.example.")
      return nil
    }
    guard let iri = IRI(text), let instance = Instance(base: iri, usagePolicy: usagePolicy) else {
      problems.append("instance.base_url must be an address without a path, such as https://paper.example.")
      return nil
    }
    let loopback = ["localhost", "127.0.0.1", "[::1]"].contains(iri.host.name)
    if instance.isTrial, !loopback {
      problems.append("instance.base_url must be https://. Plain http is for a trial on localhost only.")
    }
    return instance
  }

  private static func listen(_ text: String, _ problems: inout [String]) -> Listen? {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      if path.hasPrefix("/"), path.utf8.count < 100 { return .unixSocket(path) }
    } else if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (1...65_535).contains(port), colon > text.startIndex
    {
      return .address(String(text[..<colon]).trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port)
    }
    problems.append("listen is an address with a port, such as 127.0.0.1:8080, or unix:/run/atelier.sock.")
    return nil
  }

  private static func networks(
    _ sources: SettingsSources, _ name: String, _ problems: inout [String]
  ) -> [CIDR] {
    (sources.value(name) ?? "").split(separator: ",").compactMap { piece in
      let network = CIDR(piece.trimmingCharacters(in: .whitespaces))
      if network == nil { problems.append("\(name): \"\(piece)\" is no network such as 127.0.0.0/8.") }
      return network
    }
  }

  private static func detector(_ sources: SettingsSources, _ problems: inout [String]) -> HTTPDetector.Settings? {
    guard let text = sources.value("detector.http.url"), !text.isEmpty else { return nil }
    let url = IRI(text)
    if url == nil { problems.append("detector.http.url is an address such as https://detector.example/score.") }
    let name = sources.value("detector.http.name") ?? ""
    let isName =
      (1...40).contains(name.utf8.count)
      && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    if !isName { problems.append("detector.http.name is up to 40 of a-z, 0-9 and -, not \"\(name)\".") }
    let secondsText = sources.value("detector.http.timeout") ?? "10"
    let seconds = Int(secondsText).flatMap { (1...30).contains($0) ? $0 : nil }
    if seconds == nil {
      problems.append("detector.http.timeout is a number of seconds from 1 to 30, not \"\(secondsText)\".")
    }
    guard let url, let seconds, isName else { return nil }
    return HTTPDetector.Settings(url: url, name: name, timeout: .seconds(seconds))
  }
}
