import ArgumentParser
import Crypto
import DetectorTraining
import Forensics
import Foundation
import Primitives
import Server

extension DetectorCommand {
  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train a detector of your own on human and generated pictures.",
      discussion: """
        One folder for each artist and, if you can, one for each generator. Every picture is scored by a model that \
        never saw its artist; from those scores comes the calibration. The model is written in any case. It is \
        activated only where nothing speaks against it. A run that is stopped goes on where it was.
        """)
    @OptionGroup var options: DetectorOptions
    @Option(help: "The folder that holds a folder for each artist.") var human: String
    @Option(help: "The folder of generated pictures, best with a folder for each generator.") var ai: String
    @Option(help: "Grow on this detector (a name or a file) instead of from nothing, so that what it knows stays.")
    var base: String?
    @Option(help: "The name of the new detector.") var name: String?
    @Option(help: "Trees to grow: 600 from nothing, 200 on a base.") var trees: Int?
    @Option(help: "For the same result again.") var seed: Int = 1
    @Flag(help: "Activate it when nothing speaks against it.") var activate = false
    @Flag(help: "The report as JSON on standard output.") var json = false

    func validate() throws {
      if let trees, !(1...5_000).contains(trees) { throw ValidationError("--trees is a number from 1 to 5000.") }
      if seed < 0 { throw ValidationError("--seed is not below 0.") }
    }

    func run() async throws {
      let shelf = try options.shelf()
      // Before the work, not after it.
      if let name { try await complaining { try shelf.requireFree(name) } }
      let base = try base.map { try (shelf as DetectorShelf?).find($0) }
      // What is asked now, to say whether the new one is better; none may be there at all.
      let old = shelf.active().map { NamedModel(name: $0.name, model: $0.model) }
      let set = base?.model.featureSet ?? .fs2
      let crops = base?.model.card.crops ?? 4
      let humans = try PictureFolder(human, isGenerated: false)
      if humans.loose > 0 { printError("\(humans.loose) files lie in no artist's folder and are left out.") }
      let generated = try PictureFolder(ai, isGenerated: true)
      let measuring = Measuring(
        set: set, crops: crops, cache: try FeatureCache(folder: shelf.folder, set, crops: crops),
        treatments: ownTreatments)
      let result = try await complaining {
        try await measuring.measure(humans.files + generated.files, title: "Measuring")
      }
      printError(result.sentence)
      // What the base learned from it knows already: scores of those would say nothing.
      let pictures = base.map { withoutLearned(result.measured, $0.name, shelf) } ?? result.measured
      let scored = try await grow(pictures, base)
      let before = old.flatMap { comparable($0, pictures, shelf, set, crops) }
      let report = try TrainingReport(pictures, scored, old: before)
      let wanted = name ?? shelf.freeName("own-\(today)")
      let model = try await complaining {
        try report.model(name: wanted, set: set, crops: crops, base: base, scored)
      }
      try await complaining {
        try shelf.add(wanted, model.bytes, report: report.kept(name: wanted, result, base: base, shelf))
      }
      let isActivated = activate && report.judgement.isFit
      if isActivated { try await complaining { try shelf.activate(wanted) } }
      print(
        json
          ? report.json(name: wanted, result).text
          : report.text(name: wanted, wasAsked: activate, isActivated: isActivated))
      if activate, !isActivated { throw ExitCode(3) }
    }

    /// The old detector, where its scores of these pictures can be compared.
    private func comparable(
      _ old: NamedModel, _ pictures: [MeasuredFile], _ shelf: DetectorShelf, _ set: FeatureSet, _ crops: Int
    ) -> NamedModel? {
      let learned = shelf.learned(old.name)
      guard pictures.allSatisfy({ !learned.contains(shortDigest($0.digest)) }) else {
        printError("\(old.name) learned from some of these pictures, so it is not compared.")
        return nil
      }
      return old.model.featureSet == set && old.model.card.crops == crops ? old : nil
    }

    private func grow(_ measured: [MeasuredFile], _ base: NamedModel?) async throws -> OutOfFold {
      var settings = Trainer.Settings()
      settings.trees = trees ?? (base == nil ? 600 : 200)
      settings.seed = UInt64(seed)
      // Small collections: a leaf of 30 would leave nothing to split.
      settings.leastInLeaf = min(30, max(3, measured.count / 20))
      let examples = measured.map {
        Example(
          source: $0.file.source, isGenerated: $0.file.isGenerated, takes: $0.takes.map(\.crops).filter { !$0.isEmpty })
      }
      let artists = Set(examples.filter { !$0.isGenerated }.map(\.source)).count
      let progress = Progress("Growing trees", of: settings.trees * (min(6, artists) + 1))
      defer { progress.end() }
      var start: (@Sendable ([Float]) -> Double)?
      if let model = base?.model { start = { model.margin($0) } }
      do {
        return try await OutOfFold(
          examples, settings: settings, width: max(1, ProcessInfo.processInfo.activeProcessorCount), start: start,
          combine: { medianOf($0) ?? 0 },
          progress: { _, _ in
            progress.advance()
            return true
          })
      } catch let failure as TrainingFailure {
        throw Complaint("[\(failure.code)] \(failure.sentence)")
      }
    }
  }
}

