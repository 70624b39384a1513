import Primitives

/// One C2PA manifest (C2PA 1.x and 2.x): who claims, what was done, and out of what.
///
/// Nothing is verified: signatures and trust lists are not read in this release, so that what a manifest says is what
/// the file *declares*.
package struct C2PAManifest: Sendable {
  package struct Action: Hashable, Sendable {
    /// `c2pa.created`, `c2pa.edited`, …
    package var name: String
    package var sourceType: DigitalSourceType?
    package var softwareAgent: String?
  }

  package struct Ingredient: Hashable, Sendable {
    /// `parentOf`, `componentOf` or `inputTo`.
    package var relationship: String
    /// The label of the ingredient's own manifest, where it has one.
    package var manifest: String?
  }

  package var label: String
  package var generator: String?
  package var actions: [Action] = []
  package var ingredients: [Ingredient] = []
  /// `cawg.ai_generative_training` to `notAllowed`, and so on; C2PA 1.x names are kept as written.
  package var trainingMining: [String: String] = [:]
  package var authors: [String] = []
}

/// The manifests of one file. The last one is active: it speaks for the bytes as they are.
package struct C2PAStore: Sendable {
  package var manifests: [C2PAManifest]

  package var active: C2PAManifest? { manifests.last }

  /// Nil when no box is a C2PA store.
  package init?(jumbf boxes: [[UInt8]]) {
    for bytes in boxes {
      for box in JUMBFBox.boxes(in: bytes[...]) where box.label == "c2pa" {
        let manifests = box.children.filter { ["c2ma", "c2um", "c2cm"].contains($0.type) }.map(C2PAManifest.init)
        guard !manifests.isEmpty else { continue }
        self.manifests = manifests
        return
      }
    }
    return nil
  }

  package func manifest(_ label: String) -> C2PAManifest? { manifests.last { $0.label == label } }
}

extension C2PAManifest {
  init(_ box: JUMBFBox) {
    label = box.label
    for child in box.children {
      switch child.type {
      case "c2as": for assertion in child.children { take(assertion) }
      case "c2cl": generator = child.tree.flatMap(Self.generator)
      default: break
      }
    }
  }

  private mutating func take(_ assertion: JUMBFBox) {
    // A second assertion of one kind is labelled `name__1`.
    let kind = assertion.label.split(separator: "__", maxSplits: 1).first.map(String.init) ?? ""
    guard actions.count < 1_024, ingredients.count < 1_024 else { return }
    switch kind {
    case "c2pa.actions", "c2pa.actions.v2":
      actions += (assertion.tree?["actions"]?.array ?? []).prefix(1_024).compactMap(Action.init)
    case "c2pa.ingredient", "c2pa.ingredient.v2", "c2pa.ingredient.v3":
      if let ingredient = assertion.tree.flatMap(Ingredient.init) { ingredients.append(ingredient) }
    case "c2pa.training-mining", "cawg.training-mining":
      for (name, entry) in assertion.tree?["entries"]?.map ?? [:] {
        if let use = entry["use"]?.text, trainingMining.count < 64 { trainingMining[name] = use }
      }
    case "stds.schema-org.CreativeWork":
      let named = assertion.tree?["author"]?.array ?? []
      authors += named.prefix(16).compactMap { $0["name"]?.text }
    default: break
    }
  }

  private static func generator(_ claim: DataTree) -> String? {
    let info = claim["claim_generator_info"]
    return info?["name"]?.text ?? info?.array?.first?["name"]?.text ?? claim["claim_generator"]?.text
  }
}

extension C2PAManifest.Action {
  fileprivate init?(_ tree: DataTree) {
    guard let name = tree["action"]?.text else { return nil }
    self.name = name
    softwareAgent = tree["softwareAgent"]?.text ?? tree["softwareAgent"]?["name"]?.text
    let source = tree["digitalSourceType"]?.text ?? tree["parameters"]?["digitalSourceType"]?.text
    sourceType = source.flatMap(DigitalSourceType.init)
  }
}

extension C2PAManifest.Ingredient {
  fileprivate init?(_ tree: DataTree) {
    guard let relationship = tree["relationship"]?.text else { return nil }
    self.relationship = relationship
    let url = (tree["activeManifest"] ?? tree["c2pa_manifest"])?["url"]?.text
    // self#jumbf=/c2pa/LABEL, or relative without the leading slash.
    manifest = url?.split(separator: "/").last.map(String.init)
  }
}

extension JUMBFBox {
  /// The structured content of an assertion or claim.
  var tree: DataTree? {
    for content in contents {
      if content.type == "cbor" { return DataTree(cbor: content.data) }
      if content.type == "json" { return DataTree(json: content.data) }
    }
    return nil
  }
}
