import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct ArtworkPage {
  struct Reply {
    let name: String
    let path: String
    let text: String
    let date: String
  }
  let heading: String
  let author: String
  let authorPath: String
  let handle: String
  let plates: [Plate]
  let contentHTML: String
  let language: String
  let warning: String?
  let date: String
  let time: String
  let edited: String?
  let visibility: String
  let policy: PolicyWords
  let policyPath: String
  let isWaiting: Bool
  let isAuthor: Bool
  let origin: String?
  let copy: CopyWords?
  let tags: [String]
  let poll: PollWords?
  let quote: QuoteWords?
  let responses: ResponseForm?
  let replies: [Reply]
  let hasReplies: Bool
  let address: String
  let series: SeriesPlace?
  let seriesForm: SeriesForm?
  let pinForm: PinForm?
  let reportPath: String?

  struct PinForm {
    let token: String
    let path: String
    let isPinned: Bool
  }

  struct SeriesForm {
    let token: String
    let work: String
    let choices: [Choice]
  }
}

private struct ArtworkRows {
  var post: Post
  var page: PageAssembly
  var replies: [Post]
  var replyAuthors: [Account.ID: Account]
  var neighbours: SeriesNeighbours?
  /// Of the author, for the author.
  var ownSeries: [SeriesSummary] = []
}

extension WebFace {
  /// Post and all that stands around it, in a number of queries that does not depend on how much that is.
  private func rows(_ id: Post.ID, by author: Account, _ bearer: Bearer?) async throws -> ArtworkRows? {
    try await database.read { tx -> ArtworkRows? in
      var post = try tx.post(id, visibleTo: bearer?.account.id)
      // A moderator must see what waits for a moderator.
      if post == nil, let bearer, bearer.role >= .moderator, let held = try tx.post(id), held.state == .held {
        post = held
      }
      guard let post, post.authorID == author.id, post.boostOfID == nil else { return nil }
      let replies = Array(
        try tx.descendants(of: id, visibleTo: bearer?.account.id, limit: Limits.repliesShown)
          .filter { bearer != nil || $0.isLocal }.prefix(Limits.repliesShown))
      return ArtworkRows(
        post: post, page: try tx.assemble([post], for: bearer?.account.id), replies: replies,
        replyAuthors: try tx.accounts(Set(replies.map(\.authorID))),
        neighbours: try tx.neighbours(of: post, visibleTo: bearer?.account.id),
        ownSeries: bearer?.account.id == author.id ? try tx.series(of: author.id, visibleTo: author.id) : [])
    }
  }

  func artwork(
    _ id: Post.ID, by author: Account, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    let bearer = context.bearer
    guard let found = try await rows(id, by: author, bearer) else { throw Problem.notFound }
    let post = found.post
    try await lookForReplies(to: post, bearer)
    if request.wantsActivity, post.isLocal { return Response.seeOther(post.uri.pathAndQuery) }
    let pictures = found.page.attachments[post.id] ?? []
    let seesHeld = bearer.map { $0.role >= .moderator || $0.account.id == author.id } ?? false
    let plates = pictures.map { picture in
      plate(
        picture, by: author, renditions: found.page.renditions[picture.id] ?? [],
        decision: found.page.decisions[picture.id], seesHeld: seesHeld,
        isChanged: found.page.changedMedia[picture.id] != nil)
    }
    let policy = policy(of: post, pictures, by: author)
    let text = SanitizedHTML.restored(fromOwnStorage: post.content).text
    let line = text.split(separator: "\n").first.map(String.init)?.shortened(to: 80)
    let heading = line ?? "A work by \(shownName(author))"
    var frame = frame(
      "\(heading) \u{2013} \(shownName(author))", context, policy: policy,
      isListed: post.isLocal && post.visibility == .everyone && post.state == .published)
    frame.canonical = post.url.text
    frame.alternate = post.isLocal && post.visibility.isOpen ? post.uri.text : nil
    frame.summary = text.shortened(to: 200)
    frame.kind = "article"
    if post.isLocal, post.visibility.isOpen {
      frame.embed = instance.page("/api/oembed?url=\(percentEncoded(post.url.text))").text
    }
    if let first = plates.first, !post.isSensitive, !first.isPlaceholder {
      frame.image = preview(of: first, pictures.first, found.page, policy)
      frame.imageAlt = first.alt
    }
    return try page(
      "artwork", model(found, by: author, heading, plates, policy, context), frame, request, context, policy: policy,
      tdmPolicy: offer(of: author, policy), isPrivate: !post.visibility.isOpen)
  }

