import Primitives

/// Findings of the IPTC properties in XMP: the digital source type, and the 2025.1 fields that name an AI system.
func sourceTypeEvidence(_ traces: Traces) -> [Evidence] {
  traces.packets.flatMap { packet in
    [sourceType(packet), aiSystem(packet), history(packet)].compactMap { $0 }
  }
}

private func sourceType(_ packet: XMPPacket) -> Evidence? {
  let space = XMPNamespace.iptcExtension
  // Writers put the property in a bag of addresses too; the loudest of them counts.
  let types = packet.ownValues(space, "DigitalSourceType").compactMap(DigitalSourceType.init)
  let spoken = types.compactMap { type in type.meaning.map { (type, $0) } }
  guard let (type, meaning) = spoken.max(by: { $0.1.strength < $1.1.strength }) else { return nil }
  return Evidence(
    kind: "iptc.digital_source_type", strength: meaning.strength, implies: meaning.implies,
    text: "The IPTC digital source type in the XMP metadata declares \(type.term.quoted).",
    place: "XMP Iptc4xmpExt:DigitalSourceType")
}

private func aiSystem(_ packet: XMPPacket) -> Evidence? {
  let space = XMPNamespace.iptcExtension
  let system = packet.value(space, "AISystemUsed")
  let prompt = packet.value(space, "AIPromptInformation")
  guard system != nil || prompt != nil else { return nil }
  let name = system.map { " \($0.quoted)" } ?? ""
  return Evidence(
    kind: "iptc.ai_system", strength: .strong, implies: prompt == nil ? .assisted : .generated,
    text: prompt == nil
      ? "The IPTC metadata names an AI system\(name) among what made the picture."
      : "The IPTC metadata holds the prompt given to an AI system\(name).",
    place: system == nil ? "XMP Iptc4xmpExt:AIPromptInformation" : "XMP Iptc4xmpExt:AISystemUsed")
}

private func history(_ packet: XMPPacket) -> Evidence? {
  let agents = packet.values(XMPNamespace.event, "softwareAgent")
  guard let agent = agents.first(where: { $0.lowercased().hasPrefix("adobe firefly") }) else { return nil }
  return Evidence(
    kind: "xmp.history_firefly", strength: .strong, implies: .assisted,
    text: "The edit history in the XMP metadata lists a step by \(agent.quoted).", place: "XMP xmpMM:History")
}

extension String {
  /// For a sentence: quoted, cut to a readable length, and without anything that could break a line or a terminal.
  var quoted: String {
    let clean = unicodeScalars.map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: " "
      default: scalar
      }
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: clean.prefix(80))
    return clean.count > 80 ? "'\(String(text))…'" : "'\(String(text))'"
  }
}
