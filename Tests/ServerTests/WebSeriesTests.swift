import Foundation
import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

@testable import Web

@Suite struct `Series on the web` {
  private struct Shelf {
    let world: WebWorld
    let mika: Account
    let series: Series
    let posts: [Post]
  }

  private func shelf(_ count: Int = 3, policy: UsagePolicy.Preset? = nil) async throws -> Shelf {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let context = world.context
    let series = try await world.database.write { tx in
      try tx.createSeries(
        SeriesDraft(
          title: "Harbour <at> dawn", description: "Twelve mornings\nin March",
          usagePolicy: policy.map { UsagePolicy($0, basis: .explicit) }), by: mika, in: context)
    }
    var posts: [Post] = []
    for number in 0..<count {
      let post = try await world.post(
        by: mika, text: "Morning \(number)", pictures: [try await world.picture(of: mika, alt: "Boat \(number)")])
      try await world.database.write { try $0.move(post, to: series.id, by: mika, in: world.context) }
      posts.append(post)
    }
    return Shelf(world: world, mika: mika, series: series, posts: posts)
  }

  @Test func `a page shows the works in order, its words and its terms, and the works lead to each other`() async throws
  {
    let shelf = try await shelf(policy: .researchOnly)
    let reader = WebBrowser(shelf.world)
    let path = "/@mika/series/\(shelf.series.id)"
    #expect(try await reader.get("/@mika").text.contains("<a href=\"\(path)\"><bdi>Harbour &lt;at&gt; dawn</bdi></a>"))
    let page = try await reader.get(path)
    #expect(page.status == 200)
    for part in ["Harbour &lt;at&gt; dawn", "Twelve mornings\nin March", "Research only", "href=\"/@mika\""] {
      #expect(page.text.contains(part), "\(part)")
    }
    let places = shelf.posts.map { page.text.range(of: "/@mika/\($0.id)\"")?.lowerBound }
    #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(page.header("tdm-policy") == "https://atelier.test/users/mika/tdm-policy")
    let middle = try await reader.get("/@mika/\(shelf.posts[1].id)")
    #expect(middle.text.contains("<a href=\"/@mika/\(shelf.posts[0].id)\" rel=\"prev\">"))
    #expect(middle.text.contains("<a href=\"/@mika/\(shelf.posts[2].id)\" rel=\"next\">"))
    #expect(middle.text.contains("href=\"\(path)\""))
    let last = try await reader.get("/@mika/\(shelf.posts[2].id)")
    #expect(!last.text.contains("rel=\"next\""))
    try await shelf.world.close()
  }

  @Test func `a work in a stricter series says so on its page, on its picture and to robots`() async throws {
    let shelf = try await shelf(1)
    let world = shelf.world
    let (mika, context) = (shelf.mika, world.context)
    try await world.database.write { tx in
      _ = try tx.changeUsagePolicy(of: mika, to: UsagePolicy(.open, basis: .accountDefault), in: context)
    }
    let files = try await world.database.read { tx in
      let pictures = try tx.attachments(of: [shelf.posts[0].id])[shelf.posts[0].id] ?? []
      return try tx.renditions(of: pictures.map(\.id)).values.flatMap { $0.map(\.fileName) }
    }
    let paths = ["/@mika/\(shelf.posts[0].id)", "/media/\(try #require(files.first))"]
    for path in paths {
      #expect(try await world.answer(.get, path).header("content-usage") == "train-ai=y, search=y", "\(path)")
    }
    world.advance(.seconds(60))
    let later = world.context
    try await world.database.write { tx in
      _ = try tx.changeSeries(
        shelf.series.id, to: SeriesDraft(title: "Harbour", usagePolicy: UsagePolicy(.noAI, basis: .explicit)),
        by: mika, in: later)
    }
    for path in paths {
      let answer = try await world.answer(.get, path)
      #expect(answer.header("content-usage") == "train-ai=n", "\(path)")
      #expect(answer.header("x-robots-tag") == "noai, noimageai", "\(path)")
      #expect(answer.header("tdm-reservation") == "1", "\(path)")
    }
    #expect(try await world.answer(.get, paths[0]).text.contains("noai, noimageai\">"))
    try await world.close()
  }

