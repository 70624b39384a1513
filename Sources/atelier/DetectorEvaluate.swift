import ArgumentParser
import DetectorTraining
import Forensics
import Foundation
import Primitives
import Server

extension DetectorCommand {
  struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "eval", abstract: "Say what a detector is worth on pictures of known origin.",
      discussion: """
        The folder holds human/KIND/… and ai/GENERATOR/…, where a second level of folders names artists or \
        collections. Every picture is judged as found, saved again as JPEG of quality 90, and at half its size as \
        JPEG of quality 75. Without --home nothing is kept.
        """)
    @OptionGroup var options: DetectorOptions
    @Option(help: "The detector: a name or a file. The active one by default.") var detector: String?
    @Option(help: "A folder for eval.json and the drawings; made if it is not there.") var out: String?
    @Flag(help: "The figures as JSON on standard output.") var json = false
    @Argument(help: "The folder with human and ai in it.") var folder: String

    func run() async throws {
      let shelf = try options.shelfIfAny()
      let named = try shelf.find(detector)
      let model = named.model
      let files =
        try PictureFolder(folder + "/human", isGenerated: false, hasKinds: true).files
        + PictureFolder(folder + "/ai", isGenerated: true, hasKinds: true).files
      let cache =
        try shelf.map { try FeatureCache(folder: $0.folder, model.featureSet, crops: model.card.crops) }
        ?? FeatureCache()
      let treatments = Condition.allCases.map { Treatment($0) }
      let measuring = Measuring(
        set: model.featureSet, crops: model.card.crops, cache: cache, treatments: { _ in treatments })
      let result = try await complaining { try await measuring.measure(files, title: "Judging") }
      printError(result.sentence)
      let fresh = shelf.map { withoutLearned(result.measured, named.name, $0) } ?? result.measured
      let judged = fresh.map { file in
        var answers: [Condition: Judged.Answer] = [:]
        for (condition, take) in zip(Condition.allCases, file.takes) {
          guard let margin = model.margin(of: take) else { continue }
          answers[condition] = .init(margin: margin, score: model.score(margin, shorterSide: take.side))
        }
        return Judged(
          isGenerated: file.file.isGenerated, kind: file.file.kind, source: file.file.source, answers: answers)
      }
      let threshold = Assessment.labelScore
      let evaluation = DetectorTraining.Evaluation(
        judged, detector: model.card.detector, threshold: threshold,
        margin: model.calibration.margin(reaching: threshold))
      guard !evaluation.parts.isEmpty else {
        throw Complaint("[detector.no_opinion] There must be pictures of both kinds that the detector can score.")
      }
      var document = evaluation.json
      document["measuring"] = result.json
      document["calibration"] = [
        "images": .integer(Int64(model.calibration.images)), "sources": .integer(Int64(model.calibration.sources)),
      ]
      if let out { try write(evaluation, document, to: out) }
      print(json ? document.text : evaluation.text)
    }

    private func write(_ evaluation: DetectorTraining.Evaluation, _ document: JSON, to out: String) throws {
      var files = [("eval.json", document.bytes), ("roc.svg", Array(evaluation.curves.svg.utf8))]
      for part in evaluation.parts {
        files.append(("scores-\(part.condition.rawValue).svg", Array(evaluation.distribution(part).svg.utf8)))
      }
      do {
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        for (name, bytes) in files {
          try Data(bytes).write(to: URL(fileURLWithPath: "\(out)/\(name)"), options: .atomic)
        }
      } catch {
        throw Complaint("[detector.unwritable] \(out) can not be written to.")
      }
      printError("Written to \(out): \(files.map(\.0).joined(separator: ", ")).")
    }
  }
}

extension DetectorTraining.Evaluation {
  /// A table for people.
  fileprivate var text: String {
    var lines = ["\(detector) at its threshold of \(threshold):"]
    for part in parts {
      lines.append(
        """
        \(part.condition.name), \(part.human.count) human and \(part.generated.count) generated pictures: area \
        \(shortArea(part.auroc.value)) (\(shortArea(part.auroc.lower)) to \(shortArea(part.auroc.upper)))
        """)
      lines.append("  flagged: \(range(part.found)) of generated, \(range(part.falseAlarms)) of human ones")
      for (rate, share) in part.caught {
        lines.append(
          "  caught at \(percent(rate)) false alarms of this very set: \(percent(share.value)) "
            + "(\(percent(share.lower)) to \(percent(share.upper)))")
      }
    }
    guard let first = parts.first else { return lines.joined(separator: "\n") }
    lines.append("By generator, \(first.condition.name):")
    lines += first.generators.map { "  \($0.name): \(range($0.flagged)) of \($0.flagged.of)" }
    lines.append("By kind of human work, \(first.condition.name):")
    lines += first.kinds.map { "  \($0.name): \(range($0.flagged)) of \($0.flagged.of)" }
    return lines.joined(separator: "\n")
  }

  private func range(_ rate: Rate) -> String {
    "\(percent(rate.share)) (\(percent(rate.lower)) to \(percent(rate.upper)))"
  }
}
