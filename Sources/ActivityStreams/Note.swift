import Primitives

/// A Note, Article, Image, Page, Video or Question: these differ in name, not in what a portfolio needs.
package struct Note: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case note = "Note"
    case article = "Article"
    case page = "Page"
    case image = "Image"
    case video = "Video"
    case audio = "Audio"
    case question = "Question"
    case event = "Event"
  }

  package var id: IRI
  package var kind: Kind
  package var attributedTo: IRI
  package var addressing = Addressing()
  /// A title; Mastodon shows it for kinds other than `note` only.
  package var name: String?
  /// HTML of the peer, not sanitised.
  package var content: NaturalText?
  /// A content warning.
  package var summary: String?
  package var sensitive = false
  package var published: Timestamp?
  package var updated: Timestamp?
  package var url: IRI?
  package var inReplyTo: IRI?
  /// FEP-7888, or the `conversation` of older peers.
  package var context: String?
  package var quote: IRI?
  /// Where the quoted author's consent lies (FEP-044f).
  package var quoteAuthorization: IRI?
  /// The quote under the names that readers of before FEP-044f know; they show what they are told of.
  package var writesOlderQuoteNames = false
  /// FEP-268d. Nil when it is absent; an empty list means nobody to fedibird.
  package var searchableBy: [IRI]?
  package var attachments: [Attachment] = []
  package var tags: [Tag] = []
  package var poll: Poll?
  package var license: String?
  package var usagePolicy: JSON?
  package var xRobotsTag: String?
  package var contentUsage: String?
  /// FEP-5e53 `SPC`, and Epicyon's `secGPC`: not to be sold or shared. Read, never written.
  package var refusesSharing = false
  package var replies: IRI?
  package var likes: IRI?
  package var shares: IRI?
  package var interactionPolicy: JSON?
  /// Elements dropped in reading: tolerance must be visible.
  package var omissions = 0

  package init(id: IRI, attributedTo: IRI, kind: Kind = .note) {
    self.id = id
    self.attributedTo = attributedTo
    self.kind = kind
  }

  package static let types = Set(Kind.allCases.map(\.rawValue))

  package init(reading node: Node) throws(VocabularyError) {
    guard let kind = Kind(rawValue: try node.type(among: Note.types)) else { throw .invalid(.type) }
    self.init(id: try node.id(), attributedTo: try Note.owner(node), kind: kind)
    addressing = Addressing(reading: node)
    name = node.naturalLanguage("name", bytes: Limits.receivedNameBytes)?.value
    content = node.naturalLanguage("content")
    summary = node.naturalLanguage("summary", bytes: Limits.receivedSummaryBytes)?.value
    sensitive = node.bool("sensitive") ?? false
    published = node.timestamp("published")
    updated = node.timestamp("updated")
    url = Note.page(node)
    inReplyTo = node.iri("inReplyTo")
    context = node.iri("context")?.text ?? node.text("context") ?? node.text("conversation")
    quote = Note.quoted(node)
    quoteAuthorization = node.iri("quoteAuthorization")
    searchableBy = node.json["searchableBy"].map { _ in node.iris("searchableBy") }
    license = node.iri("license")?.text ?? node.text("license")
    usagePolicy = node.raw("usagePolicy")
    xRobotsTag = node.text("xRobotsTag")
    contentUsage = node.text("contentUsage")
    refusesSharing = node.refusesSharing
    replies = node.iri("replies")
    likes = node.iri("likes")
    shares = node.iri("shares")
    interactionPolicy = node.raw("interactionPolicy")
    poll = Poll(reading: node)
    let isSensitive = sensitive
    attachments = node.list("attachment", limit: Limits.receivedAttachments, omissions: &omissions) {
      Node($0).flatMap { Attachment(reading: $0, sensitiveByDefault: isSensitive) }
    }
    tags = node.list("tag", limit: Limits.receivedTags, omissions: &omissions) { Node($0).flatMap { Tag(reading: $0) } }
  }

  /// PeerTube lists the account and the channel as objects: the Person among them is the author. Elsewhere the first.
  private static func owner(_ node: Node) throws(VocabularyError) -> IRI {
    let people = node.nodes("attributedTo", limit: Limits.receivedKeys).filter { $0.isA("Person") }
    if let person = people.first { return try person.id() }
    return try node.require(.attributedTo)
  }

  /// Under whichever name; FEP-e232 links count when they lead to a document of this kind.
  private static func quoted(_ node: Node) -> IRI? {
    let named = ["quote", "quoteUri", "quoteUrl", "_misskey_quote"].lazy.compactMap { node.iri($0) }.first
    return named
      ?? node.nodes("tag", limit: Limits.receivedTags).first { tag in
        let type = tag.text("mediaType") ?? ""
        return tag.isA("Link") && (type == Names.linkedDataType || type == Names.mediaType)
      }?.iri("href")
  }

  private static func page(_ node: Node) -> IRI? {
    let links = node.nodes("url", limit: Limits.receivedAttachments)
    return links.first { $0.text("mediaType") == "text/html" }?.iri("href") ?? node.iri("url")
  }

  /// Without `@context`; `document` has it.
  ///
  /// `to` and `cc` are arrays even when empty: Pixelfed reads them unguarded.
  package var json: JSON {
    let older: JSON? = writesOlderQuoteNames ? quote.map { .string($0.text) } : nil
    var out = JSON.members([
      "id": .string(id.text), "type": .string(kind.rawValue), "attributedTo": .string(attributedTo.text),
      "published": published.map { .string($0.iso8601Written) }, "updated": updated.map { .string($0.iso8601Written) },
      "url": url.map { .string($0.text) }, "to": addressing.toJSON, "cc": addressing.ccJSON,
      "inReplyTo": inReplyTo.map { .string($0.text) }, "context": context.map { .string($0) },
      "name": name.map { .string($0) }, "summary": summary.map { .string($0) }, "sensitive": .bool(sensitive),
      "content": content.map { .string($0.value) }, "contentMap": content?.map,
      "license": license.map { .string($0) }, "quote": quote.map { .string($0.text) },
      "quoteUri": older, "quoteUrl": older, "_misskey_quote": older,
      "quoteAuthorization": quoteAuthorization.map { .string($0.text) },
      "searchableBy": searchableBy.map { .array($0.map { .string($0.text) }) },
      "tag": .array(tags.map(\.json)), "attachment": .array(attachments.map(\.json)),
      "usagePolicy": usagePolicy, "xRobotsTag": xRobotsTag.map { .string($0) },
      "contentUsage": contentUsage.map { .string($0) }, "interactionPolicy": interactionPolicy,
      "replies": replies.map { .string($0.text) }, "likes": likes.map { .string($0.text) },
      "shares": shares.map { .string($0.text) },
    ])
    poll?.write(into: &out)
    return out
  }

  package var document: JSON { Context.document(json, Context.object) }
}

