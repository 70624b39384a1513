import ArgumentParser
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Server
import Store

extension AccountCommand {
  struct Password: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give an account a new password. Every browser and app of it is signed out.",
      discussion: "The password is generated and printed once, unless it comes on standard input.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name of the account.") var name: String
    @Flag(help: "Read the password from standard input.") var passwordStdin = false

    func run() async throws {
      let chosen = passwordStdin ? readLine(strippingNewline: true) ?? "" : nil
      if let chosen, chosen.count < 12 { throw Complaint("A password has at least 12 characters.") }
      try await options.withServices { services in
        let account = try await services.known(name, hereOnly: true)
        let password = chosen ?? services.surroundings.random.token(bytes: 15)
        try await services.changePassword(of: account.id, to: password)
        printError("@\(account.username) has a new password.")
        if chosen == nil {
          printError("Password, shown this once:")
          print(password)
        }
      }
    }
  }

  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take an account out of sight, here or of another server (name@host). It can be undone.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name, such as mika or mika@paper.example.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let account = try await services.known(name)
        let context = services.context
        try await services.database.write { try $0.suspend(account, in: context) }
        printError("@\(account.acct) is suspended.")
      }
    }
  }

  struct Unsuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a suspended account again.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name, such as mika or mika@paper.example.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let account = try await services.known(name)
        let context = services.context
        try await services.database.write { try $0.unsuspend(account, in: context) }
        printError("@\(account.acct) is shown again.")
      }
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete an account with all its works, here and at everybody who holds a copy. For ever.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name of the account.") var name: String
    @Option(help: "The name once more, so that nobody is deleted by a slip.") var confirm: String

    func run() async throws {
      guard confirm == name else { throw Complaint("--confirm is the name of the account once more.") }
      try await options.withServices { services in
        let account = try await services.known(name, hereOnly: true)
        let context = services.context
        try await services.database.write { try $0.deleteAccount(account, in: context) }
        printError("@\(account.username) is deleted. The name stays taken.")
      }
    }
  }
}

extension Services {
  /// An account by the name an operator types.
  func known(_ name: String, hereOnly: Bool = false) async throws -> Account {
    let parts = name.split(separator: "@").map(String.init)
    var host: Primitives.Host?
    if parts.count == 2, let named = Primitives.Host(parts[1]), named != instance.host { host = named }
    let wanted = host
    guard (1...2).contains(parts.count), !hereOnly || wanted == nil,
      let account = try await database.read({ try $0.account(username: parts[0], host: wanted) })
    else { throw Complaint("There is no account \"\(name)\"\(hereOnly ? " on this instance" : " known here").") }
    return account
  }
}
