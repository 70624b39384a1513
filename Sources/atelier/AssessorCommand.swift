import ArgumentParser
import Federation
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Server
import Store

/// Whose assessments of pictures are heard here, how much they count, and who hears ours.
struct AssessorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assessor",
    abstract: "Exchange assessments of pictures with servers you trust.",
    discussion: """
      An assessment of another server is evidence, not a verdict. It counts nothing until you give its assessor a \
      weight; pictures are flagged or held when trusted weights reach 1 together, and never refused.
      """,
    subcommands: [List.self, Follow.self, Weigh.self, Forget.self, Approve.self, Decline.self, Effect.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show who is followed, who follows and who asks to.")
    @OptionGroup var options: SettingsOptions

    func run() async throws {
      try await options.withServices { services in
        let own = services.instance.assessor
        let found = try await services.database.read { tx -> [String] in
          guard let us = try tx.account(uri: own) else { return [] }
          let peers = try tx.assessorPeers()
          let people = try tx.accounts(peers.map(\.accountID))
          let heard = try peers.compactMap { peer -> String? in
            guard let account = people[peer.accountID] else { return nil }
            let state = try tx.follow(of: account.id, by: us.id)?.state.rawValue ?? "not followed"
            return "hears\t@\(account.acct)\tweight \(peer.weight)\t\(state)"
          }
          let page = Page<Model.Follow>(limit: 500)
          let told = try tx.followers(of: us.id, page).map { "tells\t@\($0.account.acct)" }
          let asking = try tx.followRequests(to: us.id, page).map { "asks\t@\($0.account.acct)" }
          let counts = try tx.assessmentCounts().map { "counted\t\($0.host)\t\($0.decision.rawValue)\t\($0.count)" }
          return ["effect\t\(try tx.assessmentEffect().rawValue)"] + heard + told + asking + counts
        }
        for line in found { print(line) }
      }
    }
  }

  struct Follow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask another server's assessor for its assessments. Its admin has to agree.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name, such as assessor@paper.example.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let assessor = try await services.assessor(name)
        let context = services.context
        try await services.database.write { try $0.followAssessor(assessor, in: context) }
        printError("@\(assessor.acct) is asked. What it says counts nothing until you give it a weight.")
      }
    }
  }

  struct Weigh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say how much an assessor counts, from 0 to 1. What it has said is weighed again.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name, such as assessor@paper.example.") var name: String
    @Argument(help: "0 for nothing; at 1 it can have a picture flagged alone.") var weight: Double

    func run() async throws {
      try await options.withServices { services in
        let assessor = try await services.known(name)
        let context = services.context
        try await services.database.write { try $0.setWeight(of: assessor, to: weight, in: context) }
        printError("@\(assessor.acct) has the weight \(weight).")
      }
    }
  }

  struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hear an assessor no more, and tell it nothing. What it has said counts nothing.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let assessor = try await services.known(name)
        let context = services.context
        try await services.database.write { try $0.forgetAssessor(assessor, in: context) }
        printError("@\(assessor.acct) is forgotten.")
      }
    }
  }

  struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let another server's assessor hear ours.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let (assessor, own) = try await services.assessors(name)
        let context = services.context
        try await services.database.write { try $0.acceptFollow(by: assessor, to: own, in: context) }
        printError("@\(assessor.acct) hears our assessments from now on.")
      }
    }
  }

  struct Decline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Do not let another server's assessor hear ours, or not any more.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name.") var name: String

    func run() async throws {
      try await options.withServices { services in
        let (assessor, own) = try await services.assessors(name)
        let context = services.context
        try await services.database.write { try $0.rejectFollow(by: assessor, to: own, in: context) }
        printError("@\(assessor.acct) does not hear our assessments.")
      }
    }
  }

  struct Effect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what trusted assessments do once their weights reach 1: label or hold. Never refuse.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "label or hold") var effect: String

    func run() async throws {
      guard let effect = AssessmentEffect(rawValue: effect) else { throw Complaint("label or hold") }
      try await options.withServices { services in
        let context = services.context
        try await services.database.write { try $0.setAssessmentEffect(effect, in: context) }
        printError("Trusted assessments \(effect == .label ? "flag" : "hold") a picture.")
      }
    }
  }
}

extension Services {
  /// The assessor of another server, asked for there when it is not known here.
  fileprivate func assessor(_ name: String) async throws -> Account {
    guard let found = try await receiving.resolve(query: name), case .account(let account) = found else {
      throw Complaint("Nobody of this name was found. Such a name looks like assessor@paper.example.")
    }
    return account
  }

  fileprivate func assessors(_ name: String) async throws -> (Account, own: Account) {
    let assessor = try await known(name)
    let own = instance.assessor
    guard let us = try await database.read({ try $0.account(uri: own) }) else { throw OperationFailure.notFound }
    return (assessor, us)
  }
}
