import ClientAPI
import HTTPSupport
import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// Rows A13, C1 and C2 of the federation table: nobody is found by their words who does not wish to be.
@Suite struct SearchTests {
  private func bench() async throws -> (bench: ClientAPIBench, far: Account) {
    let bench = try await ClientAPIBench()
    for name in ["mika", "noor"] { try await bench.member(name, scopes: "read write") }
    return (bench, try await bench.stranger("bob", on: "canvas.test"))
  }

  private func receive(
    _ bench: ClientAPIBench, _ text: String, by author: Account, _ change: (inout Post) -> Void = { _ in }
  ) async throws -> Post {
    let id: Post.ID = bench.ids.next()
    let uri = try #require(author.uri.appending("/posts/\(id)"))
    var post = Post(
      id: id, uri: uri, url: uri, authorID: author.id, content: "<p>\(text)</p>", visibility: .everyone,
      createdAt: bench.time.now(), isLocal: false)
    change(&post)
    let received = ReceivedPost(post: post, attachments: [], mentions: [], tags: [], document: [])
    let context = bench.context
    return try await bench.database.write { tx in
      let writer = try tx.account(author.id) ?? author
      return try #require(try tx.receive(received, from: writer, in: context))
    }
  }

  private func setIndexable(_ isIndexable: Bool, _ account: Account, in bench: ClientAPIBench) async throws {
    try await bench.database.write { tx in
      var changed = try #require(try tx.account(account.id))
      changed.isIndexable = isIndexable
      try tx.update(changed)
    }
  }

  private func find(_ query: String, as name: String?, in bench: ClientAPIBench) async throws -> [String] {
    let answer = try await bench.get("/api/v2/search?q=\(percentEncoded(query))", as: name)
    #expect(answer.status == .ok)
    return try answer.json["statuses"]?.array?.compactMap { $0["id"]?.string } ?? []
  }

  @Test func `A13 C1 an author without indexable is found by nobody, and turning it off takes all past posts out`()
    async throws
  {
    let (bench, bob) = try await bench()
    let silent = try await receive(bench, "a turquoise heron", by: bob)
    #expect(try await find("heron", as: "mika", in: bench) == [])
    try await setIndexable(true, bob, in: bench)
    let loud = try await receive(bench, "another turquoise heron", by: bob)
    #expect(try await find("turquoise heron", as: "mika", in: bench) == [loud.id.description])
    #expect(try await find("heron", as: nil, in: bench) == [], "strangers search no words")
    try await setIndexable(false, bob, in: bench)
    #expect(try await find("heron", as: "mika", in: bench) == [])
    // What one had to do with is found again by oneself alone.
    _ = try await bench.post("/api/v1/statuses/\(silent.id)/favourite", as: "noor")
    _ = try await bench.post("/api/v1/statuses/\(loud.id)/bookmark", as: "mika")
    #expect(try await find("heron", as: "noor", in: bench) == [silent.id.description])
    #expect(try await find("heron", as: "mika", in: bench) == [loud.id.description])
  }

  @Test func `A13 people of here are found by their words once they wish it, and by themselves always`() async throws {
    let (bench, _) = try await bench()
    let id = try await bench.publish("a violet kingfisher", as: "mika")
    #expect(try await find("kingfisher", as: "mika", in: bench) == [id])
    #expect(try await find("kingfisher", as: "noor", in: bench) == [])
    let mika = try #require(try await bench.database.read { try $0.account(username: "mika", host: nil) })
    try await setIndexable(true, mika, in: bench)
    #expect(try await find("KINGFISHER violet", as: "noor", in: bench) == [id])
    let hidden = try await bench.publish("a private kingfisher", as: "mika", "private")
    let unlisted = try await bench.publish("an unlisted kingfisher", as: "mika", "unlisted")
    #expect(try await find("kingfisher", as: "noor", in: bench) == [id])
    #expect(try await find("kingfisher", as: "mika", in: bench) == [unlisted, hidden, id])
    let gone = try await bench.request(.delete, "/api/v1/statuses/\(id)", as: "mika")
    #expect(gone.status == .ok)
    #expect(try await find("violet", as: "mika", in: bench) == [])
    let rows = try await bench.database.read { tx in
      try tx.rows("SELECT rowid AS id FROM search_words").map { try $0.int64("id") }
    }
    #expect(rows.count == 2, "the words of a deleted post are gone")
  }

