import Foundation
import Primitives
import Testing

@Suite struct AssessmentTests {
  private func layer(_ outcome: LayerOpinion.Outcome) -> LayerOpinion {
    LayerOpinion(
      detector: "pixels", model: "test", version: "1", date: "2026-11-21", outcome: outcome,
      calibration: .init(images: 1_000, sources: 20))
  }

  private func evidence(_ strength: EvidenceStrength, _ implies: Implication = .generated) -> Evidence {
    Evidence(kind: "test.kind", strength: strength, implies: implies, text: "Found.", place: "here")
  }

  private func assess(_ evidence: [Evidence], _ outcomes: LayerOpinion.Outcome...) -> Assessment {
    Assessment(evidence: evidence, layers: outcomes.map(layer), detector: "test/1")
  }

  @Test func `a low score of pixels is a number and not a verdict`() {
    let found = assess([], .scored(0.31))
    #expect(found.opinion == .concluded(score: 0.31))
    #expect(found.verdict == .none)
  }

  @Test func `a score reads likely from five in a thousand on`() {
    #expect(assess([], .scored(0.9949)).verdict == .none)
    #expect(assess([], .scored(0.995)).verdict == .likely)
    #expect(assess([], .scored(0.995)).opinion == .concluded(score: 0.995))
  }

  @Test func `no opinion and no evidence is inconclusive, never a score of zero`() {
    let found = assess([], .noOpinion(reason: "pixels.too_small"))
    #expect(found.opinion == .inconclusive)
    #expect(found.verdict == .none)
    #expect(found.layers.count == 1)
  }

  @Test func `the smallest chance of several counts as often as there are opinions`() {
    let two = assess([], .scored(0.75), .scored(0.2), .noOpinion(reason: "x"))
    #expect(two.opinion == .concluded(score: 0.5))
    #expect(assess([], .scored(0.3), .scored(0.2)).opinion.score == 0)
    #expect(Assessment.combinedScore([.nan]) == nil)
  }

  @Test func `evidence is stronger than any score and keeps the score beside it`() {
    #expect(assess([evidence(.conclusive)], .scored(0.1)).opinion == .concluded(score: 1))
    #expect(assess([evidence(.conclusive)], .scored(0.1)).verdict == .generated)
    let strong = assess([evidence(.strong)], .scored(0.1))
    #expect(strong.verdict == .likely)
    #expect(strong.opinion == .concluded(score: 0.1))
    #expect(assess([evidence(.strong)]).opinion == .inconclusive)
    #expect(assess([evidence(.strong, .assisted)], .scored(0.5)).verdict == .assisted)
    #expect(assess([evidence(.strong, .assisted)], .scored(0.999)).verdict == .likely)
    #expect(assess([evidence(.strong, .human)], .scored(0.5)).verdict == .none)
  }

  @Test func `an assessment stored before there were layers has none`() throws {
    let old = #"{"opinion":{"inconclusive":{}},"verdict":"none","evidence":[],"detector":"evidence/1"}"#
    let found = try JSONDecoder().decode(Assessment.self, from: Data(old.utf8))
    #expect(found == Assessment(evidence: [], detector: "evidence/1"))
    let new = assess([evidence(.weak)], .scored(0.5), .noOpinion(reason: "pixels.flat"))
    #expect(try JSONDecoder().decode(Assessment.self, from: try JSONEncoder().encode(new)) == new)
  }
}
