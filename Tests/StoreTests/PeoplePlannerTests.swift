import Model
import Persistence
import Primitives
import Store
import Testing

/// What people show of themselves: every statement finds its rows by an index.
@Suite struct PeoplePlannerTests {
  private func explain(
    _ body: @escaping @Sendable (Explaining, Scratch, Account, Account, Post) throws -> Void
  ) async throws -> (scans: [String], sorts: [String]) {
    let scratch = try await Scratch()
    return try await scratch.write { tx in
      let author = scratch.account("author")
      let far = scratch.account("far", host: "paper.test")
      let post = scratch.post(by: author)
      try tx.insert(author)
      try tx.insert(far)
      try tx.insert(post, tags: ["ink"])
      let explaining = Explaining(tx)
      try body(explaining, scratch, author, far, post)
      return (explaining.scans(allowing: []), explaining.sorts)
    }
  }

  @Test func `pins are found by their author and by their post`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      #expect(try tx.insertPin(scratch.id(), of: post.id, by: author.id))
      #expect(try !tx.insertPin(scratch.id(), of: post.id, by: author.id))
      #expect(try tx.pinnedPosts(of: author.id, visibleTo: nil) == [post])
      #expect(try tx.pinnedPosts(of: author.id, visibleTo: far.id) == [post])
      #expect(try tx.pinCount(of: author.id) == 1)
      #expect(try tx.pinned(among: [post.id]) == [post.id])
      #expect(try tx.assemble([post], for: author.id).pinned == [post.id])
      #expect(try tx.assemble([post], for: far.id).pinned == [])
      #expect(try !tx.deletePin(of: post.id, by: far.id))
      #expect(try tx.deletePin(of: post.id, by: author.id))
      try tx.deletePins(of: author.id)
    }
    #expect(found.scans == [] && found.sorts == [])
  }

  @Test func `portraits are found by their file, and defaults and tags by their owner`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      let digest = try #require(Digest(rawValue: String(repeating: "b", count: 64)))
      var changed = author
      changed.avatar = Portrait(digest: digest, mediaType: "image/png")
      changed.details.aliases = [far.uri]
      try tx.update(changed)
      #expect(try tx.account(author.id) == changed)
      #expect(try tx.accounts(withPortrait: "\(digest).png") == [changed])
      #expect(try tx.accounts(withPortrait: "\(digest).jpg") == [])
      #expect(try tx.isFileUsed(digest))
      var remote = far
      remote.headerURL = far.url
      try tx.update(remote)
      try tx.setPortrait(Portrait(digest: digest, mediaType: "image/jpeg"), at: .header, of: far.id, from: far.uri)
      #expect(try tx.account(far.id)?.header == nil, "another picture was named meanwhile")
      try tx.setPortrait(Portrait(digest: digest, mediaType: "image/jpeg"), at: .header, of: far.id, from: far.url)
      try tx.setPortrait(nil, at: .avatar, of: far.id, from: far.url)
      #expect(try tx.accounts(withPortrait: "\(digest).jpg").map(\.id) == [far.id])
      #expect(try tx.postingDefaults(of: author.id) == PostingDefaults())
      var defaults = PostingDefaults()
      defaults.language = "de"
      try tx.set(defaults, of: author.id)
      try tx.set(defaults, of: author.id)
      #expect(try tx.postingDefaults(of: author.id) == defaults)
      #expect(try tx.usedTags(by: author.id, limit: 5) == ["ink"])
      let tag = FeaturedTag(id: scratch.id(), accountID: author.id, tag: "ink", name: "Ink")
      #expect(try tx.insert(tag))
      #expect(try !tx.insert(tag))
      #expect(try tx.featuredTags(of: author.id).map(\.posts) == [1])
      #expect(try tx.usedTags(by: author.id, limit: 5) == [])
      try tx.delete(tag)
    }
    #expect(found.scans == [])
  }
}