  /// What other servers have of this conversation, for the next reader. A stranger makes this server ask nobody.
  private func lookForReplies(to post: Post, _ bearer: Bearer?) async throws {
    guard bearer != nil, !post.isLocal else { return }
    let change = context
    guard try await database.read({ try $0.isThreadStale(post, at: change.now) }) else { return }
    try await database.write { try $0.refreshThread(of: post, in: change) }
  }

  /// No larger than the work's policy lets previews be; nil where it lets there be none.
  private func preview(
    of plate: Plate, _ picture: Attachment?, _ page: PageAssembly, _ policy: UsagePolicy
  ) -> String? {
    switch policy.previewSize {
    case .none: return nil
    case .large: return instance.page(plate.source).text
    case .standard:
      let small = picture.flatMap { page.renditions[$0.id]?.best(.small) }
      return small.map { instance.media($0.fileName).text }
    }
  }

  /// One policy for a page with several pictures: what the strictest of them says.
  private func policy(of post: Post, _ pictures: [Attachment], by author: Account) -> UsagePolicy {
    let base = effectivePolicy(of: author, post: post, on: instance)
    let all = pictures.map { effectivePolicy(of: author, post: post, attachment: $0, on: instance) }
    let statements = ([base] + all).map { PolicyStatement(party: author.uri, scope: .object, policy: $0) }
    return combine(statements)?.policy ?? base
  }

  private func model(
    _ found: ArtworkRows, by author: Account, _ heading: String, _ plates: [Plate], _ policy: UsagePolicy,
    _ context: FaceContext
  ) -> ArtworkPage {
    let post = found.post
    let bearer = context.bearer
    let choices = seriesChoices(found.ownSeries, chosen: post.seriesID)
    let replies = found.replies.compactMap { reply -> ArtworkPage.Reply? in
      guard let writer = found.replyAuthors[reply.authorID] else { return nil }
      return .init(
        name: shownName(writer), path: path(of: writer),
        text: SanitizedHTML.restored(fromOwnStorage: reply.content).text.shortened(to: 280),
        date: dayInWords(reply.createdAt))
    }
    return ArtworkPage(
      heading: heading, author: shownName(author), authorPath: path(of: author), handle: handle(of: author),
      plates: plates, contentHTML: post.content, language: post.language ?? "",
      warning: post.isSensitive ? (post.spoiler.isEmpty ? "Sensitive" : post.spoiler) : nil,
      date: dayInWords(post.createdAt), time: post.createdAt.iso8601Seconds,
      edited: post.editedAt.map(dayInWords), visibility: WebFace.inWords(post.visibility),
      policy: PolicyWords(policy), policyPath: "\(path(of: author))/policy", isWaiting: post.state == .held,
      isAuthor: bearer?.account.id == author.id, origin: post.isLocal ? nil : post.url.text,
      copy: found.page.marks[post.id].map(CopyWords.init),
      tags: found.page.tags[post.id] ?? [], poll: words(of: post, found.page, context),
      quote: quoteWords(of: post, found.page),
      responses: bearer?.account.id == author.id && post.boostOfID == nil ? responseForm(for: post, context) : nil,
      replies: replies,
      hasReplies: !replies.isEmpty, address: post.url.text,
      series: place(found.neighbours, of: author),
      seriesForm: choices.isEmpty
        ? nil
        : .init(
          token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "", work: post.id.description,
          choices: choices), pinForm: pinForm(post, by: author, isPinned: found.page.pinned.contains(post.id), context),
      reportPath: bearer == nil || bearer?.account.id == author.id ? nil : "/reports/new?work=\(post.id)")
  }

  private func pinForm(
    _ post: Post, by author: Account, isPinned: Bool, _ context: FaceContext
  ) -> ArtworkPage.PinForm? {
    guard context.bearer?.account.id == author.id, post.visibility != .direct, post.state == .published,
      let secret = context.sessionSecret
    else { return nil }
    return .init(token: formToken(sessionSecret: secret), path: "/settings/pins/\(post.id)", isPinned: isPinned)
  }

  static func inWords(_ visibility: Visibility) -> String {
    switch visibility {
    case .everyone: "Public"
    case .unlisted: "Public, not listed"
    case .followers: "Followers only"
    case .direct: "Only those mentioned"
    }
  }

  /// A work from another server under an address of ours.
  @Sendable func remote(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    guard let id = context.parameters.get("id").flatMap({ Post.ID($0) }),
      let found = try await database.read({ tx -> (Post, Account)? in
        guard let post = try tx.post(id, visibleTo: bearer.account.id), let author = try tx.account(post.authorID)
        else { return nil }
        return (post, author)
      })
    else { throw Problem.notFound }
    return Response.seeOther(path(of: found.0, by: found.1))
  }
}
