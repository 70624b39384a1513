import Federation
import Foundation
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct ReportTests {
  @Test func `D13 a report reaches the moderators with what its reporter could see`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    try await bench.member("ines")
    try await bench.database.write { try $0.changeRules(to: " No machines \n\nBe kind\n") }
    let post = try await bench.publish("a work", as: "mika")
    let hidden = try await bench.publish("hidden", as: "mika", "private")
    let other = try await bench.publish("of ines", as: "ines")
    let answer = try await bench.request(
      .post, "/api/v1/reports", as: "ines", type: "application/json",
      body: ([
        "account_id": .string(mika.id.description),
        "status_ids": [.string(post), .string(hidden), .string(other)], "comment": "Look at this",
        "category": "violation", "rule_ids": ["2", "9"], "forward": true,
      ] as JSON).bytes)
    #expect(answer.status == .ok, "\(String(decoding: answer.body, as: UTF8.self))")
    let report = try answer.json
    #expect(report["status_ids"]?.array == [.string(post)])
    #expect(report["category"]?.string == "violation" && report["comment"]?.string == "Look at this")
    #expect(report["forwarded"]?.bool == false, "mika's server is this one")
    #expect(report["action_taken"]?.bool == false)
    #expect(report["target_account"]?["id"]?.string == mika.id.description)
    let stored = try await bench.database.read { try $0.reports(resolved: false, Page(limit: 5)) }
    #expect(stored.map(\.rules) == [["Be kind"]])
    let rules = try await bench.get("/api/v1/instance/rules").list()
    #expect(rules.map { $0["text"]?.string } == ["No machines", "Be kind"] && rules.first?["id"]?.string == "1")
    #expect(try await bench.get("/api/v2/instance").json["rules"]?.array == rules)
    let own = try await bench.post("/api/v1/reports", as: "mika", ["account_id": mika.id.description])
    #expect(own.status == .unprocessableContent)
    let nobody = try await bench.post("/api/v1/reports", as: "ines", ["account_id": "1"])
    #expect(nobody.status == .notFound)
    let long = try await bench.post(
      "/api/v1/reports", as: "ines",
      ["account_id": mika.id.description, "comment": String(repeating: "x", count: 1_001)])
    #expect(long.status == .unprocessableContent)
    var last = HTTPResponse.Status.ok
    for _ in 0..<20 {
      last = try await bench.post("/api/v1/reports", as: "ines", ["account_id": mika.id.description]).status
    }
    #expect(last == .tooManyRequests)
  }

  @Test func `D13 a Flag leaves only when its reporter asks, from the server itself and without a name`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test")
    let uri = try #require(IRI("https://paper.test/posts/1"))
    let post = Post(
      id: house.context.ids.next(), uri: uri, url: uri, authorID: ada.id, content: "<p>x</p>", visibility: .everyone,
      createdAt: house.context.now, isLocal: false)
    let context = house.context
    var draft = ReportDraft()
    draft.posts = [post.id]
    draft.comment = "This is not theirs."
    let quiet = draft
    draft.forwards = true
    let loud = draft
    try await house.database.write { [mika = house.mika] tx in
      try tx.insert(post)
      _ = try tx.report(ada, quiet, by: mika, in: context)
    }
    try await house.federate()
    #expect(try await house.outstanding().isEmpty)
    let report = try await house.database.write { [mika = house.mika] tx in
      try tx.report(ada, loud, by: mika, in: context)
    }
    try await house.federate()
    let sent = try await house.outstanding()
    #expect(report.isForwarded && sent.map(\.inbox) == [ada.inbox])
    let flag = try #require(sent.first?.body)
    #expect(flag["type"]?.string == "Flag" && flag["actor"]?.string == "https://atelier.test/actor")
    #expect(flag["object"]?.array?.compactMap(\.string) == [ada.uri.text, uri.text])
    #expect(flag["content"]?.string == "This is not theirs.")
    #expect(!String(decoding: flag.bytes, as: UTF8.self).contains("mika"))
    #expect(flag["proof"] == nil)
  }

  @Test func `D13 and D4 a Flag from elsewhere becomes a report of a host, bounded and told once`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let context = world.environment.context
    let post = try await world.database.write { tx in
      try tx.publish(PostDraft(text: "x", content: "<p>x</p>"), by: world.mika, in: context)
    }
    world.peers.forget()
    var flag = bob.activity("Flag", "1", object: [.string(world.mika.uri.text), .string(post.uri.text)])
    flag["content"] = "<b>Generated</b><script>x</script>, says somebody"
    #expect(try await world.deliver(flag, by: bob) == "done")
    let reports = try await world.database.read { try $0.reports(resolved: false, Page(limit: 9)) }
    let report = try #require(reports.first)
    #expect(report.reporterID == nil && report.origin == "victim.test" && report.targetID == world.mika.id)
    #expect(report.comment.contains("Generated") && !report.comment.contains("<"))
    #expect(try await world.database.read { try $0.posts(in: [report.id])[report.id]?.map(\.id) } == [post.id])
    let stranger = bob.activity("Flag", "2", object: ["https://our.example/users/nobody"])
    #expect(try await world.deliver(stranger, by: bob) == "done object.unknown")
    for number in 0..<Limits.openReportsPerHost {
      _ = try await world.send(bob.activity("Flag", "n\(number)", object: .string(world.mika.uri.text)), by: bob)
    }
    try await world.work()
    #expect(try await world.count("reports") == Limits.openReportsPerHost)
    let late = bob.activity("Flag", "late", object: .string(world.mika.uri.text))
    #expect(try await world.deliver(late, by: bob) == "rejected flag.too_many")
    await world.close()
  }

  @Test func `D13 moderators read and settle reports on a page, and artists do not`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    _ = try await world.person("ines")
    _ = try await world.person("ada", role: .admin)
    let post = try await world.post(by: mika, text: "Evening", pictures: [try await world.picture(of: mika)])
    let reporter = WebBrowser(world)
    try await reporter.signIn(as: "ines")
    #expect(try await reporter.get("/@mika/\(post.id)").text.contains("/reports/new?work=\(post.id)"))
    let form = try await reporter.get("/reports/new?work=\(post.id)")
    #expect(form.status == 200 && form.text.contains("Evening"))
    let sent = try await reporter.post(
      "/reports/new",
      ["token": form.token, "work": post.id.description, "category": "spam", "comment": "<i>look</i>"])
    #expect(sent.status == 200 && sent.text.contains("have your report"))
    #expect(try await reporter.get("/moderation/reports").status == 403)
    #expect(try await reporter.post("/moderation/reports", ["token": form.token, "act": "resolve"]).status == 403)
    let staff = WebBrowser(world, address: "192.0.2.9")
    try await staff.signIn(as: "ada")
    #expect(try await staff.get("/moderation").text.contains("Reports (1)"))
    let page = try await staff.get("/moderation/reports")
    #expect(page.text.contains("&lt;i&gt;look&lt;/i&gt;") && page.text.contains("@ines@atelier.test"))
    let id = try #require(try await world.database.read { try $0.reports(resolved: false, Page(limit: 1)).first?.id })
    let settled = try await staff.post(
      "/moderation/reports", ["token": page.token, "report": id.description, "act": "resolve"])
    #expect(settled.status == 303)
    #expect(try await staff.get("/moderation/reports").text.contains("Nothing was reported."))
    #expect(try await staff.get("/moderation/reports?resolved=1").text.contains("Settled"))
    let rules = try await staff.get("/moderation/rules")
    #expect(
      try await staff.post("/moderation/rules", ["token": rules.token, "rules": "No machines\r\nBe kind"]).status == 303
    )
    #expect(try await staff.get("/about").text.contains("<li>No machines</li><li>Be kind</li>"))
    #expect(try await reporter.get("/moderation/rules").status == 403)
    try await world.close()
  }
}