extension Timestamp {
  /// Seconds where nothing is lost: Misskey and older readers take fractions, but compare texts.
  var iso8601Written: String { milliseconds % 1_000 == 0 ? iso8601Seconds : iso8601 }
}

/// The options of a Question.
package struct Poll: Hashable, Sendable {
  package struct Option: Hashable, Sendable {
    package var name: String
    package var votes: Int
    package init(name: String, votes: Int) {
      self.name = name
      self.votes = votes
    }
  }

  package var options: [Option]
  package var isMultiple: Bool
  package var endTime: Timestamp?
  package var closed: Timestamp?
  package var voters: Int?

  package init(options: [Option], isMultiple: Bool, endTime: Timestamp? = nil) {
    self.options = options
    self.isMultiple = isMultiple
    self.endTime = endTime
  }

  init?(reading node: Node) {
    let key = node.values("oneOf").isEmpty ? "anyOf" : "oneOf"
    let options = node.nodes(key, limit: Limits.receivedPollOptions).compactMap { option -> Option? in
      guard let name = option.naturalLanguage("name", bytes: Limits.shortTextBytes)?.value else { return nil }
      return Option(name: name, votes: option.node("replies")?.count("totalItems") ?? 0)
    }
    guard !options.isEmpty else { return nil }
    self.init(options: options, isMultiple: key == "anyOf", endTime: node.timestamp("endTime"))
    closed = node.timestamp("closed")
    voters = node.count("votersCount")
  }

  func write(into json: inout JSON) {
    json[isMultiple ? "anyOf" : "oneOf"] = .array(
      options.map {
        [
          "type": "Note", "name": .string($0.name),
          "replies": ["type": "Collection", "totalItems": .integer(Int64($0.votes))],
        ]
      })
    if let endTime { json["endTime"] = .string(endTime.iso8601Written) }
    if let closed { json["closed"] = .string(closed.iso8601Written) }
    if let voters { json["votersCount"] = .integer(Int64(voters)) }
  }
}
