import Federation
import Foundation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Signatures
import Store
import TestSupport
import Testing

@testable import Web

private let everyone = "https://www.w3.org/ns/activitystreams#Public"

/// Whoever carries a work can strip it of what its author said.
@Suite(.serialized) struct CopyCheckTests {
  private let reserved = UsagePolicy(.noAI, basis: .explicit)

  /// bob's note as his server serves it: with its policy, and his proof if he signs.
  private func original(
    _ number: String, by bob: ReceivingPerson, _ world: ReceivingWorld, proved: Bool = true, _ more: JSON = [:]
  ) throws -> JSON {
    var note = bob.note(number, to: [everyone, world.mika.uri.text], ["usagePolicy": reserved.wire])
    note["@context"] = "https://www.w3.org/ns/activitystreams"
    note["attachment"] = [
      [
        "type": "Image", "mediaType": "image/png", "url": .string("https://victim.test/\(number).png"),
        "name": "A boat",
      ]
    ]
    for (key, value) in more.pairs { note[key] = value }
    return proved ? try bob.prove(note, at: world.clock.now) : note
  }

  private func mark(_ note: JSON, _ world: ReceivingWorld) async throws -> (post: Post, mark: CopyMark?) {
    let post = try #require(try await world.post(note["id"]?.string))
    return (post, try await world.database.read { try $0.copyMarks(on: [post.id])[post.id] })
  }

  @Test func `a copy that was stripped or altered is noticed, and what the origin says is kept`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let changes: [(String, [String], (inout JSON) -> Void)] = [
      ("1", ["usagePolicy"], { $0["usagePolicy"] = nil }),
      ("2", ["usagePolicy"], { $0["usagePolicy"] = UsagePolicy(.open, basis: .explicit).wire }),
      (
        "3", ["attachment"],
        {
          $0["attachment"] = [
            ["type": "Image", "mediaType": "image/png", "url": "https://victim.test/other.png", "name": "A boat"]
          ]
        }
      ),
      (
        "4", ["content", "usagePolicy"],
        { note in
          note["content"] = "<p>Never said</p>"
          note["usagePolicy"] = nil
        }
      ),
    ]
    for (number, differing, change) in changes {
      let note = try original(number, by: bob, world)
      world.peers.put(try #require(note["id"]?.string), note)
      // Once without any proof, once with one that does not hold any more.
      var copy = note
      if number != "4" { copy["proof"] = nil }
      change(&copy)
      #expect(try await world.deliver(bob.activity("Create", number, object: copy), by: bob) == "done", "\(number)")
      let (post, mark) = try await mark(note, world)
      #expect(mark?.state == .altered, "\(number)")
      #expect(mark?.differing == differing, "\(number)")
      #expect(post.usagePolicy == reserved && post.policyIsProved, "\(number)")
      #expect(post.content == "<p>A work</p>")
    }
    await world.close()
  }

