import ArgumentParser
import Foundation
import HTTPSupport
import Model
import Persistence
import Primitives
import Server
import Store

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "People of this instance.",
    subcommands: [
      Create.self, Token.self, Password.self, Reset.self, Pending.self, Approve.self, Reject.self, Invite.self,
      Suspend.self, Unsuspend.self, Delete.self,
    ])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Create an account. The password is generated and printed once, unless it comes on standard input.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name, such as mika.") var name: String
    @Option(help: "Where to reach the person.") var email: String
    @Option(help: "artist, moderator or admin.") var role: String = "artist"
    @Flag(help: "Read the password from standard input.") var passwordStdin = false

    func run() async throws {
      guard let role = Role(rawValue: role) else {
        throw Complaint("The role is artist, moderator or admin, not \"\(role)\".")
      }
      let chosen = passwordStdin ? readLine(strippingNewline: true) ?? "" : nil
      if let chosen, chosen.count < 12 { throw Complaint("A password has at least 12 characters.") }
      try await options.withServices { services in
        let password = chosen ?? services.surroundings.random.token(bytes: 15)
        let account = try await services.createAccount(
          username: name, email: email, password: password, role: role)
        printError("Created @\(account.username)@\(services.instance.host) (\(role.rawValue)).")
        if chosen == nil {
          printError("Password, shown this once:")
          print(password)
        }
      }
    }
  }

  struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a new API token for an account on standard output.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name of the account.") var name: String
    @Option(help: "What the token may do, separated by spaces or commas.") var scopes: String = "read write follow"

    func run() async throws {
      let wanted = scopes.split { $0 == " " || $0 == "," }.map(String.init)
      let tops: Set = ["read", "write", "follow", "push", "profile"]
      for scope in wanted where !tops.contains(String(scope.prefix { $0 != ":" })) {
        throw Complaint("\"\(scope)\" is no scope. Scopes are read, write, follow, or parts such as write:media.")
      }
      let token = try await options.withServices { services in
        guard let account = try await services.database.read({ try $0.account(username: name, host: nil) }) else {
          throw Complaint("There is no account \"\(name)\" on this instance.")
        }
        let secret = services.surroundings.random.token()
        let token = AccessToken(
          id: services.ids.next(), secretHash: secretHash(secret), accountID: account.id,
          application: "command line", scopes: wanted.joined(separator: " "), createdAt: services.time.now())
        try await services.database.write { try $0.insert(token) }
        return secret
      }
      print(token)
    }
  }
}
