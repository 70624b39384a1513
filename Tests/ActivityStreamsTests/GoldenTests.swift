import ActivityStreams
import Foundation
import Primitives
import Testing

func golden(_ path: String) throws -> Document {
  let folder = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
  return try Document(parsing: Array(Data(contentsOf: folder.appendingPathComponent(path))))
}

func iri(_ text: String) throws -> IRI { try #require(IRI(text)) }

@Suite struct GoldenTests {
  private func note(_ path: String) throws -> Note { try Note(reading: golden(path).node) }

  private func created(_ path: String) throws -> (Create, Note) {
    guard case .create(let create) = try Activity(reading: golden(path).node),
      case .embedded(.note(let note)) = create.object
    else { throw Unexpected() }
    return (create, note)
  }

  private struct Unexpected: Error {}

  @Test func `a Mastodon actor is read whole`() throws {
    let actor = try Actor(reading: golden("mastodon/actor.json").node)
    #expect(actor.kind == .person && actor.preferredUsername == "noor" && actor.name == "Noor :cat:")
    #expect(actor.sharedInbox == IRI("https://mastodon.example/inbox"))
    #expect(actor.publicKeys.map(\.id.fragment) == ["main-key"])
    #expect(actor.fields.map(\.name) == ["Site"])
    #expect(actor.discoverable && !actor.indexable && !actor.manuallyApprovesFollowers)
    #expect(actor.alsoKnownAs == [try iri("https://old.example/users/noor")])
    #expect(actor.attributionDomains == ["noor.example"])
    #expect(actor.tags.count == 1 && actor.omissions == 0)
    #expect(actor.icon?.mediaType == "image/jpeg")
  }

  @Test func `a Mastodon Create is read whole`() throws {
    let (create, note) = try created("mastodon/create.json")
    #expect(create.actor == note.attributedTo)
    #expect(note.addressing.audience(followers: IRI("https://mastodon.example/users/noor/followers")) == .public)
    #expect(note.content?.language == "en")
    #expect(note.context?.hasPrefix("tag:") == true)
    #expect(note.attachments.map(\.alt) == ["A harbour"])
    #expect(note.attachments.first?.focalPoint == .init(x: 0, y: -0.25))
    #expect(note.tags.count == 2 && note.omissions == 0 && note.summary == nil)
    #expect(note.replies == IRI("https://mastodon.example/users/noor/statuses/1/replies"))
  }

  @Test func `a poll is read with its counts`() throws {
    let note = try note("mastodon/question.json")
    #expect(note.kind == .question)
    #expect(note.poll?.options == [.init(name: "Ink", votes: 2), .init(name: "Oil", votes: 1)])
    #expect(note.poll?.voters == 3 && note.poll?.isMultiple == false)
    #expect(note.addressing.audience(followers: IRI("https://mastodon.example/users/noor/followers")) == .followers)
  }

  @Test func `Mastodon's other activities are recognised`() throws {
    guard case .follow(let follow) = try Activity(reading: golden("mastodon/follow.json").node),
      case .undo(let undo) = try Activity(reading: golden("mastodon/undo-announce.json").node),
      case .embedded(.announce(let announce)) = undo.object,
      case .delete(let delete) = try Activity(reading: golden("mastodon/delete.json").node),
      case .flag(let flag) = try Activity(reading: golden("mastodon/flag.json").node),
      case .move(let move) = try Activity(reading: golden("mastodon/move.json").node),
      case .add(let add) = try Activity(reading: golden("mastodon/add.json").node)
    else { throw Unexpected() }
    #expect(follow.object == IRI("https://atelier.example/users/mika"))
    #expect(announce.object == IRI("https://atelier.example/objects/1"))
    #expect(delete.object == IRI("https://mastodon.example/users/noor/statuses/1"))
    #expect(flag.objects.count == 2 && flag.content == "spam")
    #expect(move.target == IRI("https://new.example/users/noor"))
    #expect(add.target.path == "/users/noor/collections/featured")
  }

  @Test func `GoToSocial's single elements are lists of one`() throws {
    let note = try note("gotosocial/note.json")
    #expect(note.attachments.map(\.alt) == ["From summary"])
    #expect(note.attachments.map(\.sensitive) == [true])
    #expect(note.tags == [.hashtag(name: "ink", href: try iri("https://gts.example/tags/ink"))])
    #expect(note.addressing.audience(followers: IRI("https://gts.example/users/ito/followers")) == .unlisted)
    #expect(note.interactionPolicy != nil && note.summary == "CW")
  }

  @Test func `GoToSocial's key stub gives a key, and its Accept the follow`() throws {
    #expect(PublicKey.all(in: try golden("gotosocial/key.json").node).map(\.id.path) == ["/users/ito/main-key"])
    guard case .accept(let accept) = try Activity(reading: golden("gotosocial/accept.json").node),
      case .embedded(let follow) = accept.object
    else { throw Unexpected() }
    #expect(follow.object == accept.actor)
  }

  @Test func `a Pixelfed post is read`() throws {
    let (_, note) = try created("pixelfed/create.json")
    #expect(note.published == Timestamp(iso8601: "2026-11-03T18:00:00Z"))
    #expect(note.attachments.first?.width == 1080 && note.omissions == 0)
  }

  @Test func `Misskey's own members are read where they mean something`() throws {
    let actor = try Actor(reading: golden("misskey/actor.json").node)
    #expect(actor.manuallyApprovesFollowers && actor.publicKeys.count == 1 && actor.image == nil)
    let note = try note("misskey/note.json")
    #expect(note.quote == IRI("https://atelier.example/objects/1"))
    #expect(note.attachments.map(\.sensitive) == [true] && !note.sensitive)
    guard case .like(let like) = try Activity(reading: golden("misskey/like.json").node) else { throw Unexpected() }
    #expect(like.reaction == "❤")
  }

  @Test func `Lemmy's announced activity is known by its id, and its link is an omission`() throws {
    guard case .announce(let announce) = try Activity(reading: golden("lemmy/announce.json").node) else {
      throw Unexpected()
    }
    #expect(announce.object == IRI("https://lemmy.example/activities/create/1"))
    let page = try note("lemmy/page.json")
    #expect(page.kind == .page && page.name == "A press" && page.omissions == 1)
    #expect(page.attachments.map(\.alt) == ["The press"])
    #expect(try Actor(reading: golden("lemmy/group.json").node).kind == .group)
  }

  @Test func `a PeerTube video belongs to its person and leads to its page`() throws {
    let video = try note("peertube/video.json")
    #expect(video.attributedTo == IRI("https://peertube.example/accounts/kai"))
    #expect(video.url == IRI("https://peertube.example/w/1"))
    #expect(video.tags == [.hashtag(name: "etching", href: nil)])
  }

  @Test func `snac's string addresses are read`() throws {
    let note = try note("snac/note.json")
    #expect(note.addressing.audience(followers: nil) == .public)
    #expect(note.tags.count == 1)
  }

  @Test func `Akkoma's links and string tags are tolerated`() throws {
    let (_, note) = try created("akkoma/create.json")
    #expect(note.attachments.first?.url == IRI("https://akkoma.example/media/1.png"))
    #expect(note.attachments.first?.width == 640)
    #expect(note.omissions == 1 && note.tags.count == 1)
    #expect(note.addressing.audience(followers: nil) == .direct)
    guard case .like(let like) = try Activity(reading: golden("akkoma/emoji-react.json").node) else {
      throw Unexpected()
    }
    #expect(like.reaction == "🔥")
  }

  @Test(arguments: [
    "mastodon/question.json", "gotosocial/note.json", "misskey/note.json", "lemmy/page.json", "peertube/video.json",
    "snac/note.json",
  ])
  func `a golden note survives being written and read`(path: String) throws {
    var note = try note(path)
    note.omissions = 0
    #expect(try Note(reading: Document(parsing: note.document.bytes).node) == note)
  }

  @Test(arguments: ["mastodon/actor.json", "misskey/actor.json", "lemmy/group.json"])
  func `a golden actor survives being written and read`(path: String) throws {
    let actor = try Actor(reading: golden(path).node)
    #expect(try Actor(reading: Document(parsing: actor.document.bytes).node) == actor)
  }
}
