import Model
import Operations
import Policy
import Primitives
import Store
import Testing

@Suite struct PublishingTests {
  @Test func `a post reaches its author and the followers here, and is told of once`() async throws {
    let house = try await House()
    let (mika, ines, eve) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("eve")
    )
    try await house.befriend(ines, mika)
    let post = try await house.publish("hello", by: mika) {
      $0.mentions = [eve.id, mika.id]
      $0.tags = ["ink"]
    }
    #expect(try await house.home(of: mika) == ["<p>hello</p>"])
    #expect(try await house.home(of: ines) == ["<p>hello</p>"])
    #expect(try await house.home(of: eve) == [])
    #expect(try await house.told(eve) == [.mention])
    #expect(try await house.told(mika) == [])
    #expect(try await house.jobs() == [.federate(.created(post.id))])
    #expect(try await house.counts(mika)?.posts == 1)
    #expect(try await house.counts(mika)?.lastPostAt == post.createdAt)
    try await house.expectHonestCounts()
  }

  @Test func `the same key within a day gives the same post, and after a day another`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let first = try await house.publish("one", by: mika) { $0.idempotencyKey = "k" }
    #expect(try await house.publish("one", by: mika) { $0.idempotencyKey = "k" } == first)
    #expect(try await house.intents().count == 1)
    house.pass(.seconds(86_401))
    #expect(try await house.publish("one", by: mika) { $0.idempotencyKey = "k" } != first)
  }

  @Test func `a post of nothing, or of more than may be said, is refused`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let zalgo = "a" + String(repeating: "\u{0301}", count: Limits.postBytes)
    for text in ["", " \n\t", String(repeating: "x", count: Limits.postCharacters + 1), zalgo] {
      await #expect(throws: OperationFailure.self) { _ = try await house.publish(text, by: mika) }
    }
    await #expect(throws: OperationFailure.self) {
      _ = try await house.publish("x", by: mika) { $0.spoiler = String(repeating: "y", count: Limits.postCharacters) }
    }
    #expect(try await house.jobs() == [])
  }

  @Test func `a reply reaches those who follow both ends, the asked one, and no stranger's home`() async throws {
    let house = try await House()
    let names = ["mika", "ines", "both", "one"]
    var people: [Account] = []
    for name in names { people.append(try await house.artist(name)) }
    let (mika, ines, both, one) = (people[0], people[1], people[2], people[3])
    for (follower, followee) in [(both, mika), (both, ines), (one, mika), (ines, mika)] {
      try await house.befriend(follower, followee)
    }
    let parent = try await house.publish("parent", by: ines)
    let reply = try await house.publish("reply", by: mika) { $0.inReplyTo = parent }
    #expect(try await house.home(of: both) == ["<p>reply</p>", "<p>parent</p>"])
    #expect(try await house.home(of: ines) == ["<p>reply</p>", "<p>parent</p>"])
    #expect(try await house.home(of: mika) == ["<p>reply</p>"])
    #expect(try await house.home(of: one) == [])
    _ = try await house.publish("to myself", by: mika) { $0.inReplyTo = reply }
    #expect(try await house.home(of: one) == ["<p>to myself</p>"])
    #expect(try await house.counts(parent)?.replies == 1)
    try await house.expectHonestCounts()
  }

  @Test func `a remote reply to a post nobody has seen waits for its parent`() async throws {
    let house = try await House()
    let (mika, far, other) = (
      try await house.artist("mika"), try await house.stranger("far"), try await house.stranger("other")
    )
    try await house.befriend(mika, far)
    try await house.befriend(mika, other)
    let parent = house.remote("parent", by: other, at: "p")
    _ = try await house.receive(
      house.remote("reply", by: far, at: "r") { $0.post.inReplyToURI = parent.post.uri }, from: far)
    #expect(try await house.home(of: mika) == [])
    let stored = try #require(try await house.receive(parent, from: other))
    #expect(Set(try await house.home(of: mika)) == ["<p>reply</p>", "<p>parent</p>"])
    #expect(try await house.counts(stored)?.replies == 1)
    try await house.expectHonestCounts()
  }

  @Test func `a direct post is seen by its author and the mentioned, and counted nowhere`() async throws {
    let house = try await House()
    let (mika, ines, eve) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("eve")
    )
    for follower in [ines, eve] { try await house.befriend(follower, mika) }
    let parent = try await house.publish("parent", by: eve)
    _ = try await house.publish("secret", by: mika) {
      $0.visibility = .direct
      $0.mentions = [ines.id]
    }
    _ = try await house.publish("whispered reply", by: mika) {
      $0.visibility = .direct
      $0.mentions = [eve.id]
      $0.inReplyTo = parent
    }
    #expect(try await house.home(of: ines) == ["<p>secret</p>"])
    #expect(try await house.home(of: eve) == ["<p>whispered reply</p>", "<p>parent</p>"])
    #expect(try await house.home(of: mika).count == 2)
    #expect(try await house.counts(parent)?.replies == 0)
    #expect(try await house.counts(mika)?.posts == 0)
    try await house.expectHonestCounts()
  }

  @Test func `a mention of somebody who blocked its author is no notification`() async throws {
    let house = try await House()
    let (mika, eve) = (try await house.artist("mika"), try await house.artist("eve"))
    try await house.write { try $0.block(eve, by: mika, in: $1) }
    _ = try await house.publish("hey", by: eve) { $0.mentions = [mika.id] }
    #expect(try await house.told(mika) == [])
  }

  @Test func `an edit keeps the earlier text, tells the newly mentioned only, and follows the post in order`()
    async throws
  {
    let house = try await House()
    let (mika, ines, eve) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("eve")
    )
    let post = try await house.publish("first", by: mika) { $0.mentions = [ines.id] }
    house.pass(.seconds(60))
    let edited = try await house.write { tx, context in
      var draft = PostDraft(text: "second", content: "<p>second</p>")
      draft.mentions = [ines.id, eve.id]
      return try tx.edit(post, to: draft, altTexts: [:], by: mika, in: context)
    }
    #expect(edited.createdAt == post.createdAt)
    #expect(edited.editedAt == house.now)
    #expect(try await house.told(ines) == [.mention])
    #expect(try await house.told(eve) == [.mention])
    #expect(try await house.read { try $0.versions(of: post.id).map(\.content) } == ["<p>first</p>"])
    #expect(try await house.intents() == [.created(post.id), .updated(post.id)])
    await #expect(throws: OperationFailure.notFound) {
      try await house.write {
        _ = try $0.edit(post, to: PostDraft(text: "x", content: "x"), altTexts: [:], by: eve, in: $1)
      }
    }
  }

  @Test func `a deleted post takes its boosts, favourites and notifications with it and tells who had it`() async throws
  {
    let house = try await House()
    let (mika, ines, far) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.stranger("far")
    )
    let parent = try await house.publish("parent", by: ines)
    let post = try await house.publish("gone soon", by: mika) {
      $0.inReplyTo = parent
      $0.mentions = [ines.id]
    }
    _ = try await house.write { try $0.boost(post, by: ines, in: $1) }
    try await house.write { try $0.favourite(post, by: ines, in: $1) }
    try await house.write { tx, context in
      _ = try tx.receiveBoost(
        of: post, by: far, uri: house.iri("https://paper.test/b"), published: context.now, visibility: .everyone,
        in: context)
    }
    let answer = try await house.publish("answer", by: ines) { $0.inReplyTo = post }
    try await house.clearJobs()
    try await house.write { try $0.delete(post, by: mika, in: $1) }
    #expect(
      try await house.intents() == [
        .deleted(uri: post.uri, author: mika.id, visibility: .everyone, recipients: [far.id])
      ])
    #expect(try await house.counts(parent)?.replies == 0)
    #expect(try await house.told(ines) == [])
    #expect(try await house.home(of: ines) == ["<p>answer</p>", "<p>parent</p>"])
    #expect(try await house.read { try $0.tombstone(uri: post.uri) } != nil)
    #expect(try await house.read { try $0.post(answer.id)?.inReplyToID } == nil)
    try await house.expectHonestCounts()
    // What was pressed a moment too late changes nothing.
    try await house.write { try $0.unfavourite(post, by: ines, in: $1) }
    await #expect(throws: OperationFailure.notFound) {
      try await house.write { try $0.favourite(post, by: ines, in: $1) }
    }
    try await house.write { try $0.delete(post, by: mika, in: $1) }
    try await house.expectHonestCounts()
  }

  @Test func `a boost and a favourite are made once, told once and undone without trace`() async throws {
    let house = try await House()
    let (mika, ines, eve) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("eve")
    )
    try await house.befriend(eve, ines)
    let post = try await house.publish("work", by: mika)
    let boost = try await house.write { try $0.boost(post, by: ines, in: $1) }
    #expect(try await house.write { try $0.boost(post, by: ines, in: $1) } == boost)
    for _ in 0..<2 { try await house.write { try $0.favourite(post, by: ines, in: $1) } }
    #expect(try await house.counts(post) == PostCounts(boosts: 1, favourites: 1))
    #expect(Set(try await house.told(mika)) == [.boost, .favourite])
    #expect(try await house.told(mika).count == 2)
    #expect(try await house.home(of: eve).count == 1)
    // A boost of a boost, and a favourite of one, mean the work itself.
    let again = try await house.write { try $0.boost(boost, by: eve, in: $1) }
    #expect(again.boostOfID == post.id)
    try await house.write { try $0.favourite(boost, by: eve, in: $1) }
    #expect(try await house.counts(post) == PostCounts(boosts: 2, favourites: 2))
    try await house.write { tx, context in
      try tx.unboost(boost, by: ines, in: context)
      try tx.unboost(again, by: eve, in: context)
      for _ in 0..<2 {
        try tx.unfavourite(post, by: ines, in: context)
        try tx.unfavourite(boost, by: eve, in: context)
      }
    }
    #expect(try await house.counts(post) == PostCounts())
    try await house.write { try $0.unfavourite(post, by: eve, in: $1) }
    #expect(try await house.counts(post) == PostCounts())
    #expect(try await house.told(mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `own acts are no news`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let post = try await house.publish("mine", by: mika)
    _ = try await house.write { try $0.boost(post, by: mika, in: $1) }
    try await house.write { try $0.favourite(post, by: mika, in: $1) }
    #expect(try await house.told(mika) == [])
  }

  @Test func `what is not open is not boosted, and what is not seen is not favourited`() async throws {
    let house = try await House()
    let (mika, ines, far) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.stranger("far")
    )
    let post = try await house.publish("friends", by: mika) { $0.visibility = .followers }
    for act in [0, 1] {
      await #expect(throws: OperationFailure.self) {
        try await house.write {
          if act == 0 { _ = try $0.boost(post, by: ines, in: $1) } else { try $0.favourite(post, by: ines, in: $1) }
        }
      }
    }
    let boost = try await house.write { tx, context in
      try tx.receiveBoost(
        of: post, by: far, uri: house.iri("https://paper.test/b"), published: context.now, visibility: .everyone,
        in: context)
    }
    #expect(boost == nil)
    let open = try await house.publish("open", by: mika)
    try await house.write { try $0.block(ines, by: mika, in: $1) }
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.boost(open, by: ines, in: $1) }
    }
    try await house.expectHonestCounts()
  }

  @Test func `a second like of a remote post has another name than the first`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    let post = try #require(try await house.receive(house.remote("work", by: far, at: "1"), from: far))
    var names: Set<IRI> = []
    for _ in 0..<2 {
      try await house.write { try $0.favourite(post, by: mika, in: $1) }
      names.insert(try #require(try await house.read { try $0.favourite(of: post.id, by: mika.id)?.uri }))
      try await house.write { try $0.unfavourite(post, by: mika, in: $1) }
    }
    #expect(names.count == 2)
    #expect(try await house.intents().count == 4)
  }
}

