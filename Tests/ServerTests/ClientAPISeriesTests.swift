import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

@Suite struct `Series in the client API` {
  private func header(_ name: String, _ answer: ClientAPIBench.Answer) throws -> String? {
    answer.headers[try #require(HTTPField.Name(name))]
  }

  @Test func `a series is made, filled, ordered, changed and deleted by its artist`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    try await bench.member("nora")
    let made = try await bench.post("/api/atelier/v1/series", as: "mika", ["title": "Harbour", "description": "Dawn"])
    #expect(made.status == .ok)
    let id = try #require(try made.text("id"))
    let path = "/api/atelier/v1/series/\(id)"
    #expect(try made.text("url") == "https://paper.test/@mika/series/\(id)")
    var works: [String] = []
    for text in ["one", "two"] {
      let post = try await bench.post("/api/v1/statuses", as: "mika", ["status": text, "series_id": id])
      #expect(try post.text("series_id") == id)
      works.append(try #require(try post.text("id")))
    }
    let loose = try await bench.publish("three", as: "mika")
    #expect(try await bench.get("/api/v1/statuses/\(loose)").json["series_id"] == .null)
    let added = try await bench.post("\(path)/statuses", as: "mika", ["status_ids[]": loose])
    #expect(try added.json["statuses_count"]?.integer == 3)
    _ = try await bench.post("\(path)/order", as: "mika", ["status_ids[]": loose, "status_ids[]": works[1]])
    func order() async throws -> [String?] {
      try await bench.get("\(path)/statuses").list().map { $0["id"]?.string }
    }
    #expect(try await order() == [loose, works[1], works[0]])
    let second = try await bench.get("\(path)/statuses?limit=1&after_id=\(loose)").list()
    #expect(second.map { $0["id"]?.string } == [works[1]])
    for method in [HTTPRequest.Method.put, .delete] {
      #expect(try await bench.post(path, as: "nora", ["title": "Mine"], method: method).status == .notFound)
    }
    #expect(try await bench.post("\(path)/statuses", as: "nora", ["status_ids[]": loose]).status == .notFound)
    let renamed = try await bench.post(path, as: "mika", ["title": "Quay"], method: .put)
    #expect(try renamed.text("title") == "Quay" && renamed.text("description") == "Dawn")
    _ = try await bench.post("\(path)/statuses", as: "mika", ["status_ids[]": loose], method: .delete)
    #expect(try await order() == [works[1], works[0]])
    let all = try await bench.get("/api/atelier/v1/accounts/\(mika.id)/series").list()
    #expect(all.map { $0["title"]?.string } == ["Quay"])
    #expect(try await bench.post(path, as: "mika", method: .delete).status == .ok)
    #expect(try await bench.get(path).status == .notFound)
    #expect(try await bench.get("/api/v1/statuses/\(works[0])").status == .ok)
  }

  @Test func `an answer that shows one work says in its headers what that work says`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let open = try await bench.post("/api/v1/statuses", as: "mika", ["status": "open", "usage_policy": "open"])
    #expect(try header("content-usage", open) == "train-ai=y, search=y")
    let series = try await bench.post(
      "/api/atelier/v1/series", as: "mika", ["title": "Closed", "usage_policy": "research-only"])
    #expect(try header("tdm-reservation", series) == "1")
    let id = try #require(try series.text("id"))
    let post = try await bench.post("/api/v1/statuses", as: "mika", ["status": "silent", "series_id": id])
    #expect(try post.json["usage_policy"]?["dataMining"]?.string == "constrained")
    // A picture that is stricter than its post speaks for the answer too.
    let media = try await bench.upload("picture", as: "mika").text("id")
    let both = try await bench.post(
      "/api/v1/statuses", as: "mika",
      ["status": "both", "usage_policy": "open", "media_ids[]": try #require(media)])
    let shown = try await bench.get("/api/v1/statuses/\(try #require(try both.text("id")))")
    #expect(try header("content-usage", shown) == "train-ai=y, search=y")
    let list = try await bench.get("/api/v1/timelines/public?local=true")
    #expect(try header("content-usage", list) == "train-ai=n")
  }

  @Test func `a stranger is shown what was posted here, and of elsewhere nothing`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let ada = try await bench.stranger("ada", on: "ink.test")
    let context = bench.context
    let uri = try #require(IRI("https://ink.test/notes/1"))
    let far = Post(
      id: context.ids.next(), uri: uri, url: uri, authorID: ada.id, content: "<p>Far</p>", visibility: .everyone,
      createdAt: context.now, isLocal: false)
    try await bench.database.write { try $0.insert(far, tags: ["ink"]) }
    _ = try await bench.publish("near #ink", as: "mika")
    _ = try await bench.post("/api/v1/statuses/\(far.id)/reblog", as: "mika")
    for path in ["timelines/tag/ink", "accounts/\(ada.id)/statuses", "accounts/\(mika.id)/statuses"] {
      let stranger = try await bench.get("/api/v1/\(path)")
      #expect(stranger.status == .ok)
      #expect(!String(decoding: stranger.body, as: UTF8.self).contains("Far"), "\(path)")
      let member = try await bench.get("/api/v1/\(path)", as: "mika")
      #expect(String(decoding: member.body, as: UTF8.self).contains("Far"), "\(path)")
    }
    for path in ["", "/context", "/history", "/favourited_by", "/reblogged_by"].map({
      "/api/v1/statuses/\(far.id)\($0)"
    }) {
      #expect(try await bench.get(path).status == .notFound, "\(path)")
      #expect(try await bench.get(path, as: "mika").status == .ok, "\(path)")
    }
    #expect(try await bench.get("/api/v1/statuses?id[]=\(far.id)").list().isEmpty)
  }
}
