import Federation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Signatures
import Store

extension FederationFace {
  /// How far an answer may travel.
  enum Reach { case open, signed }

  /// Who reads, once the mode has spoken.
  struct Reader {
    let viewer: Account.ID?
    let reach: Reach
  }

  enum PostPart: Sendable {
    case note, activity
    case list(Composer.PostList)
    case page(Composer.PostList, after: Post.ID?)
  }

  /// Nil when the request is not signed and the mode lets strangers read nothing.
  private func reader(of request: Request, _ context: FaceContext) async throws -> Reader? {
    switch await gate.admit(facts(of: request, context)) {
    case .anonymous: return mode == .off ? Reader(viewer: nil, reach: .open) : nil
    case .signed(_, let viewer): return Reader(viewer: viewer?.id, reach: .signed)
    case .refused(let answer): throw answer.problem
    }
  }

  var unsigned: Problem {
    Problem(.unauthorized, "signature.required", "This server answers signed requests only.")
  }

  private func requireReader(of request: Request, _ context: FaceContext) async throws -> Reader {
    try requireFederation()
    guard let reader = try await reader(of: request, context) else { throw unsigned }
    return reader
  }

  /// Readable by everybody always: two servers that both ask for signatures could otherwise never begin.
  func serverActor(_ request: Request) async throws -> Response {
    try requireFederation()
    let found = try await environment.database.read { [instance] in try $0.account(uri: instance.actor) }
    guard let account = found else { throw Problem.notFound }
    return answer(try await composer.actor(account), to: request, .open)
  }

  /// No cache may keep a refusal: 404 and 410 are kept by default, and the next reader may be let in.
  func uncached(_ body: () async throws -> Response) async throws -> Response {
    do { return try await body() } catch let problem as Problem {
      var response = problem.response
      response.headers[.vary] = Self.deciding
      response.headers[.cacheControl] = "no-store"
      if problem.status == .unauthorized { response.challenge(hasBody: false) }
      return response
    }
  }

  private static let deciding = "Accept, Signature, Signature-Input"

  func account(_ name: String) async throws -> Account {
    let found = try await environment.database.read { try $0.account(username: name, host: nil) }
    guard let account = found, account.kind != .application else { throw Problem.notFound }
    guard account.suspendedAt == nil else {
      throw Problem(.gone, "account.gone", "This account is no longer here.")
    }
    return account
  }

  func actor(_ name: String, _ request: Request, _ context: FaceContext) async throws -> Response {
    try await uncached { try await readActor(name, request, context) }
  }

  private func readActor(_ name: String, _ request: Request, _ context: FaceContext) async throws -> Response {
    try requireFederation()
    guard let reader = try await reader(of: request, context) else {
      guard mode == .objects else { throw unsigned }
      let account: Account
      do { account = try await self.account(name) } catch is Problem { throw unsigned }
      return answer(try await composer.keyDocument(account), to: request, .signed)
    }
    return answer(try await composer.actor(try await account(name)), to: request, reader.reach)
  }

  func list(
    _ list: Composer.AccountList, of name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    try await uncached { try await read(list, of: name, request, context) }
  }

  func featuredTags(of name: String, _ request: Request, _ context: FaceContext) async throws -> Response {
    try await uncached {
      let reader = try await requireReader(of: request, context)
      return answer(try await composer.featuredTags(of: try await account(name)), to: request, reader.reach)
    }
  }

  private func read(
    _ list: Composer.AccountList, of name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    let reader = try await requireReader(of: request, context)
    let account = try await account(name)
    if list == .outbox, request.uri.queryParameters["page"] == "true" {
      let before = request.uri.queryParameters["max_id"].flatMap { Post.ID(String($0)) }
      let page = try await composer.outboxPage(of: account, visibleTo: reader.viewer, before: before)
      return answer(page, to: request, reader.reach)
    }
    return answer(try await composer.list(list, of: account), to: request, reader.reach)
  }

