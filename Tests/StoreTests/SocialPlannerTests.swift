import Model
import Persistence
import Primitives
import Store
import Testing

/// Polls, apps and what people set aside: every statement finds its rows by an index.
@Suite struct SocialPlannerTests {
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
      try tx.insert(
        User(accountID: author.id, email: "a@mail.test", passwordHash: "x", role: .artist, createdAt: start))
      try tx.insert(post)
      let explaining = Explaining(tx)
      try body(explaining, scratch, author, far, post)
      return (explaining.scans(allowing: []), explaining.sorts)
    }
  }

  @Test func `polls and votes are found by their post`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      var poll = Poll(
        postID: post.id, options: [.init(title: "a"), .init(title: "b")], endsAt: start, voters: 0, readAt: start)
      try tx.put(poll)
      #expect(try tx.poll(of: post.id) == poll)
      let vote = PollVote(id: scratch.id(), postID: post.id, accountID: far.id, choice: 1, createdAt: start)
      #expect(try tx.insert(vote))
      var again = vote
      again.id = scratch.id()
      #expect(try !tx.insert(again))
      try tx.countVoter(in: post.id)
      try tx.setSettled(post.id, at: start)
      try tx.setRead(post.id, at: start)
      #expect(try tx.vote(vote.id) == vote)
      #expect(try tx.choices(by: far.id, in: [post.id]) == [post.id: [1]])
      #expect(try tx.voters(in: post.id, areLocal: false, limit: 5) == [far.id])
      #expect(try tx.voters(in: post.id, areLocal: true, limit: 5) == [])
      poll.options = [.init(title: "a"), .init(title: "b", votes: 1)]
      poll.voters = 1
      poll.settledAt = start
      #expect(try tx.polls(of: [post.id]) == [post.id: poll])
      #expect(try tx.assemble([post], for: far.id).choices[post.id] == [1])
      try tx.deleteVotes(in: post.id)
      try tx.deletePoll(of: post.id)
      #expect(try tx.poll(of: post.id) == nil)
    }
    #expect(found.scans == [])
  }

  @Test func `apps, their codes and their tokens are found by what they show`() async throws {
    let found = try await explain { tx, scratch, author, _, _ in
      let app = OAuthClient(
        id: scratch.id(), clientID: "c", secretHash: "s", name: "Brush", website: nil, redirects: ["a://b", "c://d"],
        scopes: "read", createdAt: start)
      try tx.insert(app)
      #expect(try tx.application(clientID: "c") == app)
      try tx.insert(
        AuthorizationCode(
          hash: "h", applicationID: app.id, accountID: author.id, redirect: "a://b", scopes: "read", challenge: nil,
          expiresAt: start))
      #expect(try tx.spend(code: "h", for: "t"))
      #expect(try !tx.spend(code: "h", for: "u"))
      #expect(try tx.authorizationCode(hash: "h")?.tokenHash == "t")
      for (hash, owner) in [("t", author.id), ("own", nil)] as [(String, Account.ID?)] {
        try tx.insert(
          AccessToken(
            id: scratch.id(), secretHash: hash, accountID: owner, applicationID: app.id, application: "Brush",
            scopes: "read", createdAt: start))
      }
      #expect(try tx.bearer(tokenHash: "own") == nil)
      #expect(try tx.applicationScopes(tokenHash: "own") == ["read"])
      #expect(try tx.applicationScopes(tokenHash: "t") == nil)
      #expect(try tx.application(tokenHash: "t") == app)
      #expect(try tx.grants(of: author.id, limit: 5).map(\.application) == [app])
      #expect(try tx.revoke(tokenHash: "own", of: app.id, at: start))
      #expect(try !tx.revoke(tokenHash: "own", of: app.id, at: start))
      try tx.revoke(token: scratch.id(), of: author.id, at: start)
      try tx.revokeEverything(of: author.id, at: start)
      #expect(try tx.authorizationCode(hash: "h") == nil)
      try tx.deleteCodes(expiredBefore: start)
      try tx.deleteApplications(unusedBefore: start.adding(.seconds(1)))
      #expect(try tx.application(clientID: "c") == app, "it was let in once")
    }
    #expect(found.scans == [])
  }

  @Test func `bookmarks, likes, lists and mutes are walked along an index`() async throws {
    let found = try await explain { tx, scratch, author, far, post in
      try tx.insertBookmark(scratch.id(), of: post.id, by: author.id)
      try tx.insertBookmark(scratch.id(), of: post.id, by: author.id)
      #expect(try tx.bookmarks(of: author.id, Page(limit: 5)).map(\.post) == [post])
      #expect(try tx.bookmarked(by: author.id, among: [post.id]) == [post.id])
      try tx.deleteBookmark(of: post.id, by: author.id)
      _ = try tx.insert(
        Favourite(accountID: author.id, postID: post.id, uri: iri("https://atelier.test/l"), createdAt: start))
      #expect(try tx.favourites(of: author.id, Page(limit: 5)).map(\.post) == [post])
      try tx.setMarker("home", to: 5, of: author.id, at: start)
      try tx.setMarker("home", to: 9, of: author.id, at: start)
      #expect(try tx.markers(of: author.id, ["home"]).map(\.version) == [2])
      var list = PeopleList(id: scratch.id(), ownerID: author.id, title: "Ink")
      try tx.put(list)
      list.title = "Oil"
      try tx.put(list)
      #expect(try tx.lists(of: author.id) == [list])
      #expect(try tx.list(list.id, of: far.id) == nil)
      try tx.insertMember(author.id, of: list.id)
      #expect(try tx.lists(of: author.id, with: author.id) == [list])
      #expect(try tx.members(of: list.id, Page(limit: 5)) == [author])
      try tx.fillHomes(with: post, repliesToFollowed: nil)
      #expect(try tx.timeline(of: list, Page(limit: 5)) == [post])
      try tx.setMute(.init(), of: far.id, by: author.id)
      try tx.setNote("met in Lyon", about: far.id, by: author.id)
      #expect(try tx.muted(by: author.id, Page(limit: 5)) == [far])
      #expect(try tx.blocked(by: author.id, Page(limit: 5)) == [])
      let aside = try tx.relationships(of: author.id, to: [far.id]).first?.aside
      #expect(aside?.mute?.hidesNotices == true && aside?.note == "met in Lyon")
      #expect(try tx.home(of: author.id, Page(limit: 5)) == [post])
      try tx.setMute(.init(hidesNotices: false, endsAt: start), of: far.id, by: author.id)
      try tx.endMutes(at: start)
      #expect(try tx.muted(by: author.id, Page(limit: 5)) == [])
      try tx.deleteMember(author.id, of: list.id)
      try tx.delete(list)
      try tx.delete(notification: scratch.id(), of: author.id)
      try tx.deleteNotifications(of: author.id)
    }
    #expect(found.scans == [])
    #expect(found.sorts == [])
  }
}
