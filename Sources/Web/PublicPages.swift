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

private struct FrontPage {
  struct Artist {
    let path: String
    let name: String
    let works: Int
  }
  let title: String
  let description: String
  let tiles: [Tile]
  let showsAuthor: Bool
  let artists: [Artist]
  let older: String?
  let isEmpty: Bool
}

private struct GridPage {
  let heading: String
  let lead: String
  let tiles: [Tile]
  let showsAuthor: Bool
  let older: String?
  let isEmpty: Bool
}

private struct ArtistPage {
  struct Field {
    let name: String
    let valueHTML: String
  }
  let name: String
  let handle: String
  let avatar: String?
  let header: String?
  let noteHTML: String
  let pinned: [Tile]
  let hasPinned: Bool
  let editPath: String?
  let reportPath: String?
  let fields: [Field]
  let policy: PolicyWords
  let policyPath: String
  let isLocal: Bool
  let origin: String?
  let series: [SeriesLink]
  let hasSeries: Bool
  let tiles: [Tile]
  let showsAuthor: Bool
  let older: String?
  let isEmpty: Bool
}

private struct PolicyPage {
  let name: String
  let path: String
  let policy: PolicyWords
  let offer: String
}

private struct AboutPage {
  struct Row {
    let name: String
    let value: String
  }
  let title: String
  let description: String
  let rules: [Row]
  /// What the staff of this place have written.
  let houseRules: [String]
  let hasHouseRules: Bool
  let meaning: String
  let notice: String?
  let revision: Int
  let staff: [Row]
  let limits: [Row]
}

extension WebFace {
  private func window(_ request: Request) -> Page<Post> {
    let text = request.uri.queryParameters["before"].map(String.init)
    return Page(before: text.flatMap { Post.ID($0) }, limit: Limits.worksPerPage)
  }

  private func older(_ posts: [Post], at path: String) -> String? {
    guard posts.count == Limits.worksPerPage, let last = posts.last else { return nil }
    return "\(path)?before=\(last.id)"
  }

  @Sendable func front(_ request: Request, _ context: FaceContext) async throws -> Response {
    let viewer = context.bearer?.account.id
    let window = window(request)
    let found = try await database.read { tx in
      let posts = try tx.publicPosts(localOnly: true, onlyMedia: true, visibleTo: viewer, window)
      let accounts = try tx.localAccounts(Page(limit: Limits.artistsOnFront)).filter { $0.suspendedAt == nil }
      return (posts, try tx.assemble(posts, for: viewer), accounts, try tx.counts(of: accounts.map(\.id)))
    }
    let tiles = tiles(found.0, found.1)
    let artists = found.2.filter(\.isDiscoverable).map { account in
      FrontPage.Artist(path: path(of: account), name: shownName(account), works: found.3[account.id]?.posts ?? 0)
    }
    var frame = frame(title, context, policy: standardPolicy)
    frame.summary = description
    frame.canonical = instance.page("/").text
    let model = FrontPage(
      title: title, description: description, tiles: tiles, showsAuthor: true, artists: artists,
      older: older(found.0, at: "/"),
      isEmpty: tiles.isEmpty)
    return try page("front", model, frame, request, context, policy: standardPolicy)
  }

  @Sendable func tagged(_ request: Request, _ context: FaceContext) async throws -> Response {
    let raw = context.parameters.get("tag") ?? ""
    let tag = normalizedHashtag(percentDecoded(raw, plusIsSpace: false) ?? raw)
    guard !tag.isEmpty, tag.utf8.count <= 256 else { throw Problem.notFound }
    let viewer = context.bearer?.account.id
    let window = window(request)
    let (posts, assembly) = try await database.read { tx in
      let posts = try tx.posts(tagged: tag, visibleTo: viewer, window)
      return (posts, try tx.assemble(posts, for: viewer))
    }
    // A picture from elsewhere is its author's to publish: strangers are shown what is ours.
    let tiles = tiles(viewer == nil ? posts.filter(\.isLocal) : posts, assembly)
    let frame = frame("#\(tag)", context, policy: standardPolicy)
    let model = GridPage(
      heading: "#\(tag)", lead: "Works with this tag.", tiles: tiles, showsAuthor: true,
      older: older(posts, at: "/tags/\(percentEncoded(tag))"), isEmpty: tiles.isEmpty)
    return try page("grid", model, frame, request, context, policy: standardPolicy)
  }

