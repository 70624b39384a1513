import Model
import Persistence
import Primitives
import Store
import Testing

@Suite struct AudienceTests {
  @Test func `a search for tags finds none that only private or waiting words bear`() async throws {
    let scratch = try await Scratch()
    let mika = scratch.account("mika")
    let found = try await scratch.write { tx in
      try tx.insert(mika)
      for (visibility, state) in [
        (Visibility.everyone, Post.State.published), (.direct, .published),
        (.followers, .published), (.unlisted, .published), (.everyone, .held),
      ] {
        let post = scratch.post(by: mika) {
          $0.visibility = visibility
          $0.state = state
        }
        try tx.insert(post, tags: ["ink\(visibility.rawValue)\(state.rawValue)"])
      }
      return try tx.tags(named: "ink", limit: 9)
    }
    #expect(found == ["inkpublicpublished"])
  }

  /// The Swift is the definition, the SQL its fast twin.
  @Test(arguments: [UInt64(1), 2, 3]) func `who may see a post is the same in Swift and in SQL`(seed: UInt64)
    async throws
  {
    let scratch = try await Scratch()
    let people = (0..<14).map { number in
      var person = scratch.account("p\(number)", host: number % 3 == 0 ? "paper.test" : nil)
      person.suspendedAt = number % 5 == 4 ? start : nil
      return person
    }
    let suspended = Set(people.filter { $0.suspendedAt != nil }.map(\.id))
    let checked = try await scratch.write { tx in
      var chance = Seeded(seed)
      for person in people { try tx.insert(person) }
      for one in people {
        for other in people where one.id != other.id {
          if Int.random(in: 0..<4, using: &chance) == 0 {
            let state = Follow.State.allCases.randomElement(using: &chance) ?? .pending
            try tx.insert(scratch.follow(one, other, state))
          }
          if Int.random(in: 0..<12, using: &chance) == 0 { try tx.insertBlock(by: one.id, of: other.id, at: start) }
        }
      }
      var posts: [(Post, Set<Account.ID>)] = []
      for author in people {
        for _ in 0..<18 {
          let mentioned = Set(people.filter { _ in Int.random(in: 0..<8, using: &chance) == 0 }.map(\.id))
          let visibility = Visibility.allCases.randomElement(using: &chance) ?? .direct
          let isHeld = Int.random(in: 0..<5, using: &chance) == 0
          let post = scratch.post(by: author) {
            $0.visibility = visibility
            $0.state = isHeld ? .held : .published
          }
          try tx.insert(post, mentions: Array(mentioned))
          posts.append((post, mentioned))
        }
      }
      var checked = 0
      for viewer in people.map(Optional.some) + [nil] {
        let seen = Set(try tx.posts(posts.map(\.0.id), visibleTo: viewer?.id).keys)
        for (post, mentioned) in posts {
          let follow = try viewer.flatMap { try tx.follow(of: post.authorID, by: $0.id) }
          let audience = Audience(
            visibility: post.visibility, state: post.state, viewerIsAuthor: viewer?.id == post.authorID,
            viewerFollowsAuthor: follow?.state == .accepted,
            viewerIsMentioned: viewer.map { mentioned.contains($0.id) } ?? false,
            blocked: try viewer.map { try tx.isBlocked(between: $0.id, and: post.authorID) } ?? false,
            authorIsSuspended: suspended.contains(post.authorID))
          guard audience.canSee == seen.contains(post.id) else {
            Issue.record("seed \(seed): \(audience) by SQL \(seen.contains(post.id))")
            return checked
          }
          checked += 1
        }
      }
      return checked
    }
    #expect(checked == 14 * 18 * 15)
  }
}
