import ArgumentParser
import Forensics
import Foundation
import Media
import Primitives
import Server

extension DetectorCommand {
  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what is found in one picture, by which layer, and where it looked unusual.")
    @OptionGroup var options: DetectorOptions
    @Option(help: "The detector: a name or a file. The active one by default.") var detector: String?
    @Option(help: "A PNG file for the picture with its unusual places in red.") var out: String?
    @Flag(help: "As JSON.") var json = false
    @Argument(help: "A picture file.") var file: String

    func run() async throws {
      let named = try options.shelfIfAny().find(detector)
      guard let data = FileManager.default.contents(atPath: file) else {
        throw Complaint("[file.unreadable] \(file) can not be read.")
      }
      let pool = WorkerPool(
        .init(deadline: .seconds(300), bounds: MediaWorker.Bounds(cpuSeconds: 600, jobs: 4)))
      defer { pool.close() }
      pool.use(model: named.model.bytes)
      let bytes = Array(data)
      var wanted = MediaOptions.look
      wanted.drawsHeat = out != nil
      let report = try await complaining { try await pool.process(bytes, wanted).report }
      print(json ? report.assessment.explanation(file: file).text : report.assessment.words(named, file: file))
      guard let out else { return }
      guard let heat = report.heat else {
        throw Complaint("[detector.no_heat] The picture is too small for a map; nothing was written.")
      }
      let png = try await complaining { try await pool.draw(heat, over: bytes) }
      do {
        try Data(png).write(to: URL(fileURLWithPath: out), options: .atomic)
      } catch {
        throw Complaint("[detector.unwritable] \(out) can not be written.")
      }
      printError("The map is in \(out). Of many places some are unusual in every picture: it is no proof.")
    }
  }
}

/// Rounded down: a score must not seem to reach a threshold that it does not.
private func shortScore(_ score: Double) -> String { "\((score * 10_000).rounded(.down) / 10_000)" }

extension Assessment {
  fileprivate func words(_ named: NamedModel, file: String) -> String {
    var lines = ["\(file): \(headline)"]
    lines.append(evidence.isEmpty ? "Evidence in the file: none found." : "Evidence in the file:")
    lines += evidence.map { "  \($0.strength.rawValue): \($0.text) [\($0.kind), \($0.place)]" }
    for layer in layers {
      lines.append("Layer \(layer.detector), \(layer.model) \(layer.version) of \(layer.date):")
      lines += layer.sentences.map { "  \($0)" }
    }
    if layers.isEmpty { lines.append("No detector looked at the pixels.") }
    lines.append("Asked: \(named.name). This is no proof of anything; whoever made the picture can appeal.")
    return lines.joined(separator: "\n")
  }

  private var headline: String {
    switch opinion {
    case .notAnalysed(let reason): "not analysed (\(reason))"
    case .concluded(let score): "\(verdict.rawValue), score \(shortScore(score))"
    case .inconclusive: verdict == .none ? "nothing found" : verdict.rawValue
    }
  }

  fileprivate func explanation(file: String) -> JSON {
    [
      "file": .string(file), "verdict": .string(verdict.rawValue),
      "score": opinion.score.map { .double($0) } ?? .null,
      "evidence": .array(
        evidence.map {
          [
            "kind": .string($0.kind), "strength": .string($0.strength.rawValue), "text": .string($0.text),
            "place": .string($0.place),
          ]
        }),
      "layers": .array(layers.map(\.explanation)),
    ]
  }
}

extension LayerOpinion {
  fileprivate var sentences: [String] {
    switch outcome {
    case .noOpinion(let reason): return ["no opinion (\(reason))"]
    case .scored(let score):
      let share = max(1, Int(((1 - score) * 1_000).rounded(.up)))
      let first =
        score > 0.9
        ? "Fine texture is unusual: about \(share) in 1,000 human pictures look this way. This is not proof."
        : "Fine texture looks as in many human pictures (score \(shortScore(score)))."
      let basis = "Measured against \(calibration.images) human pictures of \(calibration.sources) sources."
      return [first, basis]
        + contributions.map { item in
          let way = item.weight > 0 ? "speaks for a generator" : "speaks against one"
          return "\(way) (\(item.weight)): \(item.text)"
        }
    }
  }

  fileprivate var explanation: JSON {
    var out: JSON = [
      "detector": .string(detector), "model": .string(model), "version": .string(version), "date": .string(date),
      "contributions": .array(
        contributions.map {
          ["group": .string($0.group), "text": .string($0.text), "weight": .double($0.weight)]
        }),
    ]
    switch outcome {
    case .scored(let score): out["score"] = .double(score)
    case .noOpinion(let reason): out["reason"] = .string(reason)
    }
    return out
  }
}
