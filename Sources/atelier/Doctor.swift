import ArgumentParser
import Foundation
import Server

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine the instance and say what to do about each finding. Exit status 1 when something is bad.")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let findings = try await options.withServices { await $0.examine() }
    for finding in findings {
      print("\(mark(finding.grade)) \(finding.text)")
      if let remedy = finding.remedy { print("       \(remedy)") }
    }
    if findings.contains(where: { $0.grade == .bad }) { throw ExitCode.failure }
  }

  private func mark(_ grade: Finding.Grade) -> String {
    switch grade {
    case .good: "  ok  "
    case .note: " note "
    case .bad: " BAD  "
    }
  }
}
