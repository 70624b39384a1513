import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

extension House {
  func digest(_ letter: Character) -> Digest {
    guard let digest = Digest(rawValue: String(repeating: letter, count: 64)) else {
      preconditionFailure("\(letter) is no hexadecimal digit")
    }
    return digest
  }

  func analysed(
    _ letter: Character, _ strength: EvidenceStrength?, hash: UInt64 = 0xff, for attachment: Model.Attachment.ID
  ) -> AnalysedPicture {
    let evidence = strength.map {
      [Evidence(kind: "test", strength: $0, implies: .generated, text: "A test says so.", place: "nowhere")]
    }
    return AnalysedPicture(
      original: digest(letter), assessment: Assessment(evidence: evidence ?? [], detector: "evidence/1"),
      declaration: .none, perceptualHash: PerceptualHash(rawValue: hash), blurhash: "x", width: 4, height: 4,
      digitalSourceType: nil,
      renditions: [
        Rendition(
          attachmentID: attachment, kind: .federated, digest: digest(letter), mediaType: "image/png", width: 4,
          height: 4, size: 9)
      ])
  }

  func upload(
    _ letter: Character, _ strength: EvidenceStrength?, hash: UInt64 = 0xff, by owner: Account
  ) async throws -> Model.Attachment {
    try await write { tx, context in
      let picture = Model.Attachment(id: context.ids.next(), ownerID: owner.id, createdAt: context.now)
      try tx.insert(picture)
      _ = try tx.settle(
        picture, as: self.analysed(letter, strength, hash: hash, for: picture.id), in: context)
      return try tx.attachment(picture.id) ?? picture
    }
  }

  func state(_ id: Model.Attachment.ID) async throws -> Model.Attachment.State? {
    try await read { try $0.attachment(id)?.state }
  }

  func current(_ id: Model.Attachment.ID) async throws -> Model.Attachment {
    try #require(try await read { try $0.attachment(id) })
  }

  func setPolicy(_ change: (inout PolicyDocument.Draft) -> Void) async throws {
    var draft = PolicyDocument.Draft()
    change(&draft)
    let document = try PolicyDocument(draft)
    try await write { tx, context in
      _ = try tx.changePolicy(
        to: document, from: try tx.currentPolicy().number, note: "", by: nil, in: context)
    }
  }

  /// Runs every queued second look.
  func reconsider() async throws {
    for case .reconsider(let id) in try await jobs() {
      try await write { tx, context in
        if let picture = try tx.attachment(id) { try tx.reconsider(picture, in: context) }
      }
    }
    try await write { tx, _ in
      _ = try tx.execute("DELETE FROM jobs WHERE payload >= '{\"reconsider' AND payload < '{\"reconsides'")
    }
  }

  /// A remote post with one picture that the worker has looked at.
  func remotePicture(
    _ letter: Character, _ strength: EvidenceStrength?, by far: Account, path: String, url: String? = nil
  ) async throws -> (post: Post, picture: Model.Attachment) {
    let picture = Model.Attachment(
      id: ids.next(), ownerID: far.id, remoteURL: iri("https://paper.test/\(url ?? path).png"), createdAt: now)
    let post = try #require(
      try await receive(remote("text", by: far, at: path) { $0.attachments = [picture] }, from: far))
    try await settle(picture.id, letter, strength)
    return (post, try await current(picture.id))
  }

  func settle(_ id: Model.Attachment.ID, _ letter: Character, _ strength: EvidenceStrength?) async throws {
    try await write { tx, context in
      guard let picture = try tx.attachment(id) else { throw OperationFailure.notFound }
      _ = try tx.settle(picture, as: self.analysed(letter, strength, for: id), in: context)
      _ = try tx.execute("DELETE FROM jobs")
    }
  }

  func fetches() async throws -> [Model.Attachment.ID] {
    try await jobs().compactMap { if case .fetchMedia(let id) = $0 { id } else { nil } }
  }
}

