import Primitives

/// A received body: the bytes, and the one parse of them.
///
/// Refuses what JSON-LD would read otherwise than plain JSON does, so that no peer's reader sees another document than
/// ours. No context is ever fetched.
package struct Document: Hashable, Sendable {
  package let bytes: [UInt8]
  package let json: JSON
  package let node: Node

  package init(parsing bytes: [UInt8]) throws(VocabularyError) {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw .json(error) }
    try self.init(json, bytes: bytes)
  }

  /// A document made here or kept from before.
  package init(_ json: JSON) throws(VocabularyError) { try self.init(json, bytes: json.bytes) }

  private init(_ json: JSON, bytes: [UInt8]) throws(VocabularyError) {
    guard let node = Node(json) else { throw .notAnObject }
    try Document.check(json, depth: 0)
    self.bytes = bytes
    self.json = json
    self.node = node
  }

  private static let refusedKeys: Set<String> = ["@graph", "@included", "@reverse", "@nest", "@set", "@list"]

  private static func check(_ json: JSON, depth: Int) throws(VocabularyError) {
    guard depth <= Limits.jsonDepth else { throw .json(.depth) }
    switch json {
    case .array(let values):
      for value in values { try check(value, depth: depth + 1) }
    case .object:
      for (key, value) in json.members {
        if key == "@context" {
          try Context.check(value, depth: depth)
          continue
        }
        guard !refusedKeys.contains(key), !key.hasPrefix(Names.activityStreams) else { throw .unsupportedStructure }
        try check(value, depth: depth + 1)
      }
      if let alias = json["@id"], alias != json["id"] { throw .conflictingAlias }
      if let alias = json["@type"], alias != json["type"] { throw .conflictingAlias }
    default: break
    }
  }
}

/// Names of the namespaces spoken here.
package enum Names {
  package static let activityStreams = "https://www.w3.org/ns/activitystreams#"
  package static let publicCollection = "https://www.w3.org/ns/activitystreams#Public"
  /// Signed documents freeze it: the slug is provisional until the proposal is submitted.
  package static let usagePolicy = "https://w3id.org/fep/f007#"
  package static let mediaType = "application/activity+json"
  package static let linkedDataType = "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""
}

/// The special collection every reader knows, in its full form.
package let everyone: IRI? = IRI(Names.publicCollection)
