import Foundation
import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Server
import Store
import TestSupport
import Testing

@Suite struct `A password that was forgotten` {
  private func house() async throws -> (MailHouse, Account) {
    let house = try await MailHouse(SignUpRules())
    let mika = try await house.instance.services.createAccount(
      username: "mika", email: "mika@mail.test", password: "the old password", role: .artist)
    return (house, mika)
  }

  @Test func `L257 is replaced by whoever has the mailbox, and every browser and app is out`() async throws {
    let (house, mika) = try await house()
    let instance = house.instance
    let context = instance.services.context
    let app: ID<AccessToken> = context.ids.next()
    try await instance.database.write { tx in
      try tx.insert(
        AccessToken(
          id: app, secretHash: secretHash("an app"), accountID: mika.id, application: "app", scopes: "read",
          createdAt: context.now))
    }
    let thief = Visitor(instance, from: "192.0.2.66")
    #expect(try await thief.signIn(as: "mika", password: "the old password").status == 303)
    let visitor = Visitor(instance)
    #expect(try await visitor.submit("/reset", ["name": "mika@mail.test"]).status == 200)
    let link = try await house.link("/reset", to: "mika@mail.test").pathOnly
    let page = try await visitor.get(link)
    #expect(page.status == 200 && page["cache-control"] == "private, no-store")
    // Never to another site. Not "no-referrer" either: browsers then hide the origin of the form from us as well.
    #expect(page["referrer-policy"] == "same-origin")
    #expect(try await visitor.submit(link, ["new": "short", "again": "short"]).status == 422)
    #expect(try await visitor.submit(link, ["new": "the new password", "again": "another one"]).status == 422)
    #expect(try await visitor.post(link, ["new": "the new password", "again": "the new password"]).status == 403)
    #expect(try await thief.get("/home").status == 200)
    #expect(try await visitor.submit(link, ["new": "the new password", "again": "the new password"]).status == 200)
    #expect(try await thief.get("/home").status == 303)
    let token = try await instance.database.read { try $0.bearer(tokenHash: secretHash("an app")) }
    #expect(token == nil)
    #expect(try await visitor.get(link).status == 404, "a link is good once")
    #expect(try await visitor.signIn(as: "mika", password: "the old password").status == 422)
    #expect(try await visitor.signIn(as: "mika", password: "the new password").status == 303)
    try await house.close()
  }

  @Test func `M277 has a link to this place, whatever the request said its host was`() async throws {
    let (house, _) = try await house()
    let visitor = Visitor(house.instance)
    let form = try await visitor.get("/reset")
    let answer = try await visitor.post(
      "/reset", ["token": form.formToken, "name": "mika"],
      headers: [("Host", "evil.test"), ("X-Forwarded-Host", "evil.test")])
    #expect(answer.status == 200)
    let link = try await house.link("/reset", to: "mika@mail.test")
    #expect(link.hasPrefix("https://paper.test/reset/"))
    #expect(house.post.kept.allSatisfy { !$0.text.contains("evil") })
    try await house.close()
  }

  @Test func `has a link for an hour, and nobody is buried in them`() async throws {
    let (house, _) = try await house()
    let visitor = Visitor(house.instance)
    for _ in 0..<9 { _ = try await visitor.submit("/reset", ["name": "mika"]) }
    let link = try await house.link("/reset", to: "mika@mail.test").pathOnly
    #expect(house.post.kept.count <= 5)
    house.world.clock.advance(by: .seconds(3_601))
    #expect(try await visitor.get(link).status == 404)
    #expect(try await visitor.get("/reset/\(String(repeating: "x", count: 43))").status == 404)
    // Somebody who is shut out can not come back in this way.
    let context = house.instance.services.context
    let mika = try #require(try await house.instance.database.read { try $0.account(username: "mika", host: nil) })
    try await house.instance.database.write { try $0.suspend(mika, in: context) }
    let before = house.post.kept.count
    _ = try await visitor.submit("/reset", ["name": "mika@mail.test"])
    #expect(house.post.kept.count == before)
    try await house.close()
  }
}

@Suite struct `A new e-mail address` {
  @Test func `takes the password and a click in the new mailbox, and the old one can stop it`() async throws {
    let house = try await MailHouse(SignUpRules())
    let instance = house.instance
    let mika = try await instance.services.createAccount(
      username: "mika", email: "old@mail.test", password: "the old password", role: .artist)
    _ = try await instance.resident("alice")
    let visitor = Visitor(instance)
    _ = try await visitor.signIn(as: "mika", password: "the old password")
    func email() async throws -> String? { try await instance.database.read { try $0.user(mika.id)?.email } }
    let page = "/settings/email"
    #expect(try await visitor.submit(page, ["email": "new@mail.test", "password": "wrong"]).status == 422)
    #expect(try await visitor.submit(page, ["email": "a@b@c.test", "password": "the old password"]).status == 422)
    #expect(try await visitor.submit(page, ["email": "new@mail.test", "password": "the old password"]).status == 303)
    let stop = try await house.link("/email/stop", to: "old@mail.test").pathOnly
    let first = try await house.link("/email/confirm", to: "new@mail.test").pathOnly
    #expect(try await email() == "old@mail.test")
    let elsewhere = Visitor(instance, from: "192.0.2.8")
    #expect(try await elsewhere.submit(stop, [:]).status == 200)
    #expect(try await elsewhere.get(first).status == 404)
    #expect(try await email() == "old@mail.test")
    #expect(try await visitor.submit(page, ["email": "newer@mail.test", "password": "the old password"]).status == 303)
    let second = try await house.link("/email/confirm", to: "newer@mail.test").pathOnly
    #expect(try await elsewhere.submit(second, [:]).status == 200)
    #expect(try await email() == "newer@mail.test")
    #expect(try await elsewhere.get(second).status == 404)
    // An address that has an account: the same answer, no mail.
    let answer = try await visitor.submit(page, ["email": "alice@example.com", "password": "the old password"])
    #expect(answer.status == 303)
    _ = try await house.link("/email/stop", to: "newer@mail.test")
    #expect(!house.post.kept.contains { $0.to.contains("alice@") })
    try await house.close()
  }
}
