import Model
import Persistence
import Primitives
import Store
import Testing

/// Conversations, quotes and search: every statement finds its rows by an index.
@Suite struct ThreadPlannerTests {
  private func explain(
    _ body: @escaping @Sendable (Explaining, Scratch, Account, Account, Post) throws -> Void
  ) async throws -> (scans: [String], sorts: [String]) {
    let scratch = try await Scratch()
    return try await scratch.write { tx in
      let author = scratch.account("author")
      let far = scratch.account("far", host: "paper.test")
      let post = scratch.post(by: author) { $0.visibility = .direct }
      try tx.insert(author)
      try tx.insert(far)
      try tx.insert(post)
      let explaining = Explaining(tx)
      try body(explaining, scratch, author, far, post)
      return (explaining.scans(allowing: []), explaining.sorts)
    }
  }

  @Test func `conversations are walked along an index and threads are joined by one`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      try tx.insertDirect(post.id, for: author.id, conversation: scratch.id(), isUnread: true)
      let talks = try tx.conversations(of: author.id, Page(limit: 20))
      let talk = try #require(talks.first)
      #expect(talk.lastPostID == post.id)
      #expect(talk.isUnread)
      #expect(try tx.directPosts(of: author.id, Page(from: ID(rawValue: 1), limit: 20)) == [post])
      try tx.setRead(talk.id, isUnread: false)
      #expect(try tx.conversation(talk.id, of: author.id)?.isUnread == false)
      #expect(try tx.conversation(talk.id, of: far.id) == nil)
      try tx.setThreadMute(true, of: post.id, by: author.id)
      // An answer came before the post it answers, and its thread is muted by somebody else.
      let missing = scratch.post(by: far) {
        $0.inReplyToURI = post.uri
        $0.inReplyToID = post.id
      }
      let early = scratch.post(by: far) {
        $0.inReplyToURI = missing.uri
        $0.visibility = .direct
      }
      try tx.insert(early)
      try tx.insertDirect(early.id, for: author.id, conversation: scratch.id(), isUnread: true)
      try tx.setThreadMute(true, of: early.id, by: far.id)
      #expect(try tx.mutedThreads(by: author.id, among: [early.id, post.id]) == [post.id])
      try tx.insert(missing)
      try tx.adoptReplies(to: missing)
      #expect(try tx.thread(of: early.id) == post.id.rawValue)
      #expect(try tx.mutedThreads(by: author.id, among: [early.id, post.id]) == [early.id, post.id])
      #expect(try tx.mutedThreads(by: far.id, among: [post.id]) == [post.id])
      let joined = try tx.conversations(of: author.id, Page(limit: 20))
      #expect(joined.map(\.lastPostID) == [early.id])
      try tx.delete(early)
      #expect(try tx.conversations(of: author.id, Page(limit: 20)).map(\.lastPostID) == [post.id])
      #expect(try tx.openThread(of: post.id, after: nil, limit: 5).map(\.id) == [missing.id])
      #expect(try tx.openThreadCount(of: post.id) == 1)
      #expect(try tx.openReplies(to: post.id, limit: 5).map(\.uri) == [missing.uri])
      try tx.setThreadRead(post.id, at: start)
      #expect(try tx.threadRead(of: post.id) == start)
      try tx.setThreadMute(false, of: post.id, by: author.id)
      try tx.delete(conversation: talk.id)
    }
    #expect(found.scans == [])
    #expect(found.sorts == [])
  }

  @Test func `quotes and consents are found from either end`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      let quoting = scratch.post(by: far)
      try tx.insert(quoting)
      var quote = Quote(
        postID: quoting.id, quotedURI: post.uri, quotedID: post.id, state: .pending, stampURI: far.uri,
        createdAt: start)
      try tx.put(quote)
      quote.state = .accepted
      try tx.put(quote)
      #expect(try tx.quote(of: quoting.id) == quote)
      #expect(try tx.quotes(stampedBy: far.uri) == [quote])
      #expect(try tx.quoteCounts(of: [post.id]) == [post.id: 1])
      #expect(try tx.posts(quoting: post.id, visibleTo: nil, Page(limit: 5)) == [quoting])
      #expect(try tx.localQuoters(of: post.id, limit: 5) == [])
      #expect(try tx.posts(uris: [quoting.uri])[quoting.uri] == quoting)
      _ = try tx.ties(of: author.id, among: [far.id])
      var consent = QuoteConsent(
        id: scratch.id(), quotedID: post.id, quotingURI: quoting.uri, askerID: far.id, requestURI: nil,
        state: .pending, createdAt: start)
      try tx.put(consent)
      consent.state = .accepted
      try tx.put(consent)
      #expect(try tx.consent(consent.id) == consent)
      #expect(try tx.consent(toQuote: post.id, in: quoting.uri) == consent)
      try tx.setInteraction(InteractionPolicy(reply: .init(automatic: [.followers])), .author, of: post.id)
      #expect(try tx.post(post.id)?.interaction?.reply == .init(automatic: [.followers]))
      #expect(try tx.post(post.id)?.searchability == .author)
      try tx.delete(post)
      #expect(try tx.quote(of: quoting.id)?.state == .deleted)
      try tx.deleteQuote(of: quoting.id)
    }
    #expect(found.scans == [])
    #expect(found.sorts == [])
  }

  @Test func `what an artist was asked is found among their works`() async throws {
    let found = try await explain { tx, _, author, _, _ in
      _ = try tx.consents(of: author.id, in: .pending, limit: 5)
    }
    #expect(found.scans == [])
  }

  @Test func `search walks the text index and looks consent up`() async throws {
    let found = try await explain { tx, scratch, author, far, _ in
      let open = scratch.post(by: author)
      try tx.insert(open)
      try tx.setWords("blue ink", of: open.id)
      #expect(try tx.hasWords(of: open.id))
      for words in [["blue"], [String]()] {
        let wanted = words.isEmpty ? 2 : 1
        for viewer in [author.id, far.id] {
          let search = PostSearch(
            words: words, author: author.id, onlyMedia: false, window: Page(before: ID(rawValue: .max), limit: 5))
          #expect(try tx.posts(found: search, by: viewer).count == (viewer == author.id ? wanted : 0))
        }
      }
      try tx.setWords(nil, of: open.id)
      #expect(try !tx.hasWords(of: open.id))
    }
    #expect(found.scans == [])
    #expect(found.sorts == [])
  }
}
