import Primitives

/// An activity, read for what it asks. What asks for nothing Atelier does is `unrecognized`, never an error.
package enum Activity: Hashable, Sendable {
  case create(Create)
  case update(Update)
  case delete(Delete)
  case follow(Follow)
  case accept(Accept)
  case reject(Reject)
  case undo(Undo)
  case like(Like)
  case announce(Announce)
  case add(Add)
  case remove(Remove)
  case block(Block)
  case flag(Flag)
  case move(Move)
  case quoteRequest(QuoteRequest)
  /// Another type, or one of the above without an object to act on.
  case unrecognized(type: String)

  package static let types: Set<String> = [
    "Create", "Update", "Delete", "Follow", "Accept", "Reject", "Undo", "Like", "Announce", "Add", "Remove", "Block",
    "Flag", "Move", "EmojiReact", "QuoteRequest",
  ]

  /// Throws only for `type`, and for `id` and `actor` of a recognised type.
  package init(reading node: Node) throws(VocabularyError) {
    let type = try node.type(among: Activity.types)
    guard Activity.types.contains(type) else {
      self = .unrecognized(type: type)
      return
    }
    let header = try Header(reading: node)
    guard let activity = try Activity.make(type, header, node) else {
      self = .unrecognized(type: type)
      return
    }
    self = activity
  }

  private static func make(_ type: String, _ header: Header, _ node: Node) throws(VocabularyError) -> Activity? {
    switch type {
    case "Create": return try subject(node).map { .create(Create(header: header, object: $0)) }
    case "Update": return try subject(node).map { .update(Update(header: header, object: $0)) }
    case "Delete": return node.iri("object").map { .delete(Delete(header: header, object: $0)) }
    case "Follow": return node.iri("object").map { .follow(Follow(header: header, object: $0)) }
    case "Accept":
      return answered(node).map { .accept(Accept(header: header, object: $0, result: node.iri("result"))) }
    case "Reject": return answered(node).map { .reject(Reject(header: header, object: $0)) }
    case "Undo": return undone(node).map { .undo(Undo(header: header, object: $0)) }
    case "Like", "EmojiReact":
      return node.iri("object").map { .like(Like(header: header, object: $0, reaction: node.text("content"))) }
    case "Announce": return node.iri("object").map { .announce(Announce(header: header, object: $0)) }
    case "Add", "Remove":
      guard let object = node.iri("object"), let target = node.iri("target") else { return nil }
      return type == "Add"
        ? .add(Add(header: header, object: object, target: target))
        : .remove(Remove(header: header, object: object, target: target))
    case "Block": return node.iri("object").map { .block(Block(header: header, object: $0)) }
    case "Flag":
      let objects = node.iris("object", limit: Limits.flagObjects)
      let content = node.naturalLanguage("content")?.value ?? ""
      guard !objects.isEmpty else { return nil }
      return .flag(
        Flag(header: header, objects: objects, content: String(content.prefix(Limits.flagCommentCharacters))))
    case "Move":
      guard let object = node.iri("object"), let target = node.iri("target") else { return nil }
      return .move(Move(header: header, object: object, target: target))
    case "QuoteRequest":
      guard let object = node.iri("object"), let value = node.first("instrument") else { return nil }
      let instrument: Reference<Subject>? =
        if let embedded = Node(value), embedded.json["type"] != nil {
          .embedded(try Subject(reading: embedded))
        } else { Node.iri(value).map { .link($0) } }
      return instrument.map { .quoteRequest(QuoteRequest(header: header, object: object, instrument: $0)) }
    default: return nil
    }
  }

  private static func subject(_ node: Node) throws(VocabularyError) -> Reference<Subject>? {
    guard let value = node.first("object") else { return nil }
    guard let object = Node(value) else { return Node.iri(value).map { .link($0) } }
    return .embedded(try Subject(reading: object))
  }

  /// An embedded Follow without an id can be matched by no one, and falls to its parts' absence.
  private static func answered(_ node: Node) -> Reference<Follow>? {
    guard let value = node.first("object") else { return nil }
    if let object = Node(value), object.isA("Follow"), let header = Header(tolerating: object),
      let target = object.iri("object")
    {
      return .embedded(Follow(header: header, object: target))
    }
    return Node.iri(value).map { .link($0) }
  }

  private static func undone(_ node: Node) -> Reference<Undoable>? {
    guard let value = node.first("object") else { return nil }
    if let object = Node(value), let header = Header(tolerating: object), let target = object.iri("object") {
      if object.isA("Follow") { return .embedded(.follow(Follow(header: header, object: target))) }
      if object.isA("Like") || object.isA("EmojiReact") {
        return .embedded(.like(Like(header: header, object: target, reaction: object.text("content"))))
      }
      if object.isA("Announce") { return .embedded(.announce(Announce(header: header, object: target))) }
      if object.isA("Block") { return .embedded(.block(Block(header: header, object: target))) }
    }
    return Node.iri(value).map { .link($0) }
  }
}

