import Federation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Primitives
import Signatures
import Store
import Synchronization

/// Who may read documents without a signature.
package enum AuthorizedFetch: String, Hashable, Sendable, CaseIterable {
  /// Everybody, what is public.
  case off
  /// Nobody but for the server's own actor and the keys of the others: the same 401 for what is there and what is not.
  case objects
  /// Nobody but for the server's own actor.
  case all
}

/// Everything that other servers ask this one.
package struct FederationFace: Sendable {
  let environment: FederationEnvironment
  let composer: Composer
  let discovery: Discovery
  let inbox: InboxGate
  let gate: FetchGate
  let mode: AuthorizedFetch
  private let people = KnownPeople()
  var instance: Instance { environment.instance }

  package init(
    environment: FederationEnvironment, inbox: InboxGate, gate: FetchGate, discovery: Discovery,
    mode: AuthorizedFetch = .objects
  ) {
    self.environment = environment
    composer = Composer(environment: environment)
    self.discovery = discovery
    self.inbox = inbox
    self.gate = gate
    self.mode = mode
  }

  package func addRoutes(to router: some RouterMethods<FaceContext>) {
    addDiscovery(to: router)
    router.post("/inbox") { request, context in try await self.receive(request, context) }
    router.post("/users/{name}/inbox") { request, context in
      try await self.requirePerson(context.parameters.require("name"))
      return try await self.receive(request, context)
    }
    router.get("/actor") { request, _ in try await self.serverActor(request) }
    router.get("/actor/outbox") { request, _ in
      try self.requireFederation()
      return self.answer(self.composer.serverOutbox(), to: request, .open)
    }
    addAssessor(to: router)
    router.get("/users/{name}") { request, context in
      let name = try context.parameters.require("name")
      guard request.representation == .activity else { return self.redirect(to: self.instance.profile(name)) }
      return try await self.actor(name, request, context)
    }
    for list in Composer.AccountList.allCases {
      router.get(RouterPath("/users/{name}/\(list.rawValue)")) { request, context in
        try await self.list(list, of: try context.parameters.require("name"), request, context)
      }
    }
    router.get("/users/{name}/policies/{number}") { request, context in
      let name = try context.parameters.require("name")
      guard request.representation == .activity else { return self.redirect(to: self.instance.policyPage(name)) }
      return try await self.policy(try context.parameters.require("number"), of: name, request, context)
    }
    router.get("/users/{name}/collections/tags") { request, context in
      try await self.featuredTags(of: try context.parameters.require("name"), request, context)
    }
    router.get("/users/{name}/followers_synchronization") { request, context in
      try await self.followersPart(try context.parameters.require("name"), request, context)
    }
    addPosts(to: router)
    router.get("/users/{name}/quote_authorizations/{id}") { request, context in
      try await self.stamp(
        try context.parameters.require("id"), by: try context.parameters.require("name"), request, context)
    }
  }

  private func addPosts(to router: some RouterMethods<FaceContext>) {
    router.get("/users/{name}/statuses/{id}") { request, context in
      let name = try context.parameters.require("name")
      let id = try context.parameters.require("id")
      guard request.representation == .activity else {
        return self.redirect(to: self.instance.page("/@\(percentEncoded(name))/\(percentEncoded(id))"))
      }
      return try await self.post(.note, id, by: name, request, context)
    }
    router.get("/users/{name}/statuses/{id}/activity") { request, context in
      try await self.post(
        .activity, try context.parameters.require("id"), by: try context.parameters.require("name"), request, context)
    }
    for list in Composer.PostList.allCases {
      router.get(RouterPath("/users/{name}/statuses/{id}/\(list.rawValue)")) { request, context in
        let query = request.uri.queryParameters
        let part: PostPart =
          query["page"] == "true" ? .page(list, after: query["after"].flatMap { Post.ID(String($0)) }) : .list(list)
        return try await self.post(
          part, try context.parameters.require("id"), by: try context.parameters.require("name"), request, context)
      }
    }
  }

  private func redirect(to address: IRI) -> Response {
    Response(status: .found, headers: [.location: address.text, .vary: "Accept"])
  }

  /// 404 for the inbox of nobody. Names once found are remembered, so that a delivery costs no look-up.
  private func requirePerson(_ name: String) async throws {
    try requireFederation()
    if people.contains(name) { return }
    guard try await environment.database.read({ try $0.account(username: name, host: nil) }) != nil else {
      throw Problem.notFound
    }
    people.insert(name)
  }

  /// A trial talks to nobody.
  func requireFederation() throws {
    guard !instance.isTrial else {
      throw Problem(.notFound, "federation.off", "This is a trial instance: it does not federate.")
    }
  }
}

/// Lets one address be a page for people and a document for servers: a profile and a post by the address of its page.
/// Whatever asks for no document goes on to the pages.
package struct ActivityNegotiation: RouterMiddleware {
  private let face: FederationFace

  package init(_ face: FederationFace) { self.face = face }

  package func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    guard request.method == .get || request.method == .head, request.uri.path.hasPrefix("/@"),
      request.representation == .activity, !face.instance.isTrial
    else { return try await next(request, context) }
    let parts = request.uri.path.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1: return try await face.actor(parts[0], request, context)
    case 2: return try await face.post(.note, parts[1], by: parts[0], request, context)
    default: return try await next(request, context)
    }
  }
}

/// Local names that have been asked for. Only names that exist enter, so strangers can not fill it.
private final class KnownPeople: Sendable {
  private let names = Mutex<Set<String>>([])
  func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
  func insert(_ name: String) { names.withLock { _ = $0.insert(name.lowercased()) } }
}
