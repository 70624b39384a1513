import ClientAPI
import Foundation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// What the table says of every route is what the server does: a new route is in here by being in the table.
@Suite struct `The table of routes` {
  private func path(_ route: Route) -> String {
    route.path.split(separator: "/", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(":") ? ($0 == ":tag" ? "ink" : "1") : String($0) }.joined(separator: "/")
  }

  /// Ends a stream, which would else go on for ever.
  private func isStream(_ route: Route) -> Bool {
    route.path.hasPrefix("/api/v1/streaming") && !route.path.hasSuffix("health")
  }

  private func application(_ bench: ClientAPIBench, scopes: String) async throws {
    let context = bench.context
    try await bench.database.write { tx in
      let application = try tx.register(
        NewApplication(
          name: "Brush", website: nil, redirects: [OAuthClient.outOfBand], scopes: try #require(Scopes("read"))),
        clientID: "brush", secretHash: "x", in: context)
      try tx.insert(
        AccessToken(
          id: context.ids.next(), secretHash: secretHash("token-brush"), accountID: nil,
          applicationID: application.id, application: "Brush", scopes: scopes, createdAt: context.now))
    }
  }

  /// Cases L254 and L255.
  @Test func `L254 every route asks for exactly the token its line names`() async throws {
    let bench = try await ClientAPIBench()
    let everything = Scopes.all.joined(separator: " ")
    try await bench.member("able", role: .admin, scopes: everything)
    try await bench.member("narrow", role: .admin, scopes: "write:nothing")
    let gone = try await bench.member("gone", scopes: everything)
    try await application(bench, scopes: everything)
    let context = bench.context
    try await bench.database.write { tx in
      var suspended = try #require(try tx.account(gone.id))
      suspended.suspendedAt = context.now
      try tx.update(suspended)
    }
    var asked = 0
    for route in bench.routes where !isStream(route) {
      let line = "\(route.method) \(route.path)"
      func ask(_ name: String?) async throws -> (status: Int, reason: String?) {
        // Each from another address, so that what strangers may ask in a while is not what is looked at.
        asked += 1
        let from = try #require(HTTPField.Name("X-Forwarded-For"))
        let answer = try await bench.request(
          route.method, path(route), as: name, headers: [from: "10.0.\(asked / 250).\(asked % 250)"])
        let reason = try? answer.json["reason"]?.string
        return (answer.status.code, reason)
      }
      let (none, narrow, app) = (try await ask(nil), try await ask("narrow"), try await ask("brush"))
      let able = try await ask("able")
      #expect(
        try await ask("gone").reason == (route.access == .client ? none.reason : "oauth.invalid_token"), "\(line)")
      switch route.access {
      case .open:
        #expect(none.status < 500 && narrow.status == none.status && app.status == none.status, "\(line)")
      case .client: #expect(none.status >= 400, "\(line)")
      case .anyToken:
        #expect(none.reason == "oauth.invalid_token", "\(line)")
        #expect(narrow.reason != "oauth.insufficient_scope", "\(line)")
      case .optional:
        #expect(none.reason != "oauth.insufficient_scope", "\(line)")
        #expect(narrow.reason == "oauth.insufficient_scope", "\(line)")
        #expect(app.reason != "oauth.user_required" && app.reason != "oauth.insufficient_scope", "\(line)")
      case .scope(let scope):
        #expect(none.status == 401 && none.reason == "oauth.invalid_token", "\(line)")
        #expect(narrow.status == 403 && narrow.reason == "oauth.insufficient_scope", "\(line)")
        #expect(app.status == 403 && app.reason == "oauth.user_required", "\(line)")
        #expect(Scopes(scope) != nil || scope == "push", "\(line): \(scope) is no scope")
      case .application:
        #expect(none.status == 401 && narrow.reason == "oauth.application_only", "\(line)")
        continue
      }
      #expect(able.status < 500 && able.reason != "oauth.insufficient_scope", "\(line): \(able)")
      #expect(able.reason != "oauth.user_required" && able.reason != "role.insufficient", "\(line): \(able)")
    }
  }

  @Test func `routes for the staff are for nobody else, whatever the token says`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("artist", scopes: Scopes.all.joined(separator: " "))
    let staff = bench.routes.filter { $0.role != nil }
    #expect(!staff.isEmpty)
    for route in bench.routes where route.path.contains("/admin/") { #expect(route.role != nil, "\(route.path)") }
    for route in staff {
      let answer = try await bench.request(route.method, path(route), as: "artist")
      #expect(answer.status == .forbidden, "\(route.path)")
      #expect(try answer.text("reason") == "role.insufficient")
    }
  }