  @Test func `C2 a post may be narrower than its author, never wider`() async throws {
    let (bench, bob) = try await bench()
    try await setIndexable(true, bob, in: bench)
    _ = try await receive(bench, "ochre one", by: bob) { $0.searchability = .author }
    let followers = try await receive(bench, "ochre two", by: bob) { $0.searchability = .followers }
    let open = try await receive(bench, "ochre three", by: bob) { $0.searchability = .everyone }
    #expect(try await find("ochre", as: "mika", in: bench) == [open.id.description])
    let mika = try #require(try await bench.database.read { try $0.account(username: "mika", host: nil) })
    let context = bench.context
    try await bench.database.write { tx in
      try tx.insert(
        Follow(
          id: context.ids.next(), followerID: mika.id, followeeID: bob.id,
          uri: context.instance.follow(context.ids.next()), state: .accepted, createdAt: context.now))
    }
    #expect(try await find("ochre", as: "mika", in: bench) == [open.id.description, followers.id.description])
    try await setIndexable(false, bob, in: bench)
    #expect(try await find("ochre", as: "mika", in: bench) == [], "FEP-5feb is asked first")
  }

  @Test func `operators narrow a search, and nothing typed is an operator of the index`() async throws {
    let (bench, bob) = try await bench()
    try await setIndexable(true, bob, in: bench)
    let theirs = try await receive(bench, "the green \"door\" NEAR the sea", by: bob)
    let own = try await bench.publish("my green door", as: "mika")
    #expect(try await find("green door", as: "mika", in: bench) == [own, theirs.id.description])
    #expect(try await find("green from:me", as: "mika", in: bench) == [own])
    #expect(try await find("green from:@bob@canvas.test", as: "mika", in: bench) == [theirs.id.description])
    #expect(try await find("green from:@nobody@canvas.test", as: "mika", in: bench) == [])
    #expect(try await find("from:me", as: "mika", in: bench) == [own])
    #expect(try await find("green has:media", as: "mika", in: bench) == [])
    #expect(try await find("green before:2020-01-01", as: "mika", in: bench) == [])
    #expect(try await find("green after:2020-01-01", as: "mika", in: bench).count == 2)
    #expect(try await find("\"door near the\"", as: "mika", in: bench) == [theirs.id.description])
    for hostile in [
      "door*", "\"", "\"\"", "words:door", "door OR x", "NOT door", "(", "^door", "{a}", "a:b", "door\u{0}",
    ] {
      let answer = try await bench.get("/api/v2/search?q=\(percentEncoded(hostile))", as: "mika")
      #expect(answer.status == .ok || answer.status == .unprocessableContent, "\(hostile)")
    }
  }

  @Test func `search is paged by number and takes its parameters`() async throws {
    let (bench, bob) = try await bench()
    try await setIndexable(true, bob, in: bench)
    var ids: [String] = []
    for number in 0..<5 { ids.append(try await receive(bench, "sienna \(number)", by: bob).id.description) }
    func page(_ query: String) async throws -> [String] {
      try await bench.get("/api/v2/search?q=sienna&\(query)", as: "mika").json["statuses"]?.array?
        .compactMap { $0["id"]?.string } ?? []
    }
    #expect(try await page("limit=2") == [ids[4], ids[3]])
    #expect(try await page("limit=2&offset=2") == [ids[2], ids[1]])
    #expect(try await page("account_id=\(bob.id)").count == 5)
    #expect(try await page("account_id=1").isEmpty)
    #expect(try await page("type=accounts").isEmpty)
    let people = try await bench.get("/api/v2/search?q=bob&following=true", as: "mika").json
    #expect(people["accounts"] == [])
    #expect(try await bench.get("/api/v2/search?q=bob", as: "mika").json["accounts"]?.array?.count == 1)
  }

  @Test func `a search takes as many statements for forty works as for one`() async throws {
    let (bench, bob) = try await bench()
    try await setIndexable(true, bob, in: bench)
    let mika = try #require(try await bench.database.read { try $0.account(username: "mika", host: nil) })
    let context = bench.context
    func statements() async throws -> Int {
      try await bench.database.read { tx in
        let before = tx.statementCount
        let found = try tx.posts(
          matching: SearchQuery("umber"), by: nil, for: mika, offset: 0, limit: 40, in: context)
        _ = try tx.assemble(found, for: mika.id)
        return tx.statementCount - before
      }
    }
    _ = try await receive(bench, "umber", by: bob)
    let few = try await statements()
    for _ in 0..<39 { _ = try await receive(bench, "umber", by: bob) }
    #expect(try await statements() == few)
  }
}