@Suite struct DecidingTests {
  @Test(arguments: [
    (EvidenceStrength?.none, Verdict.accept, Model.Attachment.State.ready), (.weak, .accept, .ready),
    (.strong, .label, .ready), (.conclusive, .refuse, .refused),
  ])
  func `the standard policy accepts, labels or refuses by evidence, here and elsewhere`(
    strength: EvidenceStrength?, verdict: Verdict, state: Model.Attachment.State
  ) async throws {
    let house = try await House()
    let (mika, far) = (try await house.artist("mika"), try await house.stranger("far"))
    let local = try await house.upload("a", strength, by: mika)
    let remote = try await house.remotePicture("b", strength, by: far, path: "1")
    for picture in [local, remote.picture] {
      #expect(picture.state == state)
      #expect(try await house.read { try $0.decisions(on: [picture.id])[picture.id]?.verdict } == verdict)
      let kept = try await house.read { try $0.renditions(of: [picture.id])[picture.id]?.count }
      #expect(kept == (state == .refused ? nil : 1))
    }
    #expect(try await house.told(mika) == (verdict == .accept ? [] : [.decision]))
    #expect(try await house.read { try $0.isRefused(digest: house.digest("b"), url: nil) } == (state == .refused))
    // The text of a remote post stays, whatever becomes of its picture.
    #expect(try await house.read { try $0.post(remote.post.id, visibleTo: nil) } != nil)
  }

