import ArgumentParser
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store

extension AccountCommand {
  struct Pending: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Who asked for an account and waits for an answer, oldest first.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
      try await options.withServices { services in
        let waiting = try await services.database.read { try $0.signUps(in: .waiting, limit: 1_000) }
        for asked in waiting {
          let reason = asked.reason.split(whereSeparator: \.isNewline).joined(separator: " ")
          print("\(asked.username)\t\(asked.createdAt.iso8601Seconds)\t\(reason)")
        }
        if waiting.isEmpty { printError("Nobody waits.") }
      }
    }
  }

  struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open the account that somebody asked for.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name that was asked for.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let account = try await services.joiningDesk.approve(try await services.waiting(name).id)
        printError("@\(account.username) is in, and gets a mail.")
      }
    }
  }

  struct Reject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Decline a request for an account. What was written is deleted, and the person gets a mail.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name that was asked for.") var name: String

    func run() async throws {
      try await options.withServices { services in
        try await services.joiningDesk.decline(try await services.waiting(name).id)
        printError("Declined.")
      }
    }
  }

  struct Invite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a link that lets one person in, within two weeks, whether this place is open or not.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
      try await options.withServices { services in
        guard services.settings.mail != nil, services.settings.signUps.mode != .closed else {
          throw Complaint("Invitations need smtp.host, and registrations.mode open, approval or invite.")
        }
        print(try await services.joiningDesk.invite(by: nil, secret: services.surroundings.random.token()).text)
      }
    }
  }

  struct Reset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Send a person a mail with a link for a new password.")

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The name of the account.") var name: String

    func run() async throws {
      try await options.withServices { services in
        guard services.settings.mail != nil else { throw Complaint("No mail server is set: see smtp.host.") }
        guard let user = try await services.database.read({ try $0.user(named: name) }) else {
          throw Complaint("There is no account \"\(name)\" on this instance.")
        }
        let context = services.context
        try await services.database.write { try $0.requestPasswordReset(of: user, in: context) }
        printError("The mail is on its way as soon as the server runs.")
      }
    }
  }
}

extension Services {
  fileprivate func waiting(_ name: String) async throws -> SignUp {
    guard let asked = try await database.read({ try $0.signUp(username: name.lowercased()) }), asked.state == .waiting
    else { throw Complaint("Nobody of the name \"\(name)\" waits for an answer.") }
    return asked
  }
}
