import ArgumentParser
import Federation
import Model
import Operations
import Persistence
import Primitives
import Server
import Store

struct RelayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay", abstract: "Take part in relays, which pass on public posts between many servers.",
    subcommands: [Add.self, List.self, Remove.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Join a relay.",
      discussion: """
        The address of an inbox, as relays for Mastodon give it (https://relay.example/inbox), or of an actor, as \
        relays for Pleroma and Akkoma do (https://relay.example/actor). The relay may take some time to answer; \
        `relay list` says whether it has.
        """)

    @OptionGroup var options: SettingsOptions
    @Argument(help: "The address of the relay.") var address: String

    func run() async throws {
      guard let address = IRI(address) else { throw Complaint("\"\(address)\" is no address.") }
      try await options.withServices { services in
        var inbox = address
        var actor: IRI?
        if !address.path.hasSuffix("/inbox") {
          guard case .account(let account)? = try await services.receiving.resolve(query: address.text) else {
            throw Complaint("There is neither an inbox nor an actor at \(address).")
          }
          inbox = account.inbox
          actor = account.uri
        }
        let (target, style, owner) = (inbox, actor == nil ? Relay.Style.mastodon : .litepub, actor)
        let context = services.context
        _ = try await services.database.write {
          try $0.join(relay: target, style: style, actor: owner, in: context)
        }
      }
      print("The relay is asked as soon as the server runs.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the relays and what they have answered.")
    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let relays = try await options.withServices { services in try await services.database.read { try $0.relays() } }
      if relays.isEmpty { print("There are no relays.") }
      for relay in relays {
        print("\(relay.inbox)\t\(relay.style.rawValue)\t\(relay.state.rawValue)\t\(relay.createdAt.iso8601Seconds)")
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Leave a relay.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "The address of its inbox or of its actor.") var address: String

    func run() async throws {
      let address = address
      try await options.withServices { services in
        let context = services.context
        let left = try await services.database.write { tx -> Bool in
          guard
            let relay = try tx.relays().first(where: { $0.inbox.text == address || $0.actor?.text == address })
          else { return false }
          try tx.leave(relay, in: context)
          return true
        }
        guard left else { throw Complaint("There is no relay with that address.") }
      }
      print("The relay is left, and told so as soon as the server runs.")
    }
  }
}
