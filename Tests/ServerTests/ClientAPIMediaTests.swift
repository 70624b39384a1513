import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct `The client API on pictures` {
  @Test func `an upload is described, posted and drawn with its preview`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let answer = try await bench.upload("human", as: "mika", description: "a harbour", focus: "0.5,-0.25")
    #expect(answer.status == .ok)
    let media = try answer.json
    let id = try #require(media["id"]?.string)
    #expect(media["type"] == "image")
    #expect(media["description"] == "a harbour")
    #expect(media["meta"]?["focus"]?["x"]?.double == 0.5)
    #expect(media["meta"]?["original"]?["width"] == 3_000)
    // There is no medium rendition: the next larger one stands in.
    #expect(media["preview_url"] == media["url"])
    #expect(media["ai_assessment"]?["verdict"] == "none")
    #expect(media["ai_assessment"]?["score"] == .null)
    #expect(media["ai_assessment"]?["appeal_url"] == .null)
    #expect(media["usage_policy"]?["generativeTraining"] == "disallow")
    #expect(media["renditions"]?.array?.count == 2)
    let changed = try await bench.post("/api/v1/media/\(id)", as: "mika", ["description": "a port"], method: .put)
    #expect(try changed.text("description") == "a port")
    #expect(try await bench.get("/api/v1/media/\(id)", as: "mika").status == .ok)
    let post = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x", "media_ids[]": id]).json
    #expect(post["media_attachments"]?.array?.first?["description"] == "a port")
    let late = try await bench.post("/api/v1/media/\(id)", as: "mika", ["description": "z"], method: .put)
    #expect(late.status == .unprocessableContent)
    let status = try #require(post["id"]?.string)
    let edit: JSON = [
      "status": "y", "media_ids": [.string(id)],
      "media_attributes": [["id": .string(id), "description": "a quay"]],
    ]
    let edited = try await bench.request(
      .put, "/api/v1/statuses/\(status)", as: "mika", type: "application/json", body: edit.bytes)
    #expect(try edited.json["media_attachments"]?.array?.first?["description"] == "a quay")
    let kept = try await bench.post("/api/v1/statuses/\(status)", as: "mika", ["status": "w"], method: .put)
    #expect(try kept.json["media_attachments"]?.array?.count == 1)
  }

  /// Case E111.
  @Test func `pictures of others can not be read, described or posted`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("eve")
    let id = try #require(try await bench.upload("human", as: "mika").text("id"))
    #expect(try await bench.get("/api/v1/media/\(id)", as: "eve").status == .notFound)
    #expect(
      try await bench.post("/api/v1/media/\(id)", as: "eve", ["description": "x"], method: .put).status == .notFound)
    let stolen = try await bench.post("/api/v1/statuses", as: "eve", ["status": "x", "media_ids[]": id])
    #expect(stolen.status == .unprocessableContent)
    #expect(try stolen.text("reason") == "media.not_found")
  }

  @Test func `a refused upload answers with reasons and the way to object`() async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    let answer = try await bench.upload("generated", as: "mika")
    #expect(answer.status == .unprocessableContent)
    #expect(try answer.text("reason") == "media.refused")
    #expect(try answer.json["reasons"]?.array?.first?["code"] == "evidence.conclusive")
    #expect(try answer.json["ai_assessment"]?["score"]?.double == 1)
    #expect(try answer.json["ai_assessment"]?["evidence"]?.array?.first?["text"] == "The file says so.")
    let id = try #require(try answer.text("id"))
    #expect(try answer.text("appeal") == "https://paper.test/appeals/new?work=\(id)")
    let used = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x", "media_ids[]": id])
    #expect(try used.text("reason") == "media.refused")
    let broken = try await bench.upload("broken", as: "mika")
    #expect(broken.status == .unprocessableContent)
    #expect(try broken.text("reason") == "image.undecodable")
    #expect(try await bench.post("/api/v2/media", as: "mika").status == .unprocessableContent)
    #expect(try await bench.upload("human", as: "mika", focus: "nan,1").status == .unprocessableContent)
    #expect(
      try await bench.upload("human", as: "mika", description: String(repeating: "x", count: 2_001)).status
        == .unprocessableContent)
  }

  @Test func `a held post is shown to its author alone, with the reason and the way to object`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    try await bench.member("nora")
    let media = try await bench.upload("likely", as: "mika", description: "a cat")
    #expect(media.status == .ok)
    let picture = try #require(try media.text("id"))
    #expect(try media.text("description") == "a cat")
    #expect(try media.text("url") == "https://paper.test/assets/placeholder-held.png")
    let post = try await bench.post("/api/v1/statuses", as: "mika", ["status": "x", "media_ids[]": picture]).json
    let id = try #require(post["id"]?.string)
    let held = post["held"]?["pictures"]?.array?.first
    #expect(held?["reasons"]?.array?.first?["code"] == "evidence.strong")
    #expect(held?["appeal_url"]?.string == "https://paper.test/appeals/new?work=\(picture)")
    let drawn = post["media_attachments"]?.array?.first
    #expect(drawn?["preview_url"] == "https://paper.test/assets/placeholder-held.png")
    let description = try #require(drawn?["description"]?.string)
    #expect(description.contains("strong evidence"))
    #expect(description.contains("/appeals/new?work="))
    #expect(drawn?["renditions"]?.array?.isEmpty == true)
    #expect(try await bench.get("/api/v1/statuses/\(id)", as: "mika").status == .ok)
    #expect(try await bench.get("/api/v1/statuses/\(id)", as: "nora").status == .notFound)
    try await bench.member("mod", role: .moderator)
    let looked = try await bench.get("/api/v1/statuses/\(id)", as: "mod").json["media_attachments"]?.array?.first
    #expect(looked?["url"]?.string?.hasPrefix("https://paper.test/media/") == true)
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/statuses").list().isEmpty)
    // A client that edits sends the placeholder's words back; they must not become the artist's.
    let edit: JSON = [
      "status": "y", "media_attributes": [["id": .string(picture), "description": .string(description)]],
    ]
    _ = try await bench.request(
      .put, "/api/v1/statuses/\(id)", as: "mika", type: "application/json", body: edit.bytes)
    let key = try #require(Model.Attachment.ID(picture))
    #expect(try await bench.database.read { try $0.attachment(key) }?.altText == "a cat")
    let kinds = try await bench.get("/api/v1/notifications", as: "mika").list()
    #expect(kinds.isEmpty)
    let asked = try await bench.get("/api/v1/notifications?types[]=atelier.decision", as: "mika").list()
    #expect(asked.first?["type"] == "atelier.decision")
  }

  @Test(arguments: [
    ("held", Model.Attachment.State.held), ("refused", .refused), ("failed", .failed), ("waiting", .waiting),
  ])
  func `a placeholder stands for a remote picture, and moderators see what is held`(
    name: String, state: Model.Attachment.State
  ) async throws {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    try await bench.member("mod", role: .moderator)
    let nora = try await bench.stranger("nora", on: "ink.test")
    let context = bench.context
    let uri = try #require(IRI("https://ink.test/posts/1"))
    let post = try await bench.database.write { tx in
      let post = Post(
        id: context.ids.next(), uri: uri, url: uri, authorID: nora.id, content: "<p>x</p>", visibility: .everyone,
        createdAt: context.now, isLocal: false)
      try tx.insert(post)
      var picture = Model.Attachment(
        id: context.ids.next(), ownerID: nora.id, postID: post.id, state: state, altText: "a cat",
        createdAt: context.now)
      picture.failure = state == .failed ? "image.truncated" : nil
      try tx.insert(picture)
      if state == .held {
        let digest = try #require(Digest(String(repeating: "a", count: 64)))
        try tx.replaceRenditions(
          of: picture.id,
          with: [
            Rendition(
              attachmentID: picture.id, kind: .medium, digest: digest, mediaType: "image/webp", width: 6, height: 4,
              size: 1)
          ])
      }
      return post
    }
    let drawn = try await bench.get("/api/v1/statuses/\(post.id)", as: "mika").json["media_attachments"]?.array?.first
    #expect(drawn?["url"]?.string == "https://paper.test/assets/placeholder-\(name).png")
    #expect(drawn?["type"] == "image")
    #expect(drawn?["description"]?.string?.contains("a cat") == true)
    let seen = try await bench.get("/api/v1/statuses/\(post.id)", as: "mod").json["media_attachments"]?.array?.first
    #expect((seen?["url"]?.string?.contains("/media/") == true) == (state == .held))
  }
}
