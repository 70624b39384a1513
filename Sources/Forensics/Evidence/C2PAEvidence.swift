import Primitives

/// Findings of the C2PA manifests.
///
/// Only the active manifest speaks for the picture. Of what it was made is not what it is: a generated ingredient makes
/// a composite, unless the active manifest shows that nothing but the ingredient is in the picture.
func c2paEvidence(_ traces: Traces) -> [Evidence] {
  guard let store = traces.c2pa, let active = store.active else { return [] }
  let place =
    switch traces.metadata.format {
    case .jpeg: "JPEG APP11 C2PA manifest"
    case .png: "PNG caBX C2PA manifest"
    default: "\(traces.metadata.format.name) C2PA manifest"
    }
  let claimant = active.generator.map { " claimed by \($0.quoted)" } ?? ""
  func evidence(_ kind: String, _ strength: EvidenceStrength, _ implies: Implication, _ text: String) -> Evidence {
    Evidence(kind: kind, strength: strength, implies: implies, text: text, place: place)
  }

  switch store.declaration(of: active, depth: 0) {
  case .generated(let agent):
    let by = agent.map { " with \($0.quoted)" } ?? ""
    return [
      evidence(
        "c2pa.trained_algorithmic_media", .conclusive, .generated,
        "The C2PA manifest\(claimant) declares that the picture was created by a trained algorithm\(by).")
    ]
  case .assisted(let agent):
    let by = agent.map { " (\($0.quoted))" } ?? ""
    return [
      evidence(
        "c2pa.composite_with_trained_algorithmic_media", .conclusive, .assisted,
        "The C2PA manifest\(claimant) declares that the picture contains work of a trained algorithm\(by).")
    ]
  case .captured(let term):
    return [
      evidence(
        "c2pa.digital_source_type", .weak, .human,
        "The C2PA manifest\(claimant) declares the source type \(term.quoted).")
    ]
  case .silent:
    return [
      evidence(
        "c2pa.manifest", .weak, .provenance,
        "The file carries a C2PA manifest\(claimant) that declares no trained algorithm.")
    ]
  }
}

private enum C2PADeclaration {
  case generated(agent: String?)
  case assisted(agent: String?)
  case captured(term: String)
  case silent
}

extension C2PAStore {
  /// Actions that change how a picture is stored, framed or toned, and add nothing to it.
  private static let plainActions: Set<String> = [
    "c2pa.opened", "c2pa.converted", "c2pa.transcoded", "c2pa.resized", "c2pa.resized.proportional",
    "c2pa.repackaged", "c2pa.published", "c2pa.watermarked", "c2pa.watermarked.bound", "c2pa.watermarked.unbound",
    "c2pa.cropped", "c2pa.orientation", "c2pa.color_adjustments", "c2pa.edited.metadata", "c2pa.metadata",
    "c2pa.managed",
  ]

  fileprivate func declaration(of manifest: C2PAManifest, depth: Int) -> C2PADeclaration {
    let own = ownDeclaration(of: manifest)
    if case .generated = own { return own }
    if case .assisted = own { return own }
    // Ingredients of ingredients, and never round and round.
    guard depth < 8 else { return own }
    for ingredient in manifest.ingredients where ingredient.relationship != "inputTo" {
      guard let label = ingredient.manifest, label != manifest.label, let source = self.manifest(label) else {
        continue
      }
      switch declaration(of: source, depth: depth + 1) {
      case .generated(let agent):
        return Self.isWholeOf(ingredient, manifest) ? .generated(agent: agent) : .assisted(agent: agent)
      case .assisted(let agent): return .assisted(agent: agent)
      case .captured, .silent: continue
      }
    }
    return own
  }

  /// Whether the picture is that ingredient and nothing else: opened and only converted or trimmed, or, as OpenAI's
  /// signer writes it in 2025, wrapped in a second manifest without any action.
  private static func isWholeOf(_ ingredient: C2PAManifest.Ingredient, _ manifest: C2PAManifest) -> Bool {
    guard manifest.ingredients.count(where: { $0.relationship != "inputTo" }) == 1 else { return false }
    if manifest.actions.isEmpty { return true }
    return ingredient.relationship == "parentOf" && manifest.actions.allSatisfy { plainActions.contains($0.name) }
  }

  private func ownDeclaration(of manifest: C2PAManifest) -> C2PADeclaration {
    var assisted: C2PADeclaration?
    var captured: C2PADeclaration?
    // What was opened or placed may be a person's work: then a generating edit made a part, not the whole.
    let startsFromSomething =
      !manifest.ingredients.allSatisfy { $0.relationship == "inputTo" }
      || manifest.actions.contains { $0.name == "c2pa.opened" || $0.name == "c2pa.placed" }
    for action in manifest.actions {
      guard let type = action.sourceType, let meaning = type.meaning else { continue }
      switch (meaning.implies, meaning.strength) {
      case (.generated, _):
        if action.name == "c2pa.created" || action.name == "c2pa.edited" && !startsFromSomething {
          return .generated(agent: action.softwareAgent)
        }
        assisted = assisted ?? .assisted(agent: action.softwareAgent)
      case (.assisted, .conclusive): assisted = assisted ?? .assisted(agent: action.softwareAgent)
      case (.human, _): captured = captured ?? .captured(term: type.term)
      default: break
      }
    }
    return assisted ?? captured ?? .silent
  }
}
