import DetectorTraining
import Forensics
import Foundation
import Primitives
import Testing

@Suite struct OutOfFoldTests {
  /// Twelve artists, four generators; the third feature tells them apart, the first only knows one artist.
  private func examples(seed: UInt64 = 3, artists: Int = 12, each: Int = 20) -> [Example] {
    var chance = SeededChance(seed)
    var out: [Example] = []
    func row(_ source: Int, _ isGenerated: Bool) -> [Float] {
      var row = [Float](repeating: 0, count: FeatureSet.fs1.count)
      for column in 0..<6 { row[column] = Float(chance.unit()) }
      // The mark of one artist.
      row[0] = source == 5 ? 1 : row[0] / 2
      row[2] = Float(chance.unit() + (isGenerated ? 0.7 : 0))
      return row
    }
    for source in 0..<artists + 4 {
      let isGenerated = source >= artists
      for _ in 0..<(isGenerated ? each * 2 : each) {
        out.append(
          Example(
            source: "s\(source)", isGenerated: isGenerated,
            takes: [[row(source, isGenerated), row(source, isGenerated)], [row(source, isGenerated)]]))
      }
    }
    return out
  }

  private var settings: Trainer.Settings {
    var settings = Trainer.Settings()
    settings.trees = 30
    settings.leaves = 6
    settings.learningRate = 0.2
    settings.leastInLeaf = 10
    settings.featureFraction = 1
    settings.l2 = 1
    return settings
  }

  private func run(_ examples: [Example], start: (@Sendable ([Float]) -> Double)? = nil) async throws -> OutOfFold {
    try await OutOfFold(
      examples, settings: settings, folds: 4, width: 2, start: start,
      combine: { $0.reduce(0, +) / Double(max(1, $0.count)) })
  }

  @Test func `every picture is scored, by a model that tells the classes apart`() async throws {
    let examples = examples()
    let scored = try await run(examples)
    #expect(scored.folds == 4 && scored.generatorsAreParted)
    #expect(scored.margins.allSatisfy { $0.count == 2 })
    let marks = zip(examples, scored.margins).map {
      Scored(score: $1[0], isGenerated: $0.isGenerated, source: $0.source)
    }
    #expect(try #require(Ranking(marks)).auroc.value > 0.85)
    // The same again, whatever order the folds end in.
    #expect(try await run(examples).margins == scored.margins)
  }

  /// One artist whose pictures look generated: a model that saw the artist excuses them, one that did not flags them.
  @Test func `no picture is scored by a model that saw its source`() async throws {
    var examples = examples()
    for index in examples.indices where examples[index].source == "s5" {
      for take in examples[index].takes.indices {
        for crop in examples[index].takes[take].indices { examples[index].takes[take][crop][2] += 0.7 }
      }
    }
    let odd = examples.indices.filter { examples[$0].source == "s5" }
    let unseen = try await run(examples)
    // The same pictures among those of four other artists, the largest now and so each in a part of its own: every one
    // is scored by a model that saw others with the mark.
    for index in odd { examples[index].source = "s\(index % 4)" }
    let seen = try await run(examples)
    let mean = { (scored: OutOfFold) in odd.map { scored.margins[$0][0] }.reduce(0, +) / Double(odd.count) }
    #expect(mean(unseen) > mean(seen) + 1)
  }

  @Test func `a base model is grown on, not forgotten`() async throws {
    let examples = examples()
    // A base that knows nothing but says so loudly: the new trees have to answer it.
    let scored = try await run(examples, start: { $0[2] > 0.9 ? 3 : -3 })
    #expect(scored.final.base == 0)
    let high = examples.indices.filter { examples[$0].isGenerated }
    #expect(high.contains { scored.margins[$0][0] > 1 })
  }

  @Test func `one artist or no generated picture is not enough`() async throws {
    let examples = examples()
    await #expect(throws: TrainingFailure.sources(found: 1, needed: 2)) {
      try await run(examples.filter { $0.isGenerated || $0.source == "s1" })
    }
    await #expect(throws: TrainingFailure.oneClass) { try await run(examples.filter { !$0.isGenerated }) }
  }

  @Test func `with one generator its pictures are parted, and that is said`() async throws {
    var examples = examples()
    for index in examples.indices where examples[index].isGenerated { examples[index].source = "-" }
    #expect(try await !run(examples).generatorsAreParted)
  }

  @Test func `trees keep their answers on the way into a model`() async throws {
    let examples = examples()
    let scored = try await run(examples)
    let ensemble = try scored.final.ensemble()
    #expect(ensemble.treeCount == settings.trees)
    for example in examples.prefix(50) {
      let row = example.takes[0][0]
      #expect(abs(ensemble.margin(row) - scored.final.margin(row)) < 1e-4)
    }
    let people = zip(examples, scored.margins).filter { !$0.0.isGenerated }
      .map { HumanMargins(source: $0.0.source, margins: $0.1) }
    let made = calibration(of: people)
    let calibration = try #require(made)
    #expect(calibration.images == 240 && calibration.sources == 12 && calibration.count == 480)
    let model = try DetectorModel(
      card: ModelCard(name: "own", version: "1", date: "2026-11-21"), featureSet: .fs1,
      components: [.init(.trees(ensemble))], calibration: calibration)
    #expect(try DetectorModel(reading: model.bytes) == model)
  }
}

