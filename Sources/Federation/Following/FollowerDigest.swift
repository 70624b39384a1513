import Primitives
import Signatures

/// What a set of actors comes to, whatever order they are named in (FEP-8fcf): the exclusive or of the SHA-256 of each
/// id.
package struct FollowerDigest: Hashable, Sendable {
  /// 32 bytes; zeros for nobody.
  private var bytes = [UInt8](repeating: 0, count: 32)

  package init() {}

  package init(of actors: some Sequence<IRI>) { for actor in actors { add(actor) } }

  /// Sixty-four hexadecimal digits.
  package init?(_ text: String) {
    guard text.utf8.count == 64, let bytes = Hex.decode(text.lowercased()) else { return nil }
    self.bytes = bytes
  }

  package mutating func add(_ actor: IRI) {
    let hash = ContentDigest(of: Array(actor.text.utf8)).bytes
    for (index, byte) in hash.enumerated() where index < bytes.count { bytes[index] ^= byte }
  }

  package var text: String { Hex.encode(bytes) }
}

/// The value of a `Collection-Synchronization` field.
package struct CollectionSynchronization: Hashable, Sendable {
  /// The whole list of followers.
  package var collection: IRI
  /// The part of it that is of the reader's server.
  package var url: IRI
  package var digest: FollowerDigest

  package init(collection: IRI, url: IRI, digest: FollowerDigest) {
    self.collection = collection
    self.url = url
    self.digest = digest
  }

  package var text: String {
    "collectionId=\"\(collection.text)\", digest=\"\(digest.text)\", url=\"\(url.text)\""
  }

  /// Names in any order, each once; others beside them are passed over.
  package init?(_ text: String) {
    guard text.utf8.count <= Limits.synchronizationFieldBytes, let found = Self.parameters(text[...]),
      let collection = found["collectionid"].flatMap({ IRI($0) }), let url = found["url"].flatMap({ IRI($0) }),
      let digest = found["digest"].flatMap({ FollowerDigest($0) })
    else { return nil }
    self.init(collection: collection, url: url, digest: digest)
  }

  private static func parameters(_ text: Substring) -> [String: String]? {
    var found: [String: String] = [:]
    var rest = text
    while found.count < 8 {
      rest = rest.drop { $0 == " " || $0 == "\t" }
      guard let equals = rest.firstIndex(of: "=") else { return nil }
      let name = rest[..<equals].lowercased()
      rest = rest[equals...].dropFirst()
      guard rest.first == "\"" else { return nil }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: "\""), found[name] == nil else { return nil }
      found[name] = String(rest[..<end])
      rest = rest[end...].dropFirst().drop { $0 == " " || $0 == "\t" }
      if rest.isEmpty { return found }
      guard rest.first == "," else { return nil }
      rest = rest.dropFirst()
    }
    return nil
  }
}
