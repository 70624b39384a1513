import Primitives

/// What a file says of its author and of what may be done with it: shown to the artist on upload, kept in renditions.
package struct EmbeddedRights: Codable, Hashable, Sendable {
  package var creators: [String] = []
  package var credit: String?
  package var copyright: String?
  package var usageTerms: String?
  /// Address of a statement of rights.
  package var webStatement: String?
  /// The last part of the PLUS address, such as `DMI-PROHIBITED`.
  package var dataMining: String?
  package var otherConstraints: String?
  /// CAWG or C2PA entries, such as `cawg.ai_generative_training` to `notAllowed`.
  package var trainingMining: [String: String] = [:]
  /// The IPTC term, such as `digitalCreation`.
  package var digitalSourceType: String?
  package var altText: String?
  package var extendedDescription: String?
  package var title: String?
  package var caption: String?
  /// As written, in whatever precision.
  package var dateCreated: String?

  package init() {}

  package init(reading metadata: EmbeddedMetadata) {
    let packets = metadata.xmp.map { XMPPacket(reading: $0) }
    func first(_ namespace: String, _ name: String) -> String? {
      packets.lazy.compactMap { $0.value(namespace, name) }.first
    }
    let exif = metadata.exif
    let iptc = metadata.iptc
    func png(_ keyword: String) -> String? {
      metadata.pngText.first { $0.keyword == keyword }?.text.trimmed
    }
    let named = packets.flatMap { $0.ownValues(XMPNamespace.dublinCore, "creator") }
    let others = [iptc?.byline ?? [], [exif?.artist, exif?.author, png("Author")].compactMap { $0 }]
    creators = Self.unique(named.isEmpty ? others.first { !$0.isEmpty } ?? [] : named)
    credit = first(XMPNamespace.photoshop, "Credit") ?? iptc?.credit
    copyright =
      first(XMPNamespace.dublinCore, "rights") ?? iptc?.copyright ?? exif?.copyright ?? png("Copyright")
    usageTerms = first(XMPNamespace.rights, "UsageTerms")
    webStatement = first(XMPNamespace.rights, "WebStatement")
    dataMining = first(XMPNamespace.plus, "DataMining").flatMap(Self.plusTerm)
    otherConstraints = first(XMPNamespace.plus, "OtherConstraints")
    trainingMining = C2PAStore(jumbf: metadata.jumbf)?.active?.trainingMining ?? [:]
    digitalSourceType =
      first(XMPNamespace.iptcExtension, "DigitalSourceType").flatMap(DigitalSourceType.init)?.term
    altText = first(XMPNamespace.iptcCore, "AltTextAccessibility")
    extendedDescription = first(XMPNamespace.iptcCore, "ExtDescrAccessibility")
    title = first(XMPNamespace.dublinCore, "title") ?? exif?.title ?? png("Title")
    caption =
      first(XMPNamespace.dublinCore, "description") ?? iptc?.caption ?? exif?.imageDescription ?? png("Description")
    dateCreated = first(XMPNamespace.photoshop, "DateCreated") ?? exif?.dateTimeOriginal
  }

  private static func plusTerm(_ text: String) -> String? {
    let last = text.trimmed.split(separator: "/").last.map(String.init) ?? ""
    return last.hasPrefix("DMI-") && last.utf8.count <= 64 ? last : nil
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.map(\.trimmed).filter { !$0.isEmpty && seen.insert($0).inserted }
  }
}
