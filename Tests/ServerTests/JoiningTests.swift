import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

@Suite struct `Signing up` {
  @Test func `waits for the mailbox, then for a moderator, and only then there is anybody`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .approval, needsReason: true))
    let instance = house.instance
    _ = try await instance.services.createAccount(
      username: "mona", email: "mona@mail.test", password: "moderator of this", role: .moderator)
    let visitor = Visitor(instance)
    let sent = try await visitor.submit("/sign-up", MailHouse.form("Mika", "mika@mail.test"))
    #expect(sent.status == 200 && sent.text.contains("Look into your mail"), "\(sent.text)")
    func isNobody() async throws {
      for path in ["/@mika", "/.well-known/webfinger?resource=acct:mika@paper.test"] {
        #expect(try await visitor.get(path).status == 404, "\(path)")
      }
      #expect(try await instance.api("GET", "/api/v1/accounts/lookup?acct=mika").status == 404)
    }
    try await isNobody()
    // The right password says what is missing; a wrong one says nothing.
    let early = try await visitor.signIn(as: "mika", password: "a long password")
    #expect(early.status == 422 && early.text.contains("not confirmed yet"))
    #expect(try await visitor.signIn(as: "mika", password: "another password").text.contains("do not belong"))
    let link = try await house.link("/sign-up/confirm", to: "mika@mail.test").pathOnly
    // What opens links to look for viruses confirms nothing.
    #expect(try await visitor.get(link).status == 200)
    let isStillUnconfirmed = try await instance.database.read { try $0.signUp(username: "mika")?.state }
    #expect(isStillUnconfirmed == .unconfirmed)
    #expect(try await visitor.post(link, [:]).status == 403)
    #expect(try await visitor.submit(link, [:]).text.contains("will look at your request"))
    #expect(try await visitor.get(link).status == 404)
    try await isNobody()
    #expect(try await visitor.signIn(as: "mika", password: "a long password").text.contains("have not answered"))

    let moderator = Visitor(instance, from: "192.0.2.9")
    #expect(try await moderator.signIn(as: "mona", password: "moderator of this").status == 303)
    let queue = try await moderator.get("/moderation/joining")
    #expect(queue.text.contains("@mika") && queue.text.contains("I paint lakes"))
    #expect(!queue.text.contains("mika@mail.test"), "addresses are shown to nobody")
    let id = try #require(try await instance.database.read { try $0.signUp(username: "mika")?.id })
    #expect(try await visitor.post("/moderation/joining/\(id)", ["act": "approve"]).status == 401)
    let answer = try await moderator.submit(
      "/moderation/joining", to: "/moderation/joining/\(id)", ["act": "approve"])
    #expect(answer.status == 303)
    #expect(try await visitor.get("/@mika").status == 200)
    _ = try await house.link("/login", to: "mika@mail.test")
    #expect(try await visitor.signIn(as: "mika@mail.test", password: "a long password").status == 303)
    // Twice is once.
    #expect(
      try await moderator.submit("/moderation/joining", to: "/moderation/joining/\(id)", ["act": "approve"]).status
        == 404)
    try await house.close()
  }

  @Test func `M280 looks the same whether an address has an account or not`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .open))
    let instance = house.instance
    _ = try await instance.resident("alice")
    var pages: [String] = []
    for (name, email) in [("mika", "alice@example.com"), ("mina", "nobody@example.com")] {
      let visitor = Visitor(instance, from: "192.0.2.\(name.utf8.last ?? 1)")
      let answer = try await visitor.submit("/sign-up", MailHouse.form(name, email))
      pages.append("\(answer.status) " + answer.text.replacing(email, with: "ADDRESS"))
      let again = try await visitor.submit("/sign-up", MailHouse.form(name, "third@example.com"))
      #expect(again.text.contains("has already been taken"))
    }
    #expect(pages.first == pages.last)
    _ = try await house.link("/login", to: "alice@example.com")
    #expect(house.post.kept.allSatisfy { !$0.to.contains("alice@") || $0.link("/sign-up/confirm") == nil })
    // Signing in and asking for a password say as little.
    let visitor = Visitor(instance, from: "192.0.2.99")
    let wrong = try await visitor.signIn(as: "alice", password: "not the password")
    let nobody = try await visitor.signIn(as: "nobody", password: "not the password")
    #expect(wrong.text.replacing("alice", with: "nobody") == nobody.text)
    let asked = try await visitor.submit("/reset", ["name": "alice"])
    let unknown = try await visitor.submit("/reset", ["name": "nobody"])
    #expect(asked.text == unknown.text && asked.status == unknown.status)
    try await house.close()
  }

  @Test func `is counted by address, whatever else the request says`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .open), works: false)
    var statuses: [Int] = []
    for number in 0..<7 {
      // A /64 is one client; what stands left of the last element was written by whoever asked (M279).
      let visitor = Visitor(house.instance, from: "198.51.100.\(number), 2001:db8:1:2:\(number)::1")
      let form = MailHouse.form("artist\(number)", "a\(number)@mail\(number).test")
      statuses.append(try await visitor.submit("/sign-up", form).status)
    }
    #expect(statuses == [200, 200, 200, 200, 200, 429, 429])
    let other = Visitor(house.instance, from: "2001:db8:1:3::1")
    #expect(try await other.submit("/sign-up", MailHouse.form("other", "o@mail.test")).status == 200)
    house.world.clock.advance(by: .seconds(1_800))
    // Dots and tags are one mailbox: nobody is buried in our mail.
    for (number, spelling) in ["v.ic@x.test", "vic@x.test", "VIC+1@x.test", "vi.c+2@x.test", "vic+3@X.test"]
      .enumerated()
    {
      let visitor = Visitor(house.instance, from: "203.0.113.\(number)")
      #expect(try await visitor.submit("/sign-up", MailHouse.form("vic\(number)", spelling)).status == 200)
    }
    let sixth = Visitor(house.instance, from: "203.0.113.77")
    #expect(try await sixth.submit("/sign-up", MailHouse.form("vic9", "v.i.c+9@x.test")).status == 429)
    try await house.close()
  }

  @Test func `M286 takes an invitation once, and only a good one`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .invite))
    let instance = house.instance
    let desk = instance.services.joiningDesk
    let secret = instance.services.surroundings.random.token()
    _ = try await desk.invite(by: nil, secret: secret)
    let visitor = Visitor(instance)
    #expect(try await visitor.get("/sign-up").status == 403)
    #expect(try await visitor.get("/sign-up?invitation=forged").status == 403)
    // Two at once with one invitation: exactly one request.
    let desks = instance.services.joiningDesk
    let results = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<2 {
        group.addTask {
          let form = SignUpForm(
            username: "guest\(number)", email: "guest\(number)@mail.test", password: "a long password",
            hasAgreed: true, invitationHash: secretHash(secret))
          do {
            _ = try await desks.apply(form, from: "192.0.2.\(number)")
            return true
          } catch { return false }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.filter(\.self).count == 1)
    #expect(try await visitor.get("/sign-up?invitation=\(secret)").status == 403)
    let late = instance.services.surroundings.random.token()
    _ = try await desk.invite(by: nil, secret: late)
    #expect(try await visitor.get("/sign-up?invitation=\(late)").text.contains("You are invited"))
    house.world.clock.advance(by: .seconds(15 * 86_400))
    #expect(try await visitor.get("/sign-up?invitation=\(late)").status == 403)
    // An invited one waits for nobody.
    let name = results.first == true ? "guest0" : "guest1"
    let fresh = try #require(house.post.kept.last?.link("/sign-up/confirm") == nil ? nil : name)
    #expect(fresh == name)
    try await house.close()
  }

  @Test func `M283 refuses hosts of e-mail that were blocked, with everything under them and nothing beside`()
    async throws
  {
    let house = try await MailHouse(SignUpRules(mode: .open), works: false)
    let now = house.instance.services.time.now()
    try await house.instance.database.write { try $0.blockMailHost("throwaway.test", at: now) }
    let cases = [
      ("a@throwaway.test", 422), ("a@THROWAWAY.test", 422), ("a@mx.throwaway.test", 422),
      ("a@notthrowaway.test", 200), ("a@throwaway.test.fine.test", 200),
    ]
    for (number, (email, status)) in cases.enumerated() {
      let visitor = Visitor(house.instance, from: "192.0.2.\(number)")
      let answer = try await visitor.submit("/sign-up", MailHouse.form("artist\(number)", email))
      #expect(answer.status == status, "\(email)")
    }
    try await house.close()
  }

  @Test func `is closed unless its operator opens it, on pages and for apps and in what the instance says`()
    async throws
  {
    let house = try await MailHouse(SignUpRules(message: "Come back in spring."), works: false)
    let visitor = Visitor(house.instance)
    let page = try await visitor.get("/sign-up")
    #expect(page.status == 403 && page.text.contains("Come back in spring."))
    #expect(!(try await visitor.get("/login").text.contains("/sign-up")))
    let entity = try await house.instance.api("GET", "/api/v2/instance").json?["registrations"]
    #expect(entity?["enabled"] == false && entity?["message"] == "Come back in spring.")
    try await house.close()
    let open = try await MailHouse(SignUpRules(mode: .approval, needsReason: true), works: false)
    let said = try await open.instance.api("GET", "/api/v2/instance").json?["registrations"]
    #expect(said?["enabled"] == true && said?["approval_required"] == true && said?["reason_required"] == true)
    let old = try await open.instance.api("GET", "/api/v1/instance").json
    #expect(old?["registrations"] == true && old?["approval_required"] == true && old?["invites_enabled"] == false)
    try await open.close()
  }
}

