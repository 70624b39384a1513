import Model
import Persistence
import Primitives
import Store
import Testing

/// Filters, followed tags, posts for later, grouped notifications and the tape of the streams: every statement finds its
/// rows by an index.
@Suite struct DailyPlannerTests {
  private func explain(
    allowing allowed: Set<String> = [],
    _ body: @escaping @Sendable (Explaining, Scratch, Account, Account, Post) throws -> Void
  ) async throws -> (scans: [String], sorts: [String]) {
    let scratch = try await Scratch()
    return try await scratch.write { tx in
      let author = scratch.account("author")
      let far = scratch.account("far", host: "paper.test")
      let post = scratch.post(by: author)
      try tx.insert(author)
      try tx.insert(far)
      try tx.insert(
        User(accountID: author.id, email: "a@mail.test", passwordHash: "x", role: .artist, createdAt: start))
      try tx.insert(post, tags: ["ink"])
      let explaining = Explaining(tx)
      try body(explaining, scratch, author, far, post)
      return (explaining.scans(allowing: allowed), explaining.sorts)
    }
  }

  @Test func `filters are found by their owner, their words and their posts`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      var filter = PostFilter(id: scratch.id(), ownerID: author.id, title: "a", contexts: [.home, .thread])
      try tx.put(filter)
      filter.title = "b"
      try tx.put(filter)
      let keyword = PostFilter.Keyword(id: scratch.id(), text: "ink", isWholeWord: true)
      try tx.put(keyword, in: filter.id)
      let entry = PostFilter.Entry(id: scratch.id(), postID: post.id)
      try tx.insert(entry, in: filter.id)
      try tx.insert(PostFilter.Entry(id: scratch.id(), postID: post.id), in: filter.id)
      filter.keywords = [keyword]
      filter.posts = [entry]
      #expect(try tx.filters(of: author.id) == [filter])
      #expect(try tx.filters(of: author.id, posts: [post.id]) == [filter])
      #expect(try tx.filters(of: far.id) == [])
      #expect(try tx.filter(withKeyword: keyword.id, of: author.id) == filter)
      #expect(try tx.filter(withEntry: entry.id, of: author.id) == filter)
      #expect(try tx.filter(withEntry: entry.id, of: far.id) == nil)
      try tx.delete(filterKeyword: keyword.id)
      try tx.delete(filterEntry: entry.id)
      try tx.delete(filter)
      #expect(try tx.filter(filter.id, of: author.id) == nil)
    }
    #expect(found.scans == [])
  }

  @Test func `tags are walked along an index, with their week`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      try tx.follow(tag: "ink", scratch.id(), by: author.id)
      try tx.follow(tag: "ink", scratch.id(), by: author.id)
      #expect(try tx.followedTags(of: author.id, Page(limit: 5)).map(\.tag) == ["ink"])
      #expect(try tx.followed(by: author.id, among: ["ink", "oil"]) == ["ink"])
      try tx.fillHomes(with: post, ofTags: ["ink", "oil"])
      #expect(try tx.home(of: author.id, Page(limit: 5)) == [post])
      _ = try tx.history(of: "ink", days: 7, until: start)
      try tx.unfollow(tag: "ink", by: author.id)
      try tx.clearHome(of: far.id, fromTag: "ink")
    }
    #expect(found.scans == [])
  }

  @Test func `posts for later are found by their author, and their pictures by themselves`() async throws {
    let found = try await explain { tx, scratch, author, _, _ in
      let picture = Model.Attachment(id: scratch.id(), ownerID: author.id, createdAt: start)
      try tx.insert(picture)
      var content = ScheduledPost.Content(text: "x")
      content.pictures = [picture.id]
      var later = ScheduledPost(id: scratch.id(), authorID: author.id, content: content, dueAt: start)
      try tx.insert(later)
      #expect(try tx.scheduled(among: [picture.id]) == [picture.id])
      later.failure = "media.refused"
      try tx.update(later)
      #expect(try tx.scheduledPosts(by: author.id, Page(limit: 5)) == [later])
      #expect(try tx.scheduledCount(by: author.id) == 1)
      #expect(try tx.deleteUnpostedAttachments(before: ID(rawValue: .max)) == 0)
      try tx.delete(later)
      #expect(try tx.scheduledPost(later.id) == nil)
      #expect(try tx.scheduled(among: [picture.id]) == [])
    }
    // Deleting what came into no post reads all that are in none.
    #expect(found.scans.allSatisfy { $0.contains("DELETE FROM attachments") })
  }

  @Test func `groups and requests of notifications are found by their recipient`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      for (kind, isFiltered) in [(Notification.Kind.favourite, false), (.mention, true)] {
        try tx.insert(
          Notification(
            id: scratch.id(), recipientID: author.id, kind: kind, fromID: far.id, postID: post.id, createdAt: start,
            isFiltered: isFiltered))
      }
      let shown = try tx.notifications(of: author.id, kinds: Notification.Kind.allCases, Page(limit: 5))
      let key = try #require(shown.first?.groupKey)
      #expect(shown.count == 1)
      #expect(try tx.groups(of: author.id, [key])[key]?.count == 1)
      #expect(try tx.notifications(of: author.id, inGroup: key, limit: 5) == shown)
      #expect(try tx.noticeRequests(of: author.id, Page(limit: 5)).map(\.count) == [1])
      let waiting = try tx.filteredCounts(of: author.id)
      #expect(waiting.requests == 1 && waiting.notices == 1)
      var policy = NoticePolicy()
      policy.newAccounts = .drop
      try tx.set(policy, of: author.id)
      #expect(try tx.noticePolicy(of: author.id) == policy)
      #expect(try !tx.isPermitted(far.id, by: author.id))
      try tx.permit(far.id, by: author.id)
      #expect(try tx.isPermitted(far.id, by: author.id))
      #expect(try tx.notifications(of: author.id, kinds: Notification.Kind.allCases, Page(limit: 5)).count == 2)
      try tx.deleteFiltered(from: far.id, to: author.id)
      try tx.deleteGroup(key, of: author.id)
    }
    #expect(found.scans == [])
  }

  @Test func `recommendations are walked along an index, and the directory along those who live here`() async throws {
    let found = try await explain(allowing: ["users"]) { tx, scratch, author, far, post in
      try tx.endorse(far.id, scratch.id(), by: author.id)
      #expect(try tx.endorsed(by: author.id, Page(limit: 5)).map(\.account) == [far])
      #expect(try tx.endorsed(by: author.id, among: [far.id]) == [far.id])
      try tx.unendorse(far.id, by: author.id)
      #expect(try tx.familiarFollowers(of: [far.id], to: author.id, limit: 3) == [:])
      #expect(try tx.suggestions(to: far.id, limit: 5) == [author])
      #expect(try tx.directory(byActivity: true, offset: 0, limit: 5) == [author])
      #expect(try tx.knownHosts(limit: 5) == ["paper.test"])
      _ = try tx.localPosts(from: start, to: start.adding(.seconds(5)))
    }
    #expect(found.scans == [])
  }

  @Test func `the tape of the streams is read from where it was left, and keeps its count`() async throws {
    let found = try await explain { tx, scratch, author, _, post in
      #expect(try tx.lastStreamEvent() == ID(rawValue: 0))
      try tx.insertStreamEvent(.published, post.id.rawValue)
      try tx.insertStreamEvent(.deleted, post.id.rawValue, trace: try tx.trace(of: post))
      #expect(try tx.streamEvents(after: ID(rawValue: 1), limit: 5).first?.trace?.tags == ["ink"])
      try tx.deleteStreamEvents(keeping: 1)
      try tx.insertStreamEvent(.revoked, author.id.rawValue)
      #expect(try tx.streamEvents(after: ID(rawValue: 0), limit: 5).map(\.id.rawValue) == [2, 3])
      #expect(try tx.notification(ID(rawValue: 5)) == nil)
    }
    #expect(found.scans == [])
  }
}
