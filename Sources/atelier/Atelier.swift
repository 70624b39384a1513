import ArgumentParser
import Forensics
import Foundation
import Server

@main
struct Atelier: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atelier",
    abstract: "A federated server for artist collectives.",
    discussion: """
      Settings come from flags, then ATELIER_* variables, then the file named by --config or ATELIER_CONFIG. \
      Every command needs to know the instance: --home and --base-url, or the variables, or the file.
      """,
    version: Version.current,
    subcommands: [
      Serve.self, AccountCommand.self, MailCommand.self, PostCommand.self, PolicyCommand.self, AssessorCommand.self,
      RelayCommand.self, DeliveriesCommand.self, Detect.self, DetectorCommand.self, Doctor.self, Migrate.self,
      BackupCommand.self, Restore.self, Pause.self, Resume.self,
    ])

  /// The media worker is this same binary: it must lock itself down before any argument parser or runtime of ours
  /// has opened a thing.
  static func main() async {
    let arguments = CommandLine.arguments
    if arguments.count >= 2, arguments[1] == "media-worker" {
      Foundation.exit(MediaWorker.main(arguments: Array(arguments.dropFirst(2))))
    }
    await main(nil)
  }
}
