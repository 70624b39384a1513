import Primitives

/// A Collection, an OrderedCollection, or a page of one. The plain name is the standard library's.
package struct ObjectCollection: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case collection = "Collection"
    case ordered = "OrderedCollection"
    case page = "CollectionPage"
    case orderedPage = "OrderedCollectionPage"

    var isOrdered: Bool { self == .ordered || self == .orderedPage }
  }

  /// Nil for the embedded first page some peers send.
  package var id: IRI?
  package var kind: Kind
  package var totalItems: Int?
  /// Nil where the collection is only counted; empty lists are written as such.
  package var items: [JSON]?
  package var first: Reference<Node>?
  package var last: IRI?
  package var next: IRI?
  package var prev: IRI?
  package var partOf: IRI?
  package var attributedTo: IRI?

  package init(id: IRI?, kind: Kind) {
    self.id = id
    self.kind = kind
  }

  package init(reading node: Node) throws(VocabularyError) {
    let type = try node.type(among: Set(Kind.allCases.map(\.rawValue)))
    guard let kind = Kind(rawValue: type) else { throw .invalid(.type) }
    self.init(id: node.iri("id"), kind: kind)
    totalItems = node.count("totalItems")
    // Items under the other name are read too: WordPress and Lemmy mix the two.
    let key = node.values("orderedItems").isEmpty && !node.values("items").isEmpty ? "items" : "orderedItems"
    if node.json["orderedItems"] != nil || node.json["items"] != nil {
      items = Array(node.values(key).prefix(Limits.receivedItems))
    }
    if let value = node.first("first") {
      if let page = Node(value) { first = .embedded(page) } else { first = Node.iri(value).map { .link($0) } }
    }
    last = node.iri("last")
    next = node.iri("next")
    prev = node.iri("prev")
    partOf = node.iri("partOf")
    attributedTo = node.iri("attributedTo")
  }

  /// The ids of the items.
  package var itemIRIs: [IRI] { (items ?? []).compactMap { Node.iri($0) } }

  package var json: JSON {
    let first: JSON? =
      switch self.first {
      case .link(let iri): .string(iri.text)
      case .embedded(let node): node.json
      case nil: nil
      }
    return JSON.members([
      "id": id.map { .string($0.text) }, "type": .string(kind.rawValue),
      "attributedTo": attributedTo.map { .string($0.text) }, "totalItems": totalItems.map { .integer(Int64($0)) },
      "first": first, "last": last.map { .string($0.text) }, "partOf": partOf.map { .string($0.text) },
      "prev": prev.map { .string($0.text) }, "next": next.map { .string($0.text) },
      kind.isOrdered ? "orderedItems" : "items": items.map { .array($0) },
    ])
  }

  package var document: JSON { Context.document(json, Context.object) }
}

/// What a deleted object leaves.
package struct Tombstone: Hashable, Sendable {
  package var id: IRI
  package var formerType: String?
  package var deleted: Timestamp?

  package init(id: IRI, formerType: String? = nil, deleted: Timestamp? = nil) {
    self.id = id
    self.formerType = formerType
    self.deleted = deleted
  }

  package init(reading node: Node) throws(VocabularyError) {
    guard try node.type(among: ["Tombstone"]) == "Tombstone" else { throw .invalid(.type) }
    self.init(id: try node.id(), formerType: node.text("formerType"), deleted: node.timestamp("deleted"))
  }

  package var json: JSON {
    JSON.members([
      "id": .string(id.text), "type": "Tombstone", "formerType": formerType.map { .string($0) },
      "deleted": deleted.map { .string($0.iso8601Written) },
    ])
  }

  package var document: JSON { Context.document(json, Context.activity) }
}
