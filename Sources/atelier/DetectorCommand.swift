import ArgumentParser
import DetectorTraining
import Forensics
import Foundation
import Primitives
import Server

struct DetectorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detector",
    abstract: "The model that looks at pixels: which one is asked, what it is worth here, and one of your own.",
    discussion: """
      Pictures are opened in sandboxed processes. What is kept of them are numbers in the home folder, from which no \
      picture can be made again.
      """,
    subcommands: [
      List.self, Activate.self, Rollback.self, Calibrate.self, Train.self, Evaluate.self, Explain.self,
      DetectorImport.self, DetectorAddOnnx.self,
    ])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the detectors; a star marks the active one.")
    @OptionGroup var options: DetectorOptions
    @Flag(help: "As JSON.") var json = false

    func run() throws {
      let shelf = try options.shelf()
      let entries = shelf.entries()
      if json {
        print(JSON.array(entries.map(\.json)).text)
      } else {
        for entry in entries { print(entry.line) }
      }
      if let warning = shelf.active()?.warning { printError("Warning: \(warning)") }
    }
  }

  struct Activate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask another detector, from the next start of the server on.",
      discussion: "Pictures decided before stay decided; `atelier detector rollback` goes back.")
    @OptionGroup var options: DetectorOptions
    @Argument(help: "A name that `atelier detector list` shows.") var name: String
    @Flag(help: "Although its own report says why it should not be: you have read the reasons.")
    var knowingTheReasons = false

    func run() async throws {
      let shelf = try options.shelf()
      try await complaining {
        _ = try shelf.model(name)
        let reasons = shelf.reasons(name)
        if !reasons.isEmpty, !knowingTheReasons {
          throw Complaint(
            """
            [detector.not_fit] "\(name)" was not activated. \(reasons.joined(separator: " ")) It would accuse people: \
            to use it all the same, say --knowing-the-reasons.
            """)
        }
        try shelf.activate(name)
      }
      print("\(name) is active. A running server asks it after its next start.")
    }
  }

  struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Back to the detector that was active before.")
    @OptionGroup var options: DetectorOptions

    func run() async throws {
      let shelf = try options.shelf()
      let name = try await complaining { try shelf.rollBack() }
      print("\(name) is active again. A running server asks it after its next start.")
    }
  }
}

extension DetectorShelf.Entry {
  fileprivate var line: String {
    let mark = isActive ? "*" : " "
    switch model {
    case .failure(let failure): return "\(mark) \(name)\tunusable: [\(failure.code)] \(failure.text)"
    case .success(let model):
      let basis = "\(model.calibration.images) human pictures of \(model.calibration.sources) sources"
      let remark = reasons.isEmpty ? "" : "\tnot fit for use: \(reasons.joined(separator: " "))"
      return "\(mark) \(name)\t\(model.card.detector)\t\(model.card.date)\tcalibrated on \(basis)\(remark)"
    }
  }

  fileprivate var json: JSON {
    var out: JSON = [
      "name": .string(name), "active": .bool(isActive), "reasons_against": .array(reasons.map { .string($0) }),
    ]
    switch model {
    case .failure(let failure): out["error"] = ["code": .string(failure.code), "text": .string(failure.text)]
    case .success(let model):
      out["detector"] = .string(model.card.detector)
      out["date"] = .string(model.card.date)
      out["feature_set"] = .string(model.featureSet.rawValue)
      out["calibration"] = [
        "images": .integer(Int64(model.calibration.images)), "sources": .integer(Int64(model.calibration.sources)),
      ]
    }
    return out
  }
}
