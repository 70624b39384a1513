import ClientAPI
import HTTPTypes
import Model
import Primitives
import Testing

@Suite struct QuoteAPITests {
  private func bench() async throws -> ClientAPIBench {
    let bench = try await ClientAPIBench()
    for name in ["mika", "noor", "ida"] { try await bench.member(name) }
    return bench
  }

  private func publish(
    _ bench: ClientAPIBench, _ form: KeyValuePairs<String, String>, as name: String
  ) async throws -> ClientAPIBench.Answer {
    try await bench.post("/api/v1/statuses", as: name, form)
  }

  @Test func `D19 a quote shows the quoted work, is counted, told of and listed, and can be taken back`() async throws {
    let bench = try await bench()
    let work = try await bench.publish("A work", as: "mika")
    let quoting = try await publish(bench, ["status": "Look", "quoted_status_id": work], as: "noor").json
    let id = try #require(quoting["id"]?.string)
    #expect(quoting["quote"]?["state"]?.string == "accepted")
    #expect(quoting["quote"]?["quoted_status"]?["id"]?.string == work)
    #expect(quoting["content"]?.string?.contains("quote-inline") == true)
    let shown = try await bench.get("/api/v1/statuses/\(work)", as: "mika").json
    #expect(shown["quotes_count"] == 1)
    #expect(shown["quote_approval"]?["automatic"] == ["public"])
    let told = try await bench.get("/api/v1/notifications", as: "mika").list()
    #expect(told.map { $0["type"]?.string } == ["quote"])
    #expect(told.first?["status"]?["id"]?.string == id)
    #expect(try await bench.get("/api/v1/statuses/\(work)/quotes").list().map { $0["id"]?.string } == [id])
    // A quote of the quote names the work below it and does not draw it.
    let outer = try await publish(bench, ["status": "See", "quoted_status_id": id], as: "ida").json
    let inner = outer["quote"]?["quoted_status"]
    #expect(inner?["quote"]?["quoted_status_id"]?.string == work)
    #expect(inner?["quote"]?["quoted_status"] == nil)

    #expect(try await bench.post("/api/v1/statuses/\(work)/quotes/\(id)/revoke", as: "ida").status == .notFound)
    let revoked = try await bench.post("/api/v1/statuses/\(work)/quotes/\(id)/revoke", as: "mika").json
    #expect(revoked["quote"] == ["state": "revoked", "quoted_status": .null])
    #expect(try await bench.get("/api/v1/statuses/\(work)/quotes").list().isEmpty)
    #expect(try await bench.get("/api/v1/statuses/\(work)", as: "mika").json["quotes_count"] == 0)
  }

  @Test func `D19 N12 a policy is set with a work or later, and holds`() async throws {
    let bench = try await bench()
    let work = try #require(
      try await publish(bench, ["status": "Mine", "quote_approval_policy": "nobody"], as: "mika").text("id"))
    let refused = try await publish(bench, ["status": "Look", "quoted_status_id": work], as: "noor")
    #expect(refused.status == .unprocessableContent)
    let own = try await publish(bench, ["status": "Again", "quoted_status_id": work], as: "mika")
    #expect(try own.json["quote"]?["state"]?.string == "accepted", "an author may always")
    let seen = try await bench.get("/api/v1/statuses/\(work)", as: "noor").json["quote_approval"]
    #expect(seen == ["automatic": [], "manual": [], "current_user": "denied"])
    let path = "/api/v1/statuses/\(work)/interaction_policy"
    let asked = try await bench.post(path, as: "mika", ["quote_approval_policy": "ask"], method: .put).json
    #expect(asked["quote_approval"]?["manual"] == ["public"])
    #expect(asked["edited_at"] == .null)
    let waiting = try await publish(bench, ["status": "Please", "quoted_status_id": work], as: "noor").json
    #expect(waiting["quote"] == ["state": "pending", "quoted_status": .null])
    #expect(
      try await bench.post(path, as: "noor", ["quote_approval_policy": "public"], method: .put).status == .notFound)
    let wrong = try await bench.post(path, as: "mika", ["quote_approval_policy": "some"], method: .put)
    #expect(wrong.status == .unprocessableContent)
    // Our own keys.
    _ = try await bench.post(
      path, as: "mika", ["reply_policy": "nobody", "favourite_policy": "nobody", "reblog_policy": "nobody"],
      method: .put)
    for verb in ["favourite", "reblog"] {
      #expect(try await bench.post("/api/v1/statuses/\(work)/\(verb)", as: "noor").status == .forbidden, "\(verb)")
    }
    #expect(try await publish(bench, ["status": "Hm", "in_reply_to_id": work], as: "noor").status == .forbidden)
  }

  @Test func `D19 what a viewer may not see is not shown through a quote, and a deleted work is gone from it`()
    async throws
  {
    let bench = try await bench()
    let work = try await bench.publish("A work", as: "mika")
    let id = try #require(
      try await publish(bench, ["status": "Look", "quoted_status_id": work], as: "noor").text("id"))
    let mika = try #require(try await bench.get("/api/v1/accounts/lookup?acct=mika").text("id"))
    _ = try await bench.post("/api/v1/accounts/\(mika)/block", as: "ida")
    let hidden = try await bench.get("/api/v1/statuses/\(id)", as: "ida").json
    #expect(hidden["quote"] == ["state": "unauthorized", "quoted_status": .null])
    let secret = try await bench.publish("Secret", as: "mika", "private")
    #expect(
      try await publish(bench, ["status": "Out", "quoted_status_id": secret], as: "mika").status
        == .unprocessableContent)
    // An edit of the work is told to whoever quotes it.
    _ = try await bench.post("/api/v1/statuses/\(work)", as: "mika", ["status": "Changed"], method: .put)
    let told = try await bench.get("/api/v1/notifications", as: "noor").list()
    #expect(told.map { $0["type"]?.string } == ["quoted_update"])
    #expect(told.first?["status"]?["id"]?.string == work)
    let gone = try await bench.request(.delete, "/api/v1/statuses/\(work)", as: "mika")
    #expect(gone.status == .ok)
    let left = try await bench.get("/api/v1/statuses/\(id)", as: "noor").json
    #expect(left["quote"] == ["state": "deleted", "quoted_status": .null])
  }
}
