import ActivityStreams
import Federation
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Store
import TestSupport
import Testing

/// Row N11 of the federation table: Questions and the votes in them, as Mastodon, GoToSocial, snac2 and Misskey send.
@Suite(.serialized) struct PollFederationTests {
  private static func asked(_ world: ReceivingWorld, isMultiple: Bool = false) async throws -> Post {
    let mika = world.mika
    let context = world.environment.context
    return try await world.database.write { tx in
      var draft = PostDraft(text: "Which?", content: "<p>Which?</p>")
      draft.poll = PollDraft(options: ["red", "blue"], isMultiple: isMultiple, lasts: .seconds(3_600))
      return try tx.publish(draft, by: mika, in: context)
    }
  }

  private static func vote(
    _ person: ReceivingPerson, _ id: String, for answer: String, in post: Post, _ more: JSON = [:]
  ) -> JSON {
    var note: JSON = [
      "id": .string("\(person.uri.text)#votes/\(id)"), "type": "Note", "name": .string(answer),
      "attributedTo": .string(person.uri.text), "inReplyTo": .string(post.uri.text),
      "to": .string("https://our.example/users/mika"),
    ]
    for (key, value) in more.pairs { note[key] = value }
    return person.activity("Create", id, object: note, to: ["https://our.example/users/mika"])
  }

  @Test func `N11 votes of peers are counted once, never shown, and void after the end`() async throws {
    let world = try await ReceivingWorld()
    let post = try await Self.asked(world)
    let (ann, bob) = (try world.person("ann"), try world.person("bob"))
    let posts = try await world.count("posts")
    #expect(try await world.deliver(Self.vote(ann, "1", for: "red", in: post), by: ann) == "done")
    // As snac2 writes it.
    let snac: JSON = ["content": "", "tag": [], "attachment": [], "cc": []]
    #expect(try await world.deliver(Self.vote(bob, "b1", for: "blue", in: post, snac), by: bob) == "done")
    #expect(try await world.deliver(Self.vote(ann, "2", for: "red", in: post), by: ann) == "done duplicate")
    #expect(try await world.deliver(Self.vote(ann, "3", for: "blue", in: post), by: ann) == "done duplicate")
    let eve = try world.person("eve")
    let wrong = try await world.deliver(Self.vote(eve, "e1", for: "green", in: post), by: eve)
    #expect(wrong == "rejected poll.no_such_answer")
    let poll = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(poll.options.map(\.votes) == [1, 1])
    #expect(poll.voters == 2)
    #expect(try await world.count("posts") == posts)
    let counts = try await world.database.read { try $0.counts(of: [post.id])[post.id] }
    #expect(counts?.replies == 0)
    // Any number of votes: one job tells them.
    #expect(try await world.count("jobs WHERE dedup_key LIKE 'poll % counts'") == 1)
    world.clock.advance(.seconds(3_601))
    #expect(try await world.deliver(Self.vote(eve, "e2", for: "red", in: post), by: eve) == "rejected poll.ended")
    try await world.work()
    let told = try await world.count("notifications WHERE kind = 'poll'")
    #expect(told == 1, "mika is told, and nobody elsewhere")
    let after = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(after.options.map(\.votes) == [1, 1])
    await world.close()
  }

  @Test func `N11 several answers of one person count as one voter where the poll takes them`() async throws {
    let world = try await ReceivingWorld()
    let post = try await Self.asked(world, isMultiple: true)
    let ann = try world.person("ann")
    #expect(try await world.deliver(Self.vote(ann, "1", for: "red", in: post), by: ann) == "done")
    #expect(try await world.deliver(Self.vote(ann, "2", for: "blue", in: post), by: ann) == "done")
    #expect(try await world.deliver(Self.vote(ann, "3", for: "blue", in: post), by: ann) == "done duplicate")
    let poll = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(poll.options.map(\.votes) == [1, 1])
    #expect(poll.voters == 1)
    await world.close()
  }

