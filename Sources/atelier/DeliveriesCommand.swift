import ArgumentParser
import Model
import Persistence
import Primitives
import Server
import Store

/// What other servers have not been told, and why.
struct DeliveriesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deliveries",
    abstract: "List servers that could not be reached, with what waits for them and what came too late.")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let troubles = try await options.withServices { services in
      try await services.database.read { try $0.deliveryTroubles() }
    }
    if troubles.isEmpty { print("Every server was told everything.") }
    for trouble in troubles {
      let rest = trouble.restsUntil.map { "rests until \($0.iso8601Seconds)" } ?? "is tried"
      let last = trouble.lastError.map { ", last answer \($0)" } ?? ""
      print(
        "\(trouble.host)\t\(trouble.waiting) waiting, \(trouble.expired) expired\t"
          + "\(rest), \(trouble.failingDays) days without success\(last)")
    }
  }
}