@Suite struct `Signing up through an app` {
  private func application(_ house: MailHouse, scopes: String = "read write") async throws -> String {
    let app = try await house.instance.api(
      "POST", "/api/v1/apps",
      json: ["client_name": "Brush", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": .string(scopes)])
    let token = try await house.instance.api(
      "POST", "/oauth/token",
      json: [
        "grant_type": "client_credentials", "client_id": app.json?["client_id"] ?? .null,
        "client_secret": app.json?["client_secret"] ?? .null, "scope": .string(scopes),
      ])
    return try #require(token.json?["access_token"]?.string)
  }

  private func call(
    _ house: MailHouse, _ method: String, _ path: String, _ token: String, json: JSON? = nil
  ) async throws -> WireAnswer {
    try await house.instance.client.request(
      method, path, host: house.instance.host,
      headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
      body: json?.bytes ?? [])
  }

  private func form(_ change: JSON = [:]) -> JSON {
    var form: JSON = [
      "username": "mika", "email": "mika@mail.test", "password": "a long password", "agreement": true,
      "locale": "en", "reason": "I paint lakes",
    ]
    for (key, value) in change.pairs { form[key] = value }
    return form
  }

  @Test func `promises a token that works from the moment there is an account`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .approval))
    let app = try await application(house)
    let answer = try await call(house, "POST", "/api/v1/accounts", app, json: form())
    #expect(answer.status == 200, "\(answer.text)")
    let token = try #require(answer.json?["access_token"]?.string)
    #expect(answer.json?["token_type"] == "Bearer" && answer.json?["scope"] == "read write")
    let early = try await call(house, "GET", "/api/v1/accounts/verify_credentials", token)
    #expect(early.status == 403)
    #expect(early.json?["error"] == "Your login is missing a confirmed e-mail address")
    #expect(try await call(house, "GET", "/api/v1/emails/check_confirmation", token).json == false)
    #expect(try await call(house, "POST", "/api/v1/emails/confirmations", token).status == 200)
    #expect(try await call(house, "POST", "/api/v1/emails/confirmations", "nothing").status == 401)
    let visitor = Visitor(house.instance)
    let link = try await house.link("/sign-up/confirm", to: "mika@mail.test").pathOnly
    _ = try await visitor.submit(link, [:])
    let waiting = try await call(house, "GET", "/api/v1/timelines/home", token)
    #expect(try await call(house, "GET", "/api/v1/emails/check_confirmation", token).json == true)
    #expect(waiting.status == 403 && waiting.json?["error"] == "Your login is currently pending approval")
    let id = try #require(try await house.instance.database.read { try $0.signUp(username: "mika")?.id })
    let account = try await house.instance.services.joiningDesk.approve(id)
    let now = try await call(house, "GET", "/api/v1/accounts/verify_credentials", token)
    #expect(now.status == 200 && now.json?["username"] == "mika")
    try await house.instance.database.write { tx in
      _ = try tx.execute("UPDATE users SET disabled_at = 1 WHERE account_id = \(account.id)")
    }
    let disabled = try await call(house, "GET", "/api/v1/accounts/verify_credentials", token)
    #expect(disabled.status == 403 && disabled.json?["error"] == "Your login is currently disabled")
    try await house.close()
  }

  @Test func `says for every field what is wrong with it`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .open, needsReason: true), works: false)
    let app = try await application(house)
    let wrong: JSON = [
      "username": "admin", "email": "a@b@c.test", "password": "short", "agreement": false, "reason": " ",
    ]
    let answer = try await call(house, "POST", "/api/v1/accounts", app, json: form(wrong))
    #expect(answer.status == 422)
    let details = answer.json?["details"]
    let codes = ["username", "email", "password", "agreement", "reason"].map {
      details?[$0]?.array?.first?["error"]?.string
    }
    #expect(codes == ["ERR_RESERVED", "ERR_INVALID", "ERR_TOO_SHORT", "ERR_ACCEPTED", "ERR_BLANK"])
    #expect(answer.json?["error"]?.string?.hasPrefix("Validation failed: Username is a reserved keyword") == true)
    _ = try await house.instance.resident("alice")
    let taken = try await call(house, "POST", "/api/v1/accounts", app, json: form(["username": "alice"]))
    #expect(taken.json?["details"]?["username"]?.array?.first?["error"] == "ERR_TAKEN")
    try await house.close()
  }

  @Test func `takes an application's token with the scope, and nothing else`() async throws {
    let house = try await MailHouse(SignUpRules(mode: .open), works: false)
    let alice = try await house.instance.resident("alice")
    #expect(try await call(house, "POST", "/api/v1/accounts", alice.token, json: form()).status == 403)
    #expect(try await call(house, "POST", "/api/v1/accounts", "nothing", json: form()).status == 401)
    #expect(try await house.instance.api("POST", "/api/v1/accounts", json: form()).status == 401)
    let reader = try await application(house, scopes: "read")
    #expect(try await call(house, "POST", "/api/v1/accounts", reader, json: form()).status == 403)
    try await house.close()
    let closed = try await MailHouse(SignUpRules(), works: false)
    let app = try await application(closed)
    #expect(try await call(closed, "POST", "/api/v1/accounts", app, json: form()).status == 403)
    try await closed.close()
  }
}