/// What every activity has.
package struct Header: Hashable, Sendable {
  package var id: IRI
  package var actor: IRI
  package var addressing: Addressing
  package var published: Timestamp?

  package init(id: IRI, actor: IRI, addressing: Addressing = Addressing(), published: Timestamp? = nil) {
    self.id = id
    self.actor = actor
    self.addressing = addressing
    self.published = published
  }

  init(reading node: Node) throws(VocabularyError) {
    self.init(
      id: try node.id(), actor: try node.require(.actor), addressing: Addressing(reading: node),
      published: node.timestamp("published"))
  }

  init?(tolerating node: Node) {
    guard let id = node.iri("id"), let actor = node.iri("actor") else { return nil }
    self.init(id: id, actor: actor, addressing: Addressing(reading: node), published: node.timestamp("published"))
  }
}

package protocol Addressed: Hashable, Sendable {
  var header: Header { get }
}

extension Addressed {
  package var id: IRI { header.id }
  package var actor: IRI { header.actor }
  package var addressing: Addressing { header.addressing }
  package var published: Timestamp? { header.published }
}

/// What a Create or an Update carries.
package enum Subject: Hashable, Sendable {
  case note(Note)
  case actor(Actor)
  /// Anything else with an id, such as a list, a poll vote's unknown kind, or a policy.
  case other(id: IRI, type: String, JSON)

  package init(reading node: Node) throws(VocabularyError) {
    let type = try node.type(among: Note.types.union(Actor.types))
    if Note.types.contains(type) {
      self = .note(try Note(reading: node))
    } else if Actor.types.contains(type) {
      self = .actor(try Actor(reading: node))
    } else {
      self = .other(id: try node.id(), type: type, node.json)
    }
  }

  package var id: IRI {
    switch self {
    case .note(let note): note.id
    case .actor(let actor): actor.id
    case .other(let id, _, _): id
    }
  }

  package var json: JSON {
    switch self {
    case .note(let note): note.json
    case .actor(let actor): actor.json
    case .other(_, _, let json): json
    }
  }
}

package enum Undoable: Hashable, Sendable {
  case follow(Follow)
  case like(Like)
  case announce(Announce)
  case block(Block)

  package var id: IRI {
    switch self {
    case .follow(let follow): follow.id
    case .like(let like): like.id
    case .announce(let announce): announce.id
    case .block(let block): block.id
    }
  }
}

extension Reference where Object == Subject {
  package var iri: IRI {
    switch self {
    case .link(let iri): iri
    case .embedded(let subject): subject.id
    }
  }
}

extension Reference where Object == Follow {
  package var iri: IRI {
    switch self {
    case .link(let iri): iri
    case .embedded(let follow): follow.id
    }
  }
}

extension Reference where Object == Undoable {
  package var iri: IRI {
    switch self {
    case .link(let iri): iri
    case .embedded(let undoable): undoable.id
    }
  }
}
