import ArgumentParser
import Foundation
import Logging
import Operations
import Server

/// The flags every command understands, and the way from them to opened services.
struct SettingsOptions: ParsableArguments {
  @Option(help: "The settings file (TOML).") var config: String?
  @Option(help: "The folder of database, media and secret.") var home: String?
  @Option(name: .customLong("base-url"), help: "The public address, such as https://paper.example.")
  var baseURL: String?

  func settings(_ flags: [String: String] = [:]) throws -> Settings {
    var sources = SettingsSources(flags: flags, environment: ProcessInfo.processInfo.environment)
    if let home { sources.flags["home"] = home }
    if let baseURL { sources.flags["instance.base_url"] = baseURL }
    do {
      if let file = config ?? sources.environment["ATELIER_CONFIG"] { try sources.read(file: file) }
      return try Settings(reading: sources)
    } catch {
      throw Complaint("These settings can not be used:\n\(error)")
    }
  }

  /// The settings of an instance that is there: for commands that must not make one.
  func existing() throws -> Settings {
    let settings = try settings()
    guard FileManager.default.fileExists(atPath: settings.databasePath) else {
      throw Complaint("\(settings.home) holds no instance.")
    }
    return settings
  }

  /// Opens the instance, runs `body`, and closes it.
  func withServices<T: Sendable>(_ body: (Services) async throws -> T) async throws -> T {
    let settings = try settings()
    do {
      let services = try await Services.open(settings, Surroundings(log: logger(level: "warning")))
      do {
        let result = try await body(services)
        try await services.close()
        return result
      } catch {
        try await services.close()
        throw error
      }
    } catch let complaint as Complaint {
      throw complaint
    } catch let failure as OperationFailure {
      throw Complaint(failure.sentence)
    } catch {
      throw Complaint("\(error)")
    }
  }
}

/// Log lines go to standard error: standard output belongs to what a script reads.
func logger(level: String) -> Logger {
  var log = Logger(label: "atelier") { StreamLogHandler.standardError(label: $0) }
  log.logLevel = Logger.Level(rawValue: level) ?? .info
  return log
}

/// What a person at the terminal is told; nothing was changed.
struct Complaint: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func printError(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
