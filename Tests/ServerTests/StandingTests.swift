import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Signatures
import Store
import Synchronization
import Testing

@testable import Web

@Suite struct `A suspended account` {
  @Test func `is nowhere to be seen, is signed out, and comes back whole`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    _ = try await world.person("mona", role: .moderator)
    let post = try await world.post(by: mika, text: "Evening #lake", pictures: [try await world.picture(of: mika)])
    let files = try await world.database.read { tx in
      let pictures = try tx.attachments(of: [post.id])[post.id] ?? []
      return try tx.renditions(of: pictures.map(\.id)).values.flatMap { $0.map(\.fileName) }
    }
    let context = world.context
    try await world.database.write { tx in
      try tx.insert(
        AccessToken(
          id: context.ids.next(), secretHash: secretHash("an app"), accountID: mika.id, application: "app",
          scopes: "read", createdAt: context.now))
    }
    let artist = WebBrowser(world)
    try await artist.signIn(as: "mika")
    let moderator = WebBrowser(world, address: "192.0.2.9")
    try await moderator.signIn(as: "mona")
    let page = try await moderator.get("/moderation/accounts?name=mika")
    #expect(page.text.contains("Suspend"))
    #expect(try await moderator.post("/moderation/accounts", ["name": "mika", "act": "suspend"]).status == 403)
    let form = ["token": page.token, "name": "mika", "act": "suspend"]
    #expect(try await moderator.post("/moderation/accounts", form).status == 303)
    let reader = WebBrowser(world, address: "192.0.2.10")
    for path in ["/@mika", "/@mika/\(post.id)", "/media/\(try #require(files.first))"] {
      #expect(try await reader.get(path).status == 404, "\(path)")
    }
    for path in ["/", "/tags/lake"] {
      let answer = try await moderator.get(path)
      #expect(answer.status == 200 && !answer.text.contains("/@mika/\(post.id)"), "\(path)")
    }
    #expect(try await artist.get("/home").status == 303)
    try await artist.signIn(as: "mika")
    #expect(try await artist.get("/home").status == 303)
    let token = try await world.database.read { try $0.bearer(tokenHash: secretHash("an app")) }
    #expect(token == nil)
    let again = ["token": page.token, "name": "mika", "act": "unsuspend"]
    #expect(try await moderator.post("/moderation/accounts", again).status == 303)
    for path in ["/@mika", "/@mika/\(post.id)", "/media/\(try #require(files.first))"] {
      #expect(try await reader.get(path).status == 200, "\(path)")
    }
    // What was revoked stays revoked.
    #expect(try await artist.get("/home").status == 303)
    let revoked = try await world.database.read { try $0.bearer(tokenHash: secretHash("an app")) }
    #expect(revoked == nil)
    try await world.close()
  }

  @Test func `is no artist's business, and the staff's only from above`() async throws {
    let world = try await WebWorld()
    for (name, role) in [("mika", Role.artist), ("mona", .moderator), ("mike", .moderator), ("ada", .admin)] {
      _ = try await world.person(name, role: role)
    }
    func attempt(_ name: String, on other: String) async throws -> Int {
      let browser = WebBrowser(world, address: "192.0.2.\(name.utf8.count + 20)")
      try await browser.signIn(as: name)
      let token = try await browser.get("/settings/series").token
      return try await browser.post(
        "/moderation/accounts", ["token": token, "name": other, "act": "suspend"]
      ).status
    }
    #expect(try await attempt("mika", on: "mona") == 403)
    #expect(try await attempt("mona", on: "mike") == 403)
    #expect(try await attempt("mona", on: "ada") == 403)
    #expect(try await attempt("mona", on: "mona") == 403)
    #expect(try await attempt("mona", on: "nobody") == 404)
    #expect(try await attempt("ada", on: "mike") == 303)
    try await world.close()
  }

  @Test func `of another server is sent nothing, and its posts are shown to nobody`() async throws {
    let house = try await DeliveringHouse()
    let ada = try await house.stranger("ada", at: "https://ink.test")
    let bob = try await house.stranger("bob", at: "https://paper.test")
    try await house.follow(ada)
    try await house.follow(bob)
    _ = try await house.publish(PostDraft(text: "One", content: "<p>One</p>"))
    try await house.federate()
    let uri = try #require(IRI("https://ink.test/notes/1"))
    let context = house.context
    let far = Post(
      id: context.ids.next(), uri: uri, url: uri, authorID: ada.id, content: "<p>Far</p>", visibility: .everyone,
      createdAt: context.now, isLocal: false)
    let mika = house.mika.id
    try await house.database.write { tx in
      try tx.insert(far)
      try tx.suspend(ada, in: context)
    }
    _ = try await house.publish(PostDraft(text: "Two", content: "<p>Two</p>"))
    try await house.federate()
    #expect(try await house.outstanding().map(\.inbox.host.text) == ["paper.test", "paper.test"])
    for viewer in [mika, nil] {
      #expect(try await house.database.read { try $0.post(far.id, visibleTo: viewer) } == nil)
    }
    try await house.database.write { try $0.unsuspend(ada, in: context) }
    #expect(try await house.database.read { try $0.post(far.id, visibleTo: nil) } != nil)
  }

  @Test func `here sends only that it is suspended, whatever it had queued`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("bob", at: "https://paper.test"))
    _ = try await house.publish(PostDraft(text: "One", content: "<p>One</p>"))
    try await house.federate()
    _ = try await house.publish(PostDraft(text: "Two", content: "<p>Two</p>"))
    let (mika, context) = (house.mika, house.context)
    try await house.database.write { try $0.suspend(mika, in: context) }
    try await house.federate()
    let sent = try await house.outstanding().map(\.body)
    #expect(sent.map { $0["type"]?.string } == ["Update"])
    #expect(sent.first?["object"]?["suspended"]?.bool == true)
  }
}

