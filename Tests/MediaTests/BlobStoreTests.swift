import Foundation
import Media
import Primitives
import Testing

@Suite struct BlobStoreTests {
  private let root = FileManager.default.temporaryDirectory.path + "/blobs-" + UUID().uuidString

  private func with(_ body: (BlobStore) throws -> Void) throws {
    defer {
      do { try FileManager.default.removeItem(atPath: root) } catch { Issue.record(error) }
    }
    try body(try BlobStore(root: root))
  }

  @Test func `bytes come back under their digest, once, whoever puts them again`() throws {
    try with { store in
      let digest = try store.put(Array("abc".utf8))
      #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      #expect(try store.put(Array("abc".utf8)) == digest)
      #expect(try store.get(digest) == Array("abc".utf8))
      #expect(try store.size(digest) == 3)
      #expect(store.path(digest) == root + "/kept/ba/78/" + digest.hex)
      #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/incoming").isEmpty)
    }
  }

  @Test func `directories and files are for the server alone`() throws {
    try with { store in
      let digest = try store.put([1])
      for path in [root, root + "/kept", root + "/quarantine", root + "/incoming"] {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
      }
      #expect(try FileManager.default.attributesOfItem(atPath: store.path(digest))[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test func `held bytes are apart from served ones until they are released`() throws {
    try with { store in
      let digest = try store.put([7, 7], in: .quarantine)
      #expect(try store.get(digest) == nil)
      #expect(try store.move(digest, from: .quarantine, to: .kept))
      #expect(try store.get(digest) == [7, 7])
      #expect(try store.get(digest, in: .quarantine) == nil)
      #expect(try !store.move(digest, from: .quarantine, to: .kept))
    }
  }

  @Test func `a deleted blob is gone and may be deleted again`() throws {
    try with { store in
      let digest = try store.put([9])
      try store.delete(digest)
      try store.delete(digest)
      #expect(try store.get(digest) == nil)
    }
  }

  @Test func `what an interrupted put left is swept and what is whole stays`() throws {
    try with { store in
      let digest = try store.put([1, 2, 3])
      try Data([0]).write(to: URL(fileURLWithPath: root + "/incoming/Ab12Cd"))
      #expect(try store.sweep() == 1)
      #expect(try store.sweep() == 0)
      #expect(try store.get(digest) == [1, 2, 3])
    }
  }

  @Test func `a blob that rotted on disk is an error, and put makes it whole when its size changed`() throws {
    try with { store in
      let digest = try store.put([1, 2, 3])
      try Data([1, 2]).write(to: URL(fileURLWithPath: store.path(digest)))
      #expect(throws: BlobFailure.self) { try store.get(digest) }
      try store.put([1, 2, 3])
      #expect(try store.get(digest) == [1, 2, 3])
    }
  }

  @Test(arguments: ["", "..", "../../etc/passwd", String(repeating: "A", count: 64), String(repeating: "g", count: 64)])
  func `only a digest is a name`(text: String) {
    #expect(BlobDigest(text) == nil)
  }
}
