import ActivityStreams
import Markup
import Model
import Operations
import Policy
import Primitives
import Signatures

/// A received note as the post it becomes: cleaned, bounded, and still without the rows it refers to. Pure.
struct ReadNote: Sendable {
  let note: Note
  /// The object as received, proof and unknown members included.
  let json: JSON
  let document: [UInt8]
  private let content: String
  private let spoiler: String
  private let tags: [String]

  init(_ note: Note, json: JSON) {
    self.note = note
    self.json = json
    document = json.bytes
    var html = note.content?.value ?? ""
    // A title is shown for what is more than a note, as Mastodon does.
    if note.kind != .note, note.kind != .question, let name = note.name {
      html = "<p><strong>\(escapedText(name))</strong></p>\(html)"
    }
    if note.quote != nil { html = withoutQuoteFallback(html) }
    content = sanitize(html).html
    spoiler = sanitize(note.summary ?? "").text
    tags = note.tags.compactMap { tag in
      guard case .hashtag(let name, _) = tag, !name.isEmpty, name.count <= Limits.hashtagCharacters else { return nil }
      return name.lowercased()
    }
  }

  /// The object of an activity, or a document by itself, as `actor`'s; throws what `Ownership` finds.
  init(_ note: Note, json: JSON, ownedBy actor: IRI, local: IRI) throws(Ownership.Failure) {
    try Ownership.checkObject(id: note.id, attributedTo: note.attributedTo, actor: actor, local: local)
    if let node = Node(json) { try Ownership.checkOwners(node, actor: actor) }
    self.init(note, json: json)
  }

  func visibility(followers: IRI?) -> Visibility {
    switch note.addressing.audience(followers: followers) {
    case .public: .everyone
    case .unlisted: .unlisted
    case .followers: .followers
    case .direct: .direct
    }
  }

  /// Whoever is addressed by name. Merely tagged people are not: a tag is text, an address is meant (Akkoma 2026.08).
  var addressed: [IRI] {
    var seen: Set<IRI> = []
    return note.addressing.all.filter { $0 != everyone && seen.insert($0).inserted }
  }

  /// When it was made, never later than now.
  func published(at now: Timestamp) -> Timestamp { min(note.published ?? now, now) }

  func incomingPolicy(_ standing: IncomingUsagePolicy.Standing) -> IncomingUsagePolicy {
    IncomingUsagePolicy(
      policy: ReadPolicy.policy(
        note.usagePolicy, xRobotsTag: note.xRobotsTag, contentUsage: note.contentUsage,
        refusesSharing: note.refusesSharing),
      standing: standing, statedAt: note.updated ?? note.published)
  }

  func post(id: Post.ID, author: Account, parent: Post?, policy: StoredUsagePolicy?, at now: Timestamp) -> Post {
    Post(
      id: id, uri: note.id, url: page, authorID: author.id, inReplyToID: parent?.id, inReplyToURI: note.inReplyTo,
      inReplyToAccountID: parent?.authorID, content: content, spoiler: spoiler,
      isSensitive: note.sensitive || !spoiler.isEmpty, language: note.content?.language,
      visibility: visibility(followers: author.followers), usagePolicy: policy?.policy,
      policyIsProved: policy?.wasProved ?? false, policyStatedAt: policy?.statedAt, createdAt: published(at: now),
      editedAt: note.updated.flatMap { $0 > published(at: now) ? min($0, now) : nil }, isLocal: false,
      contextURI: note.context.flatMap { IRI($0) },
      interaction: note.interactionPolicy.flatMap { InteractionPolicy(wire: $0, of: author) },
      searchability: searchability(by: author))
  }

  /// An answer that names nobody means nobody (fedibird), who is the author alone.
  private func searchability(by author: Account) -> Searchability? {
    guard let named = note.searchableBy else { return nil }
    if named.contains(where: { $0 == everyone }) { return .everyone }
    return named.contains { $0 == author.followers } ? .followers : .author
  }

  var quote: ReceivedQuote? { note.quote.map { ReceivedQuote(uri: $0, stamp: note.quoteAuthorization) } }

  /// Only a Question asks one. Counts are capped so that they can be added up.
  func poll(in post: Post.ID, at now: Timestamp) -> Model.Poll? {
    guard note.kind == .question, let poll = note.poll else { return nil }
    func count(_ votes: Int) -> Int { min(max(0, votes), Limits.receivedVotes) }
    let options = poll.options.map { option in
      Model.Poll.Option(title: String(option.name.prefix(Limits.receivedPollTitle)), votes: count(option.votes))
    }
    // Pleroma writes the end it plans into `closed`.
    return Model.Poll(
      postID: post, options: options, isMultiple: poll.isMultiple, endsAt: poll.closed ?? poll.endTime,
      voters: poll.voters.map(count), readAt: now)
  }

  /// An answer to a poll: a name without words of its own. snac2 sends empty words, the others none.
  var isVote: Bool {
    note.kind == .note && note.inReplyTo != nil && note.name?.isEmpty == false && note.attachments.isEmpty
      && sanitize(note.content?.value ?? "").text.allSatisfy(\.isWhitespace)
  }

  var hashtags: [String] { Array(Set(tags).sorted().prefix(Limits.hashtagsPerPost)) }

  /// Pictures wait to be fetched; what is not fetched by design shows as a link.
  func attachments(
    of owner: Account.ID, standing: IncomingUsagePolicy.Standing, at now: Timestamp, id: () -> Model.Attachment.ID
  ) -> [Model.Attachment] {
    note.attachments.filter { $0.url.scheme == "https" }.prefix(Limits.attachmentsPerPost).enumerated().map {
      position, attachment in
      let kind = ReadNote.kind(attachment)
      return Model.Attachment(
        id: id(), ownerID: owner, position: position, kind: kind, state: kind == .image ? .waiting : .linked,
        remoteURL: attachment.url, altText: attachment.alt ?? "",
        focus: attachment.focalPoint.flatMap { Focus(x: $0.x, y: $0.y) }, blurhash: attachment.blurhash,
        declaredDigest: attachment.digestMultibase.flatMap { ContentDigest(multibase: $0) }.flatMap {
          Digest(rawValue: Hex.encode($0.bytes))
        }, declaredMediaType: attachment.mediaType, width: attachment.width, height: attachment.height,
        usagePolicy: standing == .forged ? nil : attachment.usagePolicy.flatMap { UsagePolicy(wire: $0) },
        digitalSourceType: ReadNote.term(attachment.digitalSourceType), createdAt: now)
    }
  }

  private static func kind(_ attachment: ActivityStreams.Attachment) -> Model.Attachment.Kind {
    let type = attachment.mediaType?.lowercased() ?? ""
    if type.hasPrefix("image/") { return .image }
    if type.hasPrefix("video/") { return .video }
    if type.hasPrefix("audio/") { return .audio }
    switch attachment.kind {
    case .image: return .image
    case .video: return .video
    case .audio: return .audio
    // Without a media type nothing says what it is; the bytes will.
    case .document: return type.isEmpty ? .image : .unknown
    }
  }

  /// The last part of an IPTC address: `http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation`.
  private static func term(_ text: String?) -> String? {
    guard let term = text?.split(separator: "/").last, term.utf8.count <= 64,
      term.utf8.allSatisfy({ (65...90).contains($0) || (97...122).contains($0) })
    else { return nil }
    return String(term)
  }

  /// A page on another host is where a phisher would send people.
  private var page: IRI {
    guard let url = note.url, url.scheme == "https", url.host == note.id.host else { return note.id }
    return url
  }
}