@Suite struct `A deleted account` {
  @Test func `takes its works along, tells whoever follows, and leaves its name taken`() async throws {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("bob", at: "https://paper.test"))
    let post = try await house.publish(PostDraft(text: "One", content: "<p>One</p>"))
    try await house.federate()
    _ = try await house.queued()
    let (mika, context) = (house.mika, house.context)
    try await house.database.write { tx in
      _ = try tx.createSeries(SeriesDraft(title: "Harbour"), by: mika, in: context)
      try tx.deleteAccount(mika, in: context)
    }
    try await house.federate()
    house.clock.advance(.seconds(60))
    let sent = try await house.outstanding().map(\.body)
    #expect(sent.last?["type"]?.string == "Delete")
    #expect(sent.last?["object"]?.string == mika.uri.text)
    let left = try await house.database.read { tx in
      (
        try tx.post(post.id), try tx.tombstone(uri: post.uri), try tx.user(mika.id), try tx.account(mika.id),
        try tx.series(of: mika.id, visibleTo: mika.id)
      )
    }
    #expect(left.0 == nil && left.1 != nil && left.2 == nil && left.4.isEmpty)
    #expect(left.3?.suspendedAt != nil)
    await #expect(throws: OperationFailure.self) {
      try await house.database.write { try $0.unsuspend(mika, in: context) }
    }
    await #expect(throws: OperationFailure.self) {
      try await house.database.write { tx in
        _ = try tx.createAccount(
          NewAccount(username: "mika", email: "new@mail.test", passwordHash: "x", role: .artist, keys: []),
          id: context.ids.next(), in: context)
      }
    }
  }
}

@Suite struct `A password` {
  @Test func `is changed by whoever knows it, and everybody else is signed out`() async throws {
    let world = try await WebWorld()
    _ = try await world.person("mika")
    let here = WebBrowser(world)
    let elsewhere = WebBrowser(world, address: "192.0.2.8")
    try await here.signIn(as: "mika")
    try await elsewhere.signIn(as: "mika")
    let token = try await here.get("/settings/password").token
    func change(_ old: String, _ new: String, _ again: String) async throws -> Int {
      try await here.post("/settings/password", ["token": token, "old": old, "new": new, "again": again]).status
    }
    #expect(try await change("wrong", "a new password", "a new password") == 422)
    #expect(try await change("secret of mika", "short", "short") == 422)
    #expect(try await change("secret of mika", "a new password", "another password") == 422)
    #expect(try await elsewhere.get("/home").status == 200)
    #expect(try await change("secret of mika", "a new password", "a new password") == 303)
    #expect(try await here.get("/home").status == 200)
    #expect(try await elsewhere.get("/home").status == 303)
    let door = try await elsewhere.get("/login")
    for (password, status) in [("secret of mika", 422), ("a new password", 303)] {
      let answer = try await elsewhere.post("/login", ["token": door.token, "name": "mika", "password": password])
      #expect(answer.status == status, "\(password)")
    }
    try await world.close()
  }

  @Test func `is not compared for a queue without end`() async throws {
    let desk = PasswordDesk(capacity: 2)
    let (starts, started) = AsyncStream.makeStream(of: Void.self)
    let gate = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<2 {
        group.addTask {
          _ = try await desk.perform {
            started.yield()
            gate.wait()
          }
          return true
        }
      }
      var arrivals = starts.makeAsyncIterator()
      await arrivals.next()
      // One is served and one waits: a third is sent away with the time to come back.
      while desk.waitingNow < 2 { await Task.yield() }
      await #expect(throws: PasswordDesk.Full.self) { _ = try await desk.matches("x", nil) }
      gate.signal()
      gate.signal()
      while let isDone = try await group.next() { #expect(isDone) }
    }
    #expect(try await desk.matches("x", nil) == false)
    try await desk.close()
  }
}
