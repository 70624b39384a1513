import ActivityStreams
import Primitives
import Testing

@Suite struct WritingTests {
  private let mika: IRI
  private let note: Note

  init() throws {
    mika = try iri("https://atelier.example/users/mika")
    var note = Note(id: try iri("https://atelier.example/objects/1"), attributedTo: mika)
    note.addressing = Addressing(.public, followers: IRI("https://atelier.example/users/mika/followers"))
    note.content = NaturalText("<p>Harbour</p>", language: "en")
    note.published = Timestamp(iso8601: "2026-11-03T18:00:00Z")
    note.usagePolicy = ["type": "UsagePolicy", "basis": "explicit", "generativeTraining": "disallow"]
    note.xRobotsTag = "noai, noimageai"
    note.contentUsage = "train-ai=n"
    note.replies = IRI("https://atelier.example/objects/1/replies")
    note.tags = [
      .mention(href: try iri("https://b.example/u/1"), name: "@x@b.example"), .hashtag(name: "NoAI", href: mika),
      .emoji(.init(shortcode: "cat", icon: try iri("https://b.example/cat.png"), mediaType: "image/png")),
    ]
    var attachment = ActivityStreams.Attachment(url: try iri("https://media.atelier.example/a.jpg"))
    attachment.alt = "Boats"
    attachment.mediaType = "image/jpeg"
    attachment.width = 3200
    attachment.height = 2133
    attachment.blurhash = "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH"
    attachment.focalPoint = .init(x: 0, y: -0.25)
    attachment.digestMultibase = "zQmUQX9m8QfJ6CiPMaL8eVy7ZZPBN8fQk2wJRZYLmojdPix"
    attachment.digitalSourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
    attachment.size = 12
    attachment.usagePolicy = ["type": "UsagePolicy", "aiInput": "disallow"]
    note.attachments = [attachment]
    self.note = note
  }

  @Test func `a note satisfies the strictest readers`() {
    let json = note.document
    #expect(json["@context"]?.array != nil)
    #expect(json["to"]?.array?.count == 1 && json["cc"]?.array?.count == 1)
    #expect(json["contentMap"]?["en"] == json["content"])
    let image = json["attachment"]?.array?.first
    #expect(image?["type"] == "Image" && image?["url"]?.string != nil && image?["name"] == image?["summary"])
    #expect(image?["sensitive"] == false && json["sensitive"] == false)
    #expect(json["likes"] == nil)
  }

  @Test func `empty addresses are written as empty arrays`() {
    var note = note
    note.addressing = Addressing()
    #expect(note.json["to"] == [] && note.json["cc"] == [])
  }

  @Test func `no member is null and nothing nests deeper than Pixelfed reads`() throws {
    let create = Activity.create(
      Create(header: Header(id: try iri("https://atelier.example/c/1"), actor: mika), object: .embedded(.note(note))))
    func depth(_ json: JSON) -> Int {
      #expect(!json.isNull)
      if let values = json.array { return 1 + (values.map(depth).max() ?? 0) }
      return json.isNull || json.object == nil ? 0 : 1 + (json.members.map { depth($0.value) }.max() ?? 0)
    }
    // Pixelfed decodes to depth 8.
    #expect(depth(try #require(create.document)) <= 8)
  }

  @Test func `every activity survives being written and read`() throws {
    let header = Header(
      id: try iri("https://atelier.example/a/1"), actor: mika, addressing: note.addressing, published: note.published)
    let other = try iri("https://b.example/u/1")
    let follow = Follow(header: Header(id: try iri("https://b.example/f/1"), actor: other), object: mika)
    let activities: [Activity] = [
      .create(Create(header: header, object: .embedded(.note(note)))),
      .create(Create(header: header, object: .link(note.id))),
      .update(Update(header: header, object: .embedded(.actor(actor())))),
      .delete(Delete(header: header, object: note.id)),
      .delete(Delete(header: header, object: mika)), .follow(follow),
      .accept(Accept(header: header, object: .embedded(follow))),
      .accept(Accept(header: header, object: .link(other), result: note.id)),
      .reject(Reject(header: header, object: .embedded(follow))),
      .undo(Undo(header: header, object: .embedded(.follow(follow)))),
      .undo(Undo(header: header, object: .embedded(.like(Like(header: header, object: note.id))))),
      .undo(Undo(header: header, object: .embedded(.announce(Announce(header: header, object: note.id))))),
      .undo(Undo(header: header, object: .embedded(.block(Block(header: header, object: other))))),
      .like(Like(header: header, object: note.id, reaction: "🔥")), .announce(Announce(header: header, object: note.id)),
      .add(Add(header: header, object: note.id, target: other)),
      .remove(Remove(header: header, object: note.id, target: other)),
      .block(Block(header: header, object: other)),
      .flag(Flag(header: header, objects: [other, note.id], content: "why")),
      .move(Move(header: header, object: mika, target: other)),
    ]
    for activity in activities {
      let bytes = try #require(activity.document).bytes
      #expect(!String(decoding: bytes, as: UTF8.self).contains(":null"))
      #expect(try Activity(reading: Document(parsing: bytes).node) == activity)
    }
  }

