import ClientAPI
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct ConversationAPITests {
  private func bench() async throws -> ClientAPIBench {
    let bench = try await ClientAPIBench()
    for name in ["mika", "noor", "ida"] { try await bench.member(name, scopes: "read write") }
    return bench
  }

  @Test func `direct posts are conversations of those who take part, unread until read`() async throws {
    let bench = try await bench()
    let first = try await bench.publish("@noor a secret", as: "mika", "direct")
    let answer = try await bench.post(
      "/api/v1/statuses", as: "noor", ["status": "@mika indeed", "visibility": "direct", "in_reply_to_id": first])
    let last = try #require(try answer.text("id"))
    _ = try await bench.publish("open", as: "mika")
    let list = try await bench.get("/api/v1/conversations", as: "mika").list()
    #expect(list.count == 1)
    let talk = try #require(list.first)
    #expect(talk["unread"] == true)
    #expect(talk["last_status"]?["id"]?.string == last)
    #expect(talk["accounts"]?.array?.map { $0["acct"]?.string } == ["noor"])
    #expect(try await bench.get("/api/v1/conversations", as: "noor").list().first?["unread"] == false)
    #expect(try await bench.get("/api/v1/conversations", as: "ida").list().isEmpty)
    let id = try #require(talk["id"]?.string)
    let read = try await bench.post("/api/v1/conversations/\(id)/read", as: "mika")
    #expect(try read.json["unread"] == false)
    #expect(try await bench.post("/api/v1/conversations/\(id)/read", as: "ida").status == .notFound)
    let direct = try await bench.get("/api/v1/timelines/direct", as: "mika").list()
    #expect(direct.map { $0["id"]?.string } == [last, first])
    #expect(try await bench.get("/api/v1/timelines/direct", as: "ida").list().isEmpty)
  }

  @Test func `a conversation that is deleted comes back with the next word, and ends with its last post`()
    async throws
  {
    let bench = try await bench()
    let first = try await bench.publish("@noor one", as: "mika", "direct")
    let id = try #require(try await bench.get("/api/v1/conversations", as: "noor").list().first?["id"]?.string)
    #expect(try await bench.request(.delete, "/api/v1/conversations/\(id)", as: "noor").status == .ok)
    #expect(try await bench.get("/api/v1/conversations", as: "noor").list().isEmpty)
    let second = try #require(
      try await bench.post(
        "/api/v1/statuses", as: "mika", ["status": "@noor two", "visibility": "direct", "in_reply_to_id": first]
      ).text("id"))
    let list = try await bench.get("/api/v1/conversations", as: "noor").list()
    #expect(list.map { $0["last_status"]?["id"]?.string } == [second])
    let gone = try await bench.request(.delete, "/api/v1/statuses/\(second)", as: "mika")
    #expect(gone.status == .ok, "\(String(decoding: gone.body, as: UTF8.self))")
    let before = try await bench.get("/api/v1/conversations", as: "mika").list()
    #expect(before.map { $0["last_status"]?["id"]?.string } == [first])
    #expect(try await bench.request(.delete, "/api/v1/statuses/\(first)", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/conversations", as: "mika").list().isEmpty)
  }

  @Test func `conversations are paged by their last posts`() async throws {
    let bench = try await bench()
    for number in 0..<5 { _ = try await bench.publish("@noor \(number)", as: "mika", "direct") }
    let page = try await bench.get("/api/v1/conversations?limit=2", as: "noor")
    let shown = try page.list().compactMap { $0["last_status"]?["id"]?.string }
    #expect(shown.count == 2)
    let link = page.headers[.init("Link")!] ?? ""
    #expect(link.contains("max_id=\(try #require(shown.last))"))
    let rest = try await bench.get(
      "/api/v1/conversations?limit=9&max_id=\(try #require(shown.last))", as: "noor"
    ).list()
    #expect(rest.count == 3)
  }

  @Test func `a muted thread tells nothing more to who muted it, and to nobody else`() async throws {
    let bench = try await bench()
    let root = try await bench.publish("A work", as: "mika")
    func answer(_ text: String, by name: String) async throws {
      _ = try await bench.post("/api/v1/statuses", as: name, ["status": text, "in_reply_to_id": root])
    }
    func told() async throws -> Int { try await bench.get("/api/v1/notifications", as: "mika").list().count }
    try await answer("@mika one", by: "noor")
    #expect(try await told() == 1)
    let muted = try await bench.post("/api/v1/statuses/\(root)/mute", as: "mika")
    #expect(try muted.json["muted"] == true)
    try await answer("@mika two", by: "noor")
    _ = try await bench.post("/api/v1/statuses/\(root)/favourite", as: "noor")
    #expect(try await told() == 1)
    try await answer("@noor three", by: "ida")
    #expect(try await bench.get("/api/v1/notifications", as: "noor").list().count == 1)
    let loud = try await bench.post("/api/v1/statuses/\(root)/unmute", as: "mika")
    #expect(try loud.json["muted"] == false)
    try await answer("@mika four", by: "noor")
    #expect(try await told() == 2)
  }
}
