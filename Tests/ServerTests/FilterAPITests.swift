import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `Filters in the client API` {
  private func made(_ bench: ClientAPIBench, _ word: String, whole: Bool = true) async throws -> String {
    let answer = try await bench.post(
      "/api/v2/filters", as: "mika",
      [
        "title": "Spiders", "context[]": "home", "filter_action": "blur", "keywords_attributes[][keyword]": word,
        "keywords_attributes[][whole_word]": whole ? "true" : "false",
      ])
    #expect(answer.status == .ok)
    return try #require(try answer.text("id"))
  }

  @Test func `a post says which filters it meets, in whole words, pictures and boosts too`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    _ = try await made(bench, "Tarantula")
    let meets = try await bench.publish("one TARANTULA.", as: "nora")
    let misses = try await bench.publish("many tarantulas", as: "nora")
    let own = try await bench.publish("my tarantula", as: "mika")
    let picture = try await bench.upload("ink", as: "nora", description: "a tarantula in ink")
    let shown = try await bench.post(
      "/api/v1/statuses", as: "nora", ["status": "see", "media_ids[]": try #require(try picture.text("id"))])
    let boost = try await bench.post("/api/v1/statuses/\(meets)/reblog", as: "nora").json
    func filtered(_ id: String, as name: String = "mika") async throws -> [JSON] {
      try await bench.get("/api/v1/statuses/\(id)", as: name).json["filtered"]?.array ?? []
    }
    let found = try #require(try await filtered(meets).first)
    #expect(found["keyword_matches"] == ["Tarantula"])
    #expect(found["status_matches"] == [])
    #expect(found["filter"]?["filter_action"] == "blur")
    #expect(found["filter"]?["context"] == ["home"])
    #expect(try await filtered(misses).isEmpty)
    #expect(try await filtered(own).isEmpty, "nobody's own words are kept from them")
    #expect(try await filtered(try #require(try shown.text("id"))).count == 1)
    #expect(try await filtered(try #require(boost["id"]?.string)).count == 1)
    #expect(try await filtered(meets, as: "nora").isEmpty)
    #expect(try await bench.get("/api/v1/statuses/\(meets)").json["filtered"] == nil)
  }

  @Test func `keywords and single posts come and go, and another person's are not there`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("nora")
    let id = try await made(bench, "web")
    let post = try await bench.publish("nothing of the kind", as: "nora")
    let entry = try await bench.post("/api/v2/filters/\(id)/statuses", as: "mika", ["status_id": post]).json
    #expect(entry["status_id"]?.string == post)
    let status = try await bench.get("/api/v1/statuses/\(post)", as: "mika").json
    #expect(status["filtered"]?.array?.first?["status_matches"] == [.string(post)])
    let keyword = try await bench.post(
      "/api/v2/filters/\(id)/keywords", as: "mika", ["keyword": "leg", "whole_word": "false"]
    ).json
    let word = try #require(keyword["id"]?.string)
    #expect(try await bench.get("/api/v2/filters/\(id)/keywords", as: "mika").list().count == 2)
    let changed = try await bench.post(
      "/api/v2/filters/\(id)", as: "mika",
      ["title": "Legs", "keywords_attributes[0][id]": word, "keywords_attributes[0][_destroy]": "true"], method: .put)
    #expect(try changed.json["keywords"]?.array?.count == 1)
    #expect(try changed.text("title") == "Legs")
    let old = try await bench.get("/api/v1/filters", as: "mika").list()
    #expect(old.map { $0["phrase"] } == ["web"])
    for path in ["/api/v2/filters/\(id)", "/api/v2/filters/statuses/\(entry["id"]?.string ?? "")"] {
      #expect(try await bench.get(path, as: "nora").status == .notFound)
      #expect(try await bench.request(.delete, path, as: "nora").status == .notFound)
    }
    #expect(try await bench.request(.delete, "/api/v2/filters/\(id)", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v2/filters", as: "mika").list() == [])
  }

  @Test(arguments: [
    ["title": "", "context[]": "home"], ["title": "a"], ["title": "a", "context[]": "everywhere"],
    ["title": "a", "context[]": "home", "filter_action": "burn"],
    ["title": "a", "context[]": "home", "keywords_attributes[][keyword]": " "],
    ["title": "a", "context[]": "home", "keywords_attributes[0][id]": "x"],
  ]) func `a filter that is none is refused and leaves nothing`(form: [String: String]) async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let text = form.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    let answer = try await bench.request(
      .post, "/api/v2/filters", as: "mika", type: "application/x-www-form-urlencoded", body: Array(text.utf8))
    #expect(answer.status == .unprocessableContent)
    #expect(try await bench.get("/api/v2/filters", as: "mika").list() == [])
  }

  @Test func `filters cost a page the same number of statements whatever its length`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    _ = try await made(bench, "ink", whole: false)
    for number in 0..<12 { _ = try await bench.publish("ink \(number)", as: "mika") }
    func statements(_ limit: Int) async throws -> Int {
      let before = bench.database.counters.statements
      #expect(try await bench.get("/api/v1/timelines/home?limit=\(limit)", as: "mika").list().count == limit)
      return bench.database.counters.statements - before
    }
    #expect(try await statements(2) == statements(12))
  }
}