  private func actor() -> Actor {
    var actor = Actor(id: mika, kind: .person)
    actor.preferredUsername = "mika"
    actor.name = "Mika"
    actor.inbox = mika.appending("/inbox")
    actor.sharedInbox = IRI("https://atelier.example/inbox")
    actor.icon = .init(url: mika, mediaType: "image/png", alt: "Face")
    actor.fields = [.init(name: "Site", value: "<a href=\"https://m.example\">m</a>")]
    if let id = mika.appending("#main-key") { actor.publicKeys = [PublicKey(id: id, owner: mika, pem: "PEM\n")] }
    if let id = mika.appending("#ed25519-key") {
      actor.assertionMethods = [Multikey(id: id, controller: mika, publicKeyMultibase: "z6Mk")]
    }
    actor.usagePolicy = note.usagePolicy
    actor.webfinger = "mika@atelier.example"
    actor.implements = [.init(href: mika, name: "x")]
    actor.generator = IRI("https://atelier.example/actor")
    actor.alsoKnownAs = [mika]
    actor.movedTo = mika
    actor.discoverable = true
    return actor
  }

  @Test func `an actor survives being written and read, and has one public key object`() throws {
    let actor = actor()
    #expect(!actor.document.text.contains(":null"))
    #expect(try Actor(reading: Document(parsing: actor.document.bytes).node) == actor)
    #expect(actor.json["publicKey"]?.object != nil)
  }

  @Test func `collections and tombstones survive being written and read`() throws {
    var page = ObjectCollection(id: mika, kind: .orderedPage)
    page.items = [.string(note.id.text), ["id": .string(note.id.text)]]
    page.totalItems = 2
    page.first = .link(mika)
    page.next = mika
    #expect(!page.document.text.contains(":null") && !note.document.text.contains(":null"))
    let bare = [
      note.tags.map(\.json), [ObjectCollection(id: mika, kind: .ordered).json, Actor(id: mika, kind: .group).json],
    ]
    #expect(bare.joined().allSatisfy { !$0.text.contains(":null") })
    #expect(try ObjectCollection(reading: Document(parsing: page.document.bytes).node) == page)
    #expect(page.itemIRIs == [note.id, note.id])
    let tombstone = Tombstone(id: mika, formerType: "Note", deleted: note.published)
    #expect(try Tombstone(reading: Document(parsing: tombstone.document.bytes).node) == tombstone)
  }

  @Test(arguments: Audience.allCases)
  func `the addressing of an audience is read as that audience`(audience: Audience) throws {
    let followers = IRI("https://atelier.example/users/mika/followers")
    let addressing = Addressing(audience, followers: followers, mentions: [try iri("https://b.example/u/1")])
    #expect(addressing.audience(followers: followers) == audience)
  }

  @Test func `discovery documents have the shapes readers want`() throws {
    let handle = try #require(Handle("mika@atelier.example"))
    let finger = WebFinger.account(
      handle, actor: mika, page: try iri("https://atelier.example/@mika"),
      subscribe: "https://atelier.example/a?uri={uri}")
    #expect(WebFinger(reading: finger.json) == finger)
    #expect(finger.actor == mika && finger.json["subject"] == "acct:mika@atelier.example")
    #expect(HostMeta.xml(origin: "https://atelier.example").contains("template=\"https://atelier.example/.well-known/"))
    var info = NodeInfo(softwareName: "atelier", softwareVersion: "1.0.0", openRegistrations: false)
    info.repository = "https://example.org"
    #expect(info.json(.v20)["software"]?["repository"] == nil)
    #expect(info.json(.v21)["software"]?["repository"] == "https://example.org")
    #expect(NodeInfo.links(origin: "https://atelier.example")["links"]?.array?.count == 2)
  }
}
