import Primitives

/// The settings of one run of a diffusion model, recognised by their structure and never by a word.
///
/// A person may write about seeds and samplers in a description; nobody writes all three with their numbers, in the
/// order and the field in which a program does.
struct GenerationSettings {
  var seed: String
  var steps: String?
  var sampler: String?

  /// `Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42`, the line that stable-diffusion-webui started and that
  /// Forge, SD.Next, stable-diffusion.cpp, Civitai and most others write.
  init?(settingsLine text: String) {
    let bytes = Array(text.utf8)[...]
    var offset = 0
    // Each candidate costs a look at what follows, and a text of nothing but candidates would cost its square.
    for _ in 0..<32 {
      guard let start = bytes.offset(of: "Steps: ".utf8, from: offset) else { return nil }
      offset = start + 7
      let line = bytes.rest(from: start).prefix(8_192)
      guard let steps = Self.number(after: "Steps: ", in: line),
        let seed = Self.number(after: "Seed: ", in: line)
      else { continue }
      let sampler = Self.value(after: "Sampler: ", in: line)
      guard sampler != nil || Self.number(after: "CFG scale: ", in: line) != nil else { continue }
      self.steps = steps
      self.seed = seed
      self.sampler = sampler
      return
    }
    return nil
  }

  /// A JSON object with a prompt, a seed, and how the model was run.
  init?(object tree: DataTree) {
    let prompts = [
      "prompt", "positive_prompt", "positivePrompt", "full_prompt", "c", "caption", "v4_prompt", "Prompt", "prompts",
    ]
    let runs = [
      "steps", "num_inference_steps", "sampler", "sampler_name", "scheduler", "cfg_scale", "cfgscale",
      "guidance_scale", "scale", "Steps", "Sampler", "performance",
    ]
    guard let map = tree.map, let seed = (map["seed"] ?? map["Seed"])?.digits,
      prompts.contains(where: { map[$0] != nil }), runs.contains(where: { map[$0] != nil })
    else { return nil }
    self.seed = seed
    steps = (map["steps"] ?? map["num_inference_steps"] ?? map["Steps"])?.digits
    sampler = (map["sampler"] ?? map["sampler_name"] ?? map["scheduler"] ?? map["Sampler"])?.text
  }

  init(seed: String, steps: String?, sampler: String?) {
    self.seed = seed
    self.steps = steps
    self.sampler = sampler
  }

  /// For a sentence: ` with seed 42, 20 steps and sampler 'Euler a'`.
  var phrase: String {
    var parts = ["seed \(seed.prefix(24))"]
    if let steps { parts.append("\(steps.prefix(12)) steps") }
    if let sampler { parts.append("sampler \(sampler.quoted)") }
    let last = parts.removeLast()
    return parts.isEmpty ? last : parts.joined(separator: ", ") + " and " + last
  }

  private static func number(after label: String, in bytes: ArraySlice<UInt8>) -> String? {
    guard let start = bytes.offset(of: label.utf8) else { return nil }
    let digits = bytes.rest(from: start + label.utf8.count).prefix { (0x30...0x39).contains($0) || $0 == 0x2E }
    return digits.isEmpty || digits.count > 24 ? nil : digits.text
  }

  private static func value(after label: String, in bytes: ArraySlice<UInt8>) -> String? {
    guard let start = bytes.offset(of: label.utf8) else { return nil }
    let value = bytes.rest(from: start + label.utf8.count).prefix { $0 != 0x2C && $0 != 0x0A }.text.trimmed
    return value.isEmpty ? nil : value
  }
}
