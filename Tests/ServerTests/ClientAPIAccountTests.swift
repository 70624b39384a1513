import ClientAPI
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `The client API on instances and accounts` {
  @Test func `both instance documents satisfy strict decoders, with and without a slash`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika", role: .admin)
    let second = try await bench.get("/api/v2/instance")
    #expect(second.status == .ok)
    #expect(try second.text("version")?.hasPrefix("4.3.0 (compatible; Atelier ") == true)
    for path in ["domain", "title", "registrations", "thumbnail", "configuration", "contact", "rules"] {
      #expect(try second.json[path]?.isNull == false, "\(path)")
    }
    let configuration = try second.json["configuration"]
    #expect(configuration?["urls"]?["streaming"]?.string == "wss://paper.test")
    #expect(configuration?["media_attachments"]?["supported_mime_types"]?.array?.isEmpty == false)
    for path in ["/api/v1/instance", "/api/v1/instance/"] {
      let first = try await bench.get(path)
      #expect(first.status == .ok)
      #expect(try first.text("uri") == "paper.test")
      #expect(try first.json["stats"]?["user_count"]?.integer == 1)
    }
  }

  @Test func `every answer states the policy of the instance and may be read by web clients`() async throws {
    let bench = try await ClientAPIBench()
    for answer in [try await bench.get("/api/v1/instance"), try await bench.get("/api/v1/timelines/home")] {
      #expect(answer.headers[try #require(HTTPField.Name("Content-Usage"))]?.isEmpty == false)
      #expect(answer.headers[try #require(HTTPField.Name("tdm-reservation"))] == "1")
      #expect(answer.headers[.accessControlAllowOrigin] == "*")
    }
    let preflight = try await bench.request(.options, "/api/v1/statuses")
    #expect(preflight.status == .noContent)
    #expect(preflight.headers[.accessControlAllowHeaders]?.contains("Idempotency-Key") == true)
  }

  @Test func `tokens are checked before anything else`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("reader", scopes: "read:statuses")
    try await bench.member("elk", scopes: "read follow")
    let mika = try await bench.member("mika")
    #expect(try await bench.get("/api/v1/accounts/verify_credentials").status == .unauthorized)
    #expect(try await bench.get("/api/v1/accounts/verify_credentials", as: "nobody").status == .unauthorized)
    let narrow = try await bench.get("/api/v1/accounts/verify_credentials", as: "reader")
    #expect(narrow.status == .forbidden)
    #expect(try narrow.text("error") == "This action is outside the authorized scopes")
    #expect(try await bench.get("/api/v1/timelines/home", as: "reader").status == .ok)
    #expect(try await bench.post("/api/v1/statuses", as: "reader", ["status": "x"]).status == .forbidden)
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)", as: "reader").status == .forbidden)
    #expect(try await bench.post("/api/v1/accounts/\(mika.id)/follow", as: "elk").status == .ok)
    #expect(try await bench.post("/api/v1/statuses", as: "elk", ["status": "x"]).status == .forbidden)
    #expect(try await bench.get("/api/v1/no_such_thing", as: "mika").status == .notFound)
  }

  @Test func `an account without pictures has some that exist`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let shown = try await bench.get("/api/v1/accounts/\(mika.id)").json
    for key in ["avatar", "header"] {
      let address = try #require(shown[key]?.string)
      let picture = try await bench.get(String(address.dropFirst("https://paper.test".count)))
      #expect(picture.headers[.contentType] == "image/png")
      #expect(picture.body.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    }
  }

  @Test func `the own account has what a client needs to start`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika", role: .moderator)
    let own = try await bench.get("/api/v1/accounts/verify_credentials", as: "mika").json
    #expect(own["id"]?.string == mika.id.description)
    #expect(own["acct"]?.string == "mika")
    #expect(own["source"]?["privacy"]?.string == "public")
    #expect(own["role"]?["name"]?.string == "Moderator")
    for key in ["avatar", "avatar_static", "header", "header_static", "url", "note"] {
      #expect(own[key]?.string != nil, "\(key)")
    }
    for key in ["emojis", "fields", "roles"] { #expect(own[key]?.array != nil, "\(key)") }
    #expect(own["usage_policy"]?["generativeTraining"]?.string == "disallow")
  }

  @Test func `accounts are found by name here and nowhere else`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let nora = try await bench.stranger("nora", on: "ink.test")
    for name in ["mika", "@mika", "mika@paper.test", "MIKA"] {
      #expect(try await bench.get("/api/v1/accounts/lookup?acct=\(name)").text("id") == mika.id.description)
    }
    #expect(try await bench.get("/api/v1/accounts/lookup?acct=nora@ink.test").text("id") == nora.id.description)
    #expect(try await bench.get("/api/v1/accounts/lookup?acct=zoe@ink.test").status == .notFound)
    #expect(bench.asked.isEmpty)
    let shown = try await bench.get("/api/v1/accounts/\(nora.id)")
    #expect(try shown.text("acct") == "nora@ink.test")
    for id in ["0", "-1", "99999999999999999999", "abc", "%27", "1%20OR%201=1"] {
      #expect(try await bench.get("/api/v1/accounts/\(id)").status == .notFound, "\(id)")
    }
  }

  @Test func `following, being followed and blocking show in the relationship`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let nora = try await bench.member("nora")
    let followed = try await bench.post("/api/v1/accounts/\(nora.id)/follow", as: "mika").json
    #expect(followed["following"] == true)
    #expect(followed["requested"] == false)
    let seen = try await bench.get("/api/v1/accounts/relationships?id[]=\(mika.id)", as: "nora").list()
    #expect(seen.first?["followed_by"] == true)
    for key in [
      "following", "showing_reblogs", "notifying", "followed_by", "blocking", "blocked_by", "muting",
      "muting_notifications", "requested", "requested_by", "domain_blocking", "endorsed",
    ] { #expect(seen.first?[key]?.bool != nil, "\(key)") }
    #expect(seen.first?["note"]?.string == "")
    let followers = try await bench.get("/api/v1/accounts/\(nora.id)/followers").list()
    #expect(followers.map { $0["id"]?.string } == [mika.id.description])
    let following = try await bench.get("/api/v1/accounts/\(mika.id)/following").list()
    #expect(following.map { $0["id"]?.string } == [nora.id.description])
    let told = try await bench.get("/api/v1/notifications", as: "nora").list()
    #expect(told.map { $0["type"]?.string } == ["follow"])

    let blocked = try await bench.post("/api/v1/accounts/\(mika.id)/block", as: "nora").json
    #expect(blocked["blocking"] == true)
    #expect(blocked["followed_by"] == false)
    #expect(try await bench.post("/api/v1/accounts/\(nora.id)/follow", as: "mika").status == .forbidden)
    let free = try await bench.post("/api/v1/accounts/\(mika.id)/unblock", as: "nora").json
    #expect(free["blocking"] == false)
    #expect(try await bench.post("/api/v1/accounts/\(nora.id)/follow", as: "mika").json["following"] == true)
    #expect(try await bench.post("/api/v1/accounts/\(nora.id)/unfollow", as: "mika").json["following"] == false)
    #expect(try await bench.post("/api/v1/accounts/\(mika.id)/follow", as: "mika").status == .unprocessableContent)
    #expect(try await bench.post("/api/v1/accounts/1/follow", as: "mika").status == .notFound)
  }

  @Test func `a locked account decides who follows`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let zoe = try await bench.member("zoe")
    let shy = try await bench.member("shy", isLocked: true)
    for name in ["mika", "zoe"] {
      let asked = try await bench.post("/api/v1/accounts/\(shy.id)/follow", as: name).json
      #expect(asked["following"] == false)
      #expect(asked["requested"] == true)
    }
    _ = try await bench.publish("for followers", as: "shy", "private")
    #expect(try await bench.get("/api/v1/accounts/\(shy.id)/statuses", as: "mika").list().isEmpty)
    let waiting = try await bench.get("/api/v1/follow_requests", as: "shy").list()
    #expect(waiting.map { $0["id"]?.string } == [zoe.id.description, mika.id.description])
    let consent = try await bench.post("/api/v1/follow_requests/\(mika.id)/authorize", as: "shy").json
    #expect(consent["followed_by"] == true)
    _ = try await bench.post("/api/v1/follow_requests/\(zoe.id)/reject", as: "shy")
    #expect(try await bench.post("/api/v1/follow_requests/\(zoe.id)/reject", as: "shy").status == .notFound)
    #expect(try await bench.get("/api/v1/follow_requests", as: "shy").list().isEmpty)
    #expect(try await bench.get("/api/v1/accounts/\(shy.id)/statuses", as: "mika").list().count == 1)
    #expect(try await bench.get("/api/v1/accounts/\(shy.id)/statuses", as: "zoe").list().isEmpty)
  }

  @Test func `search finds names here, and asks elsewhere only for members who want it`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let nora = try await bench.stranger("nora", on: "ink.test")
    bench.know("@lio@ink.test", nora)
    let id = try await bench.publish("hello #Ink", as: "mika")
    func accounts(_ query: String, as name: String? = nil) async throws -> [String] {
      let found = try await bench.get("/api/v2/search?q=\(query)", as: name).json
      for key in ["accounts", "statuses", "hashtags"] { #expect(found[key]?.array != nil) }
      return (found["accounts"]?.array ?? []).compactMap { $0["id"]?.string }
    }
    #expect(try await accounts("mik", as: "mika") == [mika.id.description])
    #expect(try await accounts("@mika@paper.test&resolve=true&type=accounts", as: "mika") == [mika.id.description])
    #expect(try await accounts("https://paper.test/@mika") == [mika.id.description])
    #expect(try await accounts("@nora@ink.test") == [nora.id.description])
    #expect(try await accounts("@lio@ink.test&resolve=true") == [])
    #expect(try await accounts("@lio@ink.test", as: "mika") == [])
    #expect(bench.asked.isEmpty)
    #expect(try await accounts("@lio@ink.test&resolve=true", as: "mika") == [nora.id.description])
    let byPage = try await bench.get("/api/v2/search?q=https://paper.test/@mika/\(id)", as: "mika").json
    #expect(byPage["statuses"]?.array?.first?["id"]?.string == id)
    let tags = try await bench.get("/api/v2/search?q=%23in&type=hashtags", as: "mika").json
    #expect(tags["hashtags"]?.array?.first?["name"]?.string == "ink")
    for hostile in ["'%20OR%201=1--", "%00", "AND%20NEAR(%20*%20%22%20%5E", "%25", "%5C"] {
      let answer = try await bench.get("/api/v2/search?q=\(hostile)", as: "mika")
      #expect(answer.status == .ok || answer.status.kind == .clientError, "\(hostile)")
    }
    for _ in 0..<40 { _ = try await bench.get("/api/v2/search?q=@who@far.test&resolve=true", as: "mika") }
    let tired = try await bench.get("/api/v2/search?q=@who@far.test&resolve=true", as: "mika")
    #expect(tired.status == .tooManyRequests)
    #expect(tired.headers[.retryAfter] != nil)
  }
}
