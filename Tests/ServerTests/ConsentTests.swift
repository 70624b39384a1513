import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// What a person sees when an app asks to be let in, and when a poll asks them.
@Suite struct `Consent pages` {
  private func application(
    _ world: WebWorld, redirects: [String] = ["https://app.test/back?a=1"], scopes: String = "read write"
  ) async throws -> OAuthClient {
    let new = NewApplication(
      name: "Brush <b>", website: "https://app.test", redirects: redirects, scopes: try #require(Scopes(scopes)))
    let context = world.context
    return try await world.database.write { tx in
      try tx.register(new, clientID: "client", secretHash: secretHash("secret"), in: context)
    }
  }

  private func path(_ more: [(String, String)] = [], redirect: String = "https://app.test/back?a=1") -> String {
    let query = [("response_type", "code"), ("client_id", "client"), ("redirect_uri", redirect)] + more
    return "/oauth/authorize?" + query.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
  }

  private func signedIn(_ world: WebWorld) async throws -> WebBrowser {
    let browser = WebBrowser(world)
    let form = try await browser.get("/login")
    _ = try await browser.post("/login", ["token": form.token, "name": "mika", "password": "secret of mika"])
    return browser
  }

  private func stored(_ world: WebWorld, _ code: String) async throws -> AuthorizationCode? {
    try await world.database.read { try $0.authorizationCode(hash: secretHash(code)) }
  }

  @Test func `a stranger signs in first, decides, and the app gets a code with its state`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    _ = try await application(world)
    let browser = WebBrowser(world)
    let challenge = pkceChallenge("verifier")
    let start = try await browser.get(
      path([
        ("scope", "read write:media"), ("state", "a b&c"), ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
      ]))
    let login = try #require(start.header("location"))
    #expect(login.hasPrefix("/login?next="))
    let form = try await browser.get(login)
    let next = try #require(percentDecoded(login.dropFirst("/login?next=".count), plusIsSpace: true))
    let wrong = try await browser.post(
      "/login", ["token": form.token, "name": "mika", "password": "no", "next": next])
    #expect(wrong.text.contains("name=\"next\""), "a wrong password loses nothing")
    let answer = try await browser.post(
      "/login", ["token": form.token, "name": "mika", "password": "secret of mika", "next": next])
    #expect(answer.header("location") == next)
    let page = try await browser.get(next)
    #expect(page.status == 200)
    for words in ["Brush &lt;b&gt;", "@mika@atelier.test", "Upload pictures.", "You will be sent to app.test."] {
      #expect(page.text.contains(words), "\(words)")
    }
    #expect(page.header("content-security-policy")?.contains("form-action") == false)
    #expect(page.header("content-security-policy")?.contains("default-src 'none'") == true)
    var fields = [
      "token": page.token, "response_type": "code", "client_id": "client", "redirect_uri": "https://app.test/back?a=1",
      "scope": "read write:media", "state": "a b&c", "code_challenge": challenge, "code_challenge_method": "S256",
    ]
    fields["decision"] = "deny"
    let denied = try await browser.post("/oauth/authorize", fields)
    #expect(denied.header("location") == "https://app.test/back?a=1&error=access_denied&state=a%20b%26c")
    fields["decision"] = "allow"
    let back = try #require(try await browser.post("/oauth/authorize", fields).header("location"))
    #expect(back.hasPrefix("https://app.test/back?a=1&code=") && back.hasSuffix("&state=a%20b%26c"))
    let code = try #require(back.split(separator: "code=").last?.prefix { $0 != "&" })
    let granted = try #require(try await stored(world, String(code)))
    #expect(granted.accountID == mika.id)
    #expect(granted.scopes == "read write:media")
    #expect(granted.challenge == challenge)
    fields["token"] = "forged"
    #expect(try await browser.post("/oauth/authorize", fields).status == 403)
    try await world.close()
  }