/// What training found, for people and for programs.
struct TrainingReport {
  let threshold = Assessment.labelScore
  let calibration: Calibration
  let humans: HumanCheck
  let caught: Rate
  let ranking: Estimate
  let old: (name: String, humans: HumanCheck, caught: Rate)?
  let judgement: Judgement
  let generatorsAreParted: Bool
  let manifest: String
  let learned: [String]
  let generators: [String: Int]

  init(_ measured: [MeasuredFile], _ scored: OutOfFold, old: NamedModel?) throws {
    let threshold = Assessment.labelScore
    let all = zip(measured, scored.margins)
    let people = all.filter { !$0.0.file.isGenerated }.map { HumanMargins(source: $0.0.file.source, margins: $0.1) }
    guard let calibration = DetectorTraining.calibration(of: people) else {
      throw Complaint("[detector.no_opinion] Not one human picture can be scored; nothing was written.")
    }
    let made = all.filter { $0.0.file.isGenerated }.compactMap { $0.1.first }
    self.calibration = calibration
    humans = HumanCheck(crossing: people, threshold: threshold)
    caught = Rate(made.filter { calibration.score($0) >= threshold }.count, of: made.count)
    let marks = all.compactMap { file, margins in
      margins.first.map { Scored(score: $0, isGenerated: file.file.isGenerated, source: file.file.source) }
    }
    ranking = Ranking(marks)?.auroc ?? Estimate(0.5, 0, 1)
    self.old = old.map { old in
      let known = measured.filter { !$0.file.isGenerated }
        .compactMap { file in file.score(old.model).map { (file.file.source, $0) } }
      let scores = measured.filter(\.file.isGenerated).compactMap { $0.score(old.model) }
      return (
        old.name, HumanCheck(known, threshold: threshold),
        Rate(scores.filter { $0 >= threshold }.count, of: scores.count)
      )
    }
    judgement = Judgement(humans)
    generatorsAreParted = scored.generatorsAreParted
    let digests = measured.map { ($0.file.isGenerated ? "generated " : "human ") + Hex.encode($0.digest) }
    let list = digests.sorted().joined(separator: "\n")
    manifest = Hex.encode(Array(SHA256.hash(data: Data(list.utf8))))
    learned = measured.map { shortDigest($0.digest) }.sorted()
    generators = measured.filter(\.file.isGenerated).reduce(into: [:]) { $0[$1.file.source, default: 0] += 1 }
  }

