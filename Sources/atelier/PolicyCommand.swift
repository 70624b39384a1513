import ArgumentParser
import Foundation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Store

struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "How this instance treats pictures, and which servers it does without.",
    subcommands: [Show.self, SetThreshold.self, Try.self, Block.self, Unblock.self, Blocks.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the policy in force as JSON, with what its threshold means in human pictures.")
    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let text = try await options.withServices { services in
        let revision = try await services.database.read { try $0.currentPolicy() }
        return try PolicyCommand.encoded(revision.document, services)
      }
      print(text)
    }
  }

  struct SetThreshold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set-threshold",
      abstract: "Set the score from which a picture is labelled, and what else the policy does.",
      discussion: """
        A threshold of 0.995 means that at most 5 of 1,000 human pictures are flagged. Lower thresholds hit more human \
        artists, and always the same ones: a detector that misreads somebody's work misreads all of it.
        """)
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Above 0, at most 1.") var threshold: Double
    @Option(help: "What to do with conclusive evidence: accept, label, hold or refuse.") var conclusive: String?
    @Option(help: "What to do with strong evidence.") var strong: String?
    @Option(help: "What to do with a score at or above the threshold.") var score: String?
    @Option(help: "What to do with a picture declared as generated.") var declared: String?
    @Option(help: "What to do with a picture declared as made with the help of a generator.") var assisted: String?
    @Flag(help: "Hold or refuse by score although that hits human artists: you have read the warning.")
    var acceptsFalseRefusals = false

    func run() async throws {
      let (number, words) = try await options.withServices { services in
        let current = try await services.database.read { try $0.currentPolicy() }
        var draft = current.document.draft
        draft.threshold = threshold
        draft.conclusive = conclusive ?? draft.conclusive
        draft.strong = strong ?? draft.strong
        draft.score = score ?? draft.score
        draft.declared = declared ?? draft.declared
        draft.assisted = assisted ?? draft.assisted
        // Consent is for what it was given for; a harsher policy needs it again.
        draft.acceptsFalseRefusals = acceptsFalseRefusals || current.document.isConsentEnough(for: draft)
        let document: PolicyDocument
        do throws(PolicyDocument.Invalid) {
          document = try PolicyDocument(draft)
        } catch {
          let isConsent = error.problems.contains { $0.key == "score" } && !acceptsFalseRefusals
          throw Complaint(isConsent ? "\(error) The flag is --accepts-false-refusals." : "\(error)")
        }
        let meaning = ScoreMeaning(threshold: document.threshold, detectors: services.detectorBases)
        if document.score > .accept, let objection = meaning.objection { throw Complaint(objection) }
        let context = services.context
        let number = try await services.database.write { tx in
          try tx.changePolicy(
            to: document, from: current.number, note: "set-threshold \(document.threshold)", by: nil, in: context
          ).number
        }
        return (number, PolicyCommand.words(of: document, services))
      }
      for line in words { print(line) }
      print("Revision \(number) is in force. Earlier decisions of the last 30 days are looked at again.")
    }
  }

  struct Try: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what a policy would have done to the pictures of the last 30 days, and change nothing.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "A JSON file as `policy show` prints it; - reads standard input.") var file: String

    func run() async throws {
      let data =
        file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
      guard let data else { throw Complaint("\(file) can not be read.") }
      let document: PolicyDocument
      do {
        document = try PolicyDocument(JSONDecoder().decode(PolicyDocument.Draft.self, from: data))
      } catch {
        throw Complaint("\(file) is no policy: \(error)")
      }
      let (comparison, words) = try await options.withServices { services in
        let since = ID<DecisionRecord>(rawValue: services.time.now().adding(.seconds(-30 * 86_400)).milliseconds << 16)
        let comparison = try await services.database.read { tx in
          let cases = try tx.automaticDecisions(since: since, limit: Limits.reconsideredPictures)
          return compare(
            try tx.currentPolicy().document, document, over: cases.map { ($0.attachmentID, $0.facts) })
        }
        return (comparison, PolicyCommand.words(of: document, services))
      }
      for line in words { print(line) }
      print("\(comparison.examined) pictures looked at, \(comparison.changes.count) would be decided differently.")
      for change in comparison.changes.prefix(50) {
        print("picture \(change.key): \(change.old.verdict.rawValue) -> \(change.new.verdict.rawValue)")
      }
    }
  }

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Refuse everything from a server and its subdomains, and send it nothing more.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name, such as spam.example.") var host: String
    @Option(help: "Why, for the other moderators.") var reason: String = ""

    func run() async throws {
      guard let name = Host(host)?.name else { throw Complaint("\"\(host)\" is no name of a server.") }
      try await options.withServices { services in
        guard name != services.instance.host.name else { throw Complaint("That is this server.") }
        let now = services.time.now()
        try await services.database.write { try $0.block(host: name, reason: reason, at: now) }
      }
      print("\(name) is blocked.")
    }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Talk to a server again.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "Its name.") var host: String

    func run() async throws {
      try await options.withServices { services in
        try await services.database.write { try $0.unblock(host: host.lowercased()) }
      }
      print("\(host) is not blocked.")
    }
  }

  struct Blocks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the blocked servers.")
    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let blocks = try await options.withServices { services in
        try await services.database.read { try $0.blockedHosts() }
      }
      for block in blocks { print("\(block.host)\t\(block.createdAt.iso8601Day)\t\(block.reason)") }
    }
  }

  /// The document with one member more, which `try` passes over.
  private static func encoded(_ document: PolicyDocument, _ services: Services) throws -> String {
    struct Told: Encodable {
      let document: PolicyDocument
      let meaning: String
      let detectors: [DetectorBasis]

      private enum CodingKeys: String, CodingKey { case meaning, detectors }

      func encode(to encoder: any Encoder) throws {
        try document.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(meaning, forKey: .meaning)
        try container.encode(detectors, forKey: .detectors)
      }
    }
    let detectors = services.detectorBases
    let meaning = ScoreMeaning(threshold: document.threshold, detectors: detectors).sentence
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(
      decoding: try encoder.encode(Told(document: document, meaning: meaning, detectors: detectors)), as: UTF8.self)
  }

  /// What an admin is told of a policy before and after it holds.
  private static func words(of document: PolicyDocument, _ services: Services) -> [String] {
    let meaning = ScoreMeaning(threshold: document.threshold, detectors: services.detectorBases)
    var lines = [meaning.sentence]
    lines += meaning.mute.map { "\($0.name) was measured on too few pictures to reach this threshold." }
    if document.score > .label {
      lines.append(
        "WARNING: a picture is to be \(document.score == .hold ? "held" : "refused") because of its pixels alone. Up to "
          + "\(meaning.mostPerThousand) of 1,000 human pictures will be. \(ScoreMeaning.clusters)")
    }
    if let objection = meaning.objection { lines.append(objection) }
    if let notice = services.detectorNotice { lines.append(notice) }
    return lines
  }
}
