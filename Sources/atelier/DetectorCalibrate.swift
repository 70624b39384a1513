import ArgumentParser
import DetectorTraining
import Forensics
import Foundation
import Primitives
import Server

extension DetectorCommand {
  struct Calibrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure a detector's scores against human pictures of your own, so that they mean something here.",
      discussion: """
        One folder for each artist, pictures made without a generator, shown with the artists' consent. One or two \
        pictures of many artists prove more than many of a few. The result is a new detector with the same trees and \
        other scores; nothing is activated.
        """)
    @OptionGroup var options: DetectorOptions
    @Option(help: "The folder that holds a folder for each artist.") var human: String
    @Option(help: "The detector to calibrate: a name, a file, http.NAME or onnx.NAME. The active one by default.")
    var detector: String?
    @Option(help: "The name of the new detector.") var name: String?
    @Flag(help: "The report as JSON on standard output.") var json = false

    func run() async throws {
      if let detector, ["http.", "onnx."].contains(where: detector.hasPrefix) {
        return try await calibrateOutside(detector)
      }
      let shelf = try options.shelf()
      if let name { try await complaining { try shelf.requireFree(name) } }
      let old = try (shelf as DetectorShelf?).find(detector)
      let files = try PictureFolder(human, isGenerated: false)
      if files.loose > 0 { printError("\(files.loose) files lie in no artist's folder and are left out.") }
      let measuring = Measuring(
        set: old.model.featureSet, crops: old.model.card.crops,
        cache: try FeatureCache(folder: shelf.folder, old.model.featureSet, crops: old.model.card.crops),
        treatments: ownTreatments)
      let result = try await complaining { try await measuring.measure(files.files, title: "Measuring") }
      printError(result.sentence)
      let fresh = withoutLearned(result.measured, old.name, shelf)
      let pictures = fresh.map { HumanMargins(source: $0.file.source, margins: $0.margins(old.model)) }
      guard let calibration = calibration(of: pictures) else {
        throw Complaint("[detector.no_opinion] Not one of these pictures can be scored; nothing was written.")
      }
      let report = CalibrationReport(fresh, pictures, old: old, calibration: calibration)
      let wanted = name ?? shelf.freeName("\(old.name == "shipped" ? "shipped" : plainName(old))-calibrated")
      try await complaining {
        var model = old.model
        model.calibration = calibration
        model.card = try model.card.renamed(version: "\(model.card.version)-c\(today)")
        var kept = report.json(name: wanted, result)
        kept["learned_from"] = .array(shelf.learned(old.name).sorted().map { .string($0) })
        try shelf.add(wanted, model.bytes, report: kept)
      }
      print(json ? report.json(name: wanted, result).text : report.text(name: wanted))
    }
  }
}

/// Pictures that a detector learned from look more human to it than those of anybody else.
func withoutLearned(_ measured: [MeasuredFile], _ name: String, _ shelf: DetectorShelf) -> [MeasuredFile] {
  let learned = shelf.learned(name)
  let fresh = measured.filter { !learned.contains(shortDigest($0.digest)) }
  if fresh.count < measured.count {
    printError("\(measured.count - fresh.count) pictures are left out: \(name) learned from them.")
  }
  return fresh
}

func shortDigest(_ digest: [UInt8]) -> String { Hex.encode(Array(digest.prefix(8))) }

/// What a picture of one's own is measured as: the file, and what it may become on its way.
@Sendable func ownTreatments(_ digest: [UInt8]) -> [Treatment] { [.asFound, Treatment(travelled: digest)] }

/// The day, as it goes into names and cards.
var today: String { String(TimeSource.system.now().iso8601.prefix(10)) }

func plainName(_ model: NamedModel) -> String {
  let last = model.name.split(separator: "/").last.map(String.init) ?? model.name
  return last.hasSuffix(".aidet") ? String(last.dropLast(6)) : last
}