@Suite struct HumanCheckTests {
  private func people(_ counts: [(String, [Double])]) -> [HumanMargins] {
    counts.flatMap { name, margins in margins.map { HumanMargins(source: name, margins: [$0]) } }
  }

  @Test func `an artist is judged by the others' pictures`() {
    // One artist far above everybody: judged by all scores a few of them pass, judged by the others' all are flagged.
    var all = people((0..<20).map { ("a\($0)", (0..<50).map { Double($0) / 50 }) })
    all += people([("odd", (0..<30).map { 5 + Double($0) / 100 })])
    let check = HumanCheck(crossing: all, threshold: 0.995)
    #expect(check.artists.first?.name == "odd" && check.artists.first?.flagged.hits == 30)
    #expect(check.pooled.of == 1_030)
    let judgement = Judgement(check)
    #expect(!judgement.isFit)
    #expect(judgement.reasons.contains { $0.contains("by odd, 30 are flagged (100 %)") })
  }

  @Test func `a model is fit when no artist suffers and enough pictures prove it`() {
    let many = people((0..<40).map { ("a\($0)", (0..<8).map { Double($0) }) })
    let check = HumanCheck(crossing: many, threshold: 0.995)
    #expect(check.pooled.hits == 0 && Judgement(check).isFit)
    let few = people((0..<10).map { ("a\($0)", (0..<8).map { Double($0) }) })
    let reasons = Judgement(HumanCheck(crossing: few, threshold: 0.995)).reasons
    #expect(reasons.count == 1 && reasons[0].contains("takes 299 pictures"))
  }

  @Test func `a calibration that knows nothing of the pictures counts them plainly`() throws {
    let calibration = try #require(
      Calibration(margins: (0..<1_000).map { Double($0) }, images: 1_000, sources: 50))
    let margins = [("a", 1), ("a", 2), ("a", 999.5), ("b", 3)]
    let check = HumanCheck(margins.map { (source: $0.0, score: calibration.score($0.1)) }, threshold: 0.995)
    #expect(check.pooled.hits == 1 && check.pooled.of == 4)
    let limit = calibration.margin(reaching: 0.995)
    #expect(calibration.score(limit) >= 0.995 && calibration.score(limit - 0.01) < 0.995)
    let small = try #require(Calibration(margins: [1, 2, 3], images: 3, sources: 3))
    #expect(small.margin(reaching: 0.995) == .infinity)
  }
}

@Suite struct FeatureRecordTests {
  private func record(_ number: UInt8, crops: Int = 2) -> FeatureRecord {
    FeatureRecord(
      digest: [UInt8](repeating: number, count: 32), treatment: Treatment(scale: 500, quality: 75), side: 400,
      crops: (0..<crops).map { crop in
        (0..<FeatureSet.fs1.count).map { Float($0) / 7 + Float(crop) }
      }, reason: crops == 0 ? "pixels.flat" : nil)
  }

  @Test func `what was kept is read back, to the last bit`() throws {
    let records = [record(1), record(2, crops: 0), record(3, crops: 4)]
    let file = FeatureRecords.heading(.fs1, crops: 4) + records.flatMap(FeatureRecords.encode)
    let read = try #require(FeatureRecords.decode(file, .fs1, crops: 4))
    #expect(read.records == records && read.whole == file.count)
    #expect(FeatureRecords.decode(file, .fs1, crops: 2) == nil)
    #expect(FeatureRecords.decode([1, 2, 3], .fs1, crops: 4) == nil)
  }

