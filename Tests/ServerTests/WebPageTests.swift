import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

@testable import Web

@Suite struct WebPageTests {
  @Test func `every page has its landmarks, its language and no script`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika", role: .moderator)
    let post = try await world.post(by: mika, pictures: [try await world.picture(of: mika)])
    let reader = WebBrowser(world)
    let member = WebBrowser(world, address: "192.0.2.8")
    try await member.signIn(as: "mika")
    let open = ["/", "/about", "/@mika", "/@mika/policy", "/@mika/\(post.id)", "/tags/lake", "/login"]
    let closed = ["/home", "/upload", "/settings/policy", "/notifications", "/moderation"]
    for (browser, paths) in [(reader, open), (member, open.dropLast() + closed)] {
      for path in paths {
        let answer = try await browser.get(path)
        #expect(answer.status == 200, "\(path)")
        let text = answer.text
        let landmarks = ["<html lang=\"en\">", "<main id=\"main\"", "<header", "<nav aria-label", "<footer"]
        for part in landmarks + ["class=\"skip\"", "<h1"] {
          #expect(text.contains(part), "\(path) lacks \(part)")
        }
        for part in ["<script", " style=", " onclick", "javascript:"] {
          #expect(!text.contains(part), "\(path) has \(part)")
        }
        #expect(answer.header("content-security-policy")?.contains("default-src 'none'") == true)
        #expect(answer.header("x-robots-tag") == "noai, noimageai", "\(path)")
        #expect(answer.header("tdm-reservation") == "1" && answer.header("content-usage") == "train-ai=n", "\(path)")
        #expect(text.contains("<meta name=\"tdm-reservation\" content=\"1\">"), "\(path)")
        #expect(answer.header("cache-control")?.contains("no-store") == (browser === member || path == "/login"))
      }
    }
    try await world.close()
  }

  @Test func `what a page shows is what its artist allows`() async throws {
    let world = try await WebWorld()
    let ada = try await world.person("ada")
    let context = world.context
    try await world.database.write { tx in
      _ = try tx.changeUsagePolicy(
        of: ada, to: UsagePolicy(.researchOnly, basis: .accountDefault), in: context)
    }
    let answer = try await WebBrowser(world).get("/@ada")
    #expect(answer.text.contains("Research only") && answer.text.contains("chose this for all their works"))
    #expect(answer.header("tdm-policy") == "https://atelier.test/users/ada/policies/2/odrl")
    let offer = try await world.answer(.get, "/users/ada/tdm-policy")
    #expect(offer.status == 200 && offer.text.contains("tdm:research"))
    #expect(try await world.answer(.get, "/.well-known/tdmrep.json").text.contains("/@ada/*"))
    let license = try await world.answer(.get, "/license.xml")
    #expect(license.header("content-type")?.hasPrefix("application/rsl+xml") == true)
    #expect(try await world.answer(.get, "/robots.txt").text.contains("GPTBot"))
    #expect(try await world.answer(.get, "/ai.txt").text.contains("Disallow: *.jpg"))
    try await world.close()
  }

  @Test(arguments: [
    "<script>alert(1)</script>", "\" onload=\"x", "\"\u{301} onload=\"x", "<\u{301}img src=x>", "'><svg onload=x>",
    "{{frame.site}}", "{{{token}}}", "</title><b>", "\u{202e}evil",
  ])
  func `a hostile name, description or warning stays text`(_ words: String) async throws {
    let world = try await WebWorld()
    var mika = try await world.person("mika")
    mika.displayName = words
    mika.fields = [ProfileField(name: words, value: "")]
    let hostile = mika
    try await world.database.write { try $0.update(hostile) }
    let picture = try await world.picture(of: mika, alt: words)
    // A quote is harmless in running text, which is markup of its own kind; everywhere else it ends an attribute.
    let text = words.contains("onload") ? "Quiet" : words
    let post = try await world.post(by: mika, text: text, pictures: [picture], spoiler: words)
    for path in ["/", "/@mika", "/@mika/\(post.id)"] {
      let text = try await WebBrowser(world).get(path).text
      let flat = text.unicodeScalars.filter { $0 != "\u{301}" }.map(String.init).joined()
      for part in ["<script", "<svg", "<img src=x", "</title><b>", "\" onload="] {
        #expect(!flat.contains(part), "\(path) has \(part)")
      }
    }
    try await world.close()
  }

  @Test func `a refused or held picture leaves a placeholder with the reason and the way to appeal`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let noor = try await world.stranger("noor", of: "paper.test")
    for (verdict, name) in [(Verdict.refuse, "refused"), (.hold, "held")] {
      let (post, picture) = try await world.remotePost(by: noor, content: "<p>From afar</p>", verdict: verdict)
      let member = WebBrowser(world)
      try await member.signIn(as: "mika")
      let page = try await member.get("/@noor@paper.test/\(post.id)")
      #expect(page.status == 200)
      #expect(page.text.contains("/assets/placeholder-\(name).png") && !page.text.contains("/media/"))
      #expect(page.text.contains("Stable Diffusion settings") && page.text.contains("/appeals/new?work=\(picture.id)"))
      #expect(page.text.contains("not proof") && page.text.contains("From afar"))
      #expect(try await member.get("/remote/\(post.id)").header("location") == "/@noor@paper.test/\(post.id)")
    }
    for name in ["held", "refused", "waiting", "failed"] {
      let asset = try await world.answer(.get, "/assets/placeholder-\(name).png")
      #expect(asset.status == 200 && asset.body.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    }
    // People of other servers did not ask to be published here.
    #expect(try await WebBrowser(world).get("/@noor@paper.test").status == 404)
    _ = mika
    try await world.close()
  }

  @Test func `a flag stands beside the picture with its evidence`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let picture = try await world.picture(of: mika, verdict: .label)
    let post = try await world.post(by: mika, pictures: [picture])
    let page = try await WebBrowser(world).get("/@mika/\(post.id)").text
    #expect(page.contains("Flagged here") && page.contains("Strong evidence, found in PNG tEXt"))
    #expect(page.contains("Detector evidence/1") && page.contains("not proof") && page.contains("/media/"))
    #expect(try await WebBrowser(world).get("/@mika").text.contains("class=\"flag\""))
    try await world.close()
  }

  @Test func `posts for followers only are not there for strangers`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let post = try await world.post(
      by: mika, pictures: [try await world.picture(of: mika)], visibility: .followers)
    #expect(try await WebBrowser(world).get("/@mika/\(post.id)").status == 404)
    let author = WebBrowser(world)
    try await author.signIn(as: "mika")
    let page = try await author.get("/@mika/\(post.id)")
    #expect(page.status == 200 && page.text.contains("noindex"))
    try await world.close()
  }

  @Test func `a page that has not changed is not sent again, and says its policy still`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let first = try await WebBrowser(world).get("/@mika")
    let tag = try #require(first.headers[.eTag])
    let second = try await WebBrowser(world).get("/@mika", headers: [(.ifNoneMatch, tag)])
    #expect(second.status == 304 && second.body.isEmpty && second.header("tdm-reservation") == "1")
    try await world.close()
  }

  @Test func `a program is led to the document and a person to the page of a problem`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let program = try await world.answer(.get, "/@mika", headers: [.accept: "application/activity+json"])
    #expect(program.status == 303 && program.header("location") == "/users/mika")
    let person = try await world.answer(.get, "/@nobody<script>")
    #expect(person.status == 404 && person.text.contains("Nothing here") && !person.text.contains("<script"))
    let client = try await world.answer(.get, "/@nobody", headers: [.accept: "application/json"])
    #expect(client.status == 404 && client.text.contains("record.not_found"))
    try await world.close()
  }

  @Test func `only a trial says that it is one`() async throws {
    let real = try await WebWorld()
    #expect(try await !WebBrowser(real).get("/").text.contains("This is a trial"))
    try await real.close()
    let trial = try await WebWorld(base: "http://localhost:8080")
    #expect(try await WebBrowser(trial).get("/").text.contains("This is a trial"))
    try await trial.close()
  }

  @Test func `the number of queries does not grow with the page`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    func statements() async throws -> Int {
      let before = world.database.counters.statements
      _ = try await WebBrowser(world).get("/@mika")
      return world.database.counters.statements - before
    }
    _ = try await world.post(by: mika, pictures: [try await world.picture(of: mika)])
    let one = try await statements()
    for _ in 0..<12 { _ = try await world.post(by: mika, pictures: [try await world.picture(of: mika)]) }
    #expect(try await statements() == one)
    try await world.close()
  }
}
