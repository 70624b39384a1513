import ClientAPI
import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

@testable import Web

/// Rows W8 and W9 of the federation table.
@Suite struct PreviewTests {
  @Test func `W8 the page of a work and of an artist leads to its document`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let post = try await world.post(by: mika, pictures: [try await world.picture(of: mika)])
    for (path, document) in [("/@mika", mika.uri), ("/@mika/\(post.id)", post.uri)] {
      let page = try await WebBrowser(world).get(path)
      #expect(
        page.text.contains("<link rel=\"alternate\" type=\"application/activity+json\" href=\"\(document.text)\">"))
      let asked = try await world.answer(.get, path, headers: [.accept: "application/activity+json"])
      #expect(asked.status == 303 && asked.header("location") == document.pathAndQuery)
      #expect(page.header("vary")?.contains("Accept") == true)
    }
    try await world.close()
  }

  @Test(arguments: [(UsagePolicy.Preset.standard, "standard"), (.open, "large")])
  func `W9 previews are as large as the work's policy lets them be`(
    preset: UsagePolicy.Preset, size: String
  ) async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let context = world.context
    try await world.database.write { tx in
      _ = try tx.changeUsagePolicy(of: mika, to: UsagePolicy(preset, basis: .accountDefault), in: context)
    }
    let picture = try await world.picture(of: mika)
    let post = try await world.post(by: mika, pictures: [picture])
    let page = try await WebBrowser(world).get("/@mika/\(post.id)")
    #expect(page.text.contains("max-image-preview:\(size)"))
    #expect(page.text.contains("property=\"og:image\" content=\"https://atelier.test/media/"))
    #expect(page.text.contains("type=\"application/json+oembed\" href=\"https://atelier.test/api/oembed?url="))
    #expect(page.text.contains("property=\"og:title\"") && page.text.contains("property=\"og:url\""))
    try await world.close()
  }

  @Test func `W9 oEmbed gives a photo only of a work that reserves nothing, and nothing of what is not public`()
    async throws
  {
    let bench = try await ClientAPIBench()
    try await bench.member("mika")
    func post(_ policy: String, _ visibility: String = "public", sensitive: Bool = false) async throws -> JSON {
      let picture = try await bench.upload("a picture \(policy)\(visibility)\(sensitive)", as: "mika")
      return try await bench.post(
        "/api/v1/statuses", as: "mika",
        [
          "status": "Evening", "media_ids[]": try picture.text("id") ?? "", "usage_policy": policy,
          "visibility": visibility, "sensitive": sensitive ? "true" : "false",
        ]
      ).json
    }
    func embed(_ post: JSON, _ more: String = "") async throws -> ClientAPIBench.Answer {
      try await bench.get("/api/oembed?url=\(percentEncoded(post["url"]?.string ?? ""))\(more)")
    }
    let open = try await embed(try await post("open"))
    #expect(try open.json["type"]?.string == "photo")
    #expect(try open.json["width"] == 3_000)
    #expect(try open.json["version"]?.string == "1.0" && open.json["author_name"]?.string == "mika")
    let fitted = try await embed(try await post("open"), "&maxwidth=400").json
    #expect(fitted["width"] == 320)
    let reserved = try await embed(try await post("no-ai")).json
    #expect(reserved["type"]?.string == "link" && reserved["url"] == nil)
    #expect(reserved["thumbnail_width"] == 320)
    let covered = try await embed(try await post("open", sensitive: true)).json
    #expect(covered["thumbnail_url"] == nil)
    #expect(try await embed(try await post("open", "private")).status == .notFound)
    #expect(try await bench.get("/api/oembed?url=https://elsewhere.test/@mika/1").status == .notFound)
    #expect(try await bench.get("/api/oembed").json["type"]?.string == "link", "the place itself")
    #expect(try await embed(try await post("open"), "&format=xml").status == .notImplemented)
  }
}
