import Primitives

/// Graphs of ComfyUI.
///
/// A graph proves that the file passed through ComfyUI, and an artist may have scaled her own work there. The prompt
/// graph, which is what ran, concludes when a sampler is in it; a workflow, which is only what was on the screen, is
/// strong when it holds something that makes pictures.
func comfyUIEvidence(_ traces: Traces) -> [Evidence] {
  comfyFields(traces).compactMap { field, tree in
    let classes = nodeClasses(tree)
    guard !classes.isEmpty else { return nil }
    let isPrompt = classes.allSatisfy(\.ran)
    let sampler = classes.first { isSampler($0.name) }
    let makes = sampler ?? classes.first { isGenerative($0.name) || $0.hasPromptText }
    let graph = isPrompt ? "prompt graph" : "workflow"
    let count = classes.count == 1 ? "1 node" : "\(classes.count) nodes"
    guard let makes else {
      return Evidence(
        kind: "comfyui.graph", strength: .strong, implies: .assisted,
        text: "The \(field.place) field holds a ComfyUI \(graph) of \(count) without one that generates a picture.",
        place: field.place)
    }
    return Evidence(
      kind: isPrompt ? "comfyui.prompt" : "comfyui.workflow",
      strength: isPrompt && sampler != nil ? .conclusive : .strong, implies: .generated,
      text: "The \(field.place) field holds a ComfyUI \(graph) of \(count), \(makes.name.quoted) among them.",
      place: field.place)
  }
}

private struct NodeClass {
  var name: String
  /// Named by `class_type`, as in a graph that was executed.
  var ran: Bool
  var hasPromptText: Bool
}

/// Where ComfyUI and its export nodes put graphs: PNG text, or Exif fields with the name and a colon before the JSON.
private func comfyFields(_ traces: Traces) -> [(Traces.Field, DataTree)] {
  let exif = traces.metadata.exif
  let texts: [Traces.Field?] =
    ["prompt", "workflow", "Workflow", "generation_data"].map(traces.pngText) + traces.machineFields
    + traces.descriptions
    + [
      exif?.make.map { Traces.Field(place: "Exif Make", name: "Make", text: $0) },
      exif?.model.map { Traces.Field(place: "Exif Model", name: "Model", text: $0) },
    ]
  return texts.compactMap { field in
    guard let field, let body = jsonBody(field.text), let tree = DataTree(json: body.utf8) else { return nil }
    return (field, tree)
  }
}

private func jsonBody(_ text: String) -> String? {
  let trimmed = text.trimmed
  if trimmed.utf8.first == 0x7B { return trimmed }
  for name in ["prompt:", "Prompt:", "workflow:", "Workflow:"] where trimmed.hasPrefix(name) {
    let body = String(trimmed.dropFirst(name.count)).trimmed
    return body.utf8.first == 0x7B ? body : nil
  }
  return nil
}

private func nodeClasses(_ tree: DataTree) -> [NodeClass] {
  guard let map = tree.map else { return [] }
  if let nodes = map["nodes"]?.array, map["links"] != nil || map["last_node_id"] != nil {
    return workflowNodes(nodes) + subgraphs(map)
  }
  if let inner = map["prompt"], inner["class_type"] == nil, let entries = inner.map { return ran(entries) }
  return ran(map)
}

private func ran(_ entries: [String: DataTree]) -> [NodeClass] {
  // Keys sorted, so that the same file always names the same node.
  entries.keys.sorted().compactMap { key in
    guard let node = entries[key], let name = node["class_type"]?.text, let inputs = node["inputs"]?.map else {
      return nil
    }
    return NodeClass(name: name, ran: true, hasPromptText: inputs["prompt"]?.text?.isEmpty == false)
  }
}

private func workflowNodes(_ nodes: [DataTree]) -> [NodeClass] {
  nodes.compactMap { node in
    node["type"]?.text.map { NodeClass(name: $0, ran: false, hasPromptText: false) }
  }
}

/// Since 2025 a workflow may keep its nodes in subgraphs.
private func subgraphs(_ map: [String: DataTree]) -> [NodeClass] {
  (map["definitions"]?["subgraphs"]?.array ?? []).flatMap { workflowNodes($0["nodes"]?.array ?? []) }
}

private func isSampler(_ name: String) -> Bool {
  name.hasPrefix("KSampler") || name.hasPrefix("SamplerCustom")
    || name.contains("Sampler") && !name.contains("Select") && !name.contains("Upscal")
}

private func isGenerative(_ name: String) -> Bool {
  let parts = [
    "TextEncode", "CheckpointLoader", "UNETLoader", "UnetLoader", "DiffusionModel", "EmptyLatent", "TextToImage",
    "ImageToImage", "ImageEdit", "VAEDecode", "GPTImage", "Flux", "Ideogram", "Recraft", "StabilityStable", "Gemini",
    "Luma", "Dalle", "DALLE", "Seedream", "Kling", "Imagen", "Wan", "Qwen",
  ]
  return parts.contains { name.contains($0) }
}