  func addAssessor(to router: some RouterMethods<FaceContext>) {
    router.get("/actors/assessor") { request, context in
      try await self.uncached { try await self.assessor(request, context) }
    }
    router.post("/actors/assessor/inbox") { request, context in try await self.receive(request, context) }
    for list in [Composer.AccountList.outbox, .followers, .following] {
      router.get(RouterPath("/actors/assessor/\(list.rawValue)")) { request, context in
        try await self.uncached {
          let reader = try await self.requireReader(of: request, context)
          let account = try await self.ownAssessor()
          return self.answer(try await self.composer.list(list, of: account), to: request, reader.reach)
        }
      }
    }
  }

  private func ownAssessor() async throws -> Account {
    let found = try await environment.database.read { [instance] in try $0.account(uri: instance.assessor) }
    guard let account = found else { throw Problem.notFound }
    return account
  }

  private func assessor(_ request: Request, _ context: FaceContext) async throws -> Response {
    try requireFederation()
    guard let reader = try await reader(of: request, context) else {
      guard mode == .objects else { throw unsigned }
      return answer(try await composer.keyDocument(try await ownAssessor()), to: request, .signed)
    }
    return answer(try await composer.actor(try await ownAssessor()), to: request, reader.reach)
  }

  func policy(
    _ number: String, of name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    try await uncached {
      let reader = try await requireReader(of: request, context)
      let account = try await account(name)
      guard number.utf8.count <= 9, let number = Int(number),
        let document = try await composer.policy(number, of: account)
      else { throw Problem.notFound }
      return answer(document, to: request, reader.reach)
    }
  }

  /// 410 for what was deleted; 404 for what is not there and for what this reader may not see, alike.
  func post(
    _ part: PostPart, _ text: String, by name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    try await uncached { try await read(part, text, by: name, request, context) }
  }

  private func read(
    _ part: PostPart, _ text: String, by name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    let reader = try await requireReader(of: request, context)
    let account = try await account(name)
    guard let id = Post.ID(text) else { throw Problem.notFound }
    let found = try await environment.database.read { try $0.post(id, visibleTo: reader.viewer) }
    guard let post = found, post.authorID == account.id, post.isLocal else {
      guard found == nil, let tombstone = try await composer.tombstone(of: instance.post(id, by: account.username))
      else { throw Problem.notFound }
      return answer(tombstone, to: request, reader.reach, status: .gone)
    }
    let document: Composer.Document? =
      switch part {
      case .note: try await composer.note(post)
      case .activity: try await composer.activity(of: post)
      case .list(let list): post.boostOfID == nil ? try await composer.list(list, of: post) : nil
      case .page(let list, let after):
        post.boostOfID == nil ? try await composer.listPage(list, of: post, after: after) : nil
      }
    guard let document else { throw Problem.notFound }
    return answer(document, to: request, reader.reach)
  }

  /// The consent to a quote, while it stands and for whoever may read the work.
  func stamp(
    _ text: String, by name: String, _ request: Request, _ context: FaceContext
  ) async throws -> Response {
    try await uncached {
      let reader = try await requireReader(of: request, context)
      let author = try await account(name)
      guard let id = QuoteConsent.ID(text),
        let document = try await composer.stamp(id, by: author, visibleTo: reader.viewer)
      else { throw Problem.notFound }
      return answer(document, to: request, reader.reach)
    }
  }

  /// A document with its policy, its validator, and how far it may travel. Shared caches may hold only what everybody
  /// may read, and only under the fields that decided.
  func answer(
    _ document: Composer.Document, to request: Request, _ reach: Reach, status: HTTPResponse.Status = .ok
  ) -> Response {
    let tag = "\"\(Base64.encodeURL(ContentDigest(of: document.bytes).bytes.prefix(18)))\""
    let isKnown = status == .ok && request.headers[.ifNoneMatch].map { $0.contains(tag) } == true
    var response =
      isKnown
      ? Response(status: .notModified)
      : Response.bytes(document.bytes, status: status, type: "application/activity+json")
    response.headers[.eTag] = tag
    response.headers[.vary] = Self.deciding
    response.headers[.cacheControl] = reach == .open ? "public, max-age=60" : "private, max-age=0"
    if let policy = document.policy { response.state(policy) }
    return response
  }
}