  @Test func `a record that was cut off or damaged ends the list, and what came before stays`() throws {
    let start = FeatureRecords.heading(.fs1, crops: 4) + FeatureRecords.encode(record(1))
    let file = start + FeatureRecords.encode(record(2))
    for kept in [start.count, start.count + 1, start.count + 40, file.count - 1] {
      let read = try #require(FeatureRecords.decode(Array(file.prefix(kept)), .fs1, crops: 4))
      #expect(read.records == [record(1)] && read.whole == start.count)
    }
    for place in stride(from: start.count, to: file.count, by: 97) {
      var damaged = file
      damaged[place] ^= 0x20
      let read = try #require(FeatureRecords.decode(damaged, .fs1, crops: 4))
      #expect(read.records == [record(1)], "\(place)")
    }
  }

  @Test func `what a picture may become on its way is the same every time`() {
    let digest = [UInt8](repeating: 9, count: 32)
    #expect(Treatment(travelled: digest) == Treatment(travelled: digest))
    let many = (0..<200).map { Treatment(travelled: [UInt8](repeating: UInt8($0), count: 32)) }
    #expect(many.allSatisfy { (400...1_000).contains($0.scale) && (60...95).contains($0.quality) })
    #expect(Set(many).count > 150)
  }
}

@Suite struct MeasuredFeaturesTests {
  @Test func `an answer of the worker that is not to the question, or no number, is not believed`() {
    let options = MeasuringOptions(featureSet: .fs1, crops: 2, treatments: [.asFound])
    func read(_ parts: [MeasuredPicture.Part], _ blob: [UInt8]) -> MeasuredFeatures? {
      MeasuredFeatures(MeasuredPicture(parts: parts), blob, options)
    }
    let row = [UInt8](repeating: 0, count: FeatureSet.fs1.count * 4)
    let good = MeasuredPicture.Part(treatment: .asFound, side: 500, crops: 1, reason: nil)
    #expect(read([good], row)?.parts.first?.crops.count == 1)
    #expect(read([good], Array(row.dropLast())) == nil)
    #expect(read([good, good], row + row) == nil)
    #expect(read([.init(treatment: .asFound, side: 500, crops: 3, reason: nil)], row + row + row) == nil)
    #expect(read([.init(treatment: .asFound, side: 500, crops: -1, reason: nil)], []) == nil)
    #expect(read([.init(treatment: Treatment(scale: 500, quality: 1), side: 9, crops: 1, reason: nil)], row) == nil)
    var noNumber = row
    noNumber.replaceSubrange(4..<8, with: [0, 0, 0xC0, 0x7F])
    #expect(read([good], noNumber) == nil)
    let silent = read([.init(treatment: .asFound, side: 500, crops: 0, reason: "pixels.flat")], [])
    #expect(silent?.parts.first?.reason == "pixels.flat")
  }
}

@Suite struct EvaluationTests {
  private func judged() -> [Judged] {
    (0..<400).map { index in
      let isGenerated = index % 4 == 0
      let margin = Double(index % 37) / 10 + (isGenerated ? 2 : 0)
      return Judged(
        isGenerated: isGenerated, kind: isGenerated ? "model-\(index % 3)" : "painting & <ink>",
        source: "s\(index % 20)",
        answers: [
          .asFound: .init(margin: margin, score: margin >= 3.7 ? 0.996 : 0.9),
          .half75: .init(margin: margin * 0.7, score: 0.9),
        ])
    }
  }

  @Test func `figures, curves and groups of each condition`() throws {
    let evaluation = Evaluation(judged(), detector: "pixels/own-1", threshold: 0.995, margin: 3.7)
    #expect(evaluation.parts.map(\.condition) == [.asFound, .half75])
    let part = try #require(evaluation.parts.first)
    #expect(part.human.count == 300 && part.generated.count == 100)
    #expect(part.falseAlarms.hits == 0 && part.found.hits > 20)
    #expect(part.generators.map(\.flagged.of).reduce(0, +) == 100 && part.kinds.count == 1)
    let json = evaluation.json
    #expect(json["conditions"]?.array?.count == 2)
    #expect(json["conditions"]?.array?.first?["caught_at_false_alarms"]?.array?.count == 3)
  }

  @Test func `drawings say what they show, and nothing in them is taken for markup`() throws {
    let evaluation = Evaluation(judged(), detector: "pixels/own-1", threshold: 0.995, margin: 3.7)
    let roc = evaluation.curves.svg
    #expect(roc.contains("<polyline") && roc.contains("0.1 %") && roc.contains("as found: area 0."))
    #expect(!roc.contains("nan") && !roc.contains("inf"))
    let scores = evaluation.distribution(try #require(evaluation.parts.first)).svg
    #expect(scores.contains("score 0.995") && scores.contains("human (300)"))
    var chart = evaluation.curves
    chart.title = "a < b & \"c\""
    #expect(chart.svg.contains("<title>a &lt; b &amp; &quot;c&quot;</title>"))
  }
}