  @Test func `N11 a Question arrives with its answers, and an Update of counts is no edit`() async throws {
    let world = try await ReceivingWorld()
    let ann = try world.person("ann")
    let us = "https://our.example/users/mika"
    func question(_ red: Int64, _ blue: Int64, _ more: JSON = [:]) -> JSON {
      var note = ann.note("q", to: ["https://www.w3.org/ns/activitystreams#Public", us])
      note["type"] = "Question"
      note["endTime"] = .string(world.clock.now.adding(.seconds(600)).iso8601Seconds)
      note["votersCount"] = .integer(red + blue)
      note["oneOf"] = [
        ["type": "Note", "name": "red", "replies": ["type": "Collection", "totalItems": .integer(red)]],
        ["type": "Note", "name": "blue", "replies": ["type": "Collection", "totalItems": .integer(blue)]],
      ]
      for (key, value) in more.pairs { note[key] = value }
      return note
    }
    let first = question(0, 0)
    #expect(try await world.deliver(ann.activity("Create", "1", object: first, to: [us]), by: ann) == "done")
    let post = try #require(try await world.post(first["id"]?.string))
    let mika = world.mika
    let context = world.environment.context
    try await world.database.write { try $0.vote([1], in: post, by: mika, in: context) }
    let counted = ann.activity("Update", "2", object: question(3, 4), to: [us])
    #expect(try await world.deliver(counted, by: ann) == "done unchanged")
    let poll = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(poll.options.map(\.votes) == [3, 4])
    #expect(poll.voters == 7)
    #expect(try await world.count("post_versions") == 0)
    let absurd = ann.activity(
      "Update", "3",
      object: question(
        0, 0,
        [
          "votersCount": .double(1e30),
          "oneOf": [
            ["type": "Note", "name": "red", "replies": ["type": "Collection", "totalItems": .integer(.max)]],
            ["type": "Note", "name": "blue", "replies": ["type": "Collection", "totalItems": -5]],
          ],
        ]), to: [us])
    #expect(try await world.deliver(absurd, by: ann) == "done unchanged")
    let capped = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(capped.options.map(\.votes) == [1_000_000_000, 0])
    // At the end its own server is asked once more, and whoever took part is told.
    world.peers.put(try #require(first["id"]?.string), question(9, 8))
    world.clock.advance(.seconds(601))
    try await world.work()
    let last = try #require(try await world.database.read { try $0.poll(of: post.id) })
    #expect(last.options.map(\.votes) == [9, 8])
    #expect(try await world.count("notifications WHERE kind = 'poll' AND recipient_id = \(mika.id)") == 1)
    await world.close()
  }

  @Test func `N11 what is a vote for nothing here is neither stored nor asked about`() async throws {
    let world = try await ReceivingWorld()
    let ann = try world.person("ann")
    let context = world.environment.context
    let mika = world.mika
    let plain = try await world.database.write { tx in
      try tx.publish(PostDraft(text: "No poll", content: "<p>No poll</p>"), by: mika, in: context)
    }
    #expect(try await world.deliver(Self.vote(ann, "1", for: "red", in: plain), by: ann) == "done object.unknown")
    #expect(try await world.count("posts") == 1)
    await world.close()
  }

  @Test func `N11 a vote and its count cross between two servers of ours`() async throws {
    try await Pair.with { pair in
      try await pair.meet()
      let answer = try await pair.paper.api(
        "POST", "/api/v1/statuses", as: pair.alice,
        json: ["status": "Which?", "poll": ["options": ["red", "blue"], "expires_in": 3_600]])
      let uri = try #require(answer.json?["uri"]?.string.flatMap { IRI($0) })
      let found = try await pair.canvas.eventually { tx in try tx.post(uri: uri).flatMap { try tx.poll(of: $0.id) } }
      let id = try #require(found?.postID)
      let voted = try await pair.canvas.api(
        "POST", "/api/v1/polls/\(id)/votes", as: pair.berta, json: ["choices": [1]])
      #expect(voted.json?["own_votes"] == [1], "\(voted.text)")
      let counted = try await pair.paper.eventually { tx -> [Int]? in
        let votes = try tx.post(uri: uri).flatMap { try tx.poll(of: $0.id) }?.options.map(\.votes)
        return votes == [0, 1] ? votes : nil
      }
      #expect(counted == [0, 1])
      let replies = try await pair.paper.database.read { try $0.first("SELECT COUNT(*) AS n FROM posts")?.int("n") }
      #expect(replies == 1)
      // A second reader's vote changes what the first one's server must be told.
      let paul = try await pair.paper.resident("paul")
      let local = try #require(answer.json?["id"]?.string)
      let second = try await pair.paper.api(
        "POST", "/api/v1/polls/\(local)/votes", as: paul, json: ["choices": [0]])
      #expect(second.status == 200)
      pair.world.clock.advance(by: .seconds(31))
      let told = try await pair.canvas.eventually { tx -> [Int]? in
        let votes = try tx.poll(of: id)?.options.map(\.votes)
        return votes == [1, 1] ? votes : nil
      }
      #expect(told == [1, 1])
      let versions = try await pair.canvas.database.read {
        try $0.first("SELECT COUNT(*) AS n FROM post_versions")?.int("n")
      }
      #expect(versions == 0)
    }
  }
}
