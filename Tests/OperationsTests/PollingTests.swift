import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

@Suite struct PollingTests {
  private func ask(_ house: House, by author: Account, _ options: [String], isMultiple: Bool = false) async throws
    -> Post
  {
    try await house.write { tx, context in
      var draft = PostDraft(text: "Which?", content: "<p>Which?</p>")
      draft.poll = PollDraft(options: options, isMultiple: isMultiple, lasts: .seconds(600))
      return try tx.publish(draft, by: author, in: context)
    }
  }

  @Test func `votes here and from elsewhere are counted once each, and told once in a while`() async throws {
    let house = try await House()
    let (mika, nora) = (try await house.artist("mika"), try await house.artist("nora"))
    let ann = try await house.stranger("ann")
    let post = try await ask(house, by: mika, ["red", "blue"])
    try await house.write { tx, context in
      try tx.vote([0], in: post, by: nora, in: context)
      #expect(try tx.receiveVote(for: "blue", in: post, by: ann, in: context) == .counted)
      #expect(try tx.receiveVote(for: "red", in: post, by: ann, in: context) == .duplicate)
      #expect(try tx.receiveVote(for: "green", in: post, by: ann, in: context) == .noSuchAnswer)
      #expect(throws: OperationFailure.self) { try tx.vote([1], in: post, by: nora, in: context) }
      #expect(throws: OperationFailure.self) { try tx.vote([1], in: post, by: mika, in: context) }
      let poll = try tx.poll(of: post.id)
      #expect(poll?.options.map(\.votes) == [1, 1])
      #expect(poll?.voters == 2)
      #expect(
        try tx.rows("SELECT dedup_key FROM jobs WHERE dedup_key LIKE 'poll % counts'").count == 1)
    }
  }

  @Test func `the end is told once, to whoever asked and whoever answered here`() async throws {
    let house = try await House()
    let (mika, nora) = (try await house.artist("mika"), try await house.artist("nora"))
    let post = try await ask(house, by: mika, ["red", "blue"])
    try await house.write { tx, context in
      try tx.vote([0], in: post, by: nora, in: context)
      try tx.settlePoll(post.id, in: context)
      #expect(try tx.notifications(of: nora.id, kinds: [.poll], Page(limit: 5)).isEmpty)
    }
    house.pass(.seconds(601))
    let ann = try await house.stranger("ann")
    try await house.write { tx, context in
      try tx.settlePoll(post.id, in: context)
      try tx.settlePoll(post.id, in: context)
      for person in [mika, nora] {
        #expect(try tx.notifications(of: person.id, kinds: [.poll], Page(limit: 5)).map(\.fromID) == [mika.id])
      }
      #expect(try tx.receiveVote(for: "red", in: post, by: ann, in: context) == .ended)
      #expect(throws: OperationFailure.self) { try tx.vote([1], in: post, by: nora, in: context) }
    }
  }

  @Test func `an answer to a poll elsewhere is sent once for each choice, and its end awaited`() async throws {
    let house = try await House()
    let (mika, ann) = (try await house.artist("mika"), try await house.stranger("ann"))
    try await house.write { tx, context in
      let post = Post(
        id: context.ids.next(), uri: house.iri("https://paper.test/q"), url: house.iri("https://paper.test/q"),
        authorID: ann.id, visibility: .everyone, createdAt: context.now, isLocal: false)
      let poll = Poll(
        postID: post.id, options: [.init(title: "a"), .init(title: "b", votes: 4)], isMultiple: true,
        endsAt: context.now.adding(.seconds(60)), voters: 4, readAt: context.now)
      let received = ReceivedPost(
        post: post, attachments: [], mentions: [], tags: [], document: [1], poll: poll)
      _ = try tx.receive(received, from: ann, in: context)
      try tx.vote([0, 1], in: post, by: mika, in: context)
      let jobs = try tx.rows("SELECT payload FROM jobs ORDER BY id").map { try $0.string("payload") }
      #expect(jobs.count { $0.contains("voted") } == 2)
      #expect(jobs.count { $0.contains("settlePoll") } == 1)
      #expect(try tx.poll(of: post.id)?.options.map(\.votes) == [1, 5])
      #expect(try tx.receiveVote(for: "a", in: post, by: ann, in: context) == .noSuchAnswer, "not ours to count")
      var counted = poll
      counted.options[0].votes = 9
      try tx.receiveCounts(counted, of: post, in: context)
      #expect(try tx.poll(of: post.id)?.options.map(\.votes) == [9, 4])
      #expect(try tx.choices(by: mika.id, in: [post.id])[post.id] == [0, 1])
    }
  }

  @Test func `a code gives one token, and coming twice ends it`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    try await house.write { tx, context in
      let scopes = try #require(Scopes("read write:media"))
      let new = NewApplication(name: "Brush", website: nil, redirects: ["app://back"], scopes: scopes)
      let app = try tx.register(new, clientID: "c", secretHash: "s", in: context)
      let other = try tx.register(new, clientID: "d", secretHash: "s", in: context)
      try tx.authorize(
        app, for: mika, scopes: scopes, redirect: "app://back", challenge: "p", codeHash: "h", in: context)
      func exchange(_ by: OAuthClient, _ redirect: String, _ proof: String?) throws -> Result<AccessToken, GrantFailure>
      {
        try tx.exchange(
          codeHash: "h", redirect: redirect, challenge: proof, by: by, tokenHash: "t", in: context)
      }
      #expect(try exchange(other, "app://back", "p") == .failure(.unknown))
      #expect(try exchange(app, "app://back/", "p") == .failure(.otherRedirect))
      #expect(try exchange(app, "app://back", nil) == .failure(.proof))
      #expect(try exchange(app, "app://back", "p").get().scopes == "read write:media")
      #expect(try tx.application(tokenHash: "t") == app)
      #expect(try exchange(app, "app://back", "p") == .failure(.spent))
      #expect(try tx.application(tokenHash: "t") == nil)
    }
  }

  @Test(arguments: [
    "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a@b.test/",
    "https://", "no scheme", "https://a.test/#x", "//a.test", "urn:other", "x:", "https://a.test/\u{00e9}",
  ]) func `an address that is none, or that runs as a program, is no redirect`(text: String) {
    #expect(!OAuthClient.isRedirect(text))
  }

  @Test(arguments: [
    "urn:ietf:wg:oauth:2.0:oob", "com.tapbots.Ivory.10217:/request_token", "https://elk.zone/api/x?y=1",
    "http://127.0.0.1:8080/cb", "icecubesapp://", "tusky://oauth",
  ]) func `an address of an app is a redirect`(text: String) { #expect(OAuthClient.isRedirect(text)) }
}
