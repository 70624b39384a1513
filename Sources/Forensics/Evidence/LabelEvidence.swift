import Primitives

/// The label that Chinese law asks generating services for (GB 45438-2025): `{"AIGC": {"Label": "1", …}}` in XMP, in a
/// PNG entry or in the Exif comment.
func labelEvidence(_ traces: Traces) -> [Evidence] {
  let xmp = traces.packets.flatMap { $0.values(XMPNamespace.aigc, "AIGC") }.map {
    Traces.Field(place: "XMP TC260:AIGC", name: "AIGC", text: $0)
  }
  let fields = xmp + [traces.pngText("AIGC")].compactMap { $0 } + traces.machineFields
  return fields.compactMap { field in
    guard field.text.utf8.first == 0x7B, let tree = DataTree(json: field.text.utf8) else { return nil }
    let inner = tree["AIGC"].flatMap { $0.text.flatMap { DataTree(json: $0.utf8) } ?? $0 }
    guard let body = inner ?? (field.name == "AIGC" ? tree : nil), let label = body["Label"],
      let value = label.text ?? label.digits
    else { return nil }
    return evidence(value, body["ContentProducer"]?.text, field.place)
  }
}

private func evidence(_ label: String, _ producer: String?, _ place: String) -> Evidence? {
  let by = producer.map { " by \($0.quoted)" } ?? ""
  func found(_ strength: EvidenceStrength, _ words: String) -> Evidence {
    Evidence(
      kind: "tc260.aigc_label", strength: strength, implies: .generated,
      text: "The AIGC label\(by) declares the content \(words).", place: place)
  }
  switch label {
  case "1": return found(.conclusive, "generated")
  case "2": return found(.strong, "possibly generated")
  case "3": return found(.weak, "suspected to be generated")
  default: return nil
  }
}
