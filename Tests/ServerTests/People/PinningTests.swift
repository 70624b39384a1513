import Federation
import Foundation
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct PinningTests {
  // MARK: - Out

  @Test func `A9 the featured collection names at most five open posts, the newest pin first`() async throws {
    let house = try await DeliveringHouse()
    var posts: [Post] = []
    for number in 0..<6 {
      posts.append(try await house.publish(PostDraft(text: "\(number)", content: "<p>\(number)</p>")))
    }
    var hidden = PostDraft(text: "hidden", content: "<p>hidden</p>")
    hidden.visibility = .followers
    let private1 = try await house.publish(hidden)
    let context = house.context
    let pinned = Array(posts.prefix(4)) + [private1]
    try await house.database.write { [mika = house.mika] tx in
      for post in pinned { try tx.pin(post, by: mika, in: context) }
    }
    let last = posts[5]
    await #expect(throws: OperationFailure.self) {
      try await house.database.write { [mika = house.mika] tx in try tx.pin(last, by: mika, in: context) }
    }
    let json = try JSON(parsing: try await house.composer.list(.featured, of: house.mika).bytes)
    #expect(json["type"]?.string == "OrderedCollection")
    #expect(json["totalItems"]?.integer == 4)
    // A post of followers is not named to strangers.
    #expect(json["orderedItems"]?.array?.compactMap(\.string) == posts.prefix(4).reversed().map(\.uri.text))
  }

  @Test func `D4 a pin is an Add and an unpin a Remove, signed and sent to followers`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://paper.test")
    try await house.follow(ada)
    let post = try await house.publish(PostDraft(text: "x", content: "<p>x</p>"))
    let context = house.context
    try await house.database.write { [mika = house.mika] tx in
      try tx.pin(post, by: mika, in: context)
      try tx.pin(post, by: mika, in: context)
      try tx.unpin(post, by: mika, in: context)
      try tx.unpin(post, by: mika, in: context)
    }
    try await house.federate()
    let sent = try await house.outstanding()
    #expect(sent.map { $0.body["type"]?.string } == ["Create", "Add", "Remove"])
    for activity in sent.dropFirst().map(\.body) {
      #expect(activity["object"]?.string == post.uri.text)
      #expect(activity["target"]?.string == "https://atelier.test/users/mika/featured")
      #expect(activity["actor"]?.string == house.mika.uri.text)
      #expect(activity["proof"] != nil && activity["to"]?.array?.isEmpty == false)
    }
    #expect(Set(sent.compactMap { $0.body["id"]?.string }).count == 3)
  }

  // MARK: - In

  private func met() async throws -> (world: ReceivingWorld, bob: ReceivingPerson, account: Account) {
    let world = try await ReceivingWorld()
    let bob = try ReceivingPerson("bob", at: "victim.test")
    world.publish(bob)
    var document = bob.document
    document["featured"] = "https://victim.test/users/bob/featured"
    world.peers.put(bob.uri.text, document)
    let account = try await world.federation.actors.account(bob.uri, budget: FetchBudget())
    return (world, bob, account)
  }

  private func pins(_ world: ReceivingWorld, _ account: Account) async throws -> [String] {
    try await world.database.read { try $0.pinnedPosts(of: account.id, visibleTo: nil).map(\.uri.text) }
  }

  @Test func `D4 Add and Remove keep the pins of an account elsewhere in step`() async throws {
    let (world, bob, account) = try await met()
    world.peers.put("https://victim.test/notes/1", bob.note("1"))
    var add = bob.activity("Add", "1", object: "https://victim.test/notes/1")
    add["target"] = "https://victim.test/users/bob/featured"
    #expect(try await world.deliver(add, by: bob) == "done")
    #expect(try await pins(world, account) == ["https://victim.test/notes/1"])
    var remove = bob.activity("Remove", "2", object: "https://victim.test/notes/1")
    remove["target"] = "https://victim.test/users/bob/featured"
    #expect(try await world.deliver(remove, by: bob) == "done")
    #expect(try await pins(world, account) == [])
    await world.close()
  }

  @Test func `D4 nobody adds to the collection of another, and nobody pins the work of another`() async throws {
    let (world, bob, account) = try await met()
    let mallory = try world.person("mallory")
    _ = try await world.federation.actors.account(mallory.uri, budget: FetchBudget())
    world.peers.put("https://victim.test/notes/m", mallory.note("m"))
    var foreign = mallory.activity("Add", "1", object: "https://victim.test/notes/m")
    foreign["target"] = "https://victim.test/users/bob/featured"
    #expect(try await world.deliver(foreign, by: mallory) == "rejected owner")
    var notOwn = bob.activity("Add", "2", object: "https://victim.test/notes/m")
    notOwn["target"] = "https://victim.test/users/bob/featured"
    #expect(try await world.deliver(notOwn, by: bob) == "rejected owner")
    #expect(try await pins(world, account) == [])
    await world.close()
  }

  @Test
  func `A9 what somebody elsewhere shows first is read in the background, bounded and believed at its origin only`()
    async throws
  {
    let (world, bob, account) = try await met()
    let mallory = try world.person("mallory")
    for number in 1...7 {
      world.peers.put("https://victim.test/notes/\(number)", bob.note("\(number)"))
    }
    world.peers.put("https://victim.test/notes/m", mallory.note("m"))
    world.peers.put(
      "https://victim.test/users/bob/featured",
      [
        "@context": "https://www.w3.org/ns/activitystreams", "type": "OrderedCollection",
        "id": "https://victim.test/users/bob/featured",
        "orderedItems": [
          "https://victim.test/notes/1", "https://victim.test/notes/m", "https://evil.test/notes/9",
          bob.note("2"), "https://victim.test/notes/3", "https://victim.test/notes/4", "https://victim.test/notes/5",
          "https://victim.test/notes/6", "https://victim.test/notes/7",
        ],
      ])
    let context = world.environment.context
    try await world.database.write { tx in
      _ = try tx.follow(account, by: world.mika, in: context)
    }
    world.peers.forget()
    try await world.work()
    // The first five are looked at; of those two are not bob's.
    #expect(
      try await pins(world, account) == [1, 2, 3].map { "https://victim.test/notes/\($0)" })
    #expect(world.peers.asked.filter { $0.contains("/notes/") }.count <= 5)
    #expect(!world.peers.asked.contains { $0.contains("evil.test") })
    // Read again, it replaces what was there.
    world.peers.put(
      "https://victim.test/users/bob/featured",
      [
        "@context": "https://www.w3.org/ns/activitystreams", "type": "OrderedCollection",
        "id": "https://victim.test/users/bob/featured", "orderedItems": [bob.note("4")],
      ])
    let later = world.environment.context
    try await world.database.write { try $0.queueFeatured(of: account, in: later) }
    try await world.work()
    #expect(try await pins(world, account) == ["https://victim.test/notes/4"])
    await world.close()
  }

  // MARK: - API and pages

  @Test func `A9 an app pins its author's works, five at most, and lists them`() async throws {
    let bench = try await ClientAPIBench()
    let mika = try await bench.member("mika")
    try await bench.member("ines")
    var posts: [String] = []
    for number in 0..<6 { posts.append(try await bench.publish("work \(number)", as: "mika")) }
    for id in posts.prefix(5) {
      let answer = try await bench.post("/api/v1/statuses/\(id)/pin", as: "mika")
      #expect(answer.status == .ok)
      #expect(try answer.json["pinned"]?.bool == true)
    }
    #expect(try await bench.post("/api/v1/statuses/\(posts[0])/pin", as: "mika").status == .ok)
    #expect(try await bench.post("/api/v1/statuses/\(posts[5])/pin", as: "mika").status == .unprocessableContent)
    #expect(try await bench.post("/api/v1/statuses/\(posts[0])/pin", as: "ines").status == .unprocessableContent)
    let listed = try await bench.get("/api/v1/accounts/\(mika.id)/statuses?pinned=true", as: "ines").list()
    #expect(listed.compactMap { $0["id"]?.string } == posts.prefix(5).reversed())
    #expect(listed.allSatisfy { $0["pinned"] == nil }, "only its author is told")
    #expect(try await bench.post("/api/v1/statuses/\(posts[2])/unpin", as: "mika").json["pinned"]?.bool == false)
    #expect(try await bench.get("/api/v1/accounts/\(mika.id)/statuses?pinned=true").list().count == 4)
    let direct = try await bench.publish("for you @ines", as: "mika", "direct")
    #expect(try await bench.post("/api/v1/statuses/\(direct)/pin", as: "mika").status == .unprocessableContent)
  }

  @Test func `A9 a page shows pinned works first, once, and their author pins them there`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let first = try await world.post(by: mika, text: "The oldest", pictures: [try await world.picture(of: mika)])
    _ = try await world.post(by: mika, text: "The newest", pictures: [try await world.picture(of: mika)])
    let browser = WebBrowser(world)
    try await browser.signIn(as: "mika")
    let page = try await browser.get("/@mika/\(first.id)")
    #expect(page.text.contains("Show it first on my page"))
    let answer = try await browser.post("/settings/pins/\(first.id)", ["token": page.token, "act": "pin"])
    #expect(answer.status == 303)
    let shown = try await browser.get("/@mika").text
    let heading = try #require(shown.range(of: "Shown first"))
    let link = try #require(shown.range(of: "/@mika/\(first.id)\""))
    #expect(heading.lowerBound < link.lowerBound)
    #expect(shown.components(separatedBy: "/@mika/\(first.id)\"").count == 2, "shown once")
    #expect(try await browser.get("/@mika/\(first.id)").text.contains("Show it first no more"))
    let other = WebBrowser(world, address: "192.0.2.9")
    _ = try await world.person("ines")
    try await other.signIn(as: "ines")
    let form = try await other.get("/settings/profile")
    #expect(try await other.post("/settings/pins/\(first.id)", ["token": form.token, "act": "unpin"]).status == 404)
    try await world.close()
  }
}
