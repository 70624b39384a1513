import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `The client API on posts` {
  @Test func `a post is published from a form or from JSON, with every member strict decoders need`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let answer = try await bench.post(
      "/api/v1/statuses", as: "mika",
      ["status": "Look @nora #Ink https://a.test/b", "spoiler_text": "wet paint", "language": "en"])
    #expect(answer.status == .ok)
    let status = try answer.json
    #expect(status["content"]?.string?.contains("class=\"u-url mention\"") == true)
    #expect(status["spoiler_text"] == "wet paint")
    #expect(status["sensitive"] == true)
    #expect(status["language"] == "en")
    #expect(status["tags"]?.array?.first?["name"] == "ink")
    #expect(status["mentions"]?.array?.first?["acct"] == "nora")
    for key in ["emojis", "media_attachments", "mentions", "tags", "filtered"] { #expect(status[key]?.array != nil) }
    for key in ["favourited", "reblogged", "muted", "bookmarked"] { #expect(status[key] == false) }
    #expect(status["usage_policy"]?["aiInput"] == "disallow")
    let body: JSON = ["status": "from JSON", "visibility": "unlisted", "sensitive": true]
    let second = try await bench.request(
      .post, "/api/v1/statuses", as: "mika", type: "application/json", body: body.bytes)
    #expect(try second.json["visibility"] == "unlisted")
    #expect(try second.json["spoiler_text"] == "")
    let told = try await bench.get("/api/v1/notifications?types[]=mention", as: "nora").list()
    #expect(told.first?["status"]?["id"] == status["id"])
  }

  @Test(arguments: [
    (["status": ""], 422), (["status": "x", "visibility": "friends"], 422),
    (["status": "x", "language": "../../etc"], 422), (["status": "x", "media_ids[]": "12"], 422),
    (["status": "x", "media_ids[]": "abc"], 422), (["status": "x", "in_reply_to_id": "12"], 404),
    (["status": "x", "usage_policy": "whatever"], 422), (["status": String(repeating: "x", count: 2_001)], 422),
    (["status": "x", "poll[options][]": "a", "poll[expires_in]": "300"], 422),
    (["status": "x\0y"], 422), (["status": "x", "spoiler_text": "\0"], 422),
    (["status": "x", "scheduled_at": "soon"], 422),
  ]) func `what can not be published is refused and leaves nothing`(form: [String: String], status: Int) async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let text = form.map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    let answer = try await bench.request(
      .post, "/api/v1/statuses", as: "mika", type: "application/x-www-form-urlencoded", body: Array(text.utf8))
    #expect(answer.status.code == status)
    #expect(try answer.text("error")?.isEmpty == false)
    #expect(try answer.text("reason")?.isEmpty == false)
    if form["poll[expires_in]"] != nil { #expect(try answer.text("reason") == "poll.options") }
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/statuses", as: "mika").list().isEmpty)
  }

  @Test func `the same idempotency key gives the same post`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let headers: HTTPFields = [try #require(HTTPField.Name("Idempotency-Key")): "k1"]
    let first = try await bench.post("/api/v1/statuses", as: "mika", ["status": "once"], headers: headers)
    let second = try await bench.post("/api/v1/statuses", as: "mika", ["status": "once"], headers: headers)
    #expect(try first.text("id") == second.text("id"))
  }

  @Test func `unknown people are looked up before the post, and their absence loses nothing`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let nora = try await bench.stranger("nora", on: "ink.test")
    let answer = try await bench.post("/api/v1/statuses", as: "mika", ["status": "hi @nora@ink.test @gone@far.test"])
    #expect(try answer.json["mentions"]?.array?.map { $0["id"]?.string } == [nora.id.description])
    #expect(bench.asked == ["@gone@far.test"])
  }

  @Test func `edits keep versions, and only the author sees the source`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let id = try await bench.publish("first", as: "mika")
    #expect(try await bench.get("/api/v1/statuses/\(id)/history").list().count == 1)
    let edited = try await bench.post("/api/v1/statuses/\(id)", as: "mika", ["status": "second"], method: .put)
    #expect(edited.status == .ok)
    #expect(try edited.json["edited_at"]?.string != nil)
    #expect(try await bench.get("/api/v1/statuses/\(id)/source", as: "mika").text("text") == "second")
    let history = try await bench.get("/api/v1/statuses/\(id)/history").list()
    #expect(history.map { $0["content"]?.string } == ["<p>first</p>", "<p>second</p>"])
    for (method, path) in [(HTTPRequest.Method.put, ""), (.delete, ""), (.get, "/source")] {
      let answer = try await bench.post("/api/v1/statuses/\(id)\(path)", as: "nora", ["status": "x"], method: method)
      #expect(answer.status == .notFound)
    }
    let deleted = try await bench.request(.delete, "/api/v1/statuses/\(id)", as: "mika")
    #expect(try deleted.text("text") == "second")
    #expect(try await bench.get("/api/v1/statuses/\(id)", as: "mika").status == .notFound)
  }

  @Test func `favourites and boosts are counted once and taken back`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let nora = try await bench.member("nora")
    let id = try await bench.publish("look", as: "mika")
    for _ in 0..<2 {
      let liked = try await bench.post("/api/v1/statuses/\(id)/favourite", as: "nora").json
      #expect(liked["favourites_count"] == 1)
      #expect(liked["favourited"] == true)
      let wrapper = try await bench.post("/api/v1/statuses/\(id)/reblog", as: "nora").json
      #expect(wrapper["reblog"]?["id"]?.string == id)
      #expect(wrapper["reblog"]?["reblogs_count"] == 1)
      #expect(wrapper["reblogged"] == true)
    }
    for list in ["favourited_by", "reblogged_by"] {
      let people = try await bench.get("/api/v1/statuses/\(id)/\(list)").list()
      #expect(people.map { $0["id"]?.string } == [nora.id.description])
    }
    let kinds = try await bench.get("/api/v1/notifications", as: "mika").list().compactMap { $0["type"]?.string }
    #expect(Set(kinds) == ["favourite", "reblog"])
    let one = try await bench.get("/api/v1/notifications?exclude_types[]=reblog", as: "mika").list()
    #expect(one.map { $0["type"]?.string } == ["favourite"])
    let notification = try #require(one.first?["id"]?.string)
    #expect(try await bench.get("/api/v1/notifications/\(notification)", as: "mika").text("id") == notification)
    #expect(try await bench.get("/api/v1/notifications/\(notification)", as: "nora").status == .notFound)
    #expect(try await bench.post("/api/v1/statuses/\(id)/unfavourite", as: "nora").json["favourites_count"] == 0)
    #expect(try await bench.post("/api/v1/statuses/\(id)/unreblog", as: "nora").json["reblogs_count"] == 0)
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list().isEmpty)
  }

  @Test func `a thread has its ancestors and descendants`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let root = try await bench.publish("root", as: "mika")
    let answer = try await bench.post("/api/v1/statuses", as: "mika", ["status": "reply", "in_reply_to_id": root])
    let reply = try #require(try answer.text("id"))
    #expect(try answer.text("in_reply_to_id") == root)
    let below = try await bench.get("/api/v1/statuses/\(root)/context").json
    #expect(below["descendants"]?.array?.first?["id"]?.string == reply)
    let above = try await bench.get("/api/v1/statuses/\(reply)/context").json
    #expect(above["ancestors"]?.array?.first?["id"]?.string == root)
  }

  /// Cases E094, E095, E100 and L265 on the routes that exist.
  @Test func `nobody reads what was not addressed to them, on any route`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    try await bench.member("fan")
    try await bench.member("nora")
    try await bench.member("eve")
    _ = try await bench.post("/api/v1/accounts/\(mika.id)/follow", as: "fan")
    let ids = [
      "public": try await bench.publish("p @nora", as: "mika", "public"),
      "unlisted": try await bench.publish("u @nora", as: "mika", "unlisted"),
      "private": try await bench.publish("f @nora", as: "mika", "private"),
      "direct": try await bench.publish("d @nora", as: "mika", "direct"),
    ]
    let readers: [(String?, Set<String>)] = [
      (nil, ["public", "unlisted"]), ("eve", ["public", "unlisted"]), ("fan", ["public", "unlisted", "private"]),
      ("nora", ["public", "unlisted", "private", "direct"]), ("mika", ["public", "unlisted", "private", "direct"]),
    ]
    let absent = try await bench.get("/api/v1/statuses/123456")
    for (reader, visible) in readers {
      for (name, id) in ids {
        for path in ["", "/context", "/history", "/favourited_by", "/reblogged_by"] {
          let answer = try await bench.get("/api/v1/statuses/\(id)\(path)", as: reader)
          #expect((answer.status == .ok) == visible.contains(name), "\(reader ?? "-") \(name) \(path)")
          if answer.status != .ok { #expect(answer.body == absent.body) }
        }
        if let reader {
          let liked = try await bench.post("/api/v1/statuses/\(id)/favourite", as: reader)
          #expect((liked.status == .ok) == visible.contains(name))
          if !visible.contains(name) {
            #expect(liked.status == .notFound)
            let reply = try await bench.post(
              "/api/v1/statuses", as: reader, ["status": "r", "in_reply_to_id": id])
            #expect(reply.status == .notFound)
          }
        }
      }
      let several = try await bench.get(
        "/api/v1/statuses?" + ids.values.map { "id[]=\($0)" }.joined(separator: "&"), as: reader
      ).list()
      #expect(several.count == visible.count)
      let listed = try await bench.get("/api/v1/accounts/\(mika.id)/statuses", as: reader).list()
      #expect(listed.count == visible.count)
    }
    #expect(
      try await bench.post("/api/v1/statuses/\(try #require(ids["private"]))/reblog", as: "fan").status == .forbidden)
    #expect(try await bench.get("/api/v1/timelines/public?local=true").list().count == 1)
    #expect(try await bench.get("/api/v1/timelines/public").status == .unauthorized)
  }

  @Test func `a timeline is walked in both directions without gaps or repetitions`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    var ids: [String] = []
    for number in 0..<25 { ids.append(try await bench.publish("n\(number) #tag", as: "mika")) }
    for base in ["/api/v1/timelines/home", "/api/v1/accounts/\(mika.id)/statuses", "/api/v1/timelines/tag/TAG"] {
      var seen: [String] = []
      var next: String? = "\(base)?limit=10"
      while let path = next {
        let answer = try await bench.get(path, as: "mika")
        seen += try answer.list().compactMap { $0["id"]?.string }
        let link = answer.headers[try #require(HTTPField.Name("Link"))]
        if let link, link.hasPrefix("<"), link.contains("rel=\"next\"") {
          #expect(link.hasPrefix("<https://paper.test\(base)?limit=10&max_id="))
          next = link.split(separator: ">").first.map { String($0.dropFirst("<https://paper.test".count)) }
        } else {
          next = nil
        }
      }
      #expect(seen == ids.reversed())
      let back = try await bench.get("\(base)?limit=10&min_id=\(ids[4])", as: "mika").list()
      #expect(back.compactMap { $0["id"]?.string } == ids[5..<15].reversed())
    }
    for limit in ["0", "-5", "1000"] {
      let count = try await bench.get("/api/v1/timelines/home?limit=\(limit)", as: "mika").list().count
      #expect((1...40).contains(count))
    }
    for bad in ["max_id=NaN", "max_id=-1", "limit=x", "max_id=99999999999999999999"] {
      #expect(try await bench.get("/api/v1/timelines/home?\(bad)", as: "mika").status == .unprocessableContent)
    }
  }

  @Test func `a longer page costs no more statements`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    for number in 0..<30 {
      let media = try await bench.upload("picture \(number)", as: "mika").text("id")
      _ = try await bench.post(
        "/api/v1/statuses", as: "mika", ["status": "n\(number) #tag @nora", "media_ids[]": try #require(media)])
    }
    func cost(_ path: String) async throws -> Int {
      let before = bench.database.counters.statements
      #expect(try await bench.get(path, as: path.contains("notifications") ? "nora" : "mika").list().count >= 2)
      return bench.database.counters.statements - before
    }
    for path in ["timelines/home", "timelines/public", "timelines/tag/tag", "notifications"].map({ "/api/v1/\($0)" }) {
      let short = try await cost("\(path)?limit=2")
      #expect(try await cost("\(path)?limit=30") == short, "\(path)")
      #expect(short <= 26)
    }
  }
}
