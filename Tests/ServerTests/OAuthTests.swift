import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// What applications call; the pages that people see are in `ConsentTests`.
@Suite struct `OAuth for applications` {
  private struct Registered {
    let id: String
    let secret: String
  }

  private func register(
    _ bench: ClientAPIBench, _ redirects: [String] = ["app://back"], scopes: String = "read write"
  ) async throws -> Registered {
    let body: JSON = [
      "client_name": "Brush", "redirect_uris": .array(redirects.map { .string($0) }), "scopes": .string(scopes),
      "website": "https://brush.test",
    ]
    let answer = try await bench.request(.post, "/api/v1/apps", type: "application/json", body: body.bytes)
    #expect(answer.status == .ok)
    return Registered(
      id: try #require(try answer.text("client_id")), secret: try #require(try answer.text("client_secret")))
  }

  /// What the consent page does.
  private func consent(
    _ bench: ClientAPIBench, _ app: Registered, of account: Account, redirect: String = "app://back",
    scopes: String = "read", challenge: String? = nil, code: String = "code"
  ) async throws {
    let context = bench.context
    try await bench.database.write { tx in
      let application = try #require(try tx.application(clientID: app.id))
      try tx.authorize(
        application, for: account, scopes: try #require(Scopes(scopes)), redirect: redirect, challenge: challenge,
        codeHash: secretHash(code), in: context)
    }
  }

  private func token(
    _ bench: ClientAPIBench, _ app: Registered, _ more: KeyValuePairs<String, String>
  ) async throws -> ClientAPIBench.Answer {
    var members: JSON = ["client_id": .string(app.id), "client_secret": .string(app.secret)]
    for (key, value) in more { members[key] = .string(value) }
    // JSON, as toot sends it.
    return try await bench.request(.post, "/oauth/token", type: "application/json", body: members.bytes)
  }

  @Test func `an application registers, is let in, acts, and is ended`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let app = try await register(bench)
    try await consent(bench, app, of: mika, scopes: "read write:favourites")
    let answer = try await token(
      bench, app, ["grant_type": "authorization_code", "code": "code", "redirect_uri": "app://back"])
    #expect(answer.status == .ok)
    #expect(try answer.text("token_type") == "Bearer")
    #expect(try answer.text("scope") == "read write:favourites")
    #expect(try answer.json["created_at"]?.integer != nil)
    #expect(answer.headers[.cacheControl] == "no-store")
    let secret = try #require(try answer.text("access_token"))
    let headers: HTTPFields = [.authorization: "Bearer \(secret)"]
    #expect(try await bench.request(.get, "/api/v1/accounts/verify_credentials", headers: headers).status == .ok)
    #expect(try await bench.request(.post, "/api/v1/statuses", headers: headers).status == .forbidden)
    let itself = try await bench.request(.get, "/api/v1/apps/verify_credentials", headers: headers).json
    #expect(itself["name"] == "Brush")
    #expect(itself["redirect_uris"] == ["app://back"])
    #expect(itself["client_secret"] == nil)
    // Of another application: not this one's to end.
    let other = try await register(bench)
    #expect(
      try await bench.post(
        "/oauth/revoke", ["client_id": other.id, "client_secret": other.secret, "token": secret]
      ).status == .forbidden)
    let ended = try await bench.post(
      "/oauth/revoke", ["client_id": app.id, "client_secret": app.secret, "token": secret])
    #expect(ended.status == .ok)
    #expect(try ended.json == [:])
    #expect(
      try await bench.request(.get, "/api/v1/accounts/verify_credentials", headers: headers).status == .unauthorized)
  }

  /// Cases L247 to L250: reuse, another client, another address, too late, no proof or a wrong one.
  @Test func `a code is good once, in time, for its own application and address, with its proof`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let (app, thief) = (try await register(bench), try await register(bench))
    func grant(
      _ app: Registered, _ code: String, _ redirect: String = "app://back", verifier: String? = nil
    ) async throws -> ClientAPIBench.Answer {
      if let verifier {
        return try await token(
          bench, app,
          [
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier,
          ])
      }
      return try await token(
        bench, app, ["grant_type": "authorization_code", "code": code, "redirect_uri": redirect])
    }
    try await consent(bench, app, of: mika, code: "one")
    #expect(try await grant(thief, "one").text("error") == "invalid_grant")
    #expect(try await grant(app, "one", "app://back/").text("error") == "invalid_grant")
    let first = try #require(try await grant(app, "one").text("access_token"))
    #expect(try await grant(app, "one").text("error") == "invalid_grant")
    let headers: HTTPFields = [.authorization: "Bearer \(first)"]
    #expect(
      try await bench.request(.get, "/api/v1/accounts/verify_credentials", headers: headers).status == .unauthorized,
      "a code that came twice ends the token it gave")
    let verifier = String(repeating: "v", count: 43)
    try await consent(bench, app, of: mika, challenge: pkceChallenge(verifier), code: "two")
    #expect(try await grant(app, "two").text("error") == "invalid_grant")
    #expect(try await grant(app, "two", verifier: "wrong").text("error") == "invalid_grant")
    #expect(try await grant(app, "two", verifier: verifier).status == .ok)
    try await consent(bench, app, of: mika, code: "three")
    #expect(try await grant(app, "three", verifier: verifier).text("error") == "invalid_grant", "a downgrade")
    let context = bench.context
    try await bench.database.write { tx in
      let application = try #require(try tx.application(clientID: app.id))
      let past = OperationContext(
        instance: context.instance, ids: context.ids, now: context.now.adding(.seconds(-61)))
      try tx.authorize(
        application, for: mika, scopes: try #require(Scopes("read")), redirect: "app://back", challenge: nil,
        codeHash: secretHash("late"), in: past)
    }
    #expect(try await grant(app, "late").text("error") == "invalid_grant")
    // Case L264.
    let stored = try await bench.database.read { tx in
      try tx.rows("SELECT code_hash, token_hash FROM authorization_codes").map { try $0.string("code_hash") }
        + tx.rows("SELECT secret_hash FROM applications").map { try $0.string("secret_hash") }
    }
    #expect(stored.allSatisfy { $0.utf8.count == 64 })
  }

  @Test func `the token endpoint says what is wrong in the words of the standard`() async throws {
    let bench = try await ClientAPIBench()
    let app = try await register(bench, scopes: "read:statuses")
    let cases: [(KeyValuePairs<String, String>, Int, String)] = [
      ([:], 400, "invalid_request"),
      (["grant_type": "password", "username": "mika", "password": "x"], 400, "unsupported_grant_type"),
      (["grant_type": "refresh_token"], 400, "unsupported_grant_type"),
      (["grant_type": "authorization_code"], 400, "invalid_request"),
      (["grant_type": "authorization_code", "code": "x", "redirect_uri": "app://back"], 400, "invalid_grant"),
      (["grant_type": "client_credentials", "scope": "write"], 400, "invalid_scope"),
      (["grant_type": "client_credentials", "scope": "everything"], 400, "invalid_scope"),
    ]
    for (parameters, status, error) in cases {
      let answer = try await token(bench, app, parameters)
      #expect(answer.status.code == status, "\(parameters)")
      #expect(try answer.text("error") == error)
      #expect(try answer.text("error_description")?.isEmpty == false)
    }
    let gone = try await token(bench, Registered(id: "nobody", secret: "x"), ["grant_type": "client_credentials"])
    #expect(gone.status == .unauthorized)
    #expect(try gone.text("error") == "invalid_client")
    let wrong = try await token(bench, Registered(id: app.id, secret: "x"), ["grant_type": "client_credentials"])
    #expect(try wrong.text("error") == "invalid_client")
  }

  /// Case L255.
  @Test func `an application's own token reads public things as a stranger does`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let app = try await register(bench)
    let basic = Base64.encode(Array("\(app.id):\(app.secret)".utf8))
    let answer = try await bench.request(
      .post, "/oauth/token", type: "application/x-www-form-urlencoded",
      body: Array("grant_type=client_credentials&scope=read".utf8), headers: [.authorization: "Basic \(basic)"])
    let secret = try #require(try answer.text("access_token"))
    let headers: HTTPFields = [.authorization: "Bearer \(secret)"]
    func status(_ path: String) async throws -> Int {
      try await bench.request(.get, path, headers: headers).status.code
    }
    #expect(try await status("/api/v1/accounts/\(mika.id)") == 200)
    #expect(try await status("/api/v1/apps/verify_credentials") == 200)
    #expect(try await status("/api/v1/timelines/home") == 403)
    #expect(try await status("/api/v1/accounts/verify_credentials") == 403)
    let own = try await bench.publish("for me", as: "mika", "private")
    #expect(try await status("/api/v1/statuses/\(own)") == 404)
  }

  /// Case L245.
  @Test(arguments: [
    "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a@b.test/",
    "https://", "no scheme", "vbscript:x", "https://a.test/#x", "//a.test", "urn:other", "blob:x", "x:",
    "app://" + String(repeating: "x", count: 2_000),
  ]) func `an address that is none, or that runs as a program, is not registered`(redirect: String) async throws {
    let bench = try await ClientAPIBench()
    let body: JSON = ["client_name": "Brush", "redirect_uris": .array([.string(redirect)]), "scopes": "read"]
    let answer = try await bench.request(.post, "/api/v1/apps", type: "application/json", body: body.bytes)
    #expect(answer.status == .unprocessableContent)
    #expect(try answer.text("reason") == "application.redirect_uri")
  }

  @Test func `addresses are kept byte for byte, several of them, with schemes of apps`() async throws {
    let bench = try await ClientAPIBench()
    let text = "com.tapbots.Ivory.10217:/request_token\nurn:ietf:wg:oauth:2.0:oob\nhttps://elk.zone/api/x?y=1"
    let answer = try await bench.post(
      "/api/v1/apps", ["client_name": "Ivory", "redirect_uris": text, "scopes": "read write follow push"])
    #expect(answer.status == .ok)
    #expect(try answer.text("redirect_uri") == text)
    #expect(try answer.json["redirect_uris"]?.array?.count == 3)
    #expect(try answer.json["client_secret_expires_at"] == 0)
    #expect(try answer.json["scopes"] == ["read", "write", "follow", "push"])
    #expect(
      try await bench.post("/api/v1/apps", ["client_name": "x", "redirect_uris": "a://b", "scopes": "all"]).status
        == .unprocessableContent)
  }

  /// Case L261.
  @Test func `registering without end is stopped, and what nobody let in is forgotten after a week`() async throws {
    let bench = try await ClientAPIBench()
    let form: KeyValuePairs<String, String> = ["client_name": "x", "redirect_uris": "a://b"]
    for _ in 0..<5 { #expect(try await bench.post("/api/v1/apps", form).status == .ok) }
    let stopped = try await bench.post("/api/v1/apps", form)
    #expect(stopped.status == .tooManyRequests)
    #expect(stopped.headers[.retryAfter] != nil)
    let week = bench.context.now.adding(Limits.unusedApplication)
    let left = try await bench.database.write { tx in
      try tx.deleteApplications(unusedBefore: week)
      return try tx.first("SELECT COUNT(*) AS n FROM applications")?.int("n")
    }
    #expect(left == 0)
  }

  @Test func `the server's own description is whole, and scopes include their parts`() async throws {
    let bench = try await ClientAPIBench()
    let described = try await bench.get("/.well-known/oauth-authorization-server").json
    #expect(described["issuer"] == "https://paper.test/")
    #expect(described["code_challenge_methods_supported"] == ["S256"])
    #expect(described["grant_types_supported"] == ["authorization_code", "client_credentials"])
    #expect(described["app_registration_endpoint"] == "https://paper.test/api/v1/apps")
    let follow = try #require(Scopes("follow"))
    #expect(follow.covers("write:follows") && follow.covers("read:mutes") && !follow.covers("write:statuses"))
    let read = try #require(Scopes("read"))
    #expect(read.covers("read:search") && !read.covers("write") && !read.covers("admin:read"))
    #expect(try #require(Scopes("admin:read")).covers("admin:read:accounts"))
    #expect(Scopes("") == read)
    #expect(Scopes("read bogus") == nil)
  }
}
