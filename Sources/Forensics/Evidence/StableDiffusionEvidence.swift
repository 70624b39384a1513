import Primitives

/// Settings that Stable Diffusion programs write into the file: WebUI and its kin, Fooocus, SwarmUI, Draw Things, Easy
/// Diffusion.
func stableDiffusionEvidence(_ traces: Traces) -> [Evidence] {
  let machine = traces.machineFields.compactMap(settingsEvidence)
  // In a description the same line may be quoted by a person, who at least had it to quote.
  let described = traces.descriptions.compactMap { field in
    GenerationSettings(settingsLine: field.text).map { settings in
      Evidence(
        kind: "text.stable_diffusion_settings", strength: .strong, implies: .generated,
        text: "The \(field.place) field quotes the settings of a diffusion model: \(settings.phrase).",
        place: field.place)
    }
  }
  return machine + described + [separateEntries(traces)].compactMap { $0 }
}

private func settingsEvidence(_ field: Traces.Field) -> Evidence? {
  let family = field.place.hasPrefix("PNG") ? "png" : "exif"
  func evidence(_ program: String, _ name: String, _ settings: GenerationSettings) -> Evidence {
    Evidence(
      kind: "\(family).\(program)", strength: .conclusive, implies: .generated,
      text: "The \(field.place) field holds a \(name) prompt with \(settings.phrase).", place: field.place)
  }
  let text = field.text.trimmed
  // A prompt may begin with a brace: emphasis, in the WebUI's grammar.
  if text.utf8.first == 0x7B, let tree = DataTree(json: text.utf8) {
    if let parameters = tree["sui_image_params"], let settings = GenerationSettings(object: parameters) {
      return evidence("swarmui", "SwarmUI", settings)
    }
    guard let settings = GenerationSettings(object: tree) else { return nil }
    if tree["metadata_scheme"]?.text?.lowercased() == "fooocus" || tree["Fooocus V2 Expansion"] != nil {
      return evidence("fooocus", "Fooocus", settings)
    }
    if tree["c"] != nil, tree["uc"] != nil { return evidence("draw_things", "Draw Things", settings) }
    // NovelAI's Comment has the same shape, and a finder of its own that knows the rest of it.
    if tree["uc"] != nil, field.name == "Comment" { return nil }
    return evidence("diffusion_settings", "diffusion model", settings)
  }
  return GenerationSettings(settingsLine: text).map {
    evidence("stable_diffusion_webui", "Stable Diffusion WebUI", $0)
  }
}

/// Easy Diffusion and scripts around diffusers write one entry for each setting.
private func separateEntries(_ traces: Traces) -> Evidence? {
  let prompts = ["prompt", "Prompt"].compactMap(traces.pngText)
  guard let prompt = prompts.first, !prompt.text.trimmed.hasPrefix("{"),
    let seed = ["seed", "Seed"].compactMap(traces.pngText).first?.text.trimmed, Int64(seed) != nil,
    let steps = ["num_inference_steps", "Steps", "steps"].compactMap(traces.pngText).first?.text.trimmed,
    Int64(steps) != nil
  else { return nil }
  let sampler = ["sampler_name", "Sampler", "sampler"].compactMap(traces.pngText).first?.text
  let settings = GenerationSettings(seed: seed, steps: steps, sampler: sampler)
  return Evidence(
    kind: "png.separate_settings", strength: .conclusive, implies: .generated,
    text: "The PNG text entries hold a diffusion model's prompt with \(settings.phrase).",
    place: "PNG text entries 'prompt', 'seed', 'steps'")
}
