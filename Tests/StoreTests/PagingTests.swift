import Model
import Persistence
import Primitives
import Store
import Testing

@Suite struct PagingTests {
  @Test func `walking down a home timeline visits each post once while new ones arrive`() async throws {
    let scratch = try await Scratch()
    let (reader, author) = (scratch.account("reader"), scratch.account("author"))
    let first = (0..<57).map { _ in scratch.post(by: author) }
    try await scratch.write { tx in
      for account in [reader, author] { try tx.insert(account) }
      try tx.insert(scratch.follow(reader, author))
      for post in first {
        try tx.insert(post)
        try tx.fillHomes(with: post, repliesToFollowed: nil)
      }
    }
    var seen: [Post.ID] = []
    var page = Page<Post>(limit: 5)
    while true {
      let window = page
      let found = try await scratch.read { try $0.home(of: reader.id, window).map(\.id) }
      guard let last = found.last else { break }
      seen += found
      page.before = last
      try await scratch.write { tx in
        let late = scratch.post(by: author)
        try tx.insert(late)
        try tx.fillHomes(with: late, repliesToFollowed: nil)
      }
    }
    #expect(seen == first.map(\.id).sorted(by: >))
  }

  @Test func `walking up from an id visits each post once, each page newest first`() async throws {
    let scratch = try await Scratch()
    let author = scratch.account("author")
    let posts = (0..<23).map { _ in scratch.post(by: author) }
    try await scratch.write { tx in
      try tx.insert(author)
      for post in posts { try tx.insert(post) }
    }
    var seen: [Post.ID] = []
    var page = Page<Post>(from: posts[2].id, limit: 4)
    while true {
      let window = page
      let found = try await scratch.read {
        try $0.posts(by: author.id, visibleTo: nil, AccountFilter(), window).map(\.id)
      }
      guard let newest = found.first else { break }
      #expect(found == found.sorted(by: >))
      seen += found.reversed()
      page.from = newest
    }
    #expect(seen == posts.dropFirst(3).map(\.id))
  }

  @Test func `followers, requests and queues are walked without gaps`() async throws {
    let scratch = try await Scratch()
    let author = scratch.account("author")
    let others = (0..<17).map { scratch.account("f\($0)") }
    try await scratch.write { tx in
      try tx.insert(author)
      for (index, other) in others.enumerated() {
        try tx.insert(other)
        try tx.insert(scratch.follow(other, author, index % 2 == 0 ? .accepted : .pending))
        try tx.insert(
          Model.Attachment(id: scratch.id(), ownerID: other.id, state: .held, createdAt: start))
      }
    }
    let (followers, requests, waiting) = try await scratch.read { tx in
      func walk(_ next: (Page<Follow>) throws -> [(follow: Follow, account: Account)]) throws -> [Account.ID] {
        var page = Page<Follow>(limit: 2)
        var found: [Account.ID] = []
        while let rows = try Optional(next(page)), let last = rows.last {
          found += rows.map(\.account.id)
          page.before = last.follow.id
        }
        return found
      }
      var waiting: [Model.Attachment.ID] = []
      var page = Page<Model.Attachment>(limit: 3)
      while true {
        let found = try tx.attachments(in: .held, page).map(\.id)
        guard let last = found.last else { break }
        waiting += found
        page.after = last
      }
      return (
        try walk { try tx.followers(of: author.id, $0) }, try walk { try tx.followRequests(to: author.id, $0) }, waiting
      )
    }
    #expect(Set(followers).count == 9)
    #expect(followers.count == 9)
    #expect(requests.count == 8)
    #expect(Set(waiting).count == 17)
    #expect(waiting.count == 17)
  }

  @Test func `a page of twenty posts costs as many statements as a page of two`() async throws {
    let scratch = try await Scratch()
    let author = scratch.account("author")
    try await scratch.write { tx in
      try tx.insert(author)
      for _ in 0..<20 {
        let original = scratch.post(by: author)
        try tx.insert(original, mentions: [author.id], tags: ["ink"])
        try tx.insert(scratch.post(by: author) { $0.boostOfID = original.id })
        try tx.insert(Model.Attachment(id: scratch.id(), ownerID: author.id, postID: original.id, createdAt: start))
      }
    }
    func cost(_ limit: Int) async throws -> Int {
      try await scratch.read { tx in
        let posts = try tx.posts(by: author.id, visibleTo: author.id, AccountFilter(), Page(limit: limit))
        let before = tx.statementCount
        let page = try tx.assemble(posts, for: author.id)
        #expect(page.boosted.count == limit / 2)
        #expect(page.attachments.count == limit / 2)
        return tx.statementCount - before
      }
    }
    let (small, large) = (try await cost(2), try await cost(20))
    #expect(small == large)
    // One for each kind of thing that a post may have or a viewer may have done with it.
    #expect(large <= 20)
  }

  @Test func `two posts that answer each other are a thread with an end`() async throws {
    let scratch = try await Scratch()
    let author = scratch.account("author", host: "loop.test")
    let one = scratch.post(by: author)
    let two = scratch.post(by: author) {
      $0.inReplyToID = one.id
      $0.inReplyToURI = one.uri
    }
    let root = scratch.post(by: author) {
      $0.inReplyToURI = two.uri
      $0.inReplyToID = nil
    }
    try await scratch.write { tx in
      try tx.insert(author)
      try tx.insert(one)
      try tx.insert(two)
      try tx.insert(root)
      try tx.execute("UPDATE posts SET in_reply_to_uri = \(two.uri) WHERE id = \(one.id)")
      try tx.adoptReplies(to: two)
      try tx.execute("UPDATE posts SET in_reply_to_uri = uri WHERE id = \(root.id)")
      try tx.adoptReplies(to: root)
    }
    let thread = try await scratch.read { tx in
      (
        try tx.ancestors(of: one.id, visibleTo: nil).map(\.id),
        try tx.descendants(of: one.id, visibleTo: nil).map(\.id),
        try tx.descendants(of: root.id, visibleTo: nil).map(\.id)
      )
    }
    #expect(thread.0 == [two.id])
    #expect(Set(thread.1) == [two.id, root.id])
    #expect(thread.2 == [])
  }
}
