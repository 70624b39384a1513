import Primitives

/// The four generations of InvokeAI's metadata.
func invokeAIEvidence(_ traces: Traces) -> [Evidence] {
  let readers: [(String, (String) -> GenerationSettings?)] = [
    ("invokeai_metadata", currentSettings), ("imeta", currentSettings), ("sd-metadata", secondSettings),
    ("Dream", commandSettings), ("dream", commandSettings),
  ]
  let settled = readers.compactMap { keyword, read -> Evidence? in
    guard let field = traces.pngText(keyword), let settings = read(field.text) else { return nil }
    return Evidence(
      kind: "png.invokeai", strength: .conclusive, implies: .generated,
      text: "The \(field.place) field holds an InvokeAI prompt with \(settings.phrase).", place: field.place)
  }
  let graphs = ["invokeai_graph", "invokeai_workflow"].compactMap(traces.pngText).compactMap { field -> Evidence? in
    guard let tree = DataTree(json: field.text.utf8), let denoiser = denoiser(in: tree) else { return nil }
    return Evidence(
      kind: "png.invokeai_graph", strength: .strong, implies: .generated,
      text: "The \(field.place) field holds an InvokeAI graph with a node of type \(denoiser.quoted).",
      place: field.place)
  }
  return settled + graphs
}

private func currentSettings(_ text: String) -> GenerationSettings? {
  DataTree(json: text.utf8).flatMap(GenerationSettings.init(object:))
}

/// Version 2: `image` holds the settings, and `app_id` says whose they are.
private func secondSettings(_ text: String) -> GenerationSettings? {
  guard let tree = DataTree(json: text.utf8), let image = tree["image"], let seed = image["seed"]?.digits,
    tree["app_id"] != nil || tree["model_weights"] != nil || image["prompt"] != nil
  else { return nil }
  return GenerationSettings(seed: seed, steps: image["steps"]?.digits, sampler: image["sampler"]?.text)
}

/// Version 1, and DreamStudio's first: the prompt in quotes, then `-s 50 -S 2980747362 -A k_lms`.
private func commandSettings(_ text: String) -> GenerationSettings? {
  let words = text.utf8.count <= 65_536 ? text.split(separator: " ") : []
  func option(_ name: Substring) -> Substring? {
    words.lastIndex(of: name).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
  }
  guard let seed = option("-S"), UInt64(seed) != nil, let steps = option("-s"), Int(steps) != nil else { return nil }
  return GenerationSettings(seed: String(seed), steps: String(steps), sampler: option("-A").map(String.init))
}

private func denoiser(in tree: DataTree) -> String? {
  let nodes = (tree["nodes"]?.map.map { map in map.keys.sorted().compactMap { map[$0] } } ?? tree["nodes"]?.array) ?? []
  let types = nodes.compactMap { ($0["type"]?.text ?? $0["data"]?["type"]?.text) }
  return types.first { $0.contains("denoise") || $0.contains("l2i") || $0.contains("txt2img") }
}
