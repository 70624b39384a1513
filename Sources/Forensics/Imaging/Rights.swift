import Primitives

/// The whitelist: what a rendition says of itself. Everything else a camera or program wrote is left behind.
package struct Rights: Codable, Hashable, Sendable {
  package var creator: String?
  package var credit: String?
  package var copyright: String?
  package var usageTerms: String?
  /// A page with the terms.
  package var webStatement: String?
  /// The full IRI of a PLUS data mining value, `http://ns.useplus.org/ldf/vocab/DMI-…`.
  package var dataMining: String?
  /// The full IRI of an IPTC digital source type.
  package var digitalSourceType: String?
  package var altText: String?

  package init(
    creator: String? = nil, credit: String? = nil, copyright: String? = nil, usageTerms: String? = nil,
    webStatement: String? = nil, dataMining: String? = nil, digitalSourceType: String? = nil, altText: String? = nil
  ) {
    self.creator = creator
    self.credit = credit
    self.copyright = copyright
    self.usageTerms = usageTerms
    self.webStatement = webStatement
    self.dataMining = dataMining
    self.digitalSourceType = digitalSourceType
    self.altText = altText
  }

  /// These, with what is missing taken from `other`.
  package func filled(from other: Rights) -> Rights {
    Rights(
      creator: creator ?? other.creator, credit: credit ?? other.credit, copyright: copyright ?? other.copyright,
      usageTerms: usageTerms ?? other.usageTerms, webStatement: webStatement ?? other.webStatement,
      dataMining: dataMining ?? other.dataMining, digitalSourceType: digitalSourceType ?? other.digitalSourceType,
      altText: altText ?? other.altText)
  }

  package var isEmpty: Bool { self == Rights() }

  /// An XMP packet (ISO 16684-1) with IPTC and PLUS properties, or nil when there is nothing to say.
  package var xmpPacket: [UInt8]? {
    guard !isEmpty else { return nil }
    var body = ""
    if let creator { body += list("dc:creator", "Seq", escaped(creator)) }
    if let copyright { body += alternative("dc:rights", copyright) }
    if let credit { body += element("photoshop:Credit", credit) }
    if let usageTerms { body += alternative("xmpRights:UsageTerms", usageTerms) }
    if let webStatement { body += element("xmpRights:WebStatement", webStatement) }
    if copyright != nil || usageTerms != nil { body += element("xmpRights:Marked", "True") }
    if let dataMining { body += element("plus:DataMining", dataMining) }
    if let digitalSourceType { body += element("Iptc4xmpExt:DigitalSourceType", digitalSourceType) }
    if let altText { body += alternative("Iptc4xmpCore:AltTextAccessibility", altText) }
    // No padding: nobody edits our renditions in place. "r" says so.
    let packet =
      "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
      + "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
      + "<rdf:Description rdf:about=\"\"" + Rights.namespaces + ">" + body
      + "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    return Array(packet.utf8)
  }

  private static let namespaces =
    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\""
    + " xmlns:xmpRights=\"http://ns.adobe.com/xap/1.0/rights/\" xmlns:plus=\"http://ns.useplus.org/ldf/xmp/1.0/\""
    + " xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\""
    + " xmlns:Iptc4xmpCore=\"http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/\""

  private func element(_ name: String, _ value: String) -> String { "<\(name)>\(escaped(value))</\(name)>" }

  private func alternative(_ name: String, _ value: String) -> String {
    "<\(name)><rdf:Alt><rdf:li xml:lang=\"x-default\">\(escaped(value))</rdf:li></rdf:Alt></\(name)>"
  }

  private func list(_ name: String, _ kind: String, _ value: String) -> String {
    "<\(name)><rdf:\(kind)><rdf:li>\(value)</rdf:li></rdf:\(kind)></\(name)>"
  }

  /// XML 1.0 has no place for most control characters, escaped or not: they are left out. Cut on a character's edge.
  private func escaped(_ text: String) -> String {
    var out = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      guard bytes <= Limits.rightsField else { break }
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\t", "\n", "\r": out += " "
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": continue
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