  @Test func `a post with a held picture is announced with its original time when it is cleared`() async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    let (mika, ines, boss) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("boss")
    )
    try await house.befriend(ines, mika)
    let picture = try await house.upload("a", .strong, by: mika)
    let post = try await house.publish("work", by: mika) {
      $0.attachments = [picture.id]
      $0.mentions = [ines.id]
    }
    #expect(post.state == .held)
    #expect(try await house.intents() == [])
    #expect(try await house.home(of: ines) == [])
    #expect(try await house.told(ines) == [])
    #expect(try await house.counts(mika)?.posts == 0)
    #expect(try await house.read { try $0.post(post.id, visibleTo: ines.id) } == nil)
    #expect(try await house.read { try $0.post(post.id, visibleTo: mika.id) } != nil)
    house.pass(.seconds(3_600))
    let held = try await house.current(picture.id)
    try await house.write { try $0.overturn(held, by: boss, in: $1) }
    let released = try #require(try await house.read { try $0.post(post.id) })
    #expect(released.state == .published)
    #expect(released.createdAt == post.createdAt)
    #expect(try await house.intents() == [.created(post.id)])
    #expect(try await house.home(of: ines).count == 1)
    #expect(try await house.told(ines) == [.mention])
    try await house.expectHonestCounts()
  }

  @Test func `a held post stays held when its picture is refused, and an edit without it publishes it`() async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    let (mika, boss) = (try await house.artist("mika"), try await house.artist("boss"))
    let picture = try await house.upload("a", .strong, by: mika)
    let post = try await house.publish("work", by: mika) { $0.attachments = [picture.id] }
    let held = try await house.current(picture.id)
    try await house.write { try $0.decide(.refuse, on: held, sentence: "No.", by: boss, in: $1) }
    #expect(try await house.read { try $0.post(post.id)?.state } == .held)
    #expect(try await house.intents() == [])
    let edited = try await house.write {
      try $0.edit(post, to: PostDraft(text: "words", content: "words"), altTexts: [:], by: mika, in: $1)
    }
    #expect(edited.state == .published)
    #expect(try await house.intents() == [.created(post.id)])
    try await house.expectHonestCounts()
  }

  @Test func `a published post that an edit makes wait comes back as an edit and is deleted everywhere`() async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    let (mika, ines, boss) = (
      try await house.artist("mika"), try await house.artist("ines"), try await house.artist("boss")
    )
    let post = try await house.publish("work", by: mika) { $0.mentions = [ines.id] }
    let picture = try await house.upload("a", .strong, by: mika)
    try await house.clearJobs()
    let edited = try await house.write { tx, context in
      var draft = PostDraft(text: "work", content: "work")
      draft.attachments = [picture.id]
      draft.mentions = [ines.id]
      return try tx.edit(post, to: draft, altTexts: [:], by: mika, in: context)
    }
    #expect(edited.state == .held)
    #expect(try await house.intents() == [])
    let held = try await house.current(picture.id)
    try await house.write { try $0.overturn(held, by: boss, in: $1) }
    #expect(try await house.intents() == [.updated(post.id)])
    #expect(try await house.told(ines) == [.mention])
    try await house.expectHonestCounts()
    try await house.write { tx, _ in try tx.setState(.held, of: post.id) }
    let again = try #require(try await house.read { try $0.post(post.id) })
    try await house.clearJobs()
    try await house.write { try $0.delete(again, by: mika, in: $1) }
    #expect(try await house.intents().count == 1)
    try await house.expectHonestCounts()
  }

  @Test func `a post that never left its hold is deleted in silence`() async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    let mika = try await house.artist("mika")
    let picture = try await house.upload("a", .strong, by: mika)
    let post = try await house.publish("work", by: mika) { $0.attachments = [picture.id] }
    try await house.write { try $0.delete(post, by: mika, in: $1) }
    #expect(try await house.intents() == [])
    try await house.expectHonestCounts()
  }

  @Test func `a refused picture does not freeze the words of its post`() async throws {
    let house = try await House()
    let (mika, boss) = (try await house.artist("mika"), try await house.artist("boss"))
    let picture = try await house.upload("a", nil, by: mika)
    let post = try await house.publish("work", by: mika) { $0.attachments = [picture.id] }
    let shown = try await house.current(picture.id)
    try await house.write { try $0.decide(.refuse, on: shown, sentence: "No.", by: boss, in: $1) }
    let edited = try await house.write { tx, context in
      var draft = PostDraft(text: "typo mended", content: "typo mended")
      draft.attachments = [picture.id]
      return try tx.edit(post, to: draft, altTexts: [picture.id: "a cat"], by: mika, in: context)
    }
    #expect(edited.state == .published)
    #expect(try await house.current(picture.id).altText == "a cat")
  }

  @Test func `only own, unused and settled pictures are published`() async throws {
    let house = try await House()
    let (mika, ines) = (try await house.artist("mika"), try await house.artist("ines"))
    let (theirs, refused, used) = (
      try await house.upload("a", nil, by: ines), try await house.upload("b", .conclusive, by: mika),
      try await house.upload("c", nil, by: mika)
    )
    _ = try await house.publish("first", by: mika) { $0.attachments = [used.id] }
    for id in [theirs.id, refused.id, used.id, house.ids.next()] {
      await #expect(throws: OperationFailure.self) {
        _ = try await house.publish("x", by: mika) { $0.attachments = [id] }
      }
    }
    await #expect(throws: OperationFailure.self) {
      _ = try await house.publish("x", by: mika) { $0.attachments = [used.id, used.id] }
    }
  }

  @Test func `an overturned work is not flagged again, nor are copies near to it`() async throws {
    let house = try await House()
    let (mika, boss) = (try await house.artist("mika"), try await house.artist("boss"))
    let picture = try await house.upload("a", .strong, hash: 0xff, by: mika)
    try await house.write { try $0.overturn(picture, by: boss, in: $1) }
    for (letter, hash, verdict) in [
      (Character("a"), UInt64(0), Verdict.accept), ("b", 0xff, .accept), ("c", 0xfe, .accept),
      ("d", 0xffff_ffff, .label),
    ] {
      let copy = try await house.upload(letter, .strong, hash: hash, by: mika)
      #expect(try await house.read { try $0.decisions(on: [copy.id])[copy.id]?.verdict } == verdict)
    }
    // A later word against it takes the clearance back.
    let again = try await house.current(picture.id)
    try await house.write { try $0.decide(.hold, on: again, sentence: "Look.", by: boss, in: $1) }
    let copy = try await house.upload("a", .strong, hash: 0xff_0000, by: mika)
    #expect(try await house.read { try $0.decisions(on: [copy.id])[copy.id]?.verdict } == .label)
  }

  @Test func `a refused remote picture is fetched again after an overturn, and so is its copy elsewhere`() async throws
  {
    let house = try await House()
    let (far, boss) = (try await house.stranger("far"), try await house.artist("boss"))
    let first = try await house.remotePicture("a", .conclusive, by: far, path: "1", url: "same")
    #expect(first.picture.state == .refused)
    // The second post shows the same file: it is not fetched, and can be appealed all the same.
    let second = Model.Attachment(
      id: house.ids.next(), ownerID: far.id, remoteURL: house.iri("https://paper.test/same.png"), createdAt: house.now)
    _ = try await house.receive(house.remote("two", by: far, at: "2") { $0.attachments = [second] }, from: far)
    try await house.clearJobs()
    try await house.write { try $0.fail(second, reason: "media.refused_before", in: $1) }
    #expect(try await house.state(second.id) == .refused)
    _ = try await house.write { try $0.appeal(second, message: "mine", contact: "", in: $1) }
    try await house.write { try $0.overturn(first.picture, by: boss, in: $1) }
    #expect(try await house.state(first.picture.id) == .waiting)
    #expect(try await house.read { try $0.isRefused(digest: house.digest("a"), url: first.picture.remoteURL) } == false)
    try await house.reconsider()
    #expect(try await house.state(second.id) == .waiting)
    #expect(Set(try await house.fetches()) == [first.picture.id, second.id])
    for id in [first.picture.id, second.id] {
      try await house.settle(id, "a", .conclusive)
      #expect(try await house.state(id) == .ready)
    }
  }

  @Test func `bytes held for thirty days go, and a later clearance fetches them again`() async throws {
    let house = try await House()
    let (far, boss) = (try await house.stranger("far"), try await house.artist("boss"))
    let picture = try await house.remotePicture("a", .strong, by: far, path: "1", url: "same").picture
    try await house.write { try $0.decide(.hold, on: picture, sentence: "Let us look.", by: boss, in: $1) }
    try await house.clearJobs()
    house.pass(.seconds(29 * 86_400))
    try await house.write { try $0.endQuarantine(in: $1) }
    #expect(try await house.jobs().isEmpty)
    house.pass(.seconds(2 * 86_400))
    try await house.write { try $0.endQuarantine(in: $1) }
    #expect(try await house.state(picture.id) == .held)
    #expect(try await house.read { try $0.renditions(of: [picture.id]) }.isEmpty)
    #expect(try await house.jobs().contains { if case .discardFiles = $0 { true } else { false } })
    try await house.clearJobs()
    try await house.write { try $0.endQuarantine(in: $1) }
    #expect(try await house.jobs().isEmpty)
    let held = try await house.current(picture.id)
    try await house.write { try $0.overturn(held, by: boss, in: $1) }
    #expect(try await house.state(picture.id) == .waiting)
    #expect(try await house.fetches() == [picture.id])
  }

  @Test func `a stranger's word on somebody else's picture refuses it only where the stranger shows it`() async throws {
    let house = try await House()
    let (far, thief) = (try await house.stranger("far"), try await house.stranger("thief"))
    let url = house.iri("https://paper.test/own.png")
    let stolen = Model.Attachment(
      id: house.ids.next(), ownerID: thief.id, remoteURL: url, digitalSourceType: "trainedAlgorithmicMedia",
      createdAt: house.now)
    _ = try await house.receive(house.remote("mine", by: thief, at: "1") { $0.attachments = [stolen] }, from: thief)
    try await house.write { tx, context in
      var declared = house.analysed("a", nil, for: stolen.id)
      declared.declaration = .generated
      _ = try tx.settle(stolen, as: declared, in: context)
    }
    #expect(try await house.state(stolen.id) == .refused)
    #expect(try await house.read { try $0.isRefused(digest: house.digest("a"), url: url) } == false)
    let own = try await house.remotePicture("a", nil, by: far, path: "own")
    #expect(own.picture.state == .ready)
  }

  @Test func `what an edit said while the picture was looked at stays`() async throws {
    let house = try await House()
    let far = try await house.stranger("far")
    let picture = Model.Attachment(
      id: house.ids.next(), ownerID: far.id, remoteURL: house.iri("https://paper.test/1.png"), createdAt: house.now)
    _ = try await house.receive(house.remote("text", by: far, at: "1") { $0.attachments = [picture] }, from: far)
    let before = try await house.current(picture.id)
    try await house.write { tx, _ in
      var edited = before
      edited.altText = "a heron"
      edited.usagePolicy = UsagePolicy(.noAI, basis: .explicit)
      try tx.update(edited)
    }
    try await house.write { tx, context in
      _ = try tx.settle(before, as: house.analysed("a", nil, for: before.id), in: context)
    }
    let after = try await house.current(picture.id)
    #expect(after.altText == "a heron")
    #expect(after.usagePolicy != nil)
    #expect(after.postID == before.postID && after.state == .ready)
  }

  @Test func `a moderator's label on a refused picture outlives the second fetch`() async throws {
    let house = try await House()
    let (far, boss) = (try await house.stranger("far"), try await house.artist("boss"))
    let found = try await house.remotePicture("a", .conclusive, by: far, path: "1")
    try await house.write { try $0.decide(.label, on: found.picture, sentence: "Shown.", by: boss, in: $1) }
    #expect(try await house.fetches() == [found.picture.id])
    try await house.settle(found.picture.id, "a", .conclusive)
    #expect(try await house.state(found.picture.id) == .ready)
    let last = try await house.read { try $0.decisions(on: [found.picture.id])[found.picture.id] }
    #expect(last?.verdict == .label)
    // Other bytes at the same address are another work.
    try await house.settle(found.picture.id, "b", .conclusive)
    #expect(try await house.state(found.picture.id) == .refused)
  }

  @Test func `a milder policy undoes what the old one did, and a moderator's word stands`() async throws {
    let house = try await House()
    let (mika, far, boss) = (
      try await house.artist("mika"), try await house.stranger("far"), try await house.artist("boss")
    )
    try await house.setPolicy { $0.strong = "hold" }
    let local = try await house.upload("a", .strong, by: mika)
    let post = try await house.publish("work", by: mika) { $0.attachments = [local.id] }
    let gone = try await house.remotePicture("b", .conclusive, by: far, path: "1")
    let kept = try await house.remotePicture("c", .strong, by: far, path: "2")
    try await house.write { try $0.decide(.refuse, on: kept.picture, sentence: "No.", by: boss, in: $1) }
    try await house.clearJobs()
    try await house.setPolicy {
      $0.strong = "label"
      $0.conclusive = "label"
    }
    try await house.reconsider()
    #expect(try await house.state(local.id) == .ready)
    #expect(try await house.read { try $0.post(post.id)?.state } == .published)
    #expect(try await house.state(gone.picture.id) == .waiting)
    #expect(try await house.fetches() == [gone.picture.id])
    #expect(try await house.read { try $0.isRefused(digest: house.digest("b"), url: gone.picture.remoteURL) } == false)
    #expect(try await house.state(kept.picture.id) == .refused)
    try await house.expectHonestCounts()
  }

  @Test func `a stricter policy hides what was shown, and looking twice changes nothing`() async throws {
    let house = try await House()
    let far = try await house.stranger("far")
    let found = try await house.remotePicture("a", .strong, by: far, path: "1")
    try await house.setPolicy { $0.strong = "refuse" }
    try await house.reconsider()
    #expect(try await house.state(found.picture.id) == .refused)
    let before = try await house.dump()
    let picture = try await house.current(found.picture.id)
    try await house.write { try $0.reconsider(picture, in: $1) }
    #expect(try await house.dump() == before)
  }

  @Test func `a picture whose fetch failed is never shown without bytes`() async throws {
    let house = try await House()
    let far = try await house.stranger("far")
    let found = try await house.remotePicture("a", .conclusive, by: far, path: "1")
    try await house.setPolicy { $0.conclusive = "label" }
    try await house.reconsider()
    let waiting = try await house.current(found.picture.id)
    try await house.write { try $0.fail(waiting, reason: "fetch.status_404", in: $1) }
    try await house.setPolicy { $0.conclusive = "hold" }
    try await house.reconsider()
    #expect(try await house.state(found.picture.id) == .waiting)
  }

  @Test func `a policy changed meanwhile is not changed twice`() async throws {
    let house = try await House()
    try await house.setPolicy { $0.strong = "hold" }
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.changePolicy(to: .standard, from: 1, note: "", by: nil, in: $1) }
    }
    #expect(try await house.read { try $0.currentPolicy().document.strong } == .hold)
  }

  @Test func `five appeals wait at most, and nothing is appealed that nobody decided`() async throws {
    let house = try await House()
    let (mika, boss) = (try await house.artist("mika"), try await house.artist("boss"))
    let fine = try await house.upload("a", nil, by: mika)
    let flagged = try await house.upload("b", .strong, hash: 0xf0f0, by: mika)
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.appeal(fine, message: "m", contact: "c", in: $1) }
    }
    for _ in 0..<Limits.openAppeals {
      let appeal = try await house.write {
        try $0.appeal(flagged, message: String(repeating: "m", count: 9_000), contact: "c", in: $1)
      }
      #expect(appeal.message.count == Limits.appealMessage)
    }
    await #expect(throws: OperationFailure.self) {
      try await house.write { _ = try $0.appeal(flagged, message: "m", contact: "c", in: $1) }
    }
    // What strangers have used up, the artist still has.
    _ = try await house.write { try $0.appeal(flagged, message: "mine", contact: "", by: mika.id, in: $1) }
    try await house.write { try $0.decide(.label, on: flagged, sentence: "Stays.", by: boss, in: $1) }
    #expect(try await house.read { try $0.appeals(in: .upheld, Page(limit: 9)).count } == Limits.openAppeals + 1)
    let again = try await house.write { try $0.appeal(flagged, message: "m", contact: "c", in: $1) }
    try await house.write { try $0.overturn(flagged, by: boss, in: $1) }
    #expect(try await house.read { try $0.appeals(in: .overturned, Page(limit: 9)).map(\.id) } == [again.id])
  }
}
