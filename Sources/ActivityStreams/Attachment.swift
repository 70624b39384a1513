import Primitives

/// A medium attached to a note.
package struct Attachment: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case image = "Image"
    case video = "Video"
    case audio = "Audio"
    /// What Mastodon calls every attachment.
    case document = "Document"
  }

  /// Where the subject is: −1...1 from the centre, y upwards.
  package struct FocalPoint: Hashable, Sendable {
    package var x: Double
    package var y: Double
    package init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  package var kind: Kind
  package var url: IRI
  package var mediaType: String?
  package var alt: String?
  package var width: Int?
  package var height: Int?
  package var blurhash: String?
  package var focalPoint: FocalPoint?
  /// FEP-1311: multihash of the bytes at `url`.
  package var digestMultibase: String?
  package var size: Int?
  /// The author's claim, an IPTC IRI.
  package var digitalSourceType: String?
  package var license: String?
  package var usagePolicy: JSON?
  package var sensitive = false

  package init(kind: Kind = .image, url: IRI) {
    self.kind = kind
    self.url = url
  }

  /// Nil for what is no medium, such as Lemmy's `Link`, or has no address.
  package init?(reading node: Node, sensitiveByDefault: Bool = false) {
    guard let kind = Kind.allCases.first(where: { node.isA($0.rawValue) }) else { return nil }
    guard let source = Attachment.source(node) else { return nil }
    self.init(kind: kind, url: source.iri)
    mediaType = node.text("mediaType", bytes: 128) ?? source.link?.text("mediaType", bytes: 128)
    // Mastodon 4.6 and GoToSocial read `summary` before `name`; the rest write `name`.
    let text =
      node.naturalLanguage("summary", bytes: Limits.jsonStringBytes)
      ?? node.naturalLanguage("name", bytes: Limits.jsonStringBytes)
    alt = text.map { String($0.value.prefix(Limits.receivedAltTextCharacters)) }
    width = node.count("width") ?? source.link?.count("width")
    height = node.count("height") ?? source.link?.count("height")
    blurhash = node.text("blurhash", bytes: 200).flatMap { Attachment.isBlurhash($0) ? $0 : nil }
    focalPoint = Attachment.focalPoint(node)
    digestMultibase = node.text("digestMultibase")
    size = node.count("size")
    digitalSourceType = node.iri("digitalSourceType")?.text ?? node.text("digitalSourceType")
    license = node.iri("license")?.text ?? node.text("license")
    usagePolicy = node.raw("usagePolicy")
    sensitive = node.bool("sensitive") ?? sensitiveByDefault
  }

  /// `url` is a string, a Link, or a list of them: of several the first picture is taken.
  private static func source(_ node: Node) -> (iri: IRI, link: Node?)? {
    let candidates = node.values("url").prefix(Limits.receivedAttachments).compactMap {
      value -> (iri: IRI, link: Node?)? in
      Node.iri(value).map { ($0, Node(value)) }
    }
    if let picture = candidates.first(where: { $0.link?.text("mediaType")?.hasPrefix("image/") == true }) {
      return picture
    }
    return candidates.first ?? node.iri("href").map { ($0, nil) }
  }

  private static func isBlurhash(_ text: String) -> Bool {
    (6...164).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  private static func focalPoint(_ node: Node) -> FocalPoint? {
    let numbers = node.values("focalPoint").prefix(3).compactMap(\.double).filter(\.isFinite)
    guard numbers.count == 2, let x = numbers.first, let y = numbers.last else { return nil }
    return FocalPoint(x: min(max(x, -1), 1), y: min(max(y, -1), 1))
  }

  /// The strictest reader decides each member: Pixelfed takes `url` only as a string, and alt text is read from
  /// `name` by some and from `summary` by others.
  package var json: JSON {
    JSON.members([
      "type": .string(kind.rawValue), "mediaType": mediaType.map { .string($0) }, "url": .string(url.text),
      "name": alt.map { .string($0) }, "summary": alt.map { .string($0) }, "sensitive": .bool(sensitive),
      "width": width.map { .integer(Int64($0)) }, "height": height.map { .integer(Int64($0)) },
      "blurhash": blurhash.map { .string($0) }, "focalPoint": focalPoint.map { [.double($0.x), .double($0.y)] },
      "digestMultibase": digestMultibase.map { .string($0) }, "size": size.map { .integer(Int64($0)) },
      "digitalSourceType": digitalSourceType.map { .string($0) }, "license": license.map { .string($0) },
      "usagePolicy": usagePolicy,
    ])
  }
}