  /// Cases L244 and L246: whatever is not registered byte for byte leads nowhere.
  @Test(arguments: [
    "https://app.test/back", "https://app.test/back?a=1/", "https://app.test/back?a=1#x", "http://app.test/back?a=1",
    "https://app.test:8443/back?a=1", "https://app.test/../back?a=1", "https://APP.test/back?a=1",
    "https://evil.test/", "javascript:alert(1)", "", "https://app.test/back%3Fa=1",
  ]) func `an address that was not registered is told to the person, and to nobody else`(
    redirect: String
  ) async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    _ = try await application(world)
    let browser = try await signedIn(world)
    let answer = try await browser.get(path(redirect: redirect))
    #expect(answer.status == 400)
    #expect(answer.header("location") == nil)
    #expect(answer.text.contains("<html"))
    try await world.close()
  }

  @Test func `what an app asks wrongly is told to the app, an unknown app to the person`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    _ = try await application(world, scopes: "read")
    let browser = try await signedIn(world)
    for (more, error) in [
      ([("scope", "write")], "invalid_scope"), ([("scope", "bogus")], "invalid_scope"),
      ([("code_challenge", "x"), ("code_challenge_method", "plain")], "invalid_request"),
      ([("code_challenge", pkceChallenge("v"))], "invalid_request"),
      ([("code_challenge_method", "S256")], "invalid_request"),
    ] {
      let answer = try await browser.get(path(more))
      #expect(answer.header("location") == "https://app.test/back?a=1&error=\(error)", "\(more)")
    }
    let implicit = try await browser.get(path().replacing("response_type=code", with: "response_type=token"))
    #expect(implicit.header("location")?.hasSuffix("error=unsupported_response_type") == true)
    let unknown = try await browser.get(path().replacing("client_id=client", with: "client_id=other"))
    #expect(unknown.status == 400 && unknown.header("location") == nil)
    let twice = try await browser.get(path([("redirect_uri", "https://evil.test/")]))
    #expect(twice.status == 400 && twice.header("location") == nil)
    try await world.close()
  }

  @Test func `an app without an address gets its code by hand, and force_login asks who is there`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    _ = try await application(world, redirects: [OAuthClient.outOfBand, "com.tapbots.Ivory:/back"])
    let browser = try await signedIn(world)
    let forced = try await browser.get(path([("force_login", "true")], redirect: OAuthClient.outOfBand))
    let login = try #require(forced.header("location"))
    #expect(login.hasPrefix("/login?again=1&next="))
    #expect(!login.contains("force_login"))
    #expect(try await browser.get(login).status == 200)
    let page = try await browser.get(path(redirect: OAuthClient.outOfBand))
    #expect(page.text.contains("You will be shown a code"))
    let shown = try await browser.post(
      "/oauth/authorize",
      [
        "token": page.token, "response_type": "code", "client_id": "client", "redirect_uri": OAuthClient.outOfBand,
        "decision": "allow",
      ])
    let address = try #require(shown.header("location"))
    #expect(address.hasPrefix("/oauth/authorize/native?code="))
    let code = String(address.dropFirst("/oauth/authorize/native?code=".count))
    let told = try await browser.get(address)
    #expect(told.text.contains(code))
    // Never to another site, and not hidden from our own forms.
    #expect(told.header("referrer-policy") == "same-origin")
    #expect(try await stored(world, code)?.scopes == "read")
    let custom = try await browser.post(
      "/oauth/authorize",
      [
        "token": page.token, "response_type": "code", "client_id": "client",
        "redirect_uri": "com.tapbots.Ivory:/back", "decision": "allow",
      ])
    #expect(custom.header("location")?.hasPrefix("com.tapbots.Ivory:/back?code=") == true)
    try await world.close()
  }

  @Test(arguments: ["https://evil.test/", "//evil.test", "/oauth/authorize?\\evil", "/home", "/oauth/authorizeX?"])
  func `signing in leads to an app's request or home, nowhere else`(next: String) async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    let form = try await browser.get("/login?next=\(percentEncoded(next))")
    let answer = try await browser.post(
      "/login", ["token": form.token, "name": "mika", "password": "secret of mika", "next": next])
    #expect(answer.header("location") == "/home")
    try await world.close()
  }

  @Test func `a person sees what may act for them, and ends it`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let app = try await application(world)
    let context = world.context
    try await world.database.write { tx in
      try tx.authorize(
        app, for: mika, scopes: try #require(Scopes("read")), redirect: app.redirects[0], challenge: nil,
        codeHash: "c", in: context)
      _ = try tx.exchange(
        codeHash: "c", redirect: app.redirects[0], challenge: nil, by: app, tokenHash: secretHash("t"), in: context)
    }
    let browser = try await signedIn(world)
    let page = try await browser.get("/settings/apps")
    #expect(page.text.contains("Brush &lt;b&gt;"))
    let id = try #require(page.text.split(separator: "/settings/apps/").last?.prefix { $0 != "\"" })
    _ = try await world.person("nora")
    _ = try await browser.post("/settings/apps/\(id)", ["token": page.token])
    #expect(try await world.database.read { try $0.bearer(tokenHash: secretHash("t")) } == nil)
    #expect(try await browser.get("/settings/apps").text.contains("None yet"))
    try await world.close()
  }

  @Test func `a poll on a page is answered with a form, once`() async throws {
    let world = try await WebWorld()
    let (mika, nora) = (try await world.person("nora"), try await world.person("mika"))
    let context = world.context
    let post = try await world.database.write { tx in
      var draft = PostDraft(text: "Which?", content: "<p>Which?</p>")
      draft.poll = PollDraft(options: ["red <i>", "blue"], lasts: .seconds(600))
      return try tx.publish(draft, by: mika, in: context)
    }
    let open = try await WebBrowser(world).get("/@nora/\(post.id)")
    #expect(open.text.contains("red &lt;i&gt;") && open.text.contains("0 votes"))
    #expect(!open.text.contains("action=\"/polls/"))
    let browser = try await signedIn(world)
    let page = try await browser.get("/@nora/\(post.id)")
    #expect(page.text.contains("action=\"/polls/\(post.id)\"") && page.text.contains("type=\"radio\""))
    let voted = try await browser.post("/polls/\(post.id)", ["token": page.token, "choices[]": "1"])
    #expect(voted.header("location") == "/@nora/\(post.id)")
    let after = try await browser.get("/@nora/\(post.id)")
    #expect(after.text.contains("(your choice)") && after.text.contains("1 (100 %)"))
    #expect(try await browser.post("/polls/\(post.id)", ["token": page.token, "choices[]": "0"]).status == 422)
    #expect(try await world.database.read { try $0.choices(by: nora.id, in: [post.id])[post.id] } == [1])
    try await world.close()
  }
}
