import Model
import Operations
import Primitives
import Store
import Testing

@Suite struct FollowingTests {
  @Test func `a follow of a local artist is accepted at once, counted once and told once`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines"))
    _ = try await house.publish("old", by: ines)
    for _ in 0..<2 {
      let follow = try await house.write { try $0.follow(ines, by: mika, in: $1) }
      #expect(follow.state == .accepted)
    }
    #expect(try await house.counts(ines)?.followers == 1)
    #expect(try await house.counts(mika)?.following == 1)
    #expect(try await house.told(ines) == [.follow])
    #expect(try await house.home(of: mika) == ["<p>old</p>"])
    for _ in 0..<2 { try await house.write { try $0.unfollow(ines, by: mika, in: $1) } }
    #expect(try await house.home(of: mika) == [])
    #expect(try await house.told(ines) == [])
    try await house.expectHonestCounts()
  }

  @Test func `a locked artist is asked, and a request accepted twice counts once`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines", locked: true))
    _ = try await house.publish("for friends", by: ines) { $0.visibility = .followers }
    let follow = try await house.write { try $0.follow(ines, by: mika, in: $1) }
    #expect(follow.state == .pending)
    #expect(try await house.told(ines) == [.followRequest])
    #expect(try await house.home(of: mika) == [])
    #expect(try await house.counts(ines)?.followers == 0)
    for _ in 0..<2 { try await house.write { try $0.acceptFollow(by: mika, to: ines, in: $1) } }
    #expect(try await house.told(ines) == [.follow])
    #expect(try await house.home(of: mika) == ["<p>for friends</p>"])
    try await house.expectHonestCounts()
  }

  @Test func `a request withdrawn or rejected leaves no trace with the one who was asked`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines", locked: true))
    _ = try await house.write { try $0.follow(ines, by: mika, in: $1) }
    try await house.write { try $0.unfollow(ines, by: mika, in: $1) }
    #expect(try await house.told(ines) == [])
    _ = try await house.write { try $0.follow(ines, by: mika, in: $1) }
    try await house.write { try $0.rejectFollow(by: mika, to: ines, in: $1) }
    #expect(try await house.told(ines) == [])
    await #expect(throws: OperationFailure.notFound) {
      try await house.write { try $0.acceptFollow(by: mika, to: ines, in: $1) }
    }
    try await house.expectHonestCounts()
  }

  @Test func `an artist who removes a follower is gone from that follower's home timeline`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines"))
    _ = try await house.write { try $0.follow(ines, by: mika, in: $1) }
    _ = try await house.publish("seen", by: ines)
    #expect(try await house.home(of: mika) == ["<p>seen</p>"])
    try await house.write { try $0.rejectFollow(by: mika, to: ines, in: $1) }
    #expect(try await house.home(of: mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `an unlocked account takes everybody who waited`() async throws {
    let house = try await House()
    var ines = try await house.artist("ines", locked: true)
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    _ = try await house.write { [ines] in try $0.follow(ines, by: mika, in: $1) }
    try await house.write { [ines] in
      try $0.receiveFollow(of: ines, by: far, uri: house.iri("https://paper.test/f/1"), in: $1)
    }
    ines.isLocked = false
    try await house.write { [ines] in try $0.updateProfile(ines, in: $1) }
    #expect(try await house.counts(ines)?.followers == 2)
    #expect(
      try await house.intents().contains { if case .accepted = $0 { true } else { false } })
    try await house.expectHonestCounts()
  }

  @Test func `a remote follow is pending until its server accepts, and then only once`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    _ = try await house.receive(house.remote("before", by: far, at: "1"), from: far)
    let follow = try await house.write { try $0.follow(far, by: mika, in: $1) }
    #expect(follow.state == .pending)
    #expect(try await house.intents() == [.followed(follow.id)])
    #expect(try await house.home(of: mika) == [])
    for _ in 0..<2 { try await house.write { try $0.receiveAccept(of: follow, in: $1) } }
    #expect(try await house.counts(mika)?.following == 1)
    #expect(try await house.home(of: mika) == ["<p>before</p>"])
    // The copy says pending, the row says accepted: what was counted is counted back.
    try await house.write { tx, _ in try tx.receiveReject(of: follow) }
    #expect(try await house.home(of: mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `a remote follower is answered each time it asks and is counted once`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    for number in 1...2 {
      try await house.write {
        try $0.receiveFollow(of: mika, by: far, uri: house.iri("https://paper.test/f/\(number)"), in: $1)
      }
    }
    #expect(try await house.intents().count == 2)
    #expect(try await house.told(mika) == [.follow])
    let follow = try #require(try await house.read { try $0.follow(of: mika.id, by: far.id) })
    #expect(follow.uri.text == "https://paper.test/f/2")
    for _ in 0..<2 { try await house.write { tx, _ in try tx.receiveUndo(of: follow) } }
    #expect(try await house.told(mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `a blocked account is rejected, whoever of the two blocked`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    let uri = house.iri("https://paper.test/f/1")
    try await house.write { try $0.block(far, by: mika, in: $1) }
    try await house.write { try $0.receiveFollow(of: mika, by: far, uri: uri, in: $1) }
    #expect(try await house.intents() == [.rejected(uri: uri, follower: far.id, followee: mika.id)])
    #expect(try await house.read { try $0.follow(of: mika.id, by: far.id) } == nil)
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.follow(far, by: mika, in: $1) }
    }
    #expect(try await house.told(mika) == [])
  }

  @Test func `a block ends follows both ways and clears both home timelines`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines"))
    _ = try await house.write { try $0.follow(ines, by: mika, in: $1) }
    _ = try await house.write { try $0.follow(mika, by: ines, in: $1) }
    _ = try await house.publish("of mika", by: mika)
    _ = try await house.publish("of ines", by: ines)
    try await house.write { try $0.block(ines, by: mika, in: $1) }
    try await house.write { tx, _ in try tx.unblock(ines, by: mika) }
    #expect(try await house.home(of: mika) == ["<p>of mika</p>"])
    #expect(try await house.home(of: ines) == ["<p>of ines</p>"])
    #expect(try await house.told(mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `a block from elsewhere ends follows both ways and is answered with nothing`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    try await house.befriend(mika, far)
    try await house.befriend(far, mika)
    try await house.write { try $0.block(mika, by: far, in: $1) }
    #expect(try await house.read { try $0.follow(of: mika.id, by: far.id) } == nil)
    #expect(try await house.read { try $0.follow(of: far.id, by: mika.id) } == nil)
    #expect(try await house.intents() == [])
    try await house.expectHonestCounts()
  }

  @Test func `nobody follows or blocks themselves`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    await #expect(throws: OperationFailure.self) { try await house.write { _ = try $0.follow(mika, by: mika, in: $1) } }
    await #expect(throws: OperationFailure.self) { try await house.write { try $0.block(mika, by: mika, in: $1) } }
  }

  @Test func `nobody follows an account that has moved away`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    try await house.write { tx, _ in try tx.receiveMove(of: far, to: house.iri("https://new.test/users/far")) }
    let moved = try #require(try await house.read { try $0.account(far.id) })
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.follow(moved, by: mika, in: $1) }
    }
    #expect(try await house.jobs() == [])
  }

  @Test func `a trial asks nobody elsewhere and tells nobody`() async throws {
    let house = try await House(base: "http://127.0.0.1:8080")
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    await #expect(throws: OperationFailure.self) { try await house.write { _ = try $0.follow(far, by: mika, in: $1) } }
    let post = try await house.publish("here", by: mika)
    _ = try await house.write { try $0.boost(post, by: mika, in: $1) }
    try await house.write { try $0.updateProfile(mika, in: $1) }
    try await house.write { try $0.delete(post, by: mika, in: $1) }
    #expect(try await house.jobs() == [])
  }

  @Test func `a departed account takes its follows, favourites, boosts and replies out of the numbers`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    try await house.befriend(mika, far)
    try await house.befriend(far, mika)
    let post = try await house.publish("liked", by: mika)
    try await house.write { tx, context in
      try tx.receiveFavourite(of: post, by: far, uri: house.iri("https://paper.test/l/1"), in: context)
      _ = try tx.receiveBoost(
        of: post, by: far, uri: house.iri("https://paper.test/b/1"), published: context.now, visibility: .everyone,
        in: context)
    }
    _ = try await house.receive(
      house.remote("reply", by: far, at: "r") {
        $0.post.inReplyToID = post.id
        $0.post.inReplyToURI = post.uri
        $0.post.inReplyToAccountID = mika.id
      }, from: far)
    #expect(try await house.counts(post) == PostCounts(replies: 1, boosts: 1, favourites: 1))
    try await house.write { try $0.receiveDeparture(of: far, in: $1) }
    #expect(try await house.counts(post) == PostCounts())
    try await house.expectHonestCounts()
  }
}
