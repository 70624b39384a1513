import Forensics
import Foundation
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Store
import TestSupport
import Testing

/// A whole server with its worker: what a work says is also in its files.
@Suite struct `The files of a work` {
  private struct Shown: Sendable {
    let instance: TestInstance
    let alice: Resident
    let post: Post.ID

    func files() async throws -> [Model.Rendition] {
      let post = post
      return try await instance.database.read { tx in
        let pictures = try tx.attachments(of: [post])[post] ?? []
        return try tx.renditions(of: pictures.map(\.id)).values.flatMap { $0 }
      }
    }

    /// The `plus:DataMining` terms of all files, as their bytes on the web hold them.
    func marks() async throws -> Set<String> {
      var marks: Set<String> = []
      for file in try await files() {
        let answer = try await instance.client.request("GET", "/media/\(file.fileName)", host: instance.host)
        #expect(answer.status == 200)
        let rights = Rights(found: try EmbeddedMetadata(reading: answer.body))
        marks.insert(rights.dataMining.flatMap { $0.split(separator: "/").last.map(String.init) } ?? "none")
      }
      return marks
    }

    func settle() async throws {
      let done = try await instance.eventually { tx in
        try tx.first("SELECT COUNT(*) AS many FROM jobs WHERE state = 'ready'")?.int("many") == 0 ? true : nil
      }
      #expect(done == true)
    }
  }

  @Test func `say anew what a stricter series says, under new names, and the old ones go`() async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let instance = try await TestInstance("paper.test", in: world, address: "45.0.0.9")
    let alice = try await instance.resident("alice")
    let picture = try await instance.upload(
      CasePicture.jpeg(width: 400, height: 300), named: "a.jpg", type: "image/jpeg", as: alice)
    let media = try #require(picture.json?["id"]?.string)
    let post = try await instance.api(
      "POST", "/api/v1/statuses", as: alice, json: ["status": "A work", "media_ids": [.string(media)]])
    let id = try #require(post.json?["id"]?.string.flatMap { Post.ID($0) })
    let shown = Shown(instance: instance, alice: alice, post: id)
    #expect(try await shown.marks() == ["DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"])
    let before = try await shown.files()
    world.clock.advance(by: .seconds(60))
    let series = try await instance.api(
      "POST", "/api/atelier/v1/series", as: alice, json: ["title": "Study", "usage_policy": "research-only"])
    let path = "/api/atelier/v1/series/\(try #require(series.json?["id"]?.string))"
    let added = try await instance.api(
      "POST", "\(path)/statuses", as: alice, json: ["status_ids": [.string(id.description)]])
    #expect(added.status == 200, "\(added.text)")
    try await shown.settle()
    #expect(try await shown.marks() == ["DMI-PROHIBITED-SEECONSTRAINT"])
    let after = try await shown.files()
    #expect(Set(after.map(\.kind)) == Set(before.map(\.kind)))
    for file in before {
      let gone = try await instance.client.request("GET", "/media/\(file.fileName)", host: "paper.test")
      #expect(gone.status == 404)
      #expect(
        !FileManager.default.fileExists(
          atPath: instance.services.media.blobs.path(try #require(.init(file.digest.rawValue)))))
    }
    // A work that says so itself is marked so from the first file its readers get.
    let second = try await instance.upload(CasePicture.png(width: 64, height: 48), as: alice)
    let open = try await instance.api(
      "POST", "/api/v1/statuses", as: alice,
      json: [
        "status": "Open", "usage_policy": "open", "media_ids": [.string(try #require(second.json?["id"]?.string))],
      ])
    let other = Shown(
      instance: instance, alice: alice, post: try #require(open.json?["id"]?.string.flatMap { Post.ID($0) }))
    try await other.settle()
    #expect(try await other.marks() == ["DMI-ALLOWED"])
    try await instance.stop()
  }
}
