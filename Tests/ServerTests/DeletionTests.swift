import Federation
import Foundation
import HTTPTypes
import Model
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Testing

/// Rows N6, N7 and N8 of the federation table: what edits keep, what deletions take, and what digests are of.
@Suite(.serialized) struct DeletionTests {
  @Test func `N7 the files of a deleted work are gone with it, ours and the copies of others' works`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let own = try await world.picture(of: mika)
    let post = try await world.post(by: mika, pictures: [own])
    let far = try await world.stranger("ida", of: "paper.test")
    let (copy, theirs) = try await world.remotePost(by: far, content: "<p>Elsewhere</p>", verdict: .accept)
    let files = try await world.database.read { tx in
      try [own.id, theirs.id].map { try #require(try tx.renditions(of: [$0])[$0]?.first).fileName }
    }
    for file in files { #expect(try await world.answer(.get, "/media/\(file)").status == 200) }
    let context = world.context
    try await world.database.write { tx in
      try tx.delete(post, by: mika, in: context)
      try tx.receiveDelete(of: copy.uri, by: far.uri, in: context)
    }
    for file in files {
      let answer = try await world.answer(.get, "/media/\(file)")
      #expect(answer.status == 404)
      #expect(answer.header("x-robots-tag")?.contains("noai") == true)
    }
    #expect(try await world.answer(.get, "/@mika/\(post.id)").status == 404)
    try await world.close()
  }

  @Test func `N6 an edit elsewhere keeps what stood before, and an edit of ours goes out whole with its date`()
    async throws
  {
    let world = try await ReceivingWorld()
    let bob = try world.person("bob")
    let to = [world.mika.uri.text]
    _ = try await world.deliver(bob.activity("Create", "1", object: bob.note("1", to: to)), by: bob)
    world.clock.advance(.seconds(60))
    let changed = bob.note(
      "1", to: to, ["content": "<p>Another word</p>", "summary": "Careful", "updated": "2026-11-03T17:59:00Z"])
    #expect(try await world.deliver(bob.activity("Update", "2", object: changed), by: bob) == "done")
    let post = try #require(try await world.post("https://victim.test/notes/1"))
    let versions = try await world.database.read { try $0.versions(of: post.id) }
    #expect(post.content == "<p>Another word</p>" && post.spoiler == "Careful")
    #expect(versions.map(\.content) == ["<p>A work</p>"])
    #expect(versions.map(\.spoiler) == [""])

    let mika = world.mika
    let first = world.environment.context
    let own = try await world.database.write { tx in
      try tx.publish(PostDraft(text: "First", content: "<p>First</p>"), by: mika, in: first)
    }
    world.clock.advance(.seconds(60))
    let second = world.environment.context
    let edited = try await world.database.write { tx in
      try tx.edit(own, to: PostDraft(text: "Second", content: "<p>Second</p>"), altTexts: [:], by: mika, in: second)
    }
    let note = try JSON(
      parsing: try #require(try await Composer(environment: world.environment).note(edited)).bytes)
    #expect(note["content"] == "<p>Second</p>")
    #expect(note["updated"]?.string == second.now.iso8601Seconds)
    #expect(note["published"]?.string == first.now.iso8601Seconds)
    #expect(try await world.database.read { try $0.versions(of: own.id).map(\.content) } == ["<p>First</p>"])
    await world.close()
  }

  @Test func `N8 the digest of an attachment is that of the bytes at its address`() async throws {
    let house = try await DeliveringHouse()
    let bytes = Array("the very bytes".utf8)
    let digest = try #require(Digest(rawValue: Hex.encode(ContentDigest(of: bytes).bytes)))
    let picture = try await house.picture(7)
    try await house.database.write { tx in
      let file = Rendition(
        attachmentID: picture, kind: .federated, digest: digest, mediaType: "image/jpeg", width: 1, height: 1,
        size: bytes.count)
      try tx.replaceRenditions(of: picture, with: [file])
    }
    var draft = PostDraft(text: "A work", content: "<p>A work</p>")
    draft.attachments = [picture]
    let post = try await house.publish(draft)
    let note = try JSON(parsing: try #require(try await house.composer.note(post)).bytes)
    let attachment = try #require(note["attachment"]?.array?.first)
    #expect(attachment["digestMultibase"]?.string == ContentDigest(of: bytes).multibase)
    #expect(attachment["digestMultibase"]?.string?.hasPrefix("zQm") == true)
    #expect(attachment["size"] == .integer(Int64(bytes.count)))
    #expect(attachment["url"]?.string?.contains(digest.rawValue) == true, "the address names the digest too")
  }
}
