import Primitives

/// How a picture was handed to the detector.
package enum Condition: String, CaseIterable, Codable, Hashable, Sendable {
  case asFound = "as_found"
  /// Saved once more as JPEG of quality 90.
  case jpeg90 = "jpeg_90"
  /// Half its width and height, then JPEG of quality 75: what a social network leaves.
  case half75 = "half_jpeg_75"

  package var name: String {
    switch self {
    case .asFound: "as found"
    case .jpeg90: "JPEG q90"
    case .half75: "half size, JPEG q75"
    }
  }
}

/// One picture with the detector's answers.
package struct Judged: Sendable {
  package var isGenerated: Bool
  /// The generator, or the kind of human work.
  package var kind: String
  package var source: String
  /// A condition without an opinion is missing.
  package var answers: [Condition: Answer]

  package struct Answer: Hashable, Sendable {
    /// Log-odds, which rank pictures beyond the last human one, too.
    package var margin: Double
    /// What the product goes by.
    package var score: Double

    package init(margin: Double, score: Double) {
      self.margin = margin
      self.score = score
    }
  }

  package init(isGenerated: Bool, kind: String, source: String, answers: [Condition: Answer]) {
    self.isGenerated = isGenerated
    self.kind = kind
    self.source = source
    self.answers = answers
  }
}

/// What a detector is worth on pictures of known origin, under each condition.
package struct Evaluation: Sendable {
  package struct Group: Hashable, Sendable {
    package var name: String
    package var flagged: Rate
  }

  package struct Part: Sendable {
    package var condition: Condition
    package var auroc: Estimate
    /// By the share of false alarms: the best any threshold could do on these very pictures.
    package var caught: [(falseAlarms: Double, share: Estimate)]
    /// At the detector's own calibrated threshold: what an instance gets.
    package var falseAlarms: Rate
    package var found: Rate
    package var generators: [Group]
    package var kinds: [Group]
    package var curve: [(falseAlarms: Double, caught: Double)]
    package var human: [Double]
    package var generated: [Double]
  }

  package static let rates = [0.01, 0.005, 0.001]

  package let detector: String
  /// The score from which a picture is flagged, and the log-odds above which it reaches that.
  package let threshold: Double
  package let margin: Double
  package let parts: [Part]

  /// - Parameter margin: The log-odds from which a picture of usual size reaches the threshold, for the drawings.
  /// Conditions under which a class has no opinion at all are left out.
  package init(_ pictures: [Judged], detector: String, threshold: Double, margin: Double) {
    self.detector = detector
    self.threshold = threshold
    self.margin = margin
    parts = Condition.allCases.compactMap { condition in
      let seen = pictures.compactMap { picture in picture.answers[condition].map { (picture, $0) } }
      let scored = seen.map { Scored(score: $1.margin, isGenerated: $0.isGenerated, source: $0.source) }
      let flagged = { (kin: [(Judged, Judged.Answer)]) -> Rate in
        Rate(kin.filter { $0.1.score >= threshold }.count, of: kin.count)
      }
      guard let ranking = Ranking(scored) else { return nil }
      let groups = { (isGenerated: Bool) -> [Group] in
        let kin = seen.filter { $0.0.isGenerated == isGenerated }
        let byKind = Dictionary(grouping: kin, by: { $0.0.kind })
        let all = byKind.map { Group(name: $0.key, flagged: flagged($0.value)) }
        return all.sorted { $0.flagged.of == $1.flagged.of ? $0.name < $1.name : $0.flagged.of > $1.flagged.of }
      }
      return Part(
        condition: condition, auroc: ranking.auroc,
        caught: Evaluation.rates.map { ($0, ranking.caught(atFalseAlarms: $0)) },
        falseAlarms: flagged(seen.filter { !$0.0.isGenerated }), found: flagged(seen.filter { $0.0.isGenerated }),
        generators: groups(true), kinds: groups(false), curve: ranking.curve, human: ranking.human,
        generated: ranking.generated)
    }
  }

}

extension Evaluation {
  package var json: JSON {
    [
      "detector": .string(detector), "threshold": .double(threshold), "margin_at_threshold": number(margin),
      "conditions": .array(parts.map(\.json)),
    ]
  }

