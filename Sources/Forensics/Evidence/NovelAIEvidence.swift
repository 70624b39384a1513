import Primitives

/// NovelAI names itself in `Software` and writes its settings as JSON into `Comment`.
func novelAIEvidence(_ traces: Traces) -> [Evidence] {
  let software = traces.makers.first { $0.name.lowercased() == "software" && $0.text.trimmed == "NovelAI" }
  guard let software else { return [] }
  let comment = (["Comment", "comment"].compactMap(traces.pngText) + traces.machineFields).first { field in
    DataTree(json: field.text.utf8).flatMap(GenerationSettings.init(novelAI:)) != nil
  }
  if let comment, let settings = DataTree(json: comment.text.utf8).flatMap(GenerationSettings.init(novelAI:)) {
    return [
      Evidence(
        kind: "png.novelai", strength: .conclusive, implies: .generated,
        text: "The file names NovelAI as its program, and the \(comment.place) field holds its \(settings.phrase).",
        place: comment.place)
    ]
  }
  return [
    Evidence(
      kind: "metadata.novelai", strength: .strong, implies: .generated,
      text: "The \(software.place) field names NovelAI, a picture generator.", place: software.place)
  ]
}

extension GenerationSettings {
  /// The prompt lies beside it in `Description`, so that seed and sampler are enough.
  init?(novelAI tree: DataTree) {
    guard let seed = tree["seed"]?.digits, let steps = tree["steps"]?.digits else { return nil }
    self.init(seed: seed, steps: steps, sampler: tree["sampler"]?.text)
  }
}