@Suite struct ReceivingTests {
  @Test func `a known post is stored once, and one deleted before it came is not stored`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    try await house.befriend(mika, far)
    let first = house.remote("one", by: far, at: "1") { $0.mentions = [mika.id] }
    #expect(try await house.receive(first, from: far) != nil)
    #expect(try await house.receive(house.remote("one", by: far, at: "1"), from: far) == nil)
    #expect(try await house.told(mika) == [.mention])
    let late = house.remote("two", by: far, at: "2")
    try await house.write { try $0.receiveDelete(of: late.post.uri, by: far.uri, in: $1) }
    #expect(try await house.receive(late, from: far) == nil)
    try await house.write { try $0.receiveDelete(of: first.post.uri, by: far.uri, in: $1) }
    #expect(try await house.receive(first, from: far) == nil)
    #expect(try await house.told(mika) == [])
    #expect(try await house.home(of: mika) == [])
    try await house.expectHonestCounts()
  }

  @Test func `nobody deletes another's post, nor one of ours`() async throws {
    let house = try await House()
    let (mika, far, eve) = (
      try await house.artist("mika"), try await house.stranger("far"), try await house.stranger("eve")
    )
    let theirs = try #require(try await house.receive(house.remote("one", by: far, at: "1"), from: far))
    let ours = try await house.publish("ours", by: mika)
    for (post, actor) in [(theirs, eve.uri), (ours, mika.uri), (ours, far.uri)] {
      await #expect(throws: OperationFailure.notFound) {
        try await house.write { try $0.receiveDelete(of: post.uri, by: actor, in: $1) }
      }
    }
    #expect(try await house.read { try $0.post(uri: theirs.uri) } != nil)
    #expect(try await house.read { try $0.post(uri: ours.uri) } != nil)
  }

  @Test func `an edit from elsewhere never widens who may see a post and keeps its pictures`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    let picture = Model.Attachment(
      id: house.ids.next(), ownerID: far.id, remoteURL: house.iri("https://paper.test/a.png"), createdAt: house.now)
    let stored = try #require(
      try await house.receive(
        house.remote("one", by: far, at: "1") {
          $0.post.visibility = .followers
          $0.attachments = [picture]
        }, from: far))
    var same = picture
    same.id = house.ids.next()
    same.altText = "a cat"
    let edit = house.remote("two", by: far, at: "1") {
      $0.post.visibility = .everyone
      $0.mentions = [mika.id]
      $0.attachments = [same]
    }
    try await house.write { try $0.receiveEdit(edit, of: stored, in: $1) }
    let now = try #require(try await house.read { try $0.post(stored.id) })
    #expect(now.visibility == .followers)
    #expect(now.content == "<p>two</p>")
    #expect(now.createdAt == stored.createdAt)
    #expect(try await house.told(mika) == [.mention])
    let pictures = try await house.read { try $0.attachments(of: [stored.id])[stored.id] }
    #expect(pictures?.map(\.id) == [picture.id])
    #expect(pictures?.map(\.altText) == ["a cat"])
    #expect(try await house.jobs() == [.fetchMedia(picture.id)])
  }

  @Test func `favourites and boosts from elsewhere are counted once and undone once`() async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    let post = try await house.publish("work", by: mika)
    for number in 0..<2 {
      try await house.write { tx, context in
        try tx.receiveFavourite(
          of: post, by: far, uri: house.iri("https://paper.test/l/\(number)"), in: context)
        _ = try tx.receiveBoost(
          of: post, by: far, uri: house.iri("https://paper.test/b/\(number)"), published: context.now,
          visibility: .everyone, in: context)
      }
    }
    #expect(try await house.counts(post) == PostCounts(boosts: 1, favourites: 1))
    #expect(Set(try await house.told(mika)) == [.favourite, .boost])
    try await house.write { tx, _ in
      guard let like = try tx.favourite(of: post.id, by: far.id), let boost = try tx.boost(of: post.id, by: far.id)
      else { throw OperationFailure.notFound }
      for _ in 0..<2 {
        try tx.receiveUndo(of: like)
        try tx.receiveUndo(ofBoost: boost)
      }
    }
    #expect(try await house.counts(post) == PostCounts())
    #expect(try await house.told(mika) == [])
    try await house.write { try $0.block(far, by: mika, in: $1) }
    try await house.write {
      try $0.receiveFavourite(of: post, by: far, uri: house.iri("https://paper.test/l/9"), in: $1)
    }
    #expect(try await house.counts(post) == PostCounts())
  }

  @Test func `an old post that arrives late does not move its author's last post back`() async throws {
    let house = try await House()
    let far = try await house.stranger("far")
    _ = try await house.receive(house.remote("new", by: far, at: "1"), from: far)
    let old = house.now.adding(.seconds(-86_400))
    _ = try await house.receive(house.remote("old", by: far, at: "2") { $0.post.createdAt = old }, from: far)
    #expect(try await house.counts(far)?.lastPostAt == house.now)
  }
}
