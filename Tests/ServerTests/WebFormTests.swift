import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Synchronization
import Testing

@testable import Web

@Suite struct WebFormTests {
  @Test func `signing in gives a new session and signing out ends it`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    browser.cookies.withLock { $0["__Host-atelier"] = "planted" }
    let form = try await browser.get("/login")
    let answer = try await browser.post(
      "/login", ["token": form.token, "name": " Mika@mail.test", "password": "secret of mika"])
    #expect(answer.status == 303 && answer.header("location") == "/home")
    let session = try #require(browser.cookies.withLock { $0["__Host-atelier"] })
    #expect(session != "planted" && session.utf8.count == 43)
    let cookie = try #require(answer.headers[values: .setCookie].first { $0.hasPrefix("__Host-atelier=") })
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
      #expect(cookie.lowercased().contains(part.lowercased()), "\(part)")
    }
    let home = try await browser.get("/home")
    #expect(home.status == 200)
    #expect(try await browser.post("/logout", ["token": home.token]).status == 303)
    browser.cookies.withLock { $0["__Host-atelier"] = session }
    #expect(try await browser.get("/home").header("location") == "/login")
    try await world.close()
  }

  @Test func `a wrong password and an unknown name read the same and cost the same`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    var pages: [String] = []
    for name in ["mika", "nobody"] {
      let browser = WebBrowser(world)
      let form = try await browser.get("/login")
      let answer = try await browser.post("/login", ["token": form.token, "name": name, "password": "wrong"])
      #expect(answer.status == 422)
      pages.append(answer.text.replacing(name, with: "-").replacing(answer.token, with: "-"))
    }
    #expect(pages[0] == pages[1])
    #expect(world.passwordsAsked.withLock { $0 } == ["secret of mika", nil])
    try await world.close()
  }

  @Test func `guessing is slowed by address and by account`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    func attempt(from address: String, as name: String) async throws -> Int {
      let browser = WebBrowser(world, address: address)
      let form = try await browser.get("/login")
      return try await browser.post("/login", ["token": form.token, "name": name, "password": "no"]).status
    }
    for turn in 0..<10 {
      let name = turn % 2 == 0 ? "mika" : "MIKA@mail.test"
      #expect(try await attempt(from: "192.0.2.\(turn)", as: name) == 422)
    }
    #expect(try await attempt(from: "192.0.2.99", as: "mika") == 429)
    for turn in 0..<20 { _ = try await attempt(from: "198.51.100.1", as: "name\(turn)") }
    #expect(try await attempt(from: "198.51.100.1", as: "another") == 429)
    world.advance(.seconds(900))
    #expect(try await attempt(from: "198.51.100.1", as: "another") == 422)
    try await world.close()
  }

  @Test(arguments: ["/login", "/logout", "/upload", "/settings/policy", "/appeals/new", "/moderation/1"])
  func `no form is taken from elsewhere`(_ path: String) async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika", role: .moderator)
    _ = try await world.person("ada", role: .moderator)
    let browser = WebBrowser(world)
    let other = WebBrowser(world, address: "192.0.2.8")
    try await browser.signIn(as: "mika")
    try await other.signIn(as: "ada")
    let own = try await browser.get("/settings/policy").token
    let theirs = try await other.get("/settings/policy").token
    let site = try #require(HTTPField.Name("sec-fetch-site"))
    let form = ["policy": "open", "verdict": "accept", "work": "1", "message": "x", "text": "words"]
    func sent(_ token: String?, _ headers: [(HTTPField.Name, String)] = []) async throws -> Int {
      var all = form
      all["token"] = token
      return try await browser.post(path, all, headers: headers).status
    }
    #expect(try await sent(nil) == 403)
    #expect(try await sent("") == 403)
    #expect(try await sent(theirs) == 403)
    #expect(try await sent(own, [(.origin, "https://evil.test")]) == 403)
    #expect(try await sent(own, [(site, "cross-site")]) == 403)
    let after = try await world.database.read { try $0.account(mika.id) }
    #expect(after?.usagePolicy == mika.usagePolicy)
    #expect(try await browser.get("/home").status == 200)
    try await world.close()
  }

  @Test func `an accepted upload is published, a flagged one only when its author says so`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    try await browser.signIn(as: "mika")
    func form() async throws -> [String: String] {
      [
        "token": try await browser.get("/upload").token, "alt": "A boat", "text": "First #light",
        "visibility": "public", "policy": "no-genai", "source": "digitalCreation",
      ]
    }
    let answer = try await browser.upload("/upload", try await form(), file: Array("bytes one".utf8))
    let place = try #require(answer.header("location"))
    #expect(answer.status == 303 && place.hasPrefix("/@mika/"))
    let page = try await WebBrowser(world).get(place)
    #expect(page.text.contains("alt=\"A boat\"") && page.text.contains("No generative AI"))

    world.verdict.withLock { $0 = .label }
    let flagged = try await browser.upload("/upload", try await form(), file: Array("bytes two".utf8))
    #expect(flagged.status == 200 && flagged.text.contains("Before anybody sees it"))
    #expect(flagged.text.contains("First #light") && flagged.text.contains("/appeals/new?work="))
    #expect(try await world.database.read { try $0.instanceCounts().localPosts } == 1)
    let id = try #require(flagged.text.firstMatch(of: /name="confirmed" value="([0-9]+)"/)?.1)
    var again = try await form()
    again["confirmed"] = String(id)
    #expect(try await browser.upload("/upload", again, file: nil).status == 303)
    #expect(try await world.database.read { try $0.instanceCounts().localPosts } == 2)
    try await world.close()
  }

  @Test func `a refused upload keeps the words and shows the reasons`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    try await browser.signIn(as: "mika")
    world.verdict.withLock { $0 = .refuse }
    let form = ["token": try await browser.get("/upload").token, "text": "My words"]
    let answer = try await browser.upload("/upload", form, file: Array("bytes".utf8))
    #expect(answer.status == 422 && answer.text.contains("My words"))
    #expect(answer.text.contains("Stable Diffusion settings") && answer.text.contains("/appeals/new?work="))
    let broken = try await browser.upload("/upload", form, file: Array("broken".utf8))
    #expect(broken.status == 422 && broken.text.contains("ends before the picture does"))
    #expect(try await browser.upload("/upload", form, file: nil).status == 422)
    #expect(try await world.database.read { try $0.instanceCounts().localPosts } == 0)
    try await world.close()
  }

  @Test func `a held upload waits, and a moderator lets it out`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    _ = try await world.person("ada", role: .moderator)
    let author = WebBrowser(world)
    try await author.signIn(as: "mika")
    world.verdict.withLock { $0 = .hold }
    let form = ["token": try await author.get("/upload").token, "text": "Patience"]
    let place = try #require(
      try await author.upload("/upload", form, file: Array("bytes".utf8)).header("location"))
    #expect(try await author.get(place).text.contains("waits for a moderator"))
    #expect(try await WebBrowser(world).get(place).status == 404)

    #expect(try await author.get("/moderation").status == 403)
    let moderator = WebBrowser(world, address: "192.0.2.9")
    try await moderator.signIn(as: "ada")
    let desk = try await moderator.get("/moderation")
    let id = try #require(desk.text.firstMatch(of: /action="\/moderation\/([0-9]+)"/)?.1)
    #expect(desk.text.contains("Stable Diffusion settings") && desk.text.contains("/media/"))
    let own = try await author.get("/upload").token
    #expect(try await author.post("/moderation/\(id)", ["token": own, "verdict": "accept"]).status == 403)
    #expect(try await moderator.post("/moderation/\(id)", ["token": desk.token, "verdict": "accept"]).status == 303)
    #expect(try await WebBrowser(world).get(place).status == 200)
    try await world.close()
  }

  @Test func `D18 an admin joins and leaves a relay on a page, and nobody else does`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    _ = try await world.person("ada", role: .admin)
    let artist = WebBrowser(world)
    try await artist.signIn(as: "mika")
    #expect(try await artist.get("/moderation/servers").status == 403)
    let admin = WebBrowser(world, address: "192.0.2.9")
    try await admin.signIn(as: "ada")
    let page = try await admin.get("/moderation/servers")
    #expect(page.status == 200 && page.text.contains("takes part in none"))
    let address = "https://relay.example/inbox"
    let own = try await artist.get("/upload").token
    for (browser, token) in [(artist, own), (admin, "wrong")] {
      let form = ["token": token, "act": "join", "address": address]
      #expect(try await browser.post("/moderation/servers", form).status == 403)
    }
    #expect(try await world.database.read { try $0.relays().isEmpty })
    let wrong = ["token": page.token, "act": "join", "address": "https://relay.example/actor"]
    #expect(try await admin.post("/moderation/servers", wrong).text.contains("ends in /inbox"))
    let join = ["token": page.token, "act": "join", "address": address]
    #expect(try await admin.post("/moderation/servers", join).status == 303)
    #expect(try await admin.post("/moderation/servers", join).text.contains("was added before"))
    let listed = try await admin.get("/moderation/servers")
    #expect(listed.text.contains(address) && listed.text.contains("no answer yet"))
    let relay = try #require(try await world.database.read { try $0.relays().first })
    let leave = ["token": page.token, "act": "leave", "relay": relay.id.description]
    #expect(try await admin.post("/moderation/servers", leave).status == 303)
    #expect(try await world.database.read { try $0.relays().isEmpty })
    try await world.close()
  }

  @Test func `anybody may appeal, and nobody may flood`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let picture = try await world.picture(of: mika, verdict: .label)
    _ = try await world.post(by: mika, pictures: [picture])
    let stranger = WebBrowser(world)
    let form = try await stranger.get("/appeals/new?work=\(picture.id)")
    #expect(form.text.contains("Stable Diffusion settings"))
    let fields = [
      "token": form.token, "work": "\(picture.id)", "message": "I painted it <b>", "contact": "me@mail.test",
    ]
    #expect(try await stranger.post("/appeals/new", fields).text.contains("Your appeal has arrived"))
    let stored = try await world.database.read { try $0.appeals(in: .open, Page(limit: 10)) }
    #expect(stored.map(\.message) == ["I painted it <b>"] && stored.first?.attachmentID == picture.id)
    for _ in 0..<4 { _ = try await stranger.post("/appeals/new", fields) }
    #expect(try await stranger.post("/appeals/new", fields).status == 429)
    let accepted = try await world.picture(of: mika)
    let other = WebBrowser(world, address: "192.0.2.8")
    let empty = try await other.get("/appeals/new?work=\(accepted.id)")
    let answer = try await other.post(
      "/appeals/new", ["token": empty.token, "work": "\(accepted.id)", "message": "why"])
    #expect(answer.status == 422)
    try await world.close()
  }

  @Test func `an artist changes what holds for all works`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    try await browser.signIn(as: "mika")
    let token = try await browser.get("/settings/policy").token
    #expect(try await browser.post("/settings/policy", ["token": token, "policy": "all"]).status == 422)
    #expect(try await browser.post("/settings/policy", ["token": token, "policy": "open"]).status == 303)
    let page = try await WebBrowser(world).get("/@mika")
    #expect(page.text.contains("Open to AI") && page.header("tdm-reservation") == "0")
    #expect(page.header("x-robots-tag") == nil)
    try await world.close()
  }
}