  @Test func `a copy without a proof is what its origin serves, or is marked as unverified`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    // Counts and lists move between two readings.
    let moved: JSON = [
      "replies": "https://victim.test/notes/1/replies", "likes": "https://victim.test/l",
      "shares": "https://victim.test/s",
      "updated": "2026-11-03T17:30:00Z",
    ]
    let cases: [(String, JSON?, CopyMark.State?, Bool)] = [
      ("1", try original("1", by: bob, world, moved), nil, true),
      ("2", try original("2", by: bob, world, proved: false), .unverified, false),
      ("3", nil, .unverified, false),
    ]
    for (number, origin, state, isProved) in cases {
      let copy = try original(number, by: bob, world, proved: false)
      if let origin { world.peers.put(try #require(copy["id"]?.string), origin) }
      #expect(try await world.deliver(bob.activity("Create", number, object: copy), by: bob) == "done")
      let (post, mark) = try await mark(copy, world)
      #expect(mark?.state == state, "\(number)")
      #expect(mark?.differing ?? [] == [], "\(number)")
      #expect(post.policyIsProved == isProved, "\(number)")
      #expect(post.usagePolicy == reserved)
    }
    // A proof that came later ends the doubt.
    world.clock.advance(.seconds(60))
    var better = try original("3", by: bob, world, proved: false)
    better["updated"] = .string(world.clock.now.iso8601Seconds)
    better = try bob.prove(better, at: world.clock.now)
    #expect(try await world.deliver(bob.activity("Update", "u3", object: better), by: bob)?.hasPrefix("done") == true)
    #expect(try await mark(better, world).mark == nil)
    await world.close()
  }

  @Test func `an author who never signs is not asked about, nor is what is signed or private`() async throws {
    let world = try await ReceivingWorld()
    let carol = try ReceivingPerson("carol", at: "a.peers.test")
    var plain = carol.document
    plain["assertionMethod"] = nil
    world.publish(carol)
    world.peers.put(carol.uri.text, plain)
    let bob = try world.person("bob")
    let unsigned = try original("1", by: carol, world, proved: false)
    let signed = try original("2", by: bob, world)
    let privately = bob.note("3", to: [world.mika.uri.text])
    for (person, note) in [(carol, unsigned), (bob, signed), (bob, privately)] {
      let number = "n\(note["id"]?.string?.suffix(1) ?? "")"
      #expect(try await world.deliver(person.activity("Create", number, object: note), by: person) == "done")
      #expect(try await mark(note, world).mark == nil)
      #expect(!world.peers.asked.contains(note["id"]?.string ?? ""))
    }
    await world.close()
  }

  @Test func `a relay that strips a policy is refused for the proof, without one the origin is asked`() async throws {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let relay = try world.person("relay", at: "evil.test")
    for (number, isServed) in [("1", true), ("2", false)] {
      let note = try original(number, by: bob, world)
      let create = try bob.prove(bob.activity("Create", number, object: note), at: world.clock.now)
      if isServed { world.peers.put(try #require(create["id"]?.string), create) }
      var stripped = create
      var inner = note
      inner["usagePolicy"] = nil
      inner["proof"] = nil
      stripped["object"] = inner
      if isServed { stripped["proof"] = nil }
      let answer = try await world.send(stripped, by: relay)
      #expect(answer.status == (isServed ? 202 : 401), "\(number) \(answer.code)")
      try await world.work()
      let post = try await world.post(note["id"]?.string)
      #expect((post != nil) == isServed)
      if let post { #expect(post.usagePolicy == reserved && post.policyIsProved) }
    }
    await world.close()
  }

  @Test func `the page of a work, the list for moderators and the API say what is known against a copy`() async throws {
    let world = try await WebWorld()
    for (name, role) in [("ada", Role.moderator), ("mika", .artist)] { _ = try await world.person(name, role: role) }
    let bob = try await world.stranger("bob", of: "victim.test")
    let (post, picture) = try await world.remotePost(by: bob, content: "<p>A work</p>", verdict: .accept)
    let path = "/@bob@victim.test/\(post.id)"
    let moderator = WebBrowser(world)
    try await moderator.signIn(as: "ada")
    #expect(try await !moderator.get(path).text.contains("This copy"))
    let other = try #require(Digest(rawValue: String(repeating: "a", count: 64)))
    let original = try #require(picture.original)
    let now = world.now
    var fetched = picture
    fetched.remoteURL = IRI("https://victim.test/a.png")
    let kept = fetched
    try await world.database.write { tx in
      try tx.update(kept)
      try tx.save(CopyMark(postID: post.id, state: .altered, differing: ["usagePolicy"], checkedAt: now))
      try tx.save(ChangedMedium(attachmentID: picture.id, declared: other, found: original, notedAt: now))
    }
    let page = try await moderator.get(path)
    #expect(page.text.contains("Altered on its way") && page.text.contains("(usagePolicy)"))
    #expect(page.text.contains("Picture changed"))
    let list = try await moderator.get("/moderation/copies")
    #expect(list.status == 200 && list.text.contains(path) && list.text.contains("Picture changed"))
    let artist = WebBrowser(world, address: "192.0.2.8")
    try await artist.signIn(as: "mika")
    #expect(try await artist.get("/moderation/copies").status == 403)
    try await world.close()
  }

  @Test func `a picture that is not the file its author signed for is asked for once more, and marked`() async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let picture = CasePicture.png(width: 64, height: 48)
    let peer = try await FakePeer { _ in .answer(type: "image/png", picture) }
    world.internet.name("cdn.test", ["45.0.0.7"])
    world.internet.lead("45.0.0.7", to: peer.port)
    let canvas = try await TestInstance("canvas.test", in: world, address: "45.0.0.9", listensTLS: true)
    let berta = try await canvas.resident("berta")
    let services = canvas.services
    let truth = try #require(Digest(rawValue: Hex.encode(ContentDigest(of: picture).bytes)))
    let other = try #require(Digest(rawValue: String(repeating: "a", count: 64)))
    for (name, declared, requests) in [("right", truth, 1), ("wrong", other, 2)] {
      let found = try await canvas.receivePicture("https://cdn.test/\(name).png", declared: declared, services)
      let settled = try await canvas.eventually { tx -> Model.Attachment? in
        guard let picture = try tx.attachment(found.picture), picture.state != .waiting else { return nil }
        return picture
      }
      #expect(settled?.state == .ready, "\(name)")
      #expect(peer.asked.count { $0.contains(name) } == requests, "\(name)")
      let changed = try await canvas.database.read { try $0.changedMedia(among: [found.picture])[found.picture] }
      #expect(changed?.declared == (name == "wrong" ? other : nil))
      let status = try await canvas.api("GET", "/api/v1/statuses/\(found.post)", as: berta)
      #expect(status.json?["usage_policy"]?["copy"]?.string == "unsigned")
      let media = status.json?["media_attachments"]?.array?.first?["usage_policy"]?["copy"]?.string
      #expect(media == (name == "wrong" ? "media_changed" : nil), "\(name)")
    }
    await peer.stop()
    try await canvas.stop()
  }
}

extension TestInstance {
  /// A post of somebody elsewhere with one picture that waits to be fetched.
  fileprivate func receivePicture(
    _ url: String, declared: Digest, _ services: Services
  ) async throws -> (post: Post.ID, picture: Model.Attachment.ID) {
    let context = services.context
    let name = url.hasSuffix("right.png") ? "ann" : "ben"
    let uri = try #require(IRI("https://cdn.test/users/\(name)"))
    let author = Account(
      id: context.ids.next(), username: name, host: uri.host, uri: uri, url: uri,
      inbox: try #require(uri.appending("/inbox")), createdAt: context.now, fetchedAt: context.now)
    let id: Post.ID = context.ids.next()
    let post = Post(
      id: id, uri: try #require(IRI("https://cdn.test/notes/\(name)")), url: uri, authorID: author.id,
      content: "<p>A work</p>", visibility: .everyone, createdAt: context.now, isLocal: false)
    let picture = Model.Attachment(
      id: context.ids.next(), ownerID: author.id, postID: id, state: .waiting, remoteURL: IRI(url),
      declaredDigest: declared, createdAt: context.now)
    try await database.write { tx in
      try tx.insert(author)
      try tx.insert(post)
      try tx.insert(picture)
      try tx.enqueue(.fetchMedia(picture.id), id: context.ids.next(), at: context.now)
    }
    return (id, picture.id)
  }
}
