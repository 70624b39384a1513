import Foundation
import Primitives
import Signatures
import Testing

/// The signed examples of the vocabulary are what a reader's implementation is tried on.
@Suite struct `The examples of the vocabulary` {
  private func example(_ name: String) throws -> JSON {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try JSON(parsing: Array(try Data(contentsOf: root.appending(path: "Vocab/examples/\(name).json"))))
  }

  private func key(_ name: String) throws -> Ed25519PublicKey {
    let text = try example(name)["assertionMethod"]?.array?.first?["publicKeyMultibase"]?.string
    guard case .ed25519(let key) = try PublicKey(multibase: try #require(text)) else {
      throw ProofFailure.unsupported
    }
    return key
  }

  @Test(arguments: [
    ("actor", "actor"), ("note", "actor"), ("policy", "actor"), ("application", "application"),
    ("receipt", "application"), ("assessment", "application"), ("assessment-overturned", "application"),
  ])
  func `bear proofs that hold, inner ones too, and fail when a word is changed`(name: String, signer: String) throws {
    let document = try example(name)
    let key = try key(signer)
    let now = Timestamp(secondsSince1970: 1_800_000_000)
    for part in [document, document["object"] ?? .null] where part["proof"] != nil {
      #expect(try IntegrityProof(of: part, at: now).verify(with: key).subject["id"] == part["id"])
      var changed = part
      changed["attributedTo"] = "https://evil.example/"
      let proof = try IntegrityProof(of: changed, at: now)
      #expect(throws: ProofFailure.self) { try proof.verify(with: key) }
    }
  }

  @Test func `say what was measured and never what a picture is`() throws {
    for name in ["assessment", "assessment-overturned"] {
      let document = try example(name)
      let text = (document["object"]?["content"] ?? document["content"])?.string ?? ""
      #expect(!text.isEmpty)
      for word in ["AI-generated", "generated", "fake", "is AI", "likely"] { #expect(!text.contains(word), "\(name)") }
    }
    #expect(try example("assessment")["content"]?.string?.contains("This is not proof.") == true)
  }
}