extension ModelCard {
  /// Another version: what judged a picture must be told apart in stored decisions.
  func renamed(version: String) throws(ModelFailure) -> ModelCard {
    try ModelCard(
      name: name, version: String(version.suffix(64)), date: date, crops: crops, manifest: manifest, sources: sources,
      falseAlarms: falseAlarms, note: note)
  }
}

/// What calibration found, for people and for programs.
struct CalibrationReport {
  let old: NamedModel
  let calibration: Calibration
  /// With the scores as they were, which know none of these pictures.
  let before: HumanCheck
  /// With the new scores, each artist judged by those of the others.
  let after: HumanCheck
  let threshold = Assessment.labelScore

  init(_ files: [MeasuredFile], _ pictures: [HumanMargins], old: NamedModel, calibration: Calibration) {
    self.old = old
    self.calibration = calibration
    let scores = files.compactMap { file in file.score(old.model).map { (file.file.source, $0) } }
    before = HumanCheck(scores, threshold: Assessment.labelScore)
    after = HumanCheck(crossing: pictures, threshold: Assessment.labelScore)
  }

  /// What these pictures cannot prove.
  var limits: [String] {
    var out: [String] = []
    let images = before.pooled.of
    let needed = Certificate.needed(for: 0.005, alarms: 0)
    if images < needed {
      out.append(
        """
        \(images) pictures can not certify 0.5 %: that takes at least \(needed) without a single false alarm. \
        Without one these would exclude more than \(percent(Certificate.bound(alarms: 0, of: images))).
        """)
    }
    if calibration.score(.greatestFiniteMagnitude) < threshold {
      out.append(
        """
        With so few pictures no score reaches \(threshold): the new detector would flag nothing at that threshold. It \
        takes at least 200 scores.
        """)
    }
    if calibration.sources < 20 {
      out.append("\(calibration.sources) artists are few: how the next one is treated can not be told from so few.")
    }
    let was = old.model.calibration
    if calibration.sources < was.sources {
      out.append(
        """
        The scores before rested on \(was.images) pictures of \(was.sources) sources. Kinds of work that are not among \
        yours are less protected by the new ones.
        """)
    }
    return out
  }

  func text(name: String) -> String {
    var lines = [
      "\(calibration.images) pictures of \(calibration.sources) artists; threshold \(threshold).",
      "As \(old.name) scores now: \(sentence(before))",
    ]
    lines += alarms(before)
    lines.append("With the new scores, each artist judged by the others': \(sentence(after))")
    lines += alarms(after)
    lines += limits
    lines.append("Bounds hold for independent pictures: one or two by each artist.")
    lines.append("Written as \(name). To use it: atelier detector activate \(name)")
    return lines.joined(separator: "\n")
  }

  private func sentence(_ check: HumanCheck) -> String {
    """
    \(check.pooled.hits) of \(check.pooled.of) flagged (\(percent(check.pooled.share))). Certified with 95 % \
    confidence: at most \(percent(check.bound)) false alarms.
    """
  }

  private func alarms(_ check: HumanCheck) -> [String] {
    let some = check.artists.filter { $0.flagged.hits > 0 }
    let none = check.artists.count - some.count
    return some.map { "  \($0.name): \($0.flagged.hits) of \($0.flagged.of)" }
      + ["  \(none == 1 ? "1 artist" : "\(none) artists") without a false alarm"]
  }

  func json(name: String, _ result: Measuring.Result) -> JSON {
    [
      "name": .string(name), "made_from": .string(old.name), "date": .string(today), "threshold": .double(threshold),
      "images": .integer(Int64(calibration.images)), "sources": .integer(Int64(calibration.sources)),
      "before": before.json, "after": after.json, "limits": .array(limits.map { .string($0) }),
      "reasons": .array([]), "measuring": result.json,
    ]
  }
}

extension HumanCheck {
  var json: JSON {
    [
      "flagged": pooled.json, "certified_bound": .double(bound), "confidence": .double(Certificate.confidence),
      "artists": .array(artists.map { ["name": .string($0.name), "flagged": $0.flagged.json] }),
    ]
  }
}
