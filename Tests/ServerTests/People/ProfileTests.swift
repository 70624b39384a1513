import Federation
import Foundation
import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import TestSupport
import Testing

@Suite struct ProfileTests {
  private func multipart(_ parts: [(head: String, content: String)]) -> [UInt8] {
    var body = ""
    for part in parts {
      body += "--edge\r\nContent-Disposition: form-data; \(part.head)\r\n"
      if part.head.contains("filename") { body += "Content-Type: image/png\r\n" }
      body += "\r\n\(part.content)\r\n"
    }
    return Array((body + "--edge--\r\n").utf8)
  }

  // MARK: - The client API

  @Test func `A8 a profile is changed by multipart, form and JSON, and read back as typed`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    let path = "/api/v1/accounts/update_credentials"
    let sent = try await bench.request(
      .patch, path, as: "mika", type: "multipart/form-data; boundary=edge",
      body: multipart([
        ("name=\"display_name\"", "Mika Tan"), ("name=\"note\"", "I draw. #ink"),
        ("name=\"avatar\"; filename=\"a.png\"", "my face"), ("name=\"header\"; filename=\"b.png\"", "my wall"),
        ("name=\"fields_attributes[0][name]\"", "Site"),
        ("name=\"fields_attributes[0][value]\"", "https://mika.example/"),
        ("name=\"fields_attributes[1][name]\"", "Pronouns"), ("name=\"fields_attributes[1][value]\"", "they"),
        ("name=\"locked\"", "true"), ("name=\"bot\"", "1"), ("name=\"indexable\"", "on"),
        ("name=\"source[privacy]\"", "unlisted"), ("name=\"source[sensitive]\"", "true"),
        ("name=\"source[language]\"", "ja"),
      ]))
    #expect(sent.status == .ok, "\(String(decoding: sent.body, as: UTF8.self))")
    let account = try sent.json
    #expect(account["display_name"]?.string == "Mika Tan")
    #expect(account["note"]?.string?.contains("href=\"https://paper.test/tags/ink\"") == true)
    #expect(account["avatar"]?.string?.hasPrefix("https://paper.test/media/") == true)
    #expect(account["avatar"] == account["avatar_static"] && account["header"] == account["header_static"])
    #expect(account["avatar"] != account["header"])
    #expect(account["locked"]?.bool == true && account["bot"]?.bool == true && account["indexable"]?.bool == true)
    let site = try #require(account["fields"]?.array?.first?["value"]?.string)
    #expect(site.contains("rel=\"me ") && site.contains("href=\"https://mika.example/\""))
    #expect(account["source"]?["fields"]?.array?.first?["value"]?.string == "https://mika.example/")
    #expect(account["source"]?["note"]?.string == "I draw. #ink")
    #expect(account["source"]?["privacy"]?.string == "unlisted" && account["source"]?["language"]?.string == "ja")
    // What the defaults say is what a post becomes.
    let post = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x"]).json
    #expect(post["visibility"]?.string == "unlisted" && post["sensitive"]?.bool == true)
    #expect(post["language"]?.string == "ja")
    // JSON, a list of objects; what is not named stays.
    let json: JSON = [
      "fields_attributes": [["name": "Only", "value": "one"]], "discoverable": false,
      "attribution_domains": ["Magazine.example"],
    ]
    let second = try await bench.request(.patch, path, as: "mika", type: "application/json", body: json.bytes).json
    #expect(second["fields"]?.array?.compactMap { $0["name"]?.string } == ["Only"])
    #expect(second["display_name"]?.string == "Mika Tan" && second["discoverable"]?.bool == false)
    #expect(second["source"]?["attribution_domains"]?.array?.compactMap(\.string) == ["magazine.example"])
    // The form without numbers, as toot sends it.
    let third = try await bench.post(
      path, as: "mika",
      [
        "fields_attributes[][name]": "A", "fields_attributes[][value]": "1", "fields_attributes[][name]": "B",
        "fields_attributes[][value]": "2",
      ], method: .patch
    ).json
    #expect(
      third["fields"]?.array?.map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? "")" } == ["A=1", "B=2"])
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)").json["fields"] == third["fields"])
  }

  @Test func `A8 a field holds no script and no more than fits, and a wrong value changes nothing`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let path = "/api/v1/accounts/update_credentials"
    let hostile = try await bench.post(
      path, as: "mika",
      [
        "fields_attributes[0][name]": "<b>x</b>",
        "fields_attributes[0][value]": "<script>alert(1)</script> javascript:alert(1)",
      ], method: .patch
    ).json
    let value = try #require(hostile["fields"]?.array?.first?["value"]?.string)
    #expect(!value.contains("<script") && !value.contains("href=\"javascript"))
    let before = try await bench.get("/api/v1/accounts/verify_credentials", as: "mika").json
    let wrong: [KeyValuePairs<String, String>] = [
      ["display_name": String(repeating: "x", count: 61)], ["note": String(repeating: "x", count: 2_001)],
      ["source[privacy]": "everybody"], ["source[language]": "<br>"], ["attribution_domains[]": "not a host"],
      ["fields_attributes[0][name]": String(repeating: "x", count: 256), "fields_attributes[0][value]": "1"],
    ]
    for form in wrong {
      let answer = try await bench.post(path, as: "mika", form, method: .patch)
      #expect(answer.status == .unprocessableContent, "\(form)")
    }
    var many: JSON = []
    many = .array((0..<7).map { ["name": .string("\($0)"), "value": "x"] })
    let seven = try await bench.request(
      .patch, path, as: "mika", type: "application/json", body: (["fields_attributes": many] as JSON).bytes)
    #expect(seven.status == .unprocessableContent)
    #expect(try await bench.get("/api/v1/accounts/verify_credentials", as: "mika").json == before)
    #expect(try await bench.post(path, as: nil, ["display_name": "x"], method: .patch).status == .unauthorized)
  }

  @Test func `A8 the profile of the 4_6 line answers, and its pictures go away alone`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let empty = try await bench.get("/api/v1/profile", as: "mika").json
    #expect(empty["avatar"] == .null && empty["fields"]?.array == [])
    let changed = try await bench.request(
      .patch, "/api/v1/profile", as: "mika", type: "multipart/form-data; boundary=edge",
      body: multipart([
        ("name=\"avatar\"; filename=\"a.png\"", "one"), ("name=\"header\"; filename=\"b.png\"", "two"),
        ("name=\"note\"", "Raw *text*"),
      ])
    ).json
    #expect(changed["note"]?.string == "Raw *text*" && changed["avatar"]?.string != nil)
    let after = try await bench.request(.delete, "/api/v1/profile/avatar", as: "mika")
    #expect(after.status == .ok)
    // Never null where every client reads it.
    #expect(try after.json["avatar"]?.string?.hasSuffix("/api/atelier/v1/avatar.png") == true)
    #expect(try after.json["header"]?.string?.contains("/media/") == true)
    let broken = try await bench.request(
      .patch, "/api/v1/profile", as: "mika", type: "multipart/form-data; boundary=edge",
      body: multipart([("name=\"avatar\"; filename=\"a.png\"", "broken"), ("name=\"note\"", "new")]))
    #expect(broken.status == .unprocessableContent)
    #expect(try await bench.get("/api/v1/profile", as: "mika").json["note"]?.string == "Raw *text*")
  }

  @Test func `A10 tags are featured, counted as text, suggested and taken away`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    _ = try await bench.publish("#Ink and #oil", as: "mika")
    _ = try await bench.publish("#ink", as: "mika", "private")
    let suggested = try await bench.get("/api/v1/featured_tags/suggestions", as: "mika").list()
    #expect(Set(suggested.compactMap { $0["name"]?.string }) == ["ink", "oil"])
    let made = try await bench.post("/api/v1/featured_tags", as: "mika", ["name": "#Ink"]).json
    #expect(made["name"]?.string == "Ink" && made["statuses_count"]?.string == "1")
    #expect(made["last_status_at"]?.string?.count == 10)
    #expect(try await bench.post("/api/v1/featured_tags", as: "mika", ["name": "ink"]).json["id"] == made["id"])
    for bad in ["", "two words", "<i>"] {
      #expect(
        try await bench.post("/api/v1/featured_tags", as: "mika", ["name": bad]).status == .unprocessableContent)
    }
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/featured_tags").list().count == 1)
    let id = try #require(made["id"]?.string)
    try await bench.member("ines")
    #expect(try await bench.request(.delete, "/api/v1/featured_tags/\(id)", as: "ines").status == .notFound)
    #expect(try await bench.request(.delete, "/api/v1/featured_tags/\(id)", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/featured_tags", as: "mika").list().isEmpty)
  }

  // MARK: - Federation

  @Test func `A1 an actor has every member a peer reads, and A8 its fields as PropertyValue`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test")
    try await house.follow(ada)
    var change = ProfileChange()
    let digest = try #require(Digest(rawValue: String(repeating: "a", count: 64)))
    change.avatar = Portrait(digest: digest, mediaType: "image/png")
    change.header = Portrait(digest: digest, mediaType: "image/jpeg")
    change.note = "I draw."
    change.fields = [ProfileField(name: "Site", value: "https://mika.example/")]
    change.isIndexable = true
    change.attributionDomains = ["magazine.example"]
    let (wanted, context) = (change, house.context)
    let mika = try await house.database.write { [id = house.mika.id] tx in
      try tx.changeProfile(of: id, by: wanted, in: context)
    }
    let json = try JSON(parsing: try await house.composer.actor(mika).bytes)
    for name in [
      "id", "type", "inbox", "outbox", "followers", "following", "preferredUsername", "url", "name", "summary", "icon",
      "image", "published", "endpoints", "publicKey", "manuallyApprovesFollowers", "discoverable", "indexable",
      "featured", "featuredTags", "assertionMethod", "webfinger",
    ] {
      #expect(json[name] != nil, "\(name)")
    }
    #expect(json["endpoints"]?["sharedInbox"]?.string == "https://atelier.test/inbox")
    #expect(json["icon"]?["url"]?.string == "https://atelier.test/media/\(digest).png")
    #expect(json["icon"]?["mediaType"]?.string == "image/png" && json["image"]?["mediaType"]?.string == "image/jpeg")
    let field = try #require(json["attachment"]?.array?.first)
    #expect(field["type"]?.string == "PropertyValue" && field["name"]?.string == "Site")
    #expect(field["value"]?.string?.contains("rel=\"me ") == true)
    #expect(json["attributionDomains"]?.array?.compactMap(\.string) == ["magazine.example"])
    #expect(json["webfinger"]?.string == "mika@atelier.test", "A7")
    // A3: one origin for all that decides.
    for address in [json["id"], json["inbox"], json["publicKey"]?["id"], json["endpoints"]?["sharedInbox"]] {
      #expect(address?.string?.hasPrefix("https://atelier.test/") == true)
    }
    try await house.federate()
    let sent = try await house.outstanding()
    #expect(sent.map { $0.body["type"]?.string } == ["Update"])
    #expect(sent.first?.body["object"]?["icon"]?["url"]?.string == json["icon"]?["url"]?.string)
    // What changes nothing is told to nobody.
    _ = try await house.database.write { [id = mika.id] tx in try tx.changeProfile(of: id, by: wanted, in: context) }
    try await house.federate()
    #expect(try await house.outstanding().count == 1)
  }

  @Test func `A10 what a remote profile says of aliases, domains, memory and tags is kept and A13 absent is no`()
    async throws
  {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let plain = try await world.federation.actors.account(bob.uri, budget: FetchBudget())
    #expect(!plain.isIndexable && !plain.isDiscoverable)
    #expect(plain.details == AccountDetails())
    var document = bob.document
    document["alsoKnownAs"] = ["https://old.test/users/bob"]
    document["attributionDomains"] = ["magazine.example", "not a host"]
    document["memorial"] = true
    document["featuredTags"] = "https://victim.test/users/bob/collections/tags"
    document["indexable"] = true
    document["icon"] = ["type": "Image", "url": "https://victim.test/a.png"]
    world.peers.put(bob.uri.text, document)
    let update = bob.activity("Update", "1", object: .string(bob.uri.text))
    #expect(try await world.deliver(update, by: bob) == "done")
    let after = try #require(try await world.database.read { try $0.account(plain.id) })
    #expect(after.details.aliases.map(\.text) == ["https://old.test/users/bob"])
    #expect(after.details.attributionDomains == ["magazine.example"])
    #expect(after.details.isMemorial && after.isIndexable)
    #expect(after.details.featuredTags?.text == "https://victim.test/users/bob/collections/tags")
    #expect(
      try await world.database.read {
        try $0.rows("SELECT 1 AS n FROM jobs WHERE dedup_key = \("portraits \(plain.id)")").count
      } == 1)
    await world.close()
  }

  // MARK: - Pages

  @Test func `A8 an artist changes everything on one page without a script`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let browser = WebBrowser(world)
    #expect(try await browser.get("/settings/profile").header("location") == "/login")
    try await browser.signIn(as: "mika")
    let form = try await browser.get("/settings/profile")
    #expect(form.status == 200)
    let saved = try await browser.portrait(
      "/settings/profile",
      [
        "token": form.token, "display_name": "Mika \"Tan\"", "note": "I draw.", "fields_attributes[0][name]": "Site",
        "fields_attributes[0][value]": "https://mika.example/", "discoverable": "1", "domains": "magazine.example\r\n",
      ], avatar: Array("face".utf8))
    #expect(saved.status == 303 && saved.header("location") == "/settings/profile?saved=1")
    let page = try await browser.get("/@mika").text
    #expect(page.contains("Mika &quot;Tan&quot;") && page.contains("rel=\"me "))
    let source = try #require(page.range(of: "portrait u-photo\" src=\""))
    let path = String(page[source.upperBound...].prefix { $0 != "\"" })
    let file = try await world.answer(.get, path)
    #expect(file.status == 200 && file.body == Array("face".utf8))
    #expect(file.header("x-robots-tag") == "noai, noimageai" && file.header("tdm-reservation") == "1")
    #expect(file.header("x-content-type-options") == "nosniff")
    let again = try await browser.get("/settings/profile")
    #expect(again.text.contains("value=\"https://mika.example/\"") && again.text.contains("magazine.example"))
    let long = try await browser.portrait(
      "/settings/profile", ["token": again.token, "display_name": String(repeating: "x", count: 99)], avatar: nil)
    #expect(long.status == 422 && long.text.contains("at most 60 characters"))
    let gone = try await browser.portrait(
      "/settings/profile", ["token": again.token, "display_name": "Mika", "no_avatar": "1"], avatar: nil)
    #expect(gone.status == 303)
    #expect(try await world.answer(.get, path).status == 404)
    let tag = try await browser.post("/settings/profile/tags", ["token": again.token, "name": "ink"])
    #expect(tag.status == 303)
    #expect(try await browser.get("/settings/profile").text.contains("#ink"))
    try await world.close()
  }

  // MARK: - Through the worker

  @Test
  func `J228 a portrait is made anew, small and bare of what the file said, and the copy of a peer's says its policy`()
    async throws
  {
    try await Pair.with { pair in
      try await pair.meet()
      let exif = try CasePicture.make("jpeg_exif")
      let answer = try await pair.paper.portrait(exif, as: pair.alice)
      #expect(answer.status == 200, "\(answer.text)")
      let address = try #require(answer.json?["avatar"]?.string.flatMap { IRI($0) })
      let file = try await pair.paper.client.request("GET", address.pathAndQuery, host: "paper.test")
      #expect(file.status == 200 && file["content-type"] == "image/jpeg")
      #expect(!String(decoding: file.body, as: UTF8.self).contains("Exif\0\0"))
      #expect(file["tdm-reservation"] == "1")
      // The other server shows its own copy, with the author's word on it.
      let uri = pair.alice.account.uri
      let copied = try await pair.canvas.eventually { tx -> Account? in
        guard let alice = try tx.account(uri: uri), alice.avatar != nil else { return nil }
        return alice
      }
      let alice = try #require(copied)
      let shown = try await pair.canvas.api("GET", "/api/v1/accounts/\(alice.id)", as: pair.berta)
      let copy = try #require(shown.json?["avatar"]?.string.flatMap { IRI($0) })
      #expect(copy.host.text == "canvas.test")
      let there = try await pair.canvas.client.request("GET", copy.pathAndQuery, host: "canvas.test")
      #expect(there.status == 200 && there["x-robots-tag"]?.contains("noai") == true)
      #expect(there["tdm-reservation"] == "1")
    }
  }
}