  @Sendable func home(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let window = window(request)
    let (posts, assembly) = try await database.read { tx in
      let posts = try tx.home(of: bearer.account.id, window)
      return (posts, try tx.assemble(posts, for: bearer.account.id))
    }
    let tiles = tiles(posts, assembly)
    let model = GridPage(
      heading: "Home", lead: "Works by the artists you follow, and your own.", tiles: tiles, showsAuthor: true,
      older: older(posts, at: "/home"), isEmpty: tiles.isEmpty)
    let frame = frame("Home", context, policy: standardPolicy, isListed: false)
    return try page("grid", model, frame, request, context, policy: standardPolicy)
  }

  /// The account of `/@name` or `/@name@host`; people of other servers are shown to people signed in here only.
  func account(_ acct: String, _ context: FaceContext) async throws -> Account {
    let parts = acct.split(separator: "@", omittingEmptySubsequences: false)
    var host: Host?
    if parts.count == 2 {
      guard let named = Host(String(parts[1])) else { throw Problem.notFound }
      host = named == instance.host ? nil : named
    }
    guard (1...2).contains(parts.count), parts[0].utf8.count <= 256 else { throw Problem.notFound }
    let name = String(parts[0])
    let wanted = host
    guard let account = try await database.read({ try $0.account(username: name, host: wanted) }),
      account.suspendedAt == nil, account.kind != .application, account.isLocal || context.bearer != nil
    else { throw Problem.notFound }
    return account
  }

  @Sendable func artist(_ request: Request, _ context: FaceContext) async throws -> Response {
    let account = try await account(context.parameters.get("acct") ?? "", context)
    if request.wantsActivity, account.isLocal { return Response.seeOther(account.uri.pathAndQuery) }
    let viewer = context.bearer?.account.id
    let window = window(request)
    let filter = AccountFilter(onlyMedia: true, excludeBoosts: true)
    let (posts, pins, assembly, series) = try await database.read { tx in
      let posts = try tx.posts(by: account.id, visibleTo: viewer, filter, window)
      let pins = window.before == nil ? try tx.pinnedPosts(of: account.id, visibleTo: viewer) : []
      let all = posts + pins.filter { pin in !posts.contains { $0.id == pin.id } }
      return (posts, pins, try tx.assemble(all, for: viewer), try tx.series(of: account.id, visibleTo: viewer))
    }
    let first = tiles(pins, assembly)
    let links = links(to: series, of: account, isOwner: viewer == account.id)
    let tiles = tiles(posts.filter { post in !pins.contains { $0.id == post.id } }, assembly)
    let policy = effectivePolicy(of: account, on: instance)
    var frame = frame(shownName(account), context, policy: policy, isListed: account.isDiscoverable)
    frame.canonical = account.url.text
    frame.alternate = account.isLocal ? account.uri.text : nil
    frame.summary = SanitizedHTML.restored(fromOwnStorage: account.note).text.shortened(to: 200)
    frame.kind = "profile"
    if let first = (first + tiles).first(where: { $0.warning == nil }), account.isLocal {
      frame.image = instance.page(first.source).text
      frame.imageAlt = first.alt
    }
    let model = ArtistPage(
      name: shownName(account), handle: handle(of: account), avatar: account.avatar.map { "/media/\($0.fileName)" },
      header: account.header.map { "/media/\($0.fileName)" }, noteHTML: account.note, pinned: first,
      hasPinned: !first.isEmpty, editPath: viewer == account.id ? "/settings/profile" : nil,
      reportPath: viewer == nil || viewer == account.id ? nil : "/reports/new?account=\(account.id)",
      fields: account.fields.map { .init(name: displayName($0.name), valueHTML: $0.value) },
      policy: PolicyWords(policy),
      policyPath: "\(path(of: account))/policy", isLocal: account.isLocal,
      origin: account.isLocal ? nil : account.url.text, series: links, hasSeries: !links.isEmpty, tiles: tiles,
      showsAuthor: false,
      older: older(posts, at: path(of: account)),
      isEmpty: tiles.isEmpty && first.isEmpty)
    return try page(
      "artist", model, frame, request, context, policy: policy, tdmPolicy: offer(of: account, policy))
  }

