import ArgumentParser
import Foundation
import Logging
import Model
import Persistence
import Server

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the server until it is told to stop.")

  @OptionGroup var options: SettingsOptions
  @Option(help: "Where to listen: an address with a port, or unix:/path.") var listen: String?

  func run() async throws {
    var flags: [String: String] = [:]
    if let listen { flags["listen"] = listen }
    let settings = try options.settings(flags)
    let log = logger(level: settings.logLevel)
    var surroundings = Surroundings(log: log)
    surroundings.credentials = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]
    let services: Services
    do {
      services = try await Services.open(settings, surroundings)
    } catch {
      throw Complaint("The instance could not be opened: \(error)")
    }
    try await services.serve()
  }
}

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database up to date without serving. Run before a new version is started.")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    try await options.withServices { services in
      print("The database of \(services.instance.base) is up to date.")
    }
  }
}
