import Primitives

/// What the finders look at: the metadata with its packets parsed once, and the pixels when somebody decoded them.
package struct Traces: Sendable {
  /// A text of the file and where it stands.
  struct Field {
    /// Such as `PNG tEXt 'parameters'`.
    var place: String
    /// The keyword or field name by itself.
    var name: String
    var text: String
  }

  let metadata: EmbeddedMetadata
  let packets: [XMPPacket]
  let c2pa: C2PAStore?
  let pixels: PixelView?

  init(metadata: EmbeddedMetadata, pixels: PixelView?) {
    self.metadata = metadata
    self.pixels = pixels
    packets = metadata.xmp.map { XMPPacket(reading: $0) }
    c2pa = C2PAStore(jumbf: metadata.jumbf)
  }

  func pngText(_ keyword: String) -> Field? {
    metadata.pngText.first { $0.keyword == keyword }.map {
      Field(place: "PNG \($0.chunk) '\($0.keyword)'", name: $0.keyword, text: $0.text)
    }
  }

  private func exif(_ name: String, _ text: String?) -> Field? {
    text.map { Field(place: "\(metadata.format.name) Exif \(name)", name: name, text: $0) }
  }

  /// Texts that programs write for programs. People do not type here.
  var machineFields: [Field] {
    let exif = metadata.exif
    let keywords = ["parameters", "Comment", "comment", "UserComment", "generation_data", "postprocessing"]
    let comments = metadata.comments.map { Field(place: "\(metadata.format.name) comment", name: "comment", text: $0) }
    let xmp = packets.flatMap { $0.values(XMPNamespace.exif, "UserComment") }.map {
      Field(place: "XMP exif:UserComment", name: "UserComment", text: $0)
    }
    return keywords.compactMap(pngText)
      + [self.exif("UserComment", exif?.userComment), self.exif("XPComment", exif?.comment)].compactMap { $0 }
      + comments + xmp
  }

  /// Texts meant for people, where an artist writes what she likes: names alone prove nothing here.
  var descriptions: [Field] {
    let xmp = packets.compactMap { $0.value(XMPNamespace.dublinCore, "description") }.map {
      Field(place: "XMP dc:description", name: "description", text: $0)
    }
    let iptc = (metadata.iptc?.caption).map { Field(place: "IPTC caption", name: "caption", text: $0) }
    return ["Description", "description", "ImageDescription"].compactMap(pngText)
      + [exif("ImageDescription", metadata.exif?.imageDescription), iptc].compactMap { $0 } + xmp
  }

  /// Fields that name the program or service that made the file.
  var makers: [Field] {
    let exif = metadata.exif
    let xmp = packets.flatMap { packet in
      [
        (XMPNamespace.basic, "CreatorTool", "XMP xmp:CreatorTool"),
        (XMPNamespace.tiff, "Software", "XMP tiff:Software"),
        (XMPNamespace.photoshop, "Credit", "XMP photoshop:Credit"),
        (XMPNamespace.photoshop, "Source", "XMP photoshop:Source"),
      ].compactMap { source in
        packet.value(source.0, source.1).map { Field(place: source.2, name: source.1, text: $0) }
      }
    }
    let iptc = [
      metadata.iptc?.credit.map { Field(place: "IPTC credit", name: "Credit", text: $0) },
      metadata.iptc?.originatingProgram.map { Field(place: "IPTC program", name: "Software", text: $0) },
    ]
    return ["Software", "software", "Source", "Credit", "generator"].compactMap(pngText)
      + [self.exif("Software", exif?.software)].compactMap { $0 } + iptc.compactMap { $0 } + xmp
  }
}

/// Everything the file itself says of how it was made, strongest first and each thing once.
///
/// - Parameters:
///   - header: What the container says of the picture; nil when only metadata survived. The pixels of an animation are
///     not looked at: one frame says nothing of the rest.
///   - pixels: The decoded picture, where there is one; nil leaves the pixel messages unread and nothing else.
package func collectEvidence(
  metadata: EmbeddedMetadata, header: ImageHeader?, pixels: PixelView?
) -> [Evidence] {
  let traces = Traces(metadata: metadata, pixels: header.map { $0.frames > 1 } == true ? nil : pixels)
  let found =
    c2paEvidence(traces) + sourceTypeEvidence(traces) + stableDiffusionEvidence(traces) + comfyUIEvidence(traces)
    + novelAIEvidence(traces) + invokeAIEvidence(traces) + midjourneyEvidence(traces) + namedGeneratorEvidence(traces)
    + labelEvidence(traces) + stealthEvidence(traces) + invisibleWatermarkEvidence(traces)
  return ordered(found)
}

extension Assessment {
  /// Name and version of the finders here. The number grows whenever the same file may be read differently, so that
  /// stored decisions can be told apart.
  package static let evidenceDetector = "evidence/1"

  /// What the findings alone conclude of one file.
  package init(of container: ImageContainer, pixels: PixelView?) {
    self.init(of: container, pixels: pixels, layers: [])
  }
}

private func ordered(_ found: [Evidence]) -> [Evidence] {
  var seen: Set<String> = []
  let unique = found.filter { seen.insert("\($0.kind)\n\($0.place)").inserted }
  let rank: [Implication: Int] = [.generated: 0, .assisted: 1, .provenance: 2, .human: 3]
  let order = unique.enumerated().sorted { left, right in
    if left.element.strength != right.element.strength { return left.element.strength > right.element.strength }
    let ranks = (rank[left.element.implies] ?? 4, rank[right.element.implies] ?? 4)
    return ranks.0 == ranks.1 ? left.offset < right.offset : ranks.0 < ranks.1
  }
  return order.map(\.element)
}