  /// Where the machine-readable offer lies, when a bare reservation would hide what is permitted.
  func offer(of account: Account, _ policy: UsagePolicy) -> IRI? {
    guard account.isLocal, OutgoingSignals(policy).needsTDMPolicy else { return nil }
    // The offer of this very version, where the words are a published one's.
    guard let id = policy.id, instance.policy(named: id)?.username == account.username else {
      return instance.tdmPolicy(account.username)
    }
    return instance.odrl(id)
  }

  @Sendable func artistItem(_ request: Request, _ context: FaceContext) async throws -> Response {
    let account = try await account(context.parameters.get("acct") ?? "", context)
    let item = context.parameters.get("item") ?? ""
    if item == "policy" { return try policyPage(account, request, context) }
    guard let id = Post.ID(item) else { throw Problem.notFound }
    return try await artwork(id, by: account, request, context)
  }

  private func policyPage(_ account: Account, _ request: Request, _ context: FaceContext) throws -> Response {
    let policy = effectivePolicy(of: account, on: instance)
    let name = shownName(account)
    let model = PolicyPage(
      name: name, path: path(of: account), policy: PolicyWords(policy),
      offer: instance.tdmPolicy(account.username).text)
    let frame = frame("How machines may use the works of \(name)", context, policy: policy)
    return try page(
      "policy", model, frame, request, context, policy: policy, tdmPolicy: offer(of: account, policy))
  }

  @Sendable func about(_ request: Request, _ context: FaceContext) async throws -> Response {
    let (revision, staff, houseRules) = try await database.read { tx in
      (try tx.hasPolicy() ? try tx.currentPolicy() : nil, try tx.staff(), try tx.instanceRules())
    }
    let document = revision?.document ?? .standard
    func row(_ name: String, _ verdict: Verdict) -> AboutPage.Row {
      let words =
        switch verdict {
        case .accept: "shown"
        case .label: "shown with a flag"
        case .hold: "held for a moderator"
        case .refuse: "not shown"
        }
      return .init(name: name, value: words)
    }
    let model = AboutPage(
      title: title, description: description,
      rules: [
        row("The file carries conclusive evidence of an image generator", document.conclusive),
        row("The file carries strong evidence of one", document.strong),
        row("The author or the file says it was generated", document.declared),
        row("The author or the file says a generator helped", document.assisted),
        row("A detector's score reaches the threshold", document.score),
        row("Nobody could look at the picture yet", document.whenUnanalysed),
      ], houseRules: houseRules, hasHouseRules: !houseRules.isEmpty,
      meaning: ScoreMeaning(threshold: document.threshold, detectors: detectors).sentence,
      notice: detectorNotice, revision: revision?.number ?? 0,
      staff: staff.map { .init(name: shownName($0), value: path(of: $0)) },
      limits: [
        .init(name: "A picture", value: "\(Limits.upload >> 20) MiB, \(Limits.imagePixels / 1_000_000) megapixels"),
        .init(name: "Formats", value: "JPEG, PNG, WebP, GIF (still)"),
        .init(name: "Pictures in a post", value: "\(Limits.attachmentsPerPost)"),
        .init(name: "A description", value: "\(Limits.altTextCharacters) characters"),
        .init(name: "A text", value: "\(Limits.postCharacters) characters"),
      ])
    let frame = frame("About \(title)", context, policy: standardPolicy)
    return try page("about", model, frame, request, context, policy: standardPolicy)
  }
}

extension String {
  /// At most `count` characters, ended by an ellipsis when cut.
  func shortened(to count: Int) -> String { self.count > count ? String(prefix(count - 1)) + "\u{2026}" : self }
}

extension Limits {
  static let worksPerPage = 24
  static let artistsOnFront = 40
  static let repliesShown = 20
}
