import ActivityStreams
import Markup
import Model
import Policy
import Primitives
import Signatures
import Store

extension PostFacts {
  /// The one document that satisfies the strictest reader of each of its members.
  package func note(in instance: Instance) -> Note {
    var note = Note(id: post.uri, attributedTo: author.uri)
    note.addressing = addressing
    note.content = content
    // A longer warning makes Misskey refuse the whole object.
    note.summary = post.spoiler.isEmpty ? nil : String(post.spoiler.prefix(Limits.federatedSummary))
    note.sensitive = post.isSensitive
    note.published = post.createdAt
    note.updated = post.changedAt > post.createdAt ? post.changedAt : post.editedAt
    note.url = post.url
    note.inReplyTo = post.inReplyToURI
    note.attachments = pictures.compactMap { attachment($0, in: instance) }
    note.tags = tags(in: instance)
    if let poll {
      note.kind = .question
      note.poll = poll.question
    }
    if let policy {
      let signals = OutgoingSignals(policy)
      note.usagePolicy = policy.embedded(on: instance)
      note.xRobotsTag = signals.xRobotsTag
      note.contentUsage = signals.contentUsage
    }
    writeQuote(into: &note)
    note.interactionPolicy = post.interactionInForce.wire(of: author)
    note.searchableBy = searchableBy
    if post.visibility.isOpen {
      note.replies = post.uri.appending("/replies")
      note.likes = post.uri.appending("/likes")
      note.shares = post.uri.appending("/shares")
      note.context = context?.text
    }
    return note
  }

  package var addressing: Addressing {
    Addressing(post.visibility.audience, followers: author.followers, mentions: mentions.map(\.uri))
  }

  /// Mastodon drops every picture after the fourth without a word, so the words say that there are more.
  private var content: NaturalText {
    var html = quoteFallback + post.content
    let more = pictures.count { renditions[$0.id] != nil } - Limits.picturesShownByMastodon
    if more > 0 {
      let address = escapedAttribute(post.url.text)
      html += "<p><a href=\"\(address)\" rel=\"nofollow noopener\">+\(more) more</a></p>"
    }
    return post.language.map { NaturalText(html, language: $0) } ?? NaturalText(html)
  }

  private func tags(in instance: Instance) -> [Tag] {
    let people: [Tag] = mentions.map { account in
      let host = account.host ?? instance.host
      return .mention(href: account.uri, name: "@\(account.username)@\(host.text)")
    }
    return people
      + tags.map { name in .hashtag(name: name, href: IRI(instance.tagPages.text + pathEncoded(name))) }
  }

  private func attachment(_ picture: Model.Attachment, in instance: Instance) -> ActivityStreams.Attachment? {
    guard let file = renditions[picture.id] else { return nil }
    var attachment = ActivityStreams.Attachment(url: instance.media(file.fileName))
    attachment.mediaType = file.mediaType
    attachment.alt = picture.altText.isEmpty ? nil : picture.altText
    attachment.width = file.width
    attachment.height = file.height
    attachment.size = file.size
    attachment.blurhash = picture.blurhash
    attachment.focalPoint = picture.focus.map { .init(x: $0.x, y: $0.y) } ?? .init(x: 0, y: 0)
    attachment.digestMultibase = ContentDigest(bytes: file.digest.bytes)?.multibase
    attachment.digitalSourceType = picture.digitalSourceType.map {
      $0.contains(":") ? $0 : "http://cv.iptc.org/newscodes/digitalsourcetype/\($0)"
    }
    attachment.usagePolicy = policy(of: picture)?.embedded(on: instance)
    attachment.sensitive = post.isSensitive
    return attachment
  }
}

extension Model.Poll {
  /// Once its end was told here it is closed, and what its author hid until then is shown.
  fileprivate var question: ActivityStreams.Poll {
    let isClosed = settledAt != nil
    var question = ActivityStreams.Poll(
      options: options.map { .init(name: $0.title, votes: hidesTotals && !isClosed ? 0 : $0.votes) },
      isMultiple: isMultiple, endTime: endsAt)
    question.closed = isClosed ? endsAt : nil
    question.voters = voters
    return question
  }
}

extension Visibility {
  package var audience: ActivityStreams.Audience {
    switch self {
    case .everyone: .public
    case .unlisted: .unlisted
    case .followers: .followers
    case .direct: .direct
    }
  }
}

/// A tag of any script as one path segment.
func pathEncoded(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default: out += "%" + Hex.encode([byte]).uppercased()
    }
  }
  return out
}
