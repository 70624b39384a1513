import HTTPSupport
import Markup
import Model
import Policy
import Primitives
import Store

/// One page of posts, ready to be drawn for one viewer.
struct StatusPage: Sendable {
  let entities: Entities
  let assembly: PageAssembly
  let isModerator: Bool
  let now: Timestamp
  /// Drawn once each: a page often shows one author many times.
  private let authors: [Account.ID: JSON]

  init(entities: Entities, assembly: PageAssembly, isModerator: Bool, now: Timestamp) {
    self.entities = entities
    self.assembly = assembly
    self.isModerator = isModerator
    self.now = now
    authors = assembly.accounts.mapValues { entities.account($0, counts: assembly.accountCounts[$0.id]) }
  }

  /// Nil when the post may be seen but not shown: the boost of a post that is not visible, and to a stranger whatever
  /// was fetched from elsewhere, which was not meant for them to browse here.
  func status(_ post: Post) -> JSON? { drawn(post, isQuoted: false) }

  /// A quote inside a quote is named and not drawn.
  func drawn(_ post: Post, isQuoted: Bool) -> JSON? {
    guard assembly.viewer != nil || post.isLocal else { return nil }
    guard let author = assembly.accounts[post.authorID] else { return nil }
    var boosted: JSON = .null
    if let id = post.boostOfID {
      guard let original = assembly.boosted[id], let drawn = status(original) else { return nil }
      boosted = drawn
    }
    let counts = assembly.counts[post.id]
    let parent = post.inReplyToID
    var entity: JSON = [
      "id": .string(post.id.description),
      "created_at": .string(post.createdAt.iso8601),
      "in_reply_to_id": .text(parent?.description),
      "in_reply_to_account_id": .text(parent == nil ? nil : post.inReplyToAccountID?.description),
      "sensitive": .bool(post.isSensitive),
      "spoiler_text": .string(post.spoiler),
      "visibility": .string(post.visibility.rawValue),
      "language": .text(post.language),
      "uri": .string(post.uri.text),
      "url": .string(post.url.text),
      "replies_count": .count(counts?.replies),
      "reblogs_count": .count(counts?.boosts),
      "favourites_count": .count(counts?.favourites),
      "quotes_count": .count(assembly.quoteCounts[post.id]),
      "edited_at": .text(post.editedAt?.iso8601),
      "content": .string(quoteFallback(of: post) + post.content),
      "reblog": boosted,
      "application": .null,
      "account": authors[author.id] ?? .null,
      "media_attachments": .array(attachments(of: post, by: author)),
      "mentions": .array(assembly.mentions[post.id, default: []].map(entities.mention)),
      "tags": .array(assembly.tags[post.id, default: []].map(entities.tag)),
      "emojis": [],
      "card": .null,
      "poll": poll(of: post),
      "quote": isQuoted ? shallowQuote(of: post) : quote(of: post),
      "quote_approval": quoteApproval(of: post),
      "usage_policy": usagePolicy(of: post, by: author),
      "series_id": .text(post.seriesID?.description),
      "held": held(post),
    ]
    if assembly.viewer != nil {
      entity["favourited"] = .bool(assembly.favourited.contains(post.id))
      entity["reblogged"] = .bool(isBoosted(post))
      entity["muted"] = .bool(assembly.mutedThreads.contains(post.id))
      entity["bookmarked"] = .bool(assembly.bookmarked.contains(post.id))
      entity["filtered"] = filtered(post)
      if post.authorID == assembly.viewer { entity["pinned"] = .bool(assembly.pinned.contains(post.id)) }
    }
    return entity
  }

  func statuses(_ posts: [Post]) -> [JSON] { posts.compactMap(status) }

  /// With how far it can be relied on, for a work from elsewhere: `verified` by its author's proof, `unsigned` by an
  /// author who signs nothing, `unverified` or `altered` where a proof is missing.
  private func usagePolicy(of post: Post, by author: Account) -> JSON {
    var policy = effectivePolicy(of: author, post: post, on: entities.instance).wire
    guard !post.isLocal else { return policy }
    let mark = assembly.marks[post.id]
    policy["copy"] = .string(mark?.state.rawValue ?? (post.policyIsProved ? "verified" : "unsigned"))
    if let mark, !mark.differing.isEmpty { policy["differing"] = .array(mark.differing.map { .string($0) }) }
    return policy
  }

  func attachments(of post: Post, by author: Account) -> [JSON] {
    assembly.attachments[post.id, default: []].map { attachment in
      var entity = entities.attachment(
        attachment, renditions: assembly.renditions[attachment.id, default: []],
        decision: assembly.decisions[attachment.id],
        policy: effectivePolicy(of: author, post: post, attachment: attachment, on: entities.instance),
        revealing: isModerator, isOwn: author.id == assembly.viewer)
      // Other bytes than the author signed for, fetched twice.
      if assembly.changedMedia[attachment.id] != nil { entity["usage_policy"]?["copy"] = "media_changed" }
      return entity
    }
  }

  /// What the viewer's filters say of it. Nobody's own words are kept from them.
  private func filtered(_ post: Post) -> JSON {
    guard !assembly.filters.isEmpty else { return [] }
    let shown = post.boostOfID.flatMap { assembly.boosted[$0] } ?? post
    guard shown.authorID != assembly.viewer else { return [] }
    let pictures = assembly.attachments[shown.id, default: []].map(\.altText)
    let answers = assembly.polls[shown.id]?.options.map(\.title) ?? []
    let text = FilteredText(
      [shown.spoiler, SanitizedHTML.restored(fromOwnStorage: shown.content).text] + pictures + answers)
    return .array(
      assembly.filters.filter { $0.isActive(at: now) }.compactMap { filter in
        let words = filter.keywords.filter(text.holds).map { JSON.string($0.text) }
        let ids = [post.id, shown.id]
        let posts = filter.posts.filter { ids.contains($0.postID) }.map { JSON.string($0.postID.description) }
        guard !words.isEmpty || !posts.isEmpty else { return nil }
        return [
          "filter": entities.filter(filter), "keyword_matches": .array(words), "status_matches": .array(posts),
        ]
      })
  }

  private func poll(of post: Post) -> JSON {
    guard let poll = assembly.polls[post.id] else { return .null }
    return entities.poll(
      poll, of: post, viewer: assembly.viewer, choices: assembly.choices[post.id, default: []], at: now)
  }

  private func isBoosted(_ post: Post) -> Bool {
    assembly.boostedByViewer.contains(post.id) || post.boostOfID.map { assembly.boostedByViewer.contains($0) } ?? false
  }

  /// Why a post waits for a moderator, for its author; null for every post that does not.
  private func held(_ post: Post) -> JSON {
    guard post.state == .held else { return .null }
    let pictures = assembly.attachments[post.id, default: []].filter { $0.state == .held }
    return [
      "pictures": .array(
        pictures.map { picture in
          [
            "id": .string(picture.id.description),
            "reasons": entities.reasons(assembly.decisions[picture.id]),
            "appeal_url": .string(entities.instance.appeal(picture.id).text),
          ]
        })
    ]
  }
}

func percentEncodedTag(_ name: String) -> String { percentEncoded(name) }