  /// Names of artists stay in the report, which stays here; a model may be handed on.
  func model(
    name: String, set: FeatureSet, crops: Int, base: NamedModel?, _ scored: OutOfFold
  ) throws -> DetectorModel {
    let human = ModelCard.Source(
      name: "pictures of \(calibration.sources) artists", licence: "with their consent", kind: "human",
      images: calibration.images)
    let made = ModelCard.Source(
      name: "generated pictures of \(generators.count) collections", licence: "output of generators",
      kind: "generated", images: caught.of)
    let card = try ModelCard(
      name: name, version: "1", date: today, crops: crops, manifest: manifest,
      sources: (base?.model.card.sources ?? []) + [human, made],
      falseAlarms: [
        .init(category: "all", images: humans.pooled.of, score: threshold, rate: humans.pooled.share)
      ],
      note: base.map { "Grown on \($0.model.card.detector)." } ?? "Trained from nothing on pictures of one instance.")
    let components = (base?.model.components ?? []) + [.init(.trees(try scored.final.ensemble()))]
    return try DetectorModel(card: card, featureSet: set, components: components, calibration: calibration)
  }

  func text(name: String, wasAsked: Bool, isActivated: Bool) -> String {
    var lines = [
      """
      \(calibration.images) human pictures of \(calibration.sources) artists, \(caught.of) generated ones; threshold \
      \(threshold). Every picture was scored by a model that never saw its artist.
      """
    ]
    if let old { lines.append("Before (\(old.name)): \(sentence(old.caught, old.humans))") }
    lines.append("Now (\(name)): \(sentence(caught, humans))")
    lines.append(
      """
      Certified with 95 % confidence: at most \(percent(humans.bound)) false alarms. Area under the curve \
      \(shortArea(ranking.value)) (\(shortArea(ranking.lower)) to \(shortArea(ranking.upper))).
      """)
    if !generatorsAreParted {
      lines.append("There are fewer generators than parts: what is caught of a new generator will be less than this.")
    }
    for artist in humans.artists where artist.flagged.hits > 0 {
      lines.append("  \(artist.name): \(artist.flagged.hits) of \(artist.flagged.of) flagged")
    }
    lines += judgement.reasons.map { "Against it: \($0)" }
    lines.append(
      isActivated
        ? "Written as \(name) and activated. A running server asks it after its next start."
        : wasAsked
          ? "Written as \(name), but not activated."
          : "Written as \(name), not activated. To use it: atelier detector activate \(name)")
    return lines.joined(separator: "\n")
  }

  private func sentence(_ caught: Rate, _ humans: HumanCheck) -> String {
    "\(interval(caught)) of generated pictures flagged, \(interval(humans.pooled)) of human ones."
  }

  private func interval(_ rate: Rate) -> String {
    "\(percent(rate.share)) (\(percent(rate.lower)) to \(percent(rate.upper)))"
  }

  func json(name: String, _ result: Measuring.Result) -> JSON {
    JSON.members([
      "name": .string(name), "date": .string(today), "threshold": .double(threshold),
      "images": .integer(Int64(calibration.images)), "sources": .integer(Int64(calibration.sources)),
      "human": humans.json, "caught": caught.json, "auroc": ranking.json,
      "generators_parted": .bool(generatorsAreParted),
      "before": old.map { ["name": .string($0.name), "human": $0.humans.json, "caught": $0.caught.json] },
      "fit": .bool(judgement.isFit), "reasons": .array(judgement.reasons.map { .string($0) }),
      "measuring": result.json,
    ])
  }

  /// What is kept beside the model.
  func kept(name: String, _ result: Measuring.Result, base: NamedModel?, _ shelf: DetectorShelf) -> JSON {
    var out = json(name: name, result)
    let before = base.map { shelf.learned($0.name) } ?? []
    out["learned_from"] = .array(before.union(learned).sorted().map { .string($0) })
    return out
  }
}

func shortArea(_ value: Double) -> String { String(format: "%.3f", value) }
