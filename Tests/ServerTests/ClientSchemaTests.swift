import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// Real answers, decoded as strictly as the strictest client does.
@Suite struct `What Tusky, IceCubes, Elk and Phanpy can decode` {
  private struct World {
    let bench: ClientAPIBench
    let mika: Account
    let nora: Account
    var ids: [String: String] = [:]
  }

  /// Two people who have done a little of everything.
  private func world() async throws -> World {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika", role: .admin, scopes: "read write follow push profile")
    let nora = try await bench.member("nora", scopes: "read write follow")
    let far = try await bench.stranger("far", on: "paper.example")
    _ = try await bench.post("/api/v1/accounts/\(nora.id)/follow", as: "mika")
    _ = try await bench.post("/api/v1/accounts/\(mika.id)/follow", as: "nora")
    let picture = try #require(
      try await bench.upload("ink", as: "mika", description: "a plate", focus: "0.1,0.2").text("id"))
    var ids: [String: String] = ["picture": picture, "far": "\(far.id)"]
    func made(_ name: String, _ path: String, as who: String, _ form: KeyValuePairs<String, String>) async throws {
      let answer = try await bench.post(path, as: who, form)
      let id: String = try #require(try answer.text("id"), "\(name): \(answer.status)")
      ids[name] = id
    }
    try await made(
      "work", "/api/v1/statuses", as: "mika",
      ["status": "a plate for @nora #ink https://example.com/x", "media_ids[]": picture, "spoiler_text": "wet"])
    try await made(
      "answer", "/api/v1/statuses", as: "nora", ["status": "@mika good", "in_reply_to_id": ids["work"] ?? ""])
    try await made(
      "poll", "/api/v1/statuses", as: "nora",
      ["status": "which?", "poll[options][]": "a", "poll[options]": "b", "poll[expires_in]": "600"])
    try await made(
      "filter", "/api/v2/filters", as: "nora",
      ["title": "Ink", "context[]": "home", "keywords_attributes[][keyword]": "plate"])
    try await made(
      "later", "/api/v1/statuses", as: "mika",
      ["status": "x", "scheduled_at": bench.context.now.adding(.seconds(9_000)).iso8601])
    try await made("list", "/api/v1/lists", as: "mika", ["title": "x"])
    try await made("direct", "/api/v1/statuses", as: "nora", ["status": "@mika hush", "visibility": "direct"])
    for act in ["favourite", "reblog", "bookmark"] {
      _ = try await bench.post("/api/v1/statuses/\(ids["work"] ?? "")/\(act)", as: "nora")
    }
    _ = try await bench.post(
      "/api/v1/statuses/\(ids["work"] ?? "")", as: "mika", ["status": "a plate, dry #ink"], method: .put)
    _ = try await bench.post("/api/v1/markers", as: "mika", ["home[last_read_id]": ids["work"] ?? ""])
    _ = try await bench.post("/api/v1/tags/ink/follow", as: "mika")
    return World(bench: bench, mika: mika, nora: nora, ids: ids)
  }

  /// Path, who asks, entity; `[Entity]` is a list that must not be empty.
  private static let answers: [(String, String?, String)] = [
    ("/api/v1/instance", nil, "InstanceV1"), ("/api/v2/instance", nil, "InstanceV2"),
    ("/api/v1/accounts/verify_credentials", "mika", "CredentialAccount"),
    ("/api/v1/accounts/verify_credentials", "mika", "Account"),
    ("/api/v1/accounts/{mika}", nil, "Account"), ("/api/v1/accounts/{far}", "mika", "Account"),
    ("/api/v1/accounts/lookup?acct=nora", nil, "Account"),
    ("/api/v1/accounts/search?q=no", "mika", "[Account]"),
    ("/api/v1/accounts/{mika}/followers", nil, "[Account]"), ("/api/v1/accounts/{mika}/following", nil, "[Account]"),
    ("/api/v1/accounts/{mika}/statuses", nil, "[Status]"), ("/api/v1/accounts/{nora}/statuses", "mika", "[OwnStatus]"),
    ("/api/v1/accounts/relationships?id[]={nora}&id[]={far}", "mika", "[Relationship]"),
    ("/api/v1/accounts/familiar_followers?id[]={mika}", "mika", "[FamiliarFollowers]"),
    ("/api/v1/statuses/{work}", nil, "Status"), ("/api/v1/statuses/{work}", "nora", "OwnStatus"),
    ("/api/v1/statuses/{poll}", "mika", "Status"), ("/api/v1/statuses/{work}/context", "mika", "Context"),
    ("/api/v1/statuses/{work}/history", "mika", "[StatusEdit]"),
    ("/api/v1/statuses/{work}/source", "mika", "StatusSource"),
    ("/api/v1/statuses/{work}/favourited_by", nil, "[Account]"),
    ("/api/v1/statuses/{work}/reblogged_by", nil, "[Account]"), ("/api/v1/statuses?id[]={work}", "mika", "[Status]"),
    ("/api/v1/timelines/home", "mika", "[Status]"), ("/api/v1/timelines/home", "nora", "[OwnStatus]"),
    ("/api/v1/timelines/public?local=true", nil, "[Status]"), ("/api/v1/timelines/tag/ink", nil, "[Status]"),
    ("/api/v1/bookmarks", "nora", "[Status]"), ("/api/v1/favourites", "nora", "[Status]"),
    ("/api/v1/notifications", "mika", "[Notification]"), ("/api/v1/notifications", "nora", "[Notification]"),
    ("/api/v2/notifications", "mika", "NotificationGroups"),
    ("/api/v2/notifications/policy", "mika", "NotificationPolicy"),
    ("/api/v1/polls/{poll}", nil, "Poll"), ("/api/v1/polls/{poll}", "mika", "Poll"),
    ("/api/v2/filters", "nora", "[Filter]"), ("/api/v1/filters", "nora", "[OldFilter]"),
    ("/api/v1/lists", "mika", "[List]"), ("/api/v1/scheduled_statuses", "mika", "[ScheduledStatus]"),
    ("/api/v1/tags/ink", "mika", "Tag"), ("/api/v1/followed_tags", "mika", "[Tag]"),
    ("/api/v2/search?q=ink", "mika", "Search"), ("/api/v2/search?q=nora", "mika", "Search"),
    ("/api/v1/media/{picture}", "mika", "MediaAttachment"), ("/api/v2/suggestions", "nora", "[Suggestion]?"),
    ("/api/v1/directory", nil, "[Account]"), ("/api/v1/conversations", "mika", "[Conversation]?"),
    ("/api/v1/instance/rules", nil, "[Rule]?"), ("/api/v1/custom_emojis", nil, "[Emoji]?"),
    ("/api/v1/endorsements", "mika", "[Account]?"), ("/api/v1/mutes", "mika", "[Account]?"),
    ("/api/v1/notifications/requests", "mika", "[NotificationRequest]?"),
  ]

  @Test func `every entity has what each of them needs, in the types they decode`() async throws {
    let world = try await world()
    let bench = world.bench
    var ids = world.ids
    (ids["mika"], ids["nora"]) = ("\(world.mika.id)", "\(world.nora.id)")
    for (template, who, schema) in Self.answers {
      let path = ids.reduce(template) { $0.replacing("{\($1.key)}", with: $1.value) }
      let answer = try await bench.get(path, as: who)
      #expect(answer.status == .ok, "\(path): \(answer.status)")
      let json = try answer.json
      var entity = schema
      let mayBeEmpty = entity.hasSuffix("?")
      if mayBeEmpty { entity.removeLast() }
      guard entity.hasPrefix("[") else {
        #expect(ClientSchemas.complaints(json, as: entity).prefix(8) == [], "\(path)")
        continue
      }
      let list = try #require(json.array, "\(path)")
      #expect(mayBeEmpty || !list.isEmpty, "\(path) is empty")
      for element in list {
        #expect(ClientSchemas.complaints(element, as: String(entity.dropFirst().dropLast())).prefix(8) == [], "\(path)")
      }
    }
  }

  @Test func `what changes something answers as decodably`() async throws {
    let world = try await world()
    let bench = world.bench
    let work = world.ids["work"] ?? ""
    func check(_ answer: ClientAPIBench.Answer, _ entity: String, _ what: String) throws {
      #expect(answer.status == .ok, "\(what): \(answer.status)")
      #expect(ClientSchemas.complaints(try answer.json, as: entity).prefix(8) == [], "\(what)")
    }
    for act in ["unfavourite", "favourite", "unreblog", "reblog", "unbookmark", "bookmark"] {
      let answer = try await bench.post("/api/v1/statuses/\(work)/\(act)", as: "nora")
      try check(answer, "Status", act)
      try check(answer, "OwnStatus", act)
    }
    for act in ["unfollow", "follow", "mute", "unmute", "block", "unblock", "note", "remove_from_followers"] {
      try check(try await bench.post("/api/v1/accounts/\(world.nora.id)/\(act)", as: "mika"), "Relationship", act)
    }
    try check(
      try await bench.post("/api/v1/polls/\(world.ids["poll"] ?? "")/votes", as: "mika", ["choices[]": "0"]), "Poll",
      "vote")
    try check(try await bench.request(.delete, "/api/v1/statuses/\(work)", as: "mika"), "Status", "delete")
    let markers = try await bench.post("/api/v1/markers", as: "mika", ["notifications[last_read_id]": "5"]).json
    #expect(ClientSchemas.complaints(markers["notifications"] ?? .null, as: "Marker") == [])
    let app = try await bench.post(
      "/api/v1/apps", ["client_name": "x", "redirect_uris": OAuthClient.outOfBand, "scopes": "read"])
    try check(app, "NewApplication", "apps")
    try check(app, "Application", "apps")
  }

  @Test(arguments: ["id", "emojis", "account", "created_at"])
  func `an answer that lacks a member is noticed`(member: String) async throws {
    let world = try await world()
    var status = try await world.bench.get("/api/v1/statuses/\(world.ids["work"] ?? "")").json
    #expect(ClientSchemas.complaints(status, as: "Status") == [])
    status[member] = .null
    #expect(ClientSchemas.complaints(status, as: "Status") == ["/\(member) is null"])
    status[member] = 5
    #expect(!ClientSchemas.complaints(status, as: "Status").isEmpty)
  }
}
