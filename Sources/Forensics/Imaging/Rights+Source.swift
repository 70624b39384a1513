import Primitives

extension Rights {
  /// What the file itself says of its rights: XMP before IPTC-IIM before Exif, as the Metadata Working Group ranks
  /// them. Values that are not on the whitelist's form are left out.
  package init(found metadata: EmbeddedMetadata) {
    let packets = metadata.xmp.map { XMPPacket(reading: $0) }
    func xmp(_ namespace: String, _ name: String) -> String? {
      packets.lazy.compactMap { $0.value(namespace, name) }.first.flatMap(Rights.field)
    }
    self.init(
      creator: xmp(XMPNamespace.dublinCore, "creator")
        ?? Rights.field(metadata.iptc?.byline.joined(separator: ", ")) ?? Rights.field(metadata.exif?.artist),
      credit: xmp(XMPNamespace.photoshop, "Credit") ?? Rights.field(metadata.iptc?.credit),
      copyright: xmp(XMPNamespace.dublinCore, "rights")
        ?? Rights.field(metadata.iptc?.copyright) ?? Rights.field(metadata.exif?.copyright),
      usageTerms: xmp(XMPNamespace.rights, "UsageTerms"),
      webStatement: xmp(XMPNamespace.rights, "WebStatement").flatMap { IRI($0)?.text },
      dataMining: xmp(XMPNamespace.plus, "DataMining").flatMap {
        $0.hasPrefix("http://ns.useplus.org/ldf/vocab/DMI-") ? $0 : nil
      },
      digitalSourceType: xmp(XMPNamespace.iptcExtension, "DigitalSourceType").flatMap {
        $0.hasPrefix("http://cv.iptc.org/newscodes/digitalsourcetype/") ? $0 : nil
      },
      altText: xmp(XMPNamespace.iptcCore, "AltTextAccessibility"))
  }

  private static func field(_ text: String?) -> String? {
    guard let text, !text.isEmpty, text.utf8.count <= Limits.rightsField else { return nil }
    return text
  }
}
