import ArgumentParser
import Model
import Operations
import Persistence
import Primitives
import Server
import Store

struct MailCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mail", abstract: "Mail this instance sends, and hosts of e-mail it refuses.",
    subcommands: [Test.self, Block.self, Unblock.self, Blocked.self])

  struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Send one mail now and say what the mail server answered.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "Where to.") var address: String

    func run() async throws {
      guard let address = EmailAddress(address) else { throw Complaint("This is no e-mail address.") }
      try await options.withServices { services in
        guard let failure = try await services.tryMail(to: address) else {
          printError("The mail server took it.")
          return
        }
        throw Complaint("The mail was not taken: \(failure).")
      }
    }
  }

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give no account to addresses at a host, or at anything under it.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The host, such as throwaway.example.") var host: String

    func run() async throws {
      let host = host.lowercased()
      guard EmailAddress.isDomain(host) else { throw Complaint("\"\(host)\" is no host name.") }
      try await options.withServices { services in
        let now = services.time.now()
        try await services.database.write { try $0.blockMailHost(host, at: now) }
        printError("Addresses at \(host) get no account. Those that have one keep it.")
      }
    }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take a host of e-mail off the list.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The host.") var host: String

    func run() async throws {
      try await options.withServices { services in
        guard try await services.database.write({ try $0.unblockMailHost(host.lowercased()) }) else {
          throw Complaint("\(host) is not blocked.")
        }
        printError("Addresses at \(host) may sign up.")
      }
    }
  }

  struct Blocked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the hosts of e-mail that get no account.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
      try await options.withServices { services in
        for host in try await services.database.read({ try $0.blockedMailHosts() }) { print(host) }
      }
    }
  }
}
