import ClientAPI
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `Tags, later posts and notifications in the client API` {
  @Test func `a followed tag brings public posts of strangers home, and takes only those away`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika", scopes: "read write follow")
    try await bench.member("nora")
    let friend = try await bench.member("finn")
    _ = try await bench.post("/api/v1/accounts/\(friend.id)/follow", as: "mika")
    let before = try await bench.publish("early #Aquatint", as: "nora")
    let tag = try await bench.post("/api/v1/tags/Aquatint/follow", as: "mika").json
    #expect(tag["name"] == "aquatint")
    #expect(tag["following"] == true)
    #expect(tag["history"]?.array?.count == 7)
    let strange = try await bench.publish("plates #aquatint", as: "nora")
    let known = try await bench.publish("mine too #aquatint", as: "finn")
    let hidden = try await bench.publish("for few #aquatint", as: "nora", "unlisted")
    func home() async throws -> [String] {
      try await bench.get("/api/v1/timelines/home", as: "mika").list().compactMap { $0["id"]?.string }
    }
    let shown = try await home()
    #expect(shown == [known, strange])
    #expect(!shown.contains(before) && !shown.contains(hidden))
    #expect(try await bench.get("/api/v1/followed_tags", as: "mika").list().map { $0["name"] } == ["aquatint"])
    #expect(try await bench.get("/api/v1/tags/aquatint").json["following"] == nil)
    #expect(try await bench.post("/api/v1/tags/aquatint/unfollow", as: "mika").json["following"] == false)
    #expect(try await home() == [known])
    #expect(try await bench.get("/api/v1/tags/%20").status == .notFound)
  }

  @Test func `a post for later waits with its picture, and its time brings it`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let picture = try #require(try await bench.upload("ink", as: "mika", description: "a plate").text("id"))
    let due = bench.context.now.adding(.seconds(7_200))
    let answer = try await bench.post(
      "/api/v1/statuses", as: "mika",
      ["status": "tomorrow", "media_ids[]": picture, "scheduled_at": due.iso8601, "spoiler_text": "wet"])
    let made = try answer.json
    let id = try #require(made["id"]?.string)
    #expect(made["params"]?["text"] == "tomorrow")
    #expect(made["params"]?["spoiler_text"] == "wet")
    #expect(made["media_attachments"]?.array?.first?["description"] == "a plate")
    #expect(made["scheduled_at"]?.string == due.iso8601)
    #expect(try await bench.get("/api/v1/accounts/verify_credentials", as: "mika").json["statuses_count"] == 0)
    #expect(try await bench.get("/api/v1/scheduled_statuses/\(id)", as: "nora").status == .notFound)
    let stolen = try await bench.post("/api/v1/statuses", as: "mika", ["status": "now", "media_ids[]": picture])
    #expect(stolen.status == .unprocessableContent, "a picture waits with one post")
    let later = due.adding(.seconds(3_600))
    let moved = try await bench.post(
      "/api/v1/scheduled_statuses/\(id)", as: "mika", ["scheduled_at": later.iso8601], method: .put)
    #expect(try moved.text("scheduled_at") == later.iso8601)
    let scheduled = ScheduledPost.ID(rawValue: try #require(Int64(id)))
    func run(at time: Timestamp) async throws {
      let context = OperationContext(instance: bench.instance, ids: bench.ids, now: time)
      try await bench.database.write { try $0.publish(scheduled: scheduled, in: context) }
    }
    try await run(at: due)
    #expect(try await bench.get("/api/v1/scheduled_statuses", as: "mika").list().count == 1, "it was moved")
    try await bench.database.write { tx in
      try tx.deleteUnpostedAttachments(before: ID(rawValue: .max))
      #expect(try tx.nextJob(in: .resolving) == due)
    }
    try await run(at: later)
    try await run(at: later)
    #expect(try await bench.get("/api/v1/scheduled_statuses", as: "mika").list() == [])
    let home = try await bench.get("/api/v1/timelines/home", as: "mika").list()
    #expect(home.map { $0["spoiler_text"] } == ["wet"])
    #expect(home.first?["media_attachments"]?.array?.count == 1)
  }

  @Test func `a later post that can not be published stays with the reason`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let picture = try #require(try await bench.upload("ink", as: "mika").text("id"))
    let due = bench.context.now.adding(.seconds(600))
    let made = try await bench.post(
      "/api/v1/statuses", as: "mika",
      ["status": "x", "media_ids[]": picture, "scheduled_at": due.iso8601], headers: [.idempotencyKeyForTests: "k"])
    let again = try await bench.post(
      "/api/v1/statuses", as: "mika",
      ["status": "y", "media_ids[]": picture, "scheduled_at": due.iso8601], headers: [.idempotencyKeyForTests: "k"])
    let id = try #require(try made.text("id"))
    #expect(try again.text("id") == id, "the same key gives the same post")
    let scheduled = ScheduledPost.ID(rawValue: try #require(Int64(id)))
    let context = OperationContext(instance: bench.instance, ids: bench.ids, now: due)
    try await bench.database.write { tx in
      let id = try #require(Model.Attachment.ID(picture))
      var refused = try #require(try tx.attachment(id))
      refused.state = .refused
      try tx.update(refused)
      try tx.publish(scheduled: scheduled, in: context)
    }
    let kept = try await bench.get("/api/v1/scheduled_statuses/\(id)", as: "mika").json
    #expect(kept["failure"] == "media.refused")
    #expect(try await bench.request(.delete, "/api/v1/scheduled_statuses/\(id)", as: "mika").status == .ok)
  }

  @Test(arguments: ["yesterday", "2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"])
  func `a time that is none, past or too far is refused`(time: String) async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let answer = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x", "scheduled_at": time])
    #expect(answer.status == .unprocessableContent)
    #expect(try await bench.get("/api/v1/scheduled_statuses", as: "mika").list() == [])
  }

  @Test func `likes of one post are one line, and a mention is its own`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    for name in ["nora", "finn"] { try await bench.member(name) }
    let post = try await bench.publish("look", as: "mika")
    for name in ["nora", "finn"] { _ = try await bench.post("/api/v1/statuses/\(post)/favourite", as: name) }
    _ = try await bench.publish("@mika hello", as: "nora")
    let page = try await bench.get("/api/v2/notifications", as: "mika").json
    let groups = try #require(page["notification_groups"]?.array)
    #expect(groups.map { $0["type"] } == ["mention", "favourite"])
    let likes = try #require(groups.last)
    #expect(likes["notifications_count"] == 2)
    #expect(likes["sample_account_ids"]?.array?.count == 2)
    #expect(likes["status_id"]?.string == post)
    #expect(likes["most_recent_notification_id"]?.integer != nil)
    #expect(page["accounts"]?.array?.count == 2)
    #expect(page["statuses"]?.array?.count == 2)
    let key = try #require(likes["group_key"]?.string)
    #expect(try await bench.get("/api/v2/notifications/\(key)/accounts", as: "mika").list().count == 2)
    #expect(try await bench.get("/api/v2/notifications/\(key)", as: "nora").status == .notFound)
    let alone = try await bench.get("/api/v2/notifications?grouped_types[]=reblog", as: "mika").json
    #expect(alone["notification_groups"]?.array?.count == 3)
    #expect(try await bench.get("/api/v1/notifications/unread_count", as: "mika").json["count"] == 3)
    #expect(try await bench.get("/api/v2/notifications/unread_count", as: "mika").json["count"] == 2)
    let short = try await bench.get(
      "/api/v2/notifications?types[]=favourite&expand_accounts=partial_avatars", as: "mika"
    ).json
    #expect(short["accounts"]?.array?.count == 1)
    #expect(short["partial_accounts"]?.array?.count == 1)
    #expect(try await bench.post("/api/v2/notifications/\(key)/dismiss", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list().count == 1)
  }

  @Test func `who is kept back waits until let in, and who is dropped leaves no trace`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let nora = try await bench.member("nora")
    let policy = try await bench.post(
      "/api/v2/notifications/policy", as: "mika", ["for_not_following": "filter"], method: .patch)
    #expect(try policy.text("for_not_following") == "filter")
    #expect(try policy.text("for_limited_accounts") == "accept")
    _ = try await bench.publish("@mika one", as: "nora")
    _ = try await bench.publish("@mika two", as: "nora")
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list() == [])
    let waiting = try await bench.get("/api/v1/notifications/requests", as: "mika").list()
    #expect(waiting.map { $0["notifications_count"] } == ["2"])
    #expect(waiting.first?["account"]?["username"] == "nora")
    #expect(waiting.first?["last_status"]?["content"]?.string?.contains("two") == true)
    let summary = try await bench.get("/api/v2/notifications/policy", as: "mika").json["summary"]
    #expect(summary == ["pending_requests_count": 1, "pending_notifications_count": 2])
    #expect(try await bench.post("/api/v1/notifications/requests/\(nora.id)/accept", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list().count == 2)
    _ = try await bench.publish("@mika three", as: "nora")
    #expect(try await bench.get("/api/v1/notifications", as: "mika").list().count == 3, "once let in, always")
    try await bench.member("finn")
    _ = try await bench.post(
      "/api/v2/notifications/policy", as: "mika", ["for_new_accounts": "drop"], method: .patch)
    _ = try await bench.publish("@mika four", as: "finn")
    #expect(try await bench.get("/api/v1/notifications/requests", as: "mika").list() == [])
    #expect(try await bench.get("/api/v1/notifications?include_filtered=true", as: "mika").list().count == 3)
  }

  @Test func `a list hides answers as it was told, and keeps its members from home when exclusive`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika", scopes: "read write follow")
    let nora = try await bench.member("nora")
    let finn = try await bench.member("finn")
    for account in [nora, finn] { _ = try await bench.post("/api/v1/accounts/\(account.id)/follow", as: "mika") }
    let list = try #require(
      try await bench.post("/api/v1/lists", as: "mika", ["title": "Ink", "replies_policy": "none"]).text("id"))
    _ = try await bench.post("/api/v1/lists/\(list)/accounts", as: "mika", ["account_ids[]": "\(nora.id)"])
    let first = try await bench.publish("a plate", as: "finn")
    let answer = try #require(
      try await bench.post("/api/v1/statuses", as: "nora", ["status": "good", "in_reply_to_id": first]).text("id"))
    func timeline() async throws -> [String] {
      try await bench.get("/api/v1/timelines/list/\(list)", as: "mika").list().compactMap { $0["id"]?.string }
    }
    #expect(try await timeline() == [])
    _ = try await bench.post("/api/v1/lists/\(list)", as: "mika", ["replies_policy": "followed"], method: .put)
    #expect(try await timeline() == [answer])
    _ = try await bench.post("/api/v1/lists/\(list)", as: "mika", ["replies_policy": "list"], method: .put)
    #expect(try await timeline() == [])
    let alone = try await bench.publish("alone", as: "nora")
    #expect(try await timeline() == [alone])
    func home() async throws -> [String] {
      try await bench.get("/api/v1/timelines/home", as: "mika").list().compactMap { $0["id"]?.string }
    }
    #expect(try await home() == [alone, answer, first])
    _ = try await bench.post("/api/v1/lists/\(list)", as: "mika", ["exclusive": "true"], method: .put)
    #expect(try await home() == [first])
    #expect(try await timeline() == [alone])
  }

  @Test func `friends, recommendations and the directory name only who wants to be named`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika", scopes: "read write follow")
    let nora = try await bench.member("nora", scopes: "read write follow")
    let finn = try await bench.member("finn")
    for (name, account) in [("mika", nora), ("nora", finn)] {
      _ = try await bench.post("/api/v1/accounts/\(account.id)/follow", as: name)
    }
    let known = try await bench.get("/api/v1/accounts/familiar_followers?id[]=\(finn.id)", as: "mika").list()
    #expect(known.first?["accounts"]?.array?.map { $0["username"] } == ["nora"])
    let refused = try await bench.post("/api/v1/accounts/\(finn.id)/endorse", as: "mika")
    #expect(refused.status == .unprocessableContent)
    #expect(try await bench.post("/api/v1/accounts/\(nora.id)/pin", as: "mika").json["endorsed"] == true)
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/endorsements").list().map { $0["username"] } == ["nora"])
    #expect(try await bench.post("/api/v1/accounts/\(nora.id)/unendorse", as: "mika").json["endorsed"] == false)
    let suggested = try await bench.get("/api/v2/suggestions", as: "mika").list()
    #expect(suggested.map { $0["account"]?["username"] } == ["finn"])
    try await bench.database.write { tx in
      var hidden = finn
      hidden.isDiscoverable = false
      try tx.update(hidden)
    }
    #expect(try await bench.get("/api/v2/suggestions", as: "mika").list() == [])
    #expect(try await bench.get("/api/v1/directory?order=new").list().map { $0["username"] } == ["nora", "mika"])
    #expect(try await bench.get("/api/v1/instance/activity").list().count == 12)
  }

  @Test func `an upload that stands nowhere may be thrown away by its owner alone`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let free = try #require(try await bench.upload("ink", as: "mika").text("id"))
    let used = try #require(try await bench.upload("oil", as: "mika").text("id"))
    _ = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x", "media_ids[]": used])
    #expect(try await bench.request(.delete, "/api/v1/media/\(free)", as: "nora").status == .notFound)
    #expect(try await bench.request(.delete, "/api/v1/media/\(used)", as: "mika").status == .unprocessableContent)
    #expect(try await bench.request(.delete, "/api/v1/media/\(free)", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/media/\(free)", as: "mika").status == .notFound)
  }
}

extension HTTPField.Name {
  fileprivate static let idempotencyKeyForTests = HTTPField.Name("Idempotency-Key") ?? .eTag
}