extension WebBrowser {
  /// A form with a portrait, as a browser sends it: a field without a file is an empty one.
  func portrait(_ path: String, _ form: [String: String], avatar: [UInt8]?) async throws -> WebAnswer {
    var body: [UInt8] = []
    for (name, value) in form {
      body += Array("--edge\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }
    for (name, bytes) in [("avatar", avatar ?? []), ("header", [])] {
      let file = bytes.isEmpty ? "" : "a.jpg"
      body += Array(
        "--edge\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(file)\"\r\nContent-Type: image/jpeg\r\n\r\n"
          .utf8)
      body += bytes + Array("\r\n".utf8)
    }
    return try await send(path, type: "multipart/form-data; boundary=edge", body + Array("--edge--\r\n".utf8))
  }
}

extension TestInstance {
  /// `PATCH update_credentials` with a portrait.
  func portrait(
    _ bytes: [UInt8], as resident: Resident, place: String = "avatar", type: String? = nil
  ) async throws -> WireAnswer {
    let head =
      "--edge\r\nContent-Disposition: form-data; name=\"\(place)\"; filename=\"a\"\r\n"
      + "Content-Type: \(type ?? CasePicture.type(of: bytes) ?? "image/png")\r\n\r\n"
    return try await client.request(
      "PATCH", "/api/v1/accounts/update_credentials", host: host,
      headers: [
        ("Authorization", "Bearer \(resident.token)"), ("Content-Type", "multipart/form-data; boundary=edge"),
      ], body: Array(head.utf8) + bytes + Array("\r\n--edge--\r\n".utf8))
  }
}