  /// Case L265: what belongs to one person is not there for another, on every route that names such a thing.
  @Test func `L265 another person's things are not there, whichever route asks`() async throws {
    let bench = try await ClientAPIBench()
    let everything = Scopes.all.joined(separator: " ")
    for name in ["mika", "nora"] { try await bench.member(name, scopes: everything) }
    let post = try await bench.publish("@nora look", as: "mika", "direct")
    _ = try await bench.publish("@mika yes", as: "nora")
    func made(_ path: String, _ form: KeyValuePairs<String, String>) async throws -> String {
      let answer = try await bench.post(path, as: "mika", form)
      return try #require(try answer.text("id"), "\(path): \(answer.status)")
    }
    let filter = try await made(
      "/api/v2/filters", ["title": "a", "context[]": "home", "keywords_attributes[][keyword]": "b"])
    let later = bench.context.now.adding(.seconds(9_000)).iso8601
    let ids: [(part: String, id: String)] = [
      ("/filters/keywords/", try await made("/api/v2/filters/\(filter)/keywords", ["keyword": "c"])),
      ("/filters/statuses/", try await made("/api/v2/filters/\(filter)/statuses", ["status_id": post])),
      ("/api/v1/filters/", try await made("/api/v1/filters", ["phrase": "x", "context[]": "home"])),
      ("/filters/", filter),
      ("/scheduled_statuses/", try await made("/api/v1/statuses", ["status": "x", "scheduled_at": later])),
      ("/lists/", try await made("/api/v1/lists", ["title": "x"])),
      ("/timelines/list/", try await made("/api/v1/lists", ["title": "y"])),
      ("/media/", try #require(try await bench.upload("ink", as: "mika").text("id"))),
      (
        "/notifications/",
        try #require(try await bench.get("/api/v1/notifications", as: "mika").list().first?["id"]?.string)
      ),
    ]
    var asked = 0
    for route in bench.routes where route.ownership == .own && route.path.contains(":id") {
      guard let id = ids.first(where: { route.path.contains($0.part) })?.id else { continue }
      let path = route.path.replacing(":id", with: id)
      let answer = try await bench.request(
        route.method, path, as: "nora", type: "application/x-www-form-urlencoded",
        body: Array("title=z&context[]=home&keyword=k&status_id=\(post)&scheduled_at=\(later)&account_ids[]=1".utf8))
      // Dismissing what is not there is done already, and says so without touching another's.
      let isIdempotent = route.path.hasSuffix("/dismiss")
      #expect(
        answer.status == .notFound || (isIdempotent && answer.status == .ok),
        "\(route.method) \(route.path): \(answer.status)")
      asked += 1
    }
    #expect(asked > 25)
    #expect(try await bench.get("/api/v2/filters/\(filter)", as: "mika").json["keywords"]?.array?.count == 2)
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list().count == 1)
  }

  @Test func `no line stands twice, and a path is answered with a slash at its end as well`() async throws {
    let bench = try await ClientAPIBench()
    let lines = bench.routes.map { "\($0.method) \($0.path)" }
    #expect(Set(lines).count == lines.count)
    for route in bench.routes where route.method == .get && route.access == .open && !route.path.contains(":") {
      let (plain, slashed) = (try await bench.get(route.path), try await bench.get(route.path + "/"))
      #expect(plain.status == slashed.status && plain.status == .ok, "\(route.path)")
    }
  }

  @Test func `every answer says what is left, and what comes too often is refused with the time to wait`() async throws
  {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    func field(_ name: String, _ answer: ClientAPIBench.Answer) -> String? {
      HTTPField.Name(name).flatMap { answer.headers[$0] }
    }
    func left(_ answer: ClientAPIBench.Answer) throws -> Int {
      #expect(field("X-RateLimit-Limit", answer).flatMap { Int($0) } != nil)
      #expect(field("X-RateLimit-Reset", answer).flatMap { Timestamp(iso8601: $0) } != nil)
      return try #require(field("X-RateLimit-Remaining", answer).flatMap { Int($0) })
    }
    let first = try left(try await bench.get("/api/v1/timelines/home", as: "mika"))
    #expect(first == Pacing.Bucket.requests.rate.burst - 1)
    #expect(try left(try await bench.get("/api/v1/lists/5", as: "mika")) < first, "a 404 costs as much")
    for answer in [
      try await bench.get("/api/v1/instance"), try await bench.get("/api/v1/timelines/home"),
      try await bench.get("/api/v1/timelines/home", as: "nobody"),
    ] {
      #expect(try left(answer) < Pacing.stranger.burst)
    }
    var refused: ClientAPIBench.Answer?
    for _ in 0...Pacing.Bucket.registrations.rate.burst {
      refused = try await bench.post("/api/v1/apps", ["client_name": "x", "redirect_uris": OAuthClient.outOfBand])
    }
    let answer = try #require(refused)
    #expect(answer.status == .tooManyRequests)
    #expect(try answer.text("reason") == "application.too_many")
    #expect(answer.headers[.retryAfter].flatMap { Int($0) } ?? 0 > 0)
    #expect(try left(answer) == 0)
  }

  @Test func `the OpenAPI document has every line with its scope`() async throws {
    let bench = try await ClientAPIBench()
    let document = try await bench.get("/api/atelier/v1/openapi.json").json
    #expect(document["openapi"] == "3.1.0")
    let operations = (document["paths"]?.pairs ?? []).flatMap { path in
      path.value.pairs.map { (path: path.key, method: $0.key, operation: $0.value) }
    }
    #expect(operations.count == bench.routes.count)
    #expect(Set(operations.compactMap { $0.operation["operationId"]?.string }).count == operations.count)
    let home = try #require(operations.first { $0.path == "/api/v1/timelines/home" })
    #expect(home.operation["security"] == [["oauth": ["read:statuses"]]])
    for (path, _, operation) in operations where path.contains("{") {
      #expect(operation["parameters"]?.array?.isEmpty == false, "\(path)")
    }
  }

  /// `ATELIER_WRITE_ENDPOINTS=1 swift test --filter 'list for people'` writes it anew.
  @Test func `the list for people is the table`() async throws {
    let bench = try await ClientAPIBench()
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Deploy/api.md")
    let list = bench.api.endpointList
    if ProcessInfo.processInfo.environment["ATELIER_WRITE_ENDPOINTS"] != nil {
      try list.write(to: file, atomically: true, encoding: .utf8)
    }
    let written = FileManager.default.contents(atPath: file.path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let missing = Set(list.split(separator: "\n")).symmetricDifference(written.split(separator: "\n")).sorted()
    #expect(written == list, "Deploy/api.md differs from the table in: \(missing.prefix(5))")
  }
}
