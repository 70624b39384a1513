import Primitives
import Signatures

/// Somebody on another server, with keys, who says and signs whatever a test wants.
package struct RemoteActor: Sendable {
  package let name: String
  package let host: String
  package let rsa: RSAPrivateKey
  package let ed25519: Ed25519PrivateKey

  package init(_ name: String, at host: String, seed: UInt64) throws {
    self.name = name
    self.host = host
    rsa = try RSAPrivateKey()
    ed25519 = try Ed25519PrivateKey(generatingWith: seededBytes(seed))
  }

  package var id: String { "https://\(host)/users/\(name)" }
  package var keyID: String { "\(id)#main-key" }
  package var proofKeyID: String { "\(id)#ed25519-key" }

  package var document: JSON {
    [
      "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"], "id": .string(id),
      "type": "Person", "preferredUsername": .string(name), "name": .string(name), "summary": "",
      "inbox": .string("\(id)/inbox"), "outbox": .string("\(id)/outbox"),
      "followers": .string("\(id)/followers"), "following": .string("\(id)/following"),
      "url": .string("https://\(host)/@\(name)"),
      "endpoints": ["sharedInbox": .string("https://\(host)/inbox")],
      "publicKey": [
        "id": .string(keyID), "owner": .string(id), "publicKeyPem": .string(rsa.publicKey.pem),
      ],
      "assertionMethod": [
        [
          "id": .string(proofKeyID), "type": "Multikey", "controller": .string(id),
          "publicKeyMultibase": .string(ed25519.publicKey.multibase),
        ]
      ],
    ]
  }

  package var webFinger: JSON {
    [
      "subject": .string("acct:\(name)@\(host)"),
      "links": [["rel": "self", "type": "application/activity+json", "href": .string(id)]],
    ]
  }

  /// `document` with this actor's integrity proof.
  package func proved(_ document: JSON, at now: Timestamp) throws -> JSON {
    guard let method = IRI(proofKeyID) else { return document }
    return try IntegrityProof.sign(document: document, key: ed25519, verificationMethod: method, created: now)
  }

  /// bob and mallory share a host; eve owns hers. One set of keys a run, since making them costs time.
  package static let bob = make("bob", "victim.test", 1)
  package static let mallory = make("mallory", "victim.test", 2)
  package static let eve = make("eve", "evil.test", 3)
  /// bob as he was before he changed his keys.
  package static let oldBob = make("bob", "victim.test", 4)

  package static func named(_ name: String) -> RemoteActor? {
    switch name {
    case "bob": bob
    case "mallory": mallory
    case "eve": eve
    case "oldBob": oldBob
    default: nil
    }
  }

  private static func make(_ name: String, _ host: String, _ seed: UInt64) -> RemoteActor {
    do { return try RemoteActor(name, at: host, seed: seed) } catch { fatalError("no keys for \(name): \(error)") }
  }
}
