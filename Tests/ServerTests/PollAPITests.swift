import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `Polls in the client API` {
  private static let asked: KeyValuePairs<String, String> = [
    "status": "Which one?", "poll[options][]": "red", "poll[options][]": "blue", "poll[expires_in]": "3600",
  ]

  @Test func `a poll is asked, answered once by each, and counted`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let status = try await bench.post("/api/v1/statuses", as: "mika", Self.asked).json
    let poll = try #require(status["poll"])
    let id = try #require(poll["id"]?.string)
    #expect(poll["expired"] == false)
    #expect(poll["multiple"] == false)
    #expect(poll["votes_count"] == 0)
    #expect(poll["voters_count"] == 0)
    #expect(poll["voted"] == true, "one's own poll is not to be answered")
    #expect(poll["options"]?.array?.compactMap { $0["title"]?.string } == ["red", "blue"])
    #expect(poll["expires_at"]?.string != nil)
    let before = try await bench.get("/api/v1/polls/\(id)", as: "nora").json
    #expect(before["voted"] == false)
    #expect(before["own_votes"] == [])
    let voted = try await bench.post("/api/v1/polls/\(id)/votes", as: "nora", ["choices[]": "1"])
    #expect(voted.status == .ok)
    #expect(try voted.json["own_votes"] == [1])
    #expect(try voted.json["votes_count"] == 1)
    for (name, choice, reason) in [("nora", "0", "poll.voted_already"), ("mika", "0", "poll.own")] {
      let answer = try await bench.post("/api/v1/polls/\(id)/votes", as: name, ["choices[]": choice])
      #expect(answer.status == .unprocessableContent)
      #expect(try answer.text("reason") == reason)
    }
    let open = try await bench.get("/api/v1/polls/\(id)").json
    #expect(open["options"]?.array?.map { $0["votes_count"] } == [0, 1])
    #expect(open["voted"] == nil)
    #expect(open["emojis"] == [])
    let shown = try await bench.get("/api/v1/statuses/\(id)", as: "nora").json
    #expect(shown["poll"]?["voted"] == true)
  }

  @Test(arguments: [
    ["poll[options][]": "one", "poll[expires_in]": "300"], ["poll[expires_in]": "300"],
    ["poll[options]": "a"], ["poll[options][]": "a", "poll[options]": "a", "poll[expires_in]": "300"],
    ["poll[options][]": "a", "poll[options]": "b", "poll[expires_in]": "299"],
    ["poll[options][]": "a", "poll[options]": "b", "poll[expires_in]": "99999999"],
    ["poll[options][]": "a", "poll[options]": "b", "poll[expires_in]": "soon"],
    ["poll[options][]": "a", "poll[options]": " ", "poll[expires_in]": "300"],
    ["poll[options][]": "a", "poll[options]": String(repeating: "x", count: 51), "poll[expires_in]": "300"],
  ]) func `a poll that is none is refused and leaves nothing`(form: [String: String]) async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let text = (["status=x"] + form.map { "\($0.key)=\($0.value)" }).joined(separator: "&")
    let answer = try await bench.request(
      .post, "/api/v1/statuses", as: "mika", type: "application/x-www-form-urlencoded", body: Array(text.utf8))
    #expect(answer.status == .unprocessableContent)
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/statuses", as: "mika").list().isEmpty)
  }

  @Test func `several answers are taken where the poll says so, and bad ones nowhere`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    try await bench.member("eve")
    let body: JSON = [
      "status": "Which?", "visibility": "private",
      "poll": ["options": ["a", "b", "c"], "expires_in": 600, "multiple": true, "hide_totals": true],
    ]
    let answer = try await bench.request(
      .post, "/api/v1/statuses", as: "mika", type: "application/json", body: body.bytes)
    let id = try #require(try answer.json["poll"]?["id"]?.string)
    let mika = try #require(try answer.json["account"]?["id"]?.string)
    #expect(try await bench.get("/api/v1/polls/\(id)", as: "eve").status == .notFound)
    #expect(try await bench.post("/api/v1/polls/\(id)/votes", as: "eve", ["choices[]": "0"]).status == .notFound)
    _ = try await bench.post("/api/v1/accounts/\(mika)/follow", as: "nora")
    for choices in [["9"], ["0", "0"], ["-1"], ["x"], []] as [[String]] {
      let json: JSON = ["choices": .array(choices.map { .string($0) })]
      let bad = try await bench.request(
        .post, "/api/v1/polls/\(id)/votes", as: "nora", type: "application/json", body: json.bytes)
      #expect(bad.status == .unprocessableContent, "\(choices)")
    }
    let json: JSON = ["choices": [2, 0]]
    let voted = try await bench.request(
      .post, "/api/v1/polls/\(id)/votes", as: "nora", type: "application/json", body: json.bytes)
    #expect(try voted.json["own_votes"] == [0, 2])
    #expect(try voted.json["votes_count"] == 2)
    #expect(try voted.json["voters_count"] == 1)
    #expect(try voted.json["options"]?.array?.map { $0["votes_count"] } == [.null, .null, .null])
  }

  @Test func `the end is told to everybody who took part, once, and no vote comes after it`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let status = try await bench.post("/api/v1/statuses", as: "mika", Self.asked).json
    let id = try #require(status["id"]?.string.flatMap { Post.ID($0) })
    _ = try await bench.post("/api/v1/polls/\(id)/votes", as: "nora", ["choices[]": "0"])
    let early = bench.context
    try await bench.database.write { try $0.settlePoll(id, in: early) }
    #expect(try await bench.get("/api/v1/notifications", as: "nora").list().isEmpty)
    let due = try await bench.database.read {
      try $0.rows("SELECT run_at FROM jobs WHERE dedup_key LIKE 'poll % ends %'").map { try $0.timestamp("run_at") }
    }
    #expect(due == [try #require(status["poll"]?["expires_at"]?.string.flatMap { Timestamp(iso8601: $0) })])
    let now = early.now.adding(.seconds(3_601))
    let late = OperationContext(instance: bench.instance, ids: bench.ids, now: now)
    for _ in 0..<2 { try await bench.database.write { try $0.settlePoll(id, in: late) } }
    for name in ["mika", "nora"] {
      let told = try await bench.get("/api/v1/notifications?types[]=poll", as: name).list()
      #expect(told.count == 1)
      #expect(told.first?["status"]?["id"]?.string == id.description)
      #expect(told.first?["account"]?["username"] == "mika")
    }
    let (post, eve) = (try #require(try await bench.database.read { try $0.post(id) }), try await bench.member("eve"))
    await #expect(throws: OperationFailure.self) {
      try await bench.database.write { try $0.vote([0], in: post, by: eve, in: late) }
    }
  }

  @Test func `other answers void what was chosen, and an edit that names none leaves the poll`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let id = try #require(try await bench.post("/api/v1/statuses", as: "mika", Self.asked).text("id"))
    _ = try await bench.post("/api/v1/polls/\(id)/votes", as: "nora", ["choices[]": "0"])
    let words = try await bench.post("/api/v1/statuses/\(id)", as: "mika", ["status": "Which?"], method: .put).json
    #expect(words["poll"]?["votes_count"] == 1)
    let same = try await bench.post(
      "/api/v1/statuses/\(id)", as: "mika",
      ["status": "W", "poll[options][]": "red", "poll[options][]": "blue", "poll[expires_in]": "7200"], method: .put)
    #expect(try same.json["poll"]?["votes_count"] == 1)
    let other = try await bench.post(
      "/api/v1/statuses/\(id)", as: "mika",
      ["status": "W", "poll[options][]": "red", "poll[options][]": "green", "poll[expires_in]": "7200"], method: .put)
    #expect(try other.json["poll"]?["votes_count"] == 0)
    #expect(try other.json["poll"]?["voters_count"] == 0)
    #expect(try await bench.get("/api/v1/polls/\(id)", as: "nora").json["voted"] == false)
  }
}