  /// Caught against false alarms, from 0.1 %.
  package var curves: Chart {
    let percent = [(0.001, "0.1 %"), (0.005, "0.5"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %")]
    return Chart(
      title: "Caught against false alarms",
      x: .init("human pictures flagged (logarithmic)", .logarithmic(0.001...1), percent),
      y: .init("generated pictures flagged", .linear(0...1), Evaluation.shares),
      series: parts.map { part in
        let area = JSON.double((part.auroc.value * 1_000).rounded() / 1_000).text
        return .init("\(part.condition.name): area \(area)", .curve, Evaluation.steps(part.curve))
      })
  }

  /// The distribution of log-odds of both classes under one condition.
  package func distribution(_ part: Part) -> Chart {
    let all = [part.human.first, part.generated.first, part.human.last, part.generated.last].compactMap { $0 }
    let low = (all.min() ?? 0).rounded(.down)
    let high = max(low + 1, (all.max() ?? 1).rounded(.up))
    let bins = 32
    let step = (high - low) / Double(bins)
    let bars = { (margins: [Double]) in
      (0...bins).map { bin -> (x: Double, y: Double) in
        let start = low + Double(bin) * step
        let count = margins.firstIndex(atLeast: start + step) - margins.firstIndex(atLeast: start)
        return (start, bin == bins ? 0 : Double(count) / Double(max(1, margins.count)))
      }
    }
    let (human, generated) = (bars(part.human), bars(part.generated))
    // Even percents, so that half of it is a whole number.
    let most = ((max(0.04, (human + generated).map(\.y).max() ?? 0) * 50).rounded(.up) / 50)
    let marks = (0...4).map { low + (high - low) * Double($0) / 4 }
    var chart = Chart(
      title: "Scores, \(part.condition.name)",
      x: .init("log-odds of the model", .linear(low...high), marks.map { ($0, shortNumber($0)) }),
      y: .init("share of its class", .linear(0...most), [0, most / 2, most].map { ($0, percent($0)) }),
      series: [
        .init("human (\(part.human.count))", .bars, human),
        .init("generated (\(part.generated.count))", .bars, generated),
      ])
    if margin.isFinite { chart.lines = [(margin, "score \(JSON.double(threshold).text)")] }
    return chart
  }

  private static let shares = [(0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")]
    .map { (value: $0.0, label: $0.1) }

  /// Corners of the stairs: straight lines on a logarithmic axis would promise what no threshold gives.
  private static func steps(_ curve: [(falseAlarms: Double, caught: Double)]) -> [(x: Double, y: Double)] {
    var out: [(x: Double, y: Double)] = []
    for (point, next) in zip(curve, curve.dropFirst()) {
      out.append((point.falseAlarms, point.caught))
      if next.falseAlarms > point.falseAlarms, next.caught > point.caught {
        out.append((next.falseAlarms, point.caught))
      }
    }
    if let last = curve.last { out.append((last.falseAlarms, last.caught)) }
    return out
  }
}

extension Evaluation.Part {
  fileprivate var json: JSON {
    [
      "condition": .string(condition.rawValue), "human": .integer(Int64(human.count)),
      "generated": .integer(Int64(generated.count)), "auroc": auroc.json,
      "caught_at_false_alarms": .array(
        caught.map { ["false_alarms": .double($0.falseAlarms), "caught": $0.share.json] }),
      "at_threshold": ["false_alarms": falseAlarms.json, "caught": found.json],
      "by_generator": .array(generators.map(\.json)), "by_human_kind": .array(kinds.map(\.json)),
      "curve": .array(curve.map { .array([number($0.falseAlarms), number($0.caught)]) }),
    ]
  }
}

extension Evaluation.Group {
  fileprivate var json: JSON { ["name": .string(name), "flagged": flagged.json] }
}

extension Estimate {
  package var json: JSON { ["value": number(value), "lower": number(lower), "upper": number(upper)] }
}

extension Rate {
  package var json: JSON {
    [
      "hits": .integer(Int64(hits)), "of": .integer(Int64(of)), "share": number(share), "lower": number(lower),
      "upper": number(upper),
    ]
  }
}

/// Six digits: more would only be noise. Infinity, which JSON lacks, is null.
private func number(_ value: Double) -> JSON {
  value.isFinite ? .double((value * 1e6).rounded() / 1e6) : .null
}

/// Such as `0.6 %`.
package func percent(_ share: Double) -> String {
  let scaled = share * 100
  let rounded = scaled >= 10 ? scaled.rounded() : (scaled * 100).rounded() / 100
  return "\(shortNumber(rounded)) %"
}

func shortNumber(_ value: Double) -> String {
  let rounded = (value * 100).rounded() / 100
  return Int64(exactly: rounded).map(String.init) ?? "\(rounded)"
}