  @Test func `an artist makes, fills, orders, renames and deletes a series without a script`() async throws {
    let shelf = try await shelf(3)
    let world = shelf.world
    let artist = WebBrowser(world)
    try await artist.signIn(as: "mika")
    let loose = try await world.post(by: shelf.mika, pictures: [try await world.picture(of: shelf.mika)])
    var page = try await artist.get("/settings/series")
    #expect(page.text.contains("Harbour &lt;at&gt; dawn") && page.text.contains("3 works"))
    let untitled = try await artist.post(
      "/settings/series", ["token": page.token, "title": " ", "policy": "open", "description": "kept words"])
    #expect(untitled.status == 422 && untitled.text.contains("needs a title") && untitled.text.contains("kept words"))
    let made = try await artist.post("/settings/series", ["token": page.token, "title": "New", "policy": "no-genai"])
    #expect(made.status == 303)
    let path = "/settings/series/\(shelf.series.id)"
    page = try await artist.get(path)
    #expect(page.status == 200 && !page.text.contains("<script"))
    func send(_ act: String, _ more: [String: String]) async throws -> Int {
      try await artist.post(path, more.merging(["token": page.token, "act": act]) { first, _ in first }).status
    }
    #expect(try await send("add", ["work": loose.id.description]) == 303)
    let viewer = shelf.mika.id
    func works() async throws -> [Post.ID] {
      try await world.database.read { try $0.posts(in: shelf.series.id, visibleTo: viewer, limit: 9).map(\.id) }
    }
    #expect(try await works() == shelf.posts.map(\.id) + [loose.id])
    #expect(
      try await send("order", ["listed[]": shelf.posts[2].id.description, "place-\(shelf.posts[2].id)": "1"]) == 303)
    #expect(try await works().first == shelf.posts[2].id)
    #expect(try await send("remove", ["work": loose.id.description]) == 303)
    #expect(try await works().count == 3)
    #expect(try await send("save", ["title": "Quay", "policy": "account"]) == 303)
    #expect(try await artist.get("/@mika").text.contains("<bdi>Quay</bdi>"))
    #expect(try await send("paint", [:]) == 422)
    // The page of a work offers its author the series, and strangers nothing.
    let work = "/@mika/\(loose.id)"
    #expect(try await artist.get(work).text.contains("In no series"))
    #expect(try await !WebBrowser(world).get(work).text.contains("In no series"))
    let placed = try await artist.post(
      "/settings/series/place",
      ["token": page.token, "work": loose.id.description, "series": shelf.series.id.description])
    #expect(placed.status == 303)
    #expect(try await works().last == loose.id)
    let uploaded = try await artist.upload(
      "/upload", ["token": page.token, "text": "Into it", "series": shelf.series.id.description],
      file: Array("a picture".utf8))
    #expect(uploaded.status == 303)
    #expect(try await works().count == 5)
    #expect(try await send("delete", [:]) == 303)
    #expect(try await artist.get(work).status == 200)
    #expect(try await artist.get(path).status == 404)
    try await world.close()
  }

  @Test func `nobody edits the series of another, without the form's token or at all`() async throws {
    let shelf = try await shelf(1)
    let world = shelf.world
    _ = try await world.person("nora")
    let nora = WebBrowser(world, address: "192.0.2.9")
    try await nora.signIn(as: "nora")
    let token = try await nora.get("/settings/series").token
    let path = "/settings/series/\(shelf.series.id)"
    #expect(try await nora.get(path).status == 404)
    for act in ["save", "delete", "order", "remove"] {
      let form = ["token": token, "act": act, "title": "Mine", "work": shelf.posts[0].id.description]
      #expect(try await nora.post(path, form).status == 404, "\(act)")
      #expect(try await nora.post(path, ["act": act, "title": "Mine"]).status == 403, "\(act)")
    }
    #expect(try await WebBrowser(world).get(path).status == 303)
    #expect(try await WebBrowser(world).get("/@mika/series/\(shelf.series.id)").status == 200)
    // An empty series is its artist's alone.
    let context = world.context
    let mika = shelf.mika
    let empty = try await world.database.write {
      try $0.createSeries(SeriesDraft(title: "Nothing yet"), by: mika, in: context)
    }
    #expect(try await nora.get("/@mika/series/\(empty.id)").status == 404)
    #expect(try await !nora.get("/@mika").text.contains("Nothing yet"))
    try await world.close()
  }

  @Test func `more works and more series cost a page no more statements`() async throws {
    func costs(_ works: Int, _ series: Int) async throws -> [Int] {
      let shelf = try await shelf(works)
      let world = shelf.world
      let (mika, context) = (shelf.mika, world.context)
      try await world.database.write { tx in
        for number in 0..<series {
          _ = try tx.createSeries(SeriesDraft(title: "Series \(number)"), by: mika, in: context)
        }
      }
      let artist = WebBrowser(world)
      try await artist.signIn(as: "mika")
      var costs: [Int] = []
      for path in [
        "/@mika", "/@mika/series/\(shelf.series.id)", "/settings/series", "/settings/series/\(shelf.series.id)",
        "/@mika/\(shelf.posts[1].id)",
      ] {
        let before = world.database.counters.statements
        #expect(try await artist.get(path).status == 200)
        costs.append(world.database.counters.statements - before)
      }
      try await world.close()
      return costs
    }
    let few = try await costs(3, 1)
    #expect(try await costs(12, 9) == few)
    #expect(few.allSatisfy { $0 <= 28 }, "\(few)")
  }
}
